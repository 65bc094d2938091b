//! Everything about SAC that can be set.

use crate::env::Spaces;
use crate::error::{Result, within};
use crate::learn::action_value::{self, Objective};
use crate::learn::off_policy::{self, check_layers};
use crate::learn::replay::{self, Size};
use crate::nn::{Activation, ActorCritic, Mlp, adam};
use serde::{Deserialize, Serialize};

/// The weight of the entropy, alpha.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Temperature {
    /// It stays.
    Fixed(f64),
    /// It is learned, so that the entropy comes to a target (Haarnoja et al. 2018b, section 5).
    Automatic {
        /// What it starts at.
        initial: f64,
        /// The entropy to come to, in nats; minus the number of actions where absent (Haarnoja et al. 2018b, appendix D).
        target_entropy: Option<f64>,
    },
}

/// Hyper-parameters; the defaults are those of Stable-Baselines3's `SAC` (Raffin et al. 2021), which are the paper's, unless a line names
/// another source. [`super::defaults::for_environment`] has better ones for environments that are known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "sac", deny_unknown_fields, default)]
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
    /// Updates of the critics for one of actor and temperature (1 in the paper; as many as a round has in REDQ, Chen et al. 2021).
    pub actor_every: u64,
    /// Transitions that are kept.
    pub buffer: usize,
    /// Rows per update, `B`.
    pub minibatch: usize,
    /// Adam's step size, of actor, critics and temperature.
    pub learning_rate: f64,
    /// Discount of the next step's value, gamma.
    pub discount: f64,
    /// Steps whose rewards are summed before a value is asked for.
    pub n_step: usize,
    /// The part of the way that targets go in each update, tau.
    pub target_rate: f64,
    /// The weight of the entropy.
    pub temperature: Temperature,
    /// Critics, `N`.
    pub critics: usize,
    /// How many of them, drawn anew for every update, give the target; then the actor climbs the mean of all (REDQ). Where absent, all of them
    /// do, and the actor climbs the least.
    pub target_subset: Option<usize>,
    /// Hidden layers of the actor.
    pub actor: Vec<usize>,
    /// Hidden layers of each critic.
    pub critic: Vec<usize>,
    /// Whether the critics' hidden layers are normalised (as in RLPD, Ball et al. 2023).
    pub layer_norm: bool,
    /// Steps for which the noise behind an action is kept before it is drawn anew, in the spirit of gSDE (Raffin et al. 2022): 1 is the paper's.
    pub hold_noise: u64,
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
            actor_every: 1,
            buffer: 1_000_000,
            minibatch: 256,
            learning_rate: 3e-4,
            discount: 0.99,
            n_step: 1,
            target_rate: 0.005,
            temperature: Temperature::Automatic { initial: 1.0, target_entropy: None },
            critics: 2,
            target_subset: None,
            actor: vec![256, 256],
            critic: vec![256, 256],
            layer_norm: false,
            hold_noise: 1,
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

    /// The actor: observations to means and logarithms of standard deviations, `2 A`.
    #[must_use]
    pub fn actor_mlp(&self, spaces: &Spaces) -> Mlp {
        let sizes = [&[spaces.observation.len()], &self.actor[..], &[2 * spaces.action.size()]].concat();
        Mlp { sizes, activation: Activation::Relu, layer_norm: false }
    }

    /// A critic: observation and action to a value.
    #[must_use]
    pub fn critic_mlp(&self, spaces: &Spaces) -> Mlp {
        action_value::mlp(spaces.observation.len(), spaces.action.size(), &self.critic, self.layer_norm)
    }

    /// What the actor climbs.
    #[must_use]
    pub const fn objective(&self) -> Objective {
        if self.target_subset.is_some() { Objective::Mean } else { Objective::Least }
    }

    /// What the replay buffer holds.
    #[must_use]
    pub fn replay(&self, spaces: &Spaces) -> Size {
        let (observation, action) = (spaces.observation.len(), spaces.action.width());
        Size { observation, action, capacity: self.buffer, environments: self.environments }
    }

    /// The shape of the policy that comes of it.
    ///
    /// # Errors
    /// When actions are discrete, or one has no bounds.
    pub fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        off_policy::squashed("sac", spaces, [&self.actor, &self.critic], 0.0)
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
        within("actor_every", self.actor_every, [1, 1 << 16])?;
        within("buffer", self.buffer, [4 * self.environments, replay::MOST_ENTRIES])?;
        within("minibatch", self.minibatch, [1, 1 << 16])?;
        within("learning_rate", self.learning_rate, [0.0, 10.0])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("n_step", self.n_step, [1, 1000])?;
        within("target_rate", self.target_rate, [0.0, 1.0])?;
        match self.temperature {
            Temperature::Fixed(value) => within("temperature", value, [0.0, 1e6])?,
            Temperature::Automatic { initial, target_entropy } => {
                within("temperature.initial", initial, [1e-9, 1e6])?;
                within("temperature.target_entropy", target_entropy.unwrap_or(0.0), [-1e6, 1e6])?;
            }
        }
        within("critics", self.critics, [1, 64])?;
        within("target_subset", self.target_subset.unwrap_or(1), [1, self.critics])?;
        within("hold_noise", self.hold_noise, [1, 1 << 20])?;
        check_layers("actor", &self.actor)?;
        check_layers("critic", &self.critic)?;
        self.adam.check()
    }
}
