//! Everything about IQL that can be set.

use crate::env::Spaces;
use crate::error::{Result, within};
use crate::learn::action_value;
use crate::learn::off_policy::{self, check_layers};
use crate::learn::replay::{self, Size};
use crate::nn::{ActorCritic, Mlp, adam};
use serde::{Deserialize, Serialize};

/// Hyper-parameters; the defaults are those of the paper's code for locomotion (Kostrikov et al. 2022) unless a line says otherwise; its actor's
/// rate fades in a cosine, this one's does not; observations are normalised here; and rewards are scaled to a mean size of 1, there so that returns
/// of a thousand steps lie 1,000 apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "iql", deny_unknown_fields, default)]
pub struct Config {
    /// Updates from demonstrations alone, before the first step in the environment; where absent, there never is one.
    pub online_after: Option<u64>,
    /// Environments that are stepped one after the other between two rounds of updates, once there are any.
    pub environments: usize,
    /// Turns in an iteration: what is logged together, and no part of the algorithm.
    pub steps: usize,
    /// Updates after a step of each environment.
    pub updates: usize,
    /// Transitions of its own that are kept.
    pub buffer: usize,
    /// Rows per update, `B`.
    pub minibatch: usize,
    /// Adam's step size, of all networks.
    pub learning_rate: f64,
    /// Discount of the next state's value, gamma.
    pub discount: f64,
    /// The part of the way that targets go in each update.
    pub target_rate: f64,
    /// Which expectile of the values of what was done is a state's value, tau: 0.5 is their mean, 1 would be the greatest (0.9 in the paper's
    /// mazes).
    pub expectile: f64,
    /// How much more an action counts that was better than expected, beta: 0 is cloning.
    pub inverse_temperature: f64,
    /// No action counts more than this.
    pub most_weight: f64,
    /// Critics.
    pub critics: usize,
    /// Hidden layers of the actor.
    pub actor: Vec<usize>,
    /// Hidden layers of the value of states.
    pub value: Vec<usize>,
    /// Hidden layers of each critic.
    pub critic: Vec<usize>,
    /// Whether the critics' hidden layers are normalised (as in RLPD, Ball et al. 2023). The paper's are not: then values run away where nothing
    /// was demonstrated, and acting begins with a fall (`benches/README.md`).
    pub layer_norm: bool,
    /// The optimiser.
    pub adam: adam::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            online_after: None,
            environments: 1,
            steps: 100,
            updates: 1,
            buffer: 1_000_000,
            minibatch: 256,
            learning_rate: 3e-4,
            discount: 0.99,
            target_rate: 0.005,
            expectile: 0.7,
            inverse_temperature: 3.0,
            most_weight: 100.0,
            critics: 2,
            actor: vec![256, 256],
            value: vec![256, 256],
            critic: vec![256, 256],
            layer_norm: true,
            adam: adam::Config { epsilon: 1e-8, ..adam::Config::default() },
        }
    }
}

impl Config {
    /// Turns per iteration.
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

    /// The shape of the policy that comes of it: its critic is the value of states that was learned.
    ///
    /// # Errors
    /// When actions are discrete, or one has no bounds.
    pub fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        off_policy::squashed("iql", spaces, [&self.actor, &self.value], 0.0)
    }

    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        within("environments", self.environments, [1, replay::MOST_LANES])?;
        within("steps", self.steps, [1, 1 << 20])?;
        within("updates", self.updates, [1, 1 << 16])?;
        within("buffer", self.buffer, [4 * self.environments, replay::MOST_ENTRIES])?;
        within("minibatch", self.minibatch, [2, 1 << 16])?;
        within("learning_rate", self.learning_rate, [0.0, 10.0])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("target_rate", self.target_rate, [0.0, 1.0])?;
        within("expectile", self.expectile, [0.0, 1.0])?;
        within("inverse_temperature", self.inverse_temperature, [0.0, 1e6])?;
        within("most_weight", self.most_weight, [1e-6, 1e6])?;
        within("critics", self.critics, [1, 64])?;
        check_layers("actor", &self.actor)?;
        check_layers("value", &self.value)?;
        check_layers("critic", &self.critic)?;
        self.adam.check()
    }
}
