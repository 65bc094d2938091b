//! Confidence intervals.

use super::{mean, standard_deviation};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// A mean between its limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The estimate.
    pub mean: f64,
    /// The lower limit.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
}

/// How many standard errors an interval at this level (0.95) reaches to each side, by Student's t with so many degrees of freedom.
#[must_use]
pub fn t_quantile(level: f64, freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, freedom).map_or(f64::INFINITY, |t| t.inverse_cdf(0.5 + level / 2.0))
}

/// Student's t-interval of a mean at this level (0.95). `None` below two values: one value says nothing about spread.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn mean_interval(values: &[f64], level: f64) -> Option<Interval> {
    if values.len() < 2 {
        return None;
    }
    let count = values.len() as f64;
    let (mean, half) = (mean(values), t_quantile(level, count - 1.0) * standard_deviation(values) / count.sqrt());
    Some(Interval { mean, low: mean - half, high: mean + half })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_interval() {
        // t(0.975, 4 df) = 2.776445105; values 1..5: mean 3, sd sqrt(2.5).
        let interval = mean_interval(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.95).unwrap();
        let half = 2.776_445_105_197_793 * 2.5_f64.sqrt() / 5.0_f64.sqrt();
        assert!((interval.low - (3.0 - half)).abs() < 1e-9 && (interval.high - (3.0 + half)).abs() < 1e-9);
        assert_eq!(mean_interval(&[1.0], 0.95), None);
        let constant = mean_interval(&[500.0; 3], 0.95).unwrap();
        assert_eq!((constant.low, constant.high), (500.0, 500.0));
    }
}
