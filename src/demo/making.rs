//! A set that appears whole or not at all: what imports, cuts and merges write.
//!
//! Episodes go into a folder beside the place of the set, which is moved there at the end and removed when anything fails before.

use super::dataset::{Demonstrations, MANIFEST};
use super::episode::Episode;
use super::header::Header;
use super::recording::Recording;
use crate::error::{Error, Result};
use crate::file::digest;
use crate::file::disk::{self, Staged};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A set that is being made.
pub(super) struct Making {
    recording: Recording,
    staged: Staged,
    path: PathBuf,
    seen: BTreeMap<String, u64>,
    twins: Twins,
}

/// A set that was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// The set.
    pub set: Demonstrations,
    /// What somebody who wants to use it should know.
    pub notes: Vec<String>,
}

/// Episodes that stand twice.
#[derive(Debug, Default)]
struct Twins {
    first: Option<(u64, u64)>,
    count: u64,
}

impl Making {
    /// Begins a set whose place will be `path`.
    ///
    /// # Errors
    /// Exit 2 when something is there already, 6 when the disk refuses.
    pub(super) fn begin(path: &Path, header: Header) -> Result<Self> {
        check_free(path)?;
        let staged = Staged::begin(path)?;
        let recording = Recording::create(staged.folder(), header)?;
        Ok(Self { recording, staged, path: path.to_owned(), seen: BTreeMap::new(), twins: Twins::default() })
    }

    /// Adds an episode behind the others.
    pub(super) fn append(&mut self, episode: Episode) -> Result<()> {
        let number = self.recording.episodes();
        let course = [bytemuck::cast_slice::<f64, u8>(&episode.observations), bytemuck::cast_slice(&episode.actions)].concat();
        if let Some(first) = self.seen.insert(digest::of_bytes(&course), number) {
            self.twins.first.get_or_insert((first, number));
            self.twins.count += 1;
        }
        self.recording.append(episode)
    }

    /// How many episodes there are.
    pub(super) fn episodes(&self) -> u64 {
        self.recording.episodes()
    }

    /// Puts the set in its place.
    pub(super) fn finish(self, mut notes: Vec<String>) -> Result<Made> {
        self.recording.finish()?;
        self.staged.appear()?;
        notes.extend(self.twins.note());
        Ok(Made { set: Demonstrations::open(&self.path)?, notes })
    }
}

impl Twins {
    fn note(&self) -> Option<String> {
        let (first, second) = self.first?;
        let more = if self.count > 1 { format!(", and {} more stand twice", self.count - 1) } else { String::new() };
        Some(format!("episode {second} is episode {first} once more{more}"))
    }
}

/// Fails unless a set can appear here.
///
/// # Errors
/// Exit 2.
pub fn check_free(path: &Path) -> Result<()> {
    let refuse = |what: &str| Err(Error::usage(what).at(path.display()).hint("pass another --out"));
    if path.join(MANIFEST).exists() {
        return refuse("there are demonstrations already");
    }
    if path.exists() && !(path.is_dir() && disk::list(path)?.is_empty()) {
        return refuse("is there already");
    }
    Ok(())
}
