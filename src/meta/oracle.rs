//! Oracle context: one policy by TRPO that is shown what was drawn for its task, taken to a new task as it is (the oracle of Finn et al. 2017,
//! section 5.3). A baseline: what a policy gets that need not find out.

use super::{Adapts, Config, Recipe, maml};
use crate::env::Spec;
use crate::env::tasks::Tasks;
use crate::env::wrap::Wrapper;

/// What it is made of; [`Config::inner_steps`] is 0.
#[must_use]
pub const fn recipe(config: &Config) -> Recipe {
    Recipe { adapts: Adapts::Nothing, ..maml::recipe(config) }
}

/// The environment of these tasks as an oracle sees it: each drawn parameter that is not shown already is a further channel, from -1 to 1 over
/// its law.
#[must_use]
pub fn shown(tasks: &Tasks) -> Spec {
    let mut spec = tasks.spec().clone();
    let mut laws = tasks.laws();
    for wrapper in &spec.wrappers {
        if let Wrapper::ShowParameters(known) = wrapper {
            laws.retain(|name, _| !known.contains_key(name));
        }
    }
    spec.wrappers.push(Wrapper::ShowParameters(laws));
    spec
}

/// The same environment without what an oracle sees.
#[must_use]
pub fn hidden(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    if matches!(spec.wrappers.last(), Some(Wrapper::ShowParameters(_))) {
        spec.wrappers.pop();
    }
    spec
}
