//! Measuring a policy in the course of a run.

use crate::error::{Error, Result};
use crate::meta::{MakeTask, adapt};
use crate::parallel::Pool;
use crate::policy::{Measured, Policy};
use crate::rollout::collect::Choice;
use crate::rollout::{MakeEnv, evaluate};
use crate::stats::{Interval, mean, mean_interval};
use crate::stop::Stop;
use std::sync::Arc;

/// How policies are measured: the same episodes every time.
#[derive(Clone)]
pub struct Evaluator {
    /// Builds the environment.
    pub make: MakeEnv,
    /// Its name.
    pub environment: String,
    /// Episodes of each measurement.
    pub episodes: usize,
    /// Seed of the episodes.
    pub seed: u64,
    /// Which actions are taken.
    pub choice: Choice,
    /// Where episodes run.
    pub pool: Arc<Pool>,
    /// Where a start is measured by what it becomes: it adapts to so many tasks as there are episodes, and a task's figure is its mean after
    /// the last update.
    pub adapting: Option<Adapted>,
}

/// Tasks, and how a policy adapts to each.
#[derive(Clone)]
pub struct Adapted {
    /// The tasks.
    pub make: MakeTask,
    /// What an update takes.
    pub config: adapt::Config,
    /// How many updates.
    pub updates: usize,
}

/// What a policy did.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Environment steps of training before it.
    pub steps: u64,
    /// Return of each episode.
    pub returns: Vec<f64>,
    /// Mean length of an episode.
    pub length: f64,
}

impl Evaluator {
    /// Measures a policy after `steps` steps of training.
    ///
    /// # Errors
    /// When it does not fit the environment, or an environment fails.
    #[expect(clippy::cast_precision_loss, reason = "lengths stay below 2^53")]
    pub fn measure(&self, policy: &Policy, steps: u64, stop: &Stop) -> Result<Evaluation> {
        if let Some(adapting) = &self.adapting {
            return self.measure_adapted(adapting, policy, steps, stop);
        }
        let finished = evaluate(policy, &self.make, self.episodes, self.choice, self.seed, &self.pool, stop)
            .map_err(|error| error.at(format!("evaluation in {}", self.environment)))?;
        let returns: Vec<f64> = finished.iter().map(|episode| episode.total).collect();
        if returns.iter().any(|total| !total.is_finite()) {
            return Err(Error::environment("a return is not finite").at(&self.environment));
        }
        let length = mean(&finished.iter().map(|episode| episode.length as f64).collect::<Vec<_>>());
        Ok(Evaluation { steps, returns, length })
    }

    fn measure_adapted(&self, adapting: &Adapted, policy: &Policy, steps: u64, stop: &Stop) -> Result<Evaluation> {
        let Adapted { make, config, updates } = adapting;
        let curves = adapt::curves(policy, make, 0..self.episodes as u64, config, *updates, self.seed, &self.pool, stop)
            .map_err(|error| error.at(format!("evaluation in {}", self.environment)))?;
        let last = || curves.iter().filter_map(|curve| curve.last());
        let length = mean(&last().map(|point| point.length).collect::<Vec<_>>());
        Ok(Evaluation { steps, returns: last().map(|point| point.total).collect(), length })
    }

    /// The same for a card.
    #[must_use]
    pub fn measured(&self, evaluation: &Evaluation) -> Measured {
        let Interval { mean, low, high } = evaluation.interval();
        let environment = match &self.adapting {
            Some(Adapted { updates, .. }) => format!("tasks of {}, after {updates} updates in each", self.environment),
            None => self.environment.clone(),
        };
        Measured { environment, mean, interval: [low, high], episodes: self.episodes as u64, seed: self.seed }
    }
}

impl Evaluation {
    /// Mean return with its 95 % t-interval over episodes; of one episode, without spread.
    #[must_use]
    pub fn interval(&self) -> Interval {
        let mean = mean(&self.returns);
        mean_interval(&self.returns, 0.95).unwrap_or(Interval { mean, low: mean, high: mean })
    }
}
