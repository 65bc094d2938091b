//! NumPy's archives of flat arrays, as D4RL and many scripts write them: one row per step, `[N, ...]`, episodes behind each other.
//!
//! `archive` reads the arrays, `columns` finds them by their usual names, `cut` makes episodes of them. What comes after the last step of
//! an episode is known from `next_observations`, or from one more observation than there are actions. Where it is not known, the last
//! transition of each episode is dropped and its observation is what the episode ends with; such an episode is neither terminated nor
//! truncated, because what ended it is gone.

mod archive;
mod columns;
mod cut;

use self::columns::Columns;
use super::header::Recorder;
use super::import::{Import, Target};
use super::making::{Made, check_free};
use crate::error::{Error, Result};
use crate::file::{digest, disk};
use std::io::{Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A larger file is refused unread.
const CAP: u64 = 16 << 30;

/// Imports an archive.
///
/// # Errors
/// Exit 2 when there is no file or something at the target; exit 3 with array, episode and row when the data is damaged, does not fit the
/// environment or contradicts itself. Nothing is then written.
pub fn import(path: &Path, target: Target<'_>) -> Result<Made> {
    check_free(target.out)?;
    if !path.is_file() {
        return Err(Error::usage("there is no file").at(path.display()).hint("name an archive that numpy.savez wrote"));
    }
    let mut file = disk::open(path, CAP)?;
    let unread = |error| Error::io("read", path, error);
    let sha256 = digest::of_reader(&mut file).map_err(unread)?;
    file.seek(SeekFrom::Start(0)).map_err(unread)?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let recorder = Recorder::Import { format: "npz".into(), name, sha256 };
    // The crates read foreign bytes: what they do not foresee must not end the program.
    let read = catch_unwind(AssertUnwindSafe(|| {
        let (columns, mut notes) = Columns::read(file)?;
        let mut import = Import::begin(target, columns.info_names(), recorder)?;
        notes.extend(cut::cut(&columns, target.spaces, target.spec.longest_episode(), |episode| import.append(episode))?);
        import.finish(notes)
    }));
    read.unwrap_or_else(|_| Err(Error::artefact("is not a sound NumPy archive"))).map_err(|error| error.at(path.display()))
}
