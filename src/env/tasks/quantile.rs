//! Laws by their quantiles: a share between 0 and 1 becomes the value below which that share of all draws lies, and back.
//!
//! A region of tasks is then an interval of shares, whatever the law: of a uniform law a part of its width, of a log-uniform one a part
//! of its logarithm's, of a normal one a part of its mass, which leaves something in its tails.

use crate::env::parameter::Distribution;
use statrs::distribution::{ContinuousCDF, Normal};

impl Distribution {
    /// The value below which this share of all draws lies.
    pub(super) fn quantile(&self, share: f64) -> f64 {
        match self {
            Self::Uniform(low, high) => (low + (high - low) * share).clamp(*low, *high),
            Self::LogUniform(low, high) => (low.ln() + (high.ln() - low.ln()) * share).exp().clamp(*low, *high),
            Self::TruncatedNormal(mean, sd, low, high) => {
                let normal = Normal::standard();
                let [least, most] = [low, high].map(|end| normal.cdf((end - mean) / sd));
                (mean + sd * normal.inverse_cdf(least + (most - least) * share)).clamp(*low, *high)
            }
            Self::Choice(values) => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index")]
                let index = (share * values.len() as f64) as usize;
                values[index.min(values.len() - 1)]
            }
        }
    }

    /// Which share of all draws lies below a value; `None` of a choice, whose values have no order that means anything.
    pub(super) fn share_below(&self, value: f64) -> Option<f64> {
        let share = match self {
            Self::Uniform(low, high) => (value - low) / (high - low),
            Self::LogUniform(low, high) => (value / low).ln() / (high / low).ln(),
            Self::TruncatedNormal(mean, sd, low, high) => {
                let [least, most, below] = [*low, *high, value].map(|end| Normal::standard().cdf((end - mean) / sd));
                (below - least) / (most - least)
            }
            Self::Choice(_) => return None,
        };
        Some(share.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_laws() {
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        close(Distribution::Uniform(-1.0, 3.0).quantile(0.25), 0.0);
        close(Distribution::LogUniform(0.01, 100.0).quantile(0.75), 10.0);
        // Below -1 sd lies 0.1587 of a normal law, between -1 and 1 sd 0.6827; 0.1587 + 0.6827 / 4 lies below -0.4418.
        let normal = Distribution::TruncatedNormal(5.0, 2.0, 3.0, 7.0);
        close(normal.quantile(0.5), 5.0);
        assert!((normal.quantile(0.25) - (5.0 - 2.0 * 0.4418)).abs() < 1e-3, "{}", normal.quantile(0.25));
        let choice = Distribution::Choice(vec![1.0, 2.0, 6.0]);
        assert_eq!([0.0, 0.3, 0.34, 0.9, 1.0].map(|share| choice.quantile(share)), [1.0, 1.0, 2.0, 6.0, 6.0]);
    }

    #[test]
    fn shares_and_quantiles_undo_each_other_and_never_leave_the_law() {
        for law in [
            Distribution::Uniform(-3.0, 8.0),
            Distribution::LogUniform(1e-3, 1e4),
            Distribution::TruncatedNormal(1.0, 0.5, 0.0, 2.5),
            // An interval of which the law fills a small part, and one in its tail.
            Distribution::TruncatedNormal(1.0, 0.01, 0.0, 2.0),
            Distribution::TruncatedNormal(0.0, 1.0, 3.0, 9.0),
        ] {
            for step in 0..=100 {
                let share = f64::from(step) / 100.0;
                let value = law.quantile(share);
                let back = law.share_below(value).unwrap();
                assert!((back - share).abs() < 1e-6, "{law:?}: {share} became {value}, and that {back}");
            }
        }
    }
}
