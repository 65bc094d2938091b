//! One cell: a run of one method, from one source, in one target, with one seed; identified by everything that decides its result.

use super::file::Failures;
use super::measure::in_force;
use crate::choose::{Job, Method};
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use crate::file::{digest, disk, ron};
use crate::nn::numerics;
use crate::parallel::Pool;
use crate::policy::{Card, Policy, store};
use crate::rollout::collect::Choice;
use crate::rollout::sampled;
use crate::run::checkpoint::Position;
use crate::run::{Evaluation, Evaluator, Event, Listener, Outcome, Plan, drive};
use crate::stats::mean;
use crate::stop::Stop;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The version of a result that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 2;

/// The first and the last evaluation have at least so many episodes: jumpstart and end hang on one evaluation each.
pub const EPISODES_AT_ENDS: usize = 100;

/// A run to be made.
#[derive(Debug, Clone)]
pub struct Cell {
    /// What is run.
    pub job: Job,
    /// Whether its policy is kept: others start from it.
    pub is_source: bool,
    /// SHA-256 of everything that decides the result.
    pub digest: String,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "cell", deny_unknown_fields)]
pub struct CellResult {
    /// [`FORMAT`].
    pub format: u32,
    /// The cell's digest.
    pub cell: String,
    /// The final policy's digest.
    pub policy: String,
    /// Each evaluation.
    pub evaluations: Vec<Point>,
    /// Why it broke off, where it did.
    pub failed: Option<String>,
    /// SHA-256 of all that stands above.
    pub checksum: String,
}

impl CellResult {
    fn sealed(mut self) -> Self {
        self.checksum = String::new();
        self.checksum = digest::of_bytes(ron::to_text(&self).as_bytes());
        self
    }
}

/// An evaluation as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Environment steps in the target.
    pub steps: u64,
    /// Mean return with the most probable actions.
    pub mean: f64,
    /// Mean return with drawn actions.
    pub sampled: f64,
    /// Mean entropy of the policy in the states that it meets, in nats.
    pub entropy: f64,
    /// Mean Kullback-Leibler divergence from it to the source in the same states, in nats, where it has one that is comparable.
    pub divergence: Option<f64>,
    /// Share of the returns' variance that the critic explained in the last update.
    pub explained_variance: Option<f64>,
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
            job.lessons
                .as_ref()
                .map_or_else(String::new, |lessons| format!("{} {:?} {:?}", lessons.digest, lessons.selection, lessons.role)),
            format!("{:?}", (job.plan(), job.seed, job.evaluation_episodes, job.evaluation_seed)),
        ];
        let digest = digest::of_bytes(identity.join("\n").as_bytes());
        Self { job, is_source: false, digest }
    }

    /// A cell whose policy is kept for others to start from.
    #[must_use]
    pub fn source(job: Job) -> Self {
        Self { is_source: true, ..Self::new(job) }
    }

    /// Runs it on the calling thread and keeps what came of it in a folder. `None` when it was stopped. `stepped` is told the steps of
    /// each iteration.
    ///
    /// # Errors
    /// What the run could not do; that it diverged only where `failures` says so.
    pub fn run(
        &self,
        registry: &Registry,
        failures: Failures,
        store: &CellStore,
        stop: &Stop,
        stepped: &(dyn Fn(u64) + Sync),
    ) -> Result<Option<CellResult>> {
        let pool = Arc::new(Pool::inline());
        let registry = &registry.apart();
        let mut learner = match self.job.learner(registry, &pool, stop) {
            Err(error) if error.kind() == Kind::Stopped => return Ok(None),
            learner => learner?,
        };
        // Every method's most probable actions.
        let evaluator = Evaluator { choice: Choice::Mode, ..self.job.evaluator(registry, &pool) };
        let adapts = self.job.method == Method::Adapt;
        let plan = self.job.plan();
        let mut curve = Curve { cell: self, evaluator: &evaluator, stop, points: Vec::new(), explained: None, steps: 0, stepped };
        // Updates come when their episodes are over: each policy is measured, and counts until the next.
        let watched = Plan { evaluate_every: if adapts { 1 } else { plan.evaluate_every }, ..plan };
        let failed = match drive(learner.as_mut(), &watched, &evaluator, None, Position::default(), stop, &mut curve) {
            Ok(Outcome::Stopped { .. }) => return Ok(None),
            Ok(Outcome::Finished(_)) => None,
            Err(error) if error.kind() == Kind::Diverged && failures == Failures::Worst && !self.is_source => Some(error.to_string()),
            Err(error) => return Err(error),
        };
        let lost = registry.lost_episodes().count();
        if lost > 0 {
            // It would be told to others as what its settings give.
            return Err(Error::environment(format!("{lost} episodes were lost, and could not be done again as they were"))
                .hint("run the study again: the cells that are finished are kept")
                .at(&self.job.environment.name));
        }
        let policy = learner.policy();
        let result = CellResult {
            format: FORMAT,
            cell: self.digest.clone(),
            policy: policy.digest(),
            evaluations: if adapts { in_force(&curve.points, &plan.due()) } else { curve.points },
            failed,
            checksum: String::new(),
        }
        .sealed();
        store.keep(self, &result, &policy)?;
        Ok(Some(result))
    }
}

/// Folders in which results and sources lie: the study's own, and one that studies share.
pub struct CellStore {
    own: PathBuf,
    shared: Option<PathBuf>,
}

impl CellStore {
    /// The folders of a study. The shared one only saves time: without it everything still works.
    ///
    /// # Errors
    /// Exit 6 when the study's own cannot be made.
    pub fn open(own: &Path, shared: Option<PathBuf>) -> Result<Self> {
        disk::create_folder(&own.join(CELLS))?;
        disk::create_folder(&own.join(SOURCES))?;
        let usable = |folder: &PathBuf| [CELLS, SOURCES].iter().all(|part| disk::create_folder(&folder.join(part)).is_ok());
        let shared = shared.filter(usable);
        for folder in shared.iter().flat_map(|shared| [shared.join(CELLS), shared.join(SOURCES)]) {
            // Another study may be writing; what has lain for an hour is from one that was killed.
            let _ = disk::sweep_older(&folder, Duration::from_secs(3600));
        }
        Ok(Self { own: own.to_owned(), shared })
    }

    /// The folders of a study that is only looked at: nothing is made.
    #[must_use]
    pub fn look(own: &Path, shared: Option<PathBuf>) -> Self {
        Self { own: own.to_owned(), shared }
    }

    /// The result of a cell that was run before, when it is sound.
    #[must_use]
    pub fn known(&self, cell: &Cell) -> Option<CellResult> {
        let found = result_in(&self.own, cell).filter(|_| !cell.is_source || policy_in(&self.own, cell).is_some());
        found.or_else(|| {
            let shared = self.shared.as_ref().filter(|_| is_shared(cell))?;
            let result = result_in(shared, cell)?;
            if cell.is_source {
                policy_in(shared, cell)?;
            }
            Some(result)
        })
    }

    /// The policy of a cell that was run before.
    #[must_use]
    pub fn policy(&self, cell: &Cell) -> Option<(PathBuf, Policy, Card)> {
        policy_in(&self.own, cell).or_else(|| policy_in(self.shared.as_ref()?, cell))
    }

    /// How many results lie in the study's folder that are none of `cells`.
    #[must_use]
    pub fn strangers(&self, cells: &std::collections::BTreeSet<String>) -> usize {
        let listed = disk::list(&self.own.join(CELLS)).unwrap_or_default();
        listed.iter().filter(|path| path.file_stem().is_some_and(|stem| !cells.contains(stem.to_string_lossy().as_ref()))).count()
    }

    /// Puts what is known from the shared folder into the study's own, which is whole by itself.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn adopt(&self, cell: &Cell, result: &CellResult) -> Result<()> {
        if result_in(&self.own, cell).is_none() {
            disk::write(&cell_path(&self.own, cell), ron::to_text(result).as_bytes())?;
        }
        if cell.is_source
            && policy_in(&self.own, cell).is_none()
            && let Some((_, policy, card)) = self.policy(cell)
        {
            store::save(&self.own.join(SOURCES).join(&cell.digest), &policy, &card)?;
        }
        Ok(())
    }

    fn keep(&self, cell: &Cell, result: &CellResult, policy: &Policy) -> Result<()> {
        write(&self.own, cell, result, policy)?;
        if let Some(shared) = self.shared.as_ref().filter(|_| is_shared(cell)) {
            // What the cache cannot take is run again by the next study.
            let _ = write(shared, cell, result, policy);
        }
        Ok(())
    }
}

const CELLS: &str = "cells";
const SOURCES: &str = "sources";

/// What depends on no source is worth sharing: it is the most expensive to run, and every study of a target needs it.
const fn is_shared(cell: &Cell) -> bool {
    !cell.job.method.needs_source() && cell.job.lessons.is_none()
}

fn write(folder: &Path, cell: &Cell, result: &CellResult, policy: &Policy) -> Result<()> {
    if cell.is_source {
        let card = Card::new(policy, cell.job.provenance(), Vec::new());
        store::save(&folder.join(SOURCES).join(&cell.digest), policy, &card)?;
    }
    disk::write(&cell_path(folder, cell), ron::to_text(result).as_bytes())
}

fn cell_path(folder: &Path, cell: &Cell) -> PathBuf {
    folder.join(CELLS).join(format!("{}.ron", cell.digest))
}

fn result_in(folder: &Path, cell: &Cell) -> Option<CellResult> {
    let result: CellResult = ron::read_artefact(&cell_path(folder, cell)).ok()?;
    // What is sealed was written by this program, whole.
    let sound = result.format == FORMAT && result.cell == cell.digest && result.clone().sealed() == result;
    sound.then_some(result)
}

fn policy_in(folder: &Path, cell: &Cell) -> Option<(PathBuf, Policy, Card)> {
    let path = folder.join(SOURCES).join(&cell.digest);
    let (policy, card) = store::load(&path).ok()?;
    Some((path, policy, card))
}

/// Hears a run and keeps its learning curve, looking closer at each evaluated policy than the run itself does.
struct Curve<'a> {
    cell: &'a Cell,
    evaluator: &'a Evaluator,
    stop: &'a Stop,
    points: Vec<Point>,
    explained: Option<f64>,
    steps: u64,
    stepped: &'a (dyn Fn(u64) + Sync),
}

impl Curve<'_> {
    fn point(&self, evaluation: &Evaluation, policy: &Policy) -> Result<Point> {
        let Evaluator { make, episodes, seed, pool, .. } = self.evaluator;
        let at_an_end = evaluation.steps == 0 || self.cell.job.method == Method::Adapt || evaluation.steps >= self.cell.job.plan().steps;
        let episodes = if at_an_end { EPISODES_AT_ENDS.max(*episodes) } else { *episodes };
        let measured = if episodes > evaluation.returns.len() {
            let more = Evaluator { episodes, ..self.evaluator.clone() };
            mean(&more.measure(policy, evaluation.steps, self.stop)?.returns)
        } else {
            mean(&evaluation.returns)
        };
        let source = self.cell.job.source.as_ref().map(|source| &source.policy);
        let sampled = sampled(policy, source, make, episodes, *seed, pool, self.stop)?;
        let point = Point {
            steps: evaluation.steps,
            mean: measured,
            sampled: mean(&sampled.finished.iter().map(|episode| episode.total).collect::<Vec<_>>()),
            entropy: sampled.entropy,
            divergence: sampled.divergence,
            explained_variance: self.explained,
        };
        let numbers = [
            ("mean return", Some(point.mean)),
            ("mean return of drawn actions", Some(point.sampled)),
            ("entropy", Some(point.entropy)),
            ("divergence from the source", point.divergence),
        ];
        match numbers.iter().find(|(_, value)| value.is_some_and(|value| !value.is_finite())) {
            Some((name, _)) => Err(Error::diverged("is not finite").at(name)),
            None => Ok(point),
        }
    }
}

impl Listener for Curve<'_> {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        match event {
            Event::Iteration { steps, progress, .. } => {
                (self.stepped)(steps - self.steps);
                self.steps = *steps;
                let explained = progress.metrics.iter().find(|(name, _)| *name == "explained_variance");
                self.explained = explained.map(|(_, value)| *value).filter(|value| value.is_finite());
            }
            Event::Evaluated { evaluation, policy, .. } => {
                let point = self.point(evaluation, policy)?;
                self.points.push(point);
            }
            Event::Started { .. } | Event::Checkpointed { .. } | Event::Warning(_) => {}
        }
        Ok(())
    }
}
