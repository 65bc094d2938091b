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
    const KEEPS_ACTIONS: bool = false;

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

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn a_discrete_action_is_replaced_this_often() {
        let mut env = around(echo::discrete(), 0.3).unwrap();
        let seen = echo::observations(&mut *env, &vec![Action::Discrete(0); 30_000]);
        let others = seen.iter().skip(1).filter(|seen| seen[1] != 0.0).count();
        // Two of three replacements show: 6000 +- 69; 6 sd leave a false-failure rate below 1e-8.
        assert!(others.abs_diff(6000) < 420, "{others}");
        assert!(around(echo::discrete(), 1.1).is_err());
    }

    #[test]
    fn a_continuous_action_is_disturbed_this_much() {
        let mut env = around(echo::continuous(), 0.3).unwrap();
        let seen = echo::observations(&mut *env, &vec![Action::Continuous(&[0.5, -0.5]); 20_000]);
        let square = |seen: &Vec<f64>| (seen[1] - 0.5).powi(2) + (seen[2] + 0.5).powi(2);
        let variance = seen.iter().skip(1).map(square).sum::<f64>() / 40_000.0;
        // The variance of 40,000 draws is known to 0.7 %: 6 sd.
        assert!((variance / 0.09 - 1.0).abs() < 0.043, "{variance}");
        let mut still = around(echo::continuous(), 0.0).unwrap();
        assert_eq!(echo::observations(&mut *still, &[Action::Continuous(&[0.5, -0.5])])[1], [1.0, 0.5, -0.5]);
    }
}
