//! Spaces as values: how many channels, what they are called, and between which bounds they lie.
//!
//! Names are what lets a policy move to an environment whose channels stand in another order or are more than it knows.

use serde::{Deserialize, Serialize};

/// A named number with its bounds, which may be infinite.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// Its name, unique within its space: `pole_angle`.
    pub name: String,
    /// Its least value.
    pub low: f64,
    /// Its greatest value.
    pub high: f64,
}

impl Channel {
    /// A channel between two bounds.
    #[must_use]
    pub fn new(name: impl Into<String>, low: f64, high: f64) -> Self {
        Self { name: name.into(), low, high }
    }

    /// A channel without bounds.
    #[must_use]
    pub fn unbounded(name: impl Into<String>) -> Self {
        Self::new(name, f64::NEG_INFINITY, f64::INFINITY)
    }
}

/// The channels of an observation, in order.
pub type ObservationSpace = Vec<Channel>;

/// What an action is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ActionSpace {
    /// One of these named actions.
    Discrete(Vec<String>),
    /// One number per channel, each between its bounds.
    Continuous(Vec<Channel>),
}

impl ActionSpace {
    /// Numbers that a policy gives out: logits of a discrete space, values of a continuous one.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Discrete(names) => names.len(),
            Self::Continuous(channels) => channels.len(),
        }
    }

    /// Numbers that one action takes in a rollout: 1 for an index.
    #[must_use]
    pub fn width(&self) -> usize {
        match self {
            Self::Discrete(_) => 1,
            Self::Continuous(channels) => channels.len(),
        }
    }

    /// The names of its actions or channels.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Discrete(names) => names.iter().map(String::as_str).collect(),
            Self::Continuous(channels) => channels.iter().map(|channel| channel.name.as_str()).collect(),
        }
    }
}

/// Both spaces of an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spaces {
    /// What is seen.
    pub observation: ObservationSpace,
    /// What can be done.
    pub action: ActionSpace,
}
