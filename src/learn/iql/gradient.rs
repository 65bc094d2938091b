//! IQL's three losses by hand, on the fused kernel: free functions of weights and batch.

use crate::learn::Followed;
use crate::learn::action_value::{self, Fit};
use crate::learn::off_policy::one_over;
use crate::learn::replay::Batch;
use crate::nn::Mlp;
use crate::nn::kernel::{Activations, CHUNK, Gradients, Packed, Real};
use std::ops::Range;

/// Logarithms of standard deviations are cut to this, as in the paper's code.
pub const LOG_STD: [f64; 2] = [-5.0, 2.0];

/// What is learned about states and actions, and its targets.
#[derive(Debug)]
pub struct Networks<T = f32> {
    /// Observations to `atanh` of means.
    pub actor: Packed<T>,
    /// Observations to values.
    pub value: Packed<T>,
    /// Observations and actions to values.
    pub critics: Vec<Followed<T>>,
    /// `[A]`: logarithms of standard deviations, of actions in units of their bounds.
    pub log_std: Vec<T>,
}

/// The numbers of the losses.
#[derive(Debug, Clone, Copy)]
pub struct Losses<T> {
    /// Tau.
    pub expectile: T,
    /// Beta.
    pub inverse_temperature: T,
    /// Where the weight of an action is cut.
    pub most_weight: T,
}

/// What one shard of a batch needs.
#[derive(Debug)]
pub struct Room<T = f32> {
    /// The rows of the batch that are its own.
    pub rows: Range<usize>,
    actor: Activations<T>,
    value: Activations<T>,
    /// Of the actor.
    pub actor_gradient: Gradients<T>,
    /// Of the value of states.
    pub value_gradient: Gradients<T>,
    /// `[A]`: of the logarithms of standard deviations.
    pub log_std_gradient: Vec<T>,
    /// For the critics.
    pub critics: action_value::Room<T>,
    /// `[rows]`: what the critics learn.
    target: Vec<T>,
    /// `[CHUNK]`: the least of the critics' targets.
    least: Vec<T>,
}

impl<T: Real> Room<T> {
    /// For these rows and networks of these shapes.
    #[must_use]
    pub fn new(rows: Range<usize>, actor: &Mlp, value: &Mlp, critic: &Mlp, critics: usize) -> Self {
        let (inputs, width) = (actor.sizes[0], actor.sizes[actor.sizes.len() - 1]);
        Self {
            actor: Activations::new(actor),
            value: Activations::new(value),
            actor_gradient: Gradients::new(actor),
            value_gradient: Gradients::new(value),
            log_std_gradient: vec![T::zero(); width],
            critics: action_value::Room::new(critic, critics, inputs),
            target: vec![T::zero(); rows.len()],
            least: vec![T::zero(); CHUNK],
            rows,
        }
    }
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sums {
    /// Of the critics.
    pub fit: Fit,
    /// Of the loss of the value of states.
    pub value_loss: f64,
    /// Of advantages, `Q'(s, a) - V(s)`.
    pub advantage: f64,
    /// Of the weights of what was done.
    pub weight: f64,
    /// Of squared distances between the actor's actions and what was done.
    pub apart: f64,
}

/// Adds the gradients of everything for the room's rows of a batch of `B`, all at the weights before the update.
pub fn add_gradients<T: Real>(networks: &Networks<T>, losses: Losses<T>, batch: &Batch<T>, room: &mut Room<T>) -> Sums {
    let mut sums = Sums::default();
    for start in room.rows.clone().step_by(CHUNK) {
        let rows = start..room.rows.end.min(start + CHUNK);
        put_targets(networks, batch, rows.clone(), room);
        add_state_gradients(networks, losses, batch, rows, room, &mut sums);
    }
    let Room { rows, critics, target, .. } = room;
    sums.fit = action_value::add_gradient(&networks.critics, batch, rows.clone(), target, critics);
    sums
}

/// What the critics learn, `r + γ V(s')` (Kostrikov et al. 2022, eq. 6): no action is asked for that was not done.
fn put_targets<T: Real>(networks: &Networks<T>, batch: &Batch<T>, rows: Range<usize>, room: &mut Room<T>) {
    for row in rows.clone() {
        room.value.input_row(row - rows.start).copy_from_slice(batch.next_observation(row));
    }
    networks.value.forward(rows.len(), &mut room.value);
    for row in rows.clone() {
        let value = room.value.output_row(row - rows.start)[0];
        room.target[row - room.rows.start] = batch.reward[row] + batch.discount[row] * value;
    }
}

/// Adds the gradient of `1 / B Σ |τ - 1(u < 0)| u²` with `u = Q'(s, a) - V(s)` (eq. 5), and that of
/// `-1 / B Σ min(exp(β u), w) log N(a; tanh(μ(s)), σ)` (eq. 7).
fn add_state_gradients<T: Real>(
    networks: &Networks<T>,
    losses: Losses<T>,
    batch: &Batch<T>,
    rows: Range<usize>,
    room: &mut Room<T>,
    sums: &mut Sums,
) {
    let (count, share, one, two) = (rows.len(), one_over::<T>(batch.rows()), T::one(), T::of(2.0));
    for row in 0..count {
        let observation = batch.observation(rows.start + row);
        room.critics.show(row, observation, batch.action(rows.start + row));
        room.value.input_row(row).copy_from_slice(observation);
        room.actor.input_row(row).copy_from_slice(observation);
    }
    let all: Vec<usize> = (0..networks.critics.len()).collect();
    room.critics.least_target(&networks.critics, &all, &mut room.least[..count]);
    networks.value.forward(count, &mut room.value);
    networks.actor.forward(count, &mut room.actor);
    for row in 0..count {
        let (value, gradient) = room.value.output_and_gradient(row);
        let advantage = room.least[row] - value[0];
        let side = if advantage < T::zero() { one - losses.expectile } else { losses.expectile };
        gradient[0] = -share * two * side * advantage;
        sums.value_loss += (side * advantage * advantage).wide();
        sums.advantage += advantage.wide();

        let weight = (losses.inverse_temperature * advantage).exp();
        let weight = if weight > losses.most_weight { losses.most_weight } else { weight };
        sums.weight += weight.wide();
        let (outputs, gradient) = room.actor.output_and_gradient(row);
        let done = batch.action(rows.start + row);
        for (index, ((output, gradient), done)) in outputs.iter().zip(gradient).zip(done).enumerate() {
            let (mean, inverse) = (output.tanh(), (-networks.log_std[index]).exp());
            let apart = (*done - mean) * inverse;
            *gradient = -share * weight * apart * inverse * (one - mean * mean);
            room.log_std_gradient[index] += share * weight * (one - apart * apart);
            sums.apart += (*done - mean).wide().powi(2);
        }
    }
    networks.value.backward(count, &mut room.value, &mut room.value_gradient);
    networks.actor.backward(count, &mut room.actor, &mut room.actor_gradient);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::off_policy::take_gradient;
    use crate::learn::reference::{self, distance, matrix, normals, numbers, wide};
    use crate::nn::Activation;
    use crate::seed::Stream;
    use tch::{Kind, Tensor};

    /// Errors of the gradients of actor, standard deviations, value and critics.
    fn errors<T: Real>(seed: u64) -> [f64; 4] {
        crate::nn::autograd::use_one_thread();
        let mut rng = Stream::Env(0).under(seed);
        let (rows, inputs, width, critics) = (1 + rng.below(150), 1 + rng.below(20), 1 + rng.below(7), 1 + rng.below(3));
        let mut mlp = |outputs: usize| {
            let sizes = [&[inputs], &reference::layers(&mut rng, false)[..], &[outputs]].concat();
            Mlp { sizes, activation: Activation::Relu, layer_norm: false }
        };
        let (actor_mlp, value_mlp) = (mlp(width), mlp(1));
        let critic_mlp = action_value::mlp(inputs, width, &reference::layers(&mut rng, seed % 2 == 1), seed % 2 == 1);
        let actor: Vec<T> = reference::weights(&mut rng, &actor_mlp);
        let value: Vec<T> = reference::weights(&mut rng, &value_mlp);
        let mut many = || (0..critics).map(|_| reference::weights(&mut rng, &critic_mlp)).collect::<Vec<Vec<T>>>();
        let (online, target) = (many(), many());
        let batch = reference::batch::<T>(&mut rng, rows, inputs, width);
        let log_std: Vec<T> = normals(&mut rng, width, 0.3);
        let packed = |mlp: &Mlp, values: &[T]| {
            let mut packed = Packed::above(mlp);
            packed.refresh(values);
            packed
        };
        let followed = |(online, target): (&Vec<T>, &Vec<T>)| {
            let mut followed = Followed::new(&critic_mlp, online);
            followed.set_target(target);
            followed
        };
        let networks = Networks {
            actor: packed(&actor_mlp, &actor),
            value: packed(&value_mlp, &value),
            critics: online.iter().zip(&target).map(followed).collect(),
            log_std: log_std.clone(),
        };
        let (expectile, beta, most) = (0.75, 1.5, 4.0);
        let losses = Losses { expectile: T::of(expectile), inverse_temperature: T::of(beta), most_weight: T::of(most) };
        let mut room = Room::new(0..rows, &actor_mlp, &value_mlp, &critic_mlp, critics);
        add_gradients(&networks, losses, &batch, &mut room);

        let shown = |observation: &[T], action: &[T]| Tensor::cat(&[matrix(observation, rows), matrix(action, rows)], 1);
        let of_critic = |values: &[T]| {
            let leaves = reference::leaves(&critic_mlp, &wide(values));
            let value = reference::forward(&critic_mlp, &leaves, &shown(&batch.observation, &batch.action)).squeeze_dim(-1);
            (leaves, value)
        };
        let value_leaves = reference::leaves(&value_mlp, &wide(&value));
        let of_state = |observation: &[T]| reference::forward(&value_mlp, &value_leaves, &matrix(observation, rows)).squeeze_dim(-1);
        let least = Tensor::stack(&target.iter().map(|values| of_critic(values).1).collect::<Vec<_>>(), 0).amin([0], false).detach();
        let advantage = least - of_state(&batch.observation);
        let side = advantage.lt(0.0).to_kind(Kind::Double) * (1.0 - 2.0 * expectile) + expectile;
        let value_loss = (side * advantage.square()).mean(Kind::Double);
        let expected_value = reference::gradient(&value_loss, &value_leaves.iter().collect::<Vec<_>>());

        let actor_leaves = reference::leaves(&actor_mlp, &wide(&actor));
        let log_std = Tensor::from_slice(&wide(&log_std)).set_requires_grad(true);
        let mean = reference::forward(&actor_mlp, &actor_leaves, &matrix(&batch.observation, rows)).tanh();
        let apart = (matrix(&batch.action, rows) - mean) / log_std.exp();
        let log_prob = (apart.square() * -0.5 - &log_std).sum_dim_intlist(-1, false, Kind::Double);
        let weight = (advantage.detach() * beta).exp().clamp_max(most);
        let actor_loss = -(weight * log_prob).mean(Kind::Double);
        let leaves: Vec<&Tensor> = actor_leaves.iter().chain([&log_std]).collect();
        let mut expected_actor = reference::gradient(&actor_loss, &leaves);
        let expected_log_std = expected_actor.split_off(actor.len());

        let goal = (matrix(&batch.reward, rows).squeeze_dim(-1)
            + matrix(&batch.discount, rows).squeeze_dim(-1) * of_state(&batch.next_observation))
        .detach();
        let mut expected_critics = Vec::new();
        for values in &online {
            let (leaves, value) = of_critic(values);
            let loss = (value - &goal).square().mean(Kind::Double) * 0.5;
            expected_critics.extend(reference::gradient(&loss, &leaves.iter().collect::<Vec<_>>()));
        }
        let taken = |gradients: &mut Gradients<T>, mlp: &Mlp| {
            let mut flat = vec![T::zero(); mlp.parameter_count()];
            take_gradient(gradients, &mut flat);
            flat
        };
        let found: Vec<T> = room.critics.gradients.iter_mut().flat_map(|gradients| taken(gradients, &critic_mlp)).collect();
        assert_eq!(numbers(&goal).len(), rows);
        [
            distance(&taken(&mut room.actor_gradient, &actor_mlp), &expected_actor),
            distance(&room.log_std_gradient, &expected_log_std),
            distance(&taken(&mut room.value_gradient, &value_mlp), &expected_value),
            distance(&found, &expected_critics),
        ]
    }

    #[test]
    fn gradients_are_autograds() {
        for seed in 0..250 {
            let wide = errors::<f64>(seed);
            assert!(wide.iter().all(|error| *error <= 1e-9), "case {seed} in f64: {wide:?}");
            let narrow = errors::<f32>(seed);
            assert!(narrow.iter().all(|error| *error <= 2e-5), "case {seed} in f32: {narrow:?}");
        }
    }
}
