//! `heirloom imitate DEMOS ENV --method M`.

use super::arguments::RunArguments;
use super::terminal::{self, Ending};
use super::training;
use crate::choose::words::quoted;
use crate::choose::{CLONING_STEPS, Job, Lessons, Method, Reward, Role, Source};
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::imitate::{Selection, rlpd};
use crate::learn::ppo::defaults;
use clap::Args;
use std::path::PathBuf;

/// Learn a policy from demonstrations, alone or together with reinforcement learning.
///
/// Methods: bc (behaviour cloning; --steps counts gradient steps), dagger (an expert labels where the learner goes; counts labels), gail and
/// airl (a reward from a discriminator), dapg and behaviour-regularised (a clone, trained on with the environment's reward),
/// learned-reward (PPO on the reward of a gail or airl run, without demonstrations). These count environment steps.
///
/// From demonstrations and their rewards, where actions are continuous: iql (implicit Q-learning) and td3+bc, which count updates and step no
/// environment unless `--set iql.online_after=N` (`td3_bc.online_after`) sends them on after N of them; rlpd (SAC beside demonstrations) counts
/// environment steps.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom imitate demos/cartpole-in-cartpole cartpole --method bc\n  heirloom imitate demos/mine mountain_car --method gail --demo-episodes 3 --every 5\n  heirloom imitate demos/mine cartpole --method dagger --expert cartpole\n  heirloom imitate --reward runs/airl cartpole_long_pole --method learned-reward\n  heirloom imitate demos/mine hopper --method td3+bc --set td3_bc.online_after=50000 --steps 70000\n  heirloom imitate demos/mine hopper --method rlpd --steps 20000"
)]
pub(super) struct Imitate {
    /// A folder of demonstrations, then short name or path of an environment; with learned-reward the environment alone
    #[arg(required = true, num_args = 1..=2, value_names = ["DEMOS", "ENV"])]
    places: Vec<String>,
    /// bc, dagger, gail, airl, dapg, behaviour-regularised, learned-reward, iql, td3+bc or rlpd
    #[arg(long, default_value = "bc")]
    method: String,
    /// Learn from the first so many episodes [default: all]
    #[arg(long, value_name = "N")]
    demo_episodes: Option<u64>,
    /// Keep one of so many steps of each episode [default: 1]
    #[arg(long, value_name = "K")]
    every: Option<u32>,
    /// The policy that dagger asks: short name, policy folder or run folder
    #[arg(long, value_name = "POLICY")]
    expert: Option<String>,
    /// The run folder of a gail or airl run, for learned-reward
    #[arg(long, value_name = "RUN")]
    reward: Option<PathBuf>,
    #[command(flatten)]
    run: RunArguments,
}

/// Updates of those that learn from demonstrations alone at first.
const UPDATES: u64 = 100_000;

/// Labels of an expert.
const LABELS: u64 = 10_240;

impl Imitate {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        self.run.check()?;
        let method = Method::parse_among(&self.method, &Method::IMITATION)?;
        let (demonstrations, environment) = self.places(method)?;
        let environment = registry.resolve(environment)?;
        let known = defaults::for_environment(&environment.simulator);
        let seed = self.run.seed.unwrap_or(0);
        let steps = self.run.steps.unwrap_or(match method {
            Method::Bc => CLONING_STEPS,
            Method::Dagger => LABELS,
            Method::Iql | Method::Td3Bc => UPDATES,
            Method::Rlpd => rlpd::STEPS,
            _ => known.steps,
        });
        let pool = self.run.pool()?;
        let selection = Selection { episodes: self.demo_episodes, every: self.every };
        let lessons = demonstrations.map(|path| Lessons::read(path.as_ref(), selection, Role::Start, &pool)).transpose()?;
        let mut configuration = self.run.configure(method, method.configuration(known.config, None))?;
        if let (Some(adversarial), Some(lessons)) = (&mut configuration.adversarial, &lessons) {
            // What the demonstrations decide is written down: whoever learns from the reward later does not have them.
            adversarial.reward = Some(adversarial.sign(lessons.chosen.share_terminated()));
        }
        let command = self.command(method, steps, seed);
        let job = Job {
            source: self.expert.as_deref().map(Source::load).transpose()?,
            lessons,
            reward: self.reward.as_deref().map(Reward::read).transpose()?,
            evaluations: self.run.evaluations(),
            evaluation_episodes: self.run.episodes(),
            checkpoint_every: self.run.checkpoint_every,
            command,
            ..Job::new(environment, method, configuration, steps, seed)
        };
        match training::run(job, &self.run, registry)? {
            Err(ending) => Ok(ending),
            Ok(finished) => {
                if self.run.json {
                    terminal::json(&training::to_json(&finished));
                } else {
                    training::show(&finished);
                }
                Ok(Ending::Done)
            }
        }
    }

    /// Demonstrations, where the method learns from them, and the environment.
    fn places(&self, method: Method) -> Result<(Option<&str>, &str)> {
        let of = |flag: &str, given: bool, of: Method| match given {
            true if method != of => Err(Error::usage(format!("`{flag}` belongs to `--method {}`", of.name()))),
            false if method == of => Err(Error::usage(format!("`--method {}` needs `{flag}`", of.name()))),
            _ => Ok(()),
        };
        of("--expert", self.expert.is_some(), Method::Dagger)?;
        of("--reward", self.reward.is_some(), Method::LearnedReward)?;
        match (self.places.as_slice(), method.needs_demonstrations()) {
            ([demonstrations, environment], true) => Ok((Some(demonstrations), environment)),
            ([environment], false) => Ok((None, environment)),
            ([_], true) => Err(Error::usage("demonstrations and an environment are needed").hint("heirloom imitate DEMOS ENV --method bc")),
            _ => Err(Error::usage("`learned-reward` learns from a reward, not from demonstrations")
                .hint("heirloom imitate ENV --method learned-reward --reward RUN")),
        }
    }

    fn command(&self, method: Method, steps: u64, seed: u64) -> String {
        let places: Vec<String> = self.places.iter().map(|place| quoted(place)).collect();
        let flags = [
            ("--demo-episodes", self.demo_episodes.map(|episodes| episodes.to_string())),
            ("--every", self.every.map(|every| every.to_string())),
            ("--expert", self.expert.clone()),
            ("--reward", self.reward.as_ref().map(|path| path.display().to_string())),
        ];
        let flags = flags.iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", quoted(value.as_ref()?))));
        format!(
            "heirloom imitate {} --method {}{} --steps {steps} --seed {seed}{}",
            places.join(" "),
            method.name(),
            flags.collect::<String>(),
            self.run.settings()
        )
    }
}
