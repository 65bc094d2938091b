//! Domain randomization: a simulator whose parameters are drawn anew at every reset. One draw is one task.

use super::parameter::Quantities;
use super::registry::Simulator;
use super::{Action, Env, Scene, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::{Rng, Stream};
use std::sync::Arc;

/// Builds its simulator anew, with newly drawn parameters, at every reset.
pub(super) struct Randomized {
    simulator: Arc<Simulator>,
    context: Quantities,
    objective: Quantities,
    drawn: (Values, Values),
    current: Box<dyn Env>,
}

impl Randomized {
    pub(super) fn new(simulator: Arc<Simulator>, context: Quantities, objective: Quantities) -> Result<Self> {
        // The first reset draws again: this draw only makes an environment to ask for its spaces.
        let mut rng = Stream::Init.under(0);
        let drawn = (context.draw(&mut rng), objective.draw(&mut rng));
        let current = simulator.build(&drawn.0, &drawn.1)?;
        Ok(Self { simulator, context, objective, drawn, current })
    }

    fn rebuild(&mut self) -> Result<()> {
        self.current = self.simulator.build(&self.drawn.0, &self.drawn.1)?;
        Ok(())
    }
}

impl Env for Randomized {
    fn spaces(&self) -> &Spaces {
        self.current.spaces()
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.drawn = (self.context.draw(rng), self.objective.draw(rng));
        self.rebuild()?;
        self.current.reset(rng, observation)
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.current.step(action, rng, observation)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.drawn.0.0.values().chain(self.drawn.1.0.values()).for_each(|value| into.put(*value));
        self.current.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        for value in self.drawn.0.0.values_mut().chain(self.drawn.1.0.values_mut()) {
            *value = from.take()?;
        }
        self.rebuild()?;
        self.current.restore(from)
    }

    fn scene(&self) -> Scene {
        self.current.scene()
    }
}
