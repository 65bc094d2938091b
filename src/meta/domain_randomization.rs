//! Domain randomization (Tobin et al. 2017; of dynamics, Peng et al. 2018): one policy by TRPO in an environment that draws its parameters anew
//! for every episode, taken to a new task as it is. A baseline: what a policy gets that is robust and does not adapt.

use super::{Adapts, Config, Recipe, maml};

/// What it is made of; [`Config::inner_steps`] is 0.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    Recipe { adapts: Adapts::Nothing, ..maml::recipe(config) }
}
