//! Adapting to one task: inner steps, as they were meta-learned, from a policy that then is the task's own.

use super::chain::Chain;
use super::episodes::{Ask, Gathered, gather};
use super::learner::{Counts, MakeTask};
use super::recipe::Inner;
use super::task::Task;
use crate::error::{Error, Result, within};
use crate::learn::{Learner, Progress, State};
use crate::parallel::Pool;
use crate::policy::{Binding, Policy};
use crate::rollout::MakeEnv;
use crate::seed::Stream;
use crate::stats::{Interval, mean, mean_interval};
use crate::stop::Stop;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a step of adaptation takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "adapt", deny_unknown_fields, default)]
pub struct Config {
    /// Episodes before each step.
    pub episodes: usize,
    /// Size of a step; absent, the policy's own, one for each parameter, and 0.1 where it has none.
    pub rate: Option<f64>,
    /// So many updates are of this size; each that follows of half the size of the one before, so that more of them do not overshoot where
    /// there is little left to gain ("halving the learning rate after the first gradient step produced superior performance", Finn et al.
    /// 2017, appendix A.2).
    pub full_updates: usize,
    /// What is descended on.
    pub inner: Inner,
    /// Discount of the next step's reward, gamma.
    pub discount: f64,
    /// Of generalized advantages over the linear baseline.
    pub gae_lambda: f64,
}

/// A step of a policy that was not meta-learned (Finn et al. 2017).
const DEFAULT_RATE: f64 = 0.1;

impl Default for Config {
    fn default() -> Self {
        Self { episodes: 20, rate: None, full_updates: 1, inner: Inner::LogProb, discount: 0.99, gae_lambda: 1.0 }
    }
}

impl Config {
    /// As in the inner loop of a meta-learner.
    #[must_use]
    pub const fn of(meta: &super::Config, inner: Inner) -> Self {
        Self {
            episodes: meta.episodes,
            rate: None,
            full_updates: if meta.inner_steps == 0 { 1 } else { meta.inner_steps },
            inner,
            discount: meta.discount,
            gae_lambda: meta.gae_lambda,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// Names the field and its range.
    pub fn check(&self) -> Result<()> {
        within("episodes", self.episodes, [1, 100_000])?;
        within("rate", self.rate.unwrap_or(DEFAULT_RATE), [0.0, 1e6])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("gae_lambda", self.gae_lambda, [0.0, 1.0])
    }

    /// Fails where a policy was learned to be taken as it is.
    ///
    /// # Errors
    /// Exit 2: every rate is 0.
    pub fn check_adapts(&self, policy: &Policy) -> Result<()> {
        if self.rates(policy).iter().any(|rate| *rate != 0.0) {
            return Ok(());
        }
        Err(Error::usage("the policy was learned to be taken as it is: its steps of adaptation have size 0")
            .hint("`heirloom evaluate` measures it as it is; `--set adapt.rate=0.1` makes it adapt"))
    }

    /// The rate of each parameter that chooses actions.
    #[must_use]
    pub fn rates(&self, policy: &Policy) -> Vec<f32> {
        #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
        let uniform = |rate: f64| vec![rate as f32; policy.shape.actor_layout().len()];
        match (self.rate, &policy.inner_rates) {
            (None, Some(rates)) => rates.clone(),
            (rate, _) => uniform(rate.unwrap_or(DEFAULT_RATE)),
        }
    }
}

/// A policy on its way into a task.
pub struct Adapting {
    config: Config,
    counts: Counts,
    policy: Policy,
    task: Task<f32>,
    rates: Vec<f32>,
    make: MakeEnv,
    seed: u64,
    updates: u64,
    environment_steps: u64,
}

impl Adapting {
    /// Before the first update.
    ///
    /// # Errors
    /// When the configuration is impossible, the policy does not fit the environment, or its networks are not those that can be differentiated
    /// twice.
    pub fn new(config: Config, counts: Counts, policy: Policy, make: MakeEnv, seed: u64) -> Result<Self> {
        config.check()?;
        policy.shape.check_memoryless("steps of adaptation")?;
        if !policy.shape.is_fused() {
            let activation = policy.shape.activation;
            return Err(Error::usage(format!("adaptation steps know networks of Tanh and Relu, not of {activation:?}"))
                .hint("`heirloom transfer --method fine-tune` learns with all"));
        }
        Binding::new(&policy.spaces, make()?.spaces())?;
        let (task, rates) = (Task::new(&policy.shape), config.rates(&policy));
        Ok(Self { config, counts, policy, task, rates, make, seed, updates: 0, environment_steps: 0 })
    }

    /// How often the next update is halved.
    fn halvings(&self) -> u64 {
        (self.updates + 1).saturating_sub(self.config.full_updates as u64)
    }

    /// Acts out the episodes before the next update.
    fn act(&self, stop: &Stop) -> Result<Gathered> {
        let episodes = self.config.episodes;
        let first = usize::try_from(self.updates).unwrap_or(usize::MAX / episodes).saturating_mul(episodes);
        let ask = Ask { first, episodes, seed: self.seed, discount: self.config.discount, lambda: self.config.gae_lambda };
        gather(&self.policy, &self.make, &ask, stop)
    }

    /// One update, by the episodes before it.
    fn update(&mut self, gathered: Gathered) -> Result<()> {
        self.environment_steps += gathered.finished.iter().map(|episode| episode.length).sum::<u64>();
        self.task.before = vec![gathered.batch];
        let part = 0.5_f32.powi(i32::try_from(self.halvings()).unwrap_or(i32::MAX));
        let rates = self.rates.iter().map(|rate| part * rate).collect();
        let mut chain = Chain::new(self.policy.shape.actor_values(&self.policy.params), rates);
        self.task.step(self.config.inner, &mut chain);
        self.policy.shape.set_actor_values(&mut self.policy.params, chain.end());
        self.policy.params.check_finite().map_err(|error| error.hint("a smaller `adapt.rate` may hold"))?;
        self.updates += 1;
        Ok(())
    }
}

impl Learner for Adapting {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let gathered = self.act(stop)?;
        let progress = Progress { metrics: vec![("return_before", gathered.total())], episodes: gathered.finished.clone() };
        self.update(gathered)?;
        Ok(progress)
    }

    fn steps(&self) -> u64 {
        match self.counts {
            Counts::Iterations => self.updates,
            Counts::Steps => self.environment_steps,
        }
    }

    fn environment_steps(&self) -> u64 {
        self.environment_steps
    }

    /// An update of less than a billionth moves nothing that single precision knows.
    fn finished(&self) -> bool {
        self.halvings() > 30
    }

    fn state(&self) -> State {
        let mut state = State::default();
        self.policy.params.save("params.", &mut state.tensors);
        state.put_counters("counters", &[self.updates, self.environment_steps]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        self.policy.params.load("params.", &mut left)?;
        let [updates, environment_steps] = State::take_counters(&mut left, "counters")?;
        (self.updates, self.environment_steps) = (updates, environment_steps);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        self.policy.clone()
    }
}

/// What a policy earns in a task at some point of its way into it: means over the episodes there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Return.
    pub total: f64,
    /// Length.
    pub length: f64,
}

/// What a policy earns in tasks as it adapts to each: for each task its mean return before the first update, after it, ... `updates` of them.
///
/// # Errors
/// When a task cannot be built, an environment fails, an update diverges, or it is broken off.
#[expect(clippy::too_many_arguments, reason = "which policy, which tasks, how, and what runs it")]
pub fn curves(
    policy: &Policy,
    make: &MakeTask,
    tasks: Range<u64>,
    config: &Config,
    updates: usize,
    seed: u64,
    pool: &Pool,
    stop: &Stop,
) -> Result<Vec<Vec<Point>>> {
    let mut numbers: Vec<u64> = tasks.collect();
    let curves = pool.map(&mut numbers, |_, number| {
        let seed = Stream::EvaluationTask(*number).seed_under(seed);
        let mut adapting = Adapting::new(config.clone(), Counts::Iterations, policy.clone(), make(*number)?, seed)?;
        let mut curve = Vec::with_capacity(updates + 1);
        for update in 0..=updates {
            stop.check_unarmed()?;
            let gathered = adapting.act(stop)?;
            curve.push(Point { total: gathered.total(), length: gathered.length() });
            if update < updates {
                adapting.update(gathered)?;
            }
        }
        Ok(curve)
    });
    curves.into_iter().collect()
}

/// Mean return over tasks after so many updates, with its 95 % interval; of a single task the mean alone.
#[must_use]
pub fn over_tasks(curves: &[Vec<Point>], update: usize) -> Interval {
    let returns: Vec<f64> = curves.iter().map(|curve| curve[update].total).collect();
    let mean = mean(&returns);
    mean_interval(&returns, 0.95).unwrap_or(Interval { mean, low: mean, high: mean })
}

/// The same before the first update, after it, ...
#[must_use]
pub fn by_update(curves: &[Vec<Point>]) -> Vec<Interval> {
    let points = curves.first().map_or(0, Vec::len);
    (0..points).map(|update| over_tasks(curves, update)).collect()
}
