//! `heirloom meta TASKS --method M`.

use super::arguments::RunArguments;
use super::terminal::{self, Ending, number};
use super::training::{self, Finished};
use crate::choose::words::quoted;
use crate::choose::{Job, Method, make_task};
use crate::env::Registry;
use crate::env::tasks::{Split, Splits, Tasks};
use crate::error::{Kind, Result};
use crate::learn::ppo;
use crate::meta::adapt::{self, Point};
use crate::stats::{Interval, mean, mean_interval};
use clap::Args;

/// Learn a start from which each task of a distribution is learned in a few updates.
///
/// TASKS is an environment whose context or objective holds distributions: one draw is one task. Methods: maml (exact to second order), fomaml,
/// anil, meta-sgd, promp, reptile, and pooled (one policy for all tasks, the baseline). --steps counts outer iterations. What comes out is a policy;
/// `heirloom adapt` takes it into a task. rl2 learns a policy with memory, which adapts by acting: give it an environment with a `Trial` wrapper.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom meta navigation_tasks --method maml\n  heirloom meta pendulum_tasks --method promp --steps 200 --set meta.episodes=10\n  heirloom meta bandit_5_trial --method rl2\n  heirloom adapt runs/navigation_tasks-maml-0 navigation --steps 3"
)]
pub(super) struct Meta {
    /// Short name or path of an environment with distributions: `heirloom envs`
    #[arg(value_name = "TASKS")]
    tasks: String,
    /// maml, fomaml, anil, meta-sgd, promp, reptile, pooled or rl2
    #[arg(long, default_value = "maml")]
    method: String,
    /// Tasks of each kind in which the result is measured
    #[arg(long, value_name = "N", default_value_t = 40)]
    test_tasks: u64,
    /// Updates of adaptation that are measured
    #[arg(long, value_name = "N", default_value_t = 3)]
    updates: usize,
    #[command(flatten)]
    run: RunArguments,
}

/// Outer iterations.
const ITERATIONS: u64 = 500;

/// The same of RL², whose iterations are of 2,048 trials.
const RL2_ITERATIONS: u64 = 150;

impl Meta {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let method = Method::parse_among(&self.method, &Method::META)?;
        let environment = registry.resolve(&self.tasks)?;
        let seed = self.run.seed.unwrap_or(0);
        let steps = self.run.steps.unwrap_or(if method == Method::Rl2 { RL2_ITERATIONS } else { ITERATIONS });
        let configuration = self.run.configure(method, method.configuration(ppo::Config::default(), None))?;
        let remembers = configuration.rl2.is_some();
        // Where the environment itself draws a task for every trial, there are no splits.
        let splits = match &configuration.meta {
            Some(meta) => meta.splits.clone(),
            None => Splits { extrapolate: 0.0, ..Splits::default() },
        };
        let tasks = Tasks::new(&environment, &splits, seed)?;
        if !self.run.json && !remembers {
            terminal::note(tasks.describe().trim_end());
        }
        let settings = self.run.settings();
        let command = format!("heirloom meta {} --method {} --steps {steps} --seed {seed}{settings}", quoted(&self.tasks), method.name());
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
        match self.curves(&finished, &tasks, registry) {
            Err(error) if error.kind() == Kind::Stopped => Ok(Ending::Signal(finished.stop.requested().unwrap_or(2))),
            measured => {
                self.show(&finished, &measured?);
                Ok(Ending::Done)
            }
        }
    }

    /// What the policy earns in tasks that were not trained on, as it adapts to each.
    fn curves(&self, finished: &Finished, tasks: &Tasks, registry: &Registry) -> Result<Vec<(Split, Vec<Vec<Point>>)>> {
        let Finished { job, policy, evaluator, stop, .. } = finished;
        let meta = job.configuration.meta.clone().unwrap_or_default();
        let Some(recipe) = job.method.recipe(&meta) else { return Ok(Vec::new()) };
        let config = adapt::Config::of(&meta, recipe.inner);
        let splits = if tasks.can_extrapolate() { &[Split::Test, Split::Extrapolation][..] } else { &[Split::Test] };
        let measure = |split: &Split| {
            let make = make_task(registry, tasks, *split);
            let curves = adapt::curves(policy, &make, 0..self.test_tasks, &config, self.updates, job.seed, &evaluator.pool, stop)?;
            Ok((*split, curves))
        };
        splits.iter().map(measure).collect()
    }

    fn show(&self, finished: &Finished, measured: &[(Split, Vec<Vec<Point>>)]) {
        let at = |curves: &[Vec<Point>], update: usize| {
            let returns: Vec<f64> = curves.iter().map(|curve| curve[update].total).collect();
            let mean = mean(&returns);
            mean_interval(&returns, 0.95).unwrap_or(Interval { mean, low: mean, high: mean })
        };
        if self.run.json {
            let mut json = training::to_json(finished);
            for (split, curves) in measured {
                let points: Vec<Interval> = (0..=self.updates).map(|update| at(curves, update)).collect();
                json[split.name()] = serde_json::json!({
                    "means": points.iter().map(|point| point.mean).collect::<Vec<_>>(),
                    "intervals": points.iter().map(|point| [point.low, point.high]).collect::<Vec<_>>(),
                });
            }
            return terminal::json(&json);
        }
        training::show(finished);
        if finished.job.configuration.rl2.is_some() {
            let (run, tasks) = (finished.out.display(), quoted(&self.tasks));
            return terminal::note(&format!("next: heirloom evaluate {run} {tasks} --episodes 1000: whole trials of fresh tasks"));
        }
        let rows = measured.iter().map(|(split, curves)| {
            let points = (0..=self.updates).map(|update| {
                let Interval { mean, low, high } = at(curves, update);
                format!("{} [{}, {}]", number(mean), number(low), number(high))
            });
            std::iter::once(format!("{} ({} tasks)", split.name(), curves.len())).chain(points).collect()
        });
        let heads: Vec<String> = (0..=self.updates)
            .map(|update| match update {
                0 => "before".to_owned(),
                1 => "after 1 update".to_owned(),
                update => format!("after {update}"),
            })
            .collect();
        let heads: Vec<&str> = std::iter::once("return").chain(heads.iter().map(String::as_str)).collect();
        terminal::table(&heads, &[], rows.collect());
        terminal::note(&format!("next: heirloom adapt {} TASK --steps 1", finished.out.display()));
    }
}
