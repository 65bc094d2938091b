//! The run's own listeners: `metrics.csv`, `evaluations.csv`, and TensorBoard events.
//!
//! The tables hold nothing that depends on the clock or the machine: a resumed run's are byte for byte those of an uninterrupted one.

use super::event::{Event, Listener};
use crate::error::{Error, Result};
use crate::file::disk;
use crate::file::journal::Journal;
use crate::learn::Progress;
use crate::stats::mean;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

const METRICS: &str = "metrics.csv";
const EVALUATIONS: &str = "evaluations.csv";
/// TensorBoard looks for `tfevents` in the name.
const EVENTS: &str = "events.out.tfevents.0.heirloom";

/// Three journals that share one life.
pub(super) struct Logs {
    metrics: Journal,
    evaluations: Journal,
    events: Journal,
}

impl Logs {
    /// Opens the journals at the lengths that a checkpoint recorded; at nothing when there is none. A log that has lost something is
    /// set aside as `NAME.damaged` and starts again: no run is worth less for it. Gives what was lost.
    pub(super) fn open(folder: &Path, lengths: &BTreeMap<String, u64>) -> Result<(Self, Vec<Error>)> {
        let mut missing = Vec::new();
        let mut open = |name: &str| {
            let (path, length) = (folder.join(name), lengths.get(name).copied().unwrap_or(0));
            let Err(error) = Journal::check(&path, length) else { return Journal::open(&path, length) };
            missing.push(error.hint(format!("what is left is kept as {name}.damaged; the log starts again here")));
            disk::set_aside(&path)?;
            Journal::open(&path, 0)
        };
        let logs = Self { metrics: open(METRICS)?, evaluations: open(EVALUATIONS)?, events: open(EVENTS)? };
        Ok((logs, missing))
    }

    /// What the logs have lost since a checkpoint recorded their lengths.
    pub(super) fn losses(folder: &Path, lengths: &BTreeMap<String, u64>) -> Vec<Error> {
        lengths.iter().filter_map(|(name, length)| Journal::check(&folder.join(name), *length).err()).collect()
    }

    /// Brings everything to the disk and gives the lengths that a checkpoint records.
    pub(super) fn sync(&mut self) -> Result<BTreeMap<String, u64>> {
        let mut lengths = BTreeMap::new();
        for (name, journal) in [(METRICS, &mut self.metrics), (EVALUATIONS, &mut self.evaluations), (EVENTS, &mut self.events)] {
            journal.sync()?;
            lengths.insert(name.to_owned(), journal.len());
        }
        Ok(lengths)
    }

    fn iteration(&mut self, update: u64, steps: u64, progress: &Progress) -> Result<()> {
        let total = mean(&progress.episodes.iter().map(|episode| episode.total).collect::<Vec<_>>());
        #[expect(clippy::cast_precision_loss, reason = "lengths stay below 2^53")]
        let length = mean(&progress.episodes.iter().map(|episode| episode.length as f64).collect::<Vec<_>>());
        let mut names = vec!["update".to_owned(), "steps".to_owned(), "episodes".to_owned()];
        let mut cells = vec![update.to_string(), steps.to_string(), progress.episodes.len().to_string()];
        let measured = [("episode_return", total), ("episode_length", length)];
        for (name, value) in measured.iter().chain(&progress.metrics) {
            names.push((*name).to_owned());
            cells.push(if value.is_nan() { String::new() } else { value.to_string() });
        }
        if self.metrics.is_empty() {
            self.metrics.append(line(&names).as_bytes())?;
        }
        self.metrics.append(line(&cells).as_bytes())?;
        let scalars: Vec<(String, f64)> = measured
            .iter()
            .map(|(name, value)| (format!("rollout/{name}"), *value))
            .chain(progress.metrics.iter().map(|(name, value)| (format!("train/{name}"), *value)))
            .filter(|(_, value)| !value.is_nan())
            .collect();
        self.event(steps, &scalars)
    }

    fn event(&mut self, steps: u64, scalars: &[(String, f64)]) -> Result<()> {
        #[expect(clippy::disallowed_methods, reason = "TensorBoard shows when; nothing of this is digested")]
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        if self.events.is_empty() {
            self.events.append(&super::tensorboard::header(now))?;
        }
        self.events.append(&super::tensorboard::scalars(now, steps, scalars))
    }
}

impl Listener for Logs {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Iteration { update, steps, progress } => self.iteration(*update, *steps, progress),
            Event::Evaluated { evaluation, .. } => {
                if self.evaluations.is_empty() {
                    self.evaluations.append(b"steps,episodes,mean,low,high,length\n")?;
                }
                let interval = evaluation.interval();
                let numbers = [interval.mean, interval.low, interval.high, evaluation.length];
                let mut cells = vec![evaluation.steps.to_string(), evaluation.returns.len().to_string()];
                cells.extend(numbers.iter().map(f64::to_string));
                self.evaluations.append(line(&cells).as_bytes())?;
                self.event(
                    evaluation.steps,
                    &[("evaluation/return".to_owned(), interval.mean), ("evaluation/length".to_owned(), evaluation.length)],
                )
            }
            Event::Started { .. } | Event::Checkpointed { .. } | Event::Warning(_) => Ok(()),
        }
    }
}

fn line(cells: &[String]) -> String {
    cells.join(",") + "\n"
}
