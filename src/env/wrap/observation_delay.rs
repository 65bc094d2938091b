//! Slow sensors: what is seen happened some steps ago.

use super::layer::{Layer, wrap};
use crate::env::{Env, Snapshot};
use crate::error::{Error, Result};
use crate::seed::Rng;

struct ObservationDelay {
    /// The last `steps` observations, a ring of `[steps, O]`.
    past: Vec<f64>,
    /// Where the oldest one stands, and the next one goes.
    oldest: usize,
    steps: usize,
}

pub(super) fn around(inner: Box<dyn Env>, steps: usize) -> Box<dyn Env> {
    let spaces = inner.spaces().clone();
    let past = vec![0.0; steps * spaces.observation.len()];
    wrap(inner, spaces, ObservationDelay { past, oldest: 0, steps })
}

impl Layer for ObservationDelay {
    fn begin(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        self.past.chunks_exact_mut(inner.len()).for_each(|past| past.copy_from_slice(inner));
        self.oldest = 0;
        outer.copy_from_slice(inner);
    }

    fn see(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        let oldest = &mut self.past[self.oldest * inner.len()..][..inner.len()];
        outer.copy_from_slice(oldest);
        oldest.copy_from_slice(inner);
        self.oldest = (self.oldest + 1) % self.steps;
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.past);
        into.put_count(self.oldest);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        from.take_all(&mut self.past)?;
        self.oldest = from.take_count()?;
        if self.oldest < self.steps { Ok(()) } else { Err(Error::artefact("the snapshot's delay is longer than the environment's")) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn what_is_seen_is_old_and_at_the_start_the_start() {
        let mut env = around(echo::discrete(), 2);
        let times = |env: &mut dyn Env| echo::observations(env, &echo::indices([0; 5])).iter().map(|seen| seen[0]).collect::<Vec<_>>();
        assert_eq!(times(&mut *env), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
        assert_eq!(times(&mut *env), [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    }
}
