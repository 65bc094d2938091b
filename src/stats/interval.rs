//! Confidence intervals.

use super::{mean, standard_deviation};
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

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
    // Beyond, statrs loses digits, and at last does not come back. The expansion in 1 / freedom (Abramowitz & Stegun 26.7.5) does not.
    if freedom > 1000.0 {
        let z = Normal::standard().inverse_cdf(0.5 + level / 2.0);
        let terms = [(z.powi(3) + z) / 4.0, (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / 96.0];
        return z + terms[0] / freedom + terms[1] / (freedom * freedom);
    }
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
    fn quantiles_of_any_freedom_and_level() {
        for exponent in 0..400 {
            let freedom = 1.0 * 10.0_f64.powf(f64::from(exponent) / 30.0);
            for nines in 1..90 {
                let level = 1.0 - 10.0_f64.powf(-f64::from(nines) / 10.0);
                let (t, normal) = (t_quantile(level, freedom), t_quantile(level, f64::INFINITY));
                assert!(t.is_finite() && t >= normal * (1.0 - 1e-8), "{level} {freedom}: {t} {normal}");
            }
        }
        // scipy.stats.t.ppf(0.975, [999.9, 1000.1]), ppf(0.9995, 1000.1).
        for (level, freedom, expected) in [(0.95, 999.9, 1.962_339_318), (0.95, 1000.1, 1.962_338_843), (0.999, 1000.1, 3.300_281_617)] {
            assert!((t_quantile(level, freedom) - expected).abs() < 1e-8, "{freedom}: {}", t_quantile(level, freedom));
        }
    }

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
