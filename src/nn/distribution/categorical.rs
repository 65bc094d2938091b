//! Categorical: one logit per action.

use super::Evaluated;
use crate::nn::kernel::LEAST_GRADIENT;
use crate::seed::Rng;
use tch::{Kind, Tensor};

/// `log sum exp`, shifted by the greatest logit.
#[inline]
fn log_sum_exp(logits: &[f32]) -> f32 {
    let greatest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    greatest + logits.iter().map(|logit| (logit - greatest).exp()).sum::<f32>().ln()
}

#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an action is a small whole number")]
fn index(action: &[f32]) -> usize {
    action[0] as usize
}

/// Draws an index by inversion and gives its log-probability.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "an action is a small whole number")]
pub fn sample(logits: &[f32], rng: &mut Rng, action: &mut [f32]) -> f32 {
    let total = log_sum_exp(logits);
    let mut left = rng.unit_f32();
    let mut chosen = logits.len() - 1;
    for (index, logit) in logits.iter().enumerate() {
        left -= (logit - total).exp();
        if left < 0.0 {
            chosen = index;
            break;
        }
    }
    action[0] = chosen as f32;
    logits[chosen] - total
}

/// The most probable index; the first of equals.
#[inline]
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "an action is a small whole number")]
pub fn mode(logits: &[f32]) -> f32 {
    let mut best = 0;
    for (index, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = index;
        }
    }
    best as f32
}

/// Log-probability of an index, and entropy.
#[inline]
#[must_use]
pub fn evaluate(logits: &[f32], action: &[f32]) -> Evaluated {
    let log_total = log_sum_exp(logits);
    let entropy = logits.iter().map(|logit| (logit - log_total) * -(logit - log_total).exp()).sum();
    Evaluated { log_prob: logits[index(action)] - log_total, entropy, log_total }
}

/// Kullback-Leibler divergence from one set of logits to another: `sum_i p_i (log p_i - log q_i)`.
#[must_use]
pub fn divergence(logits: &[f32], others: &[f32]) -> f32 {
    let (total, other_total) = (log_sum_exp(logits), log_sum_exp(others));
    logits.iter().zip(others).map(|(logit, other)| (logit - total).exp() * ((logit - total) - (other - other_total))).sum()
}

/// `d log p_a / d z_i = [i = a] - p_i`, `d H / d z_i = -p_i (log p_i + H)`.
#[inline]
pub fn backward(
    logits: &[f32],
    action: &[f32],
    evaluated: &Evaluated,
    log_prob_gradient: f32,
    entropy_gradient: f32,
    gradient: &mut [f32],
) {
    let chosen = index(action);
    for (i, (gradient, logit)) in gradient.iter_mut().zip(logits).enumerate() {
        let log_prob = logit - evaluated.log_total;
        let prob = log_prob.exp();
        let one = if i == chosen { 1.0 } else { 0.0 };
        let slope = log_prob_gradient * (one - prob) - entropy_gradient * prob * (log_prob + evaluated.entropy);
        *gradient = if slope.abs() > LEAST_GRADIENT { slope } else { 0.0 };
    }
}

/// Log-probabilities `[B]` and entropies `[B]` of logits `[B, A]` and actions `[B, 1]`.
#[must_use]
pub fn evaluate_tensors(logits: &Tensor, action: &Tensor) -> (Tensor, Tensor) {
    let log_probs = logits.log_softmax(-1, logits.kind());
    let chosen = log_probs.gather(-1, &action.to_kind(Kind::Int64), false).squeeze_dim(-1);
    let entropy = -(log_probs.exp() * &log_probs).sum_dim_intlist(-1, false, logits.kind());
    (chosen, entropy)
}

/// Divergences `[B]`, as [`divergence`], from logits `[B, A]` to others.
#[must_use]
pub fn divergence_tensors(logits: &Tensor, others: &Tensor) -> Tensor {
    let (log_probs, other_log_probs) = (logits.log_softmax(-1, logits.kind()), others.log_softmax(-1, logits.kind()));
    (log_probs.exp() * (&log_probs - other_log_probs)).sum_dim_intlist(-1, false, logits.kind())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    #[test]
    fn samples_come_as_often_as_their_probability_says() {
        let logits = [1.0, 0.0, -1.0];
        let mut rng = Stream::ActionNoise(0).under(0);
        let mut counts = [0.0_f64; 3];
        let mut action = [0.0];
        for _ in 0..30_000 {
            let log_prob = sample(&logits, &mut rng, &mut action);
            assert_eq!(log_prob.to_bits(), evaluate(&logits, &action).log_prob.to_bits(), "acting and learning see the same bits");
            counts[index(&action)] += 1.0 / 30_000.0;
        }
        // Standard error 0.0029: 6 of them fail once in 1e9.
        for (count, expected) in counts.iter().zip([0.6652, 0.2447, 0.0900]) {
            assert!((count - expected).abs() < 0.018, "{counts:?}");
        }
    }

    #[test]
    fn divergence_by_hand() {
        // p = (3/4, 1/4), q = (1/2, 1/2): KL = ln 2 - H(p).
        let expected = 0.75 * 1.5_f32.ln() + 0.25 * 0.5_f32.ln();
        assert!((divergence(&[3.0_f32.ln() + 5.0, 5.0], &[0.0, 0.0]) - expected).abs() < 1e-6);
        assert_eq!(divergence(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
    }

    #[test]
    fn gradients_are_autograds() {
        let logits = [0.3, -1.2, 0.7, 0.1];
        let tensor = Tensor::from_slice(&logits).view([1, 4]).set_requires_grad(true);
        let (log_prob, entropy) = evaluate_tensors(&tensor, &Tensor::from_slice(&[2.0_f32]).view([1, 1]));
        let plain = evaluate(&logits, &[2.0]);
        assert!((log_prob.double_value(&[0]) - f64::from(plain.log_prob)).abs() < 1e-6);
        assert!((entropy.double_value(&[0]) - f64::from(plain.entropy)).abs() < 1e-6);
        (log_prob * 0.7 + entropy * -0.4).sum(Kind::Float).backward();
        let mut gradient = [0.0; 4];
        backward(&logits, &[2.0], &plain, 0.7, -0.4, &mut gradient);
        for (i, value) in (0..).zip(gradient) {
            assert!((tensor.grad().double_value(&[0, i]) - f64::from(value)).abs() < 1e-6);
        }
    }
}
