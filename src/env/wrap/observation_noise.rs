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
    use crate::env::{Action, Channel};

    #[test]
    fn only_the_named_channels_are_noisy_and_unbounded() {
        let mut env = around(echo::discrete(), 0.5, &["done".into()]).unwrap();
        assert_eq!(env.spaces().observation, [Channel::new("time", 0.0, 1e9), Channel::unbounded("done")]);
        let seen = echo::observations(&mut *env, &vec![Action::Discrete(1); 20_000]);
        assert!(seen.windows(2).all(|pair| (pair[1][0] - pair[0][0] - 1.0).abs() < 1e-12), "the time is not");
        let variance = seen.iter().skip(1).map(|seen| (seen[1] - 1.0).powi(2)).sum::<f64>() / 20_000.0;
        // The variance of 20,000 draws is known to 1 %: 6 sd.
        assert!((variance / 0.25 - 1.0).abs() < 0.06, "{variance}");
    }
}
