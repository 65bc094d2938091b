//! What is descended on: functions of the probability of the actions that were taken, with their derivatives.
//!
//! All are means over rows, to be minimised. `A` is the advantage, `r = pi(a|s) / pi_old(a|s)`.

use super::episodes::Batch;
use crate::nn::Head;
use crate::nn::kernel::Real;
use crate::nn::second_order::{RowLoss, RowMetric};
use serde::{Deserialize, Serialize};

/// The loss of an inner step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Inner {
    /// `-log pi(a|s) A`, REINFORCE: MAML as it was published.
    LogProb,
    /// `-r A`: the same gradient, and a Hessian that knows how the inner update depends on what was sampled (Rothfuss et al. 2019, "low
    /// variance curvature").
    Ratio,
}

/// The inner loss over a batch.
pub struct PolicyGradient<'a, T> {
    /// Which one.
    pub inner: Inner,
    /// The head.
    pub head: Head,
    /// The rows.
    pub batch: &'a Batch<T>,
}

impl<T: Real> PolicyGradient<'_, T> {
    /// The factor that the score's gradient has in that of the loss.
    #[inline]
    fn weight(&self, row: usize, log_prob: T) -> T {
        let weight = -self.batch.advantages[row] * self.batch.share();
        match self.inner {
            Inner::LogProb => weight,
            Inner::Ratio => weight * (log_prob - self.batch.log_probs[row]).exp(),
        }
    }
}

impl<T: Real> RowLoss<T> for PolicyGradient<'_, T> {
    fn gradient(&self, row: usize, at: [&[T]; 2], [gradient, log_std_gradient]: [&mut [T]; 2]) -> T {
        let log_prob = self.head.score(at, self.batch.action(row), [&mut *gradient, &mut *log_std_gradient]);
        let weight = self.weight(row, log_prob);
        scale(gradient, weight);
        scale(log_std_gradient, weight);
        match self.inner {
            Inner::LogProb => weight * log_prob,
            Inner::Ratio => weight,
        }
    }

    fn change(&self, row: usize, at: [&[T]; 2], by: [&[T]; 2], [gradient, log_std_gradient]: [&mut [T]; 2], change: [&mut [T]; 2]) {
        let action = self.batch.action(row);
        let log_prob = self.head.score(at, action, [&mut *gradient, &mut *log_std_gradient]);
        let [change, log_std_change] = change;
        self.head.score_change(at, action, by, [&mut *change, &mut *log_std_change]);
        if self.inner == Inner::Ratio {
            // d(r grad log p) = r (d grad log p + grad log p (grad log p . by)).
            let along = dot(gradient, by[0]) + dot(log_std_gradient, by[1]);
            change.iter_mut().zip(gradient.iter()).for_each(|(change, gradient)| *change += along * *gradient);
            log_std_change.iter_mut().zip(log_std_gradient.iter()).for_each(|(change, gradient)| *change += along * *gradient);
        }
        let weight = self.weight(row, log_prob);
        for values in [gradient, log_std_gradient, change, log_std_change] {
            scale(values, weight);
        }
    }
}

/// `-min(r A, clip(r, 1 - epsilon, 1 + epsilon) A)` (Schulman et al. 2017); with an infinite `epsilon`, TRPO's `-r A`. Only its gradient is
/// asked for.
pub struct Clipped<'a, T> {
    /// How far the ratio may move.
    pub epsilon: T,
    /// The head.
    pub head: Head,
    /// The rows.
    pub batch: &'a Batch<T>,
}

impl<T: Real> RowLoss<T> for Clipped<'_, T> {
    fn gradient(&self, row: usize, at: [&[T]; 2], [gradient, log_std_gradient]: [&mut [T]; 2]) -> T {
        let log_prob = self.head.score(at, self.batch.action(row), [&mut *gradient, &mut *log_std_gradient]);
        let (ratio, advantage) = ((log_prob - self.batch.log_probs[row]).exp(), self.batch.advantages[row]);
        let clipped = ratio.max(T::one() - self.epsilon).min(T::one() + self.epsilon);
        let holds = clipped * advantage < ratio * advantage;
        let weight = if holds { T::zero() } else { -ratio * advantage * self.batch.share() };
        scale(gradient, weight);
        scale(log_std_gradient, weight);
        -(ratio * advantage).min(clipped * advantage) * self.batch.share()
    }

    fn change(&self, _row: usize, _at: [&[T]; 2], _by: [&[T]; 2], _gradient: [&mut [T]; 2], _change: [&mut [T]; 2]) {
        unreachable!("the outer loss is differentiated once")
    }
}

/// Mean divergence from the policy that acted.
pub struct Divergence<'a, T> {
    /// The head.
    pub head: Head,
    /// The rows.
    pub batch: &'a Batch<T>,
}

impl<T: Real> RowLoss<T> for Divergence<'_, T> {
    fn gradient(&self, row: usize, at: [&[T]; 2], [gradient, log_std_gradient]: [&mut [T]; 2]) -> T {
        let old = [self.batch.old_outputs(row), &self.batch.old_log_std];
        let divergence = self.head.divergence_gradient(at, old, [&mut *gradient, &mut *log_std_gradient]);
        scale(gradient, self.batch.share());
        scale(log_std_gradient, self.batch.share());
        divergence * self.batch.share()
    }

    fn change(&self, row: usize, at: [&[T]; 2], by: [&[T]; 2], gradient: [&mut [T]; 2], [change, log_std_change]: [&mut [T]; 2]) {
        self.gradient(row, at, gradient);
        let old = [self.batch.old_outputs(row), &self.batch.old_log_std];
        self.head.divergence_change(at, old, by, [&mut *change, &mut *log_std_change]);
        scale(change, self.batch.share());
        scale(log_std_change, self.batch.share());
    }
}

impl<T: Real> RowMetric<T> for Divergence<'_, T> {
    fn times(&self, _row: usize, at: [&[T]; 2], by: [&[T]; 2], [product, log_std_product]: [&mut [T]; 2]) {
        self.head.metric(at, by, [&mut *product, &mut *log_std_product]);
        scale(product, self.batch.share());
        scale(log_std_product, self.batch.share());
    }
}

#[inline]
fn scale<T: Real>(values: &mut [T], factor: T) {
    for value in values {
        *value *= factor;
    }
}

#[inline]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    a.iter().zip(b).map(|(a, b)| *a * *b).sum()
}
