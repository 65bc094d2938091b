//! TD3+BC (Fujimoto & Gu 2021, "A Minimalist Approach to Offline Reinforcement Learning"): TD3 on demonstrations, pulled towards what was done,
//! with observations in units of their deviations; then, where it is asked for, on what it does itself beside them.

use super::prior::Scaling;
use crate::error::{Result, within};
use crate::learn::Share;
use crate::learn::td3::{self, Pull};
use serde::{Deserialize, Serialize};

/// What it adds to TD3; section `td3` has the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "td3_bc", deny_unknown_fields, default)]
pub struct Config {
    /// What values weigh beside cloning, alpha (the paper's).
    pub alpha: f64,
    /// Updates from demonstrations alone, before the first step in the environment; where absent, there never is one.
    pub online_after: Option<u64>,
    /// Environment steps after which cloning weighs half as much.
    pub half_life: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { alpha: 2.5, online_after: None, half_life: 10_000.0 }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        within("alpha", self.alpha, [0.0, 1e6])?;
        within("half_life", self.half_life, [1.0, 1e15])
    }

    /// How strongly what was done pulls.
    #[must_use]
    pub const fn pull(&self) -> Pull {
        Pull { alpha: self.alpha, half_life: self.half_life }
    }
}

/// How demonstrations are scaled (the paper's section 5.2).
pub const SCALING: Scaling = Scaling { share: Share::AsMany, observations: true, rewards: false };

/// TD3 as the paper has it, but with normalised critics (as in RLPD, Ball et al. 2023), so that values do not run away where nothing was
/// demonstrated; actions are never drawn at random, since what was demonstrated is there.
#[must_use]
pub fn td3() -> td3::Config {
    let layers = vec![256, 256];
    td3::Config { warm_up: 0, learning_rate: 3e-4, actor: layers.clone(), critic: layers, layer_norm: true, ..td3::Config::default() }
}
