//! Reinforcement learning with prior data (Ball et al. 2023, "Efficient Online Reinforcement Learning with Offline Data"): SAC of which every
//! batch is half what was demonstrated (section 4.1), with normalised critics, so that values do not run away where nothing was done (4.2), and
//! many updates a step (4.3).

use super::prior::Scaling;
use crate::learn::Share;
use crate::learn::sac::Config;

/// Demonstrations are half of every batch, and not scaled.
pub const SCALING: Scaling = Scaling { share: Share::Half, observations: false, rewards: false };

/// Environment steps that it takes to learn much.
pub const STEPS: u64 = 100_000;

/// SAC as the paper has it (its table 2), but for two critics in place of ten: `sac.critics=10 sac.target_subset=2` is the paper's, at five
/// times the cost. An actor is updated once a step.
#[must_use]
pub fn sac() -> Config {
    Config { warm_up: 1_000, updates: 20, actor_every: 20, layer_norm: true, ..Config::default() }
}
