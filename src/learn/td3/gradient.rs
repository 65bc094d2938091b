//! TD3's two losses by hand, on the fused kernel: free functions of weights and batch.

use crate::learn::Followed;
use crate::learn::action_value::{self, Objective};
use crate::learn::off_policy::one_over;
use crate::learn::replay::Batch;
use crate::nn::Mlp;
use crate::nn::kernel::{Activations, CHUNK, Gradients, Packed, Real};
use std::ops::Range;

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
    value: Vec<T>,
}

impl<T: Real> Room<T> {
    /// For these rows and networks of these shapes.
    #[must_use]
    pub fn new(rows: Range<usize>, actor: &Mlp, critic: &Mlp, critics: usize) -> Self {
        let (inputs, width) = (actor.sizes[0], actor.sizes[actor.sizes.len() - 1]);
        let zeros = |count: usize| vec![T::zero(); count];
        Self {
            actor: Activations::new(actor),
            actor_gradient: Gradients::new(actor),
            critics: action_value::Room::new(critic, critics, inputs),
            target: zeros(rows.len()),
            action: zeros(CHUNK * width),
            action_gradient: zeros(CHUNK * width),
            value: zeros(CHUNK),
            rows,
        }
    }
}

/// Noise on the target's actions: its standard deviation, and where it is cut.
#[derive(Debug, Clone, Copy)]
pub struct Smoothing<T> {
    /// Its standard deviation.
    pub deviation: T,
    /// It stays within this.
    pub clip: T,
}

/// The target policy smoothed, `[A]`: `clip(tanh(μ) + clip(ε, -c, c), -1, 1)` (Fujimoto et al. 2018, eq. 14). `noise` is standard normal.
pub fn smoothed<T: Real>(outputs: &[T], noise: &[T], Smoothing { deviation, clip }: Smoothing<T>, action: &mut [T]) {
    for ((action, output), noise) in action.iter_mut().zip(outputs).zip(noise) {
        *action = cut(output.tanh() + cut(deviation * *noise, clip), T::one());
    }
}

/// A number within some distance of 0; no number stays none.
pub fn cut<T: Real>(value: T, reach: T) -> T {
    if value < -reach {
        -reach
    } else if value > reach {
        reach
    } else {
        value
    }
}

/// Fills the targets of the room's rows: `y = r + γ min Q'(s', a')`, `a'` the smoothed target policy's (Fujimoto et al. 2018, algorithm 1). `noise`
/// is `[B, A]`, standard normal.
pub fn put_targets<T: Real>(
    actor: &Packed<T>,
    critics: &[Followed<T>],
    batch: &Batch<T>,
    noise: &[T],
    smoothing: Smoothing<T>,
    room: &mut Room<T>,
) {
    let width = batch.width;
    let all: Vec<usize> = (0..critics.len()).collect();
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        for row in 0..count {
            room.actor.input_row(row).copy_from_slice(batch.next_observation(start + row));
        }
        actor.forward(count, &mut room.actor);
        for row in 0..count {
            let action = &mut room.action[row * width..][..width];
            smoothed(room.actor.output_row(row), &noise[(start + row) * width..][..width], smoothing, action);
            room.critics.show(row, batch.next_observation(start + row), action);
        }
        room.critics.least_target(critics, &all, &mut room.value[..count]);
        for row in 0..count {
            room.target[start - room.rows.start + row] = batch.reward[start + row] + batch.discount[start + row] * room.value[row];
        }
    }
}

/// What an actor's two aims weigh.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights<T> {
    /// The value of its actions, lambda.
    pub value: T,
    /// Being near to what was done.
    pub clone: T,
}

impl Weights<f32> {
    /// TD3's own.
    pub const ALL_VALUE: Self = Self { value: 1.0, clone: 0.0 };
}

/// Shows the actor some rows of a batch, and the critics what it would do.
fn show<T: Real>(actor: &Packed<T>, batch: &Batch<T>, rows: Range<usize>, room: &mut Room<T>) {
    let (width, count) = (batch.width, rows.len());
    for row in 0..count {
        room.actor.input_row(row).copy_from_slice(batch.observation(rows.start + row));
    }
    actor.forward(count, &mut room.actor);
    for row in 0..count {
        let action = &mut room.action[row * width..][..width];
        action.iter_mut().zip(room.actor.output_row(row)).for_each(|(action, output)| *action = output.tanh());
        room.critics.show(row, batch.observation(rows.start + row), action);
    }
}

/// The sum of `|Q(s, tanh(μ(s)))|` over the room's rows.
pub fn sum_of_sizes<T: Real>(actor: &Packed<T>, critic: &Followed<T>, batch: &Batch<T>, room: &mut Room<T>) -> f64 {
    let mut sum = 0.0;
    for start in room.rows.clone().step_by(CHUNK) {
        let end = room.rows.end.min(start + CHUNK);
        show(actor, batch, start..end, room);
        room.critics.forward(std::slice::from_ref(critic), end - start);
        sum += (0..end - start).map(|row| room.critics.value(row).wide().abs()).sum::<f64>();
    }
    sum
}

/// Adds the gradient of `1 / B Σ c |tanh(μ(s)) - a|² / A - λ Q_1(s, tanh(μ(s)))` for the room's rows of a batch of `B`; gives the sum of the
/// values. Without cloning it is the deterministic policy gradient (Silver et al. 2014); with it Fujimoto & Gu 2021, eq. 3.
pub fn add_actor_gradient<T: Real>(
    actor: &Packed<T>,
    critics: &[Followed<T>],
    batch: &Batch<T>,
    weights: Weights<T>,
    room: &mut Room<T>,
) -> f64 {
    let width = batch.width;
    let share = one_over::<T>(batch.rows());
    let (climb, clone) = (share * weights.value, T::of(2.0) * share * weights.clone * one_over::<T>(width));
    let mut sum = 0.0;
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        show(actor, batch, start..start + count, room);
        room.critics.forward(&critics[..1], count);
        room.critics.climb(&critics[..1], Objective::First, &mut room.value[..count], &mut room.action_gradient[..count * width]);
        sum += room.value[..count].iter().map(|value| value.wide()).sum::<f64>();
        for row in 0..count {
            let (_, gradient) = room.actor.output_and_gradient(row);
            for ((index, gradient), done) in gradient.iter_mut().enumerate().zip(batch.action(start + row)) {
                let (at, action) = (row * width + index, room.action[row * width + index]);
                *gradient = (clone * (action - *done) - climb * room.action_gradient[at]) * (T::one() - action * action);
            }
        }
        actor.backward(count, &mut room.actor, &mut room.actor_gradient);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::off_policy::take_gradient;
    use crate::learn::reference::{self, distance, matrix, normals, numbers, wide};
    use crate::nn::Activation;
    use crate::seed::Stream;
    use tch::{Kind, Tensor};

    /// Errors of targets, of the actor's gradient, and of the size of values; the gradient of the critics is SAC's too.
    fn errors<T: Real>(seed: u64) -> [f64; 3] {
        crate::nn::autograd::use_one_thread();
        let mut rng = Stream::Env(0).under(seed);
        let (rows, inputs, width, critics) = (1 + rng.below(150), 1 + rng.below(20), 1 + rng.below(7), 1 + rng.below(3));
        let sizes = [&[inputs], &reference::layers(&mut rng, false)[..], &[width]].concat();
        let actor_mlp = Mlp { sizes, activation: Activation::Relu, layer_norm: false };
        let critic_mlp = action_value::mlp(inputs, width, &reference::layers(&mut rng, seed % 2 == 1), seed % 2 == 1);
        let actor_values: Vec<T> = reference::weights(&mut rng, &actor_mlp);
        let critic_values: Vec<Vec<T>> = (0..critics).map(|_| reference::weights(&mut rng, &critic_mlp)).collect();
        let batch = reference::batch::<T>(&mut rng, rows, inputs, width);
        let noise: Vec<T> = normals(&mut rng, rows * width, 1.0);
        let mut actor = Packed::above(&actor_mlp);
        actor.refresh(&actor_values);
        let networks: Vec<Followed<T>> = critic_values.iter().map(|values| Followed::new(&critic_mlp, values)).collect();
        let mut room = Room::new(0..rows, &actor_mlp, &critic_mlp, critics);

        put_targets(&actor, &networks, &batch, &noise, Smoothing { deviation: T::of(0.25), clip: T::of(0.5) }, &mut room);
        let value = |values: &[T], observation: &Tensor, action: &Tensor| {
            let leaves = reference::leaves(&critic_mlp, &wide(values));
            reference::forward(&critic_mlp, &leaves, &Tensor::cat(&[observation, action], 1)).squeeze_dim(-1)
        };
        let leaves = reference::leaves(&actor_mlp, &wide(&actor_values));
        let next = matrix(&batch.next_observation, rows);
        let smooth = (matrix(&noise, rows) * 0.25).clamp(-0.5, 0.5);
        let action = (reference::forward(&actor_mlp, &leaves, &next).tanh() + smooth).clamp(-1.0, 1.0);
        let values: Vec<Tensor> = critic_values.iter().map(|values| value(values, &next, &action)).collect();
        let least = Tensor::stack(&values, 0).amin([0], false);
        let target = matrix(&batch.reward, rows).squeeze_dim(-1) + matrix(&batch.discount, rows).squeeze_dim(-1) * least;
        let of_targets = distance(&room.target, &numbers(&target.detach()));

        let size = sum_of_sizes(&actor, &networks[0], &batch, &mut room);
        let (value_weight, clone_weight) = if seed.is_multiple_of(3) { (1.0, 0.0) } else { (0.625, 1.75) };
        add_actor_gradient(&actor, &networks, &batch, Weights { value: T::of(value_weight), clone: T::of(clone_weight) }, &mut room);
        let mut found = vec![T::zero(); actor_values.len()];
        take_gradient(&mut room.actor_gradient, &mut found);
        let leaves = reference::leaves(&actor_mlp, &wide(&actor_values));
        let before = matrix(&batch.observation, rows);
        let action = reference::forward(&actor_mlp, &leaves, &before).tanh();
        let values = value(&critic_values[0], &before, &action);
        let of_size = distance(&[T::of(size)], &numbers(&values.abs().sum(Kind::Double)));
        let apart = (&action - matrix(&batch.action, rows)).square().mean(Kind::Double);
        let loss = apart * clone_weight - values.mean(Kind::Double) * value_weight;
        let expected = reference::gradient(&loss, &leaves.iter().collect::<Vec<_>>());
        [of_targets, distance(&found, &expected), of_size]
    }

    #[test]
    fn targets_and_gradients_are_autograds() {
        for seed in 0..250 {
            let wide = errors::<f64>(seed);
            assert!(wide.iter().all(|error| *error <= 1e-9), "case {seed} in f64: {wide:?}");
            let narrow = errors::<f32>(seed);
            assert!(narrow.iter().all(|error| *error <= 1e-5), "case {seed} in f32: {narrow:?}");
        }
    }
}
