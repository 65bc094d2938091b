//! Maximum likelihood: minibatch steps that make a policy's actor do what was demonstrated, with early stopping on what was held out.
//!
//! What behaviour cloning is, what `DAgger` does in every round, and what a transfer begins with where there are demonstrations. Plain
//! MLPs go through the fused kernel: the actor alone, its gradient by hand; the others through libtorch.

use super::pairs::{Pair, Pairs};
use crate::error::{Error, Result};
use crate::nn::actor_critic::{LOG_STD, is_critic};
use crate::nn::kernel::{Activations, CHUNK, Gradients, Packed};
use crate::nn::{Adam, Params, adam, autograd};
use crate::parallel::{Pool, Shards};
use crate::policy::Policy;
use crate::rollout::shard_range;
use crate::seed::Rng;
use crate::stop::Stop;
use std::ops::{ControlFlow, Range};
use tch::{Kind, Tensor};

/// How a minibatch is weighed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights {
    /// Of the entropy bonus.
    pub entropy: f64,
    /// Of half the squared norm of the actor's parameters.
    pub l2: f64,
}

/// Mean losses of some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Losses {
    /// Negative log-likelihood of the demonstrated actions.
    pub nll: f64,
    /// Entropy of the policy's distribution.
    pub entropy: f64,
    /// Share of rows in which the policy's most probable action is the demonstrated one; mean distance where actions are numbers.
    pub agreement: f64,
}

impl Losses {
    /// Adds the losses of other rows, `part` of all.
    fn add(&mut self, other: &Self, part: f64) {
        self.nll += part * other.nll;
        self.entropy += part * other.entropy;
        self.agreement += part * other.agreement;
    }
}

/// How much of all rows some are.
#[expect(clippy::cast_precision_loss, reason = "a share")]
fn share(rows: usize, all: usize) -> f64 {
    rows as f64 / all.max(1) as f64
}

/// Rows from which a minibatch is worth cutting between threads: a matter of configuration, never of threads.
const ROWS_PER_SHARD: usize = 128;
/// A slope of less is none. A clone that is sure of itself has slopes whose products through the layers are denormal, and a product of
/// denormals takes a processor a hundred times as long: 500 us a step instead of 35.
const NOTHING: f32 = 1e-18;
/// Deviations do not fall below this: a deterministic expert would have them at zero, and steps of any size.
const LEAST_LOG_STD: f32 = -4.0;

/// A policy that is being fitted.
pub struct Cloning {
    policy: Policy,
    weights: Weights,
    minibatch: usize,
    learning_rate: f64,
    adam: Adam,
    rates: Vec<f32>,
    /// Where the parameters lie of which demonstrations say anything: all but the critic's.
    spoken_of: Vec<Range<usize>>,
    actor: Actor,
    shards: Vec<Shard>,
    gradient: Vec<f32>,
}

/// The weights as they are computed with.
enum Actor {
    Fused(Packed),
    Libtorch,
}

/// What one part of a minibatch is computed in.
struct Shard {
    activations: Activations,
    gradients: Gradients,
    leaves: Vec<Tensor>,
    gradient: Vec<f32>,
    losses: Option<Result<Losses>>,
}

/// What is learned from: rows as the network sees them.
pub struct Lesson<'a> {
    /// The demonstrations.
    pub pairs: &'a Pairs,
    /// All their rows, `[R, O]`, normalised.
    pub seen: &'a [f32],
}

struct Round<'a> {
    lesson: &'a Lesson<'a>,
    policy: &'a mut Policy,
    actor: &'a mut Actor,
    rows: &'a [Pair],
    weights: Weights,
    learn: bool,
}

impl Cloning {
    /// A policy before its first step. `rates` holds one factor per tensor; the critic, of which demonstrations say nothing, stays.
    #[must_use]
    pub fn new(policy: Policy, rates: &[f32], minibatch: usize, learning_rate: f64, weights: Weights) -> Self {
        let layout = policy.params.layout();
        let rates = layout.entries().iter().zip(rates).map(|(entry, rate)| if is_critic(&entry.name) { 0.0 } else { *rate }).collect();
        let spoken_of = layout.entries().iter().filter(|entry| !is_critic(&entry.name)).map(|entry| entry.range.clone()).collect();
        let mlp = policy.shape.actor_mlp();
        let shard = || Shard {
            activations: Activations::new(&mlp),
            gradients: Gradients::new(&mlp),
            leaves: Vec::new(),
            gradient: vec![0.0; layout.len()],
            losses: None,
        };
        let adam = adam::Config { epsilon: 1e-8, ..adam::Config::default() };
        let mut cloning = Self {
            weights,
            minibatch,
            learning_rate,
            adam: Adam::new(adam, layout),
            rates,
            spoken_of,
            actor: if policy.shape.is_fused() { Actor::Fused(Packed::new(&mlp)) } else { Actor::Libtorch },
            shards: (0..(minibatch / ROWS_PER_SHARD).clamp(1, 8)).map(|_| shard()).collect(),
            gradient: vec![0.0; layout.len()],
            policy,
        };
        cloning.refresh();
        cloning
    }

    /// The policy as it is now.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Rows per gradient step.
    #[must_use]
    pub const fn minibatch(&self) -> usize {
        self.minibatch
    }

    /// Parameters and moments, for a checkpoint.
    #[must_use]
    pub const fn optimiser(&self) -> (&Params, &Adam) {
        (&self.policy.params, &self.adam)
    }

    /// The same to be replaced; [`Cloning::refresh`] then takes them over.
    pub const fn optimiser_mut(&mut self) -> (&mut Params, &mut Adam) {
        (&mut self.policy.params, &mut self.adam)
    }

    /// Computes with the parameters as they are now.
    pub fn refresh(&mut self) {
        refresh(&self.policy, &mut self.actor, &mut self.shards);
    }

    /// One pass over `rows`, which it shuffles: a step for every minibatch. Gives the mean losses on the way.
    ///
    /// # Errors
    /// Exit 5 when a loss or a gradient is not finite, or when it is broken off.
    pub fn epoch(&mut self, lesson: &Lesson<'_>, rows: &mut [Pair], rng: &mut Rng, pool: &Pool, stop: &Stop) -> Result<Losses> {
        rng.shuffle(rows);
        self.steps(lesson, rows, pool, stop)
    }

    /// One step for every minibatch of `rows`, in their order.
    ///
    /// # Errors
    /// As [`Cloning::epoch`].
    pub fn steps(&mut self, lesson: &Lesson<'_>, rows: &[Pair], pool: &Pool, stop: &Stop) -> Result<Losses> {
        let Self { policy, weights, minibatch, learning_rate, adam, rates, spoken_of, actor, shards, gradient } = self;
        let mut batches = rows.chunks(*minibatch);
        let (mut sum, mut outcome) = (Losses::default(), Ok(()));
        let parts = shards.len();
        let round = Round { lesson, policy, actor, rows: &[], weights: *weights, learn: true };
        let mut round = round;
        pool.rounds(
            &mut round,
            shards,
            |round, index, shard| shard.compute(round, parts, index),
            |round, shards| {
                let mut descend = || {
                    stop.check()?;
                    let Some(losses) = gather(shards, spoken_of, gradient)? else { return Ok(()) };
                    check(&losses)?;
                    sum.add(&losses, share(round.rows.len(), rows.len()));
                    add_decay(gradient, spoken_of, &round.policy.params, round.weights.l2);
                    adam.step(&mut round.policy.params, gradient, *learning_rate, f64::INFINITY, rates)
                        .map_err(|error| error.hint("lower `bc.learning_rate`"))?;
                    hold_deviations(&mut round.policy.params);
                    if let Actor::Fused(packed) = &mut *round.actor {
                        packed.refresh(actor_values(round.policy));
                    }
                    let params = &round.policy.params;
                    shards.each(|_, shard| shard.refresh(params));
                    Ok(())
                };
                match (descend(), batches.next()) {
                    (Err(error), _) => {
                        outcome = Err(error);
                        ControlFlow::Break(())
                    }
                    (Ok(()), Some(rows)) => {
                        round.rows = rows;
                        ControlFlow::Continue(())
                    }
                    (Ok(()), None) => ControlFlow::Break(()),
                }
            },
        );
        outcome.map(|()| sum)
    }

    /// Mean losses of some rows, without learning from them.
    ///
    /// # Errors
    /// Exit 5 when one is not finite.
    pub fn losses(&mut self, lesson: &Lesson<'_>, rows: &[Pair], pool: &Pool) -> Result<Losses> {
        let Self { policy, weights, actor, shards, .. } = self;
        let parts = shards.len();
        let mut sum = Losses::default();
        for batch in rows.chunks(ROWS_PER_SHARD * 8) {
            let round = Round { lesson, policy, actor, rows: batch, weights: *weights, learn: false };
            pool.each(shards, |index, shard| shard.compute(&round, parts, index));
            for shard in shards.iter_mut() {
                let losses = shard.losses.take().unwrap_or_else(|| Ok(Losses::default()))?;
                sum.add(&losses, share(batch.len(), rows.len()));
            }
        }
        check(&sum)?;
        Ok(sum)
    }
}

/// The losses of all pairs as one minibatch and the flat gradient of what is descended on, by the path that the policy's networks take:
/// what a step computes, laid open for comparison with a reference.
///
/// # Errors
/// As [`Cloning::epoch`].
pub fn gradient(policy: &Policy, weights: Weights, pairs: &Pairs) -> Result<(Losses, Vec<f32>)> {
    let rates = vec![1.0; policy.params.layout().entries().len()];
    let mut cloning = Cloning::new(policy.clone(), &rates, pairs.pairs.len(), 0.0, weights);
    let seen = pairs.seen(policy.normalizer.as_ref());
    let losses = cloning.steps(&Lesson { pairs, seen: &seen }, &pairs.pairs, &Pool::inline(), &Stop::new())?;
    Ok((losses, cloning.gradient))
}

fn refresh(policy: &Policy, actor: &mut Actor, shards: &mut [Shard]) {
    if let Actor::Fused(packed) = actor {
        packed.refresh(actor_values(policy));
    }
    for shard in shards {
        shard.refresh(&policy.params);
    }
}

fn actor_values(policy: &Policy) -> &[f32] {
    &policy.params.values[..policy.shape.actor_mlp().parameter_count()]
}

fn check(losses: &Losses) -> Result<()> {
    if losses.nll.is_finite() && losses.entropy.is_finite() {
        return Ok(());
    }
    Err(Error::diverged(format!("is {}", losses.nll)).at("negative log-likelihood").hint("lower `bc.learning_rate`"))
}

/// Sums the shards' gradients and losses in order; nothing before the first minibatch.
fn gather(shards: &mut Shards<'_, Shard>, ranges: &[Range<usize>], gradient: &mut [f32]) -> Result<Option<Losses>> {
    let mut sum: Result<Option<Losses>> = Ok(None);
    shards.each(|index, shard| match (&mut sum, shard.losses.take()) {
        (Ok(total), Some(Ok(losses))) => {
            total.get_or_insert_default().add(&losses, 1.0);
            for range in ranges {
                let (sum, part) = (&mut gradient[range.clone()], &shard.gradient[range.clone()]);
                if index == 0 {
                    sum.copy_from_slice(part);
                } else {
                    sum.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
                }
            }
        }
        (Ok(_), Some(Err(error))) => sum = Err(error),
        _ => {}
    });
    sum
}

#[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
fn add_decay(gradient: &mut [f32], ranges: &[Range<usize>], params: &Params, l2: f64) {
    for range in ranges.iter().filter(|_| l2 > 0.0) {
        let values = &params.values[range.clone()];
        gradient[range.clone()].iter_mut().zip(values).for_each(|(gradient, value)| *gradient += l2 as f32 * value);
    }
}

fn hold_deviations(params: &mut Params) {
    if let Some(range) = params.layout().range(LOG_STD) {
        params.values[range].iter_mut().for_each(|value| *value = value.max(LEAST_LOG_STD));
    }
}

impl Shard {
    fn refresh(&mut self, params: &Params) {
        if !self.leaves.is_empty() {
            autograd::refresh(&mut self.leaves, params);
        }
    }

    /// Losses, and where it is learned from the gradient, of this shard's part of the rows, as shares of all of them.
    fn compute(&mut self, round: &Round<'_>, parts: usize, index: usize) {
        let rows = &round.rows[shard_range(round.rows.len(), parts, index)];
        let losses = match &*round.actor {
            Actor::Fused(packed) => Ok(self.fused(round, packed, rows)),
            Actor::Libtorch => self.libtorch(round, rows),
        };
        self.losses = Some(losses);
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "learning is f32")]
    fn fused(&mut self, round: &Round<'_>, packed: &Packed, rows: &[Pair]) -> Losses {
        let Round { lesson, policy, weights, .. } = round;
        let (head, inputs) = (&policy.shape.head, lesson.pairs.inputs());
        let log_std_range = policy.params.layout().range(LOG_STD).unwrap_or(0..0);
        let log_std = &policy.params.values[log_std_range.clone()];
        let share = 1.0 / round.rows.len() as f32;
        let entropy_weight = weights.entropy as f32;
        let parameters = policy.shape.actor_mlp().parameter_count();
        let mut losses = Losses::default();
        // The critic's part of it is never written.
        self.gradient[..parameters].fill(0.0);
        self.gradient[log_std_range.clone()].fill(0.0);
        for chunk in rows.chunks(CHUNK) {
            for (row, pair) in chunk.iter().enumerate() {
                self.activations.input_row(row).copy_from_slice(&lesson.seen[pair.row as usize * inputs..][..inputs]);
            }
            packed.forward(chunk.len(), &mut self.activations);
            for (row, pair) in chunk.iter().enumerate() {
                let action = lesson.pairs.action(pair.row);
                let (outputs, outputs_gradient) = self.activations.output_and_gradient(row);
                let evaluated = head.evaluate(outputs, log_std, action);
                losses.nll -= f64::from(share * evaluated.log_prob);
                losses.entropy += f64::from(share * evaluated.entropy);
                losses.agreement += f64::from(share) * agreement(head, outputs, action);
                if round.learn {
                    let log_std_gradient = &mut self.gradient[log_std_range.clone()];
                    head.backward(
                        outputs,
                        log_std,
                        action,
                        &evaluated,
                        -share,
                        -entropy_weight * share,
                        outputs_gradient,
                        log_std_gradient,
                    );
                    outputs_gradient.iter_mut().filter(|gradient| gradient.abs() < NOTHING).for_each(|gradient| *gradient = 0.0);
                }
            }
            if round.learn {
                packed.backward(chunk.len(), &mut self.activations, &mut self.gradients);
            }
        }
        if round.learn {
            self.gradients.add_to(&mut self.gradient[..parameters]);
            self.gradients.clear();
        }
        losses
    }

    fn libtorch(&mut self, round: &Round<'_>, rows: &[Pair]) -> Result<Losses> {
        let Round { lesson, policy, weights, .. } = round;
        self.gradient.fill(0.0);
        if rows.is_empty() {
            return Ok(Losses::default());
        }
        if self.leaves.is_empty() {
            self.leaves = autograd::leaves(&policy.params, Kind::Float);
        }
        let (inputs, width) = (lesson.pairs.inputs(), lesson.pairs.width());
        let seen: Vec<f32> = rows.iter().flat_map(|pair| lesson.seen[pair.row as usize * inputs..][..inputs].iter().copied()).collect();
        let actions: Vec<f32> = rows.iter().flat_map(|pair| lesson.pairs.action(pair.row).iter().copied()).collect();
        let observation = autograd::matrix(&seen, rows.len(), inputs);
        let (outputs, _) = autograd::forward(&policy.shape, &self.leaves, &observation);
        let log_std = autograd::log_std(&policy.shape, &self.leaves);
        let action = autograd::matrix(&actions, rows.len(), width);
        let [nll, entropy] = loss(&policy.shape.head, &outputs, log_std, &action);
        let share = share(rows.len(), round.rows.len());
        if round.learn {
            autograd::add_gradient(&((&nll - &entropy * weights.entropy) * share), &self.leaves, &mut self.gradient)?;
        }
        let agreement = agreement_tensor(&policy.shape.head, &outputs, &action).double_value(&[]);
        Ok(Losses { nll: share * nll.double_value(&[]), entropy: share * entropy.double_value(&[]), agreement: share * agreement })
    }
}

/// Mean negative log-likelihood and mean entropy, as scalars, of actions `[B, W]` given outputs `[B, A]` and log-std `[A]`.
#[must_use]
pub fn loss(head: &crate::nn::Head, outputs: &Tensor, log_std: Option<&Tensor>, action: &Tensor) -> [Tensor; 2] {
    let (log_prob, entropy) = head.evaluate_tensors(outputs, log_std, action);
    let kind = log_prob.kind();
    [-log_prob.mean(kind), entropy.mean(kind)]
}

fn agreement(head: &crate::nn::Head, outputs: &[f32], action: &[f32]) -> f64 {
    match head {
        crate::nn::Head::Categorical => {
            let mut mode = [0.0];
            head.mode(outputs, &mut mode);
            f64::from(u8::from(mode[0] == action[0]))
        }
        _ => f64::from(outputs.iter().zip(action).map(|(mean, action)| (mean - action).powi(2)).sum::<f32>().sqrt()),
    }
}

/// The mean of [`agreement`] over rows, as a scalar.
fn agreement_tensor(head: &crate::nn::Head, outputs: &Tensor, action: &Tensor) -> Tensor {
    let of_rows = match head {
        crate::nn::Head::Categorical => outputs.argmax(-1, true).eq_tensor(&action.to_kind(Kind::Int64)).to_kind(Kind::Float),
        _ => (outputs - action).square().sum_dim_intlist(-1, false, Kind::Float).sqrt(),
    };
    of_rows.mean(Kind::Float)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{ActionSpace, Channel, Spaces};
    use crate::nn::{Activation, ActorCritic, Head};
    use crate::seed::Stream;
    use std::sync::Arc;

    /// A Gaussian without hidden layers, fitted to noisy linear actions: its mean is the least-squares solution, its deviation the root of
    /// the mean squared residual.
    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn the_clone_of_a_linear_expert_is_the_least_squares_solution() {
        crate::nn::autograd::use_one_thread();
        let mut rng = Stream::Bootstrap(0).under(0);
        let mut pairs = Pairs::empty(1, 1);
        let (mut n, mut x_sum, mut y_sum, mut xx, mut xy) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let mut points = Vec::new();
        for _ in 0..200 {
            let x = rng.normal();
            let y = 0.7 * x - 0.3 + 0.2 * rng.normal();
            pairs.add(&[x], &[y as f32], 0);
            points.push((x, y));
            (n, x_sum, y_sum, xx, xy) = (n + 1.0, x_sum + x, y_sum + y, xx + x * x, xy + x * y);
        }
        let slope: f64 = (n * xy - x_sum * y_sum) / (n * xx - x_sum * x_sum);
        let offset: f64 = (y_sum - slope * x_sum) / n;
        let residual = (points.iter().map(|(x, y)| (y - slope * x - offset).powi(2)).sum::<f64>() / n).sqrt();

        let channel = |name: &str| Channel { name: name.into(), low: -9.0, high: 9.0 };
        let spaces = Spaces { observation: vec![channel("x")], action: ActionSpace::Continuous(vec![channel("y")]) };
        for activation in [Activation::Tanh, Activation::Silu] {
            let head = Head::DiagonalGaussian { initial_log_std: 0.0 };
            let shape = ActorCritic { inputs: 1, joined: 0, memory: 0, outputs: 1, actor: Vec::new(), critic: vec![4], activation, head };
            let params = Params::zeros(shape.layout());
            let policy = Policy { shape, spaces: spaces.clone(), params, normalizer: None, return_moments: None, inner_rates: None };
            let rates = vec![1.0; policy.params.layout().entries().len()];
            let mut cloning = Cloning::new(policy, &rates, 200, 0.01, Weights { entropy: 0.0, l2: 0.0 });
            let seen = pairs.seen(None);
            for _ in 0..1500 {
                cloning.steps(&Lesson { pairs: &pairs, seen: &seen }, &pairs.pairs, &Arc::new(Pool::inline()), &Stop::new()).unwrap();
            }
            let params = &cloning.policy().params;
            let found = [params.tensor("actor.head.weight")[0], params.tensor("actor.head.bias")[0], params.tensor(LOG_STD)[0]];
            for (found, expected) in found.iter().zip([slope, offset, residual.ln()]) {
                assert!((f64::from(*found) - expected).abs() < 2e-3, "{activation:?}: {found} {expected}");
            }
            assert!(params.tensor("critic.0.weight").iter().all(|value| *value == 0.0), "demonstrations say nothing of the critic");
        }
    }

    #[test]
    fn both_paths_see_the_same_agreement() {
        let outputs = [0.5_f32, -1.0, 2.0, 0.1, 0.2, 0.3];
        let rows = |values: &[f32], columns: usize| crate::nn::autograd::matrix(values, values.len() / columns, columns);
        let cases: [(Head, &[f32], usize); 2] =
            [(Head::Categorical, &[2.0, 1.0], 1), (Head::DiagonalGaussian { initial_log_std: 0.0 }, &[0.0, 1.0, 2.0, 0.1, 0.2, 0.3], 3)];
        for (head, actions, width) in cases {
            let plain =
                outputs.chunks(3).zip(actions.chunks(width)).map(|(outputs, action)| agreement(&head, outputs, action)).sum::<f64>() / 2.0;
            let tensors = agreement_tensor(&head, &rows(&outputs, 3), &rows(actions, width)).double_value(&[]);
            assert!((plain - tensors).abs() < 1e-6, "{head:?}: {plain} {tensors}");
        }
    }
}
