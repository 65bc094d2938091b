//! Learning: one file per algorithm, each reads like its paper: configuration, loss, learner.
//!
//! A [`Learner`] advances by one update and can be saved and continued bit for bit; `run::drive` is the only loop around it.

pub mod action_value;
pub mod dqn;
pub mod experience;
pub mod explained_variance;
pub mod followed;
pub mod iql;
pub mod off_policy;
pub mod ppo;
pub mod prior;
pub mod rates;
#[cfg(test)]
mod reference;
pub mod replay;
pub mod sac;
pub mod schedule;
pub mod state;
pub mod td3;
pub mod term;
pub mod trust_region;

pub use followed::Followed;
pub use prior::{Prior, Share};
pub use rates::Rates;
pub use schedule::Schedule;
pub use state::State;
pub use term::{Batch, LossTerm, MakeTerm};

use crate::error::Result;
use crate::policy::Policy;
use crate::rollout::environments::Finished;
use crate::stop::Stop;

/// Something that gets better by being run.
pub trait Learner: Send {
    /// One iteration of the algorithm: gather, then update.
    ///
    /// # Errors
    /// Exit 4 when an environment fails, 5 when a number stops being finite, [`crate::error::Kind::Stopped`] when it is broken off; the
    /// learner is then not to be advanced again, but to be restored.
    fn advance(&mut self, stop: &Stop) -> Result<Progress>;

    /// What the budget counts, so far: environment steps, where it steps an environment.
    fn steps(&self) -> u64;

    /// Environment steps so far: what a card says. Fewer than [`Learner::steps`] where something else is counted there.
    fn environment_steps(&self) -> u64 {
        self.steps()
    }

    /// Whether there is nothing more to learn, however many steps are left.
    fn finished(&self) -> bool {
        false
    }

    /// Everything that the future depends on.
    fn state(&self) -> State;

    /// Continues from a state, bit for bit.
    ///
    /// # Errors
    /// Exit 3 when the state is another learner's.
    fn restore(&mut self, state: &State) -> Result<()>;

    /// The policy as it is now.
    fn policy(&self) -> Policy;
}

/// What an iteration tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Progress {
    /// Diagnostics by name, in the order in which they are logged; the same names at every iteration.
    pub metrics: Vec<(&'static str, f64)>,
    /// Episodes that ended in this iteration.
    pub episodes: Vec<Finished>,
}
