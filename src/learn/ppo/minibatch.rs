//! The rows of an iteration in their shuffled order, and the part of them that is learned from now.

use super::Config;
use super::loss::Weights;
use crate::error::{Error, Result};
use crate::learn::Batch;
use crate::nn::autograd;
use crate::rollout::{Rollout, shard_range};
use crate::seed::Rng;
use std::ops::Range;
use std::sync::OnceLock;
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
    rollouts: Vec<&'a Rollout>,
    /// All rows, in the order of this epoch.
    order: &'a mut [Row],
    /// Which of them are learned from now.
    current: Range<usize>,
    normalize_advantages: bool,
    pub(super) weights: Weights,
    /// One over the number of rows.
    pub(super) share: f32,
    advantage_mean: f32,
    advantage_scale: f32,
    /// The greatest advantage, once it was asked for.
    greatest_advantage: OnceLock<f32>,
    /// How much of the run is over.
    pub(super) fraction: f64,
}

impl<'a> Minibatch<'a> {
    /// Of no rows yet.
    pub(super) fn new(config: &Config, rollouts: Vec<&'a Rollout>, order: &'a mut [Row], clip: f64, fraction: f64) -> Self {
        let weights = Weights { clip, value_clip: config.value_clip, value: config.value_coefficient, entropy: config.entropy_coefficient };
        let normalize_advantages = config.normalize_advantages;
        Self { normalize_advantages, weights, fraction, ..Self::whole(rollouts, order, weights) }
    }

    /// All rows, their advantages as they are.
    pub(super) fn whole(rollouts: Vec<&'a Rollout>, order: &'a mut [Row], weights: Weights) -> Self {
        let current = 0..order.len();
        let mut minibatch = Self {
            rollouts,
            order,
            current: 0..0,
            normalize_advantages: false,
            weights,
            share: 1.0,
            advantage_mean: 0.0,
            advantage_scale: 1.0,
            greatest_advantage: OnceLock::new(),
            fraction: 0.0,
        };
        minibatch.turn_to(current);
        minibatch
    }

    /// Rows in all.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// Puts all rows into a new order, for the next epoch.
    pub(super) fn shuffle(&mut self, rng: &mut Rng) {
        rng.shuffle(self.order);
    }

    /// Learns from other rows.
    #[expect(clippy::cast_precision_loss, reason = "minibatches are small")]
    pub(super) fn turn_to(&mut self, range: Range<usize>) {
        self.share = 1.0 / range.len().max(1) as f32;
        self.current = range;
        self.greatest_advantage = OnceLock::new();
        if self.normalize_advantages && self.current.len() > 1 {
            (self.advantage_mean, self.advantage_scale) = self.advantage_moments();
        }
    }

    /// The rows that part `index` of `count` learns from.
    pub(super) fn part(&self, index: usize, count: usize) -> &[Row] {
        let range = shard_range(self.current.len(), count, index);
        &self.order[self.current.start + range.start..self.current.start + range.end]
    }

    /// How much of the minibatch some rows are.
    #[expect(clippy::cast_precision_loss, reason = "minibatches are small")]
    pub(super) fn share_of(&self, rows: &[Row]) -> f64 {
        rows.len() as f64 / self.current.len() as f64
    }

    /// Mean and one over the standard deviation (of a sample, as PyTorch's `std`, plus 1e-8).
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "learning is f32")]
    fn advantage_moments(&self) -> (f32, f32) {
        let advantages = || self.order[self.current.clone()].iter().map(|row| f64::from(self.rollout(*row).advantage[row.at()]));
        let count = self.current.len() as f64;
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

    /// The greatest advantage of all rows that are learned from now.
    fn greatest_advantage(&self) -> f32 {
        let advantages = || self.order[self.current.clone()].iter().map(|row| self.advantage(*row));
        *self.greatest_advantage.get_or_init(|| advantages().fold(f32::NEG_INFINITY, f32::max))
    }

    /// Some of the rows as tensors.
    pub(super) fn batch(&self, rows: &[Row]) -> Batch {
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
            share: self.share_of(rows),
            greatest_advantage: f64::from(self.greatest_advantage()),
        }
    }
}
