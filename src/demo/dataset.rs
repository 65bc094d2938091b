//! A set of demonstrations as it is read: part by part, so that it may be larger than memory.

use super::episode::Episode;
use super::header::Header;
use super::{journal, part};
use crate::error::{Error, Kind, Result};
use crate::file::{digest, disk, ron};
use crate::parallel::Pool;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The manifest's file name.
pub const MANIFEST: &str = "demonstrations.ron";
/// The journal's file name.
pub(super) const JOURNAL: &str = "journal";

/// What the journal is called while what it holds is sealed into a part; another one goes on meanwhile.
pub(super) const SEALING: &str = "journal.sealing";

/// The file name of a part.
pub(super) fn part_name(index: usize) -> String {
    format!("part-{index:05}.parquet")
}

/// `demonstrations.ron`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "demonstrations", deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) header: Header,
    pub(super) parts: Vec<SealedPart>,
    /// While recording goes on, or was broken off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unfinished: Option<Unfinished>,
}

/// What the manifest knows of a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SealedPart {
    pub(super) episodes: u64,
    pub(super) steps: u64,
    pub(super) sha256: String,
}

/// Where a recording goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Unfinished {
    /// The first place in the order of the recording that no part holds.
    pub(super) next: u64,
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Self> {
        let file = path.join(MANIFEST);
        if !file.is_file() {
            return Err(Error::usage(format!("there are no demonstrations: `{MANIFEST}` is missing"))
                .at(path.display())
                .hint("name a folder that `heirloom demo record` or `heirloom demo import` wrote"));
        }
        let manifest: Self = ron::read_artefact(&file)?;
        manifest.header.check().map_err(|error| error.at(file.display()))?;
        let count = |of: fn(&SealedPart) -> u64| manifest.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(of(part)));
        if count(|part| part.episodes).zip(count(|part| part.steps)).is_none() {
            return Err(Error::artefact("the numbers of episodes and steps overflow").at(file.display()));
        }
        Ok(manifest)
    }

    pub(super) fn sealed_episodes(&self) -> u64 {
        self.parts.iter().map(|part| part.episodes).sum()
    }
}

/// A set that was opened.
#[derive(Debug, Clone)]
pub struct Demonstrations {
    path: PathBuf,
    manifest: Manifest,
    /// Recorded, not sealed.
    unsealed: Vec<Episode>,
}

impl Demonstrations {
    /// Opens a set; of one that is still being recorded, or was broken off, everything that was acknowledged.
    ///
    /// # Errors
    /// Exit 2 when there is none, 3 when it is damaged.
    pub fn open(path: &Path) -> Result<Self> {
        let (manifest, mut entries) = loop {
            let manifest = Manifest::read(path)?;
            let entries = match manifest.unfinished {
                Some(_) => journal::read_all(path, &manifest.header)?,
                None => std::collections::BTreeMap::new(),
            };
            // Where a recording goes on meanwhile, a part may have taken over what the journal then no longer holds.
            if Manifest::read(path)? == manifest {
                break (manifest, entries);
            }
        };
        let mut unsealed = Vec::new();
        if let Some(unfinished) = &manifest.unfinished {
            entries.retain(|order, _| *order >= unfinished.next);
            unsealed = entries.into_values().flatten().collect();
            for (number, episode) in (manifest.sealed_episodes()..).zip(&unsealed) {
                let checked = episode.check(&manifest.header.spaces, &manifest.header.info);
                checked.map_err(|error| error.at(format!("episode {number}")).at(path.join(JOURNAL).display()))?;
            }
        }
        Ok(Self { path: path.to_owned(), manifest, unsealed })
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name: that of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    /// What it says of itself.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.manifest.header
    }

    /// Whether recording was finished.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.manifest.unfinished.is_none()
    }

    /// How many episodes.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.manifest.sealed_episodes() + self.unsealed.len() as u64
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many steps.
    #[must_use]
    pub fn steps(&self) -> u64 {
        let sealed: u64 = self.manifest.parts.iter().map(|part| part.steps).sum();
        sealed + self.unsealed.iter().map(|episode| episode.len() as u64).sum::<u64>()
    }

    /// What the set *is*: SHA-256 of its manifest, which holds that of every part.
    #[must_use]
    pub fn digest(&self) -> String {
        digest::of_bytes(ron::to_text(&self.manifest).as_bytes())
    }

    /// All episodes with their numbers, in order; one part is in memory at a time.
    pub fn episodes(&self) -> impl Iterator<Item = Result<(u64, Episode)>> {
        let mut first = 0;
        let parts = self.manifest.parts.iter().enumerate().flat_map(move |(index, part)| {
            let start = first;
            first += part.episodes;
            match self.part(index, start) {
                Ok(episodes) => (start..).zip(episodes).map(Ok).collect::<Vec<_>>(),
                Err(error) => vec![Err(error)],
            }
        });
        let sealed = self.manifest.sealed_episodes();
        parts.chain((sealed..).zip(self.unsealed.iter().cloned()).map(Ok))
    }

    /// All episodes at once, parts read side by side.
    ///
    /// # Errors
    /// Exit 3 with file, episode and row.
    pub fn load(&self, pool: &Pool) -> Result<Vec<Episode>> {
        let mut first = 0;
        let mut starts: Vec<(usize, u64)> = Vec::with_capacity(self.manifest.parts.len());
        for (index, part) in self.manifest.parts.iter().enumerate() {
            starts.push((index, first));
            first += part.episodes;
        }
        let parts = pool.map(&mut starts, |_, (index, first)| self.part(*index, *first));
        let mut episodes = Vec::new();
        for part in parts {
            episodes.extend(part?);
        }
        episodes.extend(self.unsealed.iter().cloned());
        Ok(episodes)
    }

    /// The first `count` episodes.
    ///
    /// # Errors
    /// Exit 2 when there are fewer, 3 when they are damaged.
    pub fn first(&self, count: u64) -> Result<Vec<Episode>> {
        if count > self.len() {
            return Err(Error::usage(format!("there are {} episodes, {count} are asked for", self.len())).at(self.path.display()));
        }
        let wanted = self.episodes().take(usize::try_from(count).unwrap_or(usize::MAX));
        wanted.map(|episode| episode.map(|(_, episode)| episode)).collect()
    }

    /// Checks the SHA-256 of every part against the manifest.
    ///
    /// # Errors
    /// Exit 3 with the first file that is not what was written.
    pub fn verify(&self) -> Result<()> {
        for (index, part) in self.manifest.parts.iter().enumerate() {
            if digest::of_bytes(&self.read_part(index)?) != part.sha256 {
                let message = "is damaged: its SHA-256 is not the one that was written";
                return Err(Error::artefact(message).at(self.path.join(part_name(index)).display()));
            }
        }
        Ok(())
    }

    /// The bytes of a part; one that is not there is missing from the set.
    fn read_part(&self, index: usize) -> Result<Vec<u8>> {
        let path = self.path.join(part_name(index));
        let refused = |error: Error| if error.kind() == Kind::Io && !path.exists() { error.as_kind(Kind::Artefact) } else { error };
        disk::read(&path, part::CAP).map_err(refused)
    }

    fn part(&self, index: usize, first: u64) -> Result<Vec<Episode>> {
        let path = self.path.join(part_name(index));
        let episodes = part::from_bytes(self.read_part(index)?, &self.manifest.header, first).map_err(|error| error.at(path.display()))?;
        let part = &self.manifest.parts[index];
        let steps: u64 = episodes.iter().map(|episode| episode.len() as u64).sum();
        if (episodes.len() as u64, steps) != (part.episodes, part.steps) {
            let message =
                format!("holds {} episodes with {steps} steps; the manifest says {} with {}", episodes.len(), part.episodes, part.steps);
            return Err(Error::artefact(message).at(path.display()));
        }
        Ok(episodes)
    }
}
