//! Feature extraction: the source's trunk, frozen in every bit with the normaliser that belongs to it, under new heads (Yosinski et al.
//! 2014 call this "frozen features").

use super::{Handover, Transfer, reset_head::with_new_heads};
use crate::error::Result;
use crate::learn::Rates;
use crate::learn::ppo::Start;
use crate::nn::actor_critic;

/// Start: the source's trunk, new heads. Rates: trunk 0, heads 1, the normaliser frozen. Terms: none.
///
/// # Errors
/// When channels cannot be matched by name.
pub fn transfer(handover: &Handover<'_>) -> Result<Transfer> {
    let policy = with_new_heads(handover)?;
    let mut rates = Rates::new(policy.params.layout(), |name| if actor_critic::is_head(name) { 1.0 } else { 0.0 });
    rates.freeze_normalizer = true;
    Ok(Transfer { start: Start { policy, rates }, terms: Vec::new() })
}
