//! Writing a set: every episode is in the journal when it has ended; the journal is sealed into parts on the way, where somebody lends a
//! thread while recording goes on ([`Recording::begin_part`], [`Sealing::seal`], [`Recording::enter`]).
//!
//! Episodes may end in any order (they run side by side) and are numbered in the order of the recording. A kill loses the episodes that
//! were running; [`Recording::resume`] goes on behind the others. So does whoever was refused by the disk: what is in memory is then behind.

use super::dataset::{JOURNAL, Manifest, SEALING, SealedPart, Unfinished, part_name};
use super::episode::Episode;
use super::header::Header;
use super::journal::{self, Journal};
use super::part;
use crate::error::{Error, Result};
use crate::file::lock::Lock;
use crate::file::{digest, disk, ron};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A set that this process writes.
pub struct Recording {
    path: PathBuf,
    manifest: Manifest,
    journal: Journal,
    /// In the journal, not yet numbered, by place in the order of the recording.
    held: BTreeMap<u64, Option<Episode>>,
    /// Rows of these.
    held_rows: usize,
    /// Numbered, not yet sealed.
    ready: Vec<(u64, Episode)>,
    /// Rows of these.
    ready_rows: usize,
    /// Episodes that are numbered, sealed ones among them.
    numbered: u64,
    /// Everything before this place in the order of the recording is numbered, or was left out.
    settled: u64,
    /// A part is being sealed.
    sealing: bool,
    /// Where parts are made.
    room: Vec<u8>,
    _lock: Lock,
}

/// A part on its way to the disk: [`Sealing::seal`] can be called on another thread, while recording goes on.
pub struct Sealing {
    path: PathBuf,
    header: Header,
    first: u64,
    episodes: Vec<Episode>,
    /// The first place in the order of the recording that neither this part nor one before it holds.
    next: u64,
    room: Vec<u8>,
}

/// A part that is on the disk, and not yet entered.
pub struct Sealed {
    part: SealedPart,
    next: u64,
    room: Vec<u8>,
}

impl Sealing {
    /// Writes the part.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn seal(self) -> Result<Sealed> {
        let bytes = part::to_bytes(&self.header, self.first, &self.episodes, self.room);
        disk::write(&self.path, &bytes)?;
        let steps = self.episodes.iter().map(|episode| episode.len() as u64).sum();
        let part = SealedPart { episodes: self.episodes.len() as u64, steps, sha256: digest::of_bytes(&bytes) };
        Ok(Sealed { part, next: self.next, room: bytes })
    }
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
        Ok(Self::with(path, manifest, journal, BTreeMap::new(), lock))
    }

    /// Goes on with a set that is not finished. The recorder must be the same.
    ///
    /// # Errors
    /// Exit 2 when it was begun with something else, 3 when it is damaged, 7 when another process writes there.
    pub fn resume(path: &Path, header: &Header) -> Result<Self> {
        // Nothing is touched where there is no set.
        Manifest::read(path)?;
        let lock = Lock::take(path)?;
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
        disk::sweep(path)?;
        for orphan in disk::list(path)?.into_iter().filter(|file| manifest.disowns(file)) {
            disk::remove(&orphan)?;
        }
        let Some(unfinished) = &manifest.unfinished else {
            return Err(Error::usage("the recording is finished")
                .at(path.display())
                .hint("pass another --out; `heirloom demo merge` joins two sets"));
        };
        let (mut journal, _) = Journal::open(&path.join(JOURNAL), begun)?;
        let held = journal::read_all(path, begun)?;
        // A part was being sealed: its journal and the one behind it become one again.
        if path.join(SEALING).exists() {
            journal = Journal::of(&path.join(JOURNAL), held.iter().map(|(order, episode)| (*order, episode.as_ref())))?;
            disk::remove(&path.join(SEALING))?;
        }
        // What a crash between sealing and emptying the journal left is in a part already.
        let held = held.into_iter().filter(|(order, _)| *order >= unfinished.next).collect();
        Ok(Self::with(path, manifest, journal, held, lock))
    }

    fn with(path: &Path, manifest: Manifest, journal: Journal, held: BTreeMap<u64, Option<Episode>>, lock: Lock) -> Self {
        let settled = manifest.unfinished.as_ref().map_or(0, |unfinished| unfinished.next);
        let (held_rows, numbered) = (held.values().flatten().map(rows).sum(), manifest.sealed_episodes());
        Self {
            path: path.to_owned(),
            manifest,
            journal,
            held,
            held_rows,
            ready: Vec::new(),
            ready_rows: 0,
            numbered,
            settled,
            sealing: false,
            room: Vec::new(),
            _lock: lock,
        }
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Episodes that are numbered.
    #[must_use]
    pub const fn episodes(&self) -> u64 {
        self.numbered
    }

    /// The first place in the order of the recording that is neither numbered nor left out.
    #[must_use]
    pub const fn next(&self) -> u64 {
        self.settled
    }

    /// What is in the journal and has no number yet.
    pub fn held(&self) -> impl Iterator<Item = u64> {
        self.held.keys().copied()
    }

    /// Rows of what has no number yet: what waits in memory for an episode before it.
    #[must_use]
    pub const fn held_rows(&self) -> usize {
        self.held_rows
    }

    /// Keeps an episode that has ended, or the fact that one was left out. When this returns, a kill does not lose it.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn push(&mut self, order: u64, episode: Option<Episode>) -> Result<()> {
        self.push_all(vec![(order, episode)])
    }

    /// The same for several that have ended, in one write; where the disk refuses that, as many as it takes are kept.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn push_all(&mut self, ended: Vec<(u64, Option<Episode>)>) -> Result<()> {
        let entries = || ended.iter().map(|(order, episode)| (*order, episode.as_ref()));
        if self.journal.append(entries()).is_err() {
            entries().try_for_each(|entry| self.journal.append([entry]))?;
        }
        self.held_rows += ended.iter().filter_map(|(_, episode)| episode.as_ref()).map(rows).sum::<usize>();
        self.held.extend(ended);
        Ok(())
    }

    /// Numbers what no running episode stands before, up to `most` episodes in all. Seals nothing: see [`Recording::begin_part`].
    pub fn number_ended(&mut self, most: u64) {
        let ended = self.held.keys().zip(self.settled..).take_while(|(held, order)| **held == *order).count();
        self.number(self.settled + ended as u64, most);
    }

    /// Numbers everything before `order`, of which nothing may be running any more, up to `most` episodes in all; seals what fills a part.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn settle(&mut self, order: u64, most: u64) -> Result<()> {
        self.number(order, most);
        while let Some(sealing) = self.begin_part()? {
            self.enter(sealing.seal()?)?;
        }
        Ok(())
    }

    fn number(&mut self, order: u64, most: u64) {
        while let Some(first) = self.held.first_entry().filter(|first| *first.key() < order) {
            let (order, Some(episode)) = first.remove_entry() else { continue };
            self.held_rows -= rows(&episode);
            if self.numbered < most {
                self.numbered += 1;
                self.ready_rows += rows(&episode);
                self.ready.push((order, episode));
            }
        }
        self.settled = self.settled.max(order);
    }

    /// Numbers all that the journal holds: for whoever writes episodes one after the other, and goes on with that.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn settle_all(&mut self) -> Result<()> {
        let last = self.held.last_key_value().map(|(order, _)| *order);
        last.map_or(Ok(()), |last| self.settle(last.saturating_add(1), u64::MAX))
    }

    /// Adds an episode behind the others: for whoever writes them one after the other.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn append(&mut self, episode: Episode) -> Result<()> {
        self.settle_all()?;
        let order = self.settled;
        self.push(order, Some(episode))?;
        self.settle(order + 1, u64::MAX)
    }

    /// Seals what is left; the set is then finished.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses; what was acknowledged is still there.
    pub fn finish(mut self) -> Result<()> {
        self.settle(self.settled, 0)?;
        if !self.ready.is_empty() {
            let sealed = self.take_part().seal()?;
            self.manifest.parts.push(sealed.part);
        }
        self.manifest.unfinished = None;
        self.manifest.write(&self.path)?;
        disk::remove(&self.path.join(JOURNAL))
    }

    /// Whether a part is on its way.
    #[must_use]
    pub const fn is_sealing(&self) -> bool {
        self.sealing
    }

    /// Whether more than a whole part waits for the one that is being sealed.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.sealing && self.ready_rows >= part::ROWS
    }

    /// The part that is full, to be sealed and entered; nothing when none is, or another one is on its way. What is recorded meanwhile goes to
    /// a journal of its own.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn begin_part(&mut self) -> Result<Option<Sealing>> {
        if self.sealing || self.ready_rows < part::ROWS {
            return Ok(None);
        }
        let journal = self.path.join(JOURNAL);
        disk::rename_file(&journal, &self.path.join(SEALING))?;
        self.journal = Journal::begin(&journal)?;
        let sealing = self.take_part();
        let ready = self.ready.iter().map(|(order, episode)| (*order, Some(episode)));
        let held = self.held.iter().map(|(order, episode)| (*order, episode.as_ref()));
        self.journal.append(ready.chain(held))?;
        self.sealing = true;
        Ok(Some(sealing))
    }

    /// Enters a part that was sealed: the manifest makes it true, then the journal that held it goes.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn enter(&mut self, sealed: Sealed) -> Result<()> {
        self.manifest.parts.push(sealed.part);
        self.manifest.unfinished = Some(Unfinished { next: sealed.next });
        self.manifest.write(&self.path)?;
        self.room = sealed.room;
        self.sealing = false;
        disk::remove(&self.path.join(SEALING))
    }

    /// The episodes of the next part. Where it ends depends on the episodes alone, so that a recording that was broken off and gone on with has
    /// the same parts.
    fn take_part(&mut self) -> Sealing {
        let mut size = 0;
        let fits = |(_, episode): &&(u64, Episode)| {
            let fits = size < part::ROWS;
            size += if fits { rows(episode) } else { 0 };
            fits
        };
        let count = self.ready.iter().take_while(fits).count();
        let rest = self.ready.split_off(count);
        let episodes = std::mem::replace(&mut self.ready, rest).into_iter().map(|(_, episode)| episode).collect();
        self.ready_rows -= size;
        Sealing {
            path: self.path.join(part_name(self.manifest.parts.len())),
            header: self.manifest.header.clone(),
            first: self.manifest.sealed_episodes(),
            episodes,
            next: self.ready.first().map_or(self.settled, |(order, _)| *order),
            room: std::mem::take(&mut self.room),
        }
    }
}

/// Of an episode in a part.
const fn rows(episode: &Episode) -> usize {
    episode.rewards.len() + 1
}

impl Manifest {
    /// Whether a crash left this file of ours: a part that was sealed and not entered, or the journals of a finished recording.
    fn disowns(&self, file: &Path) -> bool {
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let number = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"));
        let number = number.and_then(|number| number.parse::<usize>().ok()).filter(|number| part_name(*number) == name);
        number.is_some_and(|number| number >= self.parts.len()) || (self.unfinished.is_none() && (name == JOURNAL || name == SEALING))
    }

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

#[cfg(test)]
mod tests {
    use super::super::{Demonstrations, Recorder};
    use super::*;
    use crate::env::{ActionSpace, Channel, Registry, Spaces, Spec};
    use crate::file::disk::faults::{self, Fault};

    fn header() -> Header {
        let registry = Registry::standard();
        let spec = Spec::of_simulator(registry.simulator("classic/cartpole").unwrap());
        let action = ActionSpace::Discrete(vec!["left".into(), "right".into()]);
        let spaces = Spaces { observation: vec![Channel::unbounded("x")], action };
        Header::new(&spec, &spaces, Vec::new(), Recorder::Keyboard { seed: 0 })
    }

    /// Of so many steps; no two are alike.
    fn episode(order: u32, steps: usize) -> Episode {
        let start = f64::from(order);
        Episode {
            start: None,
            observations: vec![start; steps + 1],
            actions: vec![0.0; steps],
            rewards: vec![start; steps],
            info: Vec::new(),
            terminated: true,
            truncated: false,
        }
    }

    /// Two episodes fill a part.
    const LONG: usize = part::ROWS / 2;

    /// Every file of a set but the lock.
    fn files(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let files = disk::list(path).unwrap().into_iter().filter(|file| !file.ends_with("lock"));
        files.map(|file| (file.strip_prefix(path).unwrap().to_owned(), disk::read(&file, 1 << 30).unwrap())).collect()
    }

    fn firsts(path: &Path) -> Vec<f64> {
        Demonstrations::open(path).unwrap().episodes().map(|episode| episode.unwrap().1.rewards[0]).collect()
    }

    /// Every disk operation of recording, sealing and finishing fails once, in every way: what was acknowledged is there, what is gone on
    /// with is in the end the set that never failed, and nothing half written is left.
    #[test]
    fn a_failing_disk_never_costs_an_acknowledged_episode() {
        let scratch = tempfile::tempdir().unwrap();
        let record = |mut recording: Recording, acknowledged: &mut u32| {
            for order in *acknowledged..5 {
                recording.append(episode(order, LONG))?;
                *acknowledged = order + 1;
            }
            recording.finish()
        };
        let undisturbed = scratch.path().join("undisturbed");
        record(Recording::create(&undisturbed, header()).unwrap(), &mut 0).unwrap();
        let expected = files(&undisturbed);
        assert_eq!(expected.len(), 4, "a manifest and three parts");
        for fault in [Fault::Crash, Fault::Error(5), Fault::Error(28), Fault::ShortWrite] {
            for k in 0.. {
                let path = scratch.path().join("set");
                let recording = Recording::create(&path, header()).unwrap();
                let mut acknowledged = 0;
                let (recorded, met) = faults::with(k, fault, || record(recording, &mut acknowledged));
                assert!(recorded.is_ok() || met);
                let found = firsts(&path);
                assert!(found.len() >= acknowledged as usize, "{fault:?} at {k}: {found:?} of {acknowledged}");
                assert!(found.iter().zip(0..).all(|(first, order)| *first == f64::from(order)), "{fault:?} at {k}: {found:?}");
                match Recording::resume(&path, &header()) {
                    Ok(mut recording) => {
                        recording.settle_all().unwrap();
                        let mut kept = u32::try_from(recording.episodes()).unwrap();
                        assert!(kept >= acknowledged);
                        record(recording, &mut kept).unwrap();
                    }
                    Err(error) => assert_eq!(error.message(), "the recording is finished", "{fault:?} at {k}"),
                }
                assert!(files(&path) == expected, "{fault:?} at {k}: {:?}", disk::list(&path).unwrap());
                disk::remove(&path).unwrap();
                if !met {
                    break;
                }
            }
        }
    }

    #[test]
    fn what_goes_on_stands_behind_what_was_there() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("set");
        let mut recording = Recording::create(&path, header()).unwrap();
        recording.append(episode(0, 3)).unwrap();
        recording.append(episode(1, 3)).unwrap();
        drop(recording);
        let mut recording = Recording::resume(&path, &header()).unwrap();
        recording.append(episode(2, 3)).unwrap();
        assert_eq!((recording.episodes(), recording.next()), (3, 3));
        recording.finish().unwrap();
        assert_eq!(firsts(&path), [0.0, 1.0, 2.0]);
    }

    /// A file that ends in the middle of a frame was torn by a kill; a frame that is there and wrong is damage, and nothing is dropped.
    #[test]
    fn a_torn_journal_is_mended_and_a_damaged_one_refused() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("set");
        let mut recording = Recording::create(&path, header()).unwrap();
        for order in 1..=3 {
            recording.append(episode(order, 3)).unwrap();
        }
        drop(recording);
        let journal = path.join(JOURNAL);
        let whole = disk::read(&journal, 1 << 20).unwrap();
        let frame = whole.len() / 3;
        for length in 0..=whole.len() {
            disk::write(&journal, &[&whole[..length], &vec![0; (whole.len() - length) / 2]].concat()).unwrap();
            let kept = length / frame;
            match Demonstrations::open(&path) {
                Ok(set) => assert_eq!(set.len(), kept as u64, "{length} bytes"),
                // Noughts behind a whole prefix are a body that is wrong.
                Err(error) => assert!(error.message().contains(&format!("damaged at byte {}", kept * frame)), "{length} bytes: {error}"),
            }
            disk::write(&journal, &whole[..length]).unwrap();
            assert_eq!(Demonstrations::open(&path).unwrap().len(), kept as u64, "{length} bytes");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            disk::write(&journal, &damaged).unwrap();
            let expected = format!("is damaged at byte {}, behind {} episodes", at / frame * frame, at / frame);
            assert_eq!(Demonstrations::open(&path).unwrap_err().message(), expected);
            assert_eq!(Recording::resume(&path, &header()).map(drop).unwrap_err().message(), expected);
            assert_eq!(disk::read(&journal, 1 << 20).unwrap(), damaged);
        }
    }
}
