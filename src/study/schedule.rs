//! Running all cells: side by side, each on one thread, whatever is already known not again.

use super::{Cell, CellResult, Definition, Grid};
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::file::disk;
use crate::file::lock::Lock;
use crate::parallel::Pool;
use crate::stop::Stop;
use std::path::{Path, PathBuf};

/// What happens while cells run.
pub trait Watch: Sync {
    /// Some steps were done in a cell.
    fn stepped(&self, steps: u64);
    /// A cell is over: run now, or known before.
    fn finished(&self, cell: &Cell, known: bool);
}

/// Where scratch cells of all studies are kept: they do not depend on a source, and are the most expensive to run.
#[must_use]
pub fn shared_cache() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home)?;
    Some(cache.join("heirloom").join("cells"))
}

/// Runs what is not known yet and gives every cell's result, in the grid's order; `None` when a signal came. What was finished by then
/// lies in `out/cells`, and is not run again.
///
/// # Errors
/// Exit 7 when another process runs this study; otherwise the error of the first cell, in the grid's order, that failed.
pub fn run(
    definition: &Definition,
    grid: &Grid,
    out: &Path,
    registry: &Registry,
    pool: &Pool,
    stop: &Stop,
    watch: &dyn Watch,
) -> Result<Option<Vec<CellResult>>> {
    let folder = out.join("cells");
    disk::create_folder(&folder)?;
    let _lock = Lock::take(out)?;
    disk::sweep(&folder)?;
    let shared = shared_cache().filter(|cache| disk::create_folder(cache).is_ok());
    let mut slots: Vec<(&Cell, Option<CellResult>)> =
        grid.cells.iter().map(|cell| (cell, known(cell, &folder, shared.as_deref()))).collect();
    for (cell, _) in slots.iter().filter(|(_, known)| known.is_some()) {
        watch.finished(cell, true);
    }
    let mut unknown: Vec<&mut (&Cell, Option<CellResult>)> = slots.iter_mut().filter(|(_, known)| known.is_none()).collect();
    pool.try_each(&mut unknown, |_, (cell, result)| {
        if stop.requested().is_some() {
            return Ok(());
        }
        let place = || format!("{} in {}, seed {}", cell.job.method.name(), cell.job.environment.name, cell.job.seed);
        let ran = cell.run(registry, stop, &|steps| watch.stepped(steps)).map_err(|error| error.at(place()))?;
        if let Some(ran) = ran {
            cell.store(&folder, &ran)?;
            if let Some(shared) = shared.as_deref().filter(|_| !cell.job.method.needs_source()) {
                // The cache saves time; without it everything still works.
                let _ = cell.store(shared, &ran);
            }
            watch.finished(cell, false);
            *result = Some(ran);
        }
        Ok(())
    })?;
    if stop.requested().is_some() {
        return Ok(None);
    }
    let results: Option<Vec<CellResult>> = slots.into_iter().map(|(_, result)| result).collect();
    results.map(Some).ok_or_else(|| Error::environment(format!("a cell of {} has no result", definition.name)))
}

fn known(cell: &Cell, folder: &Path, shared: Option<&Path>) -> Option<CellResult> {
    cell.stored(folder).or_else(|| {
        let shared = shared.filter(|_| !cell.job.method.needs_source())?;
        let result = cell.stored(shared)?;
        cell.store(folder, &result).ok()?;
        Some(result)
    })
}
