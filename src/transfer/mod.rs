//! Transfer methods: each is a start (which tensors come from where), rates (what moves how fast) and loss terms.
//!
//! A method's file is its three values and its paper; `choose/catalogue.rs` is the list of all.

pub mod feature_extraction;
pub mod fine_tune;
mod join;
pub mod reset_head;

use crate::env::Spaces;
use crate::error::Result;
use crate::learn::MakeTerm;
use crate::learn::ppo::Start;
use crate::policy::Policy;

/// What a transfer method is.
pub struct Transfer {
    /// Networks, weights, normaliser, and what moves.
    pub start: Start,
    /// What is added to the learner's loss.
    pub terms: Vec<MakeTerm>,
}

/// What every method is given: where the policy comes from and where it goes.
pub struct Handover<'a> {
    /// The source.
    pub source: &'a Policy,
    /// Spaces of the target.
    pub target: &'a Spaces,
    /// Seed of the run: for heads that start anew.
    pub seed: u64,
}

impl Handover<'_> {
    /// The source with the target's channels: its own in its own order, new ones behind them at weight zero, so that behaviour is the
    /// same in every bit.
    ///
    /// # Errors
    /// Exit 3 with every channel that the target lacks.
    pub fn joined(&self) -> Result<Policy> {
        join::channels(self.source, self.target)
    }
}
