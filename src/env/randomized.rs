//! Domain randomization: a simulator whose parameters are drawn anew at every reset, and known. One draw is one task.

use super::parameter::{Quantities, Quantity};
use super::registry::Simulator;
use super::{Action, ActionSpace, Channel, Env, Scene, Snapshot, Spaces, Step, Values};
use crate::error::{Error, Result};
use crate::seed::Rng;
use std::sync::Arc;

/// Builds its simulator anew, with newly drawn parameters, at every reset.
pub(super) struct Randomized {
    simulator: Arc<Simulator>,
    context: Quantities,
    objective: Quantities,
    /// Wide enough for every draw.
    spaces: Spaces,
    drawn: (Values, Values),
    current: Box<dyn Env>,
}

impl Randomized {
    /// Bounds are those of the least and of the greatest parameters taken together, which covers every draw of a simulator whose bounds
    /// grow, or shrink, with each parameter.
    pub(super) fn new(simulator: Arc<Simulator>, context: Quantities, objective: Quantities) -> Result<Self> {
        let drawn = (context.each(Quantity::least), objective.each(Quantity::least));
        let current = simulator.build(&drawn.0, &drawn.1)?;
        let greatest = simulator.build(&context.each(Quantity::greatest), &objective.each(Quantity::greatest))?;
        let spaces = around_both(current.spaces(), greatest.spaces())?;
        Ok(Self { simulator, context, objective, spaces, drawn, current })
    }

    fn rebuild(&mut self) -> Result<()> {
        self.current = self.simulator.build(&self.drawn.0, &self.drawn.1)?;
        Ok(())
    }
}

fn around_both(one: &Spaces, two: &Spaces) -> Result<Spaces> {
    let widen = |one: &[Channel], two: &[Channel]| -> Option<Vec<Channel>> {
        let same_names = one.len() == two.len() && one.iter().zip(two).all(|(one, two)| one.name == two.name);
        let both = |(one, two): (&Channel, &Channel)| Channel::new(one.name.clone(), one.low.min(two.low), one.high.max(two.high));
        same_names.then(|| one.iter().zip(two).map(both).collect())
    };
    let action = match (&one.action, &two.action) {
        (ActionSpace::Continuous(one), ActionSpace::Continuous(two)) => widen(one, two).map(ActionSpace::Continuous),
        (one, two) => (one == two).then(|| one.clone()),
    };
    let spaces = widen(&one.observation, &two.observation).zip(action).map(|(observation, action)| Spaces { observation, action });
    spaces.ok_or_else(|| Error::usage("the drawn parameters change what the channels or actions are, not only their bounds"))
}

impl Env for Randomized {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.drawn = (self.context.draw(rng), self.objective.draw(rng));
        self.rebuild()?;
        self.current.reset(rng, observation)
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.current.restart(rng, observation)
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.current.step(action, rng, observation)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.drawn.0.0.values().chain(self.drawn.1.0.values()).for_each(|value| into.put(*value));
        self.current.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        let values = self.drawn.0.0.values_mut().chain(self.drawn.1.0.values_mut());
        for (value, (name, quantity)) in values.zip(self.context.0.iter().chain(&self.objective.0)) {
            *value = from.take()?;
            if !quantity.can_be(*value) {
                return Err(Error::artefact(format!("the snapshot's `{name}` is {value}, this environment's is {quantity}")));
            }
        }
        self.rebuild()?;
        self.current.restore(from)
    }

    fn scene(&self) -> Scene {
        self.current.scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        self.drawn.0.0.get(name).or_else(|| self.drawn.1.0.get(name)).copied()
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Env, Registry, Snapshot, Spec};
    use crate::seed::Stream;

    fn build(text: &str) -> Box<dyn Env> {
        let registry = Registry::standard();
        let spec = Spec::from_ron(&registry, "test", text).unwrap();
        registry.build(&spec).unwrap()
    }

    #[test]
    fn bounds_cover_every_draw() {
        let env = build("(simulator: \"classic/cartpole\", objective: (position_limit: Uniform(1, 3)))");
        let position = &env.spaces().observation[0];
        assert_eq!((position.low, position.high), (-6.0, 6.0));
    }

    #[test]
    fn a_snapshot_with_a_draw_that_cannot_be_is_refused() {
        let mut env = build("(simulator: \"classic/mountain_car\", context: (force: Uniform(0.001, 0.002)))");
        env.reset(&mut Stream::Env(0).under(0), &mut [0.0; 2]).unwrap();
        let mut snapshot = Snapshot::default();
        env.snapshot(&mut snapshot);
        let mut numbers = snapshot.numbers().to_vec();
        assert!(env.restore(&mut Snapshot::from_numbers(numbers.clone())).is_ok());
        // Behind the episode's two numbers stand the parameters, in the order of their names: force is the first.
        numbers[2] = 0.003;
        let error = env.restore(&mut Snapshot::from_numbers(numbers)).unwrap_err();
        assert_eq!(error.message(), "the snapshot's `force` is 0.003, this environment's is Uniform(0.001, 0.002)");
    }
}
