//! Choosing: the list of all methods, their configurations, and how a run is made of them.

pub mod catalogue;
pub mod configuration;
pub mod job;
mod overrides;
pub mod words;

pub use catalogue::Method;
pub use configuration::Configuration;
pub use job::{Job, Source, open_run};
