//! Probability of improvement: how often a run of the one arm beats a run of the other (Agarwal et al. 2021, section 4.3).

/// Over all pairs; a tie is half a win. NaN where an arm is empty. (The Mann-Whitney U over the number of pairs.)
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn probability_of_improvement(a: &[f64], b: &[f64]) -> f64 {
    let mut sorted = b.to_vec();
    sorted.sort_by(f64::total_cmp);
    let wins = |value: f64| {
        let below = sorted.partition_point(|other| *other < value);
        let not_above = sorted.partition_point(|other| *other <= value);
        below as f64 + 0.5 * (not_above - below) as f64
    };
    a.iter().map(|value| wins(*value)).sum::<f64>() / (a.len() * b.len()) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_are_half_a_win() {
        assert_eq!(probability_of_improvement(&[1.0, 2.0], &[1.0, 0.0]), (0.5 + 1.0 + 1.0 + 1.0) / 4.0);
        assert_eq!(probability_of_improvement(&[3.0], &[3.0]), 0.5);
        assert!(probability_of_improvement(&[], &[1.0]).is_nan());
    }
}
