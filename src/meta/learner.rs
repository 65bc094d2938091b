//! The outer loop: tasks side by side, one shard each, summed in their order.
//!
//! Nothing is open between iterations: the state is the start, the rates, the optimiser's moments and a counter. Task `j` of iteration `n` is
//! draw `n M + j` of the training tasks, and all its streams follow from that number.

use super::chain::Chain;
use super::episodes::{Ask, gather};
use super::recipe::{ClippedSteps, Outer};
use super::task::Task;
use super::{Config, Recipe};
use crate::error::{Error, Result};
use crate::file::tensors::{Array, take_f32};
use crate::learn::{Learner, Progress, State, trust_region};
use crate::nn::{Adam, Params, params};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::MakeEnv;
use crate::rollout::environments::Finished;
use crate::seed::Stream;
use crate::stats::mean;
use crate::stop::Stop;
use std::sync::Arc;

/// Builds the environments of the k-th training task.
pub type MakeTask = Arc<dyn Fn(u64) -> Result<MakeEnv> + Send + Sync>;

/// What a budget counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counts {
    /// Outer iterations.
    Iterations,
    /// Environment steps.
    Steps,
}

/// The learner.
pub struct Meta {
    config: Config,
    recipe: Recipe,
    counts: Counts,
    make: MakeTask,
    pool: Arc<Pool>,
    seed: u64,
    policy: Policy,
    /// The start, as [`crate::nn::ActorCritic::actor_values`] gives it.
    start: Params,
    /// Inner rates, one per parameter of the start.
    rates: Vec<f32>,
    adam: Adam,
    slots: Vec<Slot>,
    iterations: u64,
    environment_steps: u64,
}

/// Room for one task.
struct Slot {
    task: Task<f32>,
    chain: Chain<f32>,
    /// Mean returns before the first inner step, after it, ... of this iteration's task.
    returns: Vec<f64>,
    episodes: Vec<Finished>,
}

impl Meta {
    /// Ready for the first iteration.
    ///
    /// # Errors
    /// When the configuration is impossible.
    pub fn new(config: Config, recipe: Recipe, counts: Counts, policy: Policy, make: MakeTask, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        let layout = Arc::new(policy.shape.actor_layout());
        let mut start = Params::zeros(Arc::clone(&layout));
        start.values = policy.shape.actor_values(&policy.params);
        #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
        let rates = recipe.adapts.rates(&layout, config.inner_rate as f32);
        let slot = || Slot {
            task: Task::new(&policy.shape),
            chain: Chain::new(Vec::new(), Vec::new()),
            returns: Vec::new(),
            episodes: Vec::new(),
        };
        Ok(Self {
            adam: Adam::new(config.adam, &layout),
            slots: (0..config.tasks).map(|_| slot()).collect(),
            config,
            recipe,
            counts,
            make,
            pool,
            seed,
            policy,
            start,
            rates,
            iterations: 0,
            environment_steps: 0,
        })
    }

    /// Acts in every task, adapting on the way.
    fn gather(&mut self, stop: &Stop) -> Result<()> {
        let (first, config, recipe) = (self.iterations * self.config.tasks as u64, &self.config, &self.recipe);
        let (policy, start, rates, make, seed) = (&self.policy, &self.start.values, &self.rates, &self.make, self.seed);
        self.pool.try_each(&mut self.slots, |index, slot| {
            let number = first + index as u64;
            slot.gather(config, recipe, policy, [start, rates], &make(number)?, Stream::MetaTask(number).seed_under(seed), stop)
        })?;
        self.environment_steps += self.slots.iter().flat_map(|slot| &slot.episodes).map(|episode| episode.length).sum::<u64>();
        Ok(())
    }

    /// One TRPO step on start and, where they are learned, rates.
    fn trust_region(&mut self, config: &trust_region::Config, stop: &Stop) -> Result<Vec<(&'static str, f64)>> {
        let mut outer = OuterProblem { meta: self, stop };
        let (loss, gradient) = outer.gradient()?;
        let found = trust_region::step(config, loss, &gradient, &mut outer)?;
        if let Some(step) = &found.step {
            let (start, rates) = outer.meta.moved(step);
            outer.meta.start.values = start;
            outer.meta.rates = rates;
        }
        #[expect(clippy::cast_precision_loss, reason = "a few")]
        let backtracks = found.backtracks as f64;
        Ok(vec![("outer_loss", loss), ("improvement", loss - found.loss), ("kl", found.kl), ("backtracks", backtracks)])
    }

    /// Steps of Adam on the clipped surrogate of the same episodes (`ProMP`'s inner-most loop).
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn clipped(&mut self, config: &ClippedSteps, stop: &Stop) -> Result<Vec<(&'static str, f64)>> {
        let (mut first, mut last, mut divergence) = (0.0, 0.0, 0.0);
        let rates = vec![1.0; self.start.layout().entries().len()];
        for step in 0..config.steps {
            stop.check()?;
            let (recipe, start, inner) = (&self.recipe, &self.start.values, &self.rates);
            let (epsilon, weight) = (config.clip as f32, config.kl_penalty as f32);
            let found = self.pool.map(&mut self.slots, |_, Slot { task, .. }| {
                let chain = task.descend(recipe.inner, start, inner);
                let (loss, [mut gradient, _]) = task.gradient(recipe, &chain, epsilon);
                let divergence = task.penalty(start, weight, &mut gradient);
                (f64::from(loss), f64::from(divergence), gradient)
            });
            let mut gradient = average(found.iter().map(|(.., gradient)| gradient), start.len());
            last = mean(&found.iter().map(|(loss, ..)| *loss).collect::<Vec<_>>());
            divergence = mean(&found.iter().map(|(_, divergence, _)| *divergence).collect::<Vec<_>>());
            first = if step == 0 { last } else { first };
            self.adam.step(&mut self.start, &mut gradient, config.learning_rate, f64::INFINITY, &rates)?;
        }
        Ok(vec![("outer_loss", first), ("improvement", first - last), ("kl", divergence), ("backtracks", 0.0)])
    }

    /// Moves the start towards the mean of the tasks' ends.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn towards(&mut self, step: f64) -> Vec<(&'static str, f64)> {
        let ends = average(self.slots.iter().map(|slot| slot.chain.end()), self.start.values.len());
        let mut squares = 0.0;
        for (start, end) in self.start.values.iter_mut().zip(ends) {
            let moved = step as f32 * (end - *start);
            squares += f64::from(moved).powi(2);
            *start += moved;
        }
        vec![("moved", squares.sqrt())]
    }

    /// Start and rates after a step of both is taken away.
    fn moved(&self, step: &[f32]) -> (Vec<f32>, Vec<f32>) {
        let (of_start, of_rates) = step.split_at(self.start.values.len());
        let less = |at: &[f32], step: &[f32]| at.iter().zip(step).map(|(at, step)| at - step).collect::<Vec<_>>();
        let rates = if of_rates.is_empty() { self.rates.clone() } else { less(&self.rates, of_rates) };
        (less(&self.start.values, of_start), rates)
    }

    fn progress(&mut self, outer: Vec<(&'static str, f64)>) -> Progress {
        let over_tasks = |at: usize| mean(&self.slots.iter().map(|slot| slot.returns[at]).collect::<Vec<_>>());
        let last = self.config.inner_steps;
        let mut metrics =
            vec![("return_before", over_tasks(0)), ("return_after_one", over_tasks(last.min(1))), ("return_after", over_tasks(last))];
        metrics.extend(outer);
        if self.recipe.learns_rates {
            metrics.push(("mean_rate", mean(&self.rates.iter().map(|rate| f64::from(*rate)).collect::<Vec<_>>())));
        }
        let episodes = self.slots.iter_mut().flat_map(|slot| std::mem::take(&mut slot.episodes)).collect();
        Progress { metrics, episodes }
    }
}

impl Slot {
    #[expect(clippy::too_many_arguments, reason = "what a task's episodes depend on")]
    fn gather(
        &mut self,
        config: &Config,
        recipe: &Recipe,
        policy: &Policy,
        [start, rates]: [&Vec<f32>; 2],
        make: &MakeEnv,
        seed: u64,
        stop: &Stop,
    ) -> Result<()> {
        self.task.before.clear();
        self.returns.clear();
        self.chain = Chain::new(start.clone(), rates.clone());
        let mut acting = policy.clone();
        for step in 0..=config.inner_steps {
            stop.check()?;
            acting.shape.set_actor_values(&mut acting.params, self.chain.end());
            acting.params.check_finite().map_err(|error| diverged(&error, step))?;
            let ask = Ask {
                first: step * config.episodes,
                episodes: config.episodes,
                seed,
                discount: config.discount,
                lambda: config.gae_lambda,
            };
            let gathered = gather(&acting, make, &ask, stop)?;
            self.returns.push(gathered.total());
            self.episodes.extend(&gathered.finished);
            if step < config.inner_steps {
                self.task.before.push(gathered.batch);
                self.task.step(recipe.inner, &mut self.chain);
            } else {
                self.task.after = gathered.batch;
            }
        }
        Ok(())
    }
}

fn diverged(error: &Error, step: usize) -> Error {
    Error::diverged(format!("inner step {step} leads to a policy that {}", error.message())).hint("a smaller `meta.inner_rate` may hold")
}

/// The tasks' mean, as TRPO sees it.
struct OuterProblem<'a> {
    meta: &'a mut Meta,
    stop: &'a Stop,
}

impl OuterProblem<'_> {
    /// Of start, and of rates where they are learned.
    fn joined(&self, parts: &[[Vec<f32>; 2]]) -> Vec<f32> {
        let mut joined = average(parts.iter().map(|[of_start, _]| of_start), self.meta.start.values.len());
        if self.meta.recipe.learns_rates {
            joined.extend(average(parts.iter().map(|[_, of_rates]| of_rates), self.meta.rates.len()));
        }
        joined
    }

    fn gradient(&mut self) -> Result<(f64, Vec<f32>)> {
        let recipe = self.meta.recipe;
        let found = self.meta.pool.map(&mut self.meta.slots, |_, Slot { task, chain, .. }| task.gradient(&recipe, chain, f32::INFINITY));
        let (losses, parts): (Vec<f64>, Vec<_>) = found.into_iter().map(|(loss, parts)| (f64::from(loss), parts)).unzip();
        let gradient = self.joined(&parts);
        if gradient.iter().all(|value| value.is_finite()) {
            return Ok((mean(&losses), gradient));
        }
        Err(Error::diverged("the meta-gradient is not finite").hint("a smaller `meta.inner_rate` may hold"))
    }
}

impl trust_region::Problem<f32> for OuterProblem<'_> {
    fn fisher_vector(&mut self, direction: &[f32]) -> Result<Vec<f32>> {
        self.stop.check()?;
        let (of_start, of_rates) = direction.split_at(self.meta.start.values.len());
        let still = vec![0.0; if of_rates.is_empty() { of_start.len() } else { 0 }];
        let both = [of_start, if of_rates.is_empty() { &still[..] } else { of_rates }];
        let recipe = self.meta.recipe;
        let parts = self.meta.pool.map(&mut self.meta.slots, |_, Slot { task, chain, .. }| task.fisher_vector(&recipe, chain, both));
        Ok(self.joined(&parts))
    }

    fn after(&mut self, step: &[f32]) -> Result<[f64; 2]> {
        self.stop.check()?;
        let (start, rates) = self.meta.moved(step);
        let inner = self.meta.recipe.inner;
        let found = self.meta.pool.map(&mut self.meta.slots, |_, Slot { task, .. }| {
            let chain = task.descend(inner, &start, &rates);
            task.outcome(&chain, f32::INFINITY).map(f64::from)
        });
        let over_tasks = |at: usize| mean(&found.iter().map(|outcome| outcome[at]).collect::<Vec<_>>());
        Ok([over_tasks(0), over_tasks(1)])
    }
}

/// The mean of vectors of this length, summed in order.
fn average<'a, V: AsRef<[f32]> + ?Sized + 'a>(vectors: impl ExactSizeIterator<Item = &'a V>, length: usize) -> Vec<f32> {
    #[expect(clippy::cast_precision_loss, reason = "tasks of an iteration")]
    let share = 1.0 / vectors.len() as f32;
    let mut sum = vec![0.0; length];
    vectors.for_each(|vector| sum.iter_mut().zip(vector.as_ref()).for_each(|(sum, value)| *sum += value));
    for sum in &mut sum {
        *sum *= share;
    }
    sum
}

impl Learner for Meta {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        self.gather(stop)?;
        let outer = match self.recipe.outer {
            Outer::Trpo(config) => self.trust_region(&config, stop)?,
            Outer::Ppo(config) => self.clipped(&config, stop)?,
            Outer::Towards { step } => self.towards(step),
        };
        self.start.check_finite()?;
        params::check_finite(self.start.layout(), &self.rates).map_err(|error| error.at("inner rates"))?;
        self.policy.shape.set_actor_values(&mut self.policy.params, &self.start.values);
        self.iterations += 1;
        Ok(self.progress(outer))
    }

    fn steps(&self) -> u64 {
        match self.counts {
            Counts::Iterations => self.iterations,
            Counts::Steps => self.environment_steps,
        }
    }

    fn environment_steps(&self) -> u64 {
        self.environment_steps
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.policy.params.save("params.", &mut state.tensors);
        state.tensors.insert("rates".into(), Array::f32(&[self.rates.len()], self.rates.clone()));
        self.adam.save(&mut state.tensors);
        state.put_counters("counters", &[self.iterations, self.environment_steps]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.policy.params.load("params.", &mut left)?;
        self.start.values = self.policy.shape.actor_values(&self.policy.params);
        self.rates = take_f32(&mut left, "rates", &[self.rates.len()])?;
        self.adam.load(&mut left)?;
        let [iterations, environment_steps] = State::take_counters(&mut left, "counters")?;
        (self.iterations, self.environment_steps) = (iterations, environment_steps);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        let adapts = self.counts == Counts::Iterations;
        Policy { inner_rates: adapts.then(|| self.rates.clone()), ..self.policy.clone() }
    }
}
