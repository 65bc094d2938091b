//! Proximal policy optimization (Schulman et al. 2017), with the details that make it work (Huang et al. 2022, "The 37 Implementation
//! Details of PPO"; `docs/ppo.md` says where each is).

mod config;
pub mod defaults;
mod descent;
mod fused;
mod gradient;
pub mod loss;
mod minibatch;
mod statistics;

pub use config::Config;
pub use fused::{Sample, add_sample_gradient};
pub use gradient::fused_gradient;

use super::explained_variance::explained_variance;
use super::{Learner, MakeTerm, Progress, Rates, State};
use crate::error::Result;
use crate::nn::{Adam, Moments, Network, Normalizer};
use crate::parallel::Pool;
use crate::policy::{Binding, Policy};
use crate::rollout::collect::{Actor, Shard};
use crate::rollout::{MakeEnv, Rollout, shard_range};
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use descent::{Descent, Round};
use gradient::GradientShard;
use minibatch::{Minibatch, Row};
use statistics::Statistics;
use std::sync::Arc;

/// What learning begins with; [`Start::fresh`] is from scratch, a transfer method gives a source's.
#[derive(Debug, Clone)]
pub struct Start {
    /// Networks, weights, normaliser.
    pub policy: Policy,
    /// What moves.
    pub rates: Rates,
}

impl Start {
    /// New weights for an environment's spaces.
    ///
    /// # Errors
    /// When the configured head does not give actions of this space.
    pub fn fresh(config: &Config, spaces: &crate::env::Spaces, seed: u64) -> Result<Self> {
        let shape = config.shape(spaces)?;
        let params = shape.init(seed);
        let rates = Rates::uniform(params.layout());
        let normalizer = config.normalize_observations.then(|| Normalizer::new(Moments::new(shape.inputs)));
        let return_moments = config.normalize_returns.then(|| Moments::new(1));
        Ok(Self { policy: Policy { shape, spaces: spaces.clone(), params, normalizer, return_moments, inner_rates: None }, rates })
    }
}

/// The learner.
pub struct Ppo {
    config: Config,
    total_steps: u64,
    pool: Arc<Pool>,
    policy: Policy,
    rates: Rates,
    binding: Binding,
    network: Network,
    adam: Adam,
    shards: Vec<Shard>,
    gradient_shards: Vec<GradientShard>,
    minibatch_rng: Rng,
    rows: Vec<Row>,
    steps: u64,
    updates: u64,
    /// The raw gradient of a minibatch.
    gradient: Vec<f32>,
}

impl Ppo {
    /// Ready for the first [`Learner::advance`].
    ///
    /// # Errors
    /// When the configuration is impossible, the policy does not fit the environment, or an environment cannot be built.
    pub fn new(
        config: Config,
        start: Start,
        make: &MakeEnv,
        terms: &[MakeTerm],
        total_steps: u64,
        seed: u64,
        pool: Arc<Pool>,
    ) -> Result<Self> {
        config.check()?;
        let Start { policy, rates } = start;
        policy.shape.check_memoryless("PPO")?;
        let binding = Binding::new(&policy.spaces, make()?.spaces())?;
        let network = Network::new(&policy.shape, &policy.params);
        let actor = Actor { network: &network, normalizer: policy.normalizer.as_ref(), binding: &binding };
        let count = config.resolved_shards();
        let mut shards = Vec::with_capacity(count);
        for index in 0..count {
            let range = shard_range(config.environments, count, index);
            let mut shard = Shard::start(make, index, range, config.steps, seed, actor)?;
            if policy.normalizer.is_some() && !rates.freeze_normalizer {
                shard.gather_observations();
            }
            if policy.return_moments.is_some() {
                shard.gather_returns();
            }
            shards.push(shard);
        }
        let parts = config.gradient_shards();
        let gradient_shards = (0..parts).map(|index| GradientShard::new(&policy.shape, terms, index, parts)).collect();
        let rows = shards.iter().enumerate().flat_map(|(shard, s)| (0..s.rows()).map(move |row| Row::new(shard, row))).collect();
        Ok(Self {
            adam: Adam::new(config.adam, policy.params.layout()),
            gradient: vec![0.0; policy.params.values.len()],
            minibatch_rng: Stream::Minibatch.under(seed),
            config,
            total_steps,
            pool,
            policy,
            rates,
            binding,
            network,
            shards,
            gradient_shards,
            rows,
            steps: 0,
            updates: 0,
        })
    }

    /// The first half of an iteration: acts for `steps` steps in every environment.
    ///
    /// # Errors
    /// When an environment fails, or it is broken off.
    pub fn collect(&mut self, stop: &Stop) -> Result<()> {
        let actor = Actor { network: &self.network, normalizer: self.policy.normalizer.as_ref(), binding: &self.binding };
        let discount = self.config.discount;
        self.pool.try_each(&mut self.shards, |_, shard| shard.collect(actor, discount, stop))?;
        self.steps += (self.config.environments * self.config.steps) as u64;
        Ok(())
    }

    /// From now on rollouts hold what was seen after each step.
    pub fn keep_next_observations(&mut self) {
        self.shards.iter_mut().for_each(Shard::keep_next_observations);
    }

    /// How many environments each shard has.
    #[must_use]
    pub fn environments_per_shard(&self) -> Vec<usize> {
        self.shards.iter().map(Shard::environments).collect()
    }

    /// What the shards gathered, in shard order: rewards may be rewritten between [`Ppo::collect`] and [`Ppo::update`].
    pub fn rollouts(&mut self) -> impl Iterator<Item = &mut Rollout> {
        self.shards.iter_mut().map(|shard| &mut shard.rollout)
    }

    /// The second half: advantages, then epochs of minibatch steps on the clipped surrogate.
    ///
    /// # Errors
    /// When a loss or a gradient is not finite.
    pub fn update(&mut self, stop: &Stop) -> Result<Progress> {
        self.finish_rollouts()?;
        // What this update began with decides: the schedule's value at the start of the iteration.
        let before = self.steps - (self.config.environments * self.config.steps) as u64;
        let statistics = self.learn(before, stop)?;
        self.merge_normalizer()?;
        self.updates += 1;
        Ok(self.progress(&statistics))
    }

    /// Scales rewards, asks for the values of what follows, computes advantages.
    fn finish_rollouts(&mut self) -> Result<()> {
        if let Some(moments) = &mut self.policy.return_moments {
            for shard in &mut self.shards {
                if let Some((_, seen)) = &mut shard.discounted {
                    moments.merge(seen);
                    seen.clear();
                }
            }
            moments.check_finite("moments of the discounted return")?;
        }
        let reward_scale = self.policy.return_moments.as_ref().map(|moments| 1.0 / (moments.variance(0) + 1e-8).sqrt());
        let actor = Actor { network: &self.network, normalizer: self.policy.normalizer.as_ref(), binding: &self.binding };
        let (discount, lambda) = (self.config.discount, self.config.gae_lambda);
        self.pool.each(&mut self.shards, |_, shard| shard.finish(actor, discount, lambda, reward_scale));
        Ok(())
    }

    fn learn(&mut self, steps_before: u64, stop: &Stop) -> Result<Statistics> {
        #[expect(clippy::cast_precision_loss, reason = "step counts stay below 2^53")]
        let fraction = steps_before as f64 / self.total_steps.max(1) as f64;
        let learning_rate = self.config.learning_rate * self.config.learning_rate_schedule.factor(fraction);
        let clip = self.config.clip * self.config.clip_schedule.factor(fraction);
        let rollouts = self.shards.iter().map(|shard| &shard.rollout).collect();
        let minibatch = Minibatch::new(&self.config, rollouts, &mut self.rows, clip, fraction);
        let descent = Descent {
            config: &self.config,
            params: &mut self.policy.params,
            adam: &mut self.adam,
            gradient: &mut self.gradient,
            rng: &mut self.minibatch_rng,
            learning_rate,
            rates: self.rates.at(steps_before),
            stop,
            statistics: Statistics::new(learning_rate, clip),
        };
        let statistics = descent.run(&self.pool, Round { network: &mut self.network, minibatch }, &mut self.gradient_shards)?;
        self.policy.params.check_finite()?;
        self.adam.check_finite()?;
        Ok(statistics)
    }

    fn merge_normalizer(&mut self) -> Result<()> {
        if let Some(normalizer) = &mut self.policy.normalizer {
            for seen in self.shards.iter_mut().filter_map(|shard| shard.seen.as_mut()) {
                normalizer.merge(seen);
                seen.clear();
            }
            normalizer.moments.check_finite("moments of observations")?;
        }
        Ok(())
    }

    fn progress(&mut self, statistics: &Statistics) -> Progress {
        let pairs = self.shards.iter().flat_map(|shard| shard.rollout.value.iter().copied().zip(shard.rollout.returns.iter().copied()));
        let explained = explained_variance(pairs);
        let mut metrics = statistics.metrics();
        metrics.push(("explained_variance", explained));
        let episodes = self.shards.iter_mut().flat_map(Shard::take_finished).collect();
        Progress { metrics, episodes }
    }
}

impl Learner for Ppo {
    /// One pass of the loop of algorithm 1 (Schulman et al. 2017).
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        self.collect(stop)?;
        self.update(stop)
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn state(&self) -> State {
        let mut state = State::default();
        let tensors = &mut state.tensors;
        self.policy.params.save("params.", tensors);
        self.adam.save(tensors);
        if let Some(normalizer) = &self.policy.normalizer {
            normalizer.moments.save("normalizer.observation", tensors);
        }
        if let Some(moments) = &self.policy.return_moments {
            moments.save("normalizer.return", tensors);
        }
        for (index, shard) in self.shards.iter().enumerate() {
            shard.save(&format!("shard.{index}."), tensors);
        }
        // The order of rows is shuffled on from the last epoch's: it is part of the state.
        state.put_counters("rows", &self.rows.iter().map(|row| row.to_number()).collect::<Vec<_>>());
        state.put_counters("counters", &[self.steps, self.updates, self.minibatch_rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.policy.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        if let Some(normalizer) = &mut self.policy.normalizer {
            *normalizer = Normalizer::new(Moments::load(self.policy.shape.inputs, "normalizer.observation", &mut left)?);
        }
        if let Some(moments) = &mut self.policy.return_moments {
            *moments = Moments::load(1, "normalizer.return", &mut left)?;
        }
        for (index, shard) in self.shards.iter_mut().enumerate() {
            shard.load(&format!("shard.{index}."), &mut left)?;
        }
        let rows = crate::file::tensors::take_u64(&mut left, "rows", self.rows.len())?;
        let counts: Vec<usize> = self.shards.iter().map(Shard::rows).collect();
        self.rows = rows.into_iter().map(|number| Row::from_number(number, &counts)).collect::<Result<_>>()?;
        let [steps, updates, position] = State::take_counters(&mut left, "counters")?;
        (self.steps, self.updates) = (steps, updates);
        self.minibatch_rng.seek(position);
        self.network.refresh(&self.policy.params);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        self.policy.clone()
    }
}
