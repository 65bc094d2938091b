//! Probability of improvement: how often a run of the one arm beats a run of the other (Agarwal et al. 2021, section 4.3).

/// Over all pairs; a tie is half a win. NaN where an arm is empty. (The Mann-Whitney U over the number of pairs.)
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn probability_of_improvement(a: &[f64], b: &[f64]) -> f64 {
    let win = |a: f64, b: f64| {
        if a > b {
            1.0
        } else if a == b {
            0.5
        } else {
            0.0
        }
    };
    let wins: f64 = a.iter().map(|a| b.iter().map(|b| win(*a, *b)).sum::<f64>()).sum();
    wins / (a.len() * b.len()) as f64
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
