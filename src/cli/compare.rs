//! `heirloom compare STUDY.ron`.

use super::arguments::pool;
use super::studying;
use super::terminal::{self, Ending, bytes, count};
use crate::env::Registry;
use crate::error::Result;
use crate::study::estimate::{Estimate, estimate};
use crate::study::{Changes, Definition};
use clap::Args;
use std::path::PathBuf;

/// Judge transfers against learning from scratch: a study of pairs of source and target x methods x seeds.
///
/// Every cell is a run with one seed, on the same budget of target steps. Cells run side by side; a stopped study continues with the
/// cells it has, a finished one is only shown. Ends with verdicts, a page (report.html) and a picture of all learning curves
/// (picture.svg).
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom compare studies/first.ron --dry-run\n  heirloom compare studies/first.ron --pair cartpole_reversed_5k\n  heirloom study new --source cartpole --target cartpole_moon > mine.ron && heirloom compare mine.ron"
)]
pub(super) struct Compare {
    /// A study file; `heirloom study new` writes one
    study: PathBuf,
    /// Say how many cells, steps, minutes and bytes it takes, and stop
    #[arg(long)]
    dry_run: bool,
    /// Folder of cells and report [default: runs/STUDY]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Only this pair of the study, or `NAME_from_N`, with so many demonstrations; may stand several times
    #[arg(long = "pair", value_name = "NAME")]
    pairs: Vec<String>,
    /// Another budget of target steps than the file's, for every pair
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Another number of seeds than the file's
    #[arg(long, value_name = "N")]
    seeds: Option<u64>,
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
        let changes =
            Changes { steps: self.steps, seeds: self.seeds, first_seed: self.seed, pairs: self.pairs, set: self.set, config: self.config };
        let definition = Definition::read(&self.study, registry, &changes)?;
        let out = self.out.unwrap_or_else(|| PathBuf::from("runs").join(&definition.name));
        let pool = pool(self.threads)?;
        if self.dry_run {
            let estimate = estimate(&definition, &out, registry, pool.threads())?;
            show_estimate(&definition, &estimate, self.json);
            return Ok(Ending::Done);
        }
        match studying::run(&definition, &out, registry, &pool, self.json)? {
            Err(ending) => Ok(ending),
            Ok(_) => Ok(Ending::Done),
        }
    }
}

fn show_estimate(definition: &Definition, estimate: &Estimate, json: bool) {
    let minutes = estimate.time.as_secs_f64() / 60.0;
    if json {
        terminal::json(
            &serde_json::json!({"cells": estimate.cells, "known": estimate.known, "steps": estimate.steps, "minutes": minutes, "bytes": estimate.bytes}),
        );
    } else {
        terminal::say(&format!(
            "{}: {} cells, {} of them known; {} steps to go, about {minutes:.1} minutes at most, {}",
            definition.name,
            estimate.cells,
            estimate.known,
            count(estimate.steps),
            bytes(estimate.bytes)
        ));
    }
}
