//! What a set of demonstrations says of itself: the environment, its spaces, who recorded it.

use crate::env::{ActionSpace, Registry, Spaces, Spec};
use crate::error::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The version of the set that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// In the manifest, and in every part, so that a part alone says what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "header", deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub heirloom: String,
    /// The environment's short name.
    pub environment: String,
    /// The environment, whole, as RON.
    pub environment_ron: String,
    /// Its channels and actions.
    pub spaces: Spaces,
    /// Names of the further numbers of each step.
    pub info: Vec<String>,
    /// Who acted. Several where sets were merged.
    pub recorders: Vec<Recorder>,
}

/// Who acted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Recorder {
    /// A policy of ours.
    Policy {
        /// Its name.
        name: String,
        /// Its digest.
        digest: String,
        /// Whether its actions were drawn; otherwise it took the most probable one, or the mean.
        stochastic: bool,
        /// The seed of the episodes.
        seed: u64,
        /// Episodes of a lower return were left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_return: Option<f64>,
    },
    /// A person at the keyboard.
    Keyboard {
        /// The seed of the episodes.
        seed: u64,
    },
    /// Another program; nothing of its environment but the data is known.
    Import {
        /// `minari` or `npz`.
        format: String,
        /// What the data calls itself: the name of a file, or of a data set.
        name: String,
        /// SHA-256 of the file.
        sha256: String,
    },
}

impl std::fmt::Display for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Policy { name, digest, stochastic, seed, min_return } => {
                let short = digest.get(..8).unwrap_or(digest);
                let drawn = if *stochastic { ", actions drawn" } else { "" };
                let least = min_return.map_or_else(String::new, |least| format!(", returns of {least} or more"));
                write!(f, "policy {name} ({short}){drawn}, seed {seed}{least}")
            }
            Self::Keyboard { seed } => write!(f, "keyboard, seed {seed}"),
            Self::Import { format, name, .. } => write!(f, "imported from {format} `{name}`"),
        }
    }
}

impl Header {
    /// For recording in an environment.
    #[must_use]
    pub fn new(spec: &Spec, spaces: &Spaces, info: Vec<String>, recorder: Recorder) -> Self {
        Self {
            format: FORMAT,
            heirloom: env!("CARGO_PKG_VERSION").to_owned(),
            environment: spec.name.clone(),
            environment_ron: spec.to_ron(),
            spaces: spaces.clone(),
            info,
            recorders: vec![recorder],
        }
    }

    /// The environment that it was recorded in.
    ///
    /// # Errors
    /// Exit 3 when this program cannot build it.
    pub fn spec(&self, registry: &Registry) -> Result<Spec> {
        let as_artefact = |error: Error| if error.kind() == Kind::Usage { error.as_kind(Kind::Artefact) } else { error };
        Spec::from_ron(registry, &self.environment, &self.environment_ron).map_err(as_artefact)
    }

    /// Fails where it cannot be believed.
    ///
    /// # Errors
    /// Exit 3 with the field.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, message: String| Err(Error::artefact(message).at(field));
        if self.format != FORMAT {
            return refuse("format", format!("is {}; this program reads {FORMAT}", self.format));
        }
        let channels = &self.spaces.observation;
        let width = self.spaces.action.size();
        if !(1..=MOST_CHANNELS).contains(&channels.len()) || !(1..=MOST_CHANNELS).contains(&width) || self.info.len() > MOST_CHANNELS {
            return refuse(
                "spaces",
                format!("has {} channels and {width} actions; each lies between 1 and {MOST_CHANNELS}", channels.len()),
            );
        }
        let observed = channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>();
        let info = self.info.iter().map(String::as_str).collect::<Vec<_>>();
        for (what, names) in [("channels", observed), ("actions", self.spaces.action.names()), ("numbers of a step", info)] {
            let mut seen = BTreeSet::new();
            if let Some(name) = names.iter().find(|name| !seen.insert(**name)) {
                return refuse("spaces", format!("two {what} are called `{}`", name.escape_debug()));
            }
        }
        let bounded = match &self.spaces.action {
            ActionSpace::Continuous(channels) => channels.as_slice(),
            ActionSpace::Discrete(_) => &[],
        };
        match channels.iter().chain(bounded).find(|channel| channel.low.is_nan() || channel.high.is_nan() || channel.low > channel.high) {
            Some(channel) => {
                refuse("spaces", format!("`{}` lies between {} and {}", channel.name.escape_debug(), channel.low, channel.high))
            }
            None => Ok(()),
        }
    }
}

/// More channels than that are no robot.
const MOST_CHANNELS: usize = 4096;
