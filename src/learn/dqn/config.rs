//! Everything about DQN that can be set.

use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Result, within};
use crate::learn::Schedule;
use crate::learn::off_policy::check_layers;
use crate::learn::replay::{self, Size};
use crate::nn::{Activation, ActorCritic, Head, Mlp, adam};
use serde::{Deserialize, Serialize};

/// Hyper-parameters; the defaults are those of Stable-Baselines3's `DQN` (Raffin et al. 2021) unless a line names another source.
/// [`super::defaults::for_environment`] has better ones for environments that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "dqn", deny_unknown_fields, default)]
pub struct Config {
    /// Environments that are stepped one after the other between two updates.
    pub environments: usize,
    /// Steps of each environment in an iteration: what is logged together, and no part of the algorithm.
    pub steps: usize,
    /// Steps in all environments whose actions are drawn uniformly, before the first update.
    pub warm_up: u64,
    /// Steps of each environment between two rounds of updates.
    pub train_every: usize,
    /// Updates in a round.
    pub updates: usize,
    /// Steps of each environment after which the target becomes what was learned.
    pub target_every: u64,
    /// Transitions that are kept.
    pub buffer: usize,
    /// Rows per update, `B`.
    pub minibatch: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How it changes over the run.
    pub learning_rate_schedule: Schedule,
    /// Discount of the next step's value, gamma.
    pub discount: f64,
    /// Steps whose rewards are summed before a value is asked for.
    pub n_step: usize,
    /// Whether the action whose value is asked for is chosen by what is learned, and valued by the target.
    pub double: bool,
    /// Whether the values are learned as that of the state and the advantages of its actions.
    pub dueling: bool,
    /// The share of random actions at the end of exploration; at its start it is 1.
    pub final_epsilon: f64,
    /// The part of the run in which it falls there, in a straight line.
    pub exploration_fraction: f64,
    /// The gradient's norm is scaled down to this.
    pub max_grad_norm: f64,
    /// Hidden layers (256 and 256 in zoo's settings for classic control).
    pub layers: Vec<usize>,
    /// The optimiser.
    pub adam: adam::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environments: 1,
            steps: 100,
            warm_up: 100,
            train_every: 4,
            updates: 1,
            target_every: 10_000,
            buffer: 1_000_000,
            minibatch: 32,
            learning_rate: 1e-4,
            learning_rate_schedule: Schedule::Constant,
            discount: 0.99,
            n_step: 1,
            double: false,
            dueling: false,
            final_epsilon: 0.05,
            exploration_fraction: 0.1,
            max_grad_norm: 10.0,
            layers: vec![256, 256],
            adam: adam::Config { epsilon: 1e-8, ..adam::Config::default() },
        }
    }
}

impl Config {
    /// Environment steps per iteration.
    #[must_use]
    pub fn iteration_steps(&self) -> u64 {
        (self.environments * self.steps) as u64
    }

    /// What the replay buffer holds.
    #[must_use]
    pub fn replay(&self, spaces: &Spaces) -> Size {
        Size { observation: spaces.observation.len(), action: 1, capacity: self.buffer, environments: self.environments }
    }

    /// The share of random actions when `fraction` of the run is over.
    #[must_use]
    pub fn epsilon(&self, fraction: f64) -> f64 {
        let over = if self.exploration_fraction > 0.0 { (fraction / self.exploration_fraction).min(1.0) } else { 1.0 };
        1.0 + over * (self.final_epsilon - 1.0)
    }

    /// The network: observations to one number per action, and where it is dueling the state's value before them.
    pub(super) fn mlp(&self, inputs: usize, actions: usize) -> Mlp {
        let sizes = [&[inputs], &self.layers[..], &[actions + usize::from(self.dueling)]].concat();
        Mlp { sizes, activation: Activation::Relu, layer_norm: false }
    }

    /// The shape of the policy that comes of it.
    ///
    /// # Errors
    /// When actions are continuous.
    pub(super) fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        if let ActionSpace::Continuous(_) = spaces.action {
            return Err(Error::usage("`dqn` needs discrete actions").hint("`sac` and `td3` learn continuous actions off policy"));
        }
        Ok(ActorCritic {
            inputs: spaces.observation.len(),
            joined: 0,
            memory: 0,
            outputs: spaces.action.size(),
            actor: self.layers.clone(),
            critic: self.layers.clone(),
            activation: Activation::Relu,
            head: Head::Categorical,
        })
    }

    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        within("environments", self.environments, [1, replay::MOST_LANES])?;
        within("steps", self.steps, [1, 1 << 20])?;
        within("train_every", self.train_every, [1, 1 << 20])?;
        within("updates", self.updates, [1, 1 << 16])?;
        within("target_every", self.target_every, [1, 1 << 32])?;
        within("buffer", self.buffer, [4 * self.environments, replay::MOST_ENTRIES])?;
        within("minibatch", self.minibatch, [1, 1 << 16])?;
        within("learning_rate", self.learning_rate, [0.0, 10.0])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("n_step", self.n_step, [1, 1000])?;
        within("final_epsilon", self.final_epsilon, [0.0, 1.0])?;
        within("exploration_fraction", self.exploration_fraction, [0.0, 1.0])?;
        within("max_grad_norm", self.max_grad_norm, [1e-9, 1e9])?;
        check_layers("layers", &self.layers)?;
        self.adam.check()
    }
}
