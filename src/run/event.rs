//! What a run tells to whoever listens: logs, the terminal's bar, a study.

use super::Evaluation;
use crate::error::{Error, Result};
use crate::learn::Progress;
use crate::policy::Policy;
use std::path::Path;

/// Something that happened in a run.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// The loop begins, `steps` of `total` are done.
    Started {
        /// Environment steps done.
        steps: u64,
        /// Environment steps in all.
        total: u64,
    },
    /// An iteration is over.
    Iteration {
        /// How many there were.
        update: u64,
        /// Environment steps done.
        steps: u64,
        /// What the learner tells.
        progress: &'a Progress,
    },
    /// The policy was measured.
    Evaluated {
        /// The measurement.
        evaluation: &'a Evaluation,
        /// The policy.
        policy: &'a Policy,
        /// Whether none was better before.
        best: bool,
    },
    /// A checkpoint is on the disk: acknowledged, not to be lost.
    Checkpointed {
        /// Environment steps done.
        steps: u64,
        /// Its folder.
        path: &'a Path,
    },
    /// Something went wrong that the run survives.
    Warning(&'a Error),
}

/// Who hears events.
pub trait Listener {
    /// Hears one.
    ///
    /// # Errors
    /// What the run cannot go on without.
    fn hear(&mut self, event: &Event<'_>) -> Result<()>;
}
