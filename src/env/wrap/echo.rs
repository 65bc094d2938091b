//! An environment that shows what is done to it, for the wrappers' tests: its observation is the time and the last action, its reward
//! the time.

use crate::env::{Action, ActionSpace, Channel, Env, Scene, Snapshot, Spaces, Step};
use crate::error::Result;
use crate::seed::{Rng, Stream};

struct Echo {
    spaces: Spaces,
    time: f64,
    action: Vec<f64>,
}

/// Channels `time` and `done`, the index of the last action; -1 before there is one. Actions `a`, `b`, `c`.
pub(super) fn discrete() -> Box<dyn Env> {
    let observation = vec![Channel::new("time", 0.0, 1e9), Channel::new("done", -1.0, 2.0)];
    let action = ActionSpace::Discrete(["a", "b", "c"].map(String::from).to_vec());
    Box::new(Echo { spaces: Spaces { observation, action }, time: 0.0, action: vec![-1.0] })
}

/// Channels `time`, `left` and `right`, the last action; zero before there is one.
pub(super) fn continuous() -> Box<dyn Env> {
    within(-1.0, 1.0)
}

/// The same with other bounds of its actions.
pub(super) fn within(low: f64, high: f64) -> Box<dyn Env> {
    let wheels = ["left", "right"].map(|name| Channel::new(name, low, high));
    let observation = [vec![Channel::new("time", 0.0, 1e9)], ["left", "right"].map(Channel::unbounded).to_vec()].concat();
    Box::new(Echo { spaces: Spaces { observation, action: ActionSpace::Continuous(wheels.to_vec()) }, time: 0.0, action: vec![0.0; 2] })
}

impl Echo {
    fn see(&self, observation: &mut [f64]) {
        observation[0] = self.time;
        observation[1..].copy_from_slice(&self.action);
    }
}

impl Env for Echo {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, _rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.time = 0.0;
        self.action.fill(if matches!(self.spaces.action, ActionSpace::Discrete(_)) { -1.0 } else { 0.0 });
        self.see(observation);
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "three actions")]
    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.time += 1.0;
        match action {
            Action::Discrete(index) => self.action.fill(index as f64),
            Action::Continuous(values) => self.action.copy_from_slice(values),
        }
        self.see(observation);
        Ok(Step { reward: self.time, terminated: false, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put(self.time);
        into.put_all(&self.action);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.time = from.take()?;
        from.take_all(&mut self.action)
    }

    fn scene(&self) -> Scene {
        Scene::default()
    }
}

/// Every observation, from the reset on.
pub(super) fn observations(env: &mut dyn Env, actions: &[Action<'_>]) -> Vec<Vec<f64>> {
    let mut rng = Stream::Env(0).under(0);
    let mut observation = vec![0.0; env.spaces().observation.len()];
    env.reset(&mut rng, &mut observation).unwrap();
    let mut seen = vec![observation.clone()];
    for action in actions {
        env.step(*action, &mut rng, &mut observation).unwrap();
        seen.push(observation.clone());
    }
    seen
}

/// The names of all channels.
pub(super) fn names(env: &dyn Env) -> Vec<&str> {
    env.spaces().observation.iter().map(|channel| channel.name.as_str()).collect()
}

/// Actions of a discrete space.
pub(super) fn indices<const N: usize>(indices: [usize; N]) -> [Action<'static>; N] {
    indices.map(Action::Discrete)
}
