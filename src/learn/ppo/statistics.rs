//! What an iteration's minibatches looked like, on average (detail 12).

use super::loss::Terms;

/// Means over an iteration's minibatches.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    sums: Terms,
    minibatches: f64,
    learning_rate: f64,
    clip: f64,
    gradient_norm: f64,
    steps: f64,
}

impl Statistics {
    pub(super) fn new(learning_rate: f64, clip: f64) -> Self {
        Self { learning_rate, clip, ..Self::default() }
    }

    /// A minibatch had these losses.
    pub(super) fn add(&mut self, losses: &Terms) {
        self.sums.add(losses);
        self.minibatches += 1.0;
    }

    /// A step was taken along a gradient of this norm.
    pub(super) fn stepped(&mut self, norm: f64) {
        self.gradient_norm += norm;
        self.steps += 1.0;
    }

    pub(super) fn metrics(&self) -> Vec<(&'static str, f64)> {
        let mean = |sum: f64| sum / self.minibatches.max(1.0);
        vec![
            ("policy_loss", mean(self.sums.surrogate)),
            ("value_loss", mean(self.sums.value)),
            ("entropy", mean(self.sums.entropy)),
            ("approx_kl", mean(self.sums.approx_kl)),
            ("clip_fraction", mean(self.sums.clip_fraction)),
            ("added_loss", mean(self.sums.added)),
            ("gradient_norm", self.gradient_norm / self.steps.max(1.0)),
            ("learning_rate", self.learning_rate),
            ("clip", self.clip),
        ]
    }
}
