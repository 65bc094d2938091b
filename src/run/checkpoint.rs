//! A checkpoint: one folder, written whole or not at all, that knows the digest of each of its files.

use crate::error::{Error, Result};
use crate::file::{digest, disk, ron, tensors};
use crate::learn::State;
use crate::policy::{Card, Policy, store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const MANIFEST: &str = "checkpoint.ron";
const STATE: &str = "state.safetensors";
/// Larger states are refused unread.
const STATE_CAP: u64 = 64 << 30;

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
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "checkpoint", deny_unknown_fields)]
struct Manifest {
    format: u32,
    position: Position,
    /// SHA-256 of every other file of the folder.
    files: BTreeMap<String, String>,
}

/// Writes a checkpoint into `checkpoints`, named by its steps; gives its folder.
///
/// # Errors
/// Exit 6 when the disk refuses; earlier checkpoints are then untouched.
pub fn write(checkpoints: &Path, position: &Position, state: &State, policy: &Policy, card: &Card) -> Result<PathBuf> {
    let [card, weights] = store::to_files(policy, card);
    let state = (STATE, tensors::to_bytes(&state.tensors));
    let mut files = vec![card, weights, state];
    let digests = files.iter().map(|(name, bytes)| ((*name).to_owned(), digest::of_bytes(bytes))).collect();
    let manifest = Manifest { format: FORMAT, position: position.clone(), files: digests };
    files.push((MANIFEST, ron::to_text(&manifest).into_bytes()));
    let folder = checkpoints.join(format!("{:015}", position.steps));
    let files: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    disk::write_folder(&folder, &files)?;
    Ok(folder)
}

/// Checks every file of a checkpoint against its manifest.
///
/// # Errors
/// Exit 3 with the first file that is not what was written.
pub fn verify(folder: &Path) -> Result<Position> {
    let path = folder.join(MANIFEST);
    let manifest: Manifest = ron::read_artefact(&path)?;
    if manifest.format != FORMAT {
        return Err(Error::artefact(format!("is of format {}; this program reads {FORMAT}", manifest.format)).at(path.display()));
    }
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
    Ok(manifest.position)
}

/// Reads a checkpoint's state after verifying the checkpoint.
///
/// # Errors
/// As [`verify`].
pub fn read(folder: &Path) -> Result<(Position, State)> {
    let position = verify(folder)?;
    Ok((position, State { tensors: tensors::read(&folder.join(STATE))? }))
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
