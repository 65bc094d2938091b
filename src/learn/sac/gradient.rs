//! SAC's two losses by hand, on the fused kernel: free functions of weights and batch.

use crate::learn::Followed;
use crate::learn::action_value::{self, Objective};
use crate::learn::off_policy::one_over;
use crate::learn::replay::Batch;
use crate::nn::Mlp;
use crate::nn::kernel::{Activations, CHUNK, Gradients, Packed, Real};
use std::ops::Range;

/// Logarithms of standard deviations are cut to this, as in the paper's code.
const LOG_STD: [f64; 2] = [-20.0, 2.0];
/// `log sqrt(2 pi)`.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

/// What one shard of a batch needs.
#[derive(Debug)]
pub struct Room<T = f32> {
    /// The rows of the batch that are its own.
    pub rows: Range<usize>,
    actor: Activations<T>,
    /// The summed gradient of the actor.
    pub actor_gradient: Gradients<T>,
    /// For the critics.
    pub critics: action_value::Room<T>,
    /// `[rows]`: what the critics learn.
    pub target: Vec<T>,
    /// `[CHUNK, A]`.
    action: Vec<T>,
    action_gradient: Vec<T>,
    /// `[CHUNK]`.
    log_prob: Vec<T>,
    value: Vec<T>,
    /// `[A]`: the sum over rows of the logarithms of standard deviations.
    pub log_std: Vec<f64>,
}

impl<T: Real> Room<T> {
    /// For these rows and networks of these shapes.
    #[must_use]
    pub fn new(rows: Range<usize>, actor: &Mlp, critic: &Mlp, critics: usize) -> Self {
        let (inputs, width) = (actor.sizes[0], actor.sizes[actor.sizes.len() - 1] / 2);
        let zeros = |count: usize| vec![T::zero(); count];
        Self {
            actor: Activations::new(actor),
            actor_gradient: Gradients::new(actor),
            critics: action_value::Room::new(critic, critics, inputs),
            target: zeros(rows.len()),
            action: zeros(CHUNK * width),
            action_gradient: zeros(CHUNK * width),
            log_prob: zeros(CHUNK),
            value: zeros(CHUNK),
            log_std: vec![0.0; width],
            rows,
        }
    }
}

/// A number between two others; no number stays none.
fn cut<T: Real>(value: T, [low, high]: [f64; 2]) -> T {
    if value < T::of(low) {
        T::of(low)
    } else if value > T::of(high) {
        T::of(high)
    } else {
        value
    }
}

/// Draws an action `[A]`, `a = tanh(μ + σ ε)`, where `outputs` are `μ` and `log σ`, `[2 A]`; gives its log-probability,
/// `Σ log N(u; μ, σ) - log(1 - tanh(u)²)` (Haarnoja et al. 2018b, eq. 26).
pub fn sample<T: Real>(outputs: &[T], noise: &[T], action: &mut [T]) -> T {
    let (mean, log_std) = outputs.split_at(noise.len());
    let mut log_prob = T::zero();
    for (((action, noise), mean), log_std) in action.iter_mut().zip(noise).zip(mean).zip(log_std) {
        let log_std = cut(*log_std, LOG_STD);
        let unsquashed = *mean + log_std.exp() * *noise;
        *action = unsquashed.tanh();
        // log(1 - tanh(u)²) without cancellation.
        let twice = T::of(2.0) * unsquashed.abs();
        let volume = T::of(2.0 * std::f64::consts::LN_2) - twice - T::of(2.0) * (-twice).exp().ln_1p();
        log_prob += -T::of(0.5) * *noise * *noise - log_std - T::of(HALF_LOG_TAU) - volume;
    }
    log_prob
}

/// Fills the targets of the room's rows: `y = r + γ (min Q'(s', a') - α log π(a' | s'))` with `a'` drawn anew (eq. 5 and 6, with the least of the
/// chosen critics). `noise` is `[B, A]`, standard normal.
pub fn put_targets<T: Real>(
    actor: &Packed<T>,
    critics: &[Followed<T>],
    chosen: &[usize],
    batch: &Batch<T>,
    noise: &[T],
    temperature: T,
    room: &mut Room<T>,
) {
    let width = batch.width;
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        for row in 0..count {
            room.actor.input_row(row).copy_from_slice(batch.next_observation(start + row));
        }
        actor.forward(count, &mut room.actor);
        for row in 0..count {
            let action = &mut room.action[row * width..][..width];
            room.log_prob[row] = sample(room.actor.output_row(row), &noise[(start + row) * width..][..width], action);
            room.critics.show(row, batch.next_observation(start + row), action);
        }
        room.critics.least_target(critics, chosen, &mut room.value[..count]);
        for row in 0..count {
            let soft = room.value[row] - temperature * room.log_prob[row];
            room.target[start - room.rows.start + row] = batch.reward[start + row] + batch.discount[start + row] * soft;
        }
    }
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Climbed {
    /// Of log-probabilities of the actions that were drawn.
    pub log_prob: f64,
    /// Of their values.
    pub value: f64,
}

/// Adds the gradient of `1 / B Σ α log π(a | s) - Q(s, a)` with `a = tanh(μ(s) + σ(s) ε)` (eq. 9 and 10) for the room's rows of a batch of `B`.
pub fn add_actor_gradient<T: Real>(
    actor: &Packed<T>,
    critics: &[Followed<T>],
    objective: Objective,
    batch: &Batch<T>,
    noise: &[T],
    temperature: T,
    room: &mut Room<T>,
) -> Climbed {
    let width = batch.width;
    let (share, two) = (one_over::<T>(batch.rows()), T::of(2.0));
    let mut climbed = Climbed::default();
    room.log_std.fill(0.0);
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        for row in 0..count {
            room.actor.input_row(row).copy_from_slice(batch.observation(start + row));
        }
        actor.forward(count, &mut room.actor);
        for row in 0..count {
            let action = &mut room.action[row * width..][..width];
            let log_prob = sample(room.actor.output_row(row), &noise[(start + row) * width..][..width], action);
            climbed.log_prob += log_prob.wide();
            room.critics.show(row, batch.observation(start + row), action);
        }
        room.critics.forward(critics, count);
        room.critics.climb(critics, objective, &mut room.value[..count], &mut room.action_gradient[..count * width]);
        climbed.value += room.value[..count].iter().map(|value| value.wide()).sum::<f64>();
        for row in 0..count {
            let (outputs, gradient) = room.actor.output_and_gradient(row);
            let (mean_gradient, log_std_gradient) = gradient.split_at_mut(width);
            for index in 0..width {
                let (at, log_std) = (row * width + index, outputs[width + index]);
                let (action, kept) = (room.action[at], cut(log_std, LOG_STD));
                room.log_std[index] += kept.wide();
                // d log π / du = 2 tanh(u), dQ / du = dQ / da (1 - tanh(u)²).
                let slope = temperature * two * action - room.action_gradient[at] * (T::one() - action * action);
                mean_gradient[index] = share * slope;
                let moved = slope * kept.exp() * noise[start * width + at] - temperature;
                log_std_gradient[index] = if kept == log_std { share * moved } else { T::zero() };
            }
        }
        actor.backward(count, &mut room.actor, &mut room.actor_gradient);
    }
    climbed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::off_policy::take_gradient;
    use crate::learn::reference::{self, distance, matrix, normals, numbers, wide};
    use crate::nn::Activation;
    use crate::seed::Stream;
    use tch::{Kind, Tensor};

    /// A random case: networks, their targets' weights, a batch, noise.
    struct Case<T> {
        actor_mlp: Mlp,
        critic_mlp: Mlp,
        actor: Vec<T>,
        online: Vec<Vec<T>>,
        target: Vec<Vec<T>>,
        batch: Batch<T>,
        noise: Vec<T>,
        objective: Objective,
    }

    impl<T: Real> Case<T> {
        fn new(seed: u64) -> Self {
            let mut rng = Stream::Env(0).under(seed);
            let (rows, inputs, width, critics) = (1 + rng.below(150), 1 + rng.below(20), 1 + rng.below(7), 1 + rng.below(4));
            let hidden = reference::layers(&mut rng, false);
            let sizes = [&[inputs], &hidden[..], &[2 * width]].concat();
            let actor_mlp = Mlp { sizes, activation: Activation::Relu, layer_norm: false };
            let critic_mlp = action_value::mlp(inputs, width, &reference::layers(&mut rng, seed % 2 == 1), seed % 2 == 1);
            let mut many = |mlp: &Mlp| (0..critics).map(|_| reference::weights(&mut rng, mlp)).collect();
            let (online, target) = (many(&critic_mlp), many(&critic_mlp));
            let actor = reference::weights(&mut rng, &actor_mlp);
            let batch = reference::batch(&mut rng, rows, inputs, width);
            let noise = normals(&mut rng, rows * width, 1.0);
            let objective = [Objective::First, Objective::Least, Objective::Mean][rng.below(3)];
            Self { actor_mlp, critic_mlp, actor, online, target, batch, noise, objective }
        }

        fn critics(&self) -> Vec<Followed<T>> {
            let critic = |(online, target): (&Vec<T>, &Vec<T>)| {
                let mut critic = Followed::new(&self.critic_mlp, online);
                critic.set_target(target);
                critic
            };
            self.online.iter().zip(&self.target).map(critic).collect()
        }

        fn packed_actor(&self) -> Packed<T> {
            let mut packed = Packed::above(&self.actor_mlp);
            packed.refresh(&self.actor);
            packed
        }

        fn room(&self) -> Room<T> {
            Room::new(0..self.batch.rows(), &self.actor_mlp, &self.critic_mlp, self.online.len())
        }

        /// Actions and their log-probabilities, as Stable-Baselines3 computes them but for its 1e-6 in the logarithm.
        fn sample(&self, leaves: &[Tensor], observation: &Tensor) -> (Tensor, Tensor) {
            let width = i64::try_from(self.batch.width).unwrap();
            let outputs = reference::forward(&self.actor_mlp, leaves, observation);
            let (mean, log_std) = (outputs.narrow(1, 0, width), outputs.narrow(1, width, width).clamp(LOG_STD[0], LOG_STD[1]));
            let noise = matrix(&self.noise, self.batch.rows());
            let unsquashed = &mean + log_std.exp() * &noise;
            let gaussian = noise.square() * -0.5 - &log_std - HALF_LOG_TAU;
            let volume = (std::f64::consts::LN_2 - &unsquashed - (&unsquashed * -2.0).softplus()) * 2.0;
            (unsquashed.tanh(), (gaussian - volume).sum_dim_intlist(-1, false, Kind::Double))
        }

        fn values(&self, leaves: &[Vec<Tensor>], observation: &Tensor, action: &Tensor) -> Tensor {
            let seen = Tensor::cat(&[observation, action], 1);
            let values: Vec<Tensor> =
                leaves.iter().map(|leaves| reference::forward(&self.critic_mlp, leaves, &seen).squeeze_dim(-1)).collect();
            Tensor::stack(&values, 0)
        }

        fn leaves(&self, of: &[Vec<T>]) -> Vec<Vec<Tensor>> {
            of.iter().map(|values| reference::leaves(&self.critic_mlp, &wide(values))).collect()
        }
    }

    const TEMPERATURE: f64 = 0.25;

    /// Errors of targets, of the critics' gradient and of the actor's.
    fn errors<T: Real>(seed: u64) -> [f64; 3] {
        crate::nn::autograd::use_one_thread();
        let case = Case::<T>::new(seed);
        let (actor, critics, mut room, rows) = (case.packed_actor(), case.critics(), case.room(), case.batch.rows());
        let chosen: Vec<usize> = (0..critics.len()).rev().take(2).collect();
        put_targets(&actor, &critics, &chosen, &case.batch, &case.noise, T::of(TEMPERATURE), &mut room);
        let (next, before) = (matrix(&case.batch.next_observation, rows), matrix(&case.batch.observation, rows));
        let actor_leaves = reference::leaves(&case.actor_mlp, &wide(&case.actor));
        let (action, log_prob) = case.sample(&actor_leaves, &next);
        let subset: Vec<Vec<T>> = chosen.iter().map(|index| case.target[*index].clone()).collect();
        let least = case.values(&case.leaves(&subset), &next, &action).amin([0], false);
        let (reward, discount) = (matrix(&case.batch.reward, rows), matrix(&case.batch.discount, rows));
        let target = (reward.squeeze_dim(-1) + discount.squeeze_dim(-1) * (least - &log_prob * TEMPERATURE)).detach();
        let of_targets = distance(&room.target, &numbers(&target));

        // The same targets on both sides, so that each error is its own.
        let target = matrix(&room.target, rows).squeeze_dim(-1);
        let learned = room.target.clone();
        action_value::add_gradient(&critics, &case.batch, 0..rows, &learned, &mut room.critics);
        let mut found = Vec::new();
        for gradient in &mut room.critics.gradients {
            let mut flat = vec![T::zero(); case.critic_mlp.parameter_count()];
            take_gradient(gradient, &mut flat);
            found.extend(flat);
        }
        let leaves = case.leaves(&case.online);
        let loss = (case.values(&leaves, &before, &matrix(&case.batch.action, rows)) - target).square().mean_dim(1, false, Kind::Double);
        let expected = reference::gradient(&(loss.sum(Kind::Double) * 0.5), &leaves.iter().flatten().collect::<Vec<_>>());
        let of_critics = distance(&found, &expected);

        add_actor_gradient(&actor, &critics, case.objective, &case.batch, &case.noise, T::of(TEMPERATURE), &mut room);
        let mut found = vec![T::zero(); case.actor.len()];
        take_gradient(&mut room.actor_gradient, &mut found);
        let actor_leaves = reference::leaves(&case.actor_mlp, &wide(&case.actor));
        let (action, log_prob) = case.sample(&actor_leaves, &before);
        let values = case.values(&case.leaves(&case.online), &before, &action);
        let value = match case.objective {
            Objective::First => values.select(0, 0),
            Objective::Least => values.amin([0], false),
            Objective::Mean => values.mean_dim(0, false, Kind::Double),
        };
        let loss = (log_prob * TEMPERATURE - value).mean(Kind::Double);
        let expected = reference::gradient(&loss, &actor_leaves.iter().collect::<Vec<_>>());
        [of_targets, of_critics, distance(&found, &expected)]
    }

    #[test]
    fn targets_and_gradients_are_autograds() {
        for seed in 0..250 {
            let [targets, critics, actor] = errors::<f64>(seed);
            assert!(targets <= 1e-9 && critics <= 1e-9, "case {seed} in f64: {targets} {critics}");
            // Where an action is at its bound, `1 - tanh(u)²` is what rounding left of it, on both sides: case 237 is 1.6e-9 apart.
            assert!(actor <= if seed == 237 { 1e-8 } else { 1e-9 }, "case {seed} in f64: {actor}");
            let narrow = errors::<f32>(seed);
            assert!(narrow.iter().all(|error| *error <= 1e-5), "case {seed} in f32: {narrow:?}");
        }
    }
}
