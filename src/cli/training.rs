//! What `pretrain`, `transfer` and `imitate` share: a job becomes a run folder, the loop runs, the result is shown.

use super::arguments::RunArguments;
use super::signals;
use super::terminal::{self, Ending, Progress, bytes, count, number};
use crate::choose::{Job, Lessons, Moved, Reward, open_run};
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use crate::file::disk;
use crate::learn::Learner;
use crate::parallel::Pool;
use crate::policy::{Policy, store};
use crate::report::number::counted;
use crate::run::checkpoint::Position;
use crate::run::folder::SOURCE;
use crate::run::{Evaluation, Evaluator, Outcome, Plan, RunFolder, drive};
use crate::stop::Stop;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A run that came to its end.
pub(super) struct Finished {
    pub(super) out: PathBuf,
    pub(super) evaluation: Evaluation,
    pub(super) policy: Policy,
    pub(super) evaluator: Evaluator,
    pub(super) took: Duration,
    pub(super) steps: u64,
    /// What was run: when resumed, what the folder says.
    pub(super) job: Job,
    pub(super) best: Option<f64>,
    /// Episodes that were lost, where some were.
    pub(super) lost_episodes: Option<u64>,
    /// The wish to stop, for what is measured afterwards.
    pub(super) stop: Arc<Stop>,
}

/// Runs a job, new or resumed; `None` when it was stopped before its end.
pub(super) fn run(job: Job, arguments: &RunArguments, registry: &Registry) -> Result<std::result::Result<Finished, Ending>> {
    let out = arguments.out.clone().unwrap_or_else(|| default_out(&job));
    let pool = arguments.pool()?;
    let stop = signals::stop_on_signals()?;
    let opened =
        if arguments.resume { resume(&out, &job, arguments, registry, &pool, &stop) } else { begin(&out, job, registry, &pool, &stop) };
    let mut opened = match opened {
        // While a policy was cloned, before the first step: there is nothing to keep.
        Err(error) if error.kind() == Kind::Stopped => return Ok(Err(Ending::Signal(stop.requested().unwrap_or(2)))),
        opened => opened?,
    };
    opened.plan.stop_after_updates = arguments.stop_after_updates;
    let evaluator = opened.job.evaluator(registry, &pool);
    let counts = opened.job.method.counts();
    let mut progress = Progress::new(counts, arguments.json, arguments.verbose);
    let began = Instant::now();
    let before = opened.position.steps;
    let outcome = drive(opened.learner.as_mut(), &opened.plan, &evaluator, Some(&mut opened.folder), opened.position, &stop, &mut progress);
    progress.finish();
    match outcome? {
        Outcome::Finished(evaluation) => Ok(Ok(Finished {
            evaluation: *evaluation,
            policy: opened.learner.policy(),
            evaluator,
            took: began.elapsed(),
            steps: opened.learner.steps() - before,
            job: opened.job,
            lost_episodes: opened.folder.lost_episodes(),
            best: store::load_card(&out.join("best")).ok().and_then(|card| card.measured).map(|measured| measured.mean),
            out,
            stop,
        })),
        Outcome::Stopped { signal, steps } => {
            if arguments.json {
                terminal::json(
                    &serde_json::json!({"run": out.display().to_string(), "steps": steps, "stopped": true, "lost_episodes": opened.folder.lost_episodes().unwrap_or(0)}),
                );
            }
            terminal::note(&format!(
                "stopped after {} {counts} with a checkpoint in {}; continue with --resume",
                count(steps),
                out.display()
            ));
            Ok(Err(signal.map_or(Ending::Done, Ending::Signal)))
        }
    }
}

struct Opened {
    job: Job,
    folder: RunFolder,
    learner: Box<dyn Learner>,
    position: Position,
    plan: Plan,
}

fn begin(out: &Path, job: Job, registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Opened> {
    // The learner first: a run that cannot begin leaves no folder.
    let learner = job.learner(registry, pool, stop)?;
    note_other_environment(&job, registry);
    if let Some(most) = job.replay_bytes(registry)? {
        terminal::note(&format!("the replay buffer takes up to {} of memory, and about as much on the disk", bytes(most)));
    }
    let source = job.source.as_ref().map(|source| (&source.policy, &source.card));
    let mut folder = RunFolder::create(out, job.definition(), source)?;
    folder.count(registry.lost_episodes());
    let plan = job.plan();
    Ok(Opened { job, folder, learner, position: Position::default(), plan })
}

/// Says where demonstrations were not recorded in the environment that is learned in: the same action may do something else there.
fn note_other_environment(job: &Job, registry: &Registry) {
    let differences = job.lessons.as_ref().map_or_else(Vec::new, |lessons| lessons.differences(registry, &job.environment));
    if !differences.is_empty() {
        let listed: Vec<String> = differences.iter().map(|(name, there, here)| format!("{name} {there} there, {here} here")).collect();
        terminal::note(&format!("the demonstrations were recorded in another environment: {}", listed.join("; ")));
    }
}

fn resume(out: &Path, asked: &Job, arguments: &RunArguments, registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Opened> {
    let stored = RunFolder::read_definition(out)?;
    refuse_other(out, asked, arguments, &stored).map_err(|error| error.at(out.display()))?;
    let moved = Moved {
        demonstrations: asked.lessons.as_ref().map(|lessons| lessons.path.as_path()),
        reward: asked.reward.as_ref().map(|reward| reward.path.as_path()),
    };
    let opened = open_run(out, arguments.steps, moved, registry, pool, stop)?;
    for damage in &opened.damaged {
        terminal::warn(damage);
    }
    let at = if opened.position == Position::default() {
        "its beginning".to_owned()
    } else {
        format!("{} {}", count(opened.position.steps), opened.job.method.counts())
    };
    terminal::note(&format!("continuing {} from {at}", out.display()));
    let crate::choose::job::Opened { job, folder, learner, position, plan, .. } = opened;
    Ok(Opened { job, folder, learner, position, plan })
}

/// What is typed with `--resume` must be what the run is, but for threads, output and more steps.
fn refuse_other(out: &Path, asked: &Job, arguments: &RunArguments, stored: &crate::run::Definition) -> Result<()> {
    let differs = |what: &str| {
        Err(Error::usage(format!("the run was started with another {what}"))
            .hint("leave it out to continue the run, or pass another --out"))
    };
    let provenance = &stored.provenance;
    if asked.environment.to_ron() != provenance.environment_ron {
        return differs("environment");
    }
    if asked.method.name() != provenance.method {
        return differs("method");
    }
    if arguments.seed.is_some_and(|seed| seed != provenance.seed) {
        return differs("seed");
    }
    let configured = arguments.config.is_some() || !arguments.set.is_empty();
    if configured && asked.configuration.to_ron() != provenance.configuration {
        return differs("configuration");
    }
    let kept = provenance.demonstrations.as_ref();
    if let Some(asked_lessons) = &asked.lessons {
        let Some(kept) = kept else { return differs("set of demonstrations") };
        let asked_role = asked.method.is_transfer().then(|| asked_lessons.role.name());
        // The same folder with something else in it is damage, of which more is said later. Elsewhere it is the set when the run's part of it is.
        let is_kept = || Lessons::reopen(kept, Some(&asked_lessons.path), &Pool::inline()).is_ok();
        let same_set = asked_lessons.digest == kept.digest || asked_lessons.path == kept.path || is_kept();
        let demonstrations = [
            ("set of demonstrations", same_set),
            ("number of demonstrated episodes", asked_lessons.selection.episodes.is_none_or(|episodes| episodes == kept.episodes)),
            ("interval of demonstrated steps", asked_lessons.selection.every.is_none_or(|every| every == kept.every)),
            ("use of its demonstrations", asked_role == kept.role.as_deref()),
        ];
        if let Some((what, _)) = demonstrations.iter().find(|(_, same)| !same) {
            return differs(what);
        }
    }
    let same_reward =
        |reward: &Reward| provenance.reward.as_ref().is_some_and(|kept| reward.digest == kept.digest || reward.path == kept.path);
    if asked.reward.as_ref().is_some_and(|reward| !same_reward(reward)) {
        return differs("reward");
    }
    let settings = [
        ("number of episodes", arguments.episodes.map(|given| given == stored.evaluation_episodes)),
        (
            "number of evaluations",
            arguments.evaluations.map(|given| provenance.steps.is_some_and(|steps| (steps / given).max(1) == stored.evaluate_every)),
        ),
        ("interval of checkpoints", arguments.checkpoint_every.map(|given| given == stored.checkpoint_every)),
    ];
    if let Some((what, _)) = settings.iter().find(|(_, same)| *same == Some(false)) {
        return differs(what);
    }
    // The run has a copy of its policy: the one that it was started from may have learned on, and may be called from elsewhere.
    let kept = store::load_card(&out.join(SOURCE));
    match (&asked.source, kept) {
        (Some(source), Ok(kept)) if source.card.digest != kept.digest && Some(&source.path) != stored.source.as_ref() => differs("policy"),
        _ => Ok(()),
    }
}

fn default_out(job: &Job) -> PathBuf {
    // The expert of `dagger` is asked, not carried.
    let source = job.source.as_ref().filter(|_| job.method.is_transfer());
    let source = source.map(|source| format!("{}-to-", source.name())).unwrap_or_default();
    let environment = job.environment.name.replace([':', '/'], "-");
    Path::new("runs").join(format!("{source}{environment}-{}-{}", job.method.name(), job.seed))
}

/// The end of a run in a few lines.
pub(super) fn show(finished: &Finished) {
    let interval = finished.evaluation.interval();
    let (seconds, counts) = (finished.took.as_secs_f64(), finished.job.method.counts());
    #[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
    let rate = finished.steps as f64 / seconds.max(1e-9);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "shown with few digits")]
    let rate = if rate < 10.0 { number(rate) } else { count(rate.round() as u64) };
    let mut rows = vec![
        vec![
            "return".into(),
            format!(
                "{} [{}, {}] over {} {}",
                number(interval.mean),
                number(interval.low),
                number(interval.high),
                finished.evaluation.returns.len(),
                match &finished.evaluator.adapting {
                    None => "episodes",
                    // What is taken as it is has none.
                    Some(adapted) if adapted.updates == 0 => "validation tasks",
                    Some(_) => "validation tasks, adapted to each",
                }
            ),
        ],
        vec!["best".into(), format!("{} in {}/best", finished.best.map_or_else(|| "-".into(), number), finished.out.display())],
        vec![counts.into(), format!("{} in {seconds:.1} s, {rate} {counts}/s", count(finished.steps))],
        vec!["run".into(), format!("{} ({})", finished.out.display(), bytes(disk::size(&finished.out)))],
    ];
    if let Some(lost) = finished.lost_episodes {
        rows.push(vec!["lost".into(), format!("{}, which could not be done again: not bit-identical", counted(lost, "episode"))]);
    }
    terminal::table(&["", ""], &[], rows);
}

/// The same for programs.
pub(super) fn to_json(finished: &Finished) -> serde_json::Value {
    let interval = finished.evaluation.interval();
    serde_json::json!({
        "run": finished.out.display().to_string(),
        "digest": finished.policy.digest(),
        "steps": finished.evaluation.steps,
        "mean": interval.mean,
        "interval": [interval.low, interval.high],
        "episodes": finished.evaluation.returns.len(),
        "best": finished.best,
        "lost_episodes": finished.lost_episodes.unwrap_or(0),
        "seconds": finished.took.as_secs_f64(),
        "bytes": disk::size(&finished.out),
    })
}
