//! Means and deviations.

/// The arithmetic mean; NaN of nothing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn mean(values: &[f64]) -> f64 {
    // What does not vary has itself as its mean, to the last bit, and no deviation.
    if let [first, rest @ ..] = values
        && rest.iter().all(|value| value == first)
    {
        return *first;
    }
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample (over n - 1); NaN below two values.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn standard_deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    let squares: f64 = values.iter().map(|value| (value - centre).powi(2)).sum();
    if values.len() < 2 { f64::NAN } else { (squares / (values.len() - 1) as f64).sqrt() }
}

/// The mean of the middle half (Agarwal et al. 2021), as `scipy.stats.trim_mean(values, 0.25)`: a quarter of the values, rounded down,
/// is cut off at each end.
#[must_use]
pub fn interquartile_mean(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 4;
    mean(&sorted[cut..sorted.len() - cut])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_by_hand() {
        assert_eq!(mean(&[1.0, 2.0, 6.0]), 3.0);
        assert_eq!(standard_deviation(&[1.0, 3.0]), 2.0_f64.sqrt());
        assert_eq!(interquartile_mean(&[100.0, 1.0, 2.0, 3.0, -50.0]), 2.0);
        assert!(mean(&[]).is_nan() && standard_deviation(&[1.0]).is_nan());
    }
}
