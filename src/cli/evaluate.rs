//! `heirloom evaluate POLICY ENV`.

use super::arguments::pool;
use super::signals;
use super::terminal::{self, Ending, number};
use crate::choose::Source;
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::rollout::collect::Choice;
use crate::run::Evaluator;
use clap::Args;
use std::sync::Arc;

/// Measure a policy in an environment: mean return with a 95 % interval over episodes.
///
/// Takes the mean action, or the most probable one; --stochastic draws from the policy's distribution instead.
#[derive(Args)]
pub(super) struct Evaluate {
    /// A policy: short name, policy folder or run folder
    policy: String,
    /// Short name or path of an environment
    environment: String,
    /// Whole episodes
    #[arg(long, value_name = "N", default_value_t = 100)]
    episodes: usize,
    /// Draw actions from the policy's distribution
    #[arg(long)]
    stochastic: bool,
    /// Seed of the episodes
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        if !(1..=1_000_000).contains(&self.episodes) {
            return Err(Error::usage(format!("`--episodes` cannot be {}", self.episodes)).hint("it lies between 1 and 1000000"));
        }
        let spec = registry.resolve(&self.environment)?;
        let source = Source::load(&self.policy)?;
        let (inner, built) = (registry.clone(), spec.clone());
        let evaluator = Evaluator {
            adapting: None,
            make: Arc::new(move || inner.build(&built)),
            environment: spec.name.clone(),
            episodes: self.episodes,
            seed: self.seed,
            choice: if self.stochastic { Choice::Sample } else { Choice::Mode },
            pool: pool(self.threads)?,
        };
        let stop = signals::stop_on_signals()?;
        let evaluation = match evaluator.measure(&source.policy, source.card.provenance.steps.unwrap_or_default(), &stop) {
            Err(error) if error.kind() == crate::error::Kind::Stopped => return Ok(Ending::Signal(stop.requested().unwrap_or(2))),
            measured => measured?,
        };
        let interval = evaluation.interval();
        if self.json {
            terminal::json(&serde_json::json!({
                "mean": interval.mean,
                "interval": [interval.low, interval.high],
                "episodes": self.episodes,
                "length": evaluation.length,
                "returns": evaluation.returns,
                "policy": source.card.digest,
                "environment": spec.name,
                "seed": self.seed,
                "stochastic": self.stochastic,
                "lost_episodes": registry.lost_episodes().count(),
            }));
        } else {
            terminal::say(&format!(
                "{} in {}: {} [{}, {}] over {} episodes of {} steps on average",
                source.name(),
                spec.name,
                number(interval.mean),
                number(interval.low),
                number(interval.high),
                self.episodes,
                number(evaluation.length)
            ));
        }
        Ok(Ending::Done)
    }
}
