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
