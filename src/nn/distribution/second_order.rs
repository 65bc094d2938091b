//! Log-probability and divergence with their derivatives of first and second order, row by row, in either precision.
//!
//! A row is `[outputs, log_std]`, `[A]` each; a categorical head has no log-std. What a squashed Gaussian's log-probability has beside a
//! plain one's holds no parameter and is left out.

use super::Head;
use crate::nn::kernel::Real;

impl Head {
    /// Log-probability of an action; its gradient with respect to outputs and log-std is written.
    #[inline]
    pub fn score<T: Real>(&self, [outputs, log_std]: [&[T]; 2], action: &[T], [gradient, log_std_gradient]: [&mut [T]; 2]) -> T {
        if matches!(self, Self::Categorical) {
            // d log p_a / d l_i = [i = a] - p_i.
            let total = softmax(outputs, gradient);
            let chosen = index(action);
            for prob in gradient.iter_mut() {
                *prob = -*prob;
            }
            gradient[chosen] += T::one();
            return outputs[chosen] - total;
        }
        // d log p / d mu = z / s, d log p / d log s = z^2 - 1.
        let mut log_prob = T::zero();
        for i in 0..outputs.len() {
            let inverse = (-log_std[i]).exp();
            let z = (action[i] - outputs[i]) * inverse;
            gradient[i] = z * inverse;
            log_std_gradient[i] = z * z - T::one();
            log_prob += T::of(-0.5) * z * z - log_std[i] - T::of(HALF_LOG_TAU);
        }
        log_prob
    }

    /// Writes how [`Head::score`]'s gradient changes when outputs and log-std move by `by`.
    #[inline]
    pub fn score_change<T: Real>(
        &self,
        [outputs, log_std]: [&[T]; 2],
        action: &[T],
        by: [&[T]; 2],
        [change, log_std_change]: [&mut [T]; 2],
    ) {
        if matches!(self, Self::Categorical) {
            self.metric([outputs, log_std], by, [&mut *change, log_std_change]);
            for change in change.iter_mut() {
                *change = -*change;
            }
            return;
        }
        // z = (a - mu) / s: dz = -dmu / s - z dlog s.
        for i in 0..outputs.len() {
            let inverse = (-log_std[i]).exp();
            let z = (action[i] - outputs[i]) * inverse;
            let moved = -by[0][i] * inverse - z * by[1][i];
            change[i] = (moved - z * by[1][i]) * inverse;
            log_std_change[i] = T::of(2.0) * z * moved;
        }
    }

    /// Writes the Fisher information of the action's distribution times `by`: how the gradient of the divergence from this distribution
    /// changes where it begins to move by `by`.
    #[inline]
    pub fn metric<T: Real>(&self, [outputs, log_std]: [&[T]; 2], by: [&[T]; 2], [change, log_std_change]: [&mut [T]; 2]) {
        if matches!(self, Self::Categorical) {
            // diag(p) - p p^T.
            softmax(outputs, change);
            let mean: T = change.iter().zip(by[0]).map(|(prob, by)| *prob * *by).sum();
            change.iter_mut().zip(by[0]).for_each(|(prob, by)| *prob *= *by - mean);
            return;
        }
        for i in 0..outputs.len() {
            change[i] = by[0][i] * (T::of(-2.0) * log_std[i]).exp();
            log_std_change[i] = T::of(2.0) * by[1][i];
        }
    }

    /// Divergence from an old distribution to this one, in nats; its gradient with respect to this one's outputs and log-std is written.
    #[inline]
    pub fn divergence_gradient<T: Real>(
        &self,
        [outputs, log_std]: [&[T]; 2],
        [old_outputs, old_log_std]: [&[T]; 2],
        [gradient, log_std_gradient]: [&mut [T]; 2],
    ) -> T {
        if matches!(self, Self::Categorical) {
            let total = softmax(outputs, gradient);
            let old_total = log_sum_exp(old_outputs);
            let mut divergence = T::zero();
            for ((gradient, output), old) in gradient.iter_mut().zip(outputs).zip(old_outputs) {
                let old_log_prob = *old - old_total;
                let old_prob = old_log_prob.exp();
                divergence += old_prob * (old_log_prob - (*output - total));
                *gradient -= old_prob;
            }
            return divergence;
        }
        let mut divergence = T::zero();
        for i in 0..outputs.len() {
            let precision = (T::of(-2.0) * log_std[i]).exp();
            let apart = outputs[i] - old_outputs[i];
            let narrower = ((T::of(2.0) * old_log_std[i]).exp() + apart * apart) * precision;
            divergence += log_std[i] - old_log_std[i] + T::of(0.5) * (narrower - T::one());
            gradient[i] = apart * precision;
            log_std_gradient[i] = T::one() - narrower;
        }
        divergence
    }

    /// Writes how [`Head::divergence_gradient`]'s gradient changes when outputs and log-std move by `by`.
    #[inline]
    pub fn divergence_change<T: Real>(
        &self,
        [outputs, log_std]: [&[T]; 2],
        [old_outputs, old_log_std]: [&[T]; 2],
        by: [&[T]; 2],
        [change, log_std_change]: [&mut [T]; 2],
    ) {
        if matches!(self, Self::Categorical) {
            return self.metric([outputs, log_std], by, [change, log_std_change]);
        }
        for i in 0..outputs.len() {
            let precision = (T::of(-2.0) * log_std[i]).exp();
            let apart = outputs[i] - old_outputs[i];
            let narrower = ((T::of(2.0) * old_log_std[i]).exp() + apart * apart) * precision;
            change[i] = (by[0][i] - T::of(2.0) * apart * by[1][i]) * precision;
            log_std_change[i] = T::of(2.0) * (narrower * by[1][i] - apart * by[0][i] * precision);
        }
    }
}

/// `log sqrt(2 pi)`.
const HALF_LOG_TAU: f64 = 0.918_938_533_204_672_7;

#[inline]
fn index<T: Real>(action: &[T]) -> usize {
    action[0].to_usize().unwrap_or(usize::MAX)
}

#[inline]
fn log_sum_exp<T: Real>(logits: &[T]) -> T {
    let greatest = logits.iter().copied().fold(T::neg_infinity(), T::max);
    greatest + logits.iter().map(|logit| (*logit - greatest).exp()).sum::<T>().ln()
}

/// Writes probabilities and gives `log sum exp`.
#[inline]
fn softmax<T: Real>(logits: &[T], probs: &mut [T]) -> T {
    let total = log_sum_exp(logits);
    probs.iter_mut().zip(logits).for_each(|(prob, logit)| *prob = (*logit - total).exp());
    total
}
