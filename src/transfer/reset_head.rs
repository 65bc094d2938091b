//! Reset-head: the source's trunk, trainable, under new heads. The usual remedy where a source is sure of the wrong thing: features are
//! kept, conclusions are not.

use super::{Handover, Transfer, fine_tune::CarriedNormalizer};
use crate::error::Result;
use crate::learn::Rates;
use crate::learn::ppo::Start;
use crate::nn::{ActorCritic, Head, Moments, Normalizer, Params, actor_critic};
use crate::policy::Policy;
use serde::{Deserialize, Serialize};

/// What can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "reset_head", deny_unknown_fields, default)]
pub struct Config {
    /// The source's normaliser in the target.
    pub normalizer: CarriedNormalizer,
}

impl Default for Config {
    fn default() -> Self {
        Self { normalizer: CarriedNormalizer::Adapted }
    }
}

/// Start: the source's trunk, new heads, and new action spaces where the target's differ. Rates: all 1. Terms: none.
///
/// # Errors
/// When channels cannot be matched by name.
pub fn transfer(config: &Config, handover: &Handover<'_>) -> Result<Transfer> {
    let mut policy = with_new_heads(handover)?;
    if config.normalizer == CarriedNormalizer::Fresh {
        policy.normalizer = policy.normalizer.map(|_| Normalizer::new(Moments::new(policy.shape.inputs)));
    }
    let rates = Rates::uniform(policy.params.layout());
    Ok(Transfer { start: Start { policy, rates }, terms: Vec::new() })
}

/// The source's trunk under heads for the target's actions. Returns are scaled anew: the critic that knew their unit is gone.
pub(super) fn with_new_heads(handover: &Handover<'_>) -> Result<Policy> {
    let joined = handover.joined()?;
    let action = handover.target.action.clone();
    let head = match (&joined.shape.head, joined.shape.head.check_space(&action)) {
        (head, Ok(())) => *head,
        (Head::Categorical, Err(_)) => Head::DiagonalGaussian { initial_log_std: 0.0 },
        (_, Err(_)) => Head::Categorical,
    };
    let shape = ActorCritic { outputs: action.size(), head, ..joined.shape.clone() };
    let mut params = Params::zeros(shape.layout());
    for entry in joined.params.layout().entries().iter().filter(|entry| !actor_critic::is_head(&entry.name)) {
        params.tensor_mut(&entry.name).copy_from_slice(&joined.params.values[entry.range.clone()]);
    }
    shape.init_heads(&mut params, handover.seed);
    let mut spaces = joined.spaces;
    spaces.action = action;
    Ok(Policy {
        shape,
        spaces,
        params,
        normalizer: joined.normalizer,
        return_moments: joined.return_moments.map(|_| Moments::new(1)),
        inner_rates: None,
    })
}
