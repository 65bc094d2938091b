//! Another size or sign of the reward.

use super::layer::{Layer, wrap};
use crate::env::Env;

struct RewardScale {
    factor: f64,
}

pub(super) fn around(inner: Box<dyn Env>, factor: f64) -> Box<dyn Env> {
    let spaces = inner.spaces().clone();
    wrap(inner, spaces, RewardScale { factor })
}

impl Layer for RewardScale {
    fn reward(&self, inner: f64) -> f64 {
        inner * self.factor
    }
}
