//! `heirloom fsck RUN`.

use super::terminal::{self, Ending, count};
use crate::error::{Kind, Result};
use crate::file::disk;
use crate::policy::store;
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
        for folder in checkpoint::list(&self.run.join("checkpoints"))? {
            match checkpoint::read(&folder).and_then(|read| store::load(&folder).map(|_| read)) {
                Ok((position, state)) => terminal::say(&format!(
                    "sound    {} ({} steps, state {})",
                    folder.display(),
                    count(position.steps),
                    &state.digest()[..12]
                )),
                Err(error) => {
                    damaged += 1;
                    terminal::say(&format!("damaged  {error}"));
                }
            }
        }
        let best = self.run.join("best");
        if best.exists() {
            match store::load(&best) {
                Ok((_, card)) => terminal::say(&format!("sound    {} (policy {})", best.display(), &card.digest[..12])),
                Err(error) => {
                    damaged += 1;
                    terminal::say(&format!("damaged  {error}"));
                }
            }
        }
        let left_over =
            disk::list(&self.run)?.into_iter().chain(disk::list(&self.run.join("checkpoints"))?).filter(|path| disk::is_partial(path));
        left_over
            .for_each(|path| terminal::say(&format!("left over by a killed process, removed by the next --resume: {}", path.display())));
        Ok(if damaged == 0 { Ending::Done } else { Ending::Found(Kind::Artefact as u8) })
    }
}
