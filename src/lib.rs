//! Heirloom: reinforcement-learning transfer. Pre-train in simulation, move to a target, adapt, and know whether it helped.
//!
//! The rooms, top to bottom, import only from above: see `ARCHITECTURE.md`.

pub mod choose;
pub mod cli;
pub mod demo;
pub mod env;
pub mod error;
pub mod file;
pub mod imitate;
pub mod learn;
pub mod meta;
pub mod nn;
pub mod parallel;
pub mod policy;
pub mod report;
pub mod rollout;
pub mod run;
pub mod seed;
pub mod stats;
pub mod stop;
pub mod study;
pub mod transfer;

pub use error::{Error, Result};
