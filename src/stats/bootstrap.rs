//! The percentile bootstrap (Efron 1979), stratified by arm as in rliable (Agarwal et al. 2021).

/// The interval between the percentiles of a statistic over resampled arms, each arm drawn from its own values with replacement.
/// `draw(n)` gives an index below `n`, uniformly.
#[must_use]
pub fn percentile_interval(
    arms: &[&[f64]],
    statistic: impl Fn(&[Vec<f64>]) -> f64,
    repetitions: usize,
    level: f64,
    mut draw: impl FnMut(usize) -> usize,
) -> [f64; 2] {
    let mut resampled: Vec<Vec<f64>> = arms.iter().map(|arm| arm.to_vec()).collect();
    let mut found: Vec<f64> = (0..repetitions)
        .map(|_| {
            for (into, arm) in resampled.iter_mut().zip(arms) {
                for value in into.iter_mut() {
                    *value = arm[draw(arm.len())];
                }
            }
            statistic(&resampled)
        })
        .collect();
    found.sort_by(f64::total_cmp);
    let tail = (1.0 - level) / 2.0;
    [percentile(&found, tail), percentile(&found, 1.0 - tail)]
}

/// The share `q` of sorted values lies below this: linear between neighbours, as NumPy's `percentile`.
#[must_use]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position in a list")]
pub fn percentile(sorted: &[f64], q: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = q.clamp(0.0, 1.0) * last as f64;
    let below = position.floor() as usize;
    let above = (below + 1).min(last);
    sorted[below] + (position - position.floor()) * (sorted[above] - sorted[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(percentile(&sorted, 0.0), 1.0);
        assert_eq!(percentile(&sorted, 0.5), 3.0);
        assert!((percentile(&sorted, 0.9) - 6.8).abs() < 1e-12);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
