//! The one list of all methods. A new one is a file in `transfer/` or `imitate/`, a line in each list here, and how it is built in
//! `learner.rs`.

use super::{Configuration, Role};
use crate::error::{Error, Result, did_you_mean};
use crate::imitate::{adversarial, after_cloning, bc, behaviour_regularised, dagger, dapg, rlpd, td3_bc};
use crate::learn::{dqn, iql, ppo, sac, td3};
use crate::meta::{self, Recipe};
use crate::transfer::{fine_tune, reset_head};
use serde::{Deserialize, Serialize};

/// How a policy comes to a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Method {
    /// The source as it is; nothing is learned.
    ZeroShot,
    /// Nothing of the source; everything is learned.
    Scratch,
    /// Everything of the source; everything is learned on.
    FineTune,
    /// The source's trunk under new heads; everything is learned on.
    ResetHead,
    /// The source's trunk, frozen, under new heads.
    FeatureExtraction,
    /// Behaviour cloning: demonstrated actions, by maximum likelihood.
    Bc,
    /// Cloning of what an expert says where the learner goes.
    Dagger,
    /// A reward from a discriminator of state and action.
    Gail,
    /// The same, with a reward that can be carried to other dynamics.
    Airl,
    /// A clone, trained on with a fading pull towards the demonstrations.
    Dapg,
    /// A clone, trained on and held near itself.
    BehaviourRegularised,
    /// Reinforcement learning on a reward that GAIL or AIRL recovered.
    LearnedReward,
    /// Implicit Q-learning from demonstrations with rewards.
    Iql,
    /// TD3 on demonstrations with rewards, pulled towards what was done.
    Td3Bc,
    /// Soft actor-critic beside demonstrations with rewards.
    Rlpd,
    /// A start whose inner steps lead far, by derivatives of second order.
    Maml,
    /// The same by derivatives of first order.
    Fomaml,
    /// MAML of which only the heads adapt.
    Anil,
    /// MAML that learns the size of each parameter's inner step.
    MetaSgd,
    /// MAML with a ratio of probabilities inside and clipped steps outside.
    Promp,
    /// A start that moves towards the tasks' ends.
    Reptile,
    /// One policy for all tasks.
    Pooled,
    /// One policy for tasks that are drawn anew in every episode, as it is.
    DomainRandomization,
    /// One policy that is shown what was drawn, as it is.
    Oracle,
    /// A policy with memory, which learns a task as it acts in it.
    Rl2,
    /// Inner steps from a meta-learned start.
    Adapt,
    /// Trust region policy optimization, from nothing.
    Trpo,
    /// Soft actor-critic, from nothing.
    Sac,
    /// Twin delayed deep deterministic policy gradient, from nothing.
    Td3,
    /// Deep Q-learning, from nothing.
    Dqn,
}

impl Method {
    /// Those that carry a policy to a target.
    pub const TRANSFER: [Self; 5] = [Self::ZeroShot, Self::Scratch, Self::FineTune, Self::ResetHead, Self::FeatureExtraction];

    /// Those that learn from demonstrations, without a policy to start from.
    pub const IMITATION: [Self; 10] = [
        Self::Bc,
        Self::Dagger,
        Self::Gail,
        Self::Airl,
        Self::Dapg,
        Self::BehaviourRegularised,
        Self::LearnedReward,
        Self::Iql,
        Self::Td3Bc,
        Self::Rlpd,
    ];

    /// Those that learn from a replay buffer, from nothing.
    pub const OFF_POLICY: [Self; 3] = [Self::Sac, Self::Td3, Self::Dqn];

    /// Those that learn a start for many tasks.
    pub const META: [Self; 10] = [
        Self::Maml,
        Self::Fomaml,
        Self::Anil,
        Self::MetaSgd,
        Self::Promp,
        Self::Reptile,
        Self::Pooled,
        Self::DomainRandomization,
        Self::Oracle,
        Self::Rl2,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ZeroShot => "zero-shot",
            Self::Scratch => "scratch",
            Self::FineTune => "fine-tune",
            Self::ResetHead => "reset-head",
            Self::FeatureExtraction => "feature-extraction",
            Self::Bc => "bc",
            Self::Dagger => "dagger",
            Self::Gail => "gail",
            Self::Airl => "airl",
            Self::Dapg => "dapg",
            Self::BehaviourRegularised => "behaviour-regularised",
            Self::LearnedReward => "learned-reward",
            Self::Iql => "iql",
            Self::Td3Bc => "td3+bc",
            Self::Rlpd => "rlpd",
            Self::Maml => "maml",
            Self::Fomaml => "fomaml",
            Self::Anil => "anil",
            Self::MetaSgd => "meta-sgd",
            Self::Promp => "promp",
            Self::Reptile => "reptile",
            Self::Pooled => "pooled",
            Self::DomainRandomization => "domain-randomization",
            Self::Oracle => "oracle",
            Self::Rl2 => "rl2",
            Self::Adapt => "adapt",
            Self::Trpo => "trpo",
            Self::Sac => "sac",
            Self::Td3 => "td3",
            Self::Dqn => "dqn",
        }
    }

    /// One sentence.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::ZeroShot => "the source as it is; nothing is learned",
            Self::Scratch => "nothing of the source; everything is learned in the target",
            Self::FineTune => "everything of the source, trained on; the critic warms up first",
            Self::ResetHead => "the source's hidden layers under new last layers, all trained on",
            Self::FeatureExtraction => "the source's hidden layers, frozen, under new last layers",
            Self::Bc => "behaviour cloning: the demonstrated actions, by maximum likelihood; no environment is stepped",
            Self::Dagger => "cloning of what an expert (a policy: --expert) says wherever the learner goes",
            Self::Gail => "PPO on a reward from a discriminator between demonstrations and policy",
            Self::Airl => "the same with a reward that looks at the state alone and can be carried to other dynamics",
            Self::Dapg => "a clone, trained on by PPO on the environment's reward, with a fading pull towards the demonstrations",
            Self::BehaviourRegularised => "a clone, trained on by PPO on the environment's reward, held near itself at first",
            Self::LearnedReward => "PPO from nothing on the reward that a GAIL or AIRL run (--reward) recovered",
            Self::Iql => {
                "implicit Q-learning: what was better than expected in the demonstrations, by their rewards; then acting, if asked to"
            }
            Self::Td3Bc => "TD3 on demonstrations and their rewards, pulled towards what was done; then acting, if asked to",
            Self::Rlpd => "SAC, of which every batch is half demonstrations, with normalised critics and many updates a step",
            Self::Maml => "a start whose inner steps lead far: TRPO through the inner step, exact to second order",
            Self::Fomaml => "the same, as if an inner step did not depend on where it began",
            Self::Anil => "MAML of which only the last layer adapts",
            Self::MetaSgd => "MAML that learns a rate for each parameter beside the start",
            Self::Promp => "MAML with a low-variance second derivative, and clipped steps on the same episodes",
            Self::Reptile => "a start that moves a part of the way to where the tasks end",
            Self::Pooled => "one policy for all tasks by TRPO, without an inner loop: what meta-learning has to beat",
            Self::DomainRandomization => "one policy by TRPO in tasks drawn anew for every episode, and no adaptation",
            Self::Oracle => "one policy by TRPO that is shown what was drawn, and needs no adaptation: what there is to gain",
            Self::Rl2 => "a policy that remembers, taught by PPO over whole trials: it learns a task as it acts in it",
            Self::Adapt => "inner steps in one task, as they were meta-learned",
            Self::Trpo => "trust region policy optimization from nothing, on whole episodes, with a linear baseline",
            Self::Sac => "soft actor-critic from nothing: continuous actions, learned from a replay buffer",
            Self::Td3 => "twin delayed deterministic policy gradient from nothing: continuous actions, learned from a replay buffer",
            Self::Dqn => "deep Q-learning from nothing: discrete actions, learned from a replay buffer",
        }
    }

    /// The method of this name.
    ///
    /// # Errors
    /// Exit 2 with the nearest names.
    pub fn parse(name: &str) -> Result<Self> {
        Self::parse_among(
            name,
            &[&Self::TRANSFER[..], &Self::IMITATION, &Self::META, &Self::OFF_POLICY, &[Self::Adapt, Self::Trpo]].concat(),
        )
    }

    /// The method of this name, when it is one of these.
    ///
    /// # Errors
    /// Exit 2 with the nearest names, or with the command that has it.
    pub fn parse_among(name: &str, methods: &[Self]) -> Result<Self> {
        if let Some(found) = methods.iter().copied().find(|method| method.name() == name) {
            return Ok(found);
        }
        let commands = [
            ("transfer POLICY TARGET", &Self::TRANSFER[..]),
            ("imitate DEMOS ENV", &Self::IMITATION),
            ("meta TASKS", &Self::META),
            ("pretrain ENV", &Self::OFF_POLICY),
        ];
        let other = commands.into_iter().find(|(_, methods)| methods.iter().any(|method| method.name() == name));
        Err(match other {
            Some((command, _)) => {
                Error::usage(format!("`{name}` is a method of another command")).hint(format!("heirloom {command} --method {name}"))
            }
            None => {
                Error::usage(format!("there is no method `{name}`")).hint(did_you_mean(name, methods.iter().map(|method| method.name())))
            }
        })
    }

    /// Whether it starts from a source policy.
    #[must_use]
    pub const fn needs_source(self) -> bool {
        matches!(self, Self::ZeroShot | Self::FineTune | Self::ResetHead | Self::FeatureExtraction | Self::Adapt)
    }

    /// Whether it cannot do without demonstrations.
    #[must_use]
    pub const fn needs_demonstrations(self) -> bool {
        matches!(self, Self::Bc | Self::Dagger | Self::Gail | Self::Airl | Self::Dapg | Self::BehaviourRegularised) || self.needs_rewards()
    }

    /// Whether it learns from the rewards of demonstrations too.
    #[must_use]
    pub const fn needs_rewards(self) -> bool {
        matches!(self, Self::Iql | Self::Td3Bc | Self::Rlpd)
    }

    /// Whether it carries a policy to a target.
    #[must_use]
    pub fn is_transfer(self) -> bool {
        Self::TRANSFER.contains(&self)
    }

    /// What it is made of, where it learns a start for many tasks.
    #[must_use]
    pub const fn recipe(self, config: &meta::Config) -> Option<Recipe> {
        Some(match self {
            Self::Maml => meta::maml::recipe(config),
            Self::Fomaml => meta::fomaml::recipe(config),
            Self::Anil => meta::anil::recipe(config),
            Self::MetaSgd => meta::meta_sgd::recipe(config),
            Self::Promp => meta::promp::recipe(config),
            Self::Reptile => meta::reptile::recipe(config),
            Self::Pooled => meta::pooled::recipe(config),
            Self::DomainRandomization => meta::domain_randomization::recipe(config),
            Self::Oracle => meta::oracle::recipe(config),
            _ => return None,
        })
    }

    /// Whether it trains through inner steps; the others that learn a start for many tasks have none.
    #[must_use]
    pub const fn has_inner_steps(self) -> bool {
        matches!(self, Self::Maml | Self::Fomaml | Self::Anil | Self::MetaSgd | Self::Promp | Self::Reptile)
    }

    /// How many by default.
    const fn inner_steps(self) -> usize {
        match self {
            Self::Reptile => meta::reptile::INNER_STEPS,
            _ if self.has_inner_steps() => 1,
            _ => 0,
        }
    }

    /// Whether a start that it learned is for a task to be adapted to; the others are taken as they are.
    #[must_use]
    pub const fn adapts(self) -> bool {
        self.has_inner_steps() || matches!(self, Self::Pooled)
    }

    /// Whether it learns by acting in the target.
    #[must_use]
    pub const fn learns(self) -> bool {
        !matches!(self, Self::ZeroShot | Self::Bc)
    }

    /// Whether something in it is learned at a rate.
    #[must_use]
    pub const fn has_learning_rate(self) -> bool {
        !matches!(self, Self::ZeroShot | Self::Adapt)
    }

    /// Whether demonstrations can change what it does.
    #[must_use]
    pub fn takes_demonstrations(self) -> bool {
        (Self::TRANSFER.contains(&self) && self != Self::ZeroShot) || self.needs_demonstrations()
    }

    /// What its budget counts.
    #[must_use]
    pub fn counts(self) -> &'static str {
        match self {
            Self::Bc => "gradient steps",
            Self::Dagger => "labels",
            Self::Adapt => "updates",
            Self::Iql | Self::Td3Bc => "updates and steps",
            _ if Self::META.contains(&self) => "iterations",
            _ => "steps",
        }
    }

    /// Its configuration with its own defaults, for a learner; `role` is what a transfer method does with demonstrations.
    #[must_use]
    pub fn configuration(self, ppo: ppo::Config, role: Option<Role>) -> Configuration {
        let clones = matches!(self, Self::Bc | Self::Dagger | Self::Dapg | Self::BehaviourRegularised) || role == Some(Role::Start);
        Configuration {
            ppo,
            fine_tune: (self == Self::FineTune).then(fine_tune::Config::default),
            reset_head: (self == Self::ResetHead).then(reset_head::Config::default),
            bc: clones.then(bc::Config::default),
            dagger: (self == Self::Dagger).then(dagger::Config::default),
            adversarial: matches!(self, Self::Gail | Self::Airl).then(adversarial::Config::default),
            after_cloning: matches!(self, Self::Dapg | Self::BehaviourRegularised).then(after_cloning::Config::default),
            dapg: (self == Self::Dapg || role == Some(Role::Term)).then(dapg::Config::default),
            behaviour_regularised: (self == Self::BehaviourRegularised).then(behaviour_regularised::Config::default),
            meta: (Self::META.contains(&self) && self != Self::Rl2)
                .then(|| meta::Config { inner_steps: self.inner_steps(), ..Default::default() }),
            rl2: (self == Self::Rl2).then(meta::rl2::Config::default),
            adapt: (self == Self::Adapt).then(meta::adapt::Config::default),
            trpo: (self == Self::Trpo).then(meta::trpo::Config::default),
            sac: match self {
                Self::Sac => Some(sac::Config::default()),
                Self::Rlpd => Some(rlpd::sac()),
                _ => None,
            },
            td3: match self {
                Self::Td3 => Some(td3::Config::default()),
                Self::Td3Bc => Some(td3_bc::td3()),
                _ => None,
            },
            td3_bc: (self == Self::Td3Bc).then(td3_bc::Config::default),
            iql: (self == Self::Iql).then(iql::Config::default),
            dqn: (self == Self::Dqn).then(dqn::Config::default),
        }
    }
}

/// The learners that `pretrain --method` can name, and what each is.
pub const LEARNERS: [(&str, Method); 5] =
    [("ppo", Method::Scratch), ("trpo", Method::Trpo), ("sac", Method::Sac), ("td3", Method::Td3), ("dqn", Method::Dqn)];

/// What is known to work with a learner of [`LEARNERS`] in an environment of this simulator: its configuration, and the steps after which it
/// has learned.
#[must_use]
pub fn known(method: Method, simulator: &str) -> (Configuration, u64) {
    let ppo = ppo::defaults::for_environment(simulator);
    let mut configuration = method.configuration(ppo.config, None);
    let steps = match method {
        Method::Sac => {
            let known = sac::defaults::for_environment(simulator);
            configuration.sac = Some(known.config);
            known.steps
        }
        Method::Td3 => {
            let known = td3::defaults::for_environment(simulator);
            configuration.td3 = Some(known.config);
            known.steps
        }
        Method::Dqn => {
            let known = dqn::defaults::for_environment(simulator);
            configuration.dqn = Some(known.config);
            known.steps
        }
        _ => ppo.steps,
    };
    (configuration, steps)
}
