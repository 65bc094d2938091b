//! Reptile (Nichol, Achiam & Schulman 2018): adapts to each task and moves the start a part of the way to the mean of the ends. No derivative
//! of the inner loop at all.

use super::{Adapts, Config, Inner, Order, Outer, Recipe};

/// Inner steps by default: with one alone, the start only follows the gradient of the tasks' mean (section 5.1 of the paper).
pub const INNER_STEPS: usize = 3;

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    let outer = Outer::Towards { step: config.reptile_step };
    Recipe { adapts: Adapts::All, inner: Inner::LogProb, order: Order::First, learns_rates: false, outer }
}
