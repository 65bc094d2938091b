//! The one list of all methods. A new one is a file in `transfer/` and a line in each list here.

use super::Configuration;
use crate::env::Spaces;
use crate::error::{Error, Result, did_you_mean};
use crate::learn::ppo::{self, Start};
use crate::policy::Policy;
use crate::transfer::{Handover, Transfer, feature_extraction, fine_tune, reset_head};
use serde::{Deserialize, Serialize};

/// How a policy comes to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Method {
    /// The source as it is; nothing is learned.
    ZeroShot,
    /// Nothing of the source; everything is learned.
    Scratch,
    /// Everything of the source; everything is learned on.
    FineTune,
    /// The source's trunk under new heads; everything is learned on.
    ResetHead,
    /// The source's trunk, frozen, under new heads.
    FeatureExtraction,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::ZeroShot, Self::Scratch, Self::FineTune, Self::ResetHead, Self::FeatureExtraction];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Scratch => "scratch",
            Self::FineTune => "fine-tune",
            Self::ResetHead => "reset-head",
            Self::FeatureExtraction => "feature-extraction",
        }
    }

    /// One sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::ZeroShot => "the source as it is; nothing is learned",
            Self::Scratch => "nothing of the source; everything is learned in the target",
            Self::FineTune => "everything of the source, trained on; the critic warms up first",
            Self::ResetHead => "the source's hidden layers under new last layers, all trained on",
            Self::FeatureExtraction => "the source's hidden layers, frozen, under new last layers",
        }
    }

    /// The method of this name.
    ///
    /// # Errors
    /// Exit 2 with the nearest names.
    pub fn parse(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or_else(|| Error::usage(format!("there is no method `{name}`")).hint(did_you_mean(name, Self::ALL.map(Self::name))))
    }

    /// Whether it starts from a source policy.
    #[must_use]
    pub const fn needs_source(self) -> bool {
        !matches!(self, Self::Scratch)
    }

    /// Whether anything is learned.
    #[must_use]
    pub const fn learns(self) -> bool {
        !matches!(self, Self::ZeroShot)
    }

    /// Its configuration with its own defaults, for a learner.
    #[must_use]
    pub fn configuration(self, ppo: ppo::Config) -> Configuration {
        Configuration {
            ppo,
            fine_tune: (self == Self::FineTune).then(fine_tune::Config::default),
            reset_head: (self == Self::ResetHead).then(reset_head::Config::default),
        }
    }

    /// What learning begins with.
    ///
    /// # Errors
    /// When the source cannot be matched with the target, or is missing.
    pub fn transfer(self, configuration: &Configuration, source: Option<&Policy>, target: &Spaces, seed: u64) -> Result<Transfer> {
        let Some(source) = source else {
            if self.needs_source() {
                return Err(Error::usage(format!("`{}` needs a policy to start from", self.name())));
            }
            return Ok(Transfer { start: Start::fresh(&configuration.ppo, target, seed)?, terms: Vec::new() });
        };
        let handover = Handover { source, target, seed };
        match self {
            Self::Scratch => Ok(Transfer { start: Start::fresh(&configuration.ppo, target, seed)?, terms: Vec::new() }),
            Self::ZeroShot => fine_tune::transfer(&fine_tune::Config::default(), &handover),
            Self::FineTune => fine_tune::transfer(&configuration.fine_tune.clone().unwrap_or_default(), &handover),
            Self::ResetHead => reset_head::transfer(&configuration.reset_head.clone().unwrap_or_default(), &handover),
            Self::FeatureExtraction => feature_extraction::transfer(&handover),
        }
    }
}

/// The learners that `pretrain --method` can name, with a sentence each.
pub const LEARNERS: [(&str, &str); 1] = [("ppo", "proximal policy optimization (Schulman et al. 2017)")];
