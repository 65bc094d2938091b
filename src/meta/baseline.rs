//! The linear feature baseline (Duan et al. 2016, "Benchmarking deep reinforcement learning"): a value from the observation, its squares and powers of the
//! time, fitted anew to each batch by ridge regression; and advantages from it.

/// Added to the diagonal; ten times more, and so on, where that does not suffice.
const RIDGE: f64 = 1e-5;

/// One episode: observations `[T, O]` as the policy sees them, and rewards `[T]`.
#[derive(Debug, Clone, Copy)]
pub struct Track<'a> {
    /// `[T, O]`.
    pub inputs: &'a [f32],
    /// `[T]`.
    pub rewards: &'a [f64],
}

impl Track<'_> {
    fn observation(&self, step: usize) -> &[f32] {
        let size = self.inputs.len() / self.rewards.len().max(1);
        &self.inputs[step * size..][..size]
    }

    /// `[o, o^2, t, t^2, t^3, 1]`, the time in hundreds of steps.
    #[expect(clippy::cast_precision_loss, reason = "steps of an episode")]
    fn features(&self, step: usize, into: &mut Vec<f64>) {
        into.clear();
        let seen = self.observation(step);
        into.extend(seen.iter().map(|value| f64::from(*value).clamp(-10.0, 10.0)));
        into.extend(seen.iter().map(|value| f64::from(*value).clamp(-10.0, 10.0).powi(2)));
        let time = step as f64 / 100.0;
        into.extend([time, time * time, time * time * time, 1.0]);
    }
}

/// Generalized advantages (Schulman et al. 2016) of all episodes, one behind the other, shifted and scaled to mean 0 and standard deviation 1.
///
/// The baseline knows the time, so that an episode's end is worth nothing whether the task was over or the time was.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
pub fn advantages(tracks: &[Track<'_>], discount: f64, lambda: f64) -> Vec<f32> {
    let weights = fit(tracks, discount);
    let mut advantages = Vec::new();
    let mut features = Vec::new();
    for track in tracks {
        let values: Vec<f64> = (0..track.rewards.len())
            .map(|step| {
                track.features(step, &mut features);
                features.iter().zip(&weights).map(|(feature, weight)| feature * weight).sum()
            })
            .collect();
        let (first, mut next, mut sum) = (advantages.len(), 0.0, 0.0);
        for (reward, value) in track.rewards.iter().zip(&values).rev() {
            sum = reward + discount * next - value + discount * lambda * sum;
            next = *value;
            advantages.push(sum);
        }
        advantages[first..].reverse();
    }
    #[expect(clippy::cast_precision_loss, reason = "rows of a batch")]
    let count = advantages.len().max(1) as f64;
    let mean = advantages.iter().sum::<f64>() / count;
    let std = (advantages.iter().map(|advantage| (advantage - mean).powi(2)).sum::<f64>() / count).sqrt();
    advantages.into_iter().map(|advantage| ((advantage - mean) / (std + 1e-8)) as f32).collect()
}

/// Weights that bring features nearest to discounted returns.
fn fit(tracks: &[Track<'_>], discount: f64) -> Vec<f64> {
    let mut features = Vec::new();
    let size = tracks.first().map_or(4, |track| 2 * track.inputs.len() / track.rewards.len().max(1) + 4);
    let (mut matrix, mut vector) = (vec![0.0; size * size], vec![0.0; size]);
    for track in tracks {
        let mut to_go = 0.0;
        for step in (0..track.rewards.len()).rev() {
            to_go = track.rewards[step] + discount * to_go;
            track.features(step, &mut features);
            for (i, feature) in features.iter().enumerate() {
                vector[i] += feature * to_go;
                for (sum, other) in matrix[i * size..=i * size + i].iter_mut().zip(&features) {
                    *sum += feature * other;
                }
            }
        }
    }
    let ridges = (0..20).map(|power| RIDGE * 10_f64.powi(power));
    ridges.into_iter().find_map(|ridge| solve(&matrix, &vector, ridge)).unwrap_or_else(|| vec![0.0; size])
}

/// `(M + ridge I)^-1 v` by Cholesky's decomposition; `M` is `[n, n]`, of which the lower triangle is read. Nothing where it is not positive.
fn solve(matrix: &[f64], vector: &[f64], ridge: f64) -> Option<Vec<f64>> {
    let size = vector.len();
    let mut lower = vec![0.0; size * size];
    for i in 0..size {
        for j in 0..=i {
            let product: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
            let left = matrix[i * size + j] - product;
            lower[i * size + j] = if i == j {
                let pivot = left + ridge;
                if pivot.is_nan() || pivot <= 0.0 {
                    return None;
                }
                pivot.sqrt()
            } else {
                left / lower[j * size + j]
            };
        }
    }
    let mut x = vector.to_vec();
    for i in 0..size {
        let product: f64 = (0..i).map(|k| lower[i * size + k] * x[k]).sum();
        x[i] = (x[i] - product) / lower[i * size + i];
    }
    for i in (0..size).rev() {
        let product: f64 = (i + 1..size).map(|k| lower[k * size + i] * x[k]).sum();
        x[i] = (x[i] - product) / lower[i * size + i];
    }
    x.iter().all(|x| x.is_finite()).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    #[test]
    fn solving_is_undone_by_multiplying() {
        let mut rng = Stream::Init.under(3);
        let m: Vec<f64> = (0..36).map(|_| rng.normal()).collect();
        let matrix: Vec<f64> = (0..36).map(|at| (0..6).map(|k| m[at / 6 * 6 + k] * m[at % 6 * 6 + k]).sum()).collect();
        let x: Vec<f64> = (0..6).map(|_| rng.normal()).collect();
        let vector: Vec<f64> = (0..6).map(|i| (0..6).map(|j| (matrix[i * 6 + j] + if i == j { 0.5 } else { 0.0 }) * x[j]).sum()).collect();
        let found = solve(&matrix, &vector, 0.5).unwrap();
        assert!(found.iter().zip(&x).all(|(found, x)| (found - x).abs() < 1e-9));
    }

    /// A reward that the features explain leaves no advantage but rounding; without lambda and baseline it is the reward itself.
    #[test]
    fn what_the_baseline_explains_is_no_advantage() {
        let inputs: Vec<f32> = (0..50_u8).map(|step| f32::from(step) / 50.0).collect();
        // To go: the time left, a function of t alone.
        let rewards = vec![1.0; 50];
        let track = Track { inputs: &inputs, rewards: &rewards };
        let weights = fit(&[track], 1.0);
        let mut features = Vec::new();
        for step in 0..50 {
            track.features(step, &mut features);
            let value: f64 = features.iter().zip(&weights).map(|(feature, weight)| feature * weight).sum();
            assert!((value - (50.0 - f64::from(u8::try_from(step).unwrap()))).abs() < 0.01, "{step}: {value}");
        }
    }

    #[test]
    fn advantages_have_mean_nought_and_deviation_one() {
        let mut rng = Stream::Init.under(1);
        let inputs: Vec<f32> = (0..200_u8).map(f32::from).collect();
        let rewards: Vec<f64> = (0..100).map(|_| rng.normal()).collect();
        let tracks = [Track { inputs: &inputs[..120], rewards: &rewards[..60] }, Track { inputs: &inputs[120..], rewards: &rewards[60..] }];
        let found = advantages(&tracks, 0.99, 1.0);
        let mean = found.iter().sum::<f32>() / 100.0;
        let variance = found.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 100.0;
        assert!(found.len() == 100 && mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4);
    }
}
