//! Provides libtorch: unpacked once per machine in the user's cache, and linked into the project as `.native/libtorch`.
//!
//! PyPI's wheels are the source that every package mirror has. pip brings them with the user's own index and proxy settings and
//! checks their digests (`libtorch/requirements.txt`); only the CPU half is kept (`PARTS`).
//!
//! The cache is whole after a kill at any moment. What is unfinished lies in a folder of its own, which is renamed into place when
//! complete and swept away by the next set-up otherwise; a lock keeps two set-ups apart.
#![expect(clippy::disallowed_methods, reason = "files are written into the unfinished folder, and renamed with it")]

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

/// What torch-sys 0.26 binds, and `requirements.txt` pins.
pub(crate) const VERSION: &str = "2.13.0";

const REQUIREMENTS: &str = include_str!("libtorch/requirements.txt");

/// What is kept of the wheels.
const PARTS: [&str; 6] = [
    "include/",
    "lib/libtorch_cpu.so",
    "lib/libc10.so",
    "lib/libgomp.so.1",
    // Not used by any CPU code, but `libtorch_cpu.so` of the CUDA wheel does not load without them.
    "lib/libcupti.so.13",
    "lib/libcudart.so.13",
];

/// What is added: a linker script where torch-sys links `-ltorch` (an empty library in the wheel), and the version as the archives
/// of libtorch have it, with the wheel's variant; torch-sys and Heirloom read it.
const ADDED: [(&str, &str); 2] = [("lib/libtorch.so", "INPUT(-ltorch_cpu -lc10)\n"), ("build-version", "2.13.0+cu130\n")];

/// Makes sure that the libtorch that `.cargo/config.toml` names is there, and says nothing when it is.
pub(crate) fn provide() -> Outcome {
    let link = crate::root().join(".native/libtorch");
    if let Some(own) = brought(&link)? {
        eprintln!("{own} is set: that libtorch is used, and none is provided");
        return Ok(());
    }
    let cache = cache()?;
    let home = cache.join(name());
    if !is_complete(&home) {
        machine::check_platform()?;
        fill(&cache, &home)?;
    }
    point(&link, &home)
}

/// The variable that names a libtorch of the user's own: those that torch-sys follows, in its order. That of
/// `.cargo/config.toml`, which cargo hands to every program it runs, is not the user's.
fn brought(link: &Path) -> Outcome<Option<String>> {
    if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return Ok(Some("LIBTORCH_USE_PYTORCH".to_owned()));
    }
    match env::var_os("LIBTORCH").map(PathBuf::from) {
        Some(own) if own != link && own.join("include").is_dir() => Ok(Some(format!("LIBTORCH={}", own.display()))),
        Some(own) if own != link => {
            Err(format!("LIBTORCH={} is no folder with a libtorch: correct it, or unset it and one is provided", own.display()))
        }
        _ => Ok(None),
    }
}

/// The user's cache, as the XDG base directory specification places it.
pub(crate) fn cache() -> Outcome<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let named = env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(absolute);
    let usual = || env::home_dir().filter(absolute).map(|home| home.join(".cache"));
    let cache = named.or_else(usual).ok_or("there is no home folder to keep libtorch in: set XDG_CACHE_HOME to an absolute path")?;
    Ok(cache.join("heirloom"))
}

/// A name for exactly these pins and parts, so that checkouts with others share the cache without meeting.
fn name() -> String {
    let added = ADDED.iter().flat_map(|(path, text)| [*path, *text]);
    name_for(&format!("libtorch-{VERSION}"), std::iter::once(REQUIREMENTS).chain(PARTS).chain(added))
}

/// A folder's name that stands for exactly these texts.
pub(crate) fn name_for<'a>(what: &str, texts: impl Iterator<Item = &'a str>) -> String {
    // FNV-1a: the same in every Rust release, unlike std's hashes.
    let digest =
        texts.flat_map(str::bytes).fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{what}-{digest:016x}")
}

fn is_complete(folder: &Path) -> bool {
    let added = ADDED.iter().map(|(path, _)| *path);
    PARTS.into_iter().chain(added).all(|part| folder.join(part).exists())
}

/// Downloads and unpacks into a folder beside `home`, which then takes its name.
fn fill(cache: &Path, home: &Path) -> Outcome {
    fs::create_dir_all(cache).map_err(failure::at(cache))?;
    let _lock = lock(&cache.join("setup.lock"))?;
    sweep(cache)?;
    if is_complete(home) {
        return Ok(()); // by the set-up that held the lock
    }
    machine::check_python()?;
    child::heading(&format!("Providing libtorch {VERSION} in {} (once per machine)", home.display()));
    let unfinished = Unfinished::create(cache)?;
    let wheels = unfinished.folder("wheels")?;
    let libtorch = unfinished.folder("libtorch")?;
    wheels::download(&wheels, &unfinished.folder("temporary")?)?;
    wheels::unpack(&wheels, &libtorch, &PARTS)?;
    for (part, text) in ADDED {
        fs::write(libtorch.join(part), text).map_err(failure::at(&libtorch))?;
    }
    if !is_complete(&libtorch) {
        return Err("the wheels lack a part: make PARTS in xtask/src/libtorch.rs and requirements.txt agree".to_owned());
    }
    if home.exists() {
        fs::remove_dir_all(home).map_err(failure::at(home))?; // somebody took files out of it
    }
    fs::rename(&libtorch, home).map_err(failure::at(home))
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
