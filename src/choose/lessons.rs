//! The demonstrations that a run learns from, and what is done with them.

use crate::demo::{Demonstrations, Episode};
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result, did_you_mean};
use crate::file::{digest, ron};
use crate::imitate::{Chosen, Selection};
use crate::parallel::Pool;
use crate::policy::card::Demonstrated;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a transfer method does with demonstrations of the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The policy is cloned from them before the first step.
    Start,
    /// They pull at the policy all along, less and less.
    Term,
}

impl Role {
    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Term => "term",
        }
    }

    /// The role of this name.
    ///
    /// # Errors
    /// Exit 2 with both.
    pub fn parse(name: &str) -> Result<Self> {
        let roles = [Self::Start, Self::Term];
        roles
            .into_iter()
            .find(|role| role.name() == name)
            .ok_or_else(|| Error::usage(format!("demonstrations cannot be a `{name}`")).hint(did_you_mean(name, roles.map(Self::name))))
    }
}

/// Demonstrations, read.
#[derive(Debug, Clone)]
pub struct Lessons {
    /// Where they lie.
    pub path: PathBuf,
    /// What is learned from: SHA-256 of the environment, the spaces, and the checksums of the chosen episodes. A set that grows behind them, or
    /// lies in other parts, is the same.
    pub digest: String,
    /// What of it is learned from.
    pub selection: Selection,
    /// What a transfer method does with them.
    pub role: Role,
    /// Where they were recorded: the environment, whole, as RON.
    pub environment_ron: String,
    /// The episodes.
    pub chosen: Arc<Chosen>,
}

impl Lessons {
    /// Reads a set, or the part of it that is chosen.
    ///
    /// # Errors
    /// Exit 2 when there is none or too little, 3 when it is damaged.
    pub fn read(path: &Path, selection: Selection, role: Role, pool: &Pool) -> Result<Self> {
        if selection.episodes == Some(0) || selection.every == Some(0) {
            return Err(
                Error::usage("no episodes, or no steps, are nothing to learn from").hint("`--demo-episodes` and `--every` begin at 1")
            );
        }
        let set = Demonstrations::open(path)?;
        let chosen = Chosen::read(&set, selection, pool)?;
        let environment_ron = set.header().environment_ron.clone();
        let checksums: Vec<u32> = chosen.episodes.iter().map(Episode::checksum).collect();
        let identity = ron::to_text(&(&environment_ron, &set.header().spaces, checksums));
        let digest = digest::of_bytes(identity.as_bytes());
        Ok(Self { path: path.to_owned(), digest, selection, role, environment_ron, chosen: Arc::new(chosen) })
    }

    /// How the environment in which they were recorded differs from the one that is learned in: `(name, there, here)`.
    #[must_use]
    pub fn differences(&self, registry: &Registry, environment: &Spec) -> Vec<(String, String, String)> {
        let recorded = Spec::from_ron(registry, "recorded", &self.environment_ron);
        recorded.map_or_else(|_| Vec::new(), |recorded| recorded.differences(environment))
    }

    /// What a card and a run folder keep of it.
    #[must_use]
    pub fn as_demonstrated(&self, role: Option<Role>) -> Demonstrated {
        Demonstrated {
            path: self.path.clone(),
            digest: self.digest.clone(),
            episodes: self.chosen.episodes.len() as u64,
            every: self.selection.every.unwrap_or(1),
            role: role.map(|role| role.name().to_owned()),
        }
    }

    /// Reads what a run folder says that it began with, there or where it lies now.
    ///
    /// # Errors
    /// Exit 3 when the set is not what it was.
    pub fn reopen(kept: &Demonstrated, now: Option<&Path>, pool: &Pool) -> Result<Self> {
        let path = now.unwrap_or(&kept.path);
        let role = kept.role.as_deref().map_or(Ok(Role::Start), Role::parse)?;
        let selection = Selection { episodes: Some(kept.episodes), every: Some(kept.every) };
        let lessons = Self::read(path, selection, role, pool).map_err(|error| {
            let error = if error.kind() == Kind::Usage { error.as_kind(Kind::Artefact) } else { error };
            error.hint("a run goes on with the demonstrations that it began with: put them back, or say where they lie now")
        })?;
        if lessons.digest != kept.digest {
            return Err(Error::artefact("are not the demonstrations that the run began with: their digest differs")
                .at(path.display())
                .hint("name those that it began with, wherever they lie now, or begin anew with another --out"));
        }
        Ok(lessons)
    }
}
