//! How much of the returns' variance the critic predicts.

/// `1 - Var(returns - value) / Var(returns)`; 0 where returns do not vary.
#[must_use]
pub fn explained_variance(pairs: impl Iterator<Item = (f32, f32)> + Clone) -> f64 {
    let variance = |values: &mut dyn Iterator<Item = f64>| {
        let (mut count, mut mean, mut squares) = (0.0, 0.0, 0.0);
        for value in values {
            count += 1.0;
            let delta = value - mean;
            mean += delta / count;
            squares += delta * (value - mean);
        }
        squares / f64::max(count, 1.0)
    };
    let total = variance(&mut pairs.clone().map(|(_, returns)| f64::from(returns)));
    let left = variance(&mut pairs.map(|(value, returns)| f64::from(returns) - f64::from(value)));
    if total == 0.0 { 0.0 } else { 1.0 - left / total }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_critic_explains_all_and_a_constant_one_nothing() {
        let returns = [1.0_f32, 2.0, 4.0];
        assert_eq!(explained_variance(returns.iter().map(|value| (*value, *value))), 1.0);
        assert_eq!(explained_variance(returns.iter().map(|value| (3.0, *value))), 0.0);
        assert_eq!(explained_variance([(1.0_f32, 5.0_f32), (2.0, 5.0)].into_iter()), 0.0);
    }
}
