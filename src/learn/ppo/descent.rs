//! Epochs of minibatch steps over one rollout (Schulman et al. 2017, algorithm 1, "optimize surrogate L with K epochs and minibatch size M").

use super::Config;
use super::gradient::GradientShard;
use super::loss::Terms;
use super::minibatch::Minibatch;
use super::statistics::Statistics;
use crate::error::Result;
use crate::nn::{Adam, Network, Params};
use crate::parallel::{Pool, Shards};
use crate::seed::Rng;
use crate::stop::Stop;
use std::ops::ControlFlow;

/// What all shards read while they compute a gradient.
pub(super) struct Round<'a> {
    pub(super) network: &'a mut Network,
    pub(super) minibatch: Minibatch<'a>,
}

/// What changes between two gradients.
pub(super) struct Descent<'a> {
    pub(super) config: &'a Config,
    pub(super) params: &'a mut Params,
    pub(super) adam: &'a mut Adam,
    /// Room for the summed gradient.
    pub(super) gradient: &'a mut [f32],
    pub(super) rng: &'a mut Rng,
    pub(super) learning_rate: f64,
    pub(super) rates: &'a [f32],
    pub(super) stop: &'a Stop,
    pub(super) statistics: Statistics,
}

impl Descent<'_> {
    /// Runs all epochs: gradients of shards side by side, then one step, again and again on threads that stay awake.
    pub(super) fn run(mut self, pool: &Pool, mut round: Round<'_>, shards: &mut [GradientShard]) -> Result<Statistics> {
        let parts = shards.len();
        let per_epoch = round.minibatch.len().div_ceil(self.config.minibatch);
        let mut next = 0..self.config.epochs * per_epoch;
        let mut outcome = Ok(());
        let work = |round: &Round<'_>, index: usize, shard: &mut GradientShard| {
            shard.compute(round.network, &round.minibatch, round.minibatch.part(index, parts));
        };
        pool.rounds(&mut round, shards, work, |round, shards| {
            let stepped = self.step(round, shards);
            match (stepped, next.next()) {
                (Ok(ControlFlow::Continue(())), Some(index)) => {
                    self.turn(&mut round.minibatch, index, per_epoch);
                    ControlFlow::Continue(())
                }
                (Err(error), _) => {
                    outcome = Err(error);
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Break(()),
            }
        });
        outcome.map(|()| self.statistics)
    }

    /// Shows the next minibatch; every epoch in a new order.
    fn turn(&mut self, minibatch: &mut Minibatch<'_>, index: usize, per_epoch: usize) {
        let at = index % per_epoch;
        if at == 0 {
            minibatch.shuffle(self.rng);
        }
        let size = self.config.minibatch;
        minibatch.turn_to(at * size..((at + 1) * size).min(minibatch.len()));
    }

    /// A step along the shards' summed gradient; nothing before the first one is there. Breaks off where the policy has moved far enough.
    fn step(&mut self, round: &mut Round<'_>, shards: &mut Shards<'_, GradientShard>) -> Result<ControlFlow<()>> {
        self.stop.check()?;
        let Some(losses) = self.gather(shards)? else { return Ok(ControlFlow::Continue(())) };
        losses.check_finite()?;
        self.statistics.add(&losses);
        if self.config.target_kl.is_some_and(|target| losses.approx_kl > 1.5 * target) {
            return Ok(ControlFlow::Break(()));
        }
        let norm = self.adam.step(self.params, self.gradient, self.learning_rate, self.config.max_grad_norm, self.rates)?;
        self.statistics.stepped(norm);
        round.network.refresh(self.params);
        Ok(ControlFlow::Continue(()))
    }

    /// Sums gradients and losses in the order of shards.
    fn gather(&mut self, shards: &mut Shards<'_, GradientShard>) -> Result<Option<Terms>> {
        let mut sum: Result<Option<Terms>> = Ok(None);
        shards.each(|index, shard| match (&mut sum, shard.losses.take()) {
            (Ok(sum), Some(Ok(losses))) => {
                sum.get_or_insert_default().add(&losses);
                if index == 0 {
                    self.gradient.copy_from_slice(&shard.gradient);
                } else {
                    self.gradient.iter_mut().zip(&shard.gradient).for_each(|(sum, part)| *sum += part);
                }
            }
            (Ok(_), Some(Err(error))) => sum = Err(error),
            _ => {}
        });
        sum
    }
}
