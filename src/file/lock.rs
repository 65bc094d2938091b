//! One folder, one process.

use super::disk;
use crate::error::{Error, Kind, Result};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The exclusive right to write in a folder, until dropped or until the process dies.
#[derive(Debug)]
pub struct Lock(#[expect(dead_code, reason = "closing the file gives the lock back")] File);

impl Lock {
    /// Takes the lock of `folder` (its file `lock`, which stays: removing it would race with the next taker).
    ///
    /// # Errors
    /// Exit 7 when another process holds it.
    pub fn take(folder: &Path) -> Result<Self> {
        let path = folder.join("lock");
        let file = disk::plain(OpenOptions::new().create(true).truncate(false).write(true), &path)
            .map_err(|error| Error::io("open", &path, error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(Error::new(Kind::Locked, "another process is writing in this folder")
                .at(folder.display())
                .hint("wait for it, stop it, or pass another --out")),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", &path, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_taker_is_refused_and_a_dropped_lock_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let first = Lock::take(folder.path()).unwrap();
        assert_eq!(Lock::take(folder.path()).unwrap_err().kind(), Kind::Locked);
        drop(first);
        Lock::take(folder.path()).unwrap();
    }
}
