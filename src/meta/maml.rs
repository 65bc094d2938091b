//! Model-agnostic meta-learning (Finn, Abbeel & Levine 2017), for reinforcement learning with TRPO outside (their algorithm 3).
//!
//! `theta <- theta - TRPO step of sum_i L_i(theta - alpha grad L_i(theta))`, the derivative of the inner step included.

use super::{Adapts, Config, Inner, Order, Outer, Recipe};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    let outer = Outer::Trpo(config.trust_region);
    Recipe { adapts: Adapts::All, inner: Inner::LogProb, order: Order::Second, learns_rates: false, outer }
}
