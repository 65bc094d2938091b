//! Demonstration-augmented policy gradient (Rajeswaran et al. 2018): a policy cloned from demonstrations, trained on by PPO with a pull
//! towards them that fades: `lambda_0 lambda_1^k max_A E_demo[-log pi(a|s)]` in iteration `k` (eq. 5).

use super::cloning;
use super::pairs::Pairs;
use crate::error::{Error, Result};
use crate::learn::{Batch, LossTerm, MakeTerm};
use crate::nn::{ActorCritic, Normalizer, autograd};
use crate::rollout::shard_range;
use crate::seed::Stream;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::sync::Arc;
use tch::Tensor;

/// What can be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "dapg", deny_unknown_fields, default)]
pub struct Config {
    /// Weight at the start, `lambda_0` (the paper's).
    pub weight: f64,
    /// What is left of it after each iteration, `lambda_1` (the paper's).
    pub decay: f64,
    /// Demonstrated rows beside every minibatch.
    pub rows: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { weight: 0.1, decay: 0.95, rows: 128 }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let sound = |value: f64, most: f64| value.is_finite() && (0.0..=most).contains(&value);
        match () {
            () if !sound(self.weight, 1e6) => {
                Err(Error::usage(format!("`weight` cannot be {}", self.weight)).hint("it lies between 0 and 1e6"))
            }
            () if !sound(self.decay, 1.0) => Err(Error::usage(format!("`decay` cannot be {}", self.decay)).hint("it lies between 0 and 1")),
            () if !(1..=1 << 16).contains(&self.rows) => Err(Error::usage("`rows` is out of range").hint("it lies between 1 and 65536")),
            () => Ok(()),
        }
    }
}

/// What is demonstrated, for all shards.
struct Demonstrated {
    /// `[N, O]`, as the network sees them, in a random order.
    state: Vec<f32>,
    /// `[N, W]`.
    action: Vec<f32>,
    inputs: usize,
    width: usize,
}

/// Likelihood of demonstrated actions, beside a shard's part of the learner's own loss.
struct Likelihood {
    config: Config,
    /// In all of the run.
    iterations: f64,
    demonstrated: Arc<Demonstrated>,
    /// Which part of every minibatch's rows, of how many.
    part: (usize, usize),
    /// Minibatches since the iteration began: where the next rows are. It starts again with every iteration, so that a run that was broken
    /// off between two goes on with the same rows.
    turn: Cell<(u64, usize)>,
}

/// The term of a run of so many iterations; the last one need not be whole. The normaliser must stay as it is.
#[must_use]
pub fn term(config: &Config, pairs: &Pairs, normalizer: Option<&Normalizer>, iterations: f64, seed: u64) -> MakeTerm {
    let (inputs, width) = (pairs.inputs(), pairs.width());
    let shown = pairs.seen(normalizer);
    let mut order = pairs.pairs.clone();
    Stream::DemonstrationOrder.under(seed).shuffle(&mut order);
    let state: Vec<f32> = order.iter().flat_map(|pair| shown[pair.row as usize * inputs..][..inputs].iter().copied()).collect();
    let action: Vec<f32> = order.iter().flat_map(|pair| pairs.action(pair.row).iter().copied()).collect();
    let (config, demonstrated) = (config.clone(), Arc::new(Demonstrated { state, action, inputs, width }));
    Arc::new(move |index, count| {
        let (config, demonstrated) = (config.clone(), Arc::clone(&demonstrated));
        Box::new(Likelihood { config, iterations, demonstrated, part: (index, count), turn: Cell::new((0, 0)) })
    })
}

impl LossTerm for Likelihood {
    fn loss(&self, shape: &ActorCritic, leaves: &[Tensor], batch: &Batch, fraction: f64) -> Tensor {
        let (began, turn) = self.turn.get();
        let turn = if began == fraction.to_bits() { turn + 1 } else { 0 };
        self.turn.set((fraction.to_bits(), turn));
        let Demonstrated { state, action, inputs, width } = &*self.demonstrated;
        let total = action.len() / width;
        let rows = self.config.rows.min(total);
        // Each shard looks at its part of the minibatch's rows.
        let mine = shard_range(rows, self.part.1, self.part.0);
        if mine.is_empty() {
            return Tensor::from(0.0_f32).set_requires_grad(true);
        }
        // A stride that shares no factor with most totals walks through all rows; iterations begin at different ones.
        let iteration = (fraction * self.iterations).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an iteration's number")]
        let first = (iteration as usize * 7919 + turn * rows) % total;
        let of = |values: &[f32], columns: usize| {
            let row = |row: usize| &values[(first + row) % total * columns..][..columns];
            autograd::matrix(&mine.clone().flat_map(row).copied().collect::<Vec<f32>>(), mine.len(), columns)
        };
        let (outputs, _) = autograd::forward(shape, leaves, &of(state, *inputs));
        let [nll, _] = cloning::loss(&shape.head, &outputs, autograd::log_std(shape, leaves), &of(action, *width));
        // Where nothing that was done is better than expected, neither is what was demonstrated.
        let greatest = batch.greatest_advantage.max(0.0);
        // A shard's mean counts for its part of the minibatch, as whoever sums them up weighs it: here it counts for its part of the rows.
        #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
        let part = mine.len() as f64 / rows as f64 / batch.share;
        nll * (self.config.weight * self.config.decay.powf(iteration) * greatest * part)
    }
}
