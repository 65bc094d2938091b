//! Policies that another program trained: what `tools/export_policy.py` wrote, read like any untrusted input, and believed when the policy
//! that comes of it does what the other one was recorded to do.
//!
//! The folder holds `exported.ron` ([`Exported`]: what it is), `weights.safetensors` (networks by our names, moments of a normaliser) and
//! `pairs.safetensors` (raw observations, and what the policy did on seeing them). Nothing in it names a file.

mod agreement;
mod manifest;
mod weights;

pub use agreement::{Agreement, TOLERANCE};
pub use manifest::{Exported, Outputs};

use super::{Policy, store};
use crate::env::Spaces;
use crate::error::{Error, Kind, Result};
use std::path::Path;

/// The method's name on the card of what was imported.
pub const METHOD: &str = "imported";
/// The manifest's file name.
pub const MANIFEST: &str = "exported.ron";
/// The recorded pairs' file name.
pub const PAIRS: &str = "pairs.safetensors";

/// A policy that came in.
#[derive(Debug, Clone)]
pub struct Imported {
    /// It, in the spaces of the environment that it was imported for.
    pub policy: Policy,
    /// The manifest's text, for the card.
    pub manifest: String,
    /// How well it does what it was recorded to do.
    pub agreement: Agreement,
}

/// Reads an exported policy into the channels and actions of an environment, which are its own in the same order, and does its recorded
/// actions again.
///
/// # Errors
/// Exit 2 when there is none, 3 when anything about it is not sound, does not fit the environment, is of a form that this program does not
/// have, or acts otherwise than was recorded; 6 when it cannot be read.
pub fn import(folder: &Path, spaces: &Spaces) -> Result<Imported> {
    let (exported, manifest) = Exported::read(folder)?;
    let within = |name: &str| {
        let path = folder.join(name);
        move |error: Error| if error.kind() == Kind::Io { error } else { error.as_kind(Kind::Artefact).at(path.display()) }
    };
    let shape = exported.shape(spaces).map_err(within(MANIFEST))?;
    let policy = weights::read(&folder.join(store::WEIGHTS), &exported, shape, spaces).map_err(within(store::WEIGHTS))?;
    let agreement = agreement::check(&folder.join(PAIRS), &exported, &policy).map_err(within(PAIRS))?;
    Ok(Imported { policy, manifest, agreement })
}
