//! Holm's correction: many comparisons, one chance of 5 % that any of them is wrong (Holm 1979).

/// A comparison after the correction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// The adjusted p.
    pub p: f64,
    /// The level at which its interval stands: it excludes 0 exactly where the adjusted p is at most `alpha`.
    pub level: f64,
}

/// Corrects these p; results in their order.
///
/// The k-th smallest of m is held against `alpha / (m - k + 1)`, and the first that fails lets all later ones fail. An interval is drawn at
/// the level of its own step, and those that fail at the level of the step that failed.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a study has few comparisons")]
pub fn holm(p: &[f64], alpha: f64) -> Vec<Adjusted> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![Adjusted { p: 1.0, level: 1.0 - alpha }; p.len()];
    let (mut largest, mut failed) = (0.0_f64, None);
    for (rank, index) in order.into_iter().enumerate() {
        let remaining = (p.len() - rank) as f64;
        largest = largest.max((p[index] * remaining).min(1.0));
        if largest > alpha {
            failed = failed.or(Some(remaining));
        }
        adjusted[index] = Adjusted { p: largest, level: 1.0 - alpha / failed.unwrap_or(remaining) };
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_case() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005], 0.05);
        let p: Vec<f64> = adjusted.iter().map(|adjusted| adjusted.p).collect();
        for (found, expected) in p.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((found - expected).abs() < 1e-15, "{p:?}");
        }
        // 0.03 fails at the step of 0.05 / 2; 0.04 stands at the same level.
        assert!((adjusted[2].level - 0.975).abs() < 1e-15 && (adjusted[1].level - 0.975).abs() < 1e-15);
        assert!(holm(&[], 0.05).is_empty());
    }
}
