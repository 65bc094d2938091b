//! Everything about TD3 that can be set.

use crate::env::Spaces;
use crate::error::{Result, within};
use crate::learn::action_value;
use crate::learn::off_policy::{self, check_layers};
use crate::learn::replay::{self, Size};
use crate::nn::{ActorCritic, Mlp, adam};
use serde::{Deserialize, Serialize};

/// Hyper-parameters; the defaults are those of Stable-Baselines3's `TD3` (Raffin et al. 2021) unless a line names another source.
/// [`super::defaults::for_environment`] has better ones for environments that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "td3", deny_unknown_fields, default)]
pub struct Config {
    /// Environments that are stepped one after the other between two updates.
    pub environments: usize,
    /// Steps of each environment in an iteration: what is logged together, and no part of the algorithm.
    pub steps: usize,
    /// Steps in all environments whose actions are drawn uniformly, before the first update.
    pub warm_up: u64,
    /// Steps of each environment between two rounds of updates.
    pub train_every: usize,
    /// Updates of the critics in a round: with one environment and `train_every: 1` the ratio of updates to data.
    pub updates: usize,
    /// Updates of the critics for one of actor and targets, d.
    pub policy_delay: u64,
    /// Transitions that are kept.
    pub buffer: usize,
    /// Rows per update, `B`.
    pub minibatch: usize,
    /// Adam's step size, of actor and critics.
    pub learning_rate: f64,
    /// Discount of the next step's value, gamma.
    pub discount: f64,
    /// Steps whose rewards are summed before a value is asked for.
    pub n_step: usize,
    /// The part of the way that targets go, tau.
    pub target_rate: f64,
    /// Standard deviation of the noise on actions that are taken, in units of their bounds (0.1 in the paper and the zoo).
    pub exploration_noise: f64,
    /// Standard deviation of the noise on the target's actions.
    pub target_noise: f64,
    /// Where that noise is cut.
    pub target_noise_clip: f64,
    /// Critics; 1 is DDPG's.
    pub critics: usize,
    /// Hidden layers of the actor (400 and 300 units in the paper).
    pub actor: Vec<usize>,
    /// Hidden layers of each critic.
    pub critic: Vec<usize>,
    /// Whether the critics' hidden layers are normalised.
    pub layer_norm: bool,
    /// The optimiser.
    pub adam: adam::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            environments: 1,
            steps: 100,
            warm_up: 100,
            train_every: 1,
            updates: 1,
            policy_delay: 2,
            buffer: 1_000_000,
            minibatch: 256,
            learning_rate: 1e-3,
            discount: 0.99,
            n_step: 1,
            target_rate: 0.005,
            exploration_noise: 0.1,
            target_noise: 0.2,
            target_noise_clip: 0.5,
            critics: 2,
            actor: vec![400, 300],
            critic: vec![400, 300],
            layer_norm: false,
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

    /// A critic: observation and action to a value.
    #[must_use]
    pub fn critic_mlp(&self, spaces: &Spaces) -> Mlp {
        action_value::mlp(spaces.observation.len(), spaces.action.size(), &self.critic, self.layer_norm)
    }

    /// What the replay buffer holds.
    #[must_use]
    pub fn replay(&self, spaces: &Spaces) -> Size {
        let (observation, action) = (spaces.observation.len(), spaces.action.width());
        Size { observation, action, capacity: self.buffer, environments: self.environments }
    }

    /// The shape of the policy that comes of it. Its distribution is for who trains it on: its mode is what was learned, and its standard deviation
    /// that of the exploration.
    ///
    /// # Errors
    /// When actions are discrete, or one has no bounds.
    pub fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        off_policy::squashed("td3", spaces, [&self.actor, &self.critic], self.exploration_noise.max(1e-8).ln())
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
        within("policy_delay", self.policy_delay, [1, 1 << 16])?;
        within("buffer", self.buffer, [4 * self.environments, replay::MOST_ENTRIES])?;
        within("minibatch", self.minibatch, [1, 1 << 16])?;
        within("learning_rate", self.learning_rate, [0.0, 10.0])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("n_step", self.n_step, [1, 1000])?;
        within("target_rate", self.target_rate, [0.0, 1.0])?;
        within("exploration_noise", self.exploration_noise, [0.0, 1e3])?;
        within("target_noise", self.target_noise, [0.0, 1e3])?;
        within("target_noise_clip", self.target_noise_clip, [0.0, 1e3])?;
        within("critics", self.critics, [1, 64])?;
        check_layers("actor", &self.actor)?;
        check_layers("critic", &self.critic)?;
        self.adam.check()
    }
}
