//! What is drawn from a replay buffer for one gradient step.

use crate::nn::kernel::Real;

/// Transitions of `n` steps, row by row; of f64 where gradients are held against a reference.
#[derive(Debug, Clone)]
pub struct Batch<T = f32> {
    /// Numbers of an observation, `O`.
    pub inputs: usize,
    /// Numbers of an action, `W`.
    pub width: usize,
    /// `[B, O]`.
    pub observation: Vec<T>,
    /// `[B, W]`.
    pub action: Vec<T>,
    /// `[B]`: `r_0 + γ r_1 + ... + γ^(n-1) r_(n-1)`.
    pub reward: Vec<T>,
    /// `[B]`: `γ^n`, or 0 where the task was over.
    pub discount: Vec<T>,
    /// `[B, O]`: what was seen then; where the task was over, anything.
    pub next_observation: Vec<T>,
}

impl<T: Real> Batch<T> {
    /// Room for so many rows.
    #[must_use]
    pub fn zeros(rows: usize, inputs: usize, width: usize) -> Self {
        let zeros = |count: usize| vec![T::zero(); count];
        Self {
            inputs,
            width,
            observation: zeros(rows * inputs),
            action: zeros(rows * width),
            reward: zeros(rows),
            discount: zeros(rows),
            next_observation: zeros(rows * inputs),
        }
    }

    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.reward.len()
    }

    /// The observation of a row, `[O]`.
    #[must_use]
    pub fn observation(&self, row: usize) -> &[T] {
        &self.observation[row * self.inputs..][..self.inputs]
    }

    /// The action of a row, `[W]`.
    #[must_use]
    pub fn action(&self, row: usize) -> &[T] {
        &self.action[row * self.width..][..self.width]
    }

    /// What a row saw in the end, `[O]`.
    #[must_use]
    pub fn next_observation(&self, row: usize) -> &[T] {
        &self.next_observation[row * self.inputs..][..self.inputs]
    }
}
