//! What all wrappers share: everything passes through, but for what a [`Layer`] says of actions, observations and rewards.

use crate::env::{Action, Company, Env, Scene, Snapshot, Spaces, Step};
use crate::error::Result;
use crate::seed::Rng;

/// What a wrapper changes; what it does not mention stays as it is.
pub(super) trait Layer: Send + 'static {
    /// Whether actions go in as they come, so that one can be announced.
    const KEEPS_ACTIONS: bool = true;

    /// The inner action that an outer one becomes.
    fn act<'a>(&'a mut self, action: Action<'a>, _rng: &mut Rng) -> Action<'a> {
        action
    }

    /// The outer observation that an inner one becomes.
    fn see(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        outer.copy_from_slice(inner);
    }

    /// The same for the first observation of an episode, where memory begins anew.
    fn begin(&mut self, inner: &[f64], rng: &mut Rng, outer: &mut [f64]) {
        self.see(inner, rng, outer);
    }

    /// The outer reward that an inner one becomes.
    fn reward(&self, inner: f64) -> f64 {
        inner
    }

    /// Saves its memory.
    fn snapshot(&self, _into: &mut Snapshot) {}

    /// Continues from a saved memory.
    fn restore(&mut self, _from: &mut Snapshot) -> Result<()> {
        Ok(())
    }
}

struct Wrapped<L> {
    inner: Box<dyn Env>,
    spaces: Spaces,
    inner_observation: Vec<f64>,
    layer: L,
}

/// An environment behind a layer; `spaces` are what it then shows.
pub(super) fn wrap(inner: Box<dyn Env>, spaces: Spaces, layer: impl Layer) -> Box<dyn Env> {
    let inner_observation = vec![0.0; inner.spaces().observation.len()];
    Box::new(Wrapped { inner, spaces, inner_observation, layer })
}

impl<L: Layer> Env for Wrapped<L> {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        self.inner.join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        if L::KEEPS_ACTIONS {
            self.inner.announce(action, rng);
        }
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.inner.reset(rng, &mut self.inner_observation)?;
        self.layer.begin(&self.inner_observation, rng, observation);
        Ok(())
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.inner.restart(rng, &mut self.inner_observation)?;
        self.layer.begin(&self.inner_observation, rng, observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let step = self.inner.step(self.layer.act(action, rng), rng, &mut self.inner_observation)?;
        self.layer.see(&self.inner_observation, rng, observation);
        Ok(Step { reward: self.layer.reward(step.reward), ..step })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.layer.snapshot(into);
        self.inner.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.layer.restore(from)?;
        self.inner.restore(from)
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.inner.parameter(name)
    }
}
