//! The tasks of an environment whose parameters are drawn: each draw as environments.

use crate::env::tasks::{Kind, Split};
use crate::env::{Registry, Spec};
use crate::error::Result;
use crate::meta::MakeTask;
use crate::rollout::MakeEnv;
use std::sync::Arc;

/// A task distribution, cut into what is trained on and what is not.
#[derive(Clone)]
pub struct Tasks {
    registry: Registry,
    split: Arc<Split>,
}

impl Tasks {
    /// Of an environment.
    ///
    /// # Errors
    /// Exit 2 when nothing of it is drawn.
    pub fn new(registry: &Registry, environment: &Spec, extrapolate: f64) -> Result<Self> {
        Ok(Self { registry: registry.clone(), split: Arc::new(Split::new(environment, extrapolate)?) })
    }

    /// How it is cut.
    #[must_use]
    pub fn split(&self) -> &Split {
        &self.split
    }

    /// The environments of the tasks of a kind, by number.
    #[must_use]
    pub fn make(&self, kind: Kind, seed: u64) -> MakeTask {
        let tasks = self.clone();
        Arc::new(move |number| {
            let (registry, spec) = (tasks.registry.clone(), tasks.split.task(kind, seed, number)?.spec);
            Ok(Arc::new(move || registry.build(&spec)) as MakeEnv)
        })
    }
}
