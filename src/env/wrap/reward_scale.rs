//! Another size or sign of the reward.

use super::layer::{Layer, wrap};
use crate::env::Env;

struct RewardScale {
    factor: f64,
}

pub(super) fn around(inner: Box<dyn Env>, factor: f64) -> Box<dyn Env> {
    let spaces = inner.spaces().clone();
    wrap(inner, spaces, RewardScale { factor })
}

impl Layer for RewardScale {
    fn reward(&self, inner: f64) -> f64 {
        inner * self.factor
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;
    use crate::env::Action;
    use crate::seed::Stream;

    #[test]
    fn rewards_are_multiplied() {
        let mut env = around(echo::discrete(), -2.0);
        let (mut rng, mut observation) = (Stream::Env(0).under(0), [0.0; 2]);
        env.reset(&mut rng, &mut observation).unwrap();
        let mut reward = || env.step(Action::Discrete(0), &mut rng, &mut observation).unwrap().reward;
        assert_eq!(vec![reward(), reward()], [-2.0, -4.0]);
    }
}
