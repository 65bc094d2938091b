//! Unreliable motors.

use super::layer::{Layer, wrap};
use crate::env::{Action, ActionSpace, Env};
use crate::error::{Error, Result};
use crate::seed::Rng;

struct ActionNoise {
    std: f64,
    disturbed: Vec<f64>,
}

pub(super) fn around(inner: Box<dyn Env>, std: f64) -> Result<Box<dyn Env>> {
    let spaces = inner.spaces().clone();
    if matches!(spaces.action, ActionSpace::Discrete(_)) && std > 1.0 {
        return Err(Error::usage(format!("of a discrete action `std` is a probability, it cannot be {std}")));
    }
    let disturbed = vec![0.0; spaces.action.size()];
    Ok(wrap(inner, spaces, ActionNoise { std, disturbed }))
}

impl Layer for ActionNoise {
    fn act<'a>(&'a mut self, action: Action<'a>, rng: &mut Rng) -> Action<'a> {
        match action {
            Action::Discrete(index) => {
                // Both draws always happen, so that the stream's position does not depend on their outcome.
                let (chance, other) = (rng.unit(), rng.below(self.disturbed.len()));
                Action::Discrete(if chance < self.std { other } else { index })
            }
            Action::Continuous(values) => {
                for (disturbed, value) in self.disturbed.iter_mut().zip(values) {
                    *disturbed = value + self.std * rng.normal();
                }
                Action::Continuous(&self.disturbed)
            }
        }
    }
}
