//! `heirloom demo inspect DEMOS`.

use crate::cli::terminal::{self, Ending, bytes, count, number, sparkline};
use crate::demo::Demonstrations;
use crate::demo::inspect::{self, Summary};
use crate::error::Result;
use crate::file::disk;
use crate::stats::mean;
use clap::Args;
use std::path::PathBuf;

/// Look at demonstrations: lengths, returns, how each channel is covered, and what to beware of.
///
/// Reads and checks all of it, every checksum included.
#[derive(Args)]
#[command(after_help = "Example:\n  heirloom demo inspect demos/cartpole-in-cartpole")]
pub(in crate::cli) struct Inspect {
    /// A folder of demonstrations
    demonstrations: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Inspect {
    pub(in crate::cli) fn run(self) -> Result<Ending> {
        let set = Demonstrations::open(&self.demonstrations)?;
        set.verify()?;
        let summary = inspect::summarize(&set)?;
        if self.json {
            terminal::json(&to_json(&set, &summary));
        } else {
            show(&set, &summary);
        }
        Ok(Ending::Done)
    }
}

fn show(set: &Demonstrations, summary: &Summary) {
    let header = set.header();
    let recorders: Vec<String> = header.recorders.iter().map(ToString::to_string).collect();
    terminal::heading(&set.path().display().to_string());
    let rows = vec![
        vec!["environment".into(), header.environment.clone()],
        vec!["recorded by".into(), recorders.join("; ")],
        vec![
            "episodes".into(),
            format!("{}: {} ended, {} cut by time", count(set.len()), count(summary.terminated), count(summary.truncated)),
        ],
        vec!["steps".into(), format!("{}; {} an episode", count(set.steps()), spread(&summary.lengths))],
        vec!["return".into(), spread(&summary.returns)],
        vec!["size".into(), bytes(disk::size(set.path()))],
        vec!["digest".into(), set.digest()],
    ];
    terminal::table(&["", ""], &[], rows);
    if set.is_empty() {
        return warn(summary);
    }
    terminal::say("");
    let channels = summary.channels.iter().map(|channel| {
        let numbers = [channel.low, channel.high, channel.mean, channel.std].map(number);
        [vec![channel.name.clone()], numbers.to_vec(), vec![sparkline(&channel.histogram)]].concat()
    });
    terminal::table(&["channel", "least", "greatest", "mean", "std", "distribution"], &[1, 2, 3, 4], channels.collect());
    if !summary.actions.is_empty() {
        terminal::say("");
        let total: u64 = summary.actions.iter().map(|(_, taken)| taken).sum();
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let share = |taken: u64| format!("{:.1} %", 100.0 * taken as f64 / total.max(1) as f64);
        let rows = summary.actions.iter().map(|(name, taken)| vec![name.clone(), count(*taken), share(*taken)]).collect();
        terminal::table(&["action", "taken", ""], &[1, 2], rows);
    }
    warn(summary);
}

fn warn(summary: &Summary) {
    if !summary.warnings.is_empty() {
        terminal::say("");
    }
    summary.warnings.iter().for_each(|warning| terminal::say(&format!("beware: {warning}")));
}

fn spread(values: &[f64]) -> String {
    let (least, most) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), value| (least.min(*value), most.max(*value)));
    if values.is_empty() { "-".into() } else { format!("{} to {}, {} on average", number(least), number(most), number(mean(values))) }
}

fn to_json(set: &Demonstrations, summary: &Summary) -> serde_json::Value {
    let channels = summary.channels.iter().map(|channel| {
        serde_json::json!({
            "name": channel.name, "low": channel.low, "high": channel.high, "mean": channel.mean, "std": channel.std,
            "histogram": channel.histogram,
        })
    });
    serde_json::json!({
        "demonstrations": set.path(),
        "environment": set.header().environment,
        "recorders": set.header().recorders.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "episodes": set.len(),
        "steps": set.steps(),
        "lengths": summary.lengths,
        "returns": summary.returns,
        "terminated": summary.terminated,
        "truncated": summary.truncated,
        "channels": channels.collect::<Vec<_>>(),
        "actions": summary.actions.iter().map(|(name, taken)| serde_json::json!({"name": name, "taken": taken})).collect::<Vec<_>>(),
        "warnings": summary.warnings,
        "digest": set.digest(),
    })
}
