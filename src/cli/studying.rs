//! What `compare` and `judge` share: running a study with a bar, showing its verdicts, writing its page.

use super::signals;
use super::terminal::{self, Bar, Ending, count, number};
use crate::choose::Method;
use crate::env::Registry;
use crate::error::Result;
use crate::file::disk;
use crate::parallel::Pool;
use crate::report;
use crate::study::definition::ENOUGH_SEEDS;
use crate::study::looks;
use crate::study::schedule::{self, Watch};
use crate::study::transfer_metrics::Estimate;
use crate::study::{Arm, Cell, Definition, Origin, Pair, PairResults, Results};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A study that is done and shown; its page.
pub(super) struct Judged {
    pub(super) page: PathBuf,
}

/// Runs a study to its end and shows it, or says how it was stopped.
pub(super) fn run(
    definition: &Definition,
    out: &Path,
    registry: &Registry,
    pool: &Pool,
    json: bool,
) -> Result<std::result::Result<Judged, Ending>> {
    let before = looks::before(out)?;
    let stop = signals::stop_on_signals()?;
    let progress = CellProgress::new(json);
    let ran = pool.enter(|| schedule::run(definition, out, schedule::shared_cache(), registry, pool, &stop, &progress));
    progress.bar.finish();
    let Some(gathered) = ran? else {
        let (done, all) = (progress.done.load(Ordering::Relaxed), progress.cells.load(Ordering::Relaxed));
        terminal::note(&format!("stopped with {done} of {all} cells done; the same command continues"));
        return Ok(Err(Ending::Signal(stop.requested().unwrap_or(2))));
    };
    let results = Results::new(definition, gathered);
    let exploratory = before.look(out, definition)?;
    let page = out.join("report.html");
    disk::write(&page, report::study::page(definition, &results, exploratory.as_deref(), registry).as_bytes())?;
    let picture = out.join("picture.svg");
    disk::write(&picture, report::study::picture(definition, &results).as_bytes())?;
    if json {
        terminal::json(&to_json(definition, &results, exploratory.as_deref(), &page, &picture));
    } else {
        show(definition, &results, exploratory.as_deref());
        terminal::say(&format!("\nreport: {}\npicture: {}", page.display(), picture.display()));
    }
    Ok(Ok(Judged { page }))
}

fn show(definition: &Definition, results: &Results, exploratory: Option<&str>) {
    for (pair, found) in definition.pairs.iter().zip(&results.pairs) {
        terminal::heading(&format!("{}: {}, {} target steps", pair.name, pair.title(), count(pair.steps)));
        let rows = found.arms.iter().map(|arm| table_row(found, arm));
        terminal::table(
            &["method", pair.measure.words_short(), "95 % interval", "end", "against scratch", "verdict"],
            &[1, 2, 3, 4],
            rows.collect(),
        );
        for arm in found.speaking() {
            terminal::say(&report::words::sentence(pair, found, arm));
        }
        terminal::say("");
    }
    if let Some(sentence) = exploratory {
        terminal::note(&format!("exploratory: {sentence}"));
    }
    if definition.seeds < ENOUGH_SEEDS {
        terminal::note(&format!(
            "{} seeds are fewer than {ENOUGH_SEEDS}: the verdicts are honest only if returns scatter evenly",
            definition.seeds
        ));
    }
    for (pair, found) in definition.pairs.iter().zip(&results.pairs) {
        for copy in &found.copies {
            terminal::note(&format!("{}: {copy}: was something copied?", pair.name));
        }
    }
}

fn table_row(found: &PairResults, arm: &Arm) -> Vec<String> {
    let interval =
        |interval: Option<[f64; 2]>| interval.map_or_else(|| "-".into(), |[low, high]| format!("[{}, {}]", number(low), number(high)));
    let comparison = arm.against.as_ref().and_then(|against| against.comparison);
    let difference = comparison.map_or_else(String::new, |comparison| interval(Some(comparison.interval)));
    let marked = if found.best == Some(arm.method) { format!("{} *", arm.method.name()) } else { arm.method.name().into() };
    let verdict = comparison.map_or_else(String::new, |comparison| match comparison.decisive_step() {
        Some([low, high]) => format!("{} (Holm's step [{}, {}])", comparison.verdict.name(), number(low), number(high)),
        None => comparison.verdict.name().to_owned(),
    });
    vec![marked, number(arm.mean.value), interval(arm.mean.interval), number(arm.metrics.asymptotic), difference, verdict]
}

fn to_json(definition: &Definition, results: &Results, exploratory: Option<&str>, page: &Path, picture: &Path) -> serde_json::Value {
    let pairs: Vec<serde_json::Value> = definition.pairs.iter().zip(&results.pairs).map(|(pair, found)| pair_json(pair, found)).collect();
    serde_json::json!({
        "study": definition.name, "seeds": [definition.first_seed, definition.seeds],
        "exploratory": exploratory, "pairs": pairs, "report": page.display().to_string(), "picture": picture.display().to_string(),
    })
}

fn pair_json(pair: &Pair, found: &PairResults) -> serde_json::Value {
    serde_json::json!({
        "pair": pair.name, "steps_taken": found.steps, "failed": found.failed, "measure": pair.measure.words(), "source": pair.origin.name(), "adapt_from": pair.adapt_from.as_ref().map(Origin::name), "target": pair.target.name, "steps": pair.steps, "source_steps": pair.origin.steps(),
        "random": found.anchors.random, "reference": found.anchors.reference, "weak_baseline": found.weak_baseline,
        "best": found.best.map(Method::name), "copies": found.copies,
        "control": found.control.as_ref().map(|control| serde_json::json!({"steps": control.steps, "finals": control.finals})),
        "arms": found.arms.iter().map(arm_json).collect::<Vec<_>>(),
    })
}

fn arm_json(arm: &Arm) -> serde_json::Value {
    let estimate = |estimate: &Estimate| serde_json::json!({"value": estimate.value, "interval": estimate.interval});
    let metrics = &arm.metrics;
    let mut json = serde_json::json!({
        "method": arm.method.name(), "learning_rate_factor": arm.factor, "values": arm.values, "mean": estimate(&arm.mean), "iqm": estimate(&arm.iqm),
        "stochastic_end": arm.sampled, "failed_seeds": arm.failed, "jumpstart": estimate(&metrics.jumpstart),
        "time_to_threshold": {"reached": metrics.time_to_threshold.reached, "runs": metrics.time_to_threshold.runs, "median": metrics.time_to_threshold.median},
        "asymptotic": metrics.asymptotic, "area": metrics.area, "transfer_ratio": metrics.transfer_ratio.as_ref().map(estimate),
        "trials": arm.trials.iter().map(|trial| serde_json::json!({"factor": trial.factor, "values": trial.values.iter().map(|value| value.is_finite().then_some(*value)).collect::<Vec<_>>()})).collect::<Vec<_>>(),
        "curve": arm.mean_curve().iter().map(|(steps, interval)| serde_json::json!([steps, interval.mean, interval.low, interval.high])).collect::<Vec<_>>(),
    });
    if let Some(against) = &arm.against {
        json["verdict"] = against.comparison.map_or(serde_json::Value::Null, |comparison| comparison.verdict.name().into());
        json["difference"] = against.comparison.map_or(serde_json::Value::Null, |comparison| {
            serde_json::json!({"mean": comparison.welch.difference, "interval": comparison.interval, "holm_interval": comparison.step, "p": comparison.welch.p,
                "adjusted_p": comparison.p, "margin": comparison.margin, "seeds_to_decide": comparison.seeds})
        });
        json["probability_of_improvement"] = estimate(&against.improvement);
        json["budgets"] = serde_json::json!(against.band);
        json["sign_changes"] = serde_json::json!(against.sign_changes);
        json["idle"] = against.idle.map_or(serde_json::Value::Null, |idle| format!("{idle:?}").to_lowercase().into());
        json["sure_of_the_wrong_at"] = against.sure_of_the_wrong.into();
    }
    json
}

struct CellProgress {
    bar: Bar,
    done: AtomicUsize,
    cells: AtomicUsize,
}

impl CellProgress {
    fn new(quiet: bool) -> Self {
        Self { bar: Bar::new(0, quiet), done: AtomicUsize::new(0), cells: AtomicUsize::new(0) }
    }
}

impl Watch for CellProgress {
    fn planned(&self, cells: usize, steps: u64) {
        self.cells.store(cells, Ordering::Relaxed);
        self.bar.set_total(steps);
    }

    fn stepped(&self, steps: u64) {
        self.bar.add(steps);
    }

    fn finished(&self, cell: &Cell, known: bool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if known {
            self.bar.skip(cell.job.plan().steps);
        }
        self.bar.say(format!("{done} of {} cells", self.cells.load(Ordering::Relaxed)));
    }

    fn strangers(&self, count: usize) {
        terminal::note(&format!(
            "{count} results in this folder are not part of the study as it is asked now (other seeds, pairs or settings, or another version of the \
             program): they are not used"
        ));
    }
}
