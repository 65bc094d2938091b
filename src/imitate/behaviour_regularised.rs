//! Behaviour-regularised PPO: a policy cloned from demonstrations, trained on by PPO and held near the clone by
//! `alpha KL(clone || policy)` on the policy's own states, which fades over the run (kickstarting, Schmitt et al. 2018, eq. 2).

use crate::error::{Error, Result};
use crate::learn::{Batch, LossTerm, MakeTerm, Schedule};
use crate::nn::{ActorCritic, Params, autograd};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tch::{Kind, Tensor};

/// What can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "behaviour_regularised", deny_unknown_fields, default)]
pub struct Config {
    /// Weight of the divergence at the start, `alpha`.
    pub weight: f64,
    /// How it changes over the run.
    pub schedule: Schedule,
}

impl Default for Config {
    fn default() -> Self {
        Self { weight: 1.0, schedule: Schedule::Linear }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let sound = self.weight.is_finite() && (0.0..=1e6).contains(&self.weight);
        if sound { Ok(()) } else { Err(Error::usage(format!("`weight` cannot be {}", self.weight)).hint("it lies between 0 and 1e6")) }
    }
}

struct NearClone {
    config: Config,
    leaves: Vec<Tensor>,
}

/// The term that holds a policy near `clone`, which has its shape and its normaliser; the normaliser must stay as it is.
#[must_use]
pub fn term(config: &Config, clone: &Policy) -> MakeTerm {
    let (config, params): (Config, Params) = (config.clone(), clone.params.clone());
    Arc::new(move |_, _| {
        let leaves = autograd::leaves(&params, Kind::Float).into_iter().map(|leaf| leaf.set_requires_grad(false)).collect();
        Box::new(NearClone { config: config.clone(), leaves })
    })
}

impl LossTerm for NearClone {
    fn loss(&self, shape: &ActorCritic, leaves: &[Tensor], batch: &Batch, fraction: f64) -> Tensor {
        let (clone, _) = autograd::forward(shape, &self.leaves, &batch.observation);
        let (outputs, _) = autograd::forward(shape, leaves, &batch.observation);
        let log_std = [autograd::log_std(shape, &self.leaves), autograd::log_std(shape, leaves)];
        let divergence = shape.head.divergence_tensors([&clone, &outputs], log_std);
        divergence.mean(Kind::Float) * (self.config.weight * self.config.schedule.factor(fraction))
    }
}
