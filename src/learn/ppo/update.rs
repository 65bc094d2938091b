//! A minibatch and its gradient, in shards.

use super::Config;
use super::loss::{self, Terms, Weights};
use crate::error::{Error, Result};
use crate::learn::{Batch, LossTerm, MakeTerm};
use crate::nn::kernel::CHUNK;
use crate::nn::{ActorCritic, Network, Params, Workspace, autograd};
use crate::rollout::Rollout;
use std::ops::Range;
use tch::Tensor;

/// One transition: the shard that holds it and its row there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    shard: u32,
    at: u32,
}

impl Row {
    #[expect(clippy::cast_possible_truncation, reason = "the configuration's check bounds both")]
    pub(super) const fn new(shard: usize, at: usize) -> Self {
        Self { shard: shard as u32, at: at as u32 }
    }

    #[inline]
    pub(super) const fn at(self) -> usize {
        self.at as usize
    }

    pub(super) const fn to_number(self) -> u64 {
        (self.shard as u64) << 32 | self.at as u64
    }

    pub(super) fn from_number(number: u64, counts: &[usize]) -> Result<Self> {
        let (shard, at) = ((number >> 32) as usize, (number & 0xffff_ffff) as usize);
        match counts.get(shard) {
            Some(count) if at < *count => Ok(Self::new(shard, at)),
            _ => Err(Error::artefact("names a row that does not exist").at("rows")),
        }
    }
}

/// Rows of a rollout and how their loss is weighed.
pub(super) struct Minibatch<'a> {
    rollouts: &'a [&'a Rollout],
    rows: &'a [Row],
    pub(super) weights: Weights,
    /// One over the number of rows.
    pub(super) share: f32,
    advantage_mean: f32,
    advantage_scale: f32,
    fraction: f64,
}

impl<'a> Minibatch<'a> {
    pub(super) fn new(config: &Config, rollouts: &'a [&'a Rollout], rows: &'a [Row], clip: f64, fraction: f64) -> Self {
        let weights = Weights { clip, value_clip: config.value_clip, value: config.value_coefficient, entropy: config.entropy_coefficient };
        #[expect(clippy::cast_precision_loss, reason = "minibatches are small")]
        let share = 1.0 / rows.len() as f32;
        let mut minibatch = Self { rollouts, rows, weights, share, advantage_mean: 0.0, advantage_scale: 1.0, fraction };
        if config.normalize_advantages && rows.len() > 1 {
            (minibatch.advantage_mean, minibatch.advantage_scale) = minibatch.advantage_moments();
        }
        minibatch
    }

    /// Mean and one over the standard deviation (of a sample, as PyTorch's `std`, plus 1e-8).
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "learning is f32")]
    fn advantage_moments(&self) -> (f32, f32) {
        let advantages = || self.rows.iter().map(|row| f64::from(self.rollout(*row).advantage[row.at()]));
        let count = self.rows.len() as f64;
        let mean = advantages().sum::<f64>() / count;
        let variance = advantages().map(|advantage| (advantage - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean as f32, (1.0 / (variance.sqrt() + 1e-8)) as f32)
    }

    #[inline]
    pub(super) fn rollout(&self, row: Row) -> &Rollout {
        self.rollouts[row.shard as usize]
    }

    /// A row's advantage, normalised where that is configured.
    #[inline]
    pub(super) fn advantage(&self, row: Row) -> f32 {
        (self.rollout(row).advantage[row.at()] - self.advantage_mean) * self.advantage_scale
    }

    /// Some of the rows as tensors.
    fn batch(&self, rows: &[Row]) -> Batch {
        let column = |value: &dyn Fn(Row) -> f32| Tensor::from_slice(&rows.iter().map(|row| value(*row)).collect::<Vec<f32>>());
        let matrix = |values: Vec<f32>| {
            let columns = values.len() / rows.len();
            autograd::matrix(&values, rows.len(), columns)
        };
        Batch {
            observation: matrix(rows.iter().flat_map(|row| self.rollout(*row).observation_row(row.at()).iter().copied()).collect()),
            action: matrix(rows.iter().flat_map(|row| self.rollout(*row).action_row(row.at()).iter().copied()).collect()),
            log_prob: column(&|row| self.rollout(row).log_prob[row.at()]),
            value: column(&|row| self.rollout(row).value[row.at()]),
            returns: column(&|row| self.rollout(row).returns[row.at()]),
            advantage: column(&|row| self.advantage(row)),
        }
    }
}

/// What one shard of the update owns: room to compute in, a gradient, its own copies of the loss terms.
pub(super) struct GradientShard {
    workspace: Workspace,
    /// The flat gradient of its part of the last minibatch.
    pub(super) gradient: Vec<f32>,
    terms: Vec<Box<dyn LossTerm>>,
}

impl GradientShard {
    pub(super) fn new(shape: &ActorCritic, terms: &[MakeTerm]) -> Self {
        let gradient = vec![0.0; shape.layout().len()];
        Self { workspace: Workspace::new(shape), gradient, terms: terms.iter().map(|make| make()).collect() }
    }

    /// The gradient of the loss for its rows, and the parts of the loss, both as shares of the whole minibatch.
    pub(super) fn gradient(&mut self, network: &Network, minibatch: &Minibatch<'_>, range: Range<usize>) -> Result<Terms> {
        let rows = &minibatch.rows[range];
        self.gradient.fill(0.0);
        let mut parts = Terms::default();
        if rows.is_empty() {
            return Ok(parts);
        }
        if network.shape().is_fused() {
            let log_std = self.gradient.len() - network.log_std().len();
            for chunk in rows.chunks(CHUNK) {
                super::fused::add_gradient(network, minibatch, chunk, &mut self.workspace, &mut self.gradient[log_std..], &mut parts);
            }
            self.workspace.take_gradient(&mut self.gradient);
        } else {
            self.add_autograd(network, minibatch, rows, &mut parts)?;
        }
        self.add_terms(network, minibatch, rows, &mut parts)?;
        Ok(parts)
    }

    fn add_autograd(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row], parts: &mut Terms) -> Result<()> {
        network.bring_leaves_up_to_date(&mut self.workspace);
        let weight = share_of(rows, minibatch);
        let leaves = &self.workspace.leaves;
        let [total, surrogate, value, entropy, approx_kl, clip_fraction] =
            loss::loss(network.shape(), leaves, &minibatch.batch(rows), &minibatch.weights);
        autograd::add_gradient(&(total * weight), leaves, &mut self.gradient)?;
        let number = |tensor: &Tensor| weight * tensor.double_value(&[]);
        parts.add(&Terms {
            surrogate: number(&surrogate),
            value: number(&value),
            entropy: number(&entropy),
            approx_kl: number(&approx_kl),
            clip_fraction: number(&clip_fraction),
            added: 0.0,
        });
        Ok(())
    }

    fn add_terms(&mut self, network: &Network, minibatch: &Minibatch<'_>, rows: &[Row], parts: &mut Terms) -> Result<()> {
        if self.terms.is_empty() {
            return Ok(());
        }
        network.bring_leaves_up_to_date(&mut self.workspace);
        let weight = share_of(rows, minibatch);
        let batch = minibatch.batch(rows);
        for term in &self.terms {
            let loss = term.loss(network.shape(), &self.workspace.leaves, &batch, minibatch.fraction) * weight;
            parts.added += loss.double_value(&[]);
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
    let rows: Vec<Row> = (0..rollout.rows()).map(|at| Row::new(0, at)).collect();
    #[expect(clippy::cast_precision_loss, reason = "minibatches are small")]
    let share = 1.0 / rows.len() as f32;
    let minibatch =
        Minibatch { rollouts: &[rollout], rows: &rows, weights, share, advantage_mean: 0.0, advantage_scale: 1.0, fraction: 0.0 };
    let mut shard = GradientShard::new(shape, &[]);
    let terms = shard.gradient(&Network::new(shape, params), &minibatch, 0..rows.len()).expect("no autograd, no terms");
    (terms, shard.gradient)
}

#[expect(clippy::cast_precision_loss, reason = "minibatches are small")]
fn share_of(rows: &[Row], minibatch: &Minibatch<'_>) -> f64 {
    rows.len() as f64 / minibatch.rows.len() as f64
}

/// Means over an iteration's minibatches.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    sums: Terms,
    minibatches: f64,
    learning_rate: f64,
    clip: f64,
    pub(super) gradient_norm: f64,
    pub(super) steps: f64,
}

impl Statistics {
    pub(super) fn new(learning_rate: f64, clip: f64) -> Self {
        Self { learning_rate, clip, ..Self::default() }
    }

    pub(super) fn add(&mut self, terms: &Terms) {
        self.sums.add(terms);
        self.minibatches += 1.0;
    }

    pub(super) fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mean = |sum: f64| sum / self.minibatches.max(1.0);
        vec![
            ("policy_loss", mean(self.sums.surrogate)),
            ("value_loss", mean(self.sums.value)),
            ("entropy", mean(self.sums.entropy)),
            ("approx_kl", mean(self.sums.approx_kl)),
            ("clip_fraction", mean(self.sums.clip_fraction)),
            ("added_loss", mean(self.sums.added)),
            ("gradient_norm", self.gradient_norm / self.steps.max(1.0)),
            ("learning_rate", self.learning_rate),
            ("clip", self.clip),
        ]
    }
}
