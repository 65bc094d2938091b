//! One learning-rate factor per tensor: what is frozen, what moves slowly, and what waits until the critic is warm.

use crate::nn::Layout;

/// Factors on the step of every parameter tensor; 0 is frozen, and then keeps every bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    warm_up_steps: u64,
    during: Vec<f32>,
    after: Vec<f32>,
    /// Whether the observation normaliser stays as it is: it belongs to a frozen trunk.
    pub freeze_normalizer: bool,
}

impl Rates {
    /// Everything moves at the learning rate.
    #[must_use]
    pub fn uniform(layout: &Layout) -> Self {
        Self::new(layout, |_| 1.0)
    }

    /// A factor for every tensor, by name.
    #[must_use]
    pub fn new(layout: &Layout, factor: impl Fn(&str) -> f32) -> Self {
        let factors: Vec<f32> = layout.entries().iter().map(|entry| factor(&entry.name)).collect();
        Self { warm_up_steps: 0, during: factors.clone(), after: factors, freeze_normalizer: false }
    }

    /// For the first `steps` environment steps only what `moves` says, by name, moves.
    #[must_use]
    pub fn with_warm_up(mut self, layout: &Layout, steps: u64, moves: impl Fn(&str) -> bool) -> Self {
        self.warm_up_steps = steps;
        for (factor, entry) in self.during.iter_mut().zip(layout.entries()) {
            if !moves(&entry.name) {
                *factor = 0.0;
            }
        }
        self
    }

    /// The factors after so many environment steps.
    #[must_use]
    pub fn at(&self, steps: u64) -> &[f32] {
        if steps < self.warm_up_steps { &self.during } else { &self.after }
    }
}
