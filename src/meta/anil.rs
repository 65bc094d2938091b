//! Almost no inner loop (Raghu et al. 2020): MAML of which only the last layer, and the standard deviations, adapt.

use super::{Adapts, Config, Recipe, maml};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    Recipe { adapts: Adapts::Head, ..maml::recipe(config) }
}
