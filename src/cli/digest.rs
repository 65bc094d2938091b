//! `heirloom digest PATH`.

use super::terminal::{self, Ending};
use crate::choose::Source;
use crate::error::{Error, Result};
use crate::run::{RunFolder, checkpoint};
use clap::Args;
use std::path::PathBuf;

/// Print the SHA-256 that identity stands on.
///
/// Of a policy: architecture, spaces, normaliser and weights. Of a run: all of its state at the last checkpoint: weights, optimiser,
/// streams, environments. The same command, seed and machine give the same digest.
#[derive(Args)]
pub(super) struct Digest {
    /// A policy (short name or folder) or a run folder
    path: String,
    /// Of a run: its policy's digest instead of its state's
    #[arg(long)]
    policy: bool,
}

impl Digest {
    pub(super) fn run(self) -> Result<Ending> {
        let path = PathBuf::from(&self.path);
        let digest = if RunFolder::is_run(&path) && !self.policy {
            let (found, damaged) = RunFolder::last_sound(&path)?;
            damaged.iter().for_each(terminal::warn);
            let (folder, _) = found.ok_or_else(|| Error::artefact("the run has no checkpoint yet").at(path.display()))?;
            checkpoint::read(&folder)?.1.digest()
        } else {
            Source::load(&self.path)?.card.digest
        };
        terminal::say(&digest);
        Ok(Ending::Done)
    }
}
