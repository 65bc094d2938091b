//! Choosing: the list of all methods, their configurations, and how a run is made of them.

mod adaptation;
pub mod catalogue;
pub mod configuration;
pub mod job;
mod learner;
pub mod lessons;
mod overrides;
pub mod reward;
mod tasks;
pub mod words;

pub use adaptation::adaptation_of;
pub use catalogue::Method;
pub use configuration::Configuration;
pub use job::{Job, Moved, Source, open_run};
pub use learner::{CLONING_STEPS, carry};
pub use lessons::{Lessons, Role};
pub use reward::Reward;
pub use tasks::make_task;
