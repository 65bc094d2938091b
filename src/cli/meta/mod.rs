//! `heirloom meta TASKS --method M`, and `heirloom meta compare RUN...`.

mod compare;
mod ledger;
mod measuring;

use super::arguments::RunArguments;
use super::terminal::{self, Ending};
use super::training::{self, Finished};
use super::watch::write_page;
use crate::choose::words::quoted;
use crate::choose::{Configuration, Job, Method};
use crate::env::tasks::{Splits, Tasks};
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result};
use crate::learn::ppo;
use crate::meta::{self, adapt, oracle};
use crate::report::adaptation::{self, Adaptation, Start};
use clap::{Args, Subcommand};
use ledger::Ledger;
use measuring::Measuring;
use std::path::PathBuf;

/// Learn a start from which each task of a distribution is learned in a few updates.
///
/// TASKS is an environment whose context or objective holds distributions: one draw is one task. Methods: maml (exact to second order), fomaml,
/// anil, meta-sgd, promp, reptile; baselines: pooled (one policy for all tasks, which adapts by the same steps), domain-randomization (tasks drawn anew
/// for every episode) and oracle (shown what was drawn), which do not adapt. --steps counts outer iterations. What comes out is a policy;
/// `heirloom adapt` takes it into a task. Ends with what it earns in tasks that were not trained on, update by update, and a page of that
/// (adaptation.html), and a list of all tasks (tasks.csv); `heirloom meta compare` lays several runs beside each other. rl2 learns a policy with memory, which adapts by acting: give it an
/// environment with a `Trial` wrapper.
#[derive(Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:\n  heirloom meta navigation_tasks --method maml\n  heirloom meta pendulum_tasks --method promp --steps 200 --set meta.episodes=10\n  heirloom meta bandit_5_trial --method rl2\n  heirloom meta compare runs/navigation_tasks-maml-0 runs/navigation_tasks-pooled-0\n  heirloom adapt runs/navigation_tasks-maml-0 navigation --steps 3"
)]
pub(super) struct Meta {
    #[command(subcommand)]
    other: Option<Other>,
    #[command(flatten)]
    learn: Learn,
}

#[derive(Subcommand)]
enum Other {
    Compare(compare::Compare),
}

#[derive(Args)]
struct Learn {
    /// Short name or path of an environment with distributions: `heirloom envs`
    #[arg(value_name = "TASKS", required = true)]
    tasks: Option<String>,
    /// maml, fomaml, anil, meta-sgd, promp, reptile, pooled, domain-randomization, oracle or rl2
    #[arg(long, default_value = "maml")]
    method: String,
    /// Tasks of each kind in which the result is measured [default: 40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(2..=100_000))]
    test_tasks: Option<u64>,
    /// Updates of adaptation that are measured [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1000))]
    updates: Option<usize>,
    #[command(flatten)]
    run: RunArguments,
}

/// Outer iterations of RL², which are of 2,048 trials.
const RL2_ITERATIONS: u64 = 150;

/// Tasks of each kind in which a result is measured, and updates.
const TEST_TASKS: u64 = 40;
const UPDATES: usize = 3;

/// Test tasks whose paths are drawn.
const DRAWN: u64 = 6;

/// So many training tasks are looked through before anything is trained on; all of them afterwards.
const LOOKED_THROUGH: u64 = 100_000;

impl Meta {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.other {
            Some(Other::Compare(compare)) => compare.run(registry),
            None => self.learn.run(registry),
        }
    }
}

/// What a method has by default where this is known to work. How many inner steps it takes is its own.
fn own_defaults(method: Method, known: meta::Config) -> Configuration {
    let mut configuration = method.configuration(ppo::Config::default(), None);
    configuration.meta = configuration.meta.map(|own| meta::Config { inner_steps: own.inner_steps, ..known });
    configuration
}

/// What was measured, and where its page lies.
struct Measured {
    start: Start,
    /// As [`Tasks::count`].
    different: Option<usize>,
    page: PathBuf,
    written: String,
}

impl Learn {
    fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let name = self.tasks.as_deref().unwrap_or_default();
        let method = Method::parse_among(&self.method, &Method::META)?;
        let environment = registry.resolve(name)?;
        let seed = self.run.seed.unwrap_or(0);
        let known = meta::defaults::for_environment(&environment.simulator);
        let steps = self.run.steps.unwrap_or(if method == Method::Rl2 { RL2_ITERATIONS } else { known.iterations });
        let configuration = self.run.configure(method, own_defaults(method, known.config))?;
        let environment = self.check_tasks(environment, method, &configuration, steps)?;
        let settings = self.run.settings();
        let command = format!("heirloom meta {} --method {} --steps {steps} --seed {seed}{settings}", quoted(name), method.name());
        let job = Job {
            evaluations: self.run.evaluations(),
            evaluation_episodes: self.run.episodes(),
            checkpoint_every: self.run.checkpoint_every,
            command,
            ..Job::new(environment, method, configuration, steps, seed)
        };
        let finished = match training::run(job, &self.run, registry)? {
            Err(ending) => return Ok(ending),
            Ok(finished) => finished,
        };
        match self.measure(&finished, registry) {
            Err(error) if error.kind() == Kind::Stopped => Ok(Ending::Signal(finished.stop.requested().unwrap_or(2))),
            measured => {
                self.show(&finished, measured?.as_ref());
                Ok(Ending::Done)
            }
        }
    }

    /// Fails where the tasks cannot be divided into those to learn from and those to judge by; the environment as the method sees it.
    fn check_tasks(&self, environment: Spec, method: Method, configuration: &Configuration, iterations: u64) -> Result<Spec> {
        let seed = self.run.seed.unwrap_or(0);
        if let Some(meta) = &configuration.meta {
            let tasks = Tasks::new(&environment, &meta.splits, seed)?;
            // A run that goes on has its own.
            if !self.run.resume {
                self.ledger(&tasks, meta, method, iterations).check(LOOKED_THROUGH)?;
                if !self.run.json {
                    terminal::note(tasks.describe().trim_end());
                }
                if let Some(count) = tasks.count() {
                    terminal::note(&format!(
                        "every parameter is a Choice: the tasks to judge by are the {count} that are trained on, and say nothing of new ones"
                    ));
                }
            }
            return Ok(if method == Method::Oracle { oracle::shown(&tasks) } else { environment });
        }
        // Where the environment itself draws a task for every trial, there are no splits.
        Tasks::new(&environment, &Splits { extrapolate: 0.0, ..Splits::default() }, seed)?;
        if self.test_tasks.is_some() || self.updates.is_some() {
            return Err(Error::usage(format!("`{}` adapts as it acts: it has no updates, and no test tasks of its own", method.name()))
                .hint("leave --test-tasks and --updates out; `heirloom evaluate` measures whole trials of fresh tasks"));
        }
        Ok(environment)
    }

    fn ledger<'a>(&self, tasks: &'a Tasks, meta: &meta::Config, method: Method, iterations: u64) -> Ledger<'a> {
        // Tasks that are drawn anew in every episode have no numbers.
        let trained = if method == Method::DomainRandomization { 0 } else { iterations.saturating_mul(meta.tasks as u64) };
        Ledger { tasks, trained, validated: self.run.episodes() as u64, tested: self.test_tasks() }
    }

    fn test_tasks(&self) -> u64 {
        self.test_tasks.unwrap_or(TEST_TASKS)
    }

    fn updates(&self) -> usize {
        self.updates.unwrap_or(UPDATES)
    }

    /// What the policy earns in tasks that were not trained on, as it adapts to each, and the page of it.
    fn measure(&self, finished: &Finished, registry: &Registry) -> Result<Option<Measured>> {
        let Finished { job, policy, evaluator, stop, .. } = finished;
        let meta = job.configuration.meta.clone().unwrap_or_default();
        let Some(recipe) = job.method.recipe(&meta) else { return Ok(None) };
        // What the run says, not what was typed: a resumed one may have been begun with other splits.
        let tasks = &Tasks::new(&job.environment, &meta.splits, job.seed)?;
        let config = adapt::Config::of(&meta, recipe.inner);
        let ledger = self.ledger(tasks, &meta, job.method, finished.evaluation.steps);
        let ledger = Ledger { validated: job.evaluation_episodes as u64, ..ledger };
        ledger.write(&finished.out.join("tasks.csv"))?;
        if let Err(error) = ledger.check(u64::MAX) {
            terminal::warn(&error);
        }
        // What is taken as it is has no updates.
        let updates = if job.method.adapts() { self.updates() } else { 0 };
        let (count, seed) = (self.test_tasks(), job.seed);
        let measuring = Measuring { registry, tasks, count, updates, seed, pool: &evaluator.pool, stop };
        let courses = measuring.courses(policy, &config)?;
        let start = Start {
            name: job.method.name().to_owned(),
            about: job.method.about().to_owned(),
            is_scratch: false,
            adapts: job.method.adapts(),
            courses,
        };
        let films = measuring.films(0, policy, &config, &start, DRAWN)?;
        let page = finished.out.join("adaptation.html");
        let text = adaptation::page(&Adaptation {
            tasks: job.environment.name.clone(),
            about: job.environment.about.clone(),
            regions: tasks.regions(),
            different: tasks.count(),
            episodes: config.episodes,
            starts: vec![start.clone()],
            reference: None,
            films,
            command: format!("{} --test-tasks {count} --updates {updates}", job.command),
        });
        let written = write_page(&page, &text)?;
        Ok(Some(Measured { start, different: tasks.count(), page, written }))
    }

    fn show(&self, finished: &Finished, measured: Option<&Measured>) {
        if self.run.json {
            let mut json = training::to_json(finished);
            if let Some(Measured { start, page, .. }) = measured {
                for (split, courses) in &start.courses {
                    json[split.name()] = measuring::to_json(courses);
                }
                json["page"] = page.display().to_string().into();
            }
            return terminal::json(&json);
        }
        training::show(finished);
        if finished.job.configuration.rl2.is_some() {
            let (run, tasks) = (finished.out.display(), quoted(self.tasks.as_deref().unwrap_or_default()));
            return terminal::note(&format!("next: heirloom evaluate {run} {tasks} --episodes 1000: whole trials of fresh tasks"));
        }
        if let Some(Measured { start, different, written, .. }) = measured {
            let rows = start.courses.iter().map(|(split, courses)| {
                let name = measuring::split_cell(*split, courses, *different);
                [vec![name], measuring::cells(courses)].concat()
            });
            measuring::table(&["return"], rows.collect());
            terminal::say(written);
        }
        if finished.job.method.adapts() {
            terminal::note(&format!("next: heirloom adapt {} TASK --steps 1", finished.out.display()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_of_a_simulator_leaves_the_inner_steps_to_the_method() {
        let known = meta::defaults::for_environment("mujoco/half_cheetah").config;
        for (method, inner_steps) in [(Method::Maml, 1), (Method::Pooled, 0)] {
            let own = own_defaults(method, known.clone()).meta;
            assert_eq!(own, Some(meta::Config { inner_steps, ..known.clone() }));
        }
        assert_eq!(own_defaults(Method::Rl2, known).meta, None);
    }
}
