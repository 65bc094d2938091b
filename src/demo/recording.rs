//! Writing a set: every episode is in the journal when it has ended; the journal is sealed into parts on the way.
//!
//! Episodes may end in any order (they run side by side) and are numbered in the order of the recording. A kill loses the episodes that
//! were running; [`Recording::resume`] goes on behind the others. So does whoever was refused by the disk: what is in memory is then behind.

use super::dataset::{JOURNAL, Manifest, SealedPart, Unfinished, part_name};
use super::episode::Episode;
use super::header::Header;
use super::journal::{Entry, Journal};
use super::part;
use crate::error::{Error, Result};
use crate::file::lock::Lock;
use crate::file::{digest, disk, ron};
use std::path::{Path, PathBuf};

/// A set that this process writes.
pub struct Recording {
    path: PathBuf,
    manifest: Manifest,
    journal: Journal,
    /// In the journal, not yet numbered.
    held: Vec<Entry>,
    /// Numbered, not yet sealed.
    ready: Vec<(u64, Episode)>,
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
        Ok(Self { path: path.to_owned(), manifest, journal, held: Vec::new(), ready: Vec::new(), settled, _lock: lock })
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
        let (journal, held) = Journal::open(&path.join(JOURNAL), begun)?;
        // What a crash between sealing and emptying the journal left is in a part already.
        let settled = unfinished.next;
        let held = held.into_iter().filter(|(order, _)| *order >= unfinished.next).collect();
        Ok(Self { path: path.to_owned(), manifest, journal, held, ready: Vec::new(), settled, _lock: lock })
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
        let room = usize::try_from(most.saturating_sub(self.episodes())).unwrap_or(usize::MAX);
        let kept = self.held.drain(..behind).filter_map(|(order, episode)| Some((order, episode?)));
        self.ready.extend(kept.take(room));
        self.settled = self.settled.max(order);
        let full = self.seal_parts(part::ROWS)?;
        if full { self.enter() } else { Ok(()) }
    }

    /// Numbers all that the journal holds: for whoever writes episodes one after the other, and goes on with that.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn settle_all(&mut self) -> Result<()> {
        let last = self.held.iter().map(|(order, _)| *order).max();
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
        self.seal_parts(1)?;
        self.manifest.unfinished = None;
        self.manifest.write(&self.path)?;
        disk::remove(&self.path.join(JOURNAL))
    }

    /// Writes parts as long as they have so many rows, and says whether there was one. Where a part ends depends on the episodes alone, so
    /// that a recording that was broken off and gone on with has the same parts.
    fn seal_parts(&mut self, least: usize) -> Result<bool> {
        let before = self.manifest.parts.len();
        loop {
            let mut rows = 0;
            let fits = |(_, episode): &&(u64, Episode)| {
                let fits = rows < part::ROWS;
                rows += if fits { episode.len() + 1 } else { 0 };
                fits
            };
            let count = self.ready.iter().take_while(fits).count();
            if rows < least {
                return Ok(self.manifest.parts.len() > before);
            }
            let rest = self.ready.split_off(count);
            let episodes: Vec<Episode> = std::mem::replace(&mut self.ready, rest).into_iter().map(|(_, episode)| episode).collect();
            let bytes = part::to_bytes(&self.manifest.header, self.manifest.sealed_episodes(), &episodes);
            disk::write(&self.path.join(part_name(self.manifest.parts.len())), &bytes)?;
            let steps = episodes.iter().map(|episode| episode.len() as u64).sum();
            self.manifest.parts.push(SealedPart { episodes: count as u64, steps, sha256: digest::of_bytes(&bytes) });
        }
    }

    /// Enters the parts that were written: the manifest makes them true, then the journal lets go of what they hold.
    fn enter(&mut self) -> Result<()> {
        let next = self.ready.first().map_or(self.settled, |(order, _)| *order);
        self.manifest.unfinished = Some(Unfinished { next });
        self.manifest.write(&self.path)?;
        let ready = self.ready.iter().map(|(order, episode)| (*order, Some(episode)));
        let held = self.held.iter().map(|(order, episode)| (*order, episode.as_ref()));
        self.journal = Journal::of(&self.path.join(JOURNAL), ready.chain(held))?;
        Ok(())
    }
}

impl Manifest {
    /// Whether a crash left this file of ours: a part that was sealed and not entered, or the journal of a finished recording.
    fn disowns(&self, file: &Path) -> bool {
        let name = file.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        let number = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"));
        let number = number.and_then(|number| number.parse::<usize>().ok()).filter(|number| part_name(*number) == name);
        number.is_some_and(|number| number >= self.parts.len()) || (self.unfinished.is_none() && name == JOURNAL)
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
