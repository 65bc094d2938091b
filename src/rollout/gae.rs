//! Generalised advantage estimation (Schulman et al. 2016, eq. 11 to 16).

use num_traits::Float;

/// Fills advantages `[T, N]` from rewards, values, and the values of what follows each step, all `[T, N]`.
///
/// `next_value` is the value of the next state; of the state that was cut off, where a step was truncated. It is not looked at where a
/// step terminated: nothing follows. `ended` is true for both, since the sum does not reach into the next episode.
///
/// # Panics
/// When the lengths differ.
#[expect(clippy::too_many_arguments, reason = "the equation has these terms")]
pub fn gae<F: Float>(
    reward: &[F],
    value: &[F],
    next_value: &[F],
    terminated: &[bool],
    ended: &[bool],
    environments: usize,
    discount: F,
    lambda: F,
    advantage: &mut [F],
) {
    let rows = advantage.len();
    assert!([reward.len(), value.len(), next_value.len(), terminated.len(), ended.len()].iter().all(|length| *length == rows));
    for row in (0..rows).rev() {
        let future = if terminated[row] { F::zero() } else { discount * next_value[row] };
        let delta = reward[row] + future - value[row];
        let later = if ended[row] || row + environments >= rows { F::zero() } else { advantage[row + environments] };
        advantage[row] = delta + discount * lambda * later;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    #[test]
    fn a_truncated_step_keeps_its_next_value_and_a_terminated_one_does_not() {
        let one_step = |terminated: bool| {
            let mut advantage = [0.0];
            gae(&[1.0], &[2.0], &[10.0], &[terminated], &[true], 1, 0.9, 0.95, &mut advantage);
            advantage[0]
        };
        assert_eq!(one_step(false), 1.0 + 0.9 * 10.0 - 2.0);
        assert_eq!(one_step(true), 1.0 - 2.0);
    }

    /// 1,000 random cases against the definition, a double sum in f64 (RELIABILITY: 1e-5 in f32, 1e-12 in f64).
    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "one of the two widths is f32")]
    fn it_is_the_double_sum() {
        let mut rng = Stream::Env(0).under(4);
        for _ in 0..1000 {
            let (steps, environments) = (1 + rng.below(40), 1 + rng.below(4));
            let rows = steps * environments;
            let (discount, lambda) = (rng.uniform(0.5, 1.0), rng.uniform(0.0, 1.0));
            let mut draw = |scale: f64| (0..rows).map(|_| scale * rng.normal()).collect::<Vec<f64>>();
            let (reward, value, next_value) = (draw(1.0), draw(3.0), draw(3.0));
            let kind: Vec<usize> = (0..rows).map(|_| rng.below(6)).collect();
            let terminated: Vec<bool> = kind.iter().map(|kind| *kind == 0).collect();
            let ended: Vec<bool> = kind.iter().map(|kind| *kind < 2).collect();
            let mut exact = vec![0.0; rows];
            for (row, exact) in exact.iter_mut().enumerate() {
                let mut weight = 1.0;
                let mut later = row;
                loop {
                    let future = if terminated[later] { 0.0 } else { discount * next_value[later] };
                    *exact += weight * (reward[later] + future - value[later]);
                    if ended[later] || later + environments >= rows {
                        break;
                    }
                    weight *= discount * lambda;
                    later += environments;
                }
            }
            let mut in_f64 = vec![0.0; rows];
            gae(&reward, &value, &next_value, &terminated, &ended, environments, discount, lambda, &mut in_f64);
            let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
            let mut in_f32 = vec![0.0_f32; rows];
            gae(
                &narrow(&reward),
                &narrow(&value),
                &narrow(&next_value),
                &terminated,
                &ended,
                environments,
                discount as f32,
                lambda as f32,
                &mut in_f32,
            );
            let size = exact.iter().fold(1.0_f64, |size, value| size.max(value.abs()));
            for row in 0..rows {
                assert!((in_f64[row] - exact[row]).abs() <= 1e-12 * size);
                assert!((f64::from(in_f32[row]) - exact[row]).abs() <= 1e-5 * size);
            }
        }
    }
}
