//! Provides native libraries: unpacked once per machine in the user's cache, and linked into the project's `.native`.
//!
//! PyPI's wheels are the source that every package mirror has. pip brings them with the user's own index and proxy settings and
//! checks their digests (`native/*.txt`); only what is needed of them is kept ([`Native::parts`]).
//!
//! The cache is whole after a kill at any moment. What is unfinished lies in a folder of its own, which is renamed into place when
//! complete and swept away by the next set-up otherwise; a lock keeps two set-ups apart.
#![expect(clippy::disallowed_methods, reason = "files are written into the unfinished folder, and renamed with it")]

pub(crate) mod libtorch;
pub(crate) mod mujoco;
mod wheels;

use std::env;
use std::fs::{self, File, TryLockError};
#[cfg(unix)]
use std::os::unix::fs::symlink;
#[cfg(windows)]
use std::os::windows::fs::symlink_dir as symlink;
use std::path::{Path, PathBuf};

use crate::failure::{self, Outcome};
use crate::{child, machine};

/// A library that comes out of wheels.
struct Native {
    name: &'static str,
    version: &'static str,
    /// What pip downloads, with digests: the file's name under `native/`, and its text.
    requirements: (&'static str, &'static str),
    /// What is kept of the wheels.
    parts: &'static [&'static str],
    /// What is added: files and their texts.
    added: &'static [(&'static str, &'static str)],
}

impl Native {
    /// Makes sure that it is there, and says nothing when it is.
    fn provide(&self) -> Outcome {
        let cache = cache()?;
        let home = cache.join(self.folder());
        if !self.is_complete(&home) {
            self.fill(&cache, &home)?;
        }
        point(&self.link(), &home)
    }

    fn link(&self) -> PathBuf {
        crate::root().join(".native").join(self.name)
    }

    /// A name for exactly these pins and parts, so that checkouts with others share the cache without meeting.
    fn folder(&self) -> String {
        let added = self.added.iter().flat_map(|(path, text)| [*path, *text]);
        let texts = std::iter::once(self.requirements.1).chain(self.parts.iter().copied()).chain(added);
        name_for(&format!("{}-{}", self.name, self.version), texts)
    }

    fn is_complete(&self, folder: &Path) -> bool {
        let added = self.added.iter().map(|(path, _)| path);
        self.parts.iter().chain(added).all(|part| folder.join(part).exists())
    }

    /// Downloads and unpacks into a folder beside `home`, which then takes its name.
    fn fill(&self, cache: &Path, home: &Path) -> Outcome {
        fs::create_dir_all(cache).map_err(failure::at(cache))?;
        let _lock = lock(&cache.join("setup.lock"))?;
        sweep(cache)?;
        if self.is_complete(home) {
            return Ok(()); // by the set-up that held the lock
        }
        machine::check_python()?;
        child::heading(&format!("Providing {} {} in {} (once per machine)", self.name, self.version, home.display()));
        let unfinished = Unfinished::create(cache)?;
        let wheels = unfinished.folder("wheels")?;
        let folder = unfinished.folder(self.name)?;
        wheels::download(self, &wheels, &unfinished.folder("temporary")?)?;
        wheels::unpack(self, &wheels, &folder)?;
        for (part, text) in self.added {
            fs::write(folder.join(part), text).map_err(failure::at(&folder))?;
        }
        if !self.is_complete(&folder) {
            return Err(format!("the wheels lack a part: make xtask/src/native/{}.rs and {} agree", self.name, self.requirements.0));
        }
        if home.exists() {
            fs::remove_dir_all(home).map_err(failure::at(home))?; // somebody took files out of it
        }
        fs::rename(&folder, home).map_err(failure::at(home))
    }
}

/// A folder's name that stands for exactly these texts.
pub(crate) fn name_for<'a>(what: &str, texts: impl Iterator<Item = &'a str>) -> String {
    // FNV-1a: the same in every Rust release, unlike std's hashes.
    let digest =
        texts.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{what}-{digest:016x}")
}

/// The user's cache, as the XDG base directory specification places it.
pub(crate) fn cache() -> Outcome<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(absolute);
    let usual = || env::home_dir().filter(absolute).map(|home| home.join(".cache"));
    let cache = named.or_else(usual).ok_or("there is no home folder to keep libraries in: set XDG_CACHE_HOME to an absolute path")?;
    Ok(cache.join("heirloom"))
}

/// Waits until no other set-up is at work. The lock ends with the process, and the file stays.
pub(crate) fn lock(path: &Path) -> Outcome<File> {
    let file = File::create(path).map_err(failure::at(path))?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => eprintln!("another set-up is at work: waiting for it"),
        Err(TryLockError::Error(error)) => return Err(failure::at(path)(error)),
    }
    file.lock().map_err(failure::at(path))?;
    Ok(file)
}

const UNFINISHED: &str = "unfinished-";

/// Removes what killed set-ups left.
fn sweep(cache: &Path) -> Outcome {
    for entry in fs::read_dir(cache).map_err(failure::at(cache))?.flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            fs::remove_dir_all(entry.path()).map_err(failure::at(&entry.path()))?;
        }
    }
    Ok(())
}

/// A folder for work in progress, removed at the end whatever happens. Its name carries the process id: pip may outlive a
/// killed set-up for a while, and must not write among the files of the next.
struct Unfinished(PathBuf);

impl Unfinished {
    fn create(cache: &Path) -> Outcome<Self> {
        let path = cache.join(format!("{UNFINISHED}{}", std::process::id()));
        fs::create_dir(&path).map_err(failure::at(&path))?;
        Ok(Self(path))
    }

    fn folder(&self, name: &str) -> Outcome<PathBuf> {
        let path = self.0.join(name);
        fs::create_dir(&path).map_err(failure::at(&path))?;
        Ok(path)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // the next set-up sweeps what this cannot
    }
}

/// Points the project's link at `home`: a new link renamed over the old, so that a build at the same moment sees one or the other.
pub(crate) fn point(link: &Path, home: &Path) -> Outcome {
    if fs::read_link(link).is_ok_and(|target| target == home) {
        return Ok(());
    }
    let folder = link.parent().expect("the link lies in a folder");
    let fresh = link.with_extension(std::process::id().to_string());
    fs::create_dir_all(folder).map_err(failure::at(folder))?;
    let renamed = symlink(home, &fresh).and_then(|()| fs::rename(&fresh, link));
    if renamed.is_err() {
        let _ = fs::remove_file(&fresh);
    }
    renamed.map_err(failure::at(link))
}
