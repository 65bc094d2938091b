//! The tasks of an environment whose parameters are drawn: each draw as environments.

use crate::env::Registry;
use crate::env::tasks::{Split, Tasks};
use crate::meta::MakeTask;
use crate::rollout::MakeEnv;
use std::sync::Arc;

/// The environments of the tasks of a split, by number.
#[must_use]
pub fn make_task(registry: &Registry, tasks: &Tasks, split: Split) -> MakeTask {
    let (registry, tasks) = (registry.clone(), tasks.clone());
    Arc::new(move |number| {
        let (registry, spec) = (registry.clone(), tasks.task(split, number)?.spec);
        Ok(Arc::new(move || registry.build(&spec)) as MakeEnv)
    })
}
