//! Environments: dynamics, objective and wrappers, everything that defines one Markov decision process.
//!
//! This page is the contract. An environment writes observations into buffers the caller owns, takes its randomness from a stream
//! the caller owns, keeps termination (the task is over) and truncation (time is up) apart, and can be saved and continued.
//! This room does not know networks or tensors.

pub mod check;
mod episode;
pub mod lost;
pub mod parameter;
pub mod randomized;
pub mod registry;
pub mod rooted;
pub mod scene;
pub mod sim;
pub mod space;
pub mod spec;
pub mod tasks;
pub mod wrap;

pub use lost::LostEpisodes;
pub use parameter::{Parameter, Quantity, Values};
pub use registry::{Registry, Simulator};
pub use rooted::Root;
pub use scene::{Part, Role, Scene};
pub use sim::gymnasium::{self, Company};
pub use space::{ActionSpace, Channel, ObservationSpace, Spaces};
pub use spec::Spec;
pub use tasks::{Split, Splits, Task, Tasks};

use crate::error::{Error, Result};
use crate::seed::Rng;

/// One environment.
///
/// Implement six of these, all but those that have a body here; [`Registry`] puts the episode's rules (nothing after the end, valid actions, finite observations, the step
/// limit) around every implementation, so they need not be checked inside.
pub trait Env: Send {
    /// Channels of the observation and kind of the action.
    fn spaces(&self) -> &Spaces;

    /// Meets the environments that one thread will step side by side, before the first reset: those that live in another process may share
    /// one. What lies around another environment passes it on.
    ///
    /// # Errors
    /// When there is no such process to be had.
    fn join(&mut self, _company: &mut Company) -> Result<()> {
        Ok(())
    }

    /// Hears the action of the next step, and with which randomness it will be taken, before the others step, so that all can be done at
    /// once. It need not be announced; what changes actions on their way in does not pass it on.
    fn announce(&mut self, _action: Action<'_>, _rng: &Rng) {}

    /// Starts an episode: draws a start state from `rng` and writes its observation, one value per channel.
    ///
    /// # Errors
    /// When the environment fails (another process died, the physics refused).
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()>;

    /// Starts another episode of the same task: as [`Env::reset`], but what was drawn for the task stays. An environment that draws no
    /// task has nothing to add; what lies around another one passes it on.
    ///
    /// # Errors
    /// As [`Env::reset`].
    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.reset(rng, observation)
    }

    /// Applies an action and writes the next observation; at the end of an episode, its last one.
    ///
    /// # Errors
    /// As [`Env::reset`]. An error that says no more than that this episode is lost ([`Error::loses_episode`]) leaves the observation as it was.
    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step>;

    /// Saves what the next steps depend on.
    fn snapshot(&self, into: &mut Snapshot);

    /// Continues from a snapshot, bit for bit.
    ///
    /// # Errors
    /// When the snapshot is not one of this environment.
    fn restore(&mut self, from: &mut Snapshot) -> Result<()>;

    /// What there is to see now, as data.
    fn scene(&self) -> Scene;

    /// The value that a parameter of context or objective has in this episode; `None` of an environment that does not know its own.
    fn parameter(&self, _name: &str) -> Option<f64> {
        None
    }
}

impl<E: Env + ?Sized> Env for Box<E> {
    fn spaces(&self) -> &Spaces {
        (**self).spaces()
    }

    fn join(&mut self, company: &mut Company) -> Result<()> {
        (**self).join(company)
    }

    fn announce(&mut self, action: Action<'_>, rng: &Rng) {
        (**self).announce(action, rng);
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        (**self).reset(rng, observation)
    }

    fn restart(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        (**self).restart(rng, observation)
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        (**self).step(action, rng, observation)
    }

    fn snapshot(&self, into: &mut Snapshot) {
        (**self).snapshot(into);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        (**self).restore(from)
    }

    fn scene(&self) -> Scene {
        (**self).scene()
    }

    fn parameter(&self, name: &str) -> Option<f64> {
        (**self).parameter(name)
    }
}

/// What is done to an environment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action<'a> {
    /// The index of one of the named actions.
    Discrete(usize),
    /// One value per action channel.
    Continuous(&'a [f64]),
}

impl<'a> Action<'a> {
    /// The index, for an environment whose actions are discrete.
    ///
    /// # Errors
    /// When the action is continuous.
    pub fn index(self) -> Result<usize> {
        match self {
            Self::Discrete(index) => Ok(index),
            Self::Continuous(_) => Err(Error::environment("this environment takes discrete actions, it was given a continuous one")),
        }
    }

    /// The values, for an environment whose actions are continuous.
    ///
    /// # Errors
    /// When the action is discrete.
    pub fn values(self) -> Result<&'a [f64]> {
        match self {
            Self::Continuous(values) => Ok(values),
            Self::Discrete(_) => Err(Error::environment("this environment takes continuous actions, it was given a discrete one")),
        }
    }
}

/// What came of an action, beside the observation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The reward of this transition.
    pub reward: f64,
    /// The task is over: no future, value zero.
    pub terminated: bool,
    /// Time is up: the future exists but is not seen, and its value must be estimated.
    pub truncated: bool,
}

impl Step {
    /// Whether the episode is over, for whichever reason.
    #[must_use]
    pub const fn ended(&self) -> bool {
        self.terminated || self.truncated
    }
}

/// The numbers that the future of an environment depends on: written in order, read in the same order, and finite.
///
/// A snapshot comes from a file that may be damaged or hostile: whoever takes a number out of it checks that it can work with it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    numbers: Vec<f64>,
    read: usize,
}

impl Snapshot {
    /// A snapshot to be read, from numbers that were kept.
    #[must_use]
    pub const fn from_numbers(numbers: Vec<f64>) -> Self {
        Self { numbers, read: 0 }
    }

    /// The numbers, to be kept.
    #[must_use]
    pub fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Appends a number.
    pub fn put(&mut self, number: f64) {
        self.numbers.push(number);
    }

    /// Appends numbers.
    pub fn put_all(&mut self, numbers: &[f64]) {
        self.numbers.extend_from_slice(numbers);
    }

    /// Appends a counter below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "counters of an episode stay below 2^53")]
    pub fn put_count(&mut self, count: usize) {
        self.numbers.push(count as f64);
    }

    /// Appends a flag.
    pub fn put_flag(&mut self, flag: bool) {
        self.put(f64::from(u8::from(flag)));
    }

    /// Takes the next number.
    ///
    /// # Errors
    /// When there is none, or it is not finite.
    pub fn take(&mut self) -> Result<f64> {
        let number = self.numbers.get(self.read).copied();
        let number = number.ok_or_else(|| Error::artefact("the snapshot is too short for this environment"))?;
        self.read += 1;
        if number.is_finite() { Ok(number) } else { Err(Error::artefact(format!("the snapshot holds the number {number}"))) }
    }

    /// Fills `numbers` with the next ones.
    ///
    /// # Errors
    /// When there are too few, or one is not finite.
    pub fn take_all(&mut self, numbers: &mut [f64]) -> Result<()> {
        numbers.iter_mut().try_for_each(|number| self.take().map(|taken| *number = taken))
    }

    /// Takes the next counter.
    ///
    /// # Errors
    /// When there is none, or the number is not one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
    pub fn take_count(&mut self) -> Result<usize> {
        let number = self.take()?;
        let whole = (0.0..9e15).contains(&number) && number.fract() == 0.0;
        if whole { Ok(number as usize) } else { Err(Error::artefact(format!("the snapshot holds {number} where a counter belongs"))) }
    }

    /// Takes the next number, which was put as a flag: 0 or 1.
    ///
    /// # Errors
    /// When there is none, or the number is not one of the two.
    pub fn take_flag(&mut self) -> Result<bool> {
        match self.take_count()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Error::artefact(format!("the snapshot holds {other} where 0 or 1 belongs"))),
        }
    }

    /// Confirms that everything was read.
    ///
    /// # Errors
    /// When numbers are left.
    pub fn finish(&self) -> Result<()> {
        if self.read == self.numbers.len() { Ok(()) } else { Err(Error::artefact("the snapshot is too long for this environment")) }
    }
}
