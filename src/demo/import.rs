//! What every import has in common: the environment that data must fit, and a set that appears only when all of it does.

use super::episode::Episode;
use super::header::{Header, Recorder};
use super::making::{Made, Making};
use crate::env::{Registry, Spaces, Spec};
use crate::error::{Error, Result};
use crate::stop::Stop;
use std::path::Path;

/// Where data goes: an environment of ours, whose spaces it must fit, and the place of the new set.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Knows the environments.
    pub registry: &'a Registry,
    /// The environment.
    pub spec: &'a Spec,
    /// Its spaces.
    pub spaces: &'a Spaces,
    /// The folder of the new set.
    pub out: &'a Path,
    /// The wish to stop; nothing is then left.
    pub stop: &'a Stop,
}

/// Whether a further number of each step is kept under this name, when so many are kept already: the header has an end.
pub(super) fn keeps_info(name: &str, kept: usize) -> bool {
    name.len() <= 100 && kept < 256
}

/// A set that is being imported.
pub(super) struct Import<'a> {
    target: Target<'a>,
    info: Vec<String>,
    making: Making,
}

impl<'a> Import<'a> {
    /// Begins.
    ///
    /// # Errors
    /// Exit 2 when something is in the set's place already, 3 when the names of further numbers cannot stand.
    pub(super) fn begin(target: Target<'a>, info: Vec<String>, recorder: Recorder) -> Result<Self> {
        let header = Header::new(target.spec, target.spaces, info.clone(), recorder);
        Ok(Self { target, info, making: Making::begin(target.out, header)? })
    }

    /// Adds an episode.
    ///
    /// # Errors
    /// Exit 3 when it does not fit the environment; 130 when a signal came.
    pub(super) fn append(&mut self, episode: Episode) -> Result<()> {
        self.target.stop.check_unarmed()?;
        episode.check(self.target.spaces, &self.info)?;
        self.making.append(episode)
    }

    /// Puts the set in its place.
    ///
    /// # Errors
    /// Exit 3 when there is no episode, 6 when the disk refuses.
    pub(super) fn finish(self, notes: Vec<String>) -> Result<Made> {
        if self.making.episodes() == 0 {
            return Err(Error::artefact("holds no episode that can be kept"));
        }
        self.making.finish(notes)
    }
}
