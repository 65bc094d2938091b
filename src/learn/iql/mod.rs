//! Implicit Q-learning (Kostrikov et al. 2022, "Offline Reinforcement Learning with Implicit Q-Learning"): from demonstrations of any quality,
//! without ever asking for the value of an action that was not done. A state's value is a high expectile of what was done there, critics learn
//! from it, and a policy clones what was better than expected; then it may go on learning as it acts.
//!
//! The policy that it gives has the actor's actions as its mode, and the value of states as its critic. Its standard deviations are those of actions
//! around `tanh(μ)`, which the policy's head takes for those before tanh: near enough for who trains it on.

mod config;
pub mod gradient;

pub use config::Config;

use super::experience::Experience;
use super::off_policy::{shards, take_gradient};
use super::replay::Batch;
use super::{Followed, Learner, Prior, Progress, State};
use crate::error::Result;
use crate::file::tensors::{Array, take_f32};
use crate::nn::actor_critic::LOG_STD;
use crate::nn::kernel::{Activations, CHUNK, Packed};
use crate::nn::params::{Layout, Params};
use crate::nn::{Adam, init};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use gradient::{Losses, Networks, Room, Sums};
use std::ops::Range;
use std::sync::Arc;

/// The learner.
pub struct Iql {
    config: Config,
    pool: Arc<Pool>,
    experience: Experience,
    /// The policy that comes of it; its tensors are brought up to date when it is asked for.
    policy: Policy,
    /// The policy's own, and the critics behind them.
    params: Params,
    adam: Adam,
    gradient: Vec<f32>,
    networks: Networks,
    acting: Activations,
    shards: Vec<Room>,
    batch: Batch,
    acting_rng: Rng,
}

impl Iql {
    /// Ready for the first [`Learner::advance`].
    ///
    /// # Errors
    /// When the configuration is impossible, IQL has no use for the actions, or an environment cannot be built.
    pub fn new(config: Config, prior: Prior, make: &MakeEnv, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let spaces = make()?.spaces().clone();
        let shape = config.shape(&spaces)?;
        let (actor_mlp, value_mlp, critic_mlp) = (shape.actor_mlp(), shape.critic_mlp(), config.critic_mlp(&spaces));
        let mut layout = Layout::default();
        shape.layout().entries().iter().for_each(|entry| layout.push(entry.name.clone(), &entry.shape));
        let own = layout.len();
        (0..config.critics).for_each(|index| critic_mlp.declare(&critic_name(index), &mut layout));
        let layout = Arc::new(layout);
        let mut params = Params::zeros(Arc::clone(&layout));
        let mut rng = Stream::Init.under(seed);
        init::uniform(&mut params, &actor_mlp, "actor", &mut rng);
        init::uniform(&mut params, &value_mlp, "critic", &mut rng);
        (0..config.critics).for_each(|index| init::uniform(&mut params, &critic_mlp, &critic_name(index), &mut rng));
        let critics = params.values[own..].chunks_exact(critic_mlp.parameter_count());
        let networks = Networks {
            actor: Packed::above(&actor_mlp),
            value: Packed::above(&value_mlp),
            critics: critics.map(|values| Followed::new(&critic_mlp, values)).collect(),
            log_std: vec![0.0; shape.outputs],
        };
        let mut policy = Policy::untrained(shape, &spaces, seed);
        policy.normalizer = prior.normalizer().cloned();
        let room = |rows: Range<usize>| Room::new(rows, &actor_mlp, &value_mlp, &critic_mlp, config.critics);
        let mut learner = Self {
            experience: Experience::start(make, &spaces, config.environments, config.buffer, Some(prior), seed)?,
            adam: Adam::new(config.adam, &layout),
            gradient: vec![0.0; layout.len()],
            acting: Activations::new(&actor_mlp),
            shards: shards(config.minibatch).into_iter().map(room).collect(),
            batch: Batch::zeros(config.minibatch, spaces.observation.len(), spaces.action.size()),
            acting_rng: Stream::ActionNoise(0).under(seed),
            policy,
            params,
            networks,
            pool,
            config,
        };
        learner.refresh();
        Ok(learner)
    }

    /// Steps every environment once, by actions with the policy's noise.
    #[expect(clippy::cast_possible_truncation, reason = "actions are f32")]
    fn act(&mut self) -> Result<()> {
        let count = self.experience.len();
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            for row in 0..rows {
                self.acting.input_row(row).copy_from_slice(self.experience.seen(start + row));
            }
            self.networks.actor.forward(rows, &mut self.acting);
            for row in 0..rows {
                let action = self.experience.action_mut(start + row);
                for ((action, output), log_std) in action.iter_mut().zip(self.acting.output_row(row)).zip(&self.networks.log_std) {
                    *action = (output.tanh() + log_std.exp() * self.acting_rng.normal() as f32).clamp(-1.0, 1.0);
                }
            }
        }
        self.experience.step()
    }

    /// One update of everything (Kostrikov et al. 2022, algorithm 1), each loss at the weights before it.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn update(&mut self, statistics: &mut Statistics) -> Result<()> {
        let Config { discount, learning_rate, target_rate, .. } = self.config;
        self.experience.draw(discount, 1, &mut self.batch);
        let losses = Losses {
            expectile: self.config.expectile as f32,
            inverse_temperature: self.config.inverse_temperature as f32,
            most_weight: self.config.most_weight as f32,
        };
        let (networks, batch) = (&self.networks, &self.batch);
        let sums = self.pool.map(&mut self.shards, |_, room| gradient::add_gradients(networks, losses, batch, room));
        self.gather();
        let rates = vec![1.0; self.params.layout().entries().len()];
        self.adam.step(&mut self.params, &mut self.gradient, learning_rate, f64::INFINITY, &rates)?;
        for log_std in self.params.tensor_mut(LOG_STD) {
            *log_std = log_std.clamp(gradient::LOG_STD[0] as f32, gradient::LOG_STD[1] as f32);
        }
        self.refresh();
        let (params, own, length) = (&self.params, self.policy.params.values.len(), self.critic_length());
        self.pool.each(&mut self.networks.critics, |index, critic| {
            critic.follow(&params.values[own + index * length..][..length], target_rate as f32);
        });
        for sums in &sums {
            statistics.add(sums);
        }
        statistics.updates += 1;
        Ok(())
    }

    /// Adds up the shards' gradients, in the order of the parameters.
    fn gather(&mut self) {
        let layout = self.params.layout();
        let range = layout.range(LOG_STD).expect("a Gaussian has standard deviations");
        let (own, length) = (self.policy.params.values.len(), self.critic_length());
        let actor = self.policy.shape.actor_mlp().parameter_count();
        self.gradient.fill(0.0);
        for room in &mut self.shards {
            take_gradient(&mut room.actor_gradient, &mut self.gradient[..actor]);
            take_gradient(&mut room.value_gradient, &mut self.gradient[actor..range.start]);
            for (sum, part) in self.gradient[range.clone()].iter_mut().zip(&mut room.log_std_gradient) {
                *sum += std::mem::take(part);
            }
            for (index, critic) in room.critics.gradients.iter_mut().enumerate() {
                take_gradient(critic, &mut self.gradient[own + index * length..][..length]);
            }
        }
    }

    /// Brings the networks up to date with the parameters.
    fn refresh(&mut self) {
        let (own, length) = (self.policy.params.values.len(), self.critic_length());
        let actor = self.policy.shape.actor_mlp().parameter_count();
        let value = self.policy.shape.critic_mlp().parameter_count();
        let params = &self.params;
        self.networks.actor.refresh(&params.values[..actor]);
        self.networks.value.refresh(&params.values[actor..][..value]);
        self.networks.log_std.copy_from_slice(params.tensor(LOG_STD));
        for (index, critic) in self.networks.critics.iter_mut().enumerate() {
            critic.refresh(&params.values[own + index * length..][..length]);
        }
    }

    fn critic_length(&self) -> usize {
        self.networks.critics[0].target_values().len()
    }
}

fn critic_name(index: usize) -> String {
    format!("action_value.{index}")
}

/// Sums over the updates of an iteration.
#[derive(Debug, Default)]
struct Statistics {
    updates: u64,
    sums: Sums,
}

impl Statistics {
    fn add(&mut self, sums: &Sums) {
        self.sums.fit.squared_error += sums.fit.squared_error;
        self.sums.fit.value += sums.fit.value;
        self.sums.value_loss += sums.value_loss;
        self.sums.advantage += sums.advantage;
        self.sums.weight += sums.weight;
        self.sums.apart += sums.apart;
    }

    /// Means; of nothing where no update was made yet.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
    fn metrics(&self, rows: usize, width: usize, critics: usize) -> Vec<(&'static str, f64)> {
        let (updates, total) = (self.updates as f64, self.updates as f64 * rows as f64);
        vec![
            ("critic_loss", self.sums.fit.squared_error / (total * critics as f64)),
            ("value_loss", self.sums.value_loss / total),
            ("value", self.sums.fit.value / total),
            ("advantage", self.sums.advantage / total),
            ("weight", self.sums.weight / total),
            ("distance", (self.sums.apart / (total * width as f64)).sqrt()),
            ("updates", updates),
        ]
    }
}

impl Learner for Iql {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let mut statistics = Statistics::default();
        let pool = Arc::clone(&self.pool);
        pool.enter(|| {
            for _ in 0..self.config.steps {
                let updates = if self.experience.takes_turn_alone() {
                    1
                } else {
                    self.act()?;
                    self.config.updates
                };
                for _ in 0..updates {
                    stop.check()?;
                    self.update(&mut statistics)?;
                }
            }
            Ok(())
        })?;
        self.params.check_finite()?;
        self.adam.check_finite()?;
        let critics = &self.networks.critics;
        critics.iter().enumerate().try_for_each(|(index, critic)| critic.check_finite(critic_name(index)))?;
        let metrics = statistics.metrics(self.batch.rows(), self.batch.width, critics.len());
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
        for (index, critic) in self.networks.critics.iter().enumerate() {
            let values = critic.target_values().to_vec();
            state.tensors.insert(format!("target.{index}"), Array::f32(&[values.len()], values));
        }
        self.experience.save(&mut state);
        state.put_counters("counters", &[self.acting_rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        let length = self.critic_length();
        for (index, critic) in self.networks.critics.iter_mut().enumerate() {
            critic.set_target(&take_f32(&mut left, &format!("target.{index}"), &[length])?);
        }
        self.refresh();
        self.experience.load(state, &mut left)?;
        let [acting] = State::take_counters(&mut left, "counters")?;
        self.acting_rng.seek(acting);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        let own = policy.params.values.len();
        policy.params.values.copy_from_slice(&self.params.values[..own]);
        // Back to the environment's own rewards.
        for name in ["critic.head.weight", "critic.head.bias"] {
            policy.params.tensor_mut(name).iter_mut().for_each(|value| *value /= self.experience.reward_scale());
        }
        policy
    }
}
