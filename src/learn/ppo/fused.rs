//! The loss and its gradient by hand, row by row, between the fused kernel's forward and backward pass.
//!
//! The same numbers as `loss.rs` through autograd (tested there on 500 random cases), without a graph: 9 us for 64 rows of a 4-64-64
//! actor-critic on one core, where autograd takes some 200 us.

use super::loss::{Terms, Weights};
use super::minibatch::{Minibatch, Row};
use crate::nn::kernel::CHUNK;
use crate::nn::{Network, Workspace};

/// Adds the gradient of the loss for some rows of a minibatch, at most [`CHUNK`], to the workspace's and to `log_std_gradient`.
pub(super) fn add_gradient(
    network: &Network,
    minibatch: &Minibatch<'_>,
    rows: &[Row],
    workspace: &mut Workspace,
    log_std_gradient: &mut [f32],
    terms: &mut Terms,
) {
    debug_assert!(rows.len() <= CHUNK);
    for (index, row) in rows.iter().enumerate() {
        workspace.input_row(index).copy_from_slice(minibatch.rollout(*row).observation_row(row.at()));
    }
    network.forward(rows.len(), workspace);
    for (index, row) in rows.iter().enumerate() {
        let (rollout, at) = (minibatch.rollout(*row), row.at());
        let sample = Sample {
            action: rollout.action_row(at),
            log_prob: rollout.log_prob[at],
            value: rollout.value[at],
            returns: rollout.returns[at],
            advantage: minibatch.advantage(*row),
            share: minibatch.share,
        };
        add_sample_gradient(network, &minibatch.weights, &sample, index, workspace, log_std_gradient, terms);
    }
    network.backward(rows.len(), workspace);
}

/// One step to learn from.
pub struct Sample<'a> {
    /// `[W]`, as the head gives it.
    pub action: &'a [f32],
    /// Its log-probability when it was taken.
    pub log_prob: f32,
    /// The critic's value then.
    pub value: f32,
    /// What the critic learns.
    pub returns: f32,
    /// Normalised where that is configured.
    pub advantage: f32,
    /// How much of the minibatch it is.
    pub share: f32,
}

/// Writes the loss's gradient with respect to outputs and value of row `index` of a workspace, between a network's forward and backward pass;
/// adds to the log-std's gradient and to the parts of the loss.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
pub fn add_sample_gradient(
    network: &Network,
    weights: &Weights,
    sample: &Sample<'_>,
    index: usize,
    workspace: &mut Workspace,
    log_std_gradient: &mut [f32],
    terms: &mut Terms,
) {
    let Weights { clip, value_clip, value: value_weight, entropy: entropy_weight } = *weights;
    let Sample { action, log_prob: old_log_prob, value: old_value, returns, advantage, share } = *sample;
    let head = &network.shape().head;

    let value = workspace.value(index);
    let (value_error, value_slope) = value_error(value, old_value, returns, value_clip.map(|clip| clip as f32));
    *workspace.value_gradient(index) = value_weight as f32 * share * value_slope;

    let (outputs, outputs_gradient) = workspace.outputs_and_gradient(index);
    let evaluated = head.evaluate(outputs, network.log_std(), action);
    let log_ratio = evaluated.log_prob - old_log_prob;
    let ratio = log_ratio.exp();
    let (low, high) = (1.0 - clip as f32, 1.0 + clip as f32);
    let (free, clipped) = (ratio * advantage, ratio.clamp(low, high) * advantage);
    // Where both are equal the ratio is inside, and the gradient flows.
    let slope = if free <= clipped { -advantage * ratio } else { 0.0 };
    let (log_prob_gradient, entropy_gradient) = (share * slope, -(entropy_weight as f32) * share);
    let log_std = network.log_std();
    head.backward(outputs, log_std, action, &evaluated, log_prob_gradient, entropy_gradient, outputs_gradient, log_std_gradient);

    let share = f64::from(share);
    terms.surrogate -= share * f64::from(free.min(clipped));
    terms.value += share * f64::from(value_error);
    terms.entropy += share * f64::from(evaluated.entropy);
    terms.approx_kl += share * f64::from(ratio - 1.0 - log_ratio);
    terms.clip_fraction += if (ratio - 1.0).abs() > clip as f32 { share } else { 0.0 };
}

/// The squared error of a value and its slope, as `loss::value_loss` defines it.
fn value_error(value: f32, old_value: f32, returns: f32, clip: Option<f32>) -> (f32, f32) {
    let free = value - returns;
    let (error, slope) = (free * free, 2.0 * free);
    let Some(clip) = clip else { return (error, slope) };
    let moved = value - old_value;
    let near = old_value + moved.clamp(-clip, clip) - returns;
    if error >= near * near { (error, slope) } else { (near * near, if moved.abs() <= clip { 2.0 * near } else { 0.0 }) }
}
