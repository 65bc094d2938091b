//! What was recorded and is not sealed yet: one frame per episode, each with its length and two CRCs, in the order in which they ended.
//!
//! A kill leaves whole frames and perhaps a torn one at the end, which is dropped when the journal is next opened. A frame that is there and
//! wrong is no tear but damage.

use super::dataset::{JOURNAL, SEALING};
use super::episode::{Episode, Start};
use super::header::Header;
use crate::error::{Error, Result};
use crate::file::{disk, journal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A longer journal is refused: parts are sealed long before.
const CAP: u64 = 4 << 30;
/// Length of a frame's body, CRC of the length, CRC of the body.
const PREFIX: usize = 12;
/// Order, flags, steps, length of the snapshot, seed, stream, position.
const FIXED: usize = 8 + 4 + 4 + 4 + 24;

/// An episode that ended, or one that was left out, by its place in the order of the recording.
pub(super) type Entry = (u64, Option<Episode>);

/// The journal of a recording.
pub(super) struct Journal {
    file: journal::Journal,
    /// Where frames are made.
    frames: Vec<u8>,
}

impl Journal {
    /// Opens the journal of a folder, or makes it; gives what it holds.
    pub(super) fn open(path: &Path, header: &Header) -> Result<(Self, Vec<Entry>)> {
        let (entries, good) = read(path, header)?;
        Ok((Self { file: journal::Journal::open(path, good)?, frames: Vec::new() }, entries))
    }

    /// A new journal, in whose place there is none.
    pub(super) fn begin(path: &Path) -> Result<Self> {
        Ok(Self { file: journal::Journal::open(path, 0)?, frames: Vec::new() })
    }

    /// A journal of these alone, in the place of the one before.
    pub(super) fn of<'a>(path: &Path, entries: impl Iterator<Item = (u64, Option<&'a Episode>)>) -> Result<Self> {
        let mut bytes = Vec::new();
        for (order, episode) in entries {
            put_frame(order, episode, &mut bytes)?;
        }
        disk::write(path, &bytes)?;
        Ok(Self { file: journal::Journal::open(path, bytes.len() as u64)?, frames: bytes })
    }

    /// Keeps episodes, or the fact that they were left out, in one write.
    pub(super) fn append<'a>(&mut self, entries: impl IntoIterator<Item = (u64, Option<&'a Episode>)>) -> Result<()> {
        self.frames.clear();
        for (order, episode) in entries {
            put_frame(order, episode, &mut self.frames)?;
        }
        if self.frames.is_empty() {
            return Ok(());
        }
        self.file.append(&self.frames).inspect_err(|_| self.file.give_up())
    }
}

/// Adds a frame: its length, the length's CRC, the body's, the body.
fn put_frame(order: u64, episode: Option<&Episode>, bytes: &mut Vec<u8>) -> Result<()> {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; PREFIX]);
    encode(order, episode, bytes);
    let (prefix, body) = bytes[start..].split_at_mut(PREFIX);
    let length = u32::try_from(body.len()).map_err(|_| Error::artefact("an episode has more than 4 GiB"))?.to_le_bytes();
    let words = [length, crc32c::crc32c(&length).to_le_bytes(), crc32c::crc32c(body).to_le_bytes()];
    prefix.copy_from_slice(&words.concat());
    Ok(())
}

/// What the journals of a folder hold, by the order of the recording. The one that goes on is read first: what is put aside meanwhile is then
/// met twice, and not missed.
pub(super) fn read_all(folder: &Path, header: &Header) -> Result<BTreeMap<u64, Option<Episode>>> {
    let mut entries = BTreeMap::new();
    for name in [JOURNAL, SEALING] {
        entries.extend(read(&folder.join(name), header)?.0);
    }
    Ok(entries)
}

/// What a journal holds, in the order in which it was written, and how many of its bytes are whole frames. One that is not there is empty.
pub(super) fn read(path: &Path, header: &Header) -> Result<(Vec<Entry>, u64)> {
    if !path.exists() {
        return Ok((Vec::new(), 0));
    }
    let bytes = disk::read(path, CAP)?;
    let (mut entries, mut orders) = (Vec::new(), BTreeSet::new());
    let mut rest = &bytes[..];
    loop {
        let good = bytes.len() - rest.len();
        let Some(frame) = Frame::first(rest) else { return Ok((entries, good as u64)) };
        let Some(entry) = frame.entry(header).filter(|(order, _): &Entry| orders.insert(*order)) else {
            let count = entries.len();
            return Err(Error::artefact(format!("is damaged at byte {good}, behind {count} episodes"))
                .at(path.display())
                .hint(format!("cut it there to keep those: truncate -s {good} {}", path.display())));
        };
        entries.push(entry);
        rest = frame.rest;
    }
}

/// A frame as it lies in a file.
struct Frame<'a> {
    sound: bool,
    body: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The first frame; nothing at the end of the file, or where the file ends inside it. Noughts are a file that grew and was never written.
    fn first(bytes: &'a [u8]) -> Option<Self> {
        let (prefix, behind) = bytes.split_at_checked(PREFIX).filter(|_| bytes.iter().any(|byte| *byte != 0))?;
        let [length, of_length, of_body] =
            [0, 4, 8].map(|at| u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]]));
        if crc32c::crc32c(&length.to_le_bytes()) != of_length {
            return Some(Self { sound: false, body: &[], rest: &[] });
        }
        let (body, rest) = behind.split_at_checked(usize::try_from(length).ok()?)?;
        Some(Self { sound: crc32c::crc32c(body) == of_body, body, rest })
    }

    /// What it holds, if it is what was written.
    fn entry(&self, header: &Header) -> Option<Entry> {
        self.sound.then(|| decode(self.body, header)).flatten()
    }
}

fn encode(order: u64, episode: Option<&Episode>, body: &mut Vec<u8>) {
    body.extend_from_slice(&order.to_le_bytes());
    let Some(episode) = episode else { return };
    body.extend_from_slice(&fixed(episode));
    for numbers in numbers(episode) {
        body.extend_from_slice(bytemuck::cast_slice(numbers));
    }
}

fn decode(body: &[u8], header: &Header) -> Option<Entry> {
    let order = u64::from_le_bytes(body.get(..8)?.try_into().ok()?);
    if body.len() == 8 {
        return Some((order, None));
    }
    let word = |at: usize| Some(u32::from_le_bytes(body.get(at..at + 4)?.try_into().ok()?));
    let long = |at: usize| Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
    let [terminated, truncated, started, _] = *body.get(8..12)? else { return None };
    let (steps, snapshot) = (usize::try_from(word(12)?).ok()?, usize::try_from(word(16)?).ok()?);
    let start = Start { seed: long(20)?, stream: long(28)?, position: long(36)?, snapshot: Vec::new() };
    let rest = body.get(FIXED..)?;
    let sizes = [
        snapshot,
        header.spaces.observation.len().checked_mul(steps.checked_add(1)?)?,
        header.spaces.action.width().checked_mul(steps)?,
        steps,
        header.info.len().checked_mul(steps)?,
    ];
    let total = sizes.iter().try_fold(0_usize, |sum, size| sum.checked_add(*size))?;
    (rest.len() == total.checked_mul(8)?).then_some(())?;
    let mut numbers = rest.chunks_exact(8).map(|b| f64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]));
    let [snapshot, observations, actions, rewards, info] = sizes.map(|size| numbers.by_ref().take(size).collect::<Vec<f64>>());
    let start = (started != 0).then_some(Start { snapshot, ..start });
    Some((order, Some(Episode { start, observations, actions, rewards, info, terminated: terminated != 0, truncated: truncated != 0 })))
}

/// Flags, sizes and start: what stands before the numbers.
fn fixed(episode: &Episode) -> [u8; FIXED - 8] {
    let mut bytes = [0; FIXED - 8];
    let started = episode.start.is_some();
    bytes[..3].copy_from_slice(&[episode.terminated, episode.truncated, started].map(u8::from));
    let mut word = |at: usize, value: usize| bytes[at..at + 4].copy_from_slice(&u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes());
    word(4, episode.len());
    word(8, episode.start.as_ref().map_or(0, |start| start.snapshot.len()));
    let Some(start) = &episode.start else { return bytes };
    for (place, value) in bytes[12..].chunks_exact_mut(8).zip([start.seed, start.stream, start.position]) {
        place.copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn numbers(episode: &Episode) -> [&[f64]; 5] {
    let snapshot = episode.start.as_ref().map_or(&[][..], |start| &start.snapshot);
    [snapshot, &episode.observations, &episode.actions, &episode.rewards, &episode.info]
}

/// CRC-32C of everything about an episode: what tells whether it is still the one that was recorded.
pub(super) fn checksum(episode: &Episode) -> u32 {
    numbers(episode).iter().fold(crc32c::crc32c(&fixed(episode)), |crc, numbers| crc32c::crc32c_append(crc, bytemuck::cast_slice(numbers)))
}

// Numbers go to disk as they lie in memory.
const _: () = assert!(cfg!(target_endian = "little"), "the journal is little-endian");
