//! Welch's t-test: two means whose spreads may differ (Welch 1947).

use super::{mean, standard_deviation, t_quantile};
use statrs::distribution::{ContinuousCDF, StudentsT};

/// The difference of two means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Welch {
    /// The mean of the first minus that of the second.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
    /// Degrees of freedom (Welch and Satterthwaite).
    pub freedom: f64,
    /// Two-sided p of "no difference".
    pub p: f64,
}

impl Welch {
    /// Compares two samples. `None` when one has fewer than two values. Where neither varies, a difference is certain or absent.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    pub fn new(a: &[f64], b: &[f64]) -> Option<Self> {
        if a.len() < 2 || b.len() < 2 {
            return None;
        }
        let square = |values: &[f64]| standard_deviation(values).powi(2) / values.len() as f64;
        let (of_a, of_b) = (square(a), square(b));
        let difference = mean(a) - mean(b);
        let error = (of_a + of_b).sqrt();
        if error == 0.0 {
            return Some(Self { difference, error, freedom: f64::INFINITY, p: if difference == 0.0 { 1.0 } else { 0.0 } });
        }
        let freedom = (of_a + of_b).powi(2) / (of_a.powi(2) / (a.len() - 1) as f64 + of_b.powi(2) / (b.len() - 1) as f64);
        let p = 2.0 * StudentsT::new(0.0, 1.0, freedom).ok()?.cdf(-(difference / error).abs());
        Some(Self { difference, error, freedom, p })
    }

    /// The interval of the difference at this level (0.95).
    #[must_use]
    pub fn interval(&self, level: f64) -> [f64; 2] {
        if self.error == 0.0 {
            return [self.difference; 2];
        }
        let quantile = t_quantile(level, self.freedom);
        [self.difference - quantile * self.error, self.difference + quantile * self.error]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_spread_a_difference_is_certain_or_absent() {
        let same = Welch::new(&[500.0; 3], &[500.0; 4]).unwrap();
        assert_eq!((same.p, same.interval(0.95)), (1.0, [0.0, 0.0]));
        let other = Welch::new(&[500.0; 3], &[499.0; 4]).unwrap();
        assert_eq!((other.p, other.interval(0.95)), (0.0, [1.0, 1.0]));
        let tenths = Welch::new(&[0.1; 6], &[0.1; 1000]).unwrap();
        assert_eq!((tenths.error, tenths.p), (0.0, 1.0), "no rounding makes a difference");
        assert_eq!(Welch::new(&[1.0], &[1.0, 2.0]), None);
    }
}
