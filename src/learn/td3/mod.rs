//! Twin delayed deep deterministic policy gradient (Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods"):
//! clipped double Q-learning, a smoothed target policy, and an actor that waits for its critics.
//!
//! The policy that it gives has the actor's actions as its mode. Its critic, a value of states, is new: TD3's own are values of actions, and
//! stay behind in the run. With a [`Pull`] towards what was done it is TD3+BC (Fujimoto & Gu 2021).

mod config;
pub mod defaults;
pub mod gradient;
mod pull;

pub use config::Config;
pub use pull::Pull;

use super::action_value::{self, Fit, Objective};
use super::experience::{Experience, random_action};
use super::off_policy::{shards, take_gradient};
use super::replay::Batch;
use super::{Followed, Learner, Prior, Progress, State};
use crate::error::Result;
use crate::file::tensors::{Array, take_f32};
use crate::nn::kernel::{Activations, CHUNK};
use crate::nn::params::{Layout, Params};
use crate::nn::{Adam, actor_critic, init};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use gradient::{Room, Smoothing, Weights};
use std::ops::Range;
use std::sync::Arc;

/// The learner.
pub struct Td3 {
    config: Config,
    pool: Arc<Pool>,
    experience: Experience,
    pull: Option<Pull>,
    /// The policy that comes of it; its actor's tensors are brought up to date when it is asked for.
    policy: Policy,
    /// Actor and critics.
    params: Params,
    adam: Adam,
    gradient: Vec<f32>,
    actor: Followed,
    critics: Vec<Followed>,
    acting: Activations,
    shards: Vec<Room>,
    batch: Batch,
    /// `[B, A]`: what smooths the target policy.
    noise: Vec<f32>,
    acting_rng: Rng,
    update_rng: Rng,
    updates: u64,
}

impl Td3 {
    /// Ready for the first [`Learner::advance`]; `lesson` is what there is to learn from before, and how it pulls.
    ///
    /// # Errors
    /// When the configuration is impossible, TD3 has no use for the actions, or an environment cannot be built.
    pub fn new(config: Config, lesson: Option<(Prior, Pull)>, make: &MakeEnv, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let spaces = make()?.spaces().clone();
        let shape = config.shape(&spaces)?;
        let (actor_mlp, critic_mlp) = (shape.actor_mlp(), config.critic_mlp(&spaces));
        let mut layout = Layout::default();
        actor_mlp.declare("actor", &mut layout);
        (0..config.critics).for_each(|index| critic_mlp.declare(&format!("critic.{index}"), &mut layout));
        let layout = Arc::new(layout);
        let mut params = Params::zeros(Arc::clone(&layout));
        let mut rng = Stream::Init.under(seed);
        init::uniform(&mut params, &actor_mlp, "actor", &mut rng);
        (0..config.critics).for_each(|index| init::uniform(&mut params, &critic_mlp, &format!("critic.{index}"), &mut rng));
        let (actor, critics) = params.values.split_at(actor_mlp.parameter_count());
        let critics = critics.chunks_exact(critic_mlp.parameter_count()).map(|values| Followed::new(&critic_mlp, values)).collect();
        let width = spaces.action.size();
        let room = |rows: Range<usize>| Room::new(rows, &actor_mlp, &critic_mlp, config.critics);
        let (prior, pull) = lesson.unzip();
        let mut policy = Policy::untrained(shape, &spaces, seed);
        policy.normalizer = prior.as_ref().and_then(Prior::normalizer).cloned();
        Ok(Self {
            experience: Experience::start(make, &spaces, config.environments, config.buffer, prior, seed)?,
            pull,
            policy,
            adam: Adam::new(config.adam, &layout),
            gradient: vec![0.0; layout.len()],
            actor: Followed::new(&actor_mlp, actor),
            critics,
            acting: Activations::new(&actor_mlp),
            shards: shards(config.minibatch).into_iter().map(room).collect(),
            batch: Batch::zeros(config.minibatch, spaces.observation.len(), width),
            noise: vec![0.0; config.minibatch * width],
            acting_rng: Stream::ActionNoise(0).under(seed),
            update_rng: Stream::Update.under(seed),
            updates: 0,
            params,
            pool,
            config,
        })
    }

    /// Steps every environment once: at first by actions drawn uniformly, later by the actor's with noise.
    #[expect(clippy::cast_possible_truncation, reason = "actions are f32")]
    fn act(&mut self) -> Result<()> {
        let count = self.experience.len();
        let is_random = self.experience.steps() < self.config.warm_up;
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            for row in 0..rows {
                self.acting.input_row(row).copy_from_slice(self.experience.seen(start + row));
            }
            if !is_random {
                self.actor.online.forward(rows, &mut self.acting);
            }
            for row in 0..rows {
                let action = self.experience.action_mut(start + row);
                if is_random {
                    random_action(&self.policy.spaces.action, &mut self.acting_rng, action);
                } else {
                    for (action, output) in action.iter_mut().zip(self.acting.output_row(row)) {
                        let noise = self.config.exploration_noise * self.acting_rng.normal();
                        *action = gradient::cut(output.tanh() + noise as f32, 1.0);
                    }
                }
            }
        }
        self.experience.step()
    }

    /// One update of the critics, and every `policy_delay`-th time of actor and targets (Fujimoto et al. 2018, algorithm 1).
    fn update(&mut self, statistics: &mut Statistics) -> Result<()> {
        self.experience.draw(self.config.discount, self.config.n_step, &mut self.batch);
        self.fit_critics(statistics)?;
        self.updates += 1;
        if self.updates.is_multiple_of(self.config.policy_delay) {
            self.climb(statistics)?;
            self.follow();
        }
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn fit_critics(&mut self, statistics: &mut Statistics) -> Result<()> {
        self.noise.iter_mut().for_each(|noise| *noise = self.update_rng.normal() as f32);
        let smoothing = Smoothing { deviation: self.config.target_noise as f32, clip: self.config.target_noise_clip as f32 };
        let Self { actor, critics, batch, noise, .. } = self;
        let (actor, critics, batch, noise) = (&*actor, &*critics, &*batch, &*noise);
        let fits: Vec<Fit> = self.pool.map(&mut self.shards, |_, room| {
            gradient::put_targets(&actor.target, critics, batch, noise, smoothing, room);
            let Room { rows, critics: room, target, .. } = room;
            action_value::add_gradient(critics, batch, rows.clone(), target, room)
        });
        let (start, length) = (self.actor.target_values().len(), self.critics[0].target_values().len());
        self.gradient.fill(0.0);
        for room in &mut self.shards {
            for (index, critic) in room.critics.gradients.iter_mut().enumerate() {
                take_gradient(critic, &mut self.gradient[start + index * length..][..length]);
            }
        }
        self.step(actor_critic::is_critic)?;
        let params = &self.params;
        self.pool.each(&mut self.critics, |index, critic| critic.refresh(&params.values[start + index * length..][..length]));
        for fit in fits {
            statistics.fit.squared_error += fit.squared_error;
            statistics.fit.value += fit.value;
        }
        statistics.updates += 1;
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "batches are small")]
    fn climb(&mut self, statistics: &mut Statistics) -> Result<()> {
        let Self { actor, critics, batch, .. } = self;
        let (actor, critics, batch) = (&*actor, &*critics, &*batch);
        let weights = match &self.pull {
            None => Weights::ALL_VALUE,
            Some(pull) => {
                let sizes = self.pool.map(&mut self.shards, |_, room| gradient::sum_of_sizes(&actor.online, &critics[0], batch, room));
                pull.weights(sizes.iter().sum::<f64>() / batch.rows() as f64, self.experience.steps())
            }
        };
        let values = self.pool.map(&mut self.shards, |_, room| gradient::add_actor_gradient(&actor.online, critics, batch, weights, room));
        let length = self.actor.target_values().len();
        self.gradient.fill(0.0);
        self.shards.iter_mut().for_each(|room| take_gradient(&mut room.actor_gradient, &mut self.gradient[..length]));
        self.step(|name| name.starts_with("actor."))?;
        self.actor.refresh(&self.params.values[..length]);
        statistics.climbed += values.iter().sum::<f64>();
        statistics.actor_updates += 1;
        Ok(())
    }

    /// Moves what is chosen by name along the gradient.
    fn step(&mut self, moves: impl Fn(&str) -> bool) -> Result<()> {
        let entries = self.params.layout().entries().iter();
        let rates: Vec<f32> = entries.map(|entry| if moves(&entry.name) { 1.0 } else { 0.0 }).collect();
        self.adam.step(&mut self.params, &mut self.gradient, self.config.learning_rate, f64::INFINITY, &rates).map(drop)
    }

    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn follow(&mut self) {
        let (rate, values) = (self.config.target_rate as f32, &self.params.values);
        let (start, length) = (self.actor.target_values().len(), self.critics[0].target_values().len());
        self.actor.follow(&values[..start], rate);
        self.pool.each(&mut self.critics, |index, critic| critic.follow(&values[start + index * length..][..length], rate));
    }

    /// The least value that a critic gives to the actor's action for an observation `[O]`, as the network sees it.
    #[must_use]
    pub fn value(&self, observation: &[f32]) -> f32 {
        let mut acting = self.acting.clone();
        acting.input_row(0).copy_from_slice(observation);
        self.actor.online.forward(1, &mut acting);
        let action: Vec<f32> = acting.output_row(0).iter().map(|output| output.tanh()).collect();
        let mut room = action_value::Room::new(&self.config.critic_mlp(&self.policy.spaces), self.critics.len(), observation.len());
        room.show(0, observation, &action);
        room.forward(&self.critics, 1);
        let (mut value, mut slope) = ([0.0], vec![0.0; action.len()]);
        room.climb(&self.critics, Objective::Least, &mut value, &mut slope);
        value[0]
    }
}

/// Sums over the updates of an iteration.
#[derive(Debug, Default)]
struct Statistics {
    updates: u64,
    actor_updates: u64,
    fit: Fit,
    climbed: f64,
}

impl Statistics {
    /// Means; of nothing where no update was made yet.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    fn metrics(&self, rows: usize, critics: usize) -> Vec<(&'static str, f64)> {
        let (rows, updates) = (rows as f64, self.updates as f64);
        vec![
            ("critic_loss", self.fit.squared_error / (updates * rows * critics as f64)),
            ("value", self.fit.value / (updates * rows)),
            ("climbed_value", self.climbed / (self.actor_updates as f64 * rows)),
            ("updates", updates),
        ]
    }
}

impl Learner for Td3 {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let mut statistics = Statistics::default();
        let pool = Arc::clone(&self.pool);
        pool.enter(|| {
            for _ in 0..self.config.steps {
                if self.experience.takes_turn_alone() {
                    stop.check()?;
                    self.update(&mut statistics)?;
                    continue;
                }
                self.act()?;
                if self.experience.is_due(self.config.warm_up, self.config.train_every) {
                    for _ in 0..self.config.updates {
                        stop.check()?;
                        self.update(&mut statistics)?;
                    }
                }
            }
            Ok(())
        })?;
        self.params.check_finite()?;
        self.adam.check_finite()?;
        self.actor.check_finite("actor")?;
        self.critics.iter().enumerate().try_for_each(|(index, critic)| critic.check_finite(format!("critic.{index}")))?;
        let metrics = statistics.metrics(self.batch.rows(), self.critics.len());
        Ok(Progress { metrics, episodes: self.experience.take_finished() })
    }

    fn steps(&self) -> u64 {
        self.experience.turns()
    }

    fn environment_steps(&self) -> u64 {
        self.experience.steps()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.params.save("params.", &mut state.tensors);
        self.adam.save(&mut state.tensors);
        let followed = [&self.actor].into_iter().chain(&self.critics);
        let targets: Vec<f32> = followed.flat_map(|followed| followed.target_values().iter().copied()).collect();
        state.tensors.insert("targets".into(), Array::f32(&[targets.len()], targets));
        self.experience.save(&mut state);
        state.put_counters("counters", &[self.updates, self.acting_rng.position(), self.update_rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        let targets = take_f32(&mut left, "targets", &[self.params.values.len()])?;
        let mut start = 0;
        for followed in [&mut self.actor].into_iter().chain(&mut self.critics) {
            let range = start..start + followed.target_values().len();
            followed.refresh(&self.params.values[range.clone()]);
            followed.set_target(&targets[range.clone()]);
            start = range.end;
        }
        self.experience.load(state, &mut left)?;
        let [updates, acting, update] = State::take_counters(&mut left, "counters")?;
        self.updates = updates;
        self.acting_rng.seek(acting);
        self.update_rng.seek(update);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        let length = self.actor.target_values().len();
        policy.params.values[..length].copy_from_slice(&self.params.values[..length]);
        policy
    }
}
