//! The rules of an episode, around every environment: nothing before the start or after the end, only valid actions in, only finite
//! numbers out, and a limit on its length that truncates.

use super::{Action, ActionSpace, Env, Scene, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::Rng;

/// The outermost layer of every environment that [`super::Registry`] builds. Generic, so that around a bare simulator the step of the
/// physics is inlined into it and a whole step is one virtual call.
pub(super) struct Episode<E> {
    inner: E,
    spaces: Spaces,
    max_steps: Option<usize>,
    steps: usize,
    running: bool,
}

impl<E: Env> Episode<E> {
    pub(super) fn new(inner: E, max_steps: Option<usize>) -> Self {
        let spaces = inner.spaces().clone();
        Self { inner, spaces, max_steps, steps: 0, running: false }
    }

    fn check_action(&self, action: Action<'_>) -> Result<()> {
        match (&self.spaces.action, action) {
            (ActionSpace::Discrete(names), Action::Discrete(index)) => {
                if index < names.len() {
                    return Ok(());
                }
                Err(Error::environment(format!("there is no action {index}")).hint(format!("actions are 0 to {}", names.len() - 1)))
            }
            (ActionSpace::Continuous(channels), Action::Continuous(values)) => {
                if values.len() != channels.len() {
                    let message = format!("the action has {} numbers, {} are needed", values.len(), channels.len());
                    return Err(Error::environment(message));
                }
                match values.iter().zip(channels).find(|(value, _)| !value.is_finite()) {
                    Some((value, channel)) => Err(Error::environment(format!("the action `{}` is {value}", channel.name))),
                    None => Ok(()),
                }
            }
            (ActionSpace::Discrete(_), Action::Continuous(_)) => {
                Err(Error::environment("the action is a list of numbers, but the actions of this environment are discrete"))
            }
            (ActionSpace::Continuous(_), Action::Discrete(_)) => {
                Err(Error::environment("the action is an index, but the actions of this environment are continuous"))
            }
        }
    }

    fn check_buffer(&self, observation: &[f64]) -> Result<()> {
        let (found, needed) = (observation.len(), self.spaces.observation.len());
        if found == needed { Ok(()) } else { Err(Error::environment(format!("the buffer holds {found} numbers, {needed} are needed"))) }
    }

    fn check_observation(&self, observation: &[f64]) -> Result<()> {
        // One pass that the compiler vectorises; only a failure looks for the culprit.
        if observation.iter().map(|value| value * 0.0).sum::<f64>() == 0.0 {
            return Ok(());
        }
        let culprit = observation.iter().zip(&self.spaces.observation).find(|(value, _)| !value.is_finite());
        let (value, name) = culprit.map_or((f64::NAN, "?"), |(value, channel)| (*value, channel.name.as_str()));
        Err(Error::environment(format!("the observation `{name}` is {value} at step {}", self.steps)))
    }
}

impl<E: Env> Env for Episode<E> {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.check_buffer(observation)?;
        self.steps = 0;
        self.running = false;
        self.inner.reset(rng, observation)?;
        self.check_observation(observation)?;
        self.running = true;
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        if !self.running {
            return Err(Error::environment("step without a running episode").hint("reset first, and again after the end of an episode"));
        }
        self.check_action(action)?;
        self.check_buffer(observation)?;
        self.steps += 1;
        // An error leaves the episode over: what follows a failed step is not a trajectory.
        self.running = false;
        let mut step = self.inner.step(action, rng, observation)?;
        self.check_observation(observation)?;
        if !step.reward.is_finite() {
            return Err(Error::environment(format!("the reward is {} at step {}", step.reward, self.steps)));
        }
        // The end of the task outranks the end of the time: then there is no future to estimate.
        step.truncated = !step.terminated && (step.truncated || self.max_steps.is_some_and(|limit| self.steps >= limit));
        self.running = !step.ended();
        Ok(step)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_count(self.steps);
        into.put_flag(self.running);
        self.inner.snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.steps = from.take_count()?;
        self.running = from.take_flag()?;
        self.inner.restore(from)
    }

    fn scene(&self) -> Scene {
        self.inner.scene()
    }
}
