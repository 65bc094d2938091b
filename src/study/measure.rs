//! What a learning curve is worth: one number for a budget, out of the evaluations on the way.

use super::cell::Point;
use super::file::Measure;

/// The measure of a whole curve.
#[must_use]
pub fn measure(measure: Measure, curve: &[Point]) -> f64 {
    up_to(measure, curve, u64::MAX)
}

/// The measure of the curve up to a budget of steps. A curve of one point (what learns nothing) is that point at any budget.
#[must_use]
pub fn up_to(measure: Measure, curve: &[Point], budget: u64) -> f64 {
    let reached = curve.iter().take_while(|point| point.steps <= budget).count().max(1).min(curve.len());
    let curve = &curve[..reached];
    match measure {
        Measure::Mean => area(curve),
        Measure::Final => last_tenth(curve),
    }
}

/// The area under the curve by the trapezoid rule, over its length.
#[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
fn area(curve: &[Point]) -> f64 {
    let (Some(first), Some(last)) = (curve.first(), curve.last()) else { return f64::NAN };
    if first.steps == last.steps {
        return last.mean;
    }
    let trapezoid = |pair: &[Point]| (pair[1].steps - pair[0].steps) as f64 * 0.5 * (pair[0].mean + pair[1].mean);
    curve.windows(2).map(trapezoid).sum::<f64>() / (last.steps - first.steps) as f64
}

/// The mean of the evaluations in the last tenth of the steps, its beginning excluded; the last one alone where there is no other.
fn last_tenth(curve: &[Point]) -> f64 {
    let Some(last) = curve.last() else { return f64::NAN };
    let late: Vec<f64> = curve.iter().filter(|point| 10 * point.steps > 9 * last.steps).map(|point| point.mean).collect();
    if late.is_empty() { last.mean } else { crate::stats::mean(&late) }
}

/// The curve as it stands at other times: between two evaluations, the policy is the earlier one.
#[must_use]
pub fn in_force(curve: &[Point], times: &[u64]) -> Vec<Point> {
    let at = |steps: &u64| {
        let point = curve.iter().rev().find(|point| point.steps <= *steps).or_else(|| curve.first())?;
        Some(Point { steps: *steps, ..point.clone() })
    };
    times.iter().filter_map(at).collect()
}

/// Steps of the first evaluation that reaches a return; `None` where the curve ends below it: the time is censored, not known.
#[must_use]
pub fn time_to(threshold: f64, curve: &[Point]) -> Option<u64> {
    curve.iter().find(|point| point.mean >= threshold).map(|point| point.steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(values: &[(u64, f64)]) -> Vec<Point> {
        let point =
            |&(steps, mean): &(u64, f64)| Point { steps, mean, sampled: mean, entropy: 0.0, divergence: None, explained_variance: None };
        values.iter().map(point).collect()
    }

    #[test]
    fn measures_by_hand() {
        let curve = curve(&[(0, 0.0), (10, 10.0), (30, 40.0), (100, 40.0)]);
        // 50 + 500 + 2800 over 100.
        assert_eq!(measure(Measure::Mean, &curve), 33.5);
        assert_eq!(measure(Measure::Final, &curve), 40.0);
        assert_eq!(up_to(Measure::Mean, &curve, 10), 5.0);
        assert_eq!(up_to(Measure::Final, &curve, 29), 10.0);
        assert_eq!(up_to(Measure::Mean, &curve[..1], 50), 0.0);
        assert_eq!((time_to(40.0, &curve), time_to(41.0, &curve), time_to(0.0, &curve)), (Some(30), None, Some(0)));
    }

    #[test]
    fn between_evaluations_the_earlier_one_holds() {
        let curve = curve(&[(0, 1.0), (7, 2.0), (12, 3.0), (31, 4.0)]);
        let seen: Vec<(u64, f64)> = in_force(&curve, &[0, 10, 20, 30]).iter().map(|point| (point.steps, point.mean)).collect();
        assert_eq!(seen, [(0, 1.0), (10, 2.0), (20, 3.0), (30, 3.0)]);
        assert!(in_force(&[], &[0, 10]).is_empty());
    }

    #[test]
    fn the_last_tenth_is_the_last_two_of_twenty() {
        let curve = curve(&(0..=20).map(|index| (index * 5, f64::from(u32::try_from(index).unwrap()))).collect::<Vec<_>>());
        assert_eq!(measure(Measure::Final, &curve), 19.5);
    }
}
