//! A clone before reinforcement learning: its critic knows nothing yet, and its deviations are those of an expert that never strays.

use crate::error::{Error, Result};
use crate::learn::Rates;
use crate::learn::ppo::Start;
use crate::nn::actor_critic::{LOG_STD, is_critic};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// What can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "after_cloning", deny_unknown_fields, default)]
pub struct Config {
    /// Gradient steps of cloning, at most; it ends early by what is held out.
    pub cloning_steps: u64,
    /// Environment steps in which only the critic moves: what it does not know yet must not push the clone away.
    pub critic_warm_up: u64,
    /// Deviations are raised to the exponential of this, so that there is something to explore with: PPO's own beginning.
    pub least_log_std: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { cloning_steps: 10_000, critic_warm_up: 4096, least_log_std: 0.0 }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let sound = self.least_log_std.is_finite() && (-20.0..=5.0).contains(&self.least_log_std);
        let range = "it lies between -20 and 5";
        if sound { Ok(()) } else { Err(Error::usage(format!("`least_log_std` cannot be {}", self.least_log_std)).hint(range)) }
    }
}

/// The start of PPO from a clone: all of it moves once the critic is warm; the normaliser stays as the demonstrations made it.
#[must_use]
pub fn start(config: &Config, mut policy: Policy) -> Start {
    if let Some(range) = policy.params.layout().range(LOG_STD) {
        #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
        policy.params.values[range].iter_mut().for_each(|value| *value = value.max(config.least_log_std as f32));
    }
    let layout = policy.params.layout().clone();
    let mut rates = Rates::uniform(&layout).with_warm_up(&layout, config.critic_warm_up, is_critic);
    rates.freeze_normalizer = true;
    Start { policy, rates }
}
