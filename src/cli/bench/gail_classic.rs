//! `heirloom bench gail-classic`: the classic tasks of table 3 in Ho & Ermon 2016. A PPO-trained expert is sampled, pairs are thinned out, BC
//! and GAIL learn from 1, 4, 7 and 10 episodes, each with several seeds; own returns stand beside the published ones.

use crate::choose::{CLONING_STEPS, Configuration, Job, Lessons, Method, Role, Source};
use crate::cli::arguments::pool;
use crate::cli::signals;
use crate::cli::terminal::{self, Bar, Ending, number};
use crate::demo::record::{self, Ask};
use crate::demo::{Demonstrations, Header, Recorder, Recording};
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result};
use crate::imitate::Selection;
use crate::learn::ppo::defaults;
use crate::parallel::Pool;
use crate::rollout::collect::Choice;
use crate::rollout::random_returns;
use crate::run::checkpoint::Position;
use crate::run::{Evaluator, Event, Listener, Outcome, drive};
use crate::stats::mean;
use crate::stop::Stop;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Table 3 of "Generative adversarial imitation learning" on its classic tasks: BC and GAIL from 1, 4, 7 and 10 episodes.
///
/// Returns are also given as (method - random) / (expert - random), since the experts are not the same. About ten minutes on two cores.
#[derive(Args)]
pub(in crate::cli) struct GailClassic {
    /// Seeds of each cell (the paper: 7)
    #[arg(long, value_name = "N", default_value_t = 7)]
    seeds: u64,
    /// Episodes that a policy is measured with (the paper: 50)
    #[arg(long, value_name = "N", default_value_t = 50)]
    episodes: usize,
    /// Iterations of GAIL (the paper: 300), each of 5,000 pairs
    #[arg(long, value_name = "N", default_value_t = 300)]
    iterations: u64,
    /// One task alone: cartpole, `mountain_car` or acrobot
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
    /// Folder for the expert's demonstrations
    #[arg(long, value_name = "DIR", default_value = "runs/gail-classic")]
    out: PathBuf,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Demonstrated episodes.
const EPISODES: [u64; 4] = [1, 4, 7, 10];

/// A task with what the paper prints of it: mean and standard deviation.
struct Task {
    /// Of the environment, and of the shipped policy that is its expert.
    name: &'static str,
    /// One of so many pairs is kept.
    every: u32,
    published_expert: f64,
    published_random: f64,
    bc: [[f64; 2]; 4],
    gail: [[f64; 2]; 4],
}

const TASKS: [Task; 3] = [
    Task {
        name: "cartpole",
        every: 10,
        published_expert: 200.0,
        published_random: 18.64,
        bc: [[72.02, 35.82], [169.18, 59.81], [188.60, 29.61], [177.19, 52.83]],
        gail: [[200.0, 0.0], [200.0, 0.0], [200.0, 0.0], [199.94, 1.14]],
    },
    Task {
        name: "mountain_car",
        every: 5,
        published_expert: -98.75,
        published_random: -200.0,
        bc: [[-136.76, 34.44], [-133.25, 29.97], [-127.34, 29.15], [-123.14, 28.26]],
        gail: [[-101.55, 10.32], [-101.35, 10.63], [-99.90, 7.97], [-100.83, 11.40]],
    },
    Task {
        name: "acrobot",
        every: 5,
        published_expert: -75.25,
        published_random: -200.0,
        bc: [[-130.60, 55.08], [-93.20, 32.58], [-96.92, 34.51], [-95.09, 33.33]],
        gail: [[-77.26, 18.03], [-83.12, 23.31], [-82.56, 20.95], [-78.91, 15.76]],
    },
];

impl Task {
    /// The environment as it was then: episodes end after 200 steps.
    fn spec(&self, registry: &Registry) -> Result<Spec> {
        let mut spec = registry.resolve(self.name)?;
        spec.max_episode_steps = Some(200);
        Ok(spec)
    }
}

/// What a cell of the table came to: the return of each seed.
struct Cell {
    task: &'static Task,
    method: Method,
    episodes: u64,
    published: [f64; 2],
    returns: Vec<f64>,
}

impl GailClassic {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        if self.seeds == 0 || self.episodes == 0 || self.iterations == 0 {
            return Err(Error::usage("`--seeds`, `--episodes` and `--iterations` begin at 1"));
        }
        let tasks: Vec<&'static Task> = TASKS.iter().filter(|task| self.task.as_ref().is_none_or(|name| name == task.name)).collect();
        if tasks.is_empty() {
            return Err(Error::usage("there is no such task").hint("there are: cartpole, mountain_car, acrobot"));
        }
        let pool = pool(self.threads)?;
        let stop = signals::stop_on_signals()?;
        let mut jobs = Vec::new();
        for task in &tasks {
            self.record(task, registry, &pool, &stop)?;
            for (index, episodes) in EPISODES.into_iter().enumerate() {
                for (method, published) in [(Method::Bc, task.bc[index]), (Method::Gail, task.gail[index])] {
                    let cell = || Cell { task, method, episodes, published, returns: Vec::new() };
                    for seed in 0..self.seeds {
                        jobs.push((cell(), self.job(&cell(), seed, registry, &pool)?));
                    }
                }
            }
        }
        // GAIL takes long, BC does not: the long ones first, so that no thread is left alone with one.
        jobs.sort_by_key(|(cell, _)| cell.method != Method::Gail);
        let bar = Bar::of("runs", jobs.len() as u64, self.json);
        let returns = pool.map(&mut jobs, |_, (_, job)| {
            let found = returns(job, registry, &stop);
            bar.add(1);
            found
        });
        bar.finish();
        let mut cells: Vec<Cell> = Vec::new();
        for ((cell, _), found) in jobs.into_iter().zip(returns) {
            let Some(found) = found? else { return Ok(Ending::Signal(stop.requested().unwrap_or(2))) };
            let same = |known: &&mut Cell| (known.task.name, known.method, known.episodes) == (cell.task.name, cell.method, cell.episodes);
            match cells.iter_mut().find(same) {
                Some(known) => known.returns.extend(found),
                None => cells.push(Cell { returns: found, ..cell }),
            }
        }
        self.show(&tasks, &cells, registry, &pool, &stop)
    }

    fn demonstrations(&self, task: &Task) -> PathBuf {
        self.out.join(task.name)
    }

    /// Ten episodes of the expert, its actions drawn.
    fn record(&self, task: &Task, registry: &Registry, pool: &Pool, stop: &Stop) -> Result<()> {
        let path = self.demonstrations(task);
        let (spec, source) = (task.spec(registry)?, Source::load(task.name)?);
        let (builder, built) = (registry.clone(), spec.clone());
        let make: crate::rollout::MakeEnv = Arc::new(move || builder.build(&built));
        let digest = source.card.digest.clone();
        let recorder = Recorder::Policy { name: source.name(), digest, stochastic: true, seed: 0, min_return: None };
        let header = Header::new(&spec, make()?.spaces(), record::info(Choice::Sample), recorder);
        let mut recording = match Demonstrations::open(&path) {
            Ok(set) if set.is_finished() && set.len() == 10 && *set.header() == header => return Ok(()),
            Ok(set) if set.is_finished() => {
                return Err(Error::usage("holds other demonstrations").at(path.display()).hint("pass another --out"));
            }
            Ok(_) => Recording::resume(&path, &header)?,
            Err(_) => Recording::create(&path, header)?,
        };
        let ask = Ask { episodes: 10, choice: Choice::Sample, seed: 0, min_return: None };
        record::record(&source.policy, &make, &ask, &mut recording, pool, stop, |_| {})?;
        recording.finish()
    }

    fn job(&self, cell: &Cell, seed: u64, registry: &Registry, pool: &Pool) -> Result<Job> {
        let environment = cell.task.spec(registry)?;
        let selection = Selection { episodes: Some(cell.episodes), every: Some(cell.task.every) };
        let mut configuration: Configuration = cell.method.configuration(defaults::for_environment(&environment.simulator).config, None);
        // Iterations of 5,000 pairs.
        let ppo = &mut configuration.ppo;
        (ppo.environments, ppo.steps, ppo.minibatch, ppo.epochs, ppo.shards) = (20, 250, 500, 10, None);
        if let Some(bc) = &mut configuration.bc {
            // The paper's split.
            bc.validation = 0.3;
        }
        let steps = if cell.method == Method::Bc { CLONING_STEPS } else { self.iterations * configuration.ppo.rollout_steps() };
        Ok(Job {
            lessons: Some(Lessons::read(&self.demonstrations(cell.task), selection, Role::Start, pool)?),
            evaluations: 1,
            evaluation_episodes: self.episodes,
            command: "heirloom bench gail-classic".into(),
            ..Job::new(environment, cell.method, configuration, steps, seed)
        })
    }

    fn show(&self, tasks: &[&'static Task], cells: &[Cell], registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Ending> {
        let (mut rows, mut lines, mut inside, mut all) = (Vec::new(), Vec::new(), 0, 0);
        for task in tasks {
            let spec = task.spec(registry)?;
            let (builder, built) = (registry.clone(), spec.clone());
            let make: crate::rollout::MakeEnv = Arc::new(move || builder.build(&built));
            let random = mean(&random_returns(&make, 200, 0, pool, stop)?);
            let expert = Demonstrations::open(&self.demonstrations(task))?;
            let expert = expert.episodes().map(|episode| episode.map(|(_, episode)| episode.total())).collect::<Result<Vec<_>>>()?;
            let expert = mean(&expert);
            for cell in cells.iter().filter(|cell| cell.task.name == task.name) {
                let own = mean(&cell.returns);
                let share = |value: f64, random: f64, expert: f64| (value - random) / (expert - random);
                let shares = [share(own, random, expert), share(cell.published[0], task.published_random, task.published_expert)];
                // Within the published spread, in shares: no lower than the published mean less its deviation.
                let spread = cell.published[1] / (task.published_expert - task.published_random);
                let within = shares[0] >= shares[1] - spread - 0.01;
                if cell.method == Method::Gail {
                    all += 1;
                    inside += u32::from(within);
                }
                let name = cell.method.name().to_uppercase();
                rows.push(vec![
                    task.name.to_owned(),
                    cell.episodes.to_string(),
                    name,
                    format!("{} ± {}", number(own), number(deviation(&cell.returns))),
                    format!("{} ± {}", number(cell.published[0]), number(cell.published[1])),
                    format!("{:.2}", shares[0]),
                    format!("{:.2}", shares[1]),
                    if within { "yes" } else { "no" }.to_owned(),
                ]);
                lines.push(serde_json::json!({
                    "task": task.name, "episodes": cell.episodes, "method": cell.method.name(), "mean": own, "std": deviation(&cell.returns),
                    "published": cell.published, "share": shares[0], "published_share": shares[1], "within": within,
                    "expert": expert, "random": random,
                }));
            }
        }
        if self.json {
            terminal::json(&serde_json::json!({"cells": lines, "gail_within": inside, "gail_cells": all}));
            return Ok(Ending::Done);
        }
        let header = ["task", "episodes", "", "return", "published", "share", "published", "within its spread"];
        terminal::table(&header, &[1, 3, 4, 5, 6], rows);
        terminal::say(&format!("\nGAIL is within the published spread, or above, in {inside} of {all} cells"));
        Ok(Ending::Done)
    }
}

/// The returns of a job's policy at its end, its actions drawn; nothing where it was stopped.
fn returns(job: &Job, registry: &Registry, stop: &Stop) -> Result<Option<Vec<f64>>> {
    struct Nobody;
    impl Listener for Nobody {
        fn hear(&mut self, _: &Event<'_>) -> Result<()> {
            Ok(())
        }
    }
    let pool = Arc::new(Pool::inline());
    let mut learner = match job.learner(registry, &pool, stop) {
        Err(error) if error.kind() == Kind::Stopped => return Ok(None),
        learner => learner?,
    };
    let evaluator = Evaluator { choice: Choice::Sample, ..job.evaluator(registry, &pool) };
    match drive(learner.as_mut(), &job.plan(), &evaluator, None, Position::default(), stop, &mut Nobody)? {
        Outcome::Finished(evaluation) => Ok(Some(evaluation.returns)),
        Outcome::Stopped { .. } => Ok(None),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred episodes")]
fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    (values.iter().map(|value| (value - middle).powi(2)).sum::<f64>() / (values.len() as f64 - 1.0).max(1.0)).sqrt()
}
