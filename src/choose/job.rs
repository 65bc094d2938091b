//! A job: everything that decides a run, and how its learner is built from it, the first time and after a stop.

use super::{Configuration, Lessons, Method, Reward, learner, make_task};
use crate::env::tasks::{Split, Tasks};
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result};
use crate::file::ron;
use crate::learn::{Learner, dqn, iql, sac, td3};
use crate::meta::{Counts, adapt};
use crate::nn::Activation;
use crate::parallel::Pool;
use crate::policy::{Ancestor, Card, Policy, Provenance, store};
use crate::rollout::MakeEnv;
use crate::rollout::collect::Choice;
use crate::run::checkpoint::Position;
use crate::run::folder::SOURCE;
use crate::run::{Adapted, Definition, Evaluator, Plan, RunFolder};
use crate::stop::Stop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A policy that a transfer starts from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it was found.
    pub path: PathBuf,
    /// The policy.
    pub policy: Policy,
    /// Its card.
    pub card: Card,
}

impl Source {
    /// Loads a policy by short name or path: a policy folder, or a run folder, which stands for its last sound checkpoint.
    ///
    /// # Errors
    /// Exit 2 when there is none, 3 when it is damaged.
    pub fn load(name_or_path: &str) -> Result<Self> {
        let path = find(name_or_path)?;
        let folder = if RunFolder::is_run(&path) {
            let (found, _) = RunFolder::last_sound(&path)?;
            found.ok_or_else(|| Error::artefact("the run has no checkpoint yet").at(path.display()))?.0
        } else {
            path.clone()
        };
        let (policy, card) = store::load(&folder)?;
        Ok(Self { path, policy, card })
    }

    /// The copy that a run folder keeps of a policy.
    fn kept(original: &Path, copy: &Path) -> Result<Self> {
        let (policy, card) = store::load(copy)?;
        Ok(Self { path: original.to_owned(), policy, card })
    }

    /// Its name: that of its folder.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.file_name().map_or_else(|| self.path.display().to_string(), |name| name.to_string_lossy().into_owned())
    }

    fn as_parent(&self) -> Ancestor {
        self.card.as_ancestor(&self.name())
    }
}

/// The folders in which short names of policies are looked up: `./policies`, then those that came with the program's sources.
#[must_use]
pub fn policy_folders() -> Vec<PathBuf> {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    let here = PathBuf::from("policies");
    if here.canonicalize().ok() == shipped.canonicalize().ok() { vec![here] } else { vec![here, shipped] }
}

/// Names and folders of all policies that a short name can mean.
#[must_use]
pub fn known_policies() -> Vec<(String, PathBuf)> {
    let folders = policy_folders();
    let entries = folders.iter().filter_map(|folder| crate::file::disk::list(folder).ok()).flatten();
    let named = entries.filter(|path| path.join(store::CARD).is_file());
    let mut known: Vec<(String, PathBuf)> =
        named.map(|path| (path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(), path)).collect();
    // The sort is stable: of two with one name the one in the earlier folder stays.
    known.sort_by(|a, b| a.0.cmp(&b.0));
    known.dedup_by(|a, b| a.0 == b.0);
    known
}

fn find(name_or_path: &str) -> Result<PathBuf> {
    let path = PathBuf::from(name_or_path);
    if path.is_dir() {
        return Ok(path);
    }
    let known = known_policies();
    if let Some((_, path)) = known.iter().find(|(name, _)| name == name_or_path) {
        return Ok(path.clone());
    }
    let hint = crate::error::did_you_mean(name_or_path, known.iter().map(|(name, _)| name.as_str()));
    Err(Error::usage(format!("there is no policy `{name_or_path}`")).hint(format!("{hint}; a path to a policy or run folder is taken too")))
}

/// Everything that decides a run.
#[derive(Debug, Clone)]
pub struct Job {
    /// Where it learns.
    pub environment: Spec,
    /// How.
    pub method: Method,
    /// With which numbers.
    pub configuration: Configuration,
    /// From what; of `dagger`, the expert.
    pub source: Option<Source>,
    /// The demonstrations that it learns from.
    pub lessons: Option<Lessons>,
    /// The reward of `learned-reward`.
    pub reward: Option<Reward>,
    /// The budget.
    pub steps: u64,
    /// What it counts where a method can count either: of `adapt`, updates or environment steps.
    pub counts: Counts,
    /// Seed of the run.
    pub seed: u64,
    /// Evaluations on the way, beside the one at the start.
    pub evaluations: u64,
    /// Episodes of each evaluation.
    pub evaluation_episodes: usize,
    /// Seed of the evaluations' episodes.
    pub evaluation_seed: u64,
    /// Iterations between two checkpoints; about twenty in all where absent.
    pub checkpoint_every: Option<u64>,
    /// The command that runs it.
    pub command: String,
}

impl Job {
    /// A job from nothing, measured twenty times with twenty episodes: what a policy or demonstrations add, and all else, is for fields to say.
    #[must_use]
    pub const fn new(environment: Spec, method: Method, configuration: Configuration, steps: u64, seed: u64) -> Self {
        Self {
            environment,
            method,
            configuration,
            source: None,
            lessons: None,
            reward: None,
            steps,
            counts: Counts::Iterations,
            seed,
            evaluations: 20,
            evaluation_episodes: 20,
            evaluation_seed: seed,
            checkpoint_every: None,
            command: String::new(),
        }
    }

    /// Builds this job's environments.
    #[must_use]
    pub fn make_env(&self, registry: &Registry) -> MakeEnv {
        let (registry, spec) = (registry.clone(), self.environment.clone());
        Arc::new(move || registry.build(&spec))
    }

    /// Builds the learner, before its first step.
    ///
    /// # Errors
    /// When source, demonstrations and target cannot be matched, the configuration is impossible, or an environment cannot be built.
    /// [`Kind::Stopped`] when a signal comes while a policy is cloned.
    pub fn learner(&self, registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Box<dyn Learner>> {
        learner::build(self, registry, pool, stop)
    }

    /// How its policy is measured.
    #[must_use]
    pub fn evaluator(&self, registry: &Registry, pool: &Arc<Pool>) -> Evaluator {
        Evaluator {
            make: self.make_env(registry),
            environment: self.environment.name.clone(),
            episodes: self.evaluation_episodes,
            seed: self.evaluation_seed,
            // The steps of adaptation belong to a policy whose actions are drawn.
            choice: if self.method == Method::Adapt { Choice::Sample } else { Choice::Mode },
            pool: Arc::clone(pool),
            adapting: self.adapting(registry),
        }
    }

    /// How a start for many tasks is measured: in tasks that are not trained on.
    fn adapting(&self, registry: &Registry) -> Option<Adapted> {
        let config = self.configuration.meta.as_ref()?;
        let recipe = self.method.recipe(config)?;
        let tasks = Tasks::new(&self.environment, &config.splits, self.seed).ok()?;
        Some(Adapted {
            make: make_task(registry, &tasks, Split::Validation),
            config: adapt::Config::of(config, recipe.inner),
            updates: if self.method.adapts() { config.inner_steps.max(1) } else { 0 },
        })
    }

    /// How far it runs. A method that learns nothing runs no steps.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let steps = if self.method.learns() || self.method == Method::Bc { self.steps } else { 0 };
        let updates = steps.div_ceil(self.steps_per_update());
        Plan {
            steps,
            evaluate_every: (steps / self.evaluations.max(1)).max(1),
            checkpoint_every: self.checkpoint_every.unwrap_or_else(|| updates.div_ceil(20)).max(1),
            stop_after_updates: None,
        }
    }

    /// Steps of the budget that an iteration takes.
    fn steps_per_update(&self) -> u64 {
        match self.method {
            // Gradient steps between two looks, at least.
            Method::Bc => 50,
            // An outer iteration; an update.
            method if method == Method::Adapt || Method::META.contains(&method) => 1,
            Method::Trpo => {
                // About: how long episodes are is not known before.
                let config = self.configuration.trpo.clone().unwrap_or_default();
                (config.episodes * self.environment.longest_episode().unwrap_or(1000)) as u64
            }
            Method::Sac | Method::Rlpd => self.configuration.sac.as_ref().map_or(1, sac::Config::iteration_steps),
            Method::Iql => self.configuration.iql.as_ref().map_or(1, iql::Config::iteration_steps),
            Method::Td3 | Method::Td3Bc => self.configuration.td3.as_ref().map_or(1, td3::Config::iteration_steps),
            Method::Dqn => self.configuration.dqn.as_ref().map_or(1, dqn::Config::iteration_steps),
            Method::Dagger => self.configuration.dagger.as_ref().map_or(1, |config| config.steps as u64),
            _ => self.configuration.ppo.rollout_steps(),
        }
    }

    /// Bytes that its replay buffer takes when it is full, where it has one.
    ///
    /// # Errors
    /// When the environment cannot be built.
    pub fn replay_bytes(&self, registry: &Registry) -> Result<Option<u64>> {
        let spaces = self.make_env(registry)()?.spaces().clone();
        Ok(self.configuration.replay(&spaces).map(|size| size.bytes()))
    }

    /// What a run folder keeps of it.
    #[must_use]
    pub fn definition(&self) -> Definition {
        let plan = self.plan();
        Definition {
            format: Definition::FORMAT,
            heirloom: env!("CARGO_PKG_VERSION").to_owned(),
            provenance: self.provenance(),
            parents: self
                .source
                .iter()
                .filter(|_| self.method.needs_source() || self.method == Method::Dagger)
                .map(Source::as_parent)
                .collect(),
            source: self.source.as_ref().map(|source| source.path.clone()),
            evaluate_every: plan.evaluate_every,
            evaluation_episodes: self.evaluation_episodes,
            evaluation_seed: self.evaluation_seed,
            checkpoint_every: plan.checkpoint_every,
        }
    }

    /// The activation of its networks: a method that carries a policy carries its shape.
    #[must_use]
    pub fn activation(&self) -> Activation {
        let carried = self.source.as_ref().filter(|_| self.method.needs_source());
        let Configuration { ppo, meta, rl2, trpo, .. } = &self.configuration;
        let replays = Method::OFF_POLICY.contains(&self.method) || self.method.needs_rewards();
        let off_policy = replays.then_some(Activation::Relu);
        let of_meta = meta
            .as_ref()
            .map(|meta| meta.activation)
            .or_else(|| rl2.as_ref().map(|rl2| rl2.activation))
            .or_else(|| trpo.as_ref().map(|trpo| trpo.activation))
            .or(off_policy);
        let own = of_meta.unwrap_or(ppo.activation);
        carried.map_or(own, |source| source.policy.shape.activation)
    }

    /// How its policy comes about.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        Provenance {
            command: self.command.clone(),
            method: self.method.name().to_owned(),
            configuration: self.configuration.to_ron(),
            environment: self.environment.name.clone(),
            environment_ron: self.environment.to_ron(),
            seed: self.seed,
            steps: Some(self.plan().steps),
            demonstrations: self.lessons.as_ref().map(|lessons| lessons.as_demonstrated(self.method.is_transfer().then_some(lessons.role))),
            reward: self.reward.as_ref().map(Reward::as_recovered),
            numerics: crate::nn::numerics::describe(&self.activation()),
            lost_episodes: None,
        }
    }
}

/// A run that was opened to go on.
pub struct Opened {
    /// What it runs.
    pub job: Job,
    /// The folder, locked.
    pub folder: RunFolder,
    /// The learner, where the last sound checkpoint left it.
    pub learner: Box<dyn Learner>,
    /// Where the loop was.
    pub position: Position,
    /// How far it runs.
    pub plan: Plan,
    /// Checkpoints that were found damaged on the way to a sound one.
    pub damaged: Vec<Error>,
}

/// Where what a run began with lies now, when it is not where it was.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moved<'a> {
    /// The demonstrations.
    pub demonstrations: Option<&'a Path>,
    /// The run whose reward it learns from.
    pub reward: Option<&'a Path>,
}

/// Opens a run folder and rebuilds its learner at the last sound checkpoint, bit for bit; `steps` extends the run.
///
/// # Errors
/// Exit 2 when there is no run or it would be shortened, 3 when it is damaged, 7 when another process has it.
pub fn open_run(path: &Path, steps: Option<u64>, moved: Moved<'_>, registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Opened> {
    let (mut folder, checkpoint, damaged) = RunFolder::open(path)?;
    folder.count(registry.lost_episodes());
    let mut job = rebuild(path, folder.definition(), moved, registry, pool).map_err(|error| error.at(path.display()))?;
    if let Some(steps) = steps {
        if steps < job.steps {
            return Err(Error::usage(format!("the run has {} steps; --steps {steps} would cut it short", job.steps))
                .hint("pass a larger --steps to extend it"));
        }
        if steps > job.steps && job.method == Method::ZeroShot {
            return Err(Error::usage(format!("method `{}` takes no steps", job.method.name())).hint("leave --steps out"));
        }
        job.steps = steps;
    }
    let mut learner = job.learner(registry, pool, stop)?;
    let mut position = Position::default();
    if let Some((found, state)) = checkpoint {
        learner.restore(&state).map_err(|error| error.at(path.display()))?;
        position = found;
    }
    // Only now: a resume that fails changes nothing.
    if Some(job.steps) > folder.definition().provenance.steps {
        folder.extend(job.steps)?;
    }
    let definition = folder.definition();
    let plan = Plan { evaluate_every: definition.evaluate_every, checkpoint_every: definition.checkpoint_every, ..job.plan() };
    Ok(Opened { job, folder, learner, position, plan, damaged })
}

/// The job that a definition describes.
fn rebuild(path: &Path, definition: &Definition, moved: Moved<'_>, registry: &Registry, pool: &Pool) -> Result<Job> {
    let provenance = &definition.provenance;
    let as_artefact = |error: Error| if error.kind() == Kind::Usage { error.as_kind(Kind::Artefact) } else { error };
    let environment = Spec::from_ron(registry, &provenance.environment, &provenance.environment_ron).map_err(as_artefact)?;
    let configuration: Configuration =
        ron::Source { name: "configuration".into(), text: provenance.configuration.clone() }.parse().map_err(as_artefact)?;
    configuration.check().map_err(|(_, error)| as_artefact(error))?;
    let source = definition.source.as_ref().map(|original| Source::kept(original, &path.join(SOURCE))).transpose()?;
    if let (Some(source), Some(parent)) = (&source, definition.parents.first())
        && source.card.digest != parent.digest
    {
        return Err(Error::artefact("is not the policy that this run started from: its digest differs").at(source.path.display()));
    }
    if definition.evaluate_every == 0 || definition.checkpoint_every == 0 || definition.evaluation_episodes == 0 {
        return Err(Error::artefact("an interval of the run is 0"));
    }
    let steps = provenance.steps.ok_or_else(|| Error::artefact("the run does not say how many steps it has"))?;
    Ok(Job {
        environment,
        method: Method::parse(&provenance.method).map_err(as_artefact)?,
        configuration,
        source,
        lessons: provenance.demonstrations.as_ref().map(|kept| Lessons::reopen(kept, moved.demonstrations, pool)).transpose()?,
        reward: provenance.reward.as_ref().map(|kept| Reward::reopen(kept, moved.reward)).transpose()?,
        steps,
        counts: Counts::Iterations,
        seed: provenance.seed,
        evaluations: (steps / definition.evaluate_every).max(1),
        evaluation_episodes: definition.evaluation_episodes,
        evaluation_seed: definition.evaluation_seed,
        checkpoint_every: Some(definition.checkpoint_every),
        command: provenance.command.clone(),
    })
}
