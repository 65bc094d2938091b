//! Running all cells: stage after stage, side by side, each on one thread, whatever is already known not again.

use super::cell::{Cell, CellResult, CellStore};
use super::definition::Definition;
use super::file::Failures;
use super::gathered::{Gathered, gather};
use super::stages::{self, Batch};
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use crate::file::disk;
use crate::file::lock::Lock;
use crate::parallel::Pool;
use crate::stop::Stop;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What happens while cells run; who watches for one thing need not hear the others.
pub trait Watch: Sync {
    /// So many cells and steps there are in all.
    fn planned(&self, _cells: usize, _steps: u64) {}
    /// Some steps were done in a cell.
    fn stepped(&self, _steps: u64) {}
    /// A cell is over: run now, or known before.
    fn finished(&self, _cell: &Cell, _known: bool) {}
    /// So many results in the folder are none of this study's as it is now asked, and were left alone.
    fn strangers(&self, _count: usize) {}
}

/// Where cells without a source are kept for all studies.
#[must_use]
pub fn shared_cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?;
    Some(cache.join("heirloom"))
}

/// Cells of one stage, with what is known of them before it runs.
pub type Stage = Vec<(Cell, bool)>;

/// The cells of all stages as far as they can be known before anything runs: later stages stand on stand-ins for what the earlier ones
/// would find.
///
/// # Errors
/// When an environment cannot be built.
pub fn plan(definition: &Definition, store: &CellStore, registry: &Registry) -> Result<Vec<Stage>> {
    let known = |batch: &Batch| -> Vec<Option<CellResult>> { batch.cells.iter().map(|cell| found(definition, store, cell)).collect() };
    let stage = |batch: Batch, known: &[Option<CellResult>]| -> Stage {
        batch.cells.into_iter().zip(known).map(|(cell, known)| (cell, known.is_some())).collect()
    };
    let (batch, places) = stages::first(definition);
    let results = known(&batch);
    let whole: Option<Vec<CellResult>> = results.iter().cloned().collect();
    let mut prepared = Vec::new();
    for (pair, first) in definition.pairs.iter().zip(places) {
        prepared.push(match &whole {
            Some(results) => stages::prepare(definition, pair, first, &batch, results, store)?,
            None => stages::imagine(definition, pair, registry)?,
        });
    }
    let mut all = vec![stage(batch, &results)];
    let (batch, trials) = stages::second(definition, &prepared);
    let results = known(&batch);
    if let Some(results) = results.iter().cloned().collect::<Option<Vec<CellResult>>>().filter(|_| whole.is_some()) {
        for ((pair, prepared), trials) in definition.pairs.iter().zip(&mut prepared).zip(trials) {
            stages::tune(pair, prepared, trials, &results);
        }
    }
    all.push(stage(batch, &results));
    let (batch, _) = stages::third(definition, &prepared);
    let results = known(&batch);
    all.push(stage(batch, &results));
    Ok(all)
}

/// A study that is run or looked up.
struct Runner<'a> {
    definition: &'a Definition,
    store: CellStore,
    registry: &'a Registry,
    pool: &'a Pool,
    stop: &'a Stop,
    watch: &'a dyn Watch,
    met: BTreeSet<String>,
    failed: AtomicBool,
}

/// Runs what is not known yet and gives everything that came of it; `None` when a signal came. What was finished by then lies in
/// `out/cells`, and is not run again. `shared` is the folder that studies share, where there is one ([`shared_cache`]).
///
/// # Errors
/// Exit 7 when another process runs this study; otherwise the error of a cell that failed.
pub fn run(
    definition: &Definition,
    out: &Path,
    shared: Option<PathBuf>,
    registry: &Registry,
    pool: &Pool,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<Option<Vec<Gathered>>> {
    let store = CellStore::open(out, shared)?;
    let _lock = Lock::take(out)?;
    disk::sweep(&out.join("cells"))?;
    disk::sweep(&out.join("sources"))?;
    let planned = plan(definition, &store, registry)?;
    let cells = || planned.iter().flatten().map(|(cell, _)| cell);
    watch.planned(cells().count(), cells().map(|cell| cell.job.plan().steps).sum());
    let mut runner = Runner { definition, store, registry, pool, stop, watch, met: BTreeSet::new(), failed: AtomicBool::new(false) };

    let (batch, places) = stages::first(definition);
    let Some(first_results) = runner.stage(&batch)? else { return Ok(None) };
    let mut prepared = Vec::new();
    let mut references = Vec::new();
    for (pair, first) in definition.pairs.iter().zip(places) {
        references.push(first.reference.iter().map(|index| first_results[*index].clone()).collect::<Vec<_>>());
        prepared.push(stages::prepare(definition, pair, first, &batch, &first_results, &runner.store)?);
    }

    let (batch, trials) = stages::second(definition, &prepared);
    let Some(results) = runner.stage(&batch)? else { return Ok(None) };
    for ((pair, prepared), trials) in definition.pairs.iter().zip(&mut prepared).zip(trials) {
        stages::tune(pair, prepared, trials, &results);
    }

    let (batch, places) = stages::third(definition, &prepared);
    let Some(results) = runner.stage(&batch)? else { return Ok(None) };
    let strangers = runner.store.strangers(&runner.met);
    if strangers > 0 {
        watch.strangers(strangers);
    }
    let gathered = definition.pairs.iter().zip(prepared).zip(references).zip(places);
    let gathered = gathered.map(|(((pair, prepared), reference), third)| {
        gather(definition, pair, &prepared, reference, third.reported(&results), registry, stop)
    });
    match gathered.collect::<Result<Vec<_>>>() {
        Err(error) if error.kind() == Kind::Stopped => Ok(None),
        gathered => gathered.map(Some),
    }
}

impl Runner<'_> {
    /// Every cell's result, in the batch's order.
    fn stage(&mut self, batch: &Batch) -> Result<Option<Vec<CellResult>>> {
        self.met.extend(batch.cells.iter().map(|cell| cell.digest.clone()));
        let mut slots: Vec<(&Cell, Option<CellResult>)> =
            batch.cells.iter().map(|cell| (cell, found(self.definition, &self.store, cell))).collect();
        for (cell, known) in &slots {
            if let Some(result) = known {
                self.store.adopt(cell, result)?;
                self.watch.finished(cell, true);
            }
        }
        let mut unknown: Vec<&mut (&Cell, Option<CellResult>)> = slots.iter_mut().filter(|(_, known)| known.is_none()).collect();
        unknown.sort_by_key(|(cell, _)| std::cmp::Reverse(cell.job.plan().steps));
        let mut unknown = dealt(unknown, self.pool.threads());
        self.pool.try_each(&mut unknown, |_, (cell, result)| self.run(cell, result))?;
        if self.stop.requested().is_some() {
            return Ok(None);
        }
        let results: Option<Vec<CellResult>> = slots.into_iter().map(|(_, result)| result).collect();
        results.map(Some).ok_or_else(|| Error::environment(format!("a cell of {} has no result", self.definition.name)))
    }

    fn run(&self, cell: &Cell, result: &mut Option<CellResult>) -> Result<()> {
        if self.stop.requested().is_some() || self.failed.load(Ordering::Relaxed) {
            return Ok(());
        }
        let place = || format!("{} in {}, seed {}", cell.job.method.name(), cell.job.environment.name, cell.job.seed);
        let stepped = |steps| self.watch.stepped(steps);
        let ran = cell.run(self.registry, self.definition.failures, &self.store, self.stop, &stepped);
        if ran.is_err() {
            // The study is lost: no other cell need begin.
            self.failed.store(true, Ordering::Relaxed);
        }
        *result = ran.map_err(|error| error.at(place()))?;
        if result.is_some() {
            self.watch.finished(cell, false);
        }
        Ok(())
    }
}

/// Sorted work dealt out as cards are: the pool cuts a list into equal parts, one for each thread, and each begins with its longest.
fn dealt<T>(sorted: Vec<T>, hands: usize) -> Vec<T> {
    let mut parts: Vec<Vec<T>> = (0..hands.max(1)).map(|_| Vec::new()).collect();
    for (index, item) in sorted.into_iter().enumerate() {
        parts[index % hands.max(1)].push(item);
    }
    parts.into_iter().flatten().collect()
}

/// A result that is known. One that failed is run again, and fails again, where a failure ends the study.
fn found(definition: &Definition, store: &CellStore, cell: &Cell) -> Option<CellResult> {
    store.known(cell).filter(|result| result.failed.is_none() || definition.failures == Failures::Worst)
}
