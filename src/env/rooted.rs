//! An environment whose episodes begin in a state that is given: what began elsewhere goes on under its own dynamics.
//!
//! The state is put into the simulator, inside of all wrappers, so that what these show and remember at the start belongs to it.

use super::{Action, Company, Env, Scene, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::Rng;

/// Where an episode begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Root {
    /// The simulator's state: what its snapshot ends with.
    pub state: Vec<f64>,
    /// What the simulator shows in this state, before any wrapper.
    pub observation: Vec<f64>,
}

/// A simulator that is reset, drawn parameters included, and then put into the state.
pub(super) struct Rooted {
    inner: Box<dyn Env>,
    root: Root,
}

impl Rooted {
    pub(super) fn new(inner: Box<dyn Env>, root: Root) -> Self {
        Self { inner, root }
    }

    /// Puts the simulator, which was just reset, into the state.
    fn begin(&mut self, observation: &mut [f64]) -> Result<()> {
        let mut own = Snapshot::default();
        self.inner.snapshot(&mut own);
        let (numbers, state) = (own.numbers(), &self.root.state);
        let before = numbers.len().checked_sub(state.len()).filter(|_| self.root.observation.len() == observation.len());
        let before = before.ok_or_else(|| Error::artefact("the state is not one of this simulator"))?;
        let mut wanted = Snapshot::from_numbers([&numbers[..before], state].concat());
        self.inner.restore(&mut wanted)?;
        wanted.finish()?;
        observation.copy_from_slice(&self.root.observation);
        Ok(())
    }
}

impl Env for Rooted {
    fn spaces(&self) -> &Spaces {
        self.inner.spaces()
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        self.inner.join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        self.inner.announce(action, rng);
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.inner.reset(rng, observation)?;
        self.begin(observation)
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.inner.restart(rng, observation)?;
        self.begin(observation)
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.inner.step(action, rng, observation)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.inner.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.inner.restore(from)
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.inner.parameter(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Registry;
    use crate::seed::Stream;

    #[test]
    fn wrappers_and_draws_are_the_environments_own_and_the_state_is_the_given_one() {
        let registry = Registry::standard();
        let root = || Root { state: vec![0.5, 0.0, -0.1, 0.0], observation: vec![0.5, 0.0, -0.1, 0.0] };
        // Two steps of delay: what the wrapper remembers at the start is the given state's observation.
        let mut env = registry.build_at(&registry.resolve("cartpole_delayed").unwrap(), root()).unwrap();
        let (mut rng, mut seen) = (Stream::Env(0).under(0), [0.0; 4]);
        env.reset(&mut rng, &mut seen).unwrap();
        assert_eq!(seen, [0.5, 0.0, -0.1, 0.0]);
        for _ in 0..2 {
            env.step(Action::Discrete(1), &mut rng, &mut seen).unwrap();
            assert_eq!(seen, [0.5, 0.0, -0.1, 0.0]);
        }
        env.step(Action::Discrete(1), &mut rng, &mut seen).unwrap();
        assert_ne!(seen[1], 0.0);

        // The drawn parameters are those that the environment would have drawn.
        let spec = registry.resolve("cartpole_randomized").unwrap();
        let drawn = |mut env: Box<dyn Env>| {
            let mut snapshot = Snapshot::default();
            env.reset(&mut Stream::Env(0).under(0), &mut [0.0; 4]).unwrap();
            env.snapshot(&mut snapshot);
            let numbers = snapshot.numbers();
            (numbers[..numbers.len() - 4].to_vec(), numbers[numbers.len() - 4..].to_vec())
        };
        let (own, rooted) = (drawn(registry.build(&spec).unwrap()), drawn(registry.build_at(&spec, root()).unwrap()));
        assert_eq!(own.0, rooted.0);
        assert_eq!(rooted.1, [0.5, 0.0, -0.1, 0.0]);

        let alien = Root { state: vec![0.0; 40], observation: vec![0.0; 4] };
        let mut env = registry.build_at(&spec, alien).unwrap();
        assert!(env.reset(&mut rng, &mut seen).is_err());
    }
}
