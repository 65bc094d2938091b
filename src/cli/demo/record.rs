//! `heirloom demo record POLICY ENV`, and where `--keyboard ENV` leads.

use super::keyboard::Keyboard;
use crate::choose::Source;
use crate::choose::words::quoted;
use crate::cli::arguments::pool;
use crate::cli::signals;
use crate::cli::terminal::{self, Bar, Ending, bytes, count, number};
use crate::demo::record::{self, Ask, Attempt};
use crate::demo::{Demonstrations, Header, Recorder, Recording};
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use crate::file::disk;
use crate::rollout::MakeEnv;
use crate::rollout::collect::Choice;
use crate::stats::mean;
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Record a policy's episodes, or with --keyboard your own.
///
/// Writes a folder that pandas, polars and DuckDB read (Parquet), that can be replayed bit for bit (`demo replay`) and learned from
/// (`imitate`). A kill loses at most the running episodes: go on with --resume.
#[derive(Args)]
#[command(
    override_usage = "heirloom demo record [OPTIONS] <POLICY> <ENVIRONMENT>\n       heirloom demo record [OPTIONS] --keyboard <ENVIRONMENT>",
    after_help = "Examples:\n  heirloom demo record cartpole cartpole --episodes 10\n  heirloom demo record pendulum pendulum_heavy --episodes 200 --stochastic --min-return -300\n  heirloom demo record --keyboard pendulum --episodes 5 --speed 0.5"
)]
pub(in crate::cli) struct Record {
    /// A policy: short name, policy folder or run folder
    #[arg(required_unless_present = "keyboard", conflicts_with = "keyboard")]
    policy: Option<String>,
    /// Short name or path of an environment
    #[arg(required_unless_present = "keyboard")]
    environment: Option<String>,
    /// Play this environment yourself, in this terminal: the arrow keys act
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with_all = ["stochastic", "min_return", "threads", "json"])]
    keyboard: Option<String>,
    /// With --keyboard: 1 is real time, 0.5 half as fast
    #[arg(long, value_name = "X", default_value_t = 1.0, conflicts_with = "policy", allow_negative_numbers = true)]
    speed: f64,
    /// Whole episodes
    #[arg(long, value_name = "N", default_value_t = 10)]
    episodes: u64,
    /// Draw actions from the policy's distribution, and keep their log-probabilities
    #[arg(long)]
    stochastic: bool,
    /// Leave out episodes of a lower return
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    min_return: Option<f64>,
    /// Seed of the episodes
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Folder of the demonstrations [default: demos/POLICY-in-ENV, demos/keyboard-in-ENV]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Go on with a recording that was broken off
    #[arg(long)]
    resume: bool,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Record {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        if !(1..=1_000_000_000).contains(&self.episodes) {
            return Err(Error::usage(format!("`--episodes` cannot be {}", self.episodes)).hint("it lies between 1 and 1000000000"));
        }
        match (self.keyboard.clone(), &self.policy, &self.environment) {
            (Some(environment), ..) => self.played(registry, environment),
            (None, Some(policy), Some(environment)) => self.acted(registry, policy, environment),
            _ => Err(Error::usage("a policy and an environment are needed")),
        }
    }

    /// By a person.
    fn played(self, registry: &Registry, environment: String) -> Result<Ending> {
        let spec = registry.resolve(&environment)?;
        let out = self.out.unwrap_or_else(|| default_out("keyboard", &spec.name));
        let Self { episodes, seed, speed, resume, .. } = self;
        Keyboard { environment, spec, episodes, seed, speed, out, resume }.record(registry)
    }

    /// By a policy.
    fn acted(&self, registry: &Registry, policy: &str, environment: &str) -> Result<Ending> {
        if self.min_return.is_some_and(|least| !least.is_finite()) {
            return Err(Error::usage("`--min-return` is not a number"));
        }
        let spec = registry.resolve(environment)?;
        let source = Source::load(policy)?;
        let out = self.out.clone().unwrap_or_else(|| default_out(&source.name(), &spec.name));
        let (builder, built) = (registry.clone(), spec.clone());
        let make: MakeEnv = Arc::new(move || builder.build(&built));
        let choice = if self.stochastic { Choice::Sample } else { Choice::Mode };
        let ask = Ask { episodes: self.episodes, choice, seed: self.seed, min_return: self.min_return };
        let recorder = Recorder::Policy {
            name: source.name(),
            digest: source.card.digest.clone(),
            stochastic: self.stochastic,
            seed: self.seed,
            min_return: self.min_return,
        };
        let spaces = make()?.spaces().clone();
        crate::policy::Binding::new(&source.policy.spaces, &spaces)?;
        let header = Header::new(&spec, &spaces, record::info(choice), recorder);
        let pool = pool(self.threads)?;
        let stop = signals::stop_on_signals()?;
        let mut recording = if self.resume { Recording::resume(&out, &header)? } else { Recording::create(&out, header)? };
        let bar = Bar::of("episodes", self.episodes, self.json);
        bar.skip(recording.episodes());
        let heard = |attempt: Attempt| bar.add(u64::from(attempt.kept));
        let outcome = record::record(&source.policy, &make, &ask, &mut recording, &pool, &stop, heard);
        bar.finish();
        match outcome {
            Err(error) if error.kind() == Kind::Stopped => {
                terminal::note(&format!("stopped; what has ended is in {}; go on with --resume", out.display()));
                return Ok(Ending::Signal(stop.requested().unwrap_or(2)));
            }
            outcome => outcome.map_err(|error| error.at(&spec.name))?,
        }
        recording.finish()?;
        show(&Demonstrations::open(&out)?, self.json)
    }
}

/// Where a recording lies when nobody says.
pub(super) fn default_out(recorder: &str, environment: &str) -> PathBuf {
    Path::new("demos").join(format!("{recorder}-in-{}", environment.replace('/', "-")))
}

/// The end of a recording.
pub(super) fn show(set: &Demonstrations, json: bool) -> Result<Ending> {
    let totals: Vec<f64> = set.episodes().map(|episode| episode.map(|(_, episode)| episode.total())).collect::<Result<_>>()?;
    let (least, most) =
        totals.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), total| (least.min(*total), most.max(*total)));
    if json {
        terminal::json(&serde_json::json!({
            "demonstrations": set.path(), "episodes": set.len(), "steps": set.steps(), "mean": mean(&totals), "least": least, "most": most,
            "environment": set.header().environment, "digest": set.digest(), "bytes": disk::size(set.path()),
        }));
        return Ok(Ending::Done);
    }
    let returns = format!("returns {} to {}, {} on average", number(least), number(most), number(mean(&totals)));
    terminal::say(&format!("{} episodes, {} steps in {}: {returns}", count(set.len()), count(set.steps()), set.header().environment));
    terminal::say(&format!("demonstrations: {} ({})", set.path().display(), bytes(disk::size(set.path()))));
    let path = quoted(&set.path().display().to_string());
    terminal::note(&format!("look at them:    heirloom demo inspect {path}\nplay them again: heirloom demo replay {path} --html"));
    Ok(Ending::Done)
}
