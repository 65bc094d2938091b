//! One cell: a run of one method, from one source, in one target, with one seed; identified by everything that decides its result.

use crate::choose::Job;
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::file::{digest, disk, ron};
use crate::learn::Learner;
use crate::nn::numerics;
use crate::parallel::Pool;
use crate::run::checkpoint::Position;
use crate::run::{Evaluation, Event, Listener, Outcome, drive};
use crate::stop::Stop;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

const FORMAT: u32 = 1;

/// A run to be made.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What is run.
    pub job: Job,
    /// SHA-256 of everything that decides the result.
    pub digest: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "cell", deny_unknown_fields)]
pub struct CellResult {
    format: u32,
    /// The cell's digest.
    pub cell: String,
    /// The final policy's digest.
    pub policy: String,
    /// Each evaluation.
    pub evaluations: Vec<Point>,
    /// Wall time on one thread.
    pub seconds: f64,
}

/// An evaluation as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Environment steps in the target.
    pub steps: u64,
    /// Mean return.
    pub mean: f64,
}

impl Cell {
    /// A cell for a job. The method's share of the identity is its configuration and, where it has one, its source's digest: so the
    /// scratch cells of all sources, and of other studies, are one.
    #[must_use]
    pub fn new(job: Job) -> Self {
        let source = job.source.as_ref().filter(|_| job.method.needs_source()).map_or("none", |source| &source.card.digest);
        let identity = [
            format!("heirloom {} {}", env!("CARGO_PKG_VERSION"), numerics::describe(&job.activation())),
            digest::of_program().to_owned(),
            job.environment.digest(),
            job.method.name().to_owned(),
            job.configuration.to_ron(),
            source.to_owned(),
            format!("{:?}", (job.plan(), job.seed, job.evaluation_episodes, job.evaluation_seed)),
        ];
        let digest = digest::of_bytes(identity.join("\n").as_bytes());
        Self { job, digest }
    }

    /// Runs it on the calling thread. `None` when it was stopped. `stepped` is told the steps of each iteration.
    ///
    /// # Errors
    /// What the run could not do.
    pub fn run(&self, registry: &Registry, stop: &Stop, stepped: &(dyn Fn(u64) + Sync)) -> Result<Option<CellResult>> {
        let pool = Arc::new(Pool::inline());
        let began = std::time::Instant::now();
        let mut learner = self.job.learner(registry, &pool)?;
        let evaluator = self.job.evaluator(registry, &pool);
        let mut curve = Curve { points: Vec::new(), steps: 0, stepped };
        match drive(&mut learner, &self.job.plan(), &evaluator, None, Position::default(), stop, &mut curve)? {
            Outcome::Stopped { .. } => Ok(None),
            Outcome::Finished(_) => Ok(Some(CellResult {
                format: FORMAT,
                cell: self.digest.clone(),
                policy: learner.policy().digest(),
                evaluations: curve.points,
                seconds: began.elapsed().as_secs_f64(),
            })),
        }
    }

    /// The result that lies in a folder of cells, when there is one and it is sound.
    #[must_use]
    pub fn stored(&self, folder: &Path) -> Option<CellResult> {
        let result: CellResult = ron::read_artefact(&folder.join(self.file())).ok()?;
        let sound = result.format == FORMAT
            && result.cell == self.digest
            && !result.evaluations.is_empty()
            && result.evaluations.iter().all(|point| point.mean.is_finite());
        sound.then_some(result)
    }

    /// Keeps a result in a folder of cells.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn store(&self, folder: &Path, result: &CellResult) -> Result<()> {
        disk::write(&folder.join(self.file()), ron::to_text(result).as_bytes())
    }

    fn file(&self) -> String {
        format!("{}.ron", self.digest)
    }
}

struct Curve<'a> {
    points: Vec<Point>,
    steps: u64,
    stepped: &'a (dyn Fn(u64) + Sync),
}

impl Listener for Curve<'_> {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Iteration { steps, .. } => {
                (self.stepped)(steps - self.steps);
                self.steps = *steps;
                Ok(())
            }
            Event::Evaluated { evaluation, .. } => {
                self.points.push(point(evaluation)?);
                Ok(())
            }
            Event::Started { .. } | Event::Checkpointed { .. } | Event::Warning(_) => Ok(()),
        }
    }
}

fn point(evaluation: &Evaluation) -> Result<Point> {
    let mean = evaluation.interval().mean;
    if mean.is_finite() { Ok(Point { steps: evaluation.steps, mean }) } else { Err(Error::diverged("is not finite").at("mean return")) }
}
