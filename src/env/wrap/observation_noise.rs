//! Noisy sensors.

use super::channel_index;
use super::layer::{Layer, wrap};
use crate::env::Env;
use crate::error::Result;
use crate::seed::Rng;

struct ObservationNoise {
    std: f64,
    channels: Vec<usize>,
}

pub(super) fn around(inner: Box<dyn Env>, std: f64, names: &[String]) -> Result<Box<dyn Env>> {
    let mut spaces = inner.spaces().clone();
    let channels: Vec<usize> = if names.is_empty() {
        (0..spaces.observation.len()).collect()
    } else {
        names.iter().map(|name| channel_index(&spaces, name)).collect::<Result<_>>()?
    };
    // A noisy value may lie anywhere.
    for &index in &channels {
        spaces.observation[index].low = f64::NEG_INFINITY;
        spaces.observation[index].high = f64::INFINITY;
    }
    Ok(wrap(inner, spaces, ObservationNoise { std, channels }))
}

impl Layer for ObservationNoise {
    fn see(&mut self, inner: &[f64], rng: &mut Rng, outer: &mut [f64]) {
        outer.copy_from_slice(inner);
        for &index in &self.channels {
            outer[index] += self.std * rng.normal();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn only_the_named_channels_are_noisy_and_unbounded() {
        let mut env = around(echo::discrete(), 0.5, &["done".into()]).unwrap();
        assert_eq!(env.spaces().observation[0].high, 1e9);
        assert_eq!(env.spaces().observation[1].high, f64::INFINITY);
        let seen = echo::observations(&mut *env, &echo::indices([1; 20_000]));
        assert!(seen.iter().enumerate().all(|(time, seen)| (seen[0] - time as f64).abs() < 1e-9));
        let variance = seen.iter().skip(1).map(|seen| (seen[1] - 1.0).powi(2)).sum::<f64>() / 20_000.0;
        // The variance of 20,000 draws is known to 1 %: 6 sd.
        assert!((variance / 0.25 - 1.0).abs() < 0.06, "{variance}");
    }
}
