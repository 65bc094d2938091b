//! First-order MAML (Finn, Abbeel & Levine 2017, section 5.2; Nichol et al. 2018): the inner step is taken as if it did not depend on where it
//! began, `d theta_k / d theta = 1`.

use super::{Config, Order, Recipe, maml};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    Recipe { order: Order::First, ..maml::recipe(config) }
}
