//! `heirloom compare STUDY.ron`.

use super::arguments::pool;
use super::signals;
use super::terminal::{self, Bar, Ending, bytes, count, number};
use crate::choose::Method;
use crate::env::Registry;
use crate::error::Result;
use crate::report;
use crate::study::definition::Changes;
use crate::study::estimate::{Estimate, estimate};
use crate::study::schedule::{self, Watch};
use crate::study::{Cell, Definition, Grid, Results, Row};
use clap::Args;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Compare methods with learning from scratch: a study of sources x targets x methods x seeds.
///
/// Every cell is a run with one seed, on the same budget of target steps. Cells run side by side; a stopped study continues with the
/// cells it has. Ends with a table, a page (report.html) and a picture of all learning curves (picture.svg).
#[derive(Args)]
#[command(after_help = "Examples:\n  heirloom compare studies/demo.ron --dry-run\n  heirloom compare studies/demo.ron")]
pub(super) struct Compare {
    /// A study file
    study: PathBuf,
    /// Say how many cells, steps, minutes and bytes it takes, and stop
    #[arg(long)]
    dry_run: bool,
    /// Folder of cells and report [default: runs/STUDY]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Another budget of target steps than the file's
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// The first seed; the others follow it
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Change a field of the learners' configuration: ppo.learning_rate=3e-4
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    set: Vec<String>,
    /// Change the learners' configuration by a RON file that names only what it changes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Taken for the sake of habit: a study always continues with the cells that it has
    #[arg(long)]
    resume: bool,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Compare {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        let changes = Changes { steps: self.steps, first_seed: self.seed, set: self.set, config: self.config };
        let definition = Definition::read(&self.study, registry, &changes)?;
        let grid = Grid::new(&definition, registry)?;
        let out = self.out.unwrap_or_else(|| PathBuf::from("runs").join(&definition.name));
        let pool = pool(self.threads)?;
        if self.dry_run {
            let estimate = estimate(&definition, &grid, &out, registry, pool.threads())?;
            return Ok(show_estimate(&definition, &estimate, self.json));
        }
        let stop = signals::stop_on_signals()?;
        let progress = CellProgress::new(&grid, self.json);
        let ran = pool.enter(|| schedule::run(&definition, &grid, &out, registry, &pool, &stop, &progress));
        progress.bar.finish();
        let Some(cells) = ran? else {
            let (done, all) = (progress.done.load(Ordering::Relaxed), grid.cells.len());
            terminal::note(&format!("stopped with {done} of {all} cells done; the same command continues"));
            return Ok(Ending::Signal(stop.requested().unwrap_or(2)));
        };
        let results = Results::new(&definition, &grid, &cells);
        let page = out.join("report.html");
        crate::file::disk::write(&page, report::study::page(&definition, &results, registry).as_bytes())?;
        let picture = out.join("picture.svg");
        crate::file::disk::write(&picture, report::study::picture(&definition, &results).as_bytes())?;
        if self.json {
            terminal::json(
                &serde_json::json!({"study": definition.name, "rows": results.rows.iter().map(row_json).collect::<Vec<_>>(), "report": page.display().to_string(), "picture": picture.display().to_string()}),
            );
        } else {
            show(&definition, &results);
            terminal::say(&format!("\nreport: {}\npicture: {}", page.display(), picture.display()));
        }
        Ok(Ending::Done)
    }
}

fn show_estimate(definition: &Definition, estimate: &Estimate, json: bool) -> Ending {
    let minutes = estimate.time.as_secs_f64() / 60.0;
    if json {
        terminal::json(
            &serde_json::json!({"cells": estimate.cells, "known": estimate.known, "steps": estimate.steps, "minutes": minutes, "bytes": estimate.bytes}),
        );
    } else {
        terminal::say(&format!(
            "{}: {} cells, {} of them known; {} steps to go, about {minutes:.1} minutes, {}",
            definition.name,
            estimate.cells,
            estimate.known,
            count(estimate.steps),
            bytes(estimate.bytes)
        ));
    }
    Ending::Done
}

fn show(definition: &Definition, results: &Results) {
    terminal::heading(&format!("return after {} target steps, {} seeds", count(definition.steps), definition.seeds));
    let rows = results.rows.iter().map(|row| {
        let interval =
            row.interval.map_or_else(|| "one seed".into(), |interval| format!("[{}, {}]", number(interval.low), number(interval.high)));
        let scratch = scratch_of(results, row).map_or(f64::NAN, |scratch| crate::stats::mean(&scratch.finals));
        let mean = crate::stats::mean(&row.finals);
        let difference = if row.method == Method::Scratch {
            String::new()
        } else {
            format!("{}{}", if mean >= scratch { "+" } else { "-" }, number((mean - scratch).abs()))
        };
        vec![row.source.clone(), row.target.clone(), row.method.name().into(), number(mean), interval, number(row.iqm), difference]
    });
    terminal::table(&["source", "target", "method", "mean", "95 % interval", "IQM", "against scratch"], &[3, 4, 5, 6], rows.collect());
    if definition.seeds < 10 {
        terminal::say(&format!("{} seeds make wide intervals; whether a difference is real takes about 10.", definition.seeds));
    }
}

fn scratch_of<'a>(results: &'a Results, row: &Row) -> Option<&'a Row> {
    results.rows.iter().find(|other| other.method == Method::Scratch && other.source == row.source && other.target == row.target)
}

fn row_json(row: &Row) -> serde_json::Value {
    serde_json::json!({
        "source": row.source, "target": row.target, "method": row.method.name(), "finals": row.finals, "iqm": row.iqm,
        "mean": crate::stats::mean(&row.finals), "interval": row.interval.map(|interval| [interval.low, interval.high]),
        "curve": row.mean_curve().iter().map(|(steps, interval)| serde_json::json!([steps, interval.mean, interval.low, interval.high])).collect::<Vec<_>>(),
    })
}

struct CellProgress {
    bar: Bar,
    done: AtomicUsize,
    cells: usize,
}

impl CellProgress {
    fn new(grid: &Grid, quiet: bool) -> Self {
        Self { bar: Bar::new(grid.total_steps(), quiet), done: AtomicUsize::new(0), cells: grid.cells.len() }
    }
}

impl Watch for CellProgress {
    fn stepped(&self, steps: u64) {
        self.bar.add(steps);
    }

    fn finished(&self, cell: &Cell, known: bool) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if known {
            self.bar.skip(cell.job.plan().steps);
        }
        self.bar.say(format!("{done} of {} cells", self.cells));
    }
}
