//! A checkpoint: one folder, written whole or not at all, that knows the digest of each of its files.
//!
//! What a state holds as segments lies beside the folders, in `segments/`: one file each, which is written once, named by its digest, and kept
//! as long as a checkpoint lists it. So a checkpoint of a large replay buffer writes what is new and no more.

use crate::error::{Error, Kind, Result};
use crate::file::{digest, disk, ron, tensors};
use crate::learn::State;
use crate::learn::state::Segment;
use crate::policy::{Card, Policy, store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const FORMAT: u32 = 1;
const MANIFEST: &str = "checkpoint.ron";
const STATE: &str = "state.safetensors";
/// Larger states are refused unread.
const STATE_CAP: u64 = 64 << 30;
/// Larger segments too.
const SEGMENT_CAP: u64 = 1 << 30;
/// The folder of segments, beside the checkpoints.
const SEGMENTS: &str = "segments";

/// Where the loop was, beside the learner's own state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Position {
    /// Iterations done.
    pub updates: u64,
    /// Environment steps done.
    pub steps: u64,
    /// Evaluations done.
    pub evaluations: u64,
    /// Environment steps before the last evaluation.
    pub evaluated_at: Option<u64>,
    /// The best mean return of an evaluation.
    pub best: Option<f64>,
    /// Good lengths of the logs.
    pub logs: BTreeMap<String, u64>,
    /// Episodes that were lost: where there are some, the run is not what another one would be, bit for bit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_episodes: Option<u64>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "checkpoint", deny_unknown_fields)]
struct Manifest {
    format: u32,
    position: Position,
    /// SHA-256 of every other file of the folder.
    files: BTreeMap<String, String>,
    /// SHA-256 of every segment of the state, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    segments: BTreeMap<String, String>,
}

/// The file of a segment: its name, and as much of its digest as tells it from another one of that name.
fn segment_file(name: &str, digest: &str) -> String {
    format!("{name}-{}.safetensors", &digest[..16])
}

/// Writes a checkpoint into `checkpoints`, named by its steps; gives its folder.
///
/// # Errors
/// Exit 6 when the disk refuses; earlier checkpoints are then untouched.
pub fn write(checkpoints: &Path, position: &Position, state: &State, policy: &Policy, card: &Card) -> Result<PathBuf> {
    let segments = write_segments(&checkpoints.join(SEGMENTS), state)?;
    let [card, weights] = store::to_files(policy, card);
    let state = (STATE, tensors::to_bytes(&state.tensors));
    let mut files = vec![card, weights, state];
    let digests = files.iter().map(|(name, bytes)| ((*name).to_owned(), digest::of_bytes(bytes))).collect();
    let manifest = Manifest { format: FORMAT, position: position.clone(), files: digests, segments };
    files.push((MANIFEST, ron::to_text(&manifest).into_bytes()));
    let folder = checkpoints.join(format!("{:015}", position.steps));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    disk::write_folder(&folder, &files)?;
    Ok(folder)
}

/// Writes the segments of a state that are not there yet; gives the digest of each.
fn write_segments(folder: &Path, state: &State) -> Result<BTreeMap<String, String>> {
    let mut digests = BTreeMap::new();
    for (name, segment) in &state.segments {
        let path = folder.join(segment_file(name, segment.digest()));
        // Under this name lies nothing else: it was written whole, or read and found sound.
        if !path.exists() {
            disk::create_folder(folder)?;
            disk::write(&path, &segment.to_bytes())?;
        }
        digests.insert(name.clone(), segment.digest().to_owned());
    }
    Ok(digests)
}

/// Removes the segments that none of these checkpoints lists, and what is half written of others.
///
/// # Errors
/// When a folder cannot be read, or a checkpoint's manifest: then nothing is removed.
pub fn keep_segments_of(kept: &[PathBuf], checkpoints: &Path) -> Result<()> {
    let folder = checkpoints.join(SEGMENTS);
    if !folder.exists() {
        return Ok(());
    }
    let mut listed = Vec::new();
    for checkpoint in kept {
        listed.extend(manifest(checkpoint)?.segments.iter().map(|(name, digest)| folder.join(segment_file(name, digest))));
    }
    disk::list(&folder)?.iter().filter(|path| !listed.contains(path)).try_for_each(|path| disk::remove(path))
}

fn manifest(folder: &Path) -> Result<Manifest> {
    let path = folder.join(MANIFEST);
    let manifest: Manifest = ron::read_artefact(&path)?;
    if manifest.format != FORMAT {
        return Err(Error::artefact(format!("is of format {}; this program reads {FORMAT}", manifest.format)).at(path.display()));
    }
    // Names become paths.
    let plain = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.".contains(&byte));
    let sound = |(name, digest): &(&String, &String)| {
        plain(name) && !name.starts_with('.') && digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    match manifest.segments.iter().find(|segment| !sound(segment)) {
        Some((name, _)) => Err(Error::artefact(format!("lists `{}`, which is no segment", name.escape_debug())).at(path.display())),
        None => Ok(manifest),
    }
}

/// Reads the segments of a checkpoint one by one.
fn each_segment(folder: &Path, manifest: &Manifest, mut take: impl FnMut(&str, Arc<Segment>)) -> Result<()> {
    let segments = folder.parent().unwrap_or(folder).join(SEGMENTS);
    for (name, written) in &manifest.segments {
        let path = segments.join(segment_file(name, written));
        let bytes = disk::read(&path, SEGMENT_CAP).map_err(|error| error.as_kind(Kind::Artefact))?;
        if digest::of_bytes(&bytes) != *written {
            return Err(Error::artefact("is damaged: its SHA-256 is not the one that was written").at(path.display()));
        }
        take(name, Segment::from_bytes(&bytes, written).map_err(|error| error.at(path.display()))?);
    }
    Ok(())
}

/// Checks every file of a checkpoint against its manifest.
///
/// # Errors
/// Exit 3 with the first file that is not what was written.
pub fn verify(folder: &Path) -> Result<Position> {
    let manifest = manifest(folder)?;
    for name in [store::CARD, store::WEIGHTS, STATE] {
        let path = folder.join(name);
        let written = manifest.files.get(name).ok_or_else(|| Error::artefact(format!("does not list `{name}`")).at(folder.display()))?;
        if digest::of_bytes(&disk::read(&path, STATE_CAP)?) != *written {
            return Err(Error::artefact("is damaged: its SHA-256 is not the one that was written").at(path.display()));
        }
    }
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if name != format!("{:015}", manifest.position.steps) {
        return Err(Error::artefact(format!("holds the state after {} steps", manifest.position.steps)).at(folder.display()));
    }
    each_segment(folder, &manifest, |_, _| {})?;
    Ok(manifest.position)
}

/// Reads a checkpoint's state after verifying the checkpoint.
///
/// # Errors
/// As [`verify`].
pub fn read(folder: &Path) -> Result<(Position, State)> {
    let position = verify(folder)?;
    let mut state = State { tensors: tensors::read(&folder.join(STATE))?, ..State::default() };
    each_segment(folder, &manifest(folder)?, |name, segment| drop(state.segments.insert(name.to_owned(), segment)))?;
    Ok((position, state))
}

/// The folders of checkpoints, newest (most steps) first.
///
/// # Errors
/// When the folder cannot be read.
pub fn list(checkpoints: &Path) -> Result<Vec<PathBuf>> {
    let is_checkpoint = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        name.len() == 15 && name.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !checkpoints.exists() {
        return Ok(Vec::new());
    }
    let mut folders: Vec<PathBuf> = disk::list(checkpoints)?.into_iter().filter(is_checkpoint).collect();
    folders.reverse();
    Ok(folders)
}
