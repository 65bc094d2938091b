//! The gradient of a minibatch, in shards: each part of the rows for itself, summed in order by whoever asks.

use super::loss::{self, Terms, Weights};
use super::minibatch::{Minibatch, Row};
use crate::error::Result;
use crate::learn::{LossTerm, MakeTerm};
use crate::nn::kernel::CHUNK;
use crate::nn::{ActorCritic, Network, Params, Workspace, autograd};
use crate::rollout::Rollout;
use tch::Tensor;

/// What one shard of the update owns: room to compute in, a gradient, its own copies of the loss terms.
pub(super) struct GradientShard {
    workspace: Workspace,
    /// The flat gradient of its part of the last minibatch.
    pub(super) gradient: Vec<f32>,
    /// Its share of the last minibatch's losses; `None` when that was taken already.
    pub(super) losses: Option<Result<Terms>>,
    terms: Vec<Box<dyn LossTerm>>,
}

impl GradientShard {
    /// Part `index` of `count`.
    pub(super) fn new(shape: &ActorCritic, terms: &[MakeTerm], index: usize, count: usize) -> Self {
        let gradient = vec![0.0; shape.layout().len()];
        let terms = terms.iter().map(|make| make(index, count)).collect();
        Self { workspace: Workspace::new(shape), gradient, losses: None, terms }
    }

    /// Fills gradient and losses for some rows, as shares of the whole minibatch.
    pub(super) fn compute(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row]) {
        self.losses = Some(self.try_compute(network, minibatch, rows));
    }

    fn try_compute(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row]) -> Result<Terms> {
        self.gradient.fill(0.0);
        let mut losses = Terms::default();
        if rows.is_empty() {
            return Ok(losses);
        }
        if network.shape().is_fused() {
            let log_std = self.gradient.len() - network.log_std().len();
            for chunk in rows.chunks(CHUNK) {
                super::fused::add_gradient(network, minibatch, chunk, &mut self.workspace, &mut self.gradient[log_std..], &mut losses);
            }
            self.workspace.take_gradient(&mut self.gradient);
        } else {
            self.add_autograd(network, minibatch, rows, &mut losses)?;
        }
        self.add_terms(network, minibatch, rows, &mut losses)?;
        Ok(losses)
    }

    fn add_autograd(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row], losses: &mut Terms) -> Result<()> {
        network.bring_leaves_up_to_date(&mut self.workspace);
        let weight = minibatch.share_of(rows);
        let leaves = &self.workspace.leaves;
        let [total, surrogate, value, entropy, approx_kl, clip_fraction] =
            loss::loss(network.shape(), leaves, &minibatch.batch(rows), &minibatch.weights);
        autograd::add_gradient(&(total * weight), leaves, &mut self.gradient)?;
        let number = |tensor: &Tensor| weight * tensor.double_value(&[]);
        losses.add(&Terms {
            surrogate: number(&surrogate),
            value: number(&value),
            entropy: number(&entropy),
            approx_kl: number(&approx_kl),
            clip_fraction: number(&clip_fraction),
            added: 0.0,
        });
        Ok(())
    }

    fn add_terms(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row], losses: &mut Terms) -> Result<()> {
        if self.terms.is_empty() {
            return Ok(());
        }
        network.bring_leaves_up_to_date(&mut self.workspace);
        let weight = minibatch.share_of(rows);
        let batch = minibatch.batch(rows);
        for term in &self.terms {
            let loss = term.loss(network.shape(), &self.workspace.leaves, &batch, minibatch.fraction) * weight;
            losses.added += loss.double_value(&[]);
            autograd::add_gradient(&loss, &self.workspace.leaves, &mut self.gradient)?;
        }
        Ok(())
    }
}

/// The losses of a whole rollout as one minibatch, its advantages as they are, and the flat gradient, by the fused path: what a learner
/// computes, laid open for comparison with a reference.
///
/// # Panics
/// When the architecture is not fused.
#[must_use]
pub fn fused_gradient(shape: &ActorCritic, params: &Params, rollout: &Rollout, weights: Weights) -> (Terms, Vec<f32>) {
    assert!(shape.is_fused(), "libtorch computes this architecture");
    let mut rows: Vec<Row> = (0..rollout.rows()).map(|at| Row::new(0, at)).collect();
    let minibatch = Minibatch::whole(vec![rollout], &mut rows, weights);
    let mut shard = GradientShard::new(shape, &[], 0, 1);
    let losses = shard.try_compute(&Network::new(shape, params), &minibatch, minibatch.part(0, 1)).expect("no autograd, no terms");
    (losses, shard.gradient)
}
