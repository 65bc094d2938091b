//! Meta-SGD (Li et al. 2017): MAML that learns a rate for each parameter beside the start, `theta_i = theta - alpha * grad L_i(theta)` with a
//! vector `alpha`. The trust region is that of start and rates together.

use super::{Config, Recipe, maml};

/// What it is made of.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    Recipe { learns_rates: true, ..maml::recipe(config) }
}
