//! Deep Q-learning (Mnih et al. 2015, "Human-level control through deep reinforcement learning"), with what became usual as options: double
//! (van Hasselt et al. 2016), dueling (Wang et al. 2016, as two linear streams on one trunk), `n` steps (Sutton 1988; Hessel et al. 2018).
//!
//! The policy that it gives has the values as its logits: its mode is the greedy action, and its probabilities mean nothing.

mod config;
pub mod defaults;

pub use config::Config;

use super::experience::{Experience, random_action};
use super::off_policy::{one_over, shards, take_gradient};
use super::replay::Batch;
use super::{Followed, Learner, Progress, State};
use crate::error::{Error, Result};
use crate::file::tensors::{Array, Data, take_f32};
use crate::nn::kernel::{Activations, CHUNK, Gradients, Real};
use crate::nn::params::{Layout, Params};
use crate::nn::{Adam, Mlp, init};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use std::ops::Range;
use std::sync::Arc;

/// Which of the usual options are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// As [`Config::double`].
    pub double: bool,
    /// As [`Config::dueling`].
    pub dueling: bool,
}

/// What one shard of a batch needs.
#[derive(Debug)]
pub struct Room<T = f32> {
    /// The rows of the batch that are its own.
    pub rows: Range<usize>,
    activations: Activations<T>,
    /// The summed gradient.
    pub gradient: Gradients<T>,
    /// `[rows]`: what is learned.
    pub target: Vec<T>,
    /// `[actions]`.
    values: Vec<T>,
    /// `[CHUNK, actions]`.
    next: Vec<T>,
}

impl<T: Real> Room<T> {
    /// For these rows and a network of this shape.
    #[must_use]
    pub fn new(rows: Range<usize>, mlp: &Mlp, actions: usize) -> Self {
        let zeros = |count: usize| vec![T::zero(); count];
        let (target, values, next) = (zeros(rows.len()), zeros(actions), zeros(CHUNK * actions));
        Self { rows, activations: Activations::new(mlp), gradient: Gradients::new(mlp), target, values, next }
    }
}

/// The values of a row's actions: what the network gives, or `V + A - mean A` (Wang et al. 2016, eq. 9).
fn put_values<T: Real>(dueling: bool, outputs: &[T], values: &mut [T]) {
    match outputs.split_first() {
        Some((state, advantages)) if dueling => {
            let mean = advantages.iter().copied().sum::<T>() * one_over(advantages.len());
            values.iter_mut().zip(advantages).for_each(|(value, advantage)| *value = *state + *advantage - mean);
        }
        _ => values.copy_from_slice(outputs),
    }
}

/// The first of the greatest.
fn greedy<T: Real>(values: &[T]) -> usize {
    (1..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}

/// Fills the targets of the room's rows: `y = r + γ max_a Q'(s', a)`, or `r + γ Q'(s', argmax_a Q(s', a))` where it is double (van Hasselt et al.
/// 2016, eq. 4).
pub fn put_targets<T: Real>(network: &Followed<T>, options: Options, batch: &Batch<T>, room: &mut Room<T>) {
    let actions = room.values.len();
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        for row in 0..count {
            room.activations.input_row(row).copy_from_slice(batch.next_observation(start + row));
        }
        network.target.forward(count, &mut room.activations);
        for row in 0..count {
            put_values(options.dueling, room.activations.output_row(row), &mut room.next[row * actions..][..actions]);
        }
        if options.double {
            network.online.forward(count, &mut room.activations);
        }
        for row in 0..count {
            let next = &room.next[row * actions..][..actions];
            let chosen = if options.double {
                put_values(options.dueling, room.activations.output_row(row), &mut room.values);
                greedy(&room.values)
            } else {
                greedy(next)
            };
            room.target[start - room.rows.start + row] = batch.reward[start + row] + batch.discount[start + row] * next[chosen];
        }
    }
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fit {
    /// Of the loss.
    pub loss: f64,
    /// Of the value of what was done.
    pub value: f64,
}

/// Adds the gradient of the Huber loss, `1 / B Σ e² / 2` where `|e| < 1` and `|e| - 1/2` elsewhere, with `e = Q(s, a) - y`, for the room's rows of
/// a batch of `B`, whose actions are indices.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an action is the index of one")]
pub fn add_gradient<T: Real>(network: &Followed<T>, options: Options, batch: &Batch<T>, room: &mut Room<T>) -> Fit {
    let actions = room.values.len();
    let (share, one) = (one_over::<T>(batch.rows()), T::one());
    let mut fit = Fit::default();
    for start in room.rows.clone().step_by(CHUNK) {
        let count = CHUNK.min(room.rows.end - start);
        for row in 0..count {
            room.activations.input_row(row).copy_from_slice(batch.observation(start + row));
        }
        network.online.forward(count, &mut room.activations);
        for row in 0..count {
            let done = batch.action(start + row)[0].wide() as usize;
            let (outputs, gradient) = room.activations.output_and_gradient(row);
            put_values(options.dueling, outputs, &mut room.values);
            let error = room.values[done] - room.target[start - room.rows.start + row];
            let size = error.abs();
            fit.loss += if size < one { 0.5 * size.wide() * size.wide() } else { size.wide() - 0.5 };
            fit.value += room.values[done].wide();
            let slope = share * if size > one { error.signum() } else { error };
            let advantages = if options.dueling {
                gradient[0] = slope;
                gradient[1..].fill(-slope * one_over(actions));
                &mut gradient[1..]
            } else {
                gradient.fill(T::zero());
                gradient
            };
            advantages[done] += slope;
        }
        network.online.backward(count, &mut room.activations, &mut room.gradient);
    }
    fit
}

/// The learner.
pub struct Dqn {
    config: Config,
    total_steps: u64,
    pool: Arc<Pool>,
    experience: Experience,
    policy: Policy,
    params: Params,
    adam: Adam,
    gradient: Vec<f32>,
    network: Followed,
    acting: Activations,
    shards: Vec<Room>,
    batch: Batch,
    acting_rng: Rng,
}

impl Dqn {
    /// Ready for the first [`Learner::advance`].
    ///
    /// # Errors
    /// When the configuration is impossible, actions are continuous, or an environment cannot be built.
    pub fn new(config: Config, make: &MakeEnv, total_steps: u64, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let spaces = make()?.spaces().clone();
        let shape = config.shape(&spaces)?;
        let mlp = config.mlp(shape.inputs, shape.outputs);
        let mut layout = Layout::default();
        mlp.declare("actor", &mut layout);
        let layout = Arc::new(layout);
        let mut params = Params::zeros(Arc::clone(&layout));
        init::uniform(&mut params, &mlp, "actor", &mut Stream::Init.under(seed));
        Ok(Self {
            experience: Experience::start(make, &spaces, config.environments, config.buffer, None, seed)?,
            adam: Adam::new(config.adam, &layout),
            gradient: vec![0.0; layout.len()],
            network: Followed::new(&mlp, &params.values),
            acting: Activations::new(&mlp),
            shards: shards(config.minibatch).into_iter().map(|rows| Room::new(rows, &mlp, shape.outputs)).collect(),
            batch: Batch::zeros(config.minibatch, shape.inputs, 1),
            acting_rng: Stream::ActionNoise(0).under(seed),
            policy: Policy::untrained(shape, &spaces, seed),
            params,
            total_steps,
            pool,
            config,
        })
    }

    const fn options(&self) -> Options {
        Options { double: self.config.double, dueling: self.config.dueling }
    }

    /// Fails where the buffer of a state, which is otherwise sound, holds an action that is none: whoever made it by hand may have put any number there.
    #[expect(clippy::cast_precision_loss, reason = "an index is small")]
    fn check_actions(&self, state: &State) -> Result<()> {
        let (inputs, actions) = (self.batch.inputs, self.policy.shape.outputs);
        let open = (0..self.experience.len()).filter_map(|index| {
            let name = format!("replay.{index}.open");
            state.tensors.get(&name).map(|array| (name, array))
        });
        let sealed = state.segments.iter().map(|(name, segment)| (name.clone(), segment.array()));
        for (name, array) in open.chain(sealed) {
            let Data::F32(rows) = &array.data else { continue };
            // A row is an observation, an action, a reward, and how it ended.
            let mut done = rows.chunks_exact(inputs + 3).map(|row| row[inputs]);
            if let Some(action) = done.find(|action| !(action.fract() == 0.0 && (0.0..actions as f32).contains(action))) {
                return Err(Error::artefact(format!("holds the action {action}; there are {actions}, from 0")).at(name));
            }
        }
        Ok(())
    }

    /// How much of the run is over.
    #[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
    fn fraction(&self) -> f64 {
        self.experience.steps() as f64 / self.total_steps.max(1) as f64
    }

    /// The share of random actions now.
    fn epsilon(&self) -> f64 {
        if self.experience.steps() < self.config.warm_up { 1.0 } else { self.config.epsilon(self.fraction()) }
    }

    /// Steps every environment once, epsilon-greedily.
    #[expect(clippy::cast_precision_loss, reason = "an index is small")]
    fn act(&mut self) -> Result<()> {
        let (count, epsilon, dueling) = (self.experience.len(), self.epsilon(), self.config.dueling);
        let mut values = vec![0.0; self.policy.shape.outputs];
        for start in (0..count).step_by(CHUNK) {
            let rows = CHUNK.min(count - start);
            for row in 0..rows {
                self.acting.input_row(row).copy_from_slice(self.experience.seen(start + row));
            }
            self.network.online.forward(rows, &mut self.acting);
            for row in 0..rows {
                let action = self.experience.action_mut(start + row);
                if self.acting_rng.unit() < epsilon {
                    random_action(&self.policy.spaces.action, &mut self.acting_rng, action);
                } else {
                    put_values(dueling, self.acting.output_row(row), &mut values);
                    action[0] = greedy(&values) as f32;
                }
            }
        }
        self.experience.step()
    }

    /// A gradient step on a batch (Mnih et al. 2015, algorithm 1).
    fn update(&mut self, statistics: &mut Statistics) -> Result<()> {
        self.experience.draw(self.config.discount, self.config.n_step, &mut self.batch);
        let (options, network, batch) = (self.options(), &self.network, &self.batch);
        let fits = self.pool.map(&mut self.shards, |_, room| {
            put_targets(network, options, batch, room);
            add_gradient(network, options, batch, room)
        });
        self.gradient.fill(0.0);
        self.shards.iter_mut().for_each(|room| take_gradient(&mut room.gradient, &mut self.gradient));
        let rates = vec![1.0; self.params.layout().entries().len()];
        let max_grad_norm = self.config.max_grad_norm;
        let learning_rate = self.config.learning_rate * self.config.learning_rate_schedule.factor(self.fraction());
        self.adam.step(&mut self.params, &mut self.gradient, learning_rate, max_grad_norm, &rates)?;
        self.network.refresh(&self.params.values);
        for fit in fits {
            statistics.fit.loss += fit.loss;
            statistics.fit.value += fit.value;
        }
        statistics.updates += 1;
        Ok(())
    }

    /// The greatest value of an action for an observation `[O]`, as the network sees it.
    #[must_use]
    pub fn value(&self, observation: &[f32]) -> f32 {
        let mut acting = self.acting.clone();
        acting.input_row(0).copy_from_slice(observation);
        self.network.online.forward(1, &mut acting);
        let mut values = vec![0.0; self.policy.shape.outputs];
        put_values(self.config.dueling, acting.output_row(0), &mut values);
        values[greedy(&values)]
    }
}

/// Sums over the updates of an iteration.
#[derive(Debug, Default)]
struct Statistics {
    updates: u64,
    fit: Fit,
}

impl Learner for Dqn {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let mut statistics = Statistics::default();
        let pool = Arc::clone(&self.pool);
        pool.enter(|| {
            for _ in 0..self.config.steps {
                self.act()?;
                if self.experience.rounds().is_multiple_of(self.config.target_every) {
                    self.network.follow(&self.params.values, 1.0);
                }
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
        self.network.check_finite("actor")?;
        #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
        let (rows, updates) = ((statistics.updates * self.batch.rows() as u64) as f64, statistics.updates as f64);
        let metrics = vec![
            ("loss", statistics.fit.loss / rows),
            ("value", statistics.fit.value / rows),
            ("epsilon", self.epsilon()),
            ("updates", updates),
        ];
        Ok(Progress { metrics, episodes: self.experience.take_finished() })
    }

    fn steps(&self) -> u64 {
        self.experience.steps()
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.params.save("params.", &mut state.tensors);
        self.adam.save(&mut state.tensors);
        let target = self.network.target_values().to_vec();
        state.tensors.insert("target".into(), Array::f32(&[target.len()], target));
        self.experience.save(&mut state);
        state.put_counters("counters", &[self.acting_rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        self.network.refresh(&self.params.values);
        self.network.set_target(&take_f32(&mut left, "target", &[self.params.values.len()])?);
        self.experience.load(state, &mut left)?;
        self.check_actions(state)?;
        let [acting] = State::take_counters(&mut left, "counters")?;
        self.acting_rng.seek(acting);
        State::finish(&left)
    }

    /// Two linear streams on one trunk are one linear layer: `V + A - mean A` is folded into it.
    fn policy(&self) -> Policy {
        let mut policy = self.policy.clone();
        if !self.config.dueling {
            let values = &self.params.values;
            policy.params.values[..values.len()].copy_from_slice(values);
            return policy;
        }
        let actions = policy.shape.outputs;
        for entry in self.params.layout().entries() {
            let from = &self.params.values[entry.range.clone()];
            let into = policy.params.tensor_mut(&entry.name);
            if !entry.name.starts_with("actor.head.") {
                into.copy_from_slice(from);
                continue;
            }
            // Of the bias a row is one number.
            let columns = into.len() / actions;
            let (state, advantages) = from.split_at(columns);
            for column in 0..columns {
                let of = |action: usize| advantages[action * columns + column];
                #[expect(clippy::cast_precision_loss, reason = "few actions")]
                let mean = (0..actions).map(of).sum::<f32>() / actions as f32;
                (0..actions).for_each(|action| into[action * columns + column] = state[column] + of(action) - mean);
            }
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Registry;
    use crate::error::Kind;
    use crate::learn::reference::{self, distance, matrix, numbers, wide};
    use crate::learn::state::Segment;
    use tch::Tensor;

    #[test]
    fn exploration_falls_in_a_straight_line() {
        let config = Config { exploration_fraction: 0.2, final_epsilon: 0.1, ..Config::default() };
        let shares = [0.0, 0.1, 0.2, 1.0].map(|fraction| config.epsilon(fraction));
        for (share, expected) in shares.iter().zip([1.0, 0.55, 0.1, 0.1]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        assert!((Config { exploration_fraction: 0.0, ..config }.epsilon(0.0) - 0.1).abs() < 1e-12);
    }

    /// Errors of targets and gradient.
    fn errors<T: Real>(seed: u64) -> [f64; 2] {
        crate::nn::autograd::use_one_thread();
        let mut rng = Stream::Env(0).under(seed);
        let options = Options { double: seed & 1 == 1, dueling: seed & 2 == 2 };
        let (rows, inputs, actions) = (1 + rng.below(150), 1 + rng.below(20), 1 + rng.below(6));
        let config = Config { layers: reference::layers(&mut rng, false), dueling: options.dueling, ..Config::default() };
        let mlp = config.mlp(inputs, actions);
        let (online, target): (Vec<T>, Vec<T>) = (reference::weights(&mut rng, &mlp), reference::weights(&mut rng, &mlp));
        let mut batch = reference::batch::<T>(&mut rng, rows, inputs, 1);
        let done: Vec<i64> = (0..rows).map(|_| i64::try_from(rng.below(actions)).unwrap()).collect();
        batch.action = done.iter().map(|action| T::of(f64::from(u8::try_from(*action).unwrap()))).collect();
        let mut network = Followed::new(&mlp, &online);
        network.set_target(&target);
        let mut room = Room::new(0..rows, &mlp, actions);

        let values = |leaves: &[Tensor], observation: &Tensor| {
            let outputs = reference::forward(&mlp, leaves, observation);
            if !options.dueling {
                return outputs;
            }
            let advantages = outputs.narrow(1, 1, i64::try_from(actions).unwrap());
            outputs.narrow(1, 0, 1) + &advantages - advantages.mean_dim(1, true, tch::Kind::Double)
        };
        put_targets(&network, options, &batch, &mut room);
        let next = matrix(&batch.next_observation, rows);
        let leaves = reference::leaves(&mlp, &wide(&online));
        let there = values(&reference::leaves(&mlp, &wide(&target)), &next);
        let chosen = if options.double { values(&leaves, &next) } else { &there + 0.0 }.argmax(1, true);
        let next_value = there.gather(1, &chosen, false).squeeze_dim(-1);
        let target = matrix(&batch.reward, rows).squeeze_dim(-1) + matrix(&batch.discount, rows).squeeze_dim(-1) * next_value;
        let of_targets = distance(&room.target, &numbers(&target.detach()));

        let target = matrix(&room.target, rows).squeeze_dim(-1);
        add_gradient(&network, options, &batch, &mut room);
        let mut found = vec![T::zero(); online.len()];
        take_gradient(&mut room.gradient, &mut found);
        let done = Tensor::from_slice(&done).view([-1, 1]);
        let value = values(&leaves, &matrix(&batch.observation, rows)).gather(1, &done, false).squeeze_dim(-1);
        let loss = value.smooth_l1_loss(&target, tch::Reduction::Mean, 1.0);
        let expected = reference::gradient(&loss, &leaves.iter().collect::<Vec<_>>());
        [of_targets, distance(&found, &expected)]
    }

    /// An action that is none is refused where a state is read, in what is sealed and in what is not.
    #[test]
    fn a_buffer_with_an_action_that_is_none_is_refused() {
        let registry = Registry::standard();
        let spec = registry.resolve("cartpole").unwrap();
        let make: MakeEnv = Arc::new(move || registry.build(&spec));
        let config = Config { buffer: 64, minibatch: 4, warm_up: 10, layers: vec![4], ..Config::default() };
        let learner = || Dqn::new(config.clone(), &make, 1000, 0, Arc::new(Pool::inline())).unwrap();
        let mut first = learner();
        first.advance(&Stop::default()).unwrap();
        let sound = first.state();
        learner().restore(&sound).unwrap();
        // Four channels are seen; the action stands behind them.
        let spoiled = |array: &Array, action: f32| {
            let mut array = array.clone();
            if let Data::F32(rows) = &mut array.data {
                rows[4] = action;
            }
            array
        };
        for action in [2.0, -1.0, 0.5, 1e30] {
            let mut state = sound.clone();
            let open = state.tensors.get_mut("replay.0.open").unwrap();
            *open = spoiled(open, action);
            let error = learner().restore(&state).unwrap_err();
            assert_eq!((error.kind(), error.place()), (Kind::Artefact, Some("replay.0.open")), "{action}: {error}");
            let mut state = sound.clone();
            let (name, segment) = state.segments.first_key_value().map(|(name, segment)| (name.clone(), Arc::clone(segment))).unwrap();
            state.segments.insert(name, Segment::new(spoiled(segment.array(), action)));
            assert!(learner().restore(&state).unwrap_err().message().starts_with("holds the action"), "{action}");
        }
    }

    #[test]
    fn targets_and_gradients_are_autograds() {
        for seed in 0..250 {
            let wide = errors::<f64>(seed);
            assert!(wide.iter().all(|error| *error <= 1e-9), "case {seed} in f64: {wide:?}");
            let narrow = errors::<f32>(seed);
            assert!(narrow.iter().all(|error| *error <= 1e-5), "case {seed} in f32: {narrow:?}");
        }
    }
}
