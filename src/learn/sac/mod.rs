//! Soft actor-critic (Haarnoja et al. 2018b, "Soft Actor-Critic Algorithms and Applications"): a tanh-squashed Gaussian policy, clipped double
//! Q-learning, targets by Polyak averaging, a temperature that is learned. With more critics and a subset of them it is REDQ's (Chen et al.
//! 2021), with normalised critics and demonstrations beside it RLPD's (Ball et al. 2023).
//!
//! The policy that it gives has the actor's means. Its standard deviations, which here depend on the state, are those of the last batch on
//! average: what is evaluated is the mode, which needs none. Its critic, a value of states, is new: SAC's own are values of actions, and stay
//! behind in the run.

mod config;
pub mod defaults;
pub mod gradient;

pub use config::{Config, Temperature};

use super::action_value::Fit;
use super::experience::{Experience, random_action};
use super::off_policy::{shards, take_gradient};
use super::replay::Batch;
use super::{Followed, Learner, Prior, Progress, State};
use crate::error::Result;
use crate::file::tensors::{Array, take_f32};
use crate::nn::kernel::{Activations, CHUNK, Packed};
use crate::nn::params::{Layout, Params};
use crate::nn::{Adam, Mlp, actor_critic, init};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use gradient::{Climbed, Room};
use std::ops::Range;
use std::sync::Arc;

const TEMPERATURE: &str = "log_temperature";

/// The learner.
pub struct Sac {
    config: Config,
    pool: Arc<Pool>,
    experience: Experience,
    /// The policy that comes of it; its actor's tensors are brought up to date when it is asked for.
    policy: Policy,
    /// Actor, critics, temperature.
    params: Params,
    adam: Adam,
    gradient: Vec<f32>,
    actor: Packed,
    acting: Activations,
    critics: Vec<Followed>,
    chosen: Vec<usize>,
    shards: Vec<Room>,
    batch: Batch,
    /// `[B, A]`: what is behind the actions that an update draws.
    noise: Vec<f32>,
    /// `[N, A]`: what is behind the actions that are taken.
    held: Vec<f32>,
    /// `[A]`: logarithms of standard deviations, on average over the last batch.
    log_std: Vec<f32>,
    acting_rng: Rng,
    update_rng: Rng,
    updates: u64,
}

/// Names, shapes and places of the parameters: actor, critics, temperature.
fn layout(actor: &Mlp, critic: &Mlp, critics: usize) -> Arc<Layout> {
    let mut layout = Layout::default();
    actor.declare("actor", &mut layout);
    (0..critics).for_each(|index| critic.declare(&format!("critic.{index}"), &mut layout));
    layout.push(TEMPERATURE, &[1]);
    Arc::new(layout)
}

impl Sac {
    /// Ready for the first [`Learner::advance`]; it may have something to learn from before.
    ///
    /// # Errors
    /// When the configuration is impossible, SAC has no use for the actions, or an environment cannot be built.
    #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
    pub fn new(config: Config, prior: Option<Prior>, make: &MakeEnv, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let spaces = make()?.spaces().clone();
        let shape = config.shape(&spaces)?;
        let (actor_mlp, critic_mlp) = (config.actor_mlp(&spaces), config.critic_mlp(&spaces));
        let layout = layout(&actor_mlp, &critic_mlp, config.critics);
        let mut params = Params::zeros(Arc::clone(&layout));
        let mut rng = Stream::Init.under(seed);
        init::uniform(&mut params, &actor_mlp, "actor", &mut rng);
        (0..config.critics).for_each(|index| init::uniform(&mut params, &critic_mlp, &format!("critic.{index}"), &mut rng));
        let initial = match config.temperature {
            Temperature::Fixed(value) => value,
            Temperature::Automatic { initial, .. } => initial,
        };
        params.tensor_mut(TEMPERATURE)[0] = initial.max(f64::MIN_POSITIVE).ln() as f32;
        let width = spaces.action.size();
        let critic_length = critic_mlp.parameter_count();
        let critic = |index: usize| Followed::new(&critic_mlp, &params.values[critic_range(&actor_mlp, critic_length, index)]);
        let mut actor = Packed::above(&actor_mlp);
        actor.refresh(&params.values[..actor_mlp.parameter_count()]);
        let room = |rows: Range<usize>| Room::new(rows, &actor_mlp, &critic_mlp, config.critics);
        Ok(Self {
            experience: Experience::start(make, &spaces, config.environments, config.buffer, prior, seed)?,
            policy: Policy::untrained(shape, &spaces, seed),
            adam: Adam::new(config.adam, &layout),
            gradient: vec![0.0; layout.len()],
            critics: (0..config.critics).map(critic).collect(),
            chosen: (0..config.critics).collect(),
            shards: shards(config.minibatch).into_iter().map(room).collect(),
            batch: Batch::zeros(config.minibatch, spaces.observation.len(), width),
            noise: vec![0.0; config.minibatch * width],
            held: vec![0.0; config.environments * width],
            log_std: vec![0.0; width],
            acting: Activations::new(&actor_mlp),
            acting_rng: Stream::ActionNoise(0).under(seed),
            update_rng: Stream::Update.under(seed),
            updates: 0,
            actor,
            params,
            pool,
            config,
        })
    }

    /// Steps every environment once: at first by actions drawn uniformly, later by the policy's.
    fn act(&mut self) -> Result<()> {
        let (count, width) = (self.experience.len(), self.log_std.len());
        let space = &self.policy.spaces.action;
        let is_random = self.experience.steps() < self.config.warm_up;
        let is_first = !is_random && self.experience.steps() < self.config.warm_up + count as u64;
        // What was held as an action is no noise.
        let is_new = is_first || self.experience.rounds().is_multiple_of(self.config.hold_noise);
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            for row in 0..rows {
                self.acting.input_row(row).copy_from_slice(self.experience.seen(start + row));
            }
            if !is_random {
                self.actor.forward(rows, &mut self.acting);
            }
            for row in 0..rows {
                let held = &mut self.held[(start + row) * width..][..width];
                let action = self.experience.action_mut(start + row);
                if is_random {
                    if is_new {
                        random_action(space, &mut self.acting_rng, held);
                    }
                    action.copy_from_slice(held);
                } else {
                    if is_new {
                        normals(&mut self.acting_rng, held);
                    }
                    gradient::sample(self.acting.output_row(row), held, action);
                }
            }
        }
        self.experience.step()
    }

    /// One update of the critics, and where it is due of actor and temperature (Haarnoja et al. 2018b, algorithm 1).
    fn update(&mut self, statistics: &mut Statistics) -> Result<()> {
        let Config { discount, n_step, learning_rate, target_rate, .. } = self.config;
        self.experience.draw(discount, n_step, &mut self.batch);
        let temperature = self.temperature();
        if let Some(subset) = self.config.target_subset {
            self.chosen = (0..self.config.critics).collect();
            self.update_rng.shuffle(&mut self.chosen);
            self.chosen.truncate(subset);
        }
        normals(&mut self.update_rng, &mut self.noise);
        self.fit_critics(temperature, learning_rate, statistics)?;
        self.updates += 1;
        if self.updates.is_multiple_of(self.config.actor_every) {
            normals(&mut self.update_rng, &mut self.noise);
            self.climb(temperature, learning_rate, statistics)?;
        }
        let (params, actor) = (&self.params, self.actor_length());
        let length = self.critic_length();
        #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
        self.pool.each(&mut self.critics, |index, critic| {
            critic.follow(&params.values[actor + index * length..][..length], target_rate as f32);
        });
        Ok(())
    }

    fn fit_critics(&mut self, temperature: f32, learning_rate: f64, statistics: &mut Statistics) -> Result<()> {
        let Self { actor, critics, chosen, batch, noise, .. } = self;
        let (actor, critics, chosen, batch, noise) = (&*actor, &*critics, &*chosen, &*batch, &*noise);
        let fits: Vec<Fit> = self.pool.map(&mut self.shards, |_, room| {
            gradient::put_targets(actor, critics, chosen, batch, noise, temperature, room);
            let Room { rows, critics: room, target, .. } = room;
            super::action_value::add_gradient(critics, batch, rows.clone(), target, room)
        });
        let (start, length) = (self.actor_length(), self.critic_length());
        self.gradient.fill(0.0);
        for room in &mut self.shards {
            for (index, critic) in room.critics.gradients.iter_mut().enumerate() {
                take_gradient(critic, &mut self.gradient[start + index * length..][..length]);
            }
        }
        let rates = self.rates(actor_critic::is_critic);
        self.adam.step(&mut self.params, &mut self.gradient, learning_rate, f64::INFINITY, &rates)?;
        let params = &self.params;
        self.pool.each(&mut self.critics, |index, critic| critic.refresh(&params.values[start + index * length..][..length]));
        for fit in fits {
            statistics.fit.squared_error += fit.squared_error;
            statistics.fit.value += fit.value;
        }
        statistics.updates += 1;
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "parameters are f32, batches are small")]
    fn climb(&mut self, temperature: f32, learning_rate: f64, statistics: &mut Statistics) -> Result<()> {
        let objective = self.config.objective();
        let Self { actor, critics, batch, noise, .. } = self;
        let (actor, critics, batch, noise) = (&*actor, &*critics, &*batch, &*noise);
        let climbed: Vec<Climbed> = self
            .pool
            .map(&mut self.shards, |_, room| gradient::add_actor_gradient(actor, critics, objective, batch, noise, temperature, room));
        let rows = self.batch.rows() as f64;
        let log_prob = climbed.iter().map(|climbed| climbed.log_prob).sum::<f64>() / rows;
        let length = self.actor_length();
        self.gradient.fill(0.0);
        self.shards.iter_mut().for_each(|room| take_gradient(&mut room.actor_gradient, &mut self.gradient[..length]));
        for (index, log_std) in self.log_std.iter_mut().enumerate() {
            *log_std = (self.shards.iter().map(|room| room.log_std[index]).sum::<f64>() / rows) as f32;
        }
        // Of `-log α (log π + H)` with respect to log α, as everybody computes it; the paper's eq. 18 has α in its place.
        let last = self.gradient.len() - 1;
        if let Temperature::Automatic { target_entropy, .. } = self.config.temperature {
            let target = target_entropy.unwrap_or(-(self.log_std.len() as f64));
            self.gradient[last] = -(log_prob + target) as f32;
        }
        let moves = matches!(self.config.temperature, Temperature::Automatic { .. });
        let rates = self.rates(|name| name.starts_with("actor.") || name == TEMPERATURE && moves);
        self.adam.step(&mut self.params, &mut self.gradient, learning_rate, f64::INFINITY, &rates)?;
        self.actor.refresh(&self.params.values[..length]);
        statistics.log_prob += log_prob;
        statistics.climbed += climbed.iter().map(|climbed| climbed.value).sum::<f64>() / rows;
        statistics.actor_updates += 1;
        Ok(())
    }

    fn rates(&self, moves: impl Fn(&str) -> bool) -> Vec<f32> {
        self.params.layout().entries().iter().map(|entry| if moves(&entry.name) { 1.0 } else { 0.0 }).collect()
    }

    fn actor_length(&self) -> usize {
        self.params.values.len() - 1 - self.critics.len() * self.critic_length()
    }

    fn critic_length(&self) -> usize {
        self.critics[0].target_values().len()
    }

    /// The weight of the entropy.
    fn temperature(&self) -> f32 {
        match self.config.temperature {
            #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
            Temperature::Fixed(value) => value as f32,
            Temperature::Automatic { .. } => self.params.tensor(TEMPERATURE)[0].exp(),
        }
    }

    /// The least value that a critic gives to the most probable action for an observation `[O]`, as the network sees it.
    #[must_use]
    pub fn value(&self, observation: &[f32]) -> f32 {
        let width = self.log_std.len();
        let mut acting = self.acting.clone();
        acting.input_row(0).copy_from_slice(observation);
        self.actor.forward(1, &mut acting);
        let mut action = vec![0.0; width];
        gradient::sample(acting.output_row(0), &vec![0.0; width], &mut action);
        let critic_mlp = self.config.critic_mlp(&self.policy.spaces);
        let mut room = super::action_value::Room::new(&critic_mlp, self.critics.len(), observation.len());
        room.show(0, observation, &action);
        room.forward(&self.critics, 1);
        let (mut value, mut slope) = ([0.0], vec![0.0; width]);
        room.climb(&self.critics, super::action_value::Objective::Least, &mut value, &mut slope);
        value[0]
    }

    fn progress(&mut self, statistics: &Statistics) -> Progress {
        let metrics = statistics.metrics(self.batch.rows(), self.critics.len(), self.temperature());
        Progress { metrics, episodes: self.experience.take_finished() }
    }
}

/// Where the weights of a critic lie.
fn critic_range(actor: &Mlp, length: usize, index: usize) -> Range<usize> {
    let start = actor.parameter_count() + index * length;
    start..start + length
}

#[expect(clippy::cast_possible_truncation, reason = "noise is f32")]
fn normals(rng: &mut Rng, into: &mut [f32]) {
    for value in into {
        *value = rng.normal() as f32;
    }
}

/// Sums over the updates of an iteration.
#[derive(Debug, Default)]
struct Statistics {
    updates: u64,
    actor_updates: u64,
    fit: Fit,
    log_prob: f64,
    climbed: f64,
}

impl Statistics {
    /// Means; of nothing where no update was made yet.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    fn metrics(&self, rows: usize, critics: usize, temperature: f32) -> Vec<(&'static str, f64)> {
        let (rows, updates, actor_updates) = (rows as f64, self.updates as f64, self.actor_updates as f64);
        vec![
            ("critic_loss", self.fit.squared_error / (updates * rows * critics as f64)),
            ("value", self.fit.value / (updates * rows)),
            ("climbed_value", self.climbed / actor_updates),
            ("entropy", -self.log_prob / actor_updates),
            ("temperature", f64::from(temperature)),
            ("updates", updates),
        ]
    }
}

impl Learner for Sac {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let mut statistics = Statistics::default();
        let pool = Arc::clone(&self.pool);
        pool.enter(|| {
            for _ in 0..self.config.steps {
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
        self.critics.iter().enumerate().try_for_each(|(index, critic)| critic.check_finite(format!("critic.{index}")))?;
        Ok(self.progress(&statistics))
    }

    fn steps(&self) -> u64 {
        self.experience.steps()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.params.save("params.", &mut state.tensors);
        self.adam.save(&mut state.tensors);
        for (index, critic) in self.critics.iter().enumerate() {
            let values = critic.target_values().to_vec();
            state.tensors.insert(format!("target.{index}"), Array::f32(&[values.len()], values));
        }
        state.tensors.insert("held_noise".into(), Array::f32(&[self.held.len()], self.held.clone()));
        state.tensors.insert("log_std".into(), Array::f32(&[self.log_std.len()], self.log_std.clone()));
        self.experience.save(&mut state);
        state.put_counters("counters", &[self.updates, self.acting_rng.position(), self.update_rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        let (start, length) = (self.actor_length(), self.critic_length());
        for (index, critic) in self.critics.iter_mut().enumerate() {
            critic.refresh(&self.params.values[start + index * length..][..length]);
            critic.set_target(&take_f32(&mut left, &format!("target.{index}"), &[length])?);
        }
        self.held = take_f32(&mut left, "held_noise", &[self.held.len()])?;
        self.log_std = take_f32(&mut left, "log_std", &[self.log_std.len()])?;
        self.experience.load(state, &mut left)?;
        let [updates, acting, update] = State::take_counters(&mut left, "counters")?;
        self.updates = updates;
        self.acting_rng.seek(acting);
        self.update_rng.seek(update);
        self.actor.refresh(&self.params.values[..start]);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        let width = self.log_std.len();
        let actor = &self.params.values[..self.actor_length()];
        // All layers but the last are the same; of the last the means' rows come first.
        let inputs = self.config.actor.last().copied().unwrap_or(policy.shape.inputs);
        let (trunk, head) = actor.split_at(actor.len() - 2 * width * (inputs + 1));
        let (weight, bias) = head.split_at(2 * width * inputs);
        policy.params.values[..trunk.len()].copy_from_slice(trunk);
        policy.params.tensor_mut("actor.head.weight").copy_from_slice(&weight[..width * inputs]);
        policy.params.tensor_mut("actor.head.bias").copy_from_slice(&bias[..width]);
        policy.params.tensor_mut(actor_critic::LOG_STD).copy_from_slice(&self.log_std);
        policy
    }
}
