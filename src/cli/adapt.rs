//! `heirloom adapt POLICY ENV`.

use super::arguments::RunArguments;
use super::terminal::{self, Ending, number};
use super::training;
use crate::choose::words::quoted;
use crate::choose::{Job, Method, Source, adaptation_of};
use crate::env::Registry;
use crate::error::{Kind, Result};
use crate::learn::ppo;
use crate::stats::Interval;
use clap::Args;

/// Take a policy into one task by a few updates, as it was meta-learned for.
///
/// The card of a meta-learned policy says how: the size of the step for each parameter, episodes before each, what is descended on. Any other policy adapts by
/// plain policy-gradient steps. --steps counts updates [default: 1], --episodes those that the result is measured with; `--set adapt.episodes=N` sets those before
/// each update. What comes out is a policy for this task.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom adapt runs/navigation_tasks-maml-0 navigation\n  heirloom adapt runs/navigation_tasks-maml-0 navigation --steps 3 --set adapt.episodes=10"
)]
pub(super) struct Adapt {
    /// Short name, policy folder or run folder
    policy: String,
    /// Short name or path of an environment
    environment: String,
    #[command(flatten)]
    run: RunArguments,
}

impl Adapt {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let source = Source::load(&self.policy)?;
        let environment = registry.resolve(&self.environment)?;
        source.policy.shape.check_memoryless("steps of adaptation")?;
        if source.policy.inner_rates.is_none() {
            terminal::note(
                "the policy was not meta-learned: it adapts by plain policy-gradient steps, of size 0.1 unless adapt.rate says otherwise",
            );
        }
        let (seed, steps) = (self.run.seed.unwrap_or(0), self.run.steps.unwrap_or(1));
        let mut configuration = Method::Adapt.configuration(ppo::Config::default(), None);
        configuration.adapt = Some(adaptation_of(&source.card));
        let configuration = self.run.configure(Method::Adapt, configuration)?;
        let settings = self.run.settings();
        let places = format!("{} {}", quoted(&self.policy), quoted(&self.environment));
        let job = Job {
            source: Some(source),
            evaluations: self.run.evaluations.unwrap_or(steps),
            evaluation_episodes: self.run.episodes(),
            checkpoint_every: self.run.checkpoint_every,
            command: format!("heirloom adapt {places} --steps {steps} --seed {seed}{settings}"),
            ..Job::new(environment, Method::Adapt, configuration, steps, seed)
        };
        let finished = match training::run(job, &self.run, registry)? {
            Err(ending) => return Ok(ending),
            Ok(finished) => finished,
        };
        let source = finished.job.source.as_ref().map(|source| finished.evaluator.measure(&source.policy, 0, &finished.stop));
        let before = match source.transpose() {
            Err(error) if error.kind() == Kind::Stopped => return Ok(Ending::Signal(finished.stop.requested().unwrap_or(2))),
            measured => measured?.map(|evaluation| evaluation.interval()),
        };
        if self.run.json {
            let mut json = training::to_json(&finished);
            json["before"] = before.map(|before| before.mean).into();
            terminal::json(&json);
        } else {
            if let Some(Interval { mean, low, high }) = before {
                terminal::say(&format!("before   {} [{}, {}] in the same episodes", number(mean), number(low), number(high)));
            }
            training::show(&finished);
        }
        Ok(Ending::Done)
    }
}
