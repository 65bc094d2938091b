//! Reading with a cap, writing so that a crash at any moment leaves the old or the new, never a mixture.
//!
//! A file is written under a `.partial-` name, synced, renamed, and its folder synced. What a killed process leaves under such a
//! name is removed by [`sweep`] when the folder is next opened for writing.

use crate::error::{Error, Result};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

const PARTIAL: &str = ".partial-";

/// Opens a plain file of at most `cap` bytes for reading.
///
/// # Errors
/// When it cannot be opened, is not a plain file, or is larger than `cap`.
pub fn open(path: &Path, cap: u64) -> Result<File> {
    let fail = |error| Error::io("read", path, error);
    // Without waiting: a named pipe in a file's place would be waited for for ever.
    let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = fs::OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(fail)?;
    let found = file.metadata().map_err(fail)?;
    if !found.is_file() {
        return Err(Error::artefact("is not a plain file").at(path.display()));
    }
    if found.len() > cap {
        return Err(Error::artefact(format!("is {} bytes long; at most {cap} are read", found.len())).at(path.display()));
    }
    Ok(file)
}

/// Reads a whole file of at most `cap` bytes.
///
/// # Errors
/// When it cannot be read, is not a plain file, or is larger than `cap`.
pub fn read(path: &Path, cap: u64) -> Result<Vec<u8>> {
    let fail = |error| Error::io("read", path, error);
    let file = open(path, cap)?;
    let found = file.metadata().map_err(fail)?;
    let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or(0));
    // The file may grow while it is read: the cap holds for what arrives, not for what was promised.
    file.take(cap + 1).read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 > cap {
        return Err(Error::artefact(format!("is longer than {cap} bytes")).at(path.display()));
    }
    Ok(bytes)
}

/// Writes a file so that it appears whole or not at all.
///
/// # Errors
/// When the disk refuses; what was there before is then untouched.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial_name(path)?;
    let done = (|| {
        write_synced(&partial, bytes)?;
        rename(&partial, path)?;
        sync_folder(parent(path))
    })();
    done.map_err(|error| {
        let _ = fs::remove_file(&partial);
        Error::io("write", path, error)
    })
}

/// Writes a folder of files so that it appears whole or not at all; an existing folder of that name is exchanged in one step.
///
/// # Errors
/// When the disk refuses; what was there before is then untouched.
pub fn write_folder(path: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let partial = partial_name(path)?;
    let done = (|| {
        remove_any(&partial)?;
        gate("mkdir")?;
        fs::create_dir(&partial)?;
        for (name, bytes) in files {
            write_synced(&partial.join(name), bytes)?;
        }
        sync_folder(&partial)?;
        if path.exists() {
            exchange(&partial, path)?;
        } else {
            rename(&partial, path)?;
        }
        sync_folder(parent(path))?;
        remove_any(&partial)
    })();
    done.map_err(|error| {
        let _ = remove_any(&partial);
        Error::io("write", path, error)
    })
}

/// A folder that is being made beside its place: [`Staged::appear`] puts it there, whole; dropped before, it goes away again. Of a process
/// that was killed it stays until the next one begins a folder of the same place.
#[derive(Debug)]
pub struct Staged {
    partial: PathBuf,
    /// Says that somebody is at work there, as long as the process lives. Not every file system can say it.
    at_work: Option<File>,
    path: PathBuf,
    /// The folders above that were made for it, innermost first.
    made: Vec<PathBuf>,
}

impl Staged {
    /// Begins a folder whose place will be `path`, and the folders above it.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn begin(path: &Path) -> Result<Self> {
        let partial = partial_name(path)?;
        let above = parent(path);
        let missing = |folder: &&Path| !folder.as_os_str().is_empty() && !folder.exists();
        let made = above.ancestors().take_while(missing).map(Path::to_owned).collect();
        let mut staged = Self { partial, at_work: None, path: path.to_owned(), made };
        create_folder(above)?;
        sweep_abandoned(path)?;
        let begun = remove_any(&staged.partial).and_then(|()| gate("mkdir")).and_then(|()| fs::create_dir(&staged.partial));
        begun.map_err(|error| Error::io("create folder", path, error))?;
        staged.at_work = File::open(&staged.partial).ok().filter(|folder| folder.try_lock().is_ok());
        Ok(staged)
    }

    /// Where its files go until it appears.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.partial
    }

    /// Puts it in its place, which nothing or an empty folder holds.
    ///
    /// # Errors
    /// When the disk refuses; nothing of it is then left.
    pub fn appear(mut self) -> Result<()> {
        let done = sync_folder(&self.partial).and_then(|()| rename(&self.partial, &self.path));
        done.map_err(|error| Error::io("write", &self.path, error))?;
        self.made.clear();
        sync_folder(parent(&self.path)).map_err(|error| Error::io("write", &self.path, error))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = remove_any(&self.partial);
        for folder in &self.made {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Makes a folder and its parents.
///
/// # Errors
/// When the disk refuses.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|error| Error::io("create folder", path, error))
}

/// Removes a file or a folder with all that is in it; absent is fine. A folder goes under a partial name first, so that a crash leaves
/// the whole of it or what [`sweep`] takes away.
///
/// # Errors
/// When the disk refuses.
pub fn remove(path: &Path) -> Result<()> {
    let partial = partial_name(path)?;
    let done =
        if path.is_dir() && !is_partial(path) { rename(path, &partial).and_then(|()| remove_any(&partial)) } else { remove_any(path) };
    done.map_err(|error| Error::io("remove", path, error))
}

/// Gives a file another name in its folder, in the place of what has that name. A crash of the machine may undo it, one of the program does not.
///
/// # Errors
/// When the disk refuses.
pub fn rename_file(path: &Path, to: &Path) -> Result<()> {
    rename(path, to).map_err(|error| Error::io("rename", path, error))
}

/// Renames a file to `NAME.damaged`; absent is fine.
///
/// # Errors
/// When the disk refuses.
pub fn set_aside(path: &Path) -> Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".damaged");
    if !path.exists() {
        return Ok(());
    }
    rename(path, Path::new(&aside)).map_err(|error| Error::io("rename", path, error))
}

/// Opens a file that must be a plain one: a pipe in its place would be waited for.
///
/// # Errors
/// When the disk refuses, or it is something else.
pub(super) fn plain(options: &mut fs::OpenOptions, path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let file = options.custom_flags(nonblocking).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::Error::other("it is not a plain file")) }
}

/// Removes what a killed process left half written in `folder`. Call it only under the folder's lock.
///
/// # Errors
/// When the disk refuses.
pub fn sweep(folder: &Path) -> Result<()> {
    list(folder)?.iter().filter(|path| is_partial(path)).try_for_each(|path| remove(path))
}

/// Removes what lies half written in a folder for longer than this: for folders that several processes write to.
///
/// # Errors
/// When the disk refuses.
pub fn sweep_older(folder: &Path, age: Duration) -> Result<()> {
    let old = |path: &PathBuf| {
        let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
        modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|elapsed| elapsed > age))
    };
    list(folder)?.iter().filter(|path| is_partial(path) && old(path)).try_for_each(|path| remove(path))
}

/// Removes the folders beside `path` in which a killed process was making it: those that nobody is at work in.
fn sweep_abandoned(path: &Path) -> Result<()> {
    let name = format!("-{}", path.file_name().unwrap_or_default().to_string_lossy());
    let of_place = |partial: &str| {
        partial.strip_prefix(PARTIAL).and_then(|rest| rest.strip_suffix(&name)).is_some_and(|process| process.parse::<u32>().is_ok())
    };
    let made = |entry: &PathBuf| entry.is_dir() && entry.file_name().is_some_and(|name| of_place(&name.to_string_lossy()));
    let abandoned = |entry: &PathBuf| File::open(entry).is_ok_and(|folder| folder.try_lock().is_ok());
    list(parent(path))?.iter().filter(|entry| made(entry) && abandoned(entry)).try_for_each(|entry| remove(entry))
}

/// Whether this is what a killed process left half written.
#[must_use]
pub fn is_partial(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PARTIAL))
}

/// The entries of a folder, sorted by name.
///
/// # Errors
/// When it cannot be read.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let fail = |error| Error::io("list", folder, error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Bytes under a folder, all files together.
#[must_use]
pub fn size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.file_type() {
            Ok(kind) if kind.is_dir() => size(&entry.path()),
            Ok(kind) if kind.is_file() => entry.metadata().map_or(0, |found| found.len()),
            _ => 0,
        })
        .sum()
}

fn partial_name(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| Error::usage("a file name is needed").at(path.display()))?;
    Ok(parent(path).join(format!("{PARTIAL}{}-{}", std::process::id(), name.to_string_lossy())))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn write_synced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    gate("create")?;
    #[expect(clippy::disallowed_methods, reason = "under a partial name, synced below")]
    let mut file = File::create(path)?;
    let bytes = gate_write(bytes)?;
    file.write_all(bytes.0)?;
    bytes.1?;
    gate("fsync")?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    gate("fsync")?;
    File::open(path)?.sync_all()
}

fn remove_any(path: &Path) -> io::Result<()> {
    gate("remove")?;
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[expect(clippy::disallowed_methods, reason = "what is renamed here has been synced, and its folder is next")]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    gate("rename")?;
    fs::rename(from, to)
}

/// Exchanges two paths in one step; where the file system cannot, the old one makes room first (a crash in between leaves the new
/// one under its partial name and nothing under the old: the only moment of that kind, on file systems without `RENAME_EXCHANGE`).
fn exchange(partial: &Path, path: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    gate("exchange")?;
    match renameat_with(CWD, partial, CWD, path, RenameFlags::EXCHANGE) {
        Ok(()) => Ok(()),
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {
            fs::remove_dir_all(path)?;
            rename(partial, path)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "under test this is where a disk fails")]
pub(super) fn gate(_operation: &str) -> io::Result<()> {
    Ok(())
}

/// The bytes that reach the disk, and what is said afterwards.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "under test this is where a disk fails")]
pub(super) fn gate_write(bytes: &[u8]) -> io::Result<(&[u8], io::Result<()>)> {
    Ok((bytes, Ok(())))
}

#[cfg(test)]
pub(super) use faults::{gate, gate_write};

/// A disk that fails: the k-th operation of this thread crashes the process (all later ones fail too), or returns an error.
#[cfg(test)]
pub(crate) mod faults {
    use std::cell::Cell;
    use std::io;

    #[derive(Clone, Copy, Debug, PartialEq)]
    pub(crate) enum Fault {
        Crash,
        Error(i32),
        ShortWrite,
    }

    thread_local! {
        static PLAN: Cell<Option<(usize, Fault)>> = const { Cell::new(None) };
        static CRASHED: Cell<bool> = const { Cell::new(false) };
        static FIRED: Cell<bool> = const { Cell::new(false) };
    }

    /// Runs `work` on a disk whose operation number `k` (from 0) fails. Returns its result and whether the fault was met.
    pub(crate) fn with<R>(k: usize, fault: Fault, work: impl FnOnce() -> R) -> (R, bool) {
        PLAN.set(Some((k, fault)));
        FIRED.set(false);
        let result = work();
        PLAN.set(None);
        CRASHED.set(false);
        (result, FIRED.get())
    }

    fn next() -> Option<Fault> {
        if CRASHED.get() {
            return Some(Fault::Crash);
        }
        let (left, fault) = PLAN.get()?;
        PLAN.set(if left == 0 { None } else { Some((left - 1, fault)) });
        if left > 0 {
            return None;
        }
        FIRED.set(true);
        CRASHED.set(fault == Fault::Crash);
        Some(fault)
    }

    pub(in crate::file) fn gate(_operation: &str) -> io::Result<()> {
        match next() {
            None => Ok(()),
            Some(Fault::Error(code)) => Err(io::Error::from_raw_os_error(code)),
            Some(_) => Err(io::Error::other("crashed")),
        }
    }

    pub(in crate::file) fn gate_write(bytes: &[u8]) -> io::Result<(&[u8], io::Result<()>)> {
        match next() {
            None => Ok((bytes, Ok(()))),
            Some(Fault::Error(code)) => Err(io::Error::from_raw_os_error(code)),
            Some(_) => Ok((&bytes[..bytes.len() / 2], Err(io::Error::other("short write")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::faults::Fault;
    use super::*;

    /// Every operation of a save fails once, in every way: what was there stays readable, and nothing is left over after a sweep.
    #[test]
    fn a_failed_save_leaves_the_previous_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy");
        write_folder(&path, &[("a", b"old a"), ("b", b"old b")]).unwrap();
        for fault in [Fault::Crash, Fault::Error(5), Fault::Error(28), Fault::ShortWrite] {
            for k in 0.. {
                let (result, met) = faults::with(k, fault, || write_folder(&path, &[("a", b"new a"), ("b", b"new b")]));
                let a = read(&path.join("a"), 100).unwrap();
                let b = read(&path.join("b"), 100).unwrap();
                assert_eq!(a[..3], b[..3], "{fault:?} at {k}: halves of two saves");
                if result.is_ok() {
                    assert_eq!(a, b"new a");
                }
                sweep(folder.path()).unwrap();
                assert_eq!(list(folder.path()).unwrap(), std::slice::from_ref(&path), "{fault:?} at {k}: left over");
                write_folder(&path, &[("a", b"old a"), ("b", b"old b")]).unwrap();
                if !met {
                    break;
                }
            }
        }
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        write(&path, b"old").unwrap();
        for k in 0.. {
            let (result, met) = faults::with(k, Fault::ShortWrite, || write(&path, b"newer"));
            let found = read(&path, 100).unwrap();
            assert!(found == b"old" || found == b"newer");
            assert!(result.is_err() || found == b"newer");
            write(&path, b"old").unwrap();
            if !met {
                break;
            }
        }
    }

    #[test]
    fn a_staged_folder_appears_whole_or_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/set");
        for k in 0.. {
            let stage = || {
                let staged = Staged::begin(&path)?;
                write(&staged.folder().join("part"), b"whole")?;
                staged.appear()
            };
            let (result, met) = faults::with(k, Fault::Error(28), stage);
            if path.exists() {
                assert_eq!(read(&path.join("part"), 100).unwrap(), b"whole");
            } else {
                assert!(result.is_err());
                assert_eq!(list(folder.path()).unwrap(), Vec::<PathBuf>::new(), "left over at {k}");
            }
            remove(&folder.path().join("new")).unwrap();
            if !met {
                break;
            }
        }
    }

    #[test]
    fn what_a_killed_process_was_making_is_swept_by_the_next_and_what_another_one_is_making_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set");
        let make = |name: &str| {
            fs::create_dir(folder.path().join(name)).unwrap();
            write(&folder.path().join(name).join("part"), b"half").unwrap();
        };
        [".partial-1-set", ".partial-2-set", ".partial-3-other-set", ".partial-4-others"].into_iter().for_each(make);
        let at_work = File::open(folder.path().join(".partial-2-set")).unwrap();
        at_work.try_lock().unwrap();
        Staged::begin(&path).unwrap().appear().unwrap();
        let left: Vec<String> =
            list(folder.path()).unwrap().iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(left, [".partial-2-set", ".partial-3-other-set", ".partial-4-others", "set"]);
    }

    #[test]
    fn a_file_over_the_cap_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big");
        write(&path, &[0; 101]).unwrap();
        assert!(read(&path, 100).unwrap_err().to_string().contains("101 bytes"));
        assert!(read(folder.path(), 100).is_err());
    }
}
