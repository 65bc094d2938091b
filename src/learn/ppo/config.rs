//! Everything about PPO that can be set.

use crate::env::Spaces;
use crate::error::{Result, within};
use crate::learn::Schedule;
use crate::nn::{Activation, ActorCritic, Head, adam};
use crate::rollout::default_shards;
use serde::{Deserialize, Serialize};

/// Hyper-parameters; the defaults are those of `CleanRL`'s `ppo.py` (Huang et al. 2022) unless a line names another source.
/// [`super::defaults::for_environment`] has better ones for environments that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "ppo", deny_unknown_fields, default)]
pub struct Config {
    /// Environments acted in side by side, `N`.
    pub environments: usize,
    /// Steps of each environment per iteration, `T`.
    pub steps: usize,
    /// Rows per gradient step, `B`; the last minibatch of an epoch may be smaller.
    pub minibatch: usize,
    /// Passes over each rollout.
    pub epochs: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How it changes over the run.
    pub learning_rate_schedule: Schedule,
    /// Discount of the next step's value, gamma.
    pub discount: f64,
    /// Decay of later steps' share in an advantage, lambda.
    pub gae_lambda: f64,
    /// How far the ratio of probabilities may move, epsilon.
    pub clip: f64,
    /// How it changes over the run.
    pub clip_schedule: Schedule,
    /// How far a value may move from the one at acting time, in the critic's loss; no limit where absent (Andrychowicz et al. 2021
    /// find that it hurts).
    pub value_clip: Option<f64>,
    /// Weight of the critic's mean squared error, as in Stable-Baselines3.
    pub value_coefficient: f64,
    /// Weight of the entropy bonus.
    pub entropy_coefficient: f64,
    /// The gradient's norm is scaled down to this.
    pub max_grad_norm: f64,
    /// An iteration's epochs end when the approximate KL divergence from the acting policy exceeds 1.5 times this (Stable-Baselines3);
    /// never where absent.
    pub target_kl: Option<f64>,
    /// Whether each minibatch's advantages are shifted and scaled to mean 0 and standard deviation 1.
    pub normalize_advantages: bool,
    /// Whether observations are shifted and scaled by their running moments.
    pub normalize_observations: bool,
    /// Whether rewards are divided by the running standard deviation of the discounted return.
    pub normalize_returns: bool,
    /// Hidden layers of the actor.
    pub actor: Vec<usize>,
    /// Hidden layers of the critic.
    pub critic: Vec<usize>,
    /// Between layers.
    pub activation: Activation,
    /// What the actor's outputs mean; by the environment's action space where absent.
    pub head: Option<Head>,
    /// The optimiser.
    pub adam: adam::Config,
    /// Groups of environments that act side by side. Part of the result, unlike the number of threads; `max(1, min(8, N / 4))` where
    /// absent.
    pub shards: Option<usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environments: 8,
            steps: 128,
            minibatch: 256,
            epochs: 4,
            learning_rate: 2.5e-4,
            learning_rate_schedule: Schedule::Linear,
            discount: 0.99,
            gae_lambda: 0.95,
            clip: 0.2,
            clip_schedule: Schedule::Constant,
            value_clip: None,
            value_coefficient: 0.5,
            entropy_coefficient: 0.01,
            max_grad_norm: 0.5,
            target_kl: None,
            normalize_advantages: true,
            normalize_observations: false,
            normalize_returns: false,
            actor: vec![64, 64],
            critic: vec![64, 64],
            activation: Activation::Tanh,
            head: None,
            adam: adam::Config::default(),
            shards: None,
        }
    }
}

/// Rows from which a minibatch is worth cutting once more between threads.
const ROWS_PER_GRADIENT_SHARD: usize = 128;

impl Config {
    /// Groups of environments.
    #[must_use]
    pub fn resolved_shards(&self) -> usize {
        self.shards.unwrap_or_else(|| default_shards(self.environments))
    }

    /// Parts into which a minibatch's gradient is cut: a matter of configuration, never of threads.
    #[must_use]
    pub fn gradient_shards(&self) -> usize {
        (self.minibatch.min(self.environments * self.steps) / ROWS_PER_GRADIENT_SHARD).clamp(1, 8)
    }

    /// Environment steps per iteration.
    #[must_use]
    pub fn rollout_steps(&self) -> u64 {
        (self.environments * self.steps) as u64
    }

    /// The shape of the networks for an environment's spaces.
    ///
    /// # Errors
    /// When the configured head does not give actions of this space.
    pub fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        let head = self.head.unwrap_or_else(|| Head::of_space(&spaces.action, 0.0));
        head.check_space(&spaces.action)?;
        Ok(ActorCritic {
            inputs: spaces.observation.len(),
            joined: 0,
            memory: 0,
            outputs: spaces.action.size(),
            actor: self.actor.clone(),
            critic: self.critic.clone(),
            activation: self.activation,
            head,
        })
    }

    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let count = |name: &str, value: usize, most: usize| within(name, value, [1, most]);
        let number = |name: &str, value: f64, least: f64, most: f64| within(name, value, [least, most]);
        count("environments", self.environments, 1 << 16)?;
        count("steps", self.steps, 1 << 20)?;
        count("environments * steps", self.environments * self.steps, 1 << 23)?;
        count("minibatch", self.minibatch, 1 << 26)?;
        count("epochs", self.epochs, 1000)?;
        number("learning_rate", self.learning_rate, 0.0, 10.0)?;
        number("discount", self.discount, 0.0, 1.0)?;
        number("gae_lambda", self.gae_lambda, 0.0, 1.0)?;
        number("clip", self.clip, 1e-6, 1e6)?;
        number("value_clip", self.value_clip.unwrap_or(1.0), 1e-6, 1e6)?;
        number("value_coefficient", self.value_coefficient, 0.0, 1e6)?;
        number("entropy_coefficient", self.entropy_coefficient, -1e6, 1e6)?;
        number("max_grad_norm", self.max_grad_norm, 1e-9, 1e9)?;
        number("target_kl", self.target_kl.unwrap_or(1.0), 1e-9, 1e6)?;
        for (name, layers) in [("actor", &self.actor), ("critic", &self.critic)] {
            count(&format!("number of {name} layers"), layers.len().max(1), 16)?;
            layers.iter().try_for_each(|size| count(name, *size, 1 << 14))?;
            let weights: usize = layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
            count(&format!("number of {name} weights"), weights.max(1), 1 << 26)?;
        }
        if let Some(shards) = self.shards {
            count("shards", shards, self.environments)?;
        }
        let initial = self.head.and_then(|head| head.initial_log_std()).unwrap_or(0.0);
        number("initial_log_std", initial, -20.0, 5.0)?;
        self.adam.check()
    }
}
