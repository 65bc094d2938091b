//! Values of actions, `Q(s, a)`: an ensemble of critics that see observation and action, how they are fitted to targets, and how an action is
//! to change for their value to rise.
//!
//! Written on the fused kernel, chunk by chunk; the tests of `sac` and `td3` hold the gradients to libtorch's.

use super::Followed;
use super::off_policy::one_over;
use super::replay::Batch;
use crate::nn::kernel::{Activations, CHUNK, Gradients, Real};
use crate::nn::{Activation, Mlp};
use std::ops::Range;

/// The shape of a critic.
#[must_use]
pub fn mlp(inputs: usize, width: usize, hidden: &[usize], layer_norm: bool) -> Mlp {
    Mlp { sizes: [&[inputs + width], hidden, &[1]].concat(), activation: Activation::Relu, layer_norm }
}

/// What becomes of the values of several critics where an actor climbs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Objective {
    /// The first one's (Fujimoto et al. 2018, algorithm 1).
    First,
    /// The least (Haarnoja et al. 2018b, algorithm 1).
    Least,
    /// Their mean (Chen et al. 2021, algorithm 1).
    Mean,
}

/// What one shard needs to pass chunks of rows through an ensemble.
#[derive(Debug)]
pub struct Room<T = f32> {
    activations: Vec<Activations<T>>,
    /// The summed gradient of each critic.
    pub gradients: Vec<Gradients<T>>,
    inputs: usize,
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fit {
    /// Of the squared error of the critics' values, all critics together.
    pub squared_error: f64,
    /// Of the first critic's value.
    pub value: f64,
}

impl<T: Real> Room<T> {
    /// For so many critics of this shape, which see observations of `inputs` numbers.
    #[must_use]
    pub fn new(mlp: &Mlp, critics: usize, inputs: usize) -> Self {
        let activations = (0..critics).map(|_| Activations::new(mlp)).collect();
        Self { activations, gradients: (0..critics).map(|_| Gradients::new(mlp)).collect(), inputs }
    }

    /// Shows a row of the chunk to all critics.
    pub fn show(&mut self, row: usize, observation: &[T], action: &[T]) {
        let (seen, done) = self.activations[0].input_row(row).split_at_mut(observation.len());
        seen.copy_from_slice(observation);
        done.copy_from_slice(action);
    }

    fn show_all(&mut self, rows: usize) {
        if let Some((first, others)) = self.activations.split_first_mut() {
            for other in others {
                other.copy_input(first, rows);
            }
        }
    }

    /// The values of what was shown.
    pub fn forward(&mut self, critics: &[Followed<T>], rows: usize) {
        self.show_all(rows);
        for (critic, activations) in critics.iter().zip(&mut self.activations) {
            critic.online.forward(rows, activations);
        }
    }

    /// The first critic's value of a row, after [`Room::forward`].
    #[must_use]
    pub fn value(&self, row: usize) -> T {
        self.activations[0].output_row(row)[0]
    }

    /// The least value that the targets of the chosen critics give to each row of what was shown.
    pub fn least_target(&mut self, critics: &[Followed<T>], chosen: &[usize], least: &mut [T]) {
        let rows = least.len();
        self.show_all(rows);
        for (nth, index) in chosen.iter().enumerate() {
            let activations = &mut self.activations[*index];
            critics[*index].target.forward(rows, activations);
            for (row, least) in least.iter_mut().enumerate() {
                let value = activations.output_row(row)[0];
                // Not `min`: that of a number and no number is a number.
                if nth == 0 || value < *least || value.is_nan() {
                    *least = value;
                }
            }
        }
    }

    /// After [`Room::forward`]: what the objective is for each row, and its gradient with respect to the row's action, `[rows, W]`.
    pub fn climb(&mut self, critics: &[Followed<T>], objective: Objective, value: &mut [T], gradient: &mut [T]) {
        let rows = value.len();
        let share = one_over::<T>(critics.len());
        for (row, objective_value) in value.iter_mut().enumerate() {
            let values = || self.activations.iter().map(|critic| critic.output_row(row)[0]);
            let least =
                values().enumerate().fold((0, T::infinity()), |least, (index, value)| if value < least.1 { (index, value) } else { least });
            *objective_value = match objective {
                Objective::First => values().next().unwrap_or_default(),
                Objective::Least => least.1,
                Objective::Mean => values().sum::<T>() * share,
            };
            for (index, critic) in self.activations.iter_mut().enumerate() {
                critic.output_and_gradient(row).1[0] = match objective {
                    Objective::First if index == 0 => T::one(),
                    Objective::Least if index == least.0 => T::one(),
                    Objective::Mean => share,
                    _ => T::zero(),
                };
            }
        }
        gradient.fill(T::zero());
        let width = gradient.len() / rows;
        let climbed = if objective == Objective::First { 1 } else { critics.len() };
        for (critic, activations) in critics.iter().zip(&mut self.activations).take(climbed) {
            critic.online.backward_inputs(rows, activations);
            for (row, gradient) in gradient.chunks_exact_mut(width).enumerate() {
                let action = &activations.input_gradient(row)[self.inputs..];
                gradient.iter_mut().zip(action).for_each(|(sum, part)| *sum += *part);
            }
        }
    }
}

/// Adds the gradient of `1 / (2 B) Σ (Q(s, a) - y)²` of every critic for some rows of a batch of `B`, given their targets `y`.
pub fn add_gradient<T: Real>(critics: &[Followed<T>], batch: &Batch<T>, rows: Range<usize>, target: &[T], room: &mut Room<T>) -> Fit {
    let share = one_over::<T>(batch.rows());
    let mut fit = Fit::default();
    for start in rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(rows.end - start);
        for row in 0..count {
            room.show(row, batch.observation(start + row), batch.action(start + row));
        }
        room.forward(critics, count);
        let target = &target[start - rows.start..][..count];
        for (index, (critic, activations)) in critics.iter().zip(&mut room.activations).enumerate() {
            for (row, target) in target.iter().enumerate() {
                let (value, gradient) = activations.output_and_gradient(row);
                let error = value[0] - *target;
                gradient[0] = share * error;
                fit.squared_error += error.wide() * error.wide();
                fit.value += if index == 0 { value[0].wide() } else { 0.0 };
            }
            critic.online.backward(count, activations, &mut room.gradients[index]);
        }
    }
    fit
}
