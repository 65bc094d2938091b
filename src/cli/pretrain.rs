//! `heirloom pretrain ENV`.

use super::arguments::RunArguments;
use super::terminal::{self, Ending};
use super::training;
use crate::choose::words::quoted;
use crate::choose::{Job, Method, catalogue};
use crate::env::Registry;
use crate::error::{Error, Result, did_you_mean};
use clap::Args;

/// Learn in an environment from nothing.
///
/// Writes a run folder: configuration, metrics (CSV and TensorBoard), checkpoints, the best policy. The folder is a policy: name it
/// wherever a policy is asked for.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom pretrain cartpole\n  heirloom pretrain pendulum --steps 200000 --seed 3 --set ppo.learning_rate=3e-4\n  heirloom pretrain cartpole --out runs/cartpole-scratch-0 --resume --steps 200000"
)]
pub(super) struct Pretrain {
    /// Short name or path of an environment: `heirloom envs`
    environment: String,
    /// The learner: ppo (Schulman et al. 2017), trpo (Schulman et al. 2015, whole episodes, linear baseline) or, from a replay buffer, sac
    /// (Haarnoja et al. 2018), td3 (Fujimoto et al. 2018) and dqn (Mnih et al. 2015)
    #[arg(long, default_value = "ppo")]
    method: String,
    #[command(flatten)]
    run: RunArguments,
}

impl Pretrain {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let learner = catalogue::LEARNERS.iter().find(|(name, _)| *name == self.method);
        let (_, method) = *learner.ok_or_else(|| {
            let names = catalogue::LEARNERS.map(|(name, _)| name);
            Error::usage(format!("there is no learner `{}`", self.method)).hint(did_you_mean(&self.method, names))
        })?;
        let environment = registry.resolve(&self.environment)?;
        let (known, known_steps) = catalogue::known(method, &environment.simulator);
        let seed = self.run.seed.unwrap_or(0);
        let steps = self.run.steps.unwrap_or(known_steps);
        let settings = self.run.settings();
        let learner = if method == Method::Scratch { String::new() } else { format!(" --method {}", method.name()) };
        let configuration = self.run.configure(method, known)?;
        let job = Job {
            evaluations: self.run.evaluations(),
            evaluation_episodes: self.run.episodes(),
            checkpoint_every: self.run.checkpoint_every,
            command: format!("heirloom pretrain {}{learner} --steps {steps} --seed {seed}{settings}", quoted(&self.environment)),
            ..Job::new(environment, method, configuration, steps, seed)
        };
        match training::run(job, &self.run, registry)? {
            Err(ending) => Ok(ending),
            Ok(finished) => {
                if self.run.json {
                    terminal::json(&training::to_json(&finished));
                } else {
                    training::show(&finished);
                    terminal::note(&format!("next: heirloom transfer {} TARGET --method fine-tune", finished.out.display()));
                }
                Ok(Ending::Done)
            }
        }
    }
}
