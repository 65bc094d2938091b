//! Failures are sentences: what is wrong, and what to do about it.

use std::io::{Error, ErrorKind};
use std::path::Path;

pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Why something could not be done to `path`, and the remedy.
pub(crate) fn at(path: &Path) -> impl Fn(Error) -> String {
    move |error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => disk_full(path),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            format!("{} cannot be written ({error}): make it writable, or set XDG_CACHE_HOME to a folder that is", path.display())
        }
        _ => format!("{}: {error}; remove what is in the way and run `cargo xtask setup` again", path.display()),
    }
}

/// The sentence for a disk without room for `path`, whoever found it out.
pub(crate) fn disk_full(path: &Path) -> String {
    format!(
        "the disk of {} is full: setup needs 1.1 GB while it works and keeps 0.5 GB; make room, or set XDG_CACHE_HOME to a folder on another disk",
        path.display()
    )
}
