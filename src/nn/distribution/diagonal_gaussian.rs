//! Diagonal Gaussian: a mean for each action from the network, a standard deviation that does not depend on the state.

use crate::seed::Rng;
use tch::Tensor;

/// `log sqrt(2 pi)`.
pub(super) const HALF_LOG_TAU: f32 = 0.918_938_5;

/// Draws an action and gives its log-probability.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "actions are f32")]
pub fn sample(mean: &[f32], log_std: &[f32], rng: &mut Rng, action: &mut [f32]) -> f32 {
    for ((action, mean), log_std) in action.iter_mut().zip(mean).zip(log_std) {
        *action = mean + log_std.exp() * rng.normal() as f32;
    }
    log_prob(mean, log_std, action)
}

/// `sum_i -(a_i - mu_i)^2 / (2 sigma_i^2) - log sigma_i - log sqrt(2 pi)`.
#[inline]
#[must_use]
pub fn log_prob(mean: &[f32], log_std: &[f32], action: &[f32]) -> f32 {
    let terms = action.iter().zip(mean).zip(log_std);
    terms
        .map(|((action, mean), log_std)| {
            let z = (action - mean) * (-log_std).exp();
            -0.5 * z * z - log_std - HALF_LOG_TAU
        })
        .sum()
}

/// `sum_i log sigma_i + log sqrt(2 pi e)`.
#[inline]
#[must_use]
pub fn entropy(log_std: &[f32]) -> f32 {
    log_std.iter().map(|log_std| log_std + HALF_LOG_TAU + 0.5).sum()
}

/// Kullback-Leibler divergence from one Gaussian to another: `sum_i log(s2 / s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2`.
#[must_use]
pub fn divergence([mean, log_std]: [&[f32]; 2], [other_mean, other_log_std]: [&[f32]; 2]) -> f32 {
    let terms = mean.iter().zip(log_std).zip(other_mean.iter().zip(other_log_std));
    terms
        .map(|((mean, log_std), (other_mean, other_log_std))| {
            let (narrower, apart) = ((log_std - other_log_std).exp(), (mean - other_mean) * (-other_log_std).exp());
            other_log_std - log_std + 0.5 * (narrower * narrower + apart * apart - 1.0)
        })
        .sum()
}

/// `d log p / d mu_i = (a_i - mu_i) / sigma_i^2`, `d log p / d log sigma_i = z_i^2 - 1`, `d H / d log sigma_i = 1`.
#[inline]
pub fn backward(
    mean: &[f32],
    log_std: &[f32],
    action: &[f32],
    log_prob_gradient: f32,
    entropy_gradient: f32,
    mean_gradient: &mut [f32],
    log_std_gradient: &mut [f32],
) {
    let inputs = action.iter().zip(mean).zip(log_std);
    for (((action, mean), log_std), (mean_gradient, log_std_gradient)) in inputs.zip(mean_gradient.iter_mut().zip(log_std_gradient)) {
        let inverse = (-log_std).exp();
        let z = (action - mean) * inverse;
        *mean_gradient = log_prob_gradient * z * inverse;
        *log_std_gradient += log_prob_gradient * (z * z - 1.0) + entropy_gradient;
    }
}

/// Log-probabilities `[B]` of actions `[B, A]`, given means `[B, A]` and log-std `[A]`.
#[must_use]
pub fn log_prob_tensor(mean: &Tensor, log_std: &Tensor, action: &Tensor) -> Tensor {
    let z = (action - mean) * (-log_std).exp();
    let terms = z.square() * -0.5 - log_std - (2.0 * std::f64::consts::PI).sqrt().ln();
    terms.sum_dim_intlist(-1, false, mean.kind())
}

/// Divergences `[B]`, as [`divergence`], given means `[B, A]` and log-std `[A]` of both.
#[must_use]
pub fn divergence_tensors([mean, log_std]: [&Tensor; 2], [other_mean, other_log_std]: [&Tensor; 2]) -> Tensor {
    let narrower = (log_std - other_log_std).exp().square();
    let apart = ((mean - other_mean) * (-other_log_std).exp()).square();
    (other_log_std - log_std + (narrower + apart - 1.0) * 0.5).sum_dim_intlist(-1, false, mean.kind())
}

/// Entropies `[B]`, all the same, given means `[B, A]` and log-std `[A]`.
#[must_use]
pub fn entropy_tensor(mean: &Tensor, log_std: &Tensor) -> Tensor {
    let per_action = (2.0 * std::f64::consts::PI * std::f64::consts::E).sqrt().ln();
    (log_std + per_action).sum(mean.kind()).expand([mean.size()[0]], false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;
    use tch::Kind;

    #[test]
    fn divergence_by_hand() {
        // N(1, 1) to N(0, 2): ln 2 + (1 + 1) / 8 - 1/2.
        let expected = 2.0_f32.ln() + 0.25 - 0.5;
        assert!((divergence([&[1.0], &[0.0]], [&[0.0], &[2.0_f32.ln()]]) - expected).abs() < 1e-6);
        assert_eq!(divergence([&[1.0], &[0.5]], [&[1.0], &[0.5]]), 0.0);
    }

    #[test]
    fn samples_have_the_mean_and_deviation_they_should() {
        let (mean, log_std) = ([0.5, -1.0], [0.0_f32, -0.7]);
        let mut rng = Stream::ActionNoise(0).under(1);
        let mut sums = [[0.0_f64; 2]; 2];
        let mut action = [0.0; 2];
        for _ in 0..20_000 {
            let log_prob_sampled = sample(&mean, &log_std, &mut rng, &mut action);
            assert_eq!(log_prob_sampled.to_bits(), log_prob(&mean, &log_std, &action).to_bits());
            for i in 0..2 {
                sums[i][0] += f64::from(action[i]) / 20_000.0;
                sums[i][1] += f64::from(action[i] - mean[i]).powi(2) / 20_000.0;
            }
        }
        for i in 0..2 {
            let std = f64::from(log_std[i]).exp();
            // 6 standard errors: false failure below 1e-8.
            assert!((sums[i][0] - f64::from(mean[i])).abs() < 6.0 * std / 141.0);
            assert!((sums[i][1].sqrt() / std - 1.0).abs() < 6.0 / 200.0);
        }
    }

    #[test]
    fn gradients_are_autograds() {
        let (mean, log_std, action) = ([0.3_f32, -0.2], [-0.5_f32, 0.2], [1.0_f32, -0.4]);
        let mean_tensor = Tensor::from_slice(&mean).view([1, 2]).set_requires_grad(true);
        let log_std_tensor = Tensor::from_slice(&log_std).set_requires_grad(true);
        let log_prob_of = log_prob_tensor(&mean_tensor, &log_std_tensor, &Tensor::from_slice(&action).view([1, 2]));
        let entropy_of = entropy_tensor(&mean_tensor, &log_std_tensor);
        assert!((log_prob_of.double_value(&[0]) - f64::from(log_prob(&mean, &log_std, &action))).abs() < 1e-6);
        assert!((entropy_of.double_value(&[0]) - f64::from(entropy(&log_std))).abs() < 1e-6);
        (log_prob_of * 0.7 + entropy_of * -0.4).sum(Kind::Float).backward();
        let (mut mean_gradient, mut log_std_gradient) = ([0.0; 2], [0.0; 2]);
        backward(&mean, &log_std, &action, 0.7, -0.4, &mut mean_gradient, &mut log_std_gradient);
        for i in 0..2 {
            let at = i64::try_from(i).unwrap();
            assert!((mean_tensor.grad().double_value(&[0, at]) - f64::from(mean_gradient[i])).abs() < 1e-6);
            assert!((log_std_tensor.grad().double_value(&[at]) - f64::from(log_std_gradient[i])).abs() < 1e-6);
        }
    }
}
