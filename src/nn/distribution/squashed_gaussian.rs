//! Squashed Gaussian: a diagonal Gaussian sent through tanh (Haarnoja et al. 2018, appendix C).
//!
//! Actions are kept *before* squashing: exact at the bounds, and a ratio of two log-probabilities is then that of the Gaussians. The
//! squashed law's entropy has no closed form; where an entropy is asked for it is the Gaussian's.

use super::diagonal_gaussian;
use tch::Tensor;

/// Log-probability of `tanh(u)` for an unsquashed `u`: the Gaussian's minus `sum log(1 - tanh(u)^2)`, written without cancellation.
#[inline]
#[must_use]
pub fn log_prob(mean: &[f32], log_std: &[f32], unsquashed: &[f32]) -> f32 {
    let volume: f32 = unsquashed.iter().map(|u| 2.0 * (std::f32::consts::LN_2 - u - softplus(-2.0 * u))).sum();
    diagonal_gaussian::log_prob(mean, log_std, unsquashed) - volume
}

/// `log(1 + exp(x))`.
#[inline]
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Log-probabilities `[B]` of `tanh(u)` for unsquashed actions `[B, A]`.
#[must_use]
pub fn log_prob_tensor(mean: &Tensor, log_std: &Tensor, unsquashed: &Tensor) -> Tensor {
    let volume = (std::f64::consts::LN_2 - unsquashed - (unsquashed * -2.0).softplus()) * 2.0;
    diagonal_gaussian::log_prob_tensor(mean, log_std, unsquashed) - volume.sum_dim_intlist(-1, false, mean.kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "densities are f32")]
    fn the_density_of_the_squashed_action_integrates_to_one() {
        let (mean, log_std) = ([0.4], [-0.3]);
        // Over a = tanh(u) in (-1, 1): the sum of density times width.
        let n = 200_000;
        let total: f64 = (0..n)
            .map(|i| {
                let a = (f64::from(i) + 0.5) / f64::from(n) * 2.0 - 1.0;
                f64::from(log_prob(&mean, &log_std, &[a.atanh() as f32])).exp() * 2.0 / f64::from(n)
            })
            .sum();
        assert!((total - 1.0).abs() < 1e-4, "{total}");
    }

    #[test]
    fn the_tensor_form_agrees_far_into_saturation() {
        for u in [-30.0_f32, -3.0, 0.0, 0.5, 8.0, 30.0] {
            let tensor = |value: f32| Tensor::from_slice(&[value]).view([1, 1]);
            let expected = log_prob_tensor(&tensor(0.1), &Tensor::from_slice(&[0.2_f32]), &tensor(u)).double_value(&[0]);
            let found = f64::from(log_prob(&[0.1], &[0.2], &[u]));
            assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{u}: {found} {expected}");
        }
    }
}
