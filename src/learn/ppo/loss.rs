//! The losses, as functions of tensors: laid beside the paper, tested against recorded numbers, differentiated by autograd. The fused
//! path (`fused.rs`) computes the same by hand.

use crate::error::{Error, Result};
use crate::learn::Batch;
use crate::nn::{ActorCritic, autograd};
use tch::Tensor;

/// Clipped surrogate (Schulman et al. 2017, eq. 7), to be minimised. Every argument is `[B]`; the result is a scalar.
#[must_use]
pub fn clipped_surrogate(log_prob: &Tensor, old_log_prob: &Tensor, advantage: &Tensor, clip: f64) -> Tensor {
    let ratio = (log_prob - old_log_prob).exp();
    let kind = ratio.kind();
    -(&ratio * advantage).minimum(&(ratio.clamp(1.0 - clip, 1.0 + clip) * advantage)).mean(kind)
}

/// The critic's mean squared error, with the value kept near the old one where `clip` is given (detail 9): every argument is `[B]`.
#[must_use]
pub fn value_loss(value: &Tensor, old_value: &Tensor, returns: &Tensor, clip: Option<f64>) -> Tensor {
    let error = (value - returns).square();
    let kind = error.kind();
    match clip {
        None => error.mean(kind),
        Some(clip) => {
            let near = old_value + (value - old_value).clamp(-clip, clip);
            error.maximum(&(near - returns).square()).mean(kind)
        }
    }
}

/// What the loss is made of.
#[derive(Debug, Clone, Copy)]
pub struct Weights {
    /// How far the ratio may move.
    pub clip: f64,
    /// How far a value may move.
    pub value_clip: Option<f64>,
    /// Weight of [`value_loss`].
    pub value: f64,
    /// Weight of the entropy bonus.
    pub entropy: f64,
}

/// The whole loss of a batch (Schulman et al. 2017, eq. 9) with its parts, as scalars: total, surrogate, value loss, entropy, approximate
/// KL, clip fraction.
#[must_use]
pub fn loss(shape: &ActorCritic, leaves: &[Tensor], batch: &Batch, weights: &Weights) -> [Tensor; 6] {
    let (outputs, value) = autograd::forward(shape, leaves, &batch.observation);
    let (log_prob, entropy) = shape.head.evaluate_tensors(&outputs, autograd::log_std(shape, leaves), &batch.action);
    let kind = value.kind();
    let surrogate = clipped_surrogate(&log_prob, &batch.log_prob, &batch.advantage, weights.clip);
    let value_loss = value_loss(&value, &batch.value, &batch.returns, weights.value_clip);
    let entropy = entropy.mean(kind);
    let total = &surrogate + &value_loss * weights.value - &entropy * weights.entropy;
    let log_ratio = (log_prob - &batch.log_prob).detach();
    let ratio = log_ratio.exp();
    let approx_kl = (&ratio - 1.0 - &log_ratio).mean(kind);
    let clip_fraction = (&ratio - 1.0).abs().gt(weights.clip).to_kind(kind).mean(kind);
    [total, surrogate, value_loss, entropy, approx_kl, clip_fraction]
}

/// The parts of a minibatch's loss, as numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Terms {
    /// [`clipped_surrogate`].
    pub surrogate: f64,
    /// [`value_loss`].
    pub value: f64,
    /// Mean entropy.
    pub entropy: f64,
    /// `mean(r - 1 - log r)`: an estimate of the KL divergence from the acting policy (Schulman, "Approximating KL divergence", k3).
    pub approx_kl: f64,
    /// Share of rows whose ratio is outside the clip.
    pub clip_fraction: f64,
    /// What loss terms of a transfer method added.
    pub added: f64,
}

impl Terms {
    /// Adds the parts of another shard, already weighted by its rows.
    pub fn add(&mut self, other: &Self) {
        self.surrogate += other.surrogate;
        self.value += other.value;
        self.entropy += other.entropy;
        self.approx_kl += other.approx_kl;
        self.clip_fraction += other.clip_fraction;
        self.added += other.added;
    }

    /// Fails where a part is not finite.
    ///
    /// # Errors
    /// Exit 5; names the part.
    pub fn check_finite(&self) -> Result<()> {
        let parts = [("policy loss", self.surrogate), ("value loss", self.value), ("entropy", self.entropy), ("added loss", self.added)];
        match parts.into_iter().find(|(_, value)| !value.is_finite()) {
            Some((name, value)) => {
                Err(Error::diverged(format!("is {value}")).at(name).hint("lower the learning rate, or normalise observations and returns"))
            }
            None => Ok(()),
        }
    }
}
