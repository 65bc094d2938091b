//! Reinforcement learning with prior data (Ball et al. 2023, "Efficient Online Reinforcement Learning with Offline Data"): SAC of which every
//! batch is half what was demonstrated (section 4.1), with normalised critics, so that values do not run away where nothing was done (4.2), and
//! many updates a step (4.3).

use super::prior::Scaling;
use crate::learn::Share;
use crate::learn::sac::{Config, Temperature};

/// Demonstrations are half of every batch, and not scaled.
pub const SCALING: Scaling = Scaling { share: Share::Half, observations: false, rewards: false };

/// Environment steps that it takes to learn much.
pub const STEPS: u64 = 100_000;

/// SAC as the paper's code has it, but for two critics in place of ten (`sac.critics=10` is the paper's, at five times the cost) and 1,000 steps at
/// random in place of 10,000. The actor climbs the mean of all critics, once a step.
#[must_use]
pub fn sac() -> Config {
    Config { warm_up: 1_000, updates: 20, actor_every: 20, target_subset: Some(2), layer_norm: true, ..Config::default() }
}

/// The same for so many actions: the entropy to come to is half of SAC's usual one, where nothing else is asked for.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a handful of actions")]
pub fn for_actions(mut sac: Config, actions: usize) -> Config {
    if let Temperature::Automatic { target_entropy: target @ None, .. } = &mut sac.temperature {
        *target = Some(-0.5 * actions as f64);
    }
    sac
}
