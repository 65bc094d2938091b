//! Every environment of Gymnasium, in Python processes of their own: `gymnasium:CartPole-v1`, `gymnasium:my_pkg:MyRobot-v0`, or a RON
//! file with a section `gymnasium`.
//!
//! The environments of a shard share one process and are stepped by one message ([`Company`], [`super::super::Env::announce`]). Each
//! episode has a seed of its own from its environment's stream. There are no snapshots in Gymnasium: an episode is kept as its seed and its
//! actions, and done again.

mod host;
mod member;
mod process;
mod spaces;
mod task;
mod vector;

pub use host::Host;
pub use member::Company;
pub(in crate::env) use member::Member;
pub use task::{Target, Task};

use super::super::{Env, Simulator, Values};
use crate::error::{Error, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What an environment file calls it.
pub(in crate::env) const NAME: &str = "gymnasium";
/// What stands before an id where an environment is named.
pub(in crate::env) const PREFIX: &str = "gymnasium:";

/// What stands for all of them among the simulators: which one it is, an environment's section `gymnasium` says.
pub(in crate::env) fn simulator() -> Simulator {
    let nothing = |_: &Values, _: &Values| -> Result<Box<dyn Env>> {
        Err(Error::usage("no Gymnasium environment is named")
            .hint("write `gymnasium:CartPole-v1`, or a section `gymnasium: (id: \"CartPole-v1\")` in a RON file"))
    };
    Simulator::new(NAME, "An environment of Gymnasium, in a Python process", nothing)
}

/// A lock whose holder panicked is still one.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
