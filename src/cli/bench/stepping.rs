//! `heirloom bench stepping ENV`: how fast environments step under random actions, as a learner steps them.

use crate::cli::arguments::pool;
use crate::cli::terminal::{self, Ending, count};
use crate::env::check::random_action;
use crate::env::{Registry, Spec};
use crate::error::Result;
use crate::rollout::{Environments, MakeEnv, shard_range};
use crate::seed::{Rng, Stream};
use clap::Args;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Steps of environments under random actions, resets included: shards side by side, as a learner steps them, without any learning.
#[derive(Args)]
pub(in crate::cli) struct Stepping {
    /// Short names or paths
    #[arg(required = true)]
    environments: Vec<String>,
    /// How many environments side by side
    #[arg(long, value_name = "N", default_value_t = 8)]
    vector: usize,
    /// Shards, each on a thread: of Gymnasium's environments, Python processes
    #[arg(long, value_name = "N", default_value_t = 1)]
    shards: usize,
    /// How long
    #[arg(long, value_name = "S", default_value_t = 2.0)]
    seconds: f64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Stepping {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        for name in &self.environments {
            let spec = registry.resolve(name)?;
            let rate = rate(registry, &spec, self.vector, self.shards, Duration::from_secs_f64(self.seconds.clamp(0.01, 1e4)))?;
            if self.json {
                terminal::json(
                    &serde_json::json!({"environment": name, "vector": self.vector, "shards": self.shards, "steps_per_second": rate}),
                );
            } else {
                terminal::say(&format!("{name}: {} steps/s, {} environments in {} shards", count(rate), self.vector, self.shards));
            }
        }
        Ok(Ending::Done)
    }
}

/// A part of the vector, with what it takes to choose for it.
struct Part {
    environments: Environments,
    chooser: Rng,
    steps: u64,
}

/// Steps in a second of wall time.
pub(in crate::cli) fn rate(registry: &Registry, spec: &Spec, vector: usize, shards: usize, time: Duration) -> Result<u64> {
    let shards = shards.clamp(1, vector.max(1));
    let (inner, built) = (registry.clone(), spec.clone());
    let make: MakeEnv = Arc::new(move || inner.build(&built));
    let start = |index: usize| -> Result<Part> {
        let environments = Environments::start(&make, shard_range(vector.max(1), shards, index), 0, Stream::Env)?;
        Ok(Part { environments, chooser: Stream::ActionNoise(index as u64).under(0), steps: 0 })
    };
    let mut parts = (0..shards).map(start).collect::<Result<Vec<Part>>>()?;
    let pool = pool(Some(shards))?;
    let began = Instant::now();
    pool.try_each(&mut parts, |_, part| part.step_until(began + time))?;
    let steps: u64 = parts.iter().map(|part| part.steps).sum();
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
    Ok((steps as f64 / began.elapsed().as_secs_f64()) as u64)
}

impl Part {
    fn step_until(&mut self, end: Instant) -> Result<()> {
        let Self { environments, chooser, steps } = self;
        let space = environments.spaces().action.clone();
        let mut values = vec![vec![0.0; space.size()]; environments.len()];
        while Instant::now() < end {
            for _ in 0..16 {
                let before = chooser.clone();
                if environments.listening() {
                    for (index, values) in values.iter_mut().enumerate() {
                        environments.announce(index, random_action(&space, chooser, values));
                    }
                    *chooser = before;
                }
                for (index, values) in values.iter_mut().enumerate() {
                    environments.step(index, random_action(&space, chooser, values))?;
                }
                *steps += environments.len() as u64;
                environments.finished.clear();
            }
        }
        Ok(())
    }
}
