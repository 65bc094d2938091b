//! What a meta-learning method is made of.

pub use super::surrogate::Inner;
use crate::learn::trust_region;
use crate::nn::actor_critic::is_head;
use crate::nn::params::Layout;
use serde::{Deserialize, Serialize};

/// A method: its file says which of each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recipe {
    /// What moves in the inner loop.
    pub adapts: Adapts,
    /// What it descends on.
    pub inner: Inner,
    /// How far the way back is followed.
    pub order: Order,
    /// Whether inner rates are learned, one for each parameter.
    pub learns_rates: bool,
    /// What the outer loop does.
    pub outer: Outer,
}

/// What moves in the inner loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adapts {
    /// Everything.
    All,
    /// The last layer and the standard deviations.
    Head,
    /// Nothing: the policy is taken as it is.
    Nothing,
}

impl Adapts {
    /// The inner rates, one per parameter.
    #[must_use]
    pub fn rates(self, layout: &Layout, rate: f32) -> Vec<f32> {
        let of = |name: &str| match self {
            Self::All => rate,
            Self::Head if is_head(name) => rate,
            Self::Head | Self::Nothing => 0.0,
        };
        layout.entries().iter().flat_map(|entry| std::iter::repeat_n(of(&entry.name), entry.range.len())).collect()
    }
}

/// How far the derivative of the inner loop is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// As if the inner update did not depend on where it began.
    First,
    /// All of it.
    Second,
}

/// What the outer loop does with the tasks' ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Outer {
    /// One step of trust region policy optimization.
    Trpo(trust_region::Config),
    /// Some steps of Adam on the clipped surrogate, with a penalty on the divergence of the start.
    Ppo(ClippedSteps),
    /// A step towards the mean of the ends.
    Towards {
        /// Of the way.
        step: f64,
    },
}

/// The outer loop of `ProMP`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename = "clipped_steps", deny_unknown_fields, default)]
pub struct ClippedSteps {
    /// Gradient steps per iteration.
    pub steps: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How far the ratio of probabilities may move.
    pub clip: f64,
    /// Weight of the divergence of the start from the policy that acted first; of later inner steps' policies nothing is asked.
    pub kl_penalty: f64,
}

/// `ProMP`'s own run script (Rothfuss et al. 2019), but for a learning rate of three times its 0.001: so navigation is learned in a third of the samples.
impl Default for ClippedSteps {
    fn default() -> Self {
        Self { steps: 5, learning_rate: 3e-3, clip: 0.3, kl_penalty: 5e-4 }
    }
}
