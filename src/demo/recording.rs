//! Writing a set: every episode is in the journal when it has ended; the journal is sealed into parts on the way.
//!
//! Episodes may end in any order (they run side by side) and are numbered in the order of the recording. A kill loses the episodes that
//! were running; [`Recording::resume`] goes on behind the others.

use super::dataset::{JOURNAL, Manifest, SealedPart, Unfinished, part_name};
use super::episode::Episode;
use super::header::Header;
use super::journal::{Entry, Journal};
use super::part;
use crate::error::{Error, Result};
use crate::file::lock::Lock;
use crate::file::{digest, disk, journal, ron};
use std::path::{Path, PathBuf};

/// A set that this process writes.
pub struct Recording {
    path: PathBuf,
    manifest: Manifest,
    journal: Journal,
    /// In the journal, not yet numbered.
    held: Vec<Entry>,
    /// Numbered, not yet sealed.
    ready: Vec<Episode>,
    ready_rows: usize,
    /// Everything before this place in the order of the recording is numbered, or was left out.
    settled: u64,
    _lock: Lock,
}

impl Recording {
    /// Begins a new set.
    ///
    /// # Errors
    /// Exit 2 when something is there already, 6 when the disk refuses.
    pub fn create(path: &Path, header: Header) -> Result<Self> {
        header.check()?;
        check_free(path)?;
        disk::create_folder(path)?;
        let lock = Lock::take(path)?;
        check_free(path)?;
        disk::sweep(path)?;
        let manifest = Manifest { header, parts: Vec::new(), unfinished: Some(Unfinished { next: 0 }) };
        manifest.write(path)?;
        let (journal, _) = Journal::open(&path.join(JOURNAL), &manifest.header)?;
        let settled = 0;
        Ok(Self { path: path.to_owned(), manifest, journal, held: Vec::new(), ready: Vec::new(), ready_rows: 0, settled, _lock: lock })
    }

    /// Goes on with a set that is not finished, or makes a finished one longer. The recorder must be the same.
    ///
    /// # Errors
    /// Exit 2 when it was begun with something else, 3 when it is damaged, 7 when another process writes there.
    pub fn resume(path: &Path, header: &Header) -> Result<Self> {
        let manifest = Manifest::read(path)?;
        let differs = |what: &str| {
            Err(Error::usage(format!("the recording was begun with another {what}"))
                .at(path.display())
                .hint("record what it was begun with, or pass another --out"))
        };
        let begun = &manifest.header;
        if begun.environment_ron != header.environment_ron || begun.spaces != header.spaces {
            return differs("environment");
        }
        if begun.recorders != header.recorders || begun.info != header.info {
            let recorders: Vec<String> = begun.recorders.iter().map(ToString::to_string).collect();
            return differs(&format!("recorder: {}", recorders.join("; ")));
        }
        let Some(unfinished) = &manifest.unfinished else {
            return Err(Error::usage("the recording is finished")
                .at(path.display())
                .hint("pass another --out; `heirloom demo merge` joins two sets"));
        };
        let lock = Lock::take(path)?;
        disk::sweep(path)?;
        let (journal, held) = Journal::open(&path.join(JOURNAL), begun)?;
        // What a crash between sealing and emptying the journal left is in a part already.
        let settled = unfinished.next;
        let held = held.into_iter().filter(|(order, _)| *order >= unfinished.next).collect();
        Ok(Self { path: path.to_owned(), manifest, journal, held, ready: Vec::new(), ready_rows: 0, settled, _lock: lock })
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Episodes that are numbered.
    #[must_use]
    pub fn episodes(&self) -> u64 {
        self.manifest.sealed_episodes() + self.ready.len() as u64
    }

    /// The first place in the order of the recording that is neither numbered nor left out.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.settled
    }

    /// What is in the journal and has no number yet: order, and return and length where it was kept.
    pub fn held(&self) -> impl Iterator<Item = (u64, Option<(f64, usize)>)> {
        self.held.iter().map(|(order, episode)| (*order, episode.as_ref().map(|episode| (episode.total(), episode.len()))))
    }

    /// Keeps an episode that has ended, or the fact that one was left out. When this returns, a kill does not lose it.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn push(&mut self, order: u64, episode: Option<Episode>) -> Result<()> {
        self.journal.append(order, episode.as_ref())?;
        self.held.push((order, episode));
        Ok(())
    }

    /// Numbers everything before `order`, of which nothing may be running any more, up to `most` episodes in all; seals what fills a part.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn settle(&mut self, order: u64, most: u64) -> Result<()> {
        self.held.sort_by_key(|(order, _)| *order);
        let behind = self.held.iter().take_while(|(held, _)| *held < order).count();
        let mut numbered = self.episodes();
        for episode in self.held.drain(..behind).filter_map(|(_, episode)| episode) {
            if numbered < most {
                self.ready_rows += episode.len() + 1;
                self.ready.push(episode);
                numbered += 1;
            }
        }
        self.settled = self.settled.max(order);
        if self.ready_rows >= part::ROWS && self.held.is_empty() {
            self.seal(Some(order))?;
        }
        Ok(())
    }

    /// Adds an episode behind the others: for whoever writes them one after the other.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn append(&mut self, episode: Episode) -> Result<()> {
        let order = self.settled;
        self.push(order, Some(episode))?;
        self.settle(order + 1, u64::MAX)
    }

    /// Seals what is left; the set is then finished.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses; what was acknowledged is still there.
    pub fn finish(mut self) -> Result<()> {
        self.seal(None)?;
        disk::remove(&self.path.join(JOURNAL))
    }

    /// Parts first, then the manifest, which makes them true, then the journal, which has become superfluous.
    fn seal(&mut self, next: Option<u64>) -> Result<()> {
        let mut episodes = std::mem::take(&mut self.ready);
        self.ready_rows = 0;
        while !episodes.is_empty() {
            let mut rows = 0;
            let fits = |episode: &&Episode| {
                let before = rows;
                rows += episode.len() + 1;
                before < part::ROWS
            };
            let count = episodes.iter().take_while(fits).count();
            let rest = episodes.split_off(count);
            let bytes = part::to_bytes(&self.manifest.header, self.manifest.sealed_episodes(), &episodes);
            disk::write(&self.path.join(part_name(self.manifest.parts.len())), &bytes)?;
            let steps = episodes.iter().map(|episode| episode.len() as u64).sum();
            self.manifest.parts.push(SealedPart { episodes: count as u64, steps, sha256: digest::of_bytes(&bytes) });
            episodes = rest;
        }
        self.manifest.unfinished = next.map(|next| Unfinished { next });
        self.manifest.write(&self.path)?;
        drop(journal::Journal::open(&self.path.join(JOURNAL), 0)?);
        (self.journal, _) = Journal::open(&self.path.join(JOURNAL), &self.manifest.header)?;
        Ok(())
    }
}

impl Manifest {
    fn write(&self, path: &Path) -> Result<()> {
        let text = ron::to_text(self);
        if text.len() as u64 > ron::CAP {
            return Err(Error::usage("the set has too many parts for one folder").at(path.display()).hint("record into several folders"));
        }
        disk::write(&path.join(super::dataset::MANIFEST), text.as_bytes())
    }
}

/// Fails unless a set can begin here.
fn check_free(path: &Path) -> Result<()> {
    if path.join(super::dataset::MANIFEST).exists() {
        return Err(Error::usage("there are demonstrations already").at(path.display()).hint("go on with --resume, or pass another --out"));
    }
    let ours = |entry: &PathBuf| disk::is_partial(entry) || entry.file_name().is_some_and(|name| name == "lock");
    if path.is_file() || (path.exists() && disk::list(path)?.iter().any(|entry| !ours(entry))) {
        return Err(Error::usage("is not empty and holds no demonstrations").at(path.display()).hint("pass another --out"));
    }
    Ok(())
}
