//! The rules of an episode, around every environment: nothing before the start or after the end, only valid actions in, only finite
//! numbers out, and a limit on its length that truncates.

use super::{Action, ActionSpace, Channel, Company, Env, Scene, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::Rng;

/// The outermost layer of every environment that [`super::Registry`] builds, and a layer around what is inside of a trial. Generic, so that around a bare simulator the step of the
/// physics is inlined into it and a whole step is one virtual call: a CartPole in the vector takes 54 ns on a core where the bare loop over
/// its physics takes 32 ns.
pub(super) struct Episode<E> {
    inner: E,
    spaces: Spaces,
    /// `usize::MAX` where there is no limit.
    max_steps: usize,
    steps: usize,
    running: bool,
}

impl<E: Env> Episode<E> {
    pub(super) fn new(inner: E, max_steps: Option<usize>) -> Self {
        let spaces = inner.spaces().clone();
        Self { inner, spaces, max_steps: max_steps.unwrap_or(usize::MAX), steps: 0, running: false }
    }

    /// Whether an action fits the space: what every step asks, so that [`Episode::refuse`] is only met on the way out.
    #[inline]
    fn fits(&self, action: Action<'_>) -> bool {
        match (&self.spaces.action, action) {
            (ActionSpace::Discrete(names), Action::Discrete(index)) => index < names.len(),
            (ActionSpace::Continuous(channels), Action::Continuous(values)) => values.len() == channels.len() && all_finite(values),
            _ => false,
        }
    }

    #[cold]
    fn refuse(&self, action: Action<'_>, observation: &[f64]) -> Error {
        match (&self.spaces.action, action) {
            (ActionSpace::Discrete(names), Action::Discrete(index)) if index >= names.len() => {
                Error::environment(format!("there is no action {index}")).hint(format!("actions are 0 to {}", names.len() - 1))
            }
            (ActionSpace::Continuous(channels), Action::Continuous(values)) if values.len() != channels.len() => {
                Error::environment(format!("the action has {} numbers, {} are needed", values.len(), channels.len()))
            }
            (ActionSpace::Discrete(_), Action::Continuous(_)) => {
                Error::environment("the action is a list of numbers, but the actions of this environment are discrete")
            }
            (ActionSpace::Continuous(_), Action::Discrete(_)) => {
                Error::environment("the action is an index, but the actions of this environment are continuous")
            }
            (ActionSpace::Continuous(channels), Action::Continuous(values)) if !all_finite(values) => {
                Error::environment(format!("the action {}", not_finite(values, channels)))
            }
            _ => self.refuse_buffer(observation),
        }
    }

    #[cold]
    fn refuse_buffer(&self, observation: &[f64]) -> Error {
        let (found, needed) = (observation.len(), self.spaces.observation.len());
        Error::environment(format!("the buffer holds {found} numbers, {needed} are needed"))
    }

    fn begin(&mut self, observation: &mut [f64], start: impl FnOnce(&mut E, &mut [f64]) -> Result<()>) -> Result<()> {
        self.steps = 0;
        self.running = false;
        if observation.len() != self.spaces.observation.len() {
            return Err(self.refuse_buffer(observation));
        }
        start(&mut self.inner, observation)?;
        if !all_finite(observation) {
            return Err(self.refuse_outcome(0.0, observation));
        }
        self.running = true;
        Ok(())
    }

    #[cold]
    fn refuse_outcome(&self, reward: f64, observation: &[f64]) -> Error {
        let step = self.steps;
        if all_finite(observation) {
            return Error::environment(format!("the reward is {reward} at step {step}"));
        }
        Error::environment(format!("the observation {} at step {step}", not_finite(observation, &self.spaces.observation)))
    }
}

/// One pass without a branch per number; only a failure looks for the culprit.
#[inline]
fn all_finite(values: &[f64]) -> bool {
    values.iter().map(|value| value * 0.0).sum::<f64>() == 0.0
}

/// The first number that is not finite, with its channel.
fn not_finite(values: &[f64], channels: &[Channel]) -> String {
    let culprit = values.iter().zip(channels).find(|(value, _)| !value.is_finite());
    culprit.map_or_else(|| "is not finite".to_owned(), |(value, channel)| format!("`{}` is {value}", channel.name))
}

impl<E: Env> Env for Episode<E> {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        self.inner.join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        // What the step would refuse is left to it.
        if self.running && self.fits(action) {
            self.inner.announce(action, rng);
        }
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.begin(observation, |inner, observation| inner.reset(rng, observation))
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.begin(observation, |inner, observation| inner.restart(rng, observation))
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        if !self.running {
            return Err(Error::environment("step without a running episode").hint("reset first, and again after the end of an episode"));
        }
        if !(self.fits(action) && observation.len() == self.spaces.observation.len()) {
            return Err(self.refuse(action, observation));
        }
        self.steps += 1;
        // An error leaves the episode over: what follows a failed step is not a trajectory.
        self.running = false;
        let mut step = self.inner.step(action, rng, observation)?;
        if !(all_finite(observation) && step.reward.is_finite()) {
            return Err(self.refuse_outcome(step.reward, observation));
        }
        // The end of the task outranks the end of the time: then there is no future to estimate.
        step.truncated = !step.terminated && (step.truncated || self.steps >= self.max_steps);
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

    fn parameter(&self, name: &str) -> Option<f64> {
        self.inner.parameter(name)
    }
}
