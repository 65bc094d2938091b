//! Fine-tuning: the whole network from the source's weights, everything trainable.
//!
//! The critic is wrong about the new rewards before the actor is wrong about the new dynamics: for the first steps it learns alone
//! (a warm-up, as in Wolczyk et al. 2024 and usual for critics that are carried over), so that its error does not push the actor away.

use super::{Handover, Transfer, join};
use crate::error::Result;
use crate::learn::Rates;
use crate::learn::ppo::Start;
use crate::nn::{Moments, Normalizer, actor_critic};
use serde::{Deserialize, Serialize};

/// What becomes of the source's normaliser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum CarriedNormalizer {
    /// It goes on from the source's moments.
    Adapted,
    /// It starts again in the target.
    Fresh,
}

/// What can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "fine_tune", deny_unknown_fields, default)]
pub struct Config {
    /// Environment steps in which only the critic moves.
    pub critic_warm_up: u64,
    /// The source's normaliser in the target.
    pub normalizer: CarriedNormalizer,
}

impl Default for Config {
    fn default() -> Self {
        Self { critic_warm_up: 2048, normalizer: CarriedNormalizer::Adapted }
    }
}

/// Start: the source's weights. Rates: all 1, the actor's 0 during the critic's warm-up. Terms: none.
///
/// # Errors
/// When channels or actions cannot be matched by name.
pub fn transfer(config: &Config, handover: &Handover<'_>) -> Result<Transfer> {
    join::check_actions(&handover.source.spaces.action, &handover.target.action)?;
    let mut policy = handover.joined()?;
    if config.normalizer == CarriedNormalizer::Fresh {
        policy.normalizer = policy.normalizer.map(|_| Normalizer::new(Moments::new(policy.shape.inputs)));
        policy.return_moments = policy.return_moments.map(|_| Moments::new(1));
    }
    let layout = policy.params.layout().clone();
    let rates = Rates::uniform(&layout).with_warm_up(&layout, config.critic_warm_up, actor_critic::is_critic);
    Ok(Transfer { start: Start { policy, rates }, terms: Vec::new() })
}
