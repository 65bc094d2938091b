//! `heirloom fsck RUN`.

use super::terminal::{self, Ending, count};
use crate::error::{Kind, Result};
use crate::file::disk;
use crate::policy::store;
use crate::run::folder::SOURCE;
use crate::run::{RunFolder, checkpoint};
use clap::Args;
use std::path::PathBuf;

/// Check every file of a run folder against what was written.
///
/// Changes nothing. Exit 3 when something is damaged; `--resume` then continues from the newest checkpoint that is sound.
#[derive(Args)]
pub(super) struct Fsck {
    /// A run folder
    run: PathBuf,
}

impl Fsck {
    pub(super) fn run(self) -> Result<Ending> {
        RunFolder::read_definition(&self.run)?;
        let mut damaged = 0;
        let mut report = |error: &crate::error::Error| {
            damaged += 1;
            terminal::say(&format!("damaged  {error}"));
        };
        for folder in checkpoint::list(&self.run.join("checkpoints"))? {
            match checkpoint::read(&folder).and_then(|read| store::load(&folder).map(|_| read)) {
                Ok((position, state)) => terminal::say(&format!(
                    "sound    {} ({} steps, state {})",
                    folder.display(),
                    count(position.steps),
                    &state.digest()[..12]
                )),
                Err(error) => report(&error),
            }
        }
        for policy in ["best", SOURCE].map(|name| self.run.join(name)).into_iter().filter(|path| path.exists()) {
            match store::load(&policy) {
                Ok((_, card)) => terminal::say(&format!("sound    {} (policy {})", policy.display(), &card.digest[..12])),
                Err(error) => report(&error),
            }
        }
        if let Ok((Some((_, position)), _)) = RunFolder::last_sound(&self.run) {
            RunFolder::lost_logs(&self.run, &position).iter().for_each(&mut report);
        }
        let folders = [self.run.clone(), self.run.join("checkpoints")];
        for path in folders.iter().filter(|folder| folder.is_dir()).map(|folder| disk::list(folder)).collect::<Result<Vec<_>>>()?.concat() {
            if disk::is_partial(&path) {
                terminal::say(&format!("left over by a killed process, removed by the next --resume: {}", path.display()));
            }
        }
        Ok(if damaged == 0 { Ending::Done } else { Ending::Found(Kind::Artefact as u8) })
    }
}
