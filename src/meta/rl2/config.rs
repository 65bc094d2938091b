//! Everything about RL² that can be set.

use crate::env::Spaces;
use crate::error::{Error, Result, within};
use crate::learn::Schedule;
use crate::nn::{Activation, ActorCritic, Head, adam};
use serde::{Deserialize, Serialize};

/// Discount and lambda are the paper's (Duan et al. 2016, appendix A), the clipped surrogate's numbers PPO's; sizes are smaller than the paper's
/// (256 units, 250,000 steps an iteration, TRPO), and reach what it reports for bandits (`benches/README.md`, "RL²").
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "rl2", deny_unknown_fields, default)]
pub struct Config {
    /// Units of the GRU, `H`.
    pub memory: usize,
    /// Hidden layers of actor and critic on top of it; the paper has none.
    pub hidden: Vec<usize>,
    /// Between layers.
    pub activation: Activation,
    /// Trials per iteration.
    pub trials: usize,
    /// Passes over them.
    pub epochs: usize,
    /// Gradient steps per pass, each on a part of the trials that is a multiple of 64 of them.
    pub minibatches: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// How it changes over the run.
    pub learning_rate_schedule: Schedule,
    /// Discount of the next step's value, gamma; across the episodes of a trial too.
    pub discount: f64,
    /// Decay of later steps' share in an advantage, lambda.
    pub gae_lambda: f64,
    /// How far the ratio of probabilities may move, epsilon.
    pub clip: f64,
    /// Weight of the critic's mean squared error.
    pub value_coefficient: f64,
    /// Weight of the entropy bonus.
    pub entropy_coefficient: f64,
    /// The gradient's norm is scaled down to this.
    pub max_grad_norm: f64,
    /// The logarithm of the standard deviation of a continuous action at the start.
    pub initial_log_std: f64,
    /// The optimiser.
    pub adam: adam::Config,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            memory: 64,
            hidden: Vec::new(),
            activation: Activation::Tanh,
            trials: 2048,
            epochs: 4,
            minibatches: 8,
            learning_rate: 5e-3,
            learning_rate_schedule: Schedule::Linear,
            discount: 0.99,
            gae_lambda: 0.3,
            clip: 0.2,
            value_coefficient: 0.5,
            entropy_coefficient: 0.01,
            max_grad_norm: 2.0,
            initial_log_std: 0.0,
            adam: adam::Config::default(),
        }
    }
}

impl Config {
    /// Checks every number.
    ///
    /// # Errors
    /// Exit 2; the field's name, and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        let count = |name: &str, value: usize, most: usize| within(name, value, [1, most]);
        count("memory", self.memory, 4096)?;
        count("trials", self.trials, 1 << 20)?;
        count("epochs", self.epochs, 1000)?;
        count("minibatches", self.minibatches, 1 << 14)?;
        within("learning_rate", self.learning_rate, [0.0, 10.0])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("gae_lambda", self.gae_lambda, [0.0, 1.0])?;
        within("clip", self.clip, [1e-6, 1e6])?;
        within("value_coefficient", self.value_coefficient, [0.0, 1e6])?;
        within("entropy_coefficient", self.entropy_coefficient, [-1e6, 1e6])?;
        within("max_grad_norm", self.max_grad_norm, [1e-9, 1e9])?;
        within("initial_log_std", self.initial_log_std, [-20.0, 5.0])?;
        within("adam.beta1", self.adam.beta1, [0.0, 0.999_999])?;
        within("adam.beta2", self.adam.beta2, [0.0, 0.999_999_99])?;
        within("adam.epsilon", self.adam.epsilon, [1e-20, 1.0])?;
        within("adam.weight_decay", self.adam.weight_decay, [0.0, 1e3])?;
        if self.hidden.len() > 16 || self.hidden.iter().any(|size| !(1..=4096).contains(size)) {
            return Err(Error::usage("`hidden` is out of range").hint("up to 16 layers of 1 to 4096 units"));
        }
        if !self.activation.is_fused() {
            return Err(Error::usage(format!("`activation` cannot be {:?}", self.activation)).hint("memory goes with Tanh or Relu"));
        }
        Ok(())
    }

    /// The networks for an environment's spaces.
    #[must_use]
    pub fn shape(&self, spaces: &Spaces) -> ActorCritic {
        ActorCritic {
            inputs: spaces.observation.len(),
            joined: 0,
            memory: self.memory,
            outputs: spaces.action.size(),
            actor: self.hidden.clone(),
            critic: self.hidden.clone(),
            activation: self.activation,
            head: Head::of_space(&spaces.action, self.initial_log_std),
        }
    }
}
