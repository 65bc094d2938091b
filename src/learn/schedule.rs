//! Numbers that change over a run.

use serde::{Deserialize, Serialize};

/// How a number changes from the first step to the last. A run that is extended with more steps continues on the longer schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// It does not.
    Constant,
    /// It falls in a straight line to zero.
    Linear,
}

impl Schedule {
    /// The factor when `fraction` of the run is over.
    #[must_use]
    pub fn factor(self, fraction: f64) -> f64 {
        match self {
            Self::Constant => 1.0,
            Self::Linear => (1.0 - fraction).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linear_falls_to_zero_and_no_further() {
        assert_eq!([0.0, 0.25, 1.0, 2.0].map(|fraction| Schedule::Linear.factor(fraction)), [1.0, 0.75, 0.0, 0.0]);
        assert_eq!(Schedule::Constant.factor(0.9), 1.0);
    }
}
