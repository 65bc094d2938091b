//! RL²: a policy that learns a task by remembering it (Duan et al. 2016, "RL²: Fast Reinforcement Learning via Slow Reinforcement Learning").
//!
//! A trial is several episodes of one task, one after the other (`Trial` in an environment's wrappers), and the policy's memory is kept over all of
//! them. PPO teaches it, with whole trials as what it learns from: the gradient goes back from a trial's end to its beginning. Adapting to a new
//! task is then nothing but acting in it.
//!
//! Nothing is open between iterations: trial `j` of iteration `n` has number `n M + j`, and its task, its chances and its actions follow from that.

mod config;
mod trials;

pub use config::Config;

use crate::error::Result;
use crate::learn::explained_variance::explained_variance;
use crate::learn::ppo::loss::{Terms, Weights};
use crate::learn::{Learner, Progress, State};
use crate::nn::kernel::CHUNK;
use crate::nn::{Adam, Network};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::episodes::Bound;
use crate::rollout::{MakeEnv, shard_range};
use crate::seed::{Rng, Stream};
use crate::stats::mean;
use crate::stop::Stop;
use std::sync::Arc;
use trials::Trials;

/// The learner.
pub struct Rl2 {
    config: Config,
    /// Iterations of the whole run, for the schedule.
    total: u64,
    make: MakeEnv,
    pool: Arc<Pool>,
    seed: u64,
    policy: Policy,
    network: Network,
    adam: Adam,
    shards: Vec<Trials>,
    order: Rng,
    iterations: u64,
    environment_steps: u64,
}

impl Rl2 {
    /// Ready for the first of `total` iterations.
    ///
    /// # Errors
    /// When the configuration is impossible, or an environment cannot be built.
    pub fn new(config: Config, make: MakeEnv, total: u64, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let env = make()?;
        let policy = Policy::untrained(config.shape(env.spaces()), env.spaces(), seed);
        let count = config.trials.div_ceil(CHUNK);
        Ok(Self {
            network: Network::new(&policy.shape, &policy.params),
            adam: Adam::new(config.adam, policy.params.layout()),
            shards: (0..count).map(|index| Trials::new(&policy.shape, shard_range(config.trials, count, index).len())).collect(),
            order: Stream::Minibatch.under(seed),
            config,
            total,
            make,
            pool,
            seed,
            policy,
            iterations: 0,
            environment_steps: 0,
        })
    }

    /// Acts out an iteration's trials.
    fn gather(&mut self, stop: &Stop) -> Result<()> {
        let bound = Bound::new(&self.policy, &self.policy.spaces)?;
        let (config, make, seed, count) = (&self.config, &self.make, self.seed, self.shards.len());
        let first = usize::try_from(self.iterations).unwrap_or(usize::MAX).saturating_mul(config.trials);
        self.pool.try_each(&mut self.shards, |index, shard| {
            let range = shard_range(config.trials, count, index);
            shard.gather(config, &bound, make, first + range.start..first + range.end, seed, stop)
        })?;
        self.environment_steps += self.shards.iter().map(Trials::steps).sum::<usize>() as u64;
        Ok(())
    }

    /// Mean of all advantages, and one over their standard deviation.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn advantage_scale(&self) -> [f32; 2] {
        let advantages: Vec<f64> = self.shards.iter().flat_map(Trials::advantages).collect();
        let centre = mean(&advantages);
        let variance = mean(&advantages.iter().map(|advantage| (advantage - centre).powi(2)).collect::<Vec<_>>());
        [centre as f32, (1.0 / (variance.sqrt() + 1e-8)) as f32]
    }

    /// Epochs of gradient steps on the clipped surrogate.
    #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^24")]
    fn update(&mut self, stop: &Stop) -> Result<Vec<(&'static str, f64)>> {
        let config = &self.config;
        let fraction = self.iterations as f64 / self.total.max(1) as f64;
        let learning_rate = config.learning_rate * config.learning_rate_schedule.factor(fraction);
        let weights = Weights { clip: config.clip, value_clip: None, value: config.value_coefficient, entropy: config.entropy_coefficient };
        let advantages = self.advantage_scale();
        let per_step = self.shards.len().div_ceil(config.minibatches);
        let rates = vec![1.0; self.policy.params.layout().entries().len()];
        let (mut seen, mut steps, mut norm) = (Terms::default(), 0.0, 0.0);
        let mut order: Vec<usize> = (0..self.shards.len()).collect();
        for _ in 0..config.epochs {
            self.order.shuffle(&mut order);
            let mut shards: Vec<Option<&mut Trials>> = self.shards.iter_mut().map(Some).collect();
            for chosen in order.chunks(per_step) {
                stop.check()?;
                let mut minibatch: Vec<&mut Trials> = chosen.iter().filter_map(|index| shards[*index].take()).collect();
                let share = 1.0 / minibatch.iter().map(|shard| shard.steps()).sum::<usize>() as f32;
                let network = &self.network;
                let parts = self.pool.map(&mut minibatch, |_, shard| {
                    let (terms, gradient) = shard.gradient(network, &weights, share, advantages);
                    (terms, gradient.to_vec())
                });
                let mut gradient = vec![0.0; self.policy.params.values.len()];
                let mut terms = Terms::default();
                for (part, of_shard) in parts {
                    terms.add(&part);
                    gradient.iter_mut().zip(of_shard).for_each(|(sum, value)| *sum += value);
                }
                terms.check_finite()?;
                seen.add(&terms);
                steps += 1.0;
                norm += self.adam.step(&mut self.policy.params, &mut gradient, learning_rate, config.max_grad_norm, &rates)?;
                self.network.refresh(&self.policy.params);
            }
        }
        self.policy.params.check_finite()?;
        self.adam.check_finite()?;
        Ok(vec![
            ("policy_loss", seen.surrogate / steps),
            ("value_loss", seen.value / steps),
            ("entropy", seen.entropy / steps),
            ("approx_kl", seen.approx_kl / steps),
            ("clip_fraction", seen.clip_fraction / steps),
            ("gradient_norm", norm / steps),
            ("learning_rate", learning_rate),
            ("explained_variance", explained_variance(self.shards.iter().flat_map(Trials::value_pairs))),
        ])
    }
}

impl Learner for Rl2 {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        self.gather(stop)?;
        let metrics = self.update(stop)?;
        self.iterations += 1;
        let episodes = self.shards.iter_mut().flat_map(|shard| std::mem::take(&mut shard.finished)).collect();
        Ok(Progress { metrics, episodes })
    }

    /// Iterations.
    fn steps(&self) -> u64 {
        self.iterations
    }

    fn environment_steps(&self) -> u64 {
        self.environment_steps
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.policy.params.save("params.", &mut state.tensors);
        self.adam.save(&mut state.tensors);
        state.put_counters("counters", &[self.iterations, self.environment_steps, self.order.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.policy.params.load("params.", &mut left)?;
        self.adam.load(&mut left)?;
        let [iterations, environment_steps, position] = State::take_counters(&mut left, "counters")?;
        (self.iterations, self.environment_steps) = (iterations, environment_steps);
        self.order.seek(position);
        self.network.refresh(&self.policy.params);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        self.policy.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Registry;
    use crate::nn::unroll::Place;
    use crate::nn::{Unroll, autograd};
    use crate::rollout::collect::Choice;
    use crate::rollout::evaluate;
    use crate::stop::Stop;
    use tch::{Device, Kind, Tensor};

    fn environment(name: &str) -> MakeEnv {
        let registry = Registry::standard();
        let spec = registry.resolve(name).unwrap();
        Arc::new(move || registry.build(&spec))
    }

    fn learner(name: &str, config: &Config, total: u64, threads: usize) -> Rl2 {
        let pool = Arc::new(Pool::new(threads, autograd::use_one_thread).unwrap());
        Rl2::new(config.clone(), environment(name), total, 5, pool).unwrap()
    }

    fn little() -> Config {
        Config { memory: 12, hidden: vec![8], trials: 150, epochs: 2, minibatches: 2, ..Config::default() }
    }

    /// Random play earns 5.0 of 10; Gittins' index, which is nearly the best there is, 6.6. 400 trials are known to 0.1.
    #[test]
    fn a_bandit_is_learned_by_remembering_it() {
        let config = Config { memory: 32, trials: 1024, learning_rate: 1e-2, ..Config::default() };
        let mut learner = learner("bandit_5_trial", &config, 30, 2);
        for _ in 0..30 {
            learner.advance(&Stop::new()).unwrap();
        }
        let make = environment("bandit_5_trial");
        let found = evaluate(&learner.policy(), &make, 400, Choice::Mode, 1, &Pool::inline(), &Stop::new()).unwrap();
        let mean = mean(&found.iter().map(|trial| trial.total).collect::<Vec<_>>());
        assert!(mean > 6.0, "{mean}");
    }

    #[test]
    fn threads_and_stops_change_no_bit() {
        for name in ["bandit_5_trial", "mdp_trial", "pendulum_tasks"] {
            let config = Config { trials: if name == "pendulum_tasks" { 70 } else { 150 }, ..little() };
            let digests: Vec<String> = {
                let mut whole = learner(name, &config, 4, 1);
                let mut next = || {
                    whole.advance(&Stop::new()).unwrap();
                    whole.state().digest()
                };
                vec![next(), next(), next()]
            };
            let mut stopped = learner(name, &config, 4, 3);
            stopped.advance(&Stop::new()).unwrap();
            assert_eq!(stopped.state().digest(), digests[0], "{name}");
            let mut resumed = learner(name, &config, 4, 2);
            resumed.restore(&stopped.state()).unwrap();
            for digest in &digests[1..] {
                resumed.advance(&Stop::new()).unwrap();
                assert_eq!(resumed.state().digest(), *digest, "{name}");
            }
        }
    }

    /// Acting and learning see the same: with nothing learned yet, every ratio of probabilities is 1.
    #[test]
    fn what_is_learned_from_is_what_was_acted() {
        let config = Config { learning_rate: 0.0, ..little() };
        let metrics = learner("bandit_5_trial", &config, 4, 1).advance(&Stop::new()).unwrap().metrics;
        let of = |name: &str| metrics.iter().find(|(known, _)| *known == name).unwrap().1;
        assert_eq!((of("approx_kl"), of("clip_fraction")), (0.0, 0.0));
    }

    /// Memory, actor and critic together against libtorch's autograd: the gradient of a random linear function of outputs and values.
    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
    fn the_gradient_through_a_trial_is_autograds() {
        let make = environment("bandit_5_trial");
        let (rows, count) = (7, 5);
        let config = Config { memory: 9, hidden: vec![6], ..Config::default() };
        let shape = config.shape(make().unwrap().spaces());
        let (inputs, outputs) = (shape.inputs, shape.outputs);
        let params = shape.init(2);
        let network = Network::new(&shape, &params);
        let mut rng = Stream::Env(0).under(3);
        let mut draw = |length: usize| (0..length).map(|_| rng.normal() as f32).collect::<Vec<f32>>();
        let (seen, weights) = (draw(count * rows * inputs), draw(count * rows * (outputs + 1)));
        let mut unroll = Unroll::new(&shape);
        unroll.steps.make_room(count);
        let places: Vec<Place> = (0..rows).flat_map(|row| (0..count).map(move |step| (step, row))).collect();
        for (step, row) in &places {
            unroll.steps.input_row(*step, *row).copy_from_slice(&seen[(step * rows + row) * inputs..][..inputs]);
        }
        network.remember(count, rows, &mut unroll);
        network.look(&places, &mut unroll);
        for (at, (step, row)) in places.iter().enumerate() {
            let weight = &weights[(step * rows + row) * (outputs + 1)..][..=outputs];
            unroll.workspace.outputs_and_gradient(at).1.copy_from_slice(&weight[..outputs]);
            *unroll.workspace.value_gradient(at) = weight[outputs];
        }
        network.look_back(&places, &mut unroll);
        network.remember_back(count, rows, &mut unroll);
        let mut gradient = vec![0.0; params.values.len()];
        unroll.take_gradient(&mut gradient);

        let leaves = autograd::leaves(&params, Kind::Double);
        let (actor, rest) = leaves.split_at(4);
        let (critic, memory) = rest.split_at(4);
        let double = |values: &[f32], columns: usize| autograd::matrix(values, values.len() / columns, columns).to_kind(Kind::Double);
        let mut hidden = Tensor::zeros([7, 9], (Kind::Double, Device::Cpu));
        let mut loss = Tensor::zeros([], (Kind::Double, Device::Cpu));
        for step in 0..count {
            let x = double(&seen[step * rows * inputs..][..rows * inputs], inputs);
            hidden = x.gru_cell(&hidden, &memory[0], &memory[1], Some(&memory[2]), Some(&memory[3]));
            let weight = double(&weights[step * rows * (outputs + 1)..][..rows * (outputs + 1)], outputs + 1);
            let found =
                Tensor::cat(&[autograd::mlp(shape.activation, actor, &hidden), autograd::mlp(shape.activation, critic, &hidden)], 1);
            loss += (found * weight).sum(Kind::Double);
        }
        let mut reference = vec![0.0; params.values.len()];
        autograd::add_gradient(&loss, &leaves, &mut reference).unwrap();
        let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
        let (error, size) = (norm(&mut gradient.iter().zip(&reference).map(|(a, b)| a - b)), norm(&mut reference.iter().copied()));
        assert!(error <= 1e-5 * size, "{error} of {size}");
    }
}
