//! Reptile (Nichol, Achiam & Schulman 2018): adapts to each task and moves the start a part of the way to the mean of the ends. No derivative
//! of the inner loop at all.

use super::{Adapts, Config, Inner, Order, Outer, Recipe};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    let outer = Outer::Towards { step: config.reptile_step };
    Recipe { adapts: Adapts::All, inner: Inner::LogProb, order: Order::First, learns_rates: false, outer }
}
