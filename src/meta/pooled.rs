//! Pooled pre-training: one policy for all tasks, by TRPO on all their episodes together; MAML without an inner step. The baseline that
//! meta-learning has to beat: it adapts afterwards by the same steps.

use super::{Config, Recipe, maml};

/// What it is made of; [`Config::inner_steps`] is 0.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    maml::recipe(config)
}
