//! How a job's learner is built: what each method is made of.

use super::{Configuration, Job, Lessons, Method, Role, make_task};
use crate::env::tasks::{Split, Splits, Tasks};
use crate::env::{Registry, Spaces};
use crate::error::{Error, Result, within};
use crate::imitate::adversarial::{Adversarial, Task};
use crate::imitate::bc::Bc;
use crate::imitate::dagger::Dagger;
use crate::imitate::discriminator::{Discriminator, Form};
use crate::imitate::pairs::classes;
use crate::imitate::prior::{self, Scaling};
use crate::imitate::{Pairs, after_cloning, behaviour_regularised, dapg, rlpd, td3_bc};
use crate::learn::dqn::Dqn;
use crate::learn::iql::Iql;
use crate::learn::ppo::{self, Ppo, Start};
use crate::learn::sac::Sac;
use crate::learn::td3::Td3;
use crate::learn::{Learner, MakeTerm, Prior, Share};
use crate::meta::adapt::Adapting;
use crate::meta::rl2::Rl2;
use crate::meta::{self, Counts, MakeTask, Meta};
use crate::nn::{Head, Normalizer};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::stop::Stop;
use crate::transfer::{Handover, Transfer, feature_extraction, fine_tune, reset_head};
use std::sync::Arc;

/// Builds a job's learner, before its first step.
pub(super) fn build(job: &Job, registry: &Registry, pool: &Arc<Pool>, stop: &Stop) -> Result<Box<dyn Learner>> {
    let make = job.make_env(registry);
    let spaces = make()?.spaces().clone();
    let building = Building { job, make, spaces, pool, stop };
    Ok(match job.method {
        Method::ZeroShot | Method::Scratch | Method::FineTune | Method::ResetHead | Method::FeatureExtraction => {
            Box::new(building.ppo(building.transfer()?)?)
        }
        Method::Bc if job.steps == 0 => Box::new(building.ppo(building.clone_alone()?)?),
        Method::Bc => Box::new(building.bc(building.fresh()?)?),
        Method::Dagger => Box::new(building.dagger()?),
        Method::Gail => Box::new(building.adversarial(Form::Gail)?),
        Method::Airl => {
            Box::new(building.adversarial(Form::Airl { state_only: job.configuration.adversarial.clone().unwrap_or_default().state_only })?)
        }
        Method::Dapg => Box::new(building.ppo(building.dapg()?)?),
        Method::BehaviourRegularised => Box::new(building.ppo(building.behaviour_regularised()?)?),
        Method::LearnedReward => Box::new(building.learned_reward()?),
        Method::Maml
        | Method::Fomaml
        | Method::Anil
        | Method::MetaSgd
        | Method::Promp
        | Method::Reptile
        | Method::Pooled
        | Method::DomainRandomization
        | Method::Oracle => Box::new(building.meta(registry)?),
        Method::Rl2 => Box::new(building.rl2()?),
        Method::Adapt => Box::new(building.adapting()?),
        Method::Trpo => Box::new(building.trpo()?),
        Method::Sac | Method::Rlpd => Box::new(building.sac()?),
        Method::Td3 | Method::Td3Bc => Box::new(building.td3()?),
        Method::Iql => Box::new(building.iql()?),
        Method::Dqn => Box::new(building.dqn()?),
    })
}

/// What a transfer method makes of a source in a target.
///
/// # Errors
/// When the source cannot be matched with the target, or is missing.
pub fn carry(method: Method, configuration: &Configuration, source: Option<&Policy>, target: &Spaces, seed: u64) -> Result<Transfer> {
    let Some(source) = source.filter(|_| method.needs_source()) else {
        if method.needs_source() {
            return Err(Error::usage(format!("`{}` needs a policy to start from", method.name())));
        }
        return Ok(Transfer { start: Start::fresh(&configuration.ppo, target, seed)?, terms: Vec::new() });
    };
    source.shape.check_memoryless(&format!("`{}`", method.name()))?;
    let handover = Handover { source, target, seed };
    match method {
        Method::ResetHead => reset_head::transfer(&configuration.reset_head.clone().unwrap_or_default(), &handover),
        Method::FeatureExtraction => feature_extraction::transfer(&handover),
        _ => {
            let mut transfer = fine_tune::transfer(&configuration.fine_tune.clone().unwrap_or_default(), &handover)?;
            if method == Method::FineTune {
                // What is trained on by other means is no start for inner steps any more.
                transfer.start.policy.inner_rates = None;
            }
            Ok(transfer)
        }
    }
}

/// Gradient steps of cloning, at most; it ends early by what is held out.
pub const CLONING_STEPS: u64 = 20_000;

struct Building<'a> {
    job: &'a Job,
    make: MakeEnv,
    spaces: Spaces,
    pool: &'a Arc<Pool>,
    stop: &'a Stop,
}

impl Building<'_> {
    /// New weights, nothing learned.
    fn fresh(&self) -> Result<Start> {
        Start::fresh(&self.job.configuration.ppo, &self.spaces, self.job.seed)
    }

    fn ppo(&self, transfer: Transfer) -> Result<Ppo> {
        self.ppo_with(self.job.configuration.ppo.clone(), transfer)
    }

    fn ppo_with(&self, config: ppo::Config, Transfer { start, terms }: Transfer) -> Result<Ppo> {
        Ppo::new(config, start, &self.make, &terms, self.job.plan().steps, self.job.seed, Arc::clone(self.pool))
    }

    /// Iterations of PPO in the whole run.
    #[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
    fn iterations(&self) -> f64 {
        self.job.plan().steps as f64 / self.job.configuration.ppo.rollout_steps() as f64
    }

    fn meta(&self, registry: &Registry) -> Result<Meta> {
        let config = self.job.configuration.meta.clone().unwrap_or_default();
        let (method, steps) = (self.job.method, config.inner_steps);
        let recipe = method.recipe(&config).ok_or_else(|| Error::usage("is no method that learns a start"))?;
        if method.has_inner_steps() != (steps > 0) {
            return Err(Error::usage(format!("`{}` does not have {steps} inner steps", method.name()))
                .hint("baselines have none; every other method has one at least"));
        }
        let tasks = Tasks::new(&self.job.environment, &config.splits, self.job.seed)?;
        let policy = Policy::untrained(config.shape(&self.spaces), &self.spaces, self.job.seed);
        let make = if method == Method::DomainRandomization {
            let (registry, spec) = (registry.clone(), tasks.randomized());
            every(Arc::new(move || registry.build(&spec)))
        } else {
            make_task(registry, &tasks, Split::Train)
        };
        Meta::new(config, recipe, Counts::Iterations, policy, make, self.job.seed, Arc::clone(self.pool))
    }

    fn trpo(&self) -> Result<Meta> {
        let config = self.job.configuration.trpo.clone().unwrap_or_default().outer();
        let policy = Policy::untrained(config.shape(&self.spaces), &self.spaces, self.job.seed);
        let recipe = meta::trpo::recipe(&config);
        Meta::new(config, recipe, Counts::Steps, policy, every(Arc::clone(&self.make)), self.job.seed, Arc::clone(self.pool))
    }

    /// Alone, or beside demonstrations.
    fn sac(&self) -> Result<Sac> {
        let config = self.job.configuration.sac.clone().unwrap_or_default();
        if self.job.method != Method::Rlpd {
            return Sac::new(config, None, &self.make, self.job.seed, Arc::clone(self.pool));
        }
        let prior = self.prior(rlpd::SCALING, Some(0), config.minibatch)?;
        let config = rlpd::for_actions(config, self.spaces.action.size());
        Sac::new(config, Some(prior), &self.make, self.job.seed, Arc::clone(self.pool))
    }

    /// Alone, or pulled towards demonstrations.
    fn td3(&self) -> Result<Td3> {
        let Configuration { td3, td3_bc, .. } = &self.job.configuration;
        let config = td3.clone().unwrap_or_default();
        let lesson = |td3_bc: &td3_bc::Config| Ok((self.prior(td3_bc::SCALING, td3_bc.online_after, config.minibatch)?, td3_bc.pull()));
        let lesson = td3_bc.as_ref().map(lesson).transpose()?;
        Td3::new(config, lesson, &self.make, self.job.seed, Arc::clone(self.pool))
    }

    fn iql(&self) -> Result<Iql> {
        let config = self.job.configuration.iql.clone().unwrap_or_default();
        let prior =
            self.prior(Scaling { share: Share::AsMany, observations: true, rewards: true }, config.online_after, config.minibatch)?;
        Iql::new(config, prior, &self.make, self.job.seed, Arc::clone(self.pool))
    }

    /// The demonstrations as transitions, for batches of so many rows. An environment is stepped after so many updates, or never.
    fn prior(&self, scaling: Scaling, online_after: Option<u64>, minibatch: usize) -> Result<Prior> {
        let lessons = self.lessons()?;
        Head::SquashedGaussian { initial_log_std: 0.0 }.check_space(&self.spaces.action).map_err(|_| {
            Error::usage(format!("`{}` needs continuous actions with bounds", self.job.method.name()))
                .hint("`bc`, `dagger`, `gail` and `dapg` learn all kinds")
        })?;
        // Of one row there is no half.
        within("minibatch", minibatch, [2, 1 << 16])?;
        prior::prior(&lessons.chosen, &self.spaces, scaling, online_after.unwrap_or(u64::MAX), self.job.seed)
            .map_err(|error| error.at(lessons.path.display()))
    }

    fn dqn(&self) -> Result<Dqn> {
        let config = self.job.configuration.dqn.clone().unwrap_or_default();
        Dqn::new(config, &self.make, self.job.plan().steps, self.job.seed, Arc::clone(self.pool))
    }

    /// Tasks are drawn by the environment itself, a new one for every trial.
    fn rl2(&self) -> Result<Rl2> {
        let Job { environment, configuration, seed, .. } = self.job;
        Tasks::new(environment, &Splits { extrapolate: 0.0, ..Splits::default() }, *seed)?;
        let config = configuration.rl2.clone().unwrap_or_default();
        Rl2::new(config, Arc::clone(&self.make), self.job.plan().steps, *seed, Arc::clone(self.pool))
    }

    fn adapting(&self) -> Result<Adapting> {
        let config = self.job.configuration.adapt.clone().unwrap_or_default();
        let source = self.job.source.as_ref().ok_or_else(|| Error::usage("`adapt` needs a policy to start from"))?;
        config.check_adapts(&source.policy)?;
        Adapting::new(config, self.job.counts, source.policy.clone(), Arc::clone(&self.make), self.job.seed)
    }

    fn lessons(&self) -> Result<&Lessons> {
        let lessons = self.job.lessons.as_ref();
        lessons.ok_or_else(|| Error::usage(format!("`{}` needs demonstrations", self.job.method.name())))
    }

    /// The demonstrations as a policy sees them.
    fn pairs(&self, policy: &Policy) -> Result<Pairs> {
        let lessons = self.lessons()?;
        Pairs::new(&lessons.chosen, &policy.spaces, &policy.shape.head, self.job.seed).map_err(|error| error.at(lessons.path.display()))
    }

    /// What a transfer method begins with, and what demonstrations of the target change of it.
    fn transfer(&self) -> Result<Transfer> {
        let Transfer { mut start, mut terms } = carry(
            self.job.method,
            &self.job.configuration,
            self.job.source.as_ref().map(|source| &source.policy),
            &self.spaces,
            self.job.seed,
        )?;
        let Some(lessons) = &self.job.lessons else { return Ok(Transfer { start, terms }) };
        let pairs = self.pairs(&start.policy)?;
        let is_new = !self.job.method.needs_source();
        match lessons.role {
            Role::Start => {
                let mut config = self.job.configuration.bc.clone().unwrap_or_default();
                // What a source's weights were trained to see stays as it is.
                config.normalize_observations &= is_new;
                let after = after_cloning::Config::default();
                let mut bc = Bc::new(config, start.policy, start.rates.at(u64::MAX), pairs, self.job.seed, Arc::clone(self.pool))?;
                bc.run(after.cloning_steps, self.stop)?;
                // What moves next is the method's; of what had no source, a clone's.
                let cloned = after_cloning::start(&after, bc.policy());
                start = Start { rates: if is_new { cloned.rates } else { start.rates }, policy: cloned.policy };
            }
            Role::Term => {
                if is_new && start.policy.normalizer.is_some() {
                    start.policy.normalizer = Some(Normalizer::new(pairs.moments()));
                }
                start.rates.freeze_normalizer = true;
                let config = self.job.configuration.dapg.clone().unwrap_or_default();
                terms.push(dapg::term(&config, &pairs, start.policy.normalizer.as_ref(), self.iterations(), self.job.seed));
            }
        }
        Ok(Transfer { start, terms })
    }

    fn bc(&self, start: Start) -> Result<Bc> {
        let pairs = self.pairs(&start.policy)?;
        let config = self.job.configuration.bc.clone().unwrap_or_default();
        Bc::new(config, start.policy, start.rates.at(0), pairs, self.job.seed, Arc::clone(self.pool))
    }

    /// A clone as a learner that takes no step: what a study puts beside those that do.
    fn clone_alone(&self) -> Result<Transfer> {
        let mut start = self.fresh()?;
        let mut bc = self.bc(start.clone())?;
        bc.run(CLONING_STEPS, self.stop)?;
        start.policy = bc.policy();
        Ok(Transfer { start, terms: Vec::new() })
    }

    fn dagger(&self) -> Result<Dagger> {
        let start = self.fresh()?;
        let pairs = self.pairs(&start.policy)?;
        let expert =
            self.job.source.as_ref().ok_or_else(|| Error::usage("`dagger` needs an expert").hint("name a policy with --expert"))?;
        let configuration = &self.job.configuration;
        Dagger::new(
            configuration.dagger.clone().unwrap_or_default(),
            &configuration.bc.clone().unwrap_or_default(),
            start.policy,
            start.rates.at(0),
            expert.policy.clone(),
            pairs,
            &self.make,
            self.job.seed,
            Arc::clone(self.pool),
            self.stop,
        )
    }

    /// PPO for a discriminator to reward. Rewards are scaled by whoever makes them.
    fn rewarded(&self) -> Result<(Ppo, bool)> {
        let scaled = self.job.configuration.ppo.normalize_returns;
        let config = ppo::Config { normalize_returns: false, ..self.job.configuration.ppo.clone() };
        let start = Start::fresh(&config, &self.spaces, self.job.seed)?;
        Ok((self.ppo_with(config, Transfer { start, terms: Vec::new() })?, scaled))
    }

    fn discriminator(&self, form: Form, config: &crate::imitate::discriminator::Config) -> Discriminator {
        let (action, discount) = (&self.spaces.action, self.job.configuration.ppo.discount);
        Discriminator::new(form, config, self.spaces.observation.len(), action.width(), classes(action), discount, self.job.seed)
    }

    fn adversarial(&self, form: Form) -> Result<Adversarial> {
        let config = self.job.configuration.adversarial.clone().unwrap_or_default();
        let (ppo, scaled) = self.rewarded()?;
        let pairs = self.pairs(&ppo.policy())?;
        let ended = self.job.lessons.as_ref().map_or(0.0, |lessons| lessons.chosen.share_terminated());
        let task = Task::Imitate { pairs, sign: config.sign(ended) };
        let discriminator = self.discriminator(form, &config.discriminator);
        Ok(Adversarial::new(ppo, discriminator, config.updates, task, self.job.configuration.ppo.discount, scaled))
    }

    fn learned_reward(&self) -> Result<Adversarial> {
        let reward = self.job.reward.as_ref().ok_or_else(|| {
            Error::usage("`learned-reward` needs a reward").hint("name the run folder of a GAIL or AIRL run with --reward")
        })?;
        let (ppo, scaled) = self.rewarded()?;
        let mut discriminator = self.discriminator(reward.form, &reward.config);
        reward.check_spaces(&self.spaces)?;
        discriminator.load(&mut reward.tensors.clone()).map_err(|error| error.at(reward.path.display()))?;
        Ok(Adversarial::new(ppo, discriminator, 0, Task::Recovered { sign: reward.sign }, self.job.configuration.ppo.discount, scaled))
    }

    /// A clone, its start for PPO, and the clone as it was.
    fn cloned(&self) -> Result<(Start, Policy, Pairs)> {
        let config = self.job.configuration.after_cloning.clone().unwrap_or_default();
        let mut bc = self.bc(self.fresh()?)?;
        bc.run(config.cloning_steps, self.stop)?;
        let clone = bc.policy();
        let pairs = self.pairs(&clone)?;
        Ok((after_cloning::start(&config, clone.clone()), clone, pairs))
    }

    fn dapg(&self) -> Result<Transfer> {
        let (start, _, pairs) = self.cloned()?;
        let config = self.job.configuration.dapg.clone().unwrap_or_default();
        let term: MakeTerm = dapg::term(&config, &pairs, start.policy.normalizer.as_ref(), self.iterations(), self.job.seed);
        Ok(Transfer { start, terms: vec![term] })
    }

    fn behaviour_regularised(&self) -> Result<Transfer> {
        let (start, ..) = self.cloned()?;
        let config = self.job.configuration.behaviour_regularised.clone().unwrap_or_default();
        let term = behaviour_regularised::term(&config, &start.policy);
        Ok(Transfer { start, terms: vec![term] })
    }
}

/// The same environments whichever task is asked for.
fn every(make: MakeEnv) -> MakeTask {
    Arc::new(move |_| Ok(Arc::clone(&make)))
}
