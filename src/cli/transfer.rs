//! `heirloom transfer POLICY TARGET --method M`.

use super::arguments::RunArguments;
use super::terminal::{self, Ending, number};
use super::training;
use crate::choose::words::quoted;
use crate::choose::{Job, Lessons, Method, Role, Source};
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use crate::file::{disk, ron};
use crate::imitate::Selection;
use crate::learn::ppo::{self, defaults};
use crate::run::Evaluation;
use crate::run::folder::SOURCE;
use crate::study::estimate::estimate;
use crate::study::file::{DemonstrationsFile, PairFile, SourceFile};
use crate::study::{Changes, Definition, File};
use clap::Args;
use std::path::PathBuf;

/// Move a policy to a target environment and adapt it there.
///
/// Methods: zero-shot (as it is), fine-tune (everything trained on), reset-head (new last layers), feature-extraction (hidden layers
/// frozen), scratch (nothing of the policy, for comparison). Ends with the return before and after, and the line that judges it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom transfer cartpole cartpole_moon --method fine-tune\n  heirloom transfer runs/first cartpole_reversed --method reset-head --steps 30000"
)]
pub(super) struct TransferCommand {
    /// A policy: short name, policy folder or run folder
    policy: String,
    /// Short name or path of the target environment
    target: String,
    /// zero-shot, fine-tune, reset-head, feature-extraction or scratch
    #[arg(long, default_value = "fine-tune")]
    method: String,
    /// Demonstrations of the target to learn from as well
    #[arg(long, value_name = "DIR")]
    demos: Option<PathBuf>,
    /// What is done with them: start (the policy is fitted to them first) or term (they pull at it all along, less and less)
    #[arg(long, value_name = "ROLE", default_value = "start", requires = "demos")]
    demos_as: String,
    /// Learn from the first so many of their episodes [default: all]
    #[arg(long, value_name = "N", requires = "demos")]
    demo_episodes: Option<u64>,
    #[command(flatten)]
    run: RunArguments,
}

impl TransferCommand {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let method = Method::parse_among(&self.method, &Method::TRANSFER)?;
        let environment = registry.resolve(&self.target)?;
        let source = Source::load(&self.policy)?;
        let known = defaults::for_environment(&environment.simulator);
        let seed = self.run.seed.unwrap_or(0);
        let steps = self.run.steps.unwrap_or(known.transfer_steps());
        let settings = self.run.settings();
        let lessons = self.lessons(method)?;
        let base = method.configuration(known.config, lessons.as_ref().map(|lessons| lessons.role));
        let configuration = self.run.configure(method, base.clone())?;
        if method.needs_source() {
            refuse_what_is_carried(method, &base.ppo, &configuration.ppo)?;
        }
        let job = Job {
            source: Some(source),
            lessons,
            evaluations: self.run.evaluations(),
            evaluation_episodes: self.run.episodes(),
            checkpoint_every: self.run.checkpoint_every,
            command: format!(
                "heirloom transfer {} {} --method {}{} --steps {steps} --seed {seed}{settings}",
                quoted(&self.policy),
                quoted(&self.target),
                method.name(),
                self.demonstration_flags()
            ),
            ..Job::new(environment, method, configuration, steps, seed)
        };
        match training::run(job, &self.run, registry)? {
            Err(ending) => Ok(ending),
            Ok(finished) => self.show(&finished, registry),
        }
    }

    fn lessons(&self, method: Method) -> Result<Option<Lessons>> {
        if self.demos.is_some() && !method.takes_demonstrations() {
            return Err(Error::usage(format!("`{}` learns nothing, of demonstrations neither", method.name()))
                .hint("leave --demos out, or fit the policy to them with another method"));
        }
        let role = Role::parse(&self.demos_as)?;
        let selection = Selection { episodes: self.demo_episodes, every: None };
        let pool = self.run.pool()?;
        self.demos.as_deref().map(|path| Lessons::read(path, selection, role, &pool)).transpose()
    }

    fn demonstration_flags(&self) -> String {
        let Some(path) = &self.demos else { return String::new() };
        let episodes = self.demo_episodes.map_or_else(String::new, |episodes| format!(" --demo-episodes {episodes}"));
        format!(" --demos {} --demos-as {}{episodes}", quoted(&path.display().to_string()), self.demos_as)
    }

    fn show(&self, finished: &training::Finished, registry: &Registry) -> Result<Ending> {
        let source = finished.job.source.as_ref().ok_or_else(|| Error::artefact("the run has no source"))?;
        let before = match finished.evaluator.measure(&source.policy, 0, &finished.stop) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == Kind::Stopped => return Ok(Ending::Signal(finished.stop.requested().unwrap_or(2))),
            // A policy that does not fit, learned beside by `scratch`.
            Err(error) if error.kind() == Kind::Artefact => None,
            Err(error) => return Err(error),
        };
        let judge = self.judging_line(finished, registry).unwrap_or_else(|error| {
            terminal::warn(&error);
            None
        });
        if self.run.json {
            let mut json = training::to_json(finished);
            json["before"] = before.as_ref().map_or(serde_json::Value::Null, |before| {
                let interval = before.interval();
                serde_json::json!({"mean": interval.mean, "interval": [interval.low, interval.high]})
            });
            json["judge"] = judge.into();
            terminal::json(&json);
            return Ok(Ending::Done);
        }
        let row = |name: &str, evaluation: &Evaluation| {
            let interval = evaluation.interval();
            vec![
                name.to_owned(),
                number(interval.mean),
                format!("[{}, {}]", number(interval.low), number(interval.high)),
                evaluation.returns.len().to_string(),
            ]
        };
        let mut rows = Vec::new();
        match &before {
            Some(before) => rows.push(row(&format!("{} as it was", source.name()), before)),
            None => rows.push(vec![format!("{} as it was", source.name()), "-".into(), "does not fit".into(), "0".into()]),
        }
        rows.push(row(&format!("after {}", self.method), &finished.evaluation));
        terminal::table(&["", "return", "95 % interval", "episodes"], &[1, 2, 3], rows);
        terminal::say("");
        training::show(finished);
        if let Some(line) = judge {
            terminal::say(&format!("\nDid it help, against learning from scratch? Ten seeds of each say:\n  {line}"));
        }
        Ok(Ending::Done)
    }

    /// Writes the study that judges this transfer beside the run, and gives the command with its time.
    fn judging_line(&self, finished: &training::Finished, registry: &Registry) -> Result<Option<String>> {
        if self.method == Method::Scratch.name() {
            return Ok(None);
        }
        let job = &finished.job;
        // Scratch needs a budget even where the method takes none, and an update at the least.
        let steps = if job.method.learns() { job.steps } else { defaults::for_environment(&job.environment.simulator).transfer_steps() };
        let pair = PairFile {
            name: "transfer".to_owned(),
            // The run's own copy: the original may have learned on.
            source: SourceFile::Policy(finished.out.join(SOURCE).display().to_string()),
            target: self.target.clone(),
            steps: steps.max(job.configuration.ppo.rollout_steps()),
            measure: None,
            adapt_from: None,
            demonstrations: job.lessons.as_ref().map(|lessons| DemonstrationsFile {
                path: lessons.path.clone(),
                episodes: vec![lessons.chosen.episodes.len() as u64],
                role: lessons.role,
            }),
        };
        let file = File {
            about: format!("Does {} from {} help in {}?", self.method, self.policy, self.target),
            evaluations: job.evaluations.min(1000),
            episodes: job.evaluation_episodes.min(10_000),
            // Of a source that was imported there is no ledger of all steps.
            control: job.source.as_ref().is_none_or(|source| source.card.all_steps().is_some()),
            set: self.run.set.clone(),
            config: self.run.config.clone(),
            ..File::new(vec![pair], vec![self.method.clone()])
        };
        let path = finished.out.join("judge.ron");
        disk::write(&path, ron::to_text(&file).as_bytes())?;
        let study = Definition::read(&path, registry, &Changes::default())?;
        let threads = self.run.pool()?.threads();
        let estimate = estimate(&study, &finished.out, registry, threads)?;
        Ok(Some(format!(
            "heirloom compare {} --out {}   # about {:.1} minutes",
            quoted(&path.display().to_string()),
            quoted(&finished.out.join("judge").display().to_string()),
            estimate.time.as_secs_f64() / 60.0
        )))
    }
}

/// A policy brings its own networks and normalisers; to set them would be to set nothing.
fn refuse_what_is_carried(method: Method, base: &ppo::Config, changed: &ppo::Config) -> Result<()> {
    let fields = [
        ("actor", base.actor == changed.actor),
        ("critic", base.critic == changed.critic),
        ("activation", base.activation == changed.activation),
        ("head", base.head == changed.head),
        ("normalize_observations", base.normalize_observations == changed.normalize_observations),
        ("normalize_returns", base.normalize_returns == changed.normalize_returns),
    ];
    match fields.iter().find(|(_, same)| !same) {
        Some((field, _)) => Err(Error::usage(format!("`ppo.{field}` cannot be set: method `{}` carries the policy's own", method.name()))
            .hint("leave it out; `--method scratch` and `heirloom pretrain` take it")),
        None => Ok(()),
    }
}
