//! Runs: the one loop around every learner, and what it leaves on disk.
//!
//! [`drive`] advances a learner, evaluates, keeps checkpoints, hears signals and tells [`Event`]s; a [`RunFolder`] holds configuration,
//! logs, checkpoints and the best policy, so that a run continues bit for bit after any end.

pub mod checkpoint;
pub mod drive;
pub mod evaluation;
pub mod event;
pub mod folder;
mod logs;
pub mod tensorboard;

pub use drive::{Outcome, Plan, drive};
pub use evaluation::{Adapted, Evaluation, Evaluator};
pub use event::{Event, Listener};
pub use folder::{Definition, RunFolder};
