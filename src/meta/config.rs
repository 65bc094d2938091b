//! Everything about the outer loop that can be set.

use super::recipe::ClippedSteps;
use crate::env::Spaces;
use crate::env::tasks::Splits;
use crate::error::{Error, Result, within};
use crate::learn::trust_region;
use crate::nn::{Activation, ActorCritic, Head, adam};
use serde::{Deserialize, Serialize};

/// The defaults are those of MAML's 2-D navigation (Finn et al. 2017, appendix A.2) unless a line names another source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "meta", deny_unknown_fields, default)]
pub struct Config {
    /// Tasks per iteration.
    pub tasks: usize,
    /// Episodes of each task before each inner step, and after the last.
    pub episodes: usize,
    /// Inner steps.
    pub inner_steps: usize,
    /// Size of an inner step; where rates are learned, at the start.
    pub inner_rate: f64,
    /// Discount of the next step's reward, gamma.
    pub discount: f64,
    /// Of generalized advantages over the linear baseline.
    pub gae_lambda: f64,
    /// Hidden layers.
    pub hidden: Vec<usize>,
    /// Between layers.
    pub activation: Activation,
    /// The logarithm of the standard deviation of a continuous action at the start, in units of half its range.
    pub initial_log_std: f64,
    /// The outer step of MAML and what is made of it.
    pub trust_region: trust_region::Config,
    /// The outer steps of `ProMP`.
    pub clipped: ClippedSteps,
    /// Of the way to the mean of the tasks' ends that Reptile goes.
    pub reptile_step: f64,
    /// Adam, of `ProMP`'s outer steps.
    pub adam: adam::Config,
    /// Which tasks are trained on, and which are kept to judge by.
    pub splits: Splits,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tasks: 20,
            episodes: 20,
            inner_steps: 1,
            inner_rate: 0.1,
            discount: 0.99,
            gae_lambda: 1.0,
            hidden: vec![64, 64],
            activation: Activation::Tanh,
            initial_log_std: 0.0,
            trust_region: trust_region::Config::default(),
            clipped: ClippedSteps::default(),
            reptile_step: 0.1,
            adam: adam::Config::default(),
            splits: Splits::default(),
        }
    }
}

impl Config {
    /// Checks every number.
    ///
    /// # Errors
    /// The field's name, and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        within("tasks", self.tasks, [1, 10_000])?;
        within("episodes", self.episodes, [1, 10_000])?;
        within("inner_steps", self.inner_steps, [0, 1000])?;
        // The episodes of an iteration are all in memory at once.
        within("tasks * episodes * (inner_steps + 1)", self.tasks * self.episodes * (self.inner_steps + 1), [1, 1_000_000])?;
        within("inner_rate", self.inner_rate, [0.0, 1e6])?;
        within("discount", self.discount, [0.0, 1.0])?;
        within("gae_lambda", self.gae_lambda, [0.0, 1.0])?;
        within("initial_log_std", self.initial_log_std, [-20.0, 5.0])?;
        within("reptile_step", self.reptile_step, [1e-9, 1.0])?;
        within("clip", self.clipped.clip, [1e-6, 1e6])?;
        within("kl_penalty", self.clipped.kl_penalty, [0.0, 1e6])?;
        within("learning_rate", self.clipped.learning_rate, [0.0, 1e3])?;
        if self.hidden.len() > 16 || self.hidden.iter().any(|size| !(1..=4096).contains(size)) {
            return Err(Error::usage("`hidden` is out of range").hint("up to 16 layers of 1 to 4096 units"));
        }
        if !self.activation.is_fused() {
            return Err(Error::usage(format!("`activation` cannot be {:?}: its second derivative is not known here", self.activation))
                .hint("take Tanh or Relu"));
        }
        within("steps", self.clipped.steps, [1, 1000])?;
        within("beta1", self.adam.beta1, [0.0, 0.999_999])?;
        within("beta2", self.adam.beta2, [0.0, 0.999_999_9])?;
        within("epsilon", self.adam.epsilon, [1e-30, 1.0])?;
        within("weight_decay", self.adam.weight_decay, [0.0, 1e3])?;
        self.trust_region.check()
    }

    /// The networks for an environment's spaces: no hidden layers for the critic, as the baseline is fitted anew to each task.
    #[must_use]
    pub fn shape(&self, spaces: &Spaces) -> ActorCritic {
        ActorCritic {
            inputs: spaces.observation.len(),
            joined: 0,
            memory: 0,
            outputs: spaces.action.size(),
            actor: self.hidden.clone(),
            critic: Vec::new(),
            activation: self.activation,
            head: Head::of_space(&spaces.action, self.initial_log_std),
        }
    }
}
