//! Trust region policy optimization (Schulman et al. 2015) as a plain learner: the outer step without an inner loop, on whole episodes of one
//! environment, with the linear baseline of rllab (Duan et al. 2016).

use super::{Config as MetaConfig, Recipe, maml};
use crate::error::Result;
use crate::learn::trust_region;
use crate::nn::Activation;
use serde::{Deserialize, Serialize};

/// Everything about it that can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "trpo", deny_unknown_fields, default)]
pub struct Config {
    /// Episodes per iteration: one batch, with one baseline.
    pub episodes: usize,
    /// Discount of the next step's reward, gamma.
    pub discount: f64,
    /// Of generalized advantages over the linear baseline.
    pub gae_lambda: f64,
    /// Hidden layers.
    pub hidden: Vec<usize>,
    /// Between layers.
    pub activation: Activation,
    /// The logarithm of the standard deviation of a continuous action at the start, in units of half its range.
    pub initial_log_std: f64,
    /// The step.
    pub trust_region: trust_region::Config,
}

/// `OpenAI` Baselines' `trpo_mpi` (step, damping, lambda), in smaller batches.
impl Default for Config {
    fn default() -> Self {
        let trust_region = trust_region::Config { damping: 0.1, shrink: 0.5, backtracks: 10, ..trust_region::Config::default() };
        Self {
            episodes: 16,
            discount: 0.99,
            gae_lambda: 0.98,
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            initial_log_std: 0.0,
            trust_region,
        }
    }
}

impl Config {
    /// Checks every number.
    ///
    /// # Errors
    /// Names the field and its range.
    pub fn check(&self) -> Result<()> {
        self.outer().check()
    }

    /// The outer loop that it is: of one task, for a baseline and a scale of advantages that are fitted to few episodes say little.
    #[must_use]
    pub fn outer(&self) -> MetaConfig {
        MetaConfig {
            tasks: 1,
            episodes: self.episodes,
            inner_steps: 0,
            discount: self.discount,
            gae_lambda: self.gae_lambda,
            hidden: self.hidden.clone(),
            activation: self.activation,
            initial_log_std: self.initial_log_std,
            trust_region: self.trust_region,
            ..MetaConfig::default()
        }
    }
}

/// What it is made of.
#[must_use]
pub const fn recipe(config: &MetaConfig) -> Recipe {
    maml::recipe(config)
}
