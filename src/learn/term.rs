//! Loss terms: what a transfer method adds to a learner's own loss, without the learner knowing it.

use crate::nn::ActorCritic;
use std::sync::Arc;
use tch::Tensor;

/// Rows of a rollout as tensors.
pub struct Batch {
    /// `[B, O]`, as the network sees it.
    pub observation: Tensor,
    /// `[B, W]`, as the head gives it.
    pub action: Tensor,
    /// `[B]`: log-probability when the action was taken.
    pub log_prob: Tensor,
    /// `[B]`: value when the action was taken.
    pub value: Tensor,
    /// `[B]`: advantage, normalised where the learner does that.
    pub advantage: Tensor,
    /// `[B]`: what the critic learns.
    pub returns: Tensor,
}

/// Something added to a loss.
pub trait LossTerm: Send {
    /// A scalar: a mean over the rows of the batch, or a number that does not depend on them. `fraction` of the run is over.
    ///
    /// Shards of a minibatch are weighted by their rows, so that both kinds add up to what the whole minibatch would give.
    fn loss(&self, shape: &ActorCritic, leaves: &[Tensor], batch: &Batch, fraction: f64) -> Tensor;
}

/// Makes a term; called once per shard, since tensors are not shared between threads.
pub type MakeTerm = Arc<dyn Fn() -> Box<dyn LossTerm> + Send + Sync>;
