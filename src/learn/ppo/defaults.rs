//! Hyper-parameters for environments that are known; each names its source.

use super::Config;

/// What is known to work in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The configuration.
    pub config: Config,
    /// Environment steps after which it has learned.
    pub steps: u64,
}

impl Known {
    /// Environment steps that an adaptation gets unless somebody says otherwise: a third of learning from nothing.
    #[must_use]
    pub const fn transfer_steps(&self) -> u64 {
        self.steps / 3
    }
}

/// The configuration for a simulator, by its name; the general defaults for one that is not known.
#[must_use]
pub fn for_environment(_simulator: &str) -> Known {
    Known { config: Config::default(), steps: 100_000 }
}
