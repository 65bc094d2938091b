//! Loss terms: what a transfer method adds to a learner's own loss, without the learner knowing it.

use crate::nn::ActorCritic;
use std::sync::Arc;
use tch::Tensor;

/// Rows of a rollout as tensors: a shard's part of a minibatch.
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
    /// How much of the minibatch these rows are.
    pub share: f64,
    /// The greatest advantage of the whole minibatch.
    pub greatest_advantage: f64,
}

/// Something added to a loss.
pub trait LossTerm: Send {
    /// A scalar: a mean over the rows of the batch, or a number that does not depend on them. `fraction` of the run is over.
    ///
    /// Shards of a minibatch are weighted by their rows, so that both kinds add up to what the whole minibatch would give.
    fn loss(&self, shape: &ActorCritic, leaves: &[Tensor], batch: &Batch, fraction: f64) -> Tensor;
}

/// Makes the term of part `index` of `count` of every minibatch: one for each shard, since tensors are not shared between threads, and what a
/// term looks at beside the rows can be shared out.
pub type MakeTerm = Arc<dyn Fn(usize, usize) -> Box<dyn LossTerm> + Send + Sync>;
