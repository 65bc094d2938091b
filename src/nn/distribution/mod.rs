//! Action distributions: what the actor's outputs mean.
//!
//! Each is written twice: on plain slices, row by row, with its gradient by hand, for acting and the fused update; and on tensors, for
//! autograd. A test in each file holds the two together.

pub mod categorical;
pub mod diagonal_gaussian;
mod second_order;
pub mod squashed_gaussian;

use crate::env::{Action, ActionSpace, Channel};
use crate::error::{Error, Result};
use crate::seed::Rng;
use serde::{Deserialize, Serialize};
use tch::Tensor;

/// The last layer's meaning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Head {
    /// One logit per discrete action.
    Categorical,
    /// Mean of each action; its standard deviation is a parameter that does not depend on the state.
    DiagonalGaussian {
        /// The logarithm of the standard deviation at the start.
        initial_log_std: f64,
    },
    /// The same, squashed into the bounds by tanh.
    SquashedGaussian {
        /// The logarithm of the standard deviation, before squashing, at the start.
        initial_log_std: f64,
    },
}

/// An action under a distribution.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluated {
    /// Log-probability of the action.
    pub log_prob: f32,
    /// Entropy of the distribution.
    pub entropy: f32,
    /// `log sum exp` of a categorical distribution's logits, which its gradient needs again; 0 elsewhere.
    log_total: f32,
}

impl Head {
    /// Whether standard deviations are among the parameters, and how they start.
    #[must_use]
    pub const fn initial_log_std(&self) -> Option<f64> {
        match self {
            Self::Categorical => None,
            Self::DiagonalGaussian { initial_log_std } | Self::SquashedGaussian { initial_log_std } => Some(*initial_log_std),
        }
    }

    /// Numbers that one action takes, given the actor's outputs.
    #[must_use]
    pub const fn action_width(&self, outputs: usize) -> usize {
        match self {
            Self::Categorical => 1,
            Self::DiagonalGaussian { .. } | Self::SquashedGaussian { .. } => outputs,
        }
    }

    /// The usual head for a space: a categorical one, or a plain Gaussian.
    #[must_use]
    pub const fn of_space(space: &ActionSpace, initial_log_std: f64) -> Self {
        match space {
            ActionSpace::Discrete(_) => Self::Categorical,
            ActionSpace::Continuous(_) => Self::DiagonalGaussian { initial_log_std },
        }
    }

    /// Fails unless the head gives actions of this space.
    ///
    /// # Errors
    /// Names both.
    pub fn check_space(&self, space: &ActionSpace) -> Result<()> {
        match (self, space) {
            (Self::Categorical, ActionSpace::Discrete(_)) | (Self::DiagonalGaussian { .. }, ActionSpace::Continuous(_)) => Ok(()),
            (Self::SquashedGaussian { .. }, ActionSpace::Continuous(channels)) => {
                match channels.iter().find(|channel| !(channel.low.is_finite() && channel.high.is_finite())) {
                    Some(channel) => Err(Error::usage(format!("`SquashedGaussian` needs bounds, the action `{}` has none", channel.name))),
                    None => Ok(()),
                }
            }
            (Self::Categorical, ActionSpace::Continuous(_)) => {
                Err(Error::usage("`Categorical` gives discrete actions, this environment takes continuous ones")
                    .hint("use `DiagonalGaussian`"))
            }
            (_, ActionSpace::Discrete(_)) => {
                Err(Error::usage("a Gaussian gives continuous actions, this environment takes discrete ones").hint("use `Categorical`"))
            }
        }
    }

    /// Draws an action, `[width]`, and gives its log-probability.
    #[inline]
    pub fn sample(&self, outputs: &[f32], log_std: &[f32], rng: &mut Rng, action: &mut [f32]) -> f32 {
        match self {
            Self::Categorical => categorical::sample(outputs, rng, action),
            Self::DiagonalGaussian { .. } => diagonal_gaussian::sample(outputs, log_std, rng, action),
            Self::SquashedGaussian { .. } => {
                diagonal_gaussian::sample(outputs, log_std, rng, action);
                squashed_gaussian::log_prob(outputs, log_std, action)
            }
        }
    }

    /// The action to take without exploring: the most probable one, the mean.
    #[inline]
    pub fn mode(&self, outputs: &[f32], action: &mut [f32]) {
        match self {
            Self::Categorical => action[0] = categorical::mode(outputs),
            Self::DiagonalGaussian { .. } | Self::SquashedGaussian { .. } => action.copy_from_slice(outputs),
        }
    }

    /// Log-probability of an action and entropy of the distribution.
    #[inline]
    #[must_use]
    pub fn evaluate(&self, outputs: &[f32], log_std: &[f32], action: &[f32]) -> Evaluated {
        match self {
            Self::Categorical => categorical::evaluate(outputs, action),
            Self::DiagonalGaussian { .. } => {
                let log_prob = diagonal_gaussian::log_prob(outputs, log_std, action);
                Evaluated { log_prob, entropy: diagonal_gaussian::entropy(log_std), log_total: 0.0 }
            }
            Self::SquashedGaussian { .. } => {
                let log_prob = squashed_gaussian::log_prob(outputs, log_std, action);
                Evaluated { log_prob, entropy: diagonal_gaussian::entropy(log_std), log_total: 0.0 }
            }
        }
    }

    /// Entropy of the distribution, in nats; of a squashed one, before squashing.
    #[must_use]
    pub fn entropy(&self, outputs: &[f32], log_std: &[f32]) -> f32 {
        match self {
            Self::Categorical => categorical::evaluate(outputs, &[0.0]).entropy,
            Self::DiagonalGaussian { .. } | Self::SquashedGaussian { .. } => diagonal_gaussian::entropy(log_std),
        }
    }

    /// Kullback-Leibler divergence from this distribution to another of the same head, in nats. Squashing both changes nothing.
    #[must_use]
    pub fn divergence(&self, [outputs, log_std]: [&[f32]; 2], [other_outputs, other_log_std]: [&[f32]; 2]) -> f32 {
        match self {
            Self::Categorical => categorical::divergence(outputs, other_outputs),
            Self::DiagonalGaussian { .. } | Self::SquashedGaussian { .. } => {
                diagonal_gaussian::divergence([outputs, log_std], [other_outputs, other_log_std])
            }
        }
    }

    /// Gradient of a loss with respect to outputs (written) and log-std (added), given that with respect to log-probability and entropy.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "inputs, two incoming and two outgoing gradients")]
    pub fn backward(
        &self,
        outputs: &[f32],
        log_std: &[f32],
        action: &[f32],
        evaluated: &Evaluated,
        log_prob_gradient: f32,
        entropy_gradient: f32,
        outputs_gradient: &mut [f32],
        log_std_gradient: &mut [f32],
    ) {
        match self {
            Self::Categorical => categorical::backward(outputs, action, evaluated, log_prob_gradient, entropy_gradient, outputs_gradient),
            // Squashing shifts the log-probability of an action by a number that no parameter enters.
            Self::DiagonalGaussian { .. } | Self::SquashedGaussian { .. } => {
                diagonal_gaussian::backward(
                    outputs,
                    log_std,
                    action,
                    log_prob_gradient,
                    entropy_gradient,
                    outputs_gradient,
                    log_std_gradient,
                );
            }
        }
    }

    /// Log-probabilities `[B]` of actions `[B, width]` and entropies `[B]`, given outputs `[B, A]` and log-std `[A]`.
    #[must_use]
    pub fn evaluate_tensors(&self, outputs: &Tensor, log_std: Option<&Tensor>, action: &Tensor) -> (Tensor, Tensor) {
        match (self, log_std) {
            (Self::DiagonalGaussian { .. }, Some(log_std)) => {
                (diagonal_gaussian::log_prob_tensor(outputs, log_std, action), diagonal_gaussian::entropy_tensor(outputs, log_std))
            }
            (Self::SquashedGaussian { .. }, Some(log_std)) => {
                (squashed_gaussian::log_prob_tensor(outputs, log_std, action), diagonal_gaussian::entropy_tensor(outputs, log_std))
            }
            _ => categorical::evaluate_tensors(outputs, action),
        }
    }

    /// Cuts an action to what the environment gets of it: a plain Gaussian's ends at the bounds. Tells whether anything was cut.
    pub fn cut(&self, action: &mut [f32], space: &ActionSpace) -> bool {
        let (Self::DiagonalGaussian { .. }, ActionSpace::Continuous(channels)) = (self, space) else { return false };
        let bounded = |channel: &Channel| channel.low.is_finite() && channel.high.is_finite();
        let mut changed = false;
        for (action, _) in action.iter_mut().zip(channels).filter(|(_, channel)| bounded(channel)) {
            changed |= action.abs() > 1.0;
            *action = action.clamp(-1.0, 1.0);
        }
        changed
    }

    /// Kullback-Leibler divergences `[B]` from one distribution to another of this head, given outputs `[B, A]` and log-std `[A]` of
    /// both.
    #[must_use]
    pub fn divergence_tensors(&self, [outputs, other_outputs]: [&Tensor; 2], log_std: [Option<&Tensor>; 2]) -> Tensor {
        match log_std {
            [Some(log_std), Some(other_log_std)] => {
                diagonal_gaussian::divergence_tensors([outputs, log_std], [other_outputs, other_log_std])
            }
            _ => categorical::divergence_tensors(outputs, other_outputs),
        }
    }

    /// A continuous action of the head for what the environment was given: the inverse of [`Head::to_env`]. At a bound a squashed action
    /// is not infinite, but within 1e-4 of it.
    #[must_use]
    pub fn from_env(&self, value: f64, channel: &Channel) -> f64 {
        if !(channel.low.is_finite() && channel.high.is_finite()) {
            return value;
        }
        let (middle, reach) = (0.5 * (channel.high + channel.low), 0.5 * (channel.high - channel.low));
        let unit = if reach > 0.0 { ((value - middle) / reach).clamp(-1.0, 1.0) } else { 0.0 };
        if matches!(self, Self::SquashedGaussian { .. }) { unit.clamp(-1.0 + 1e-4, 1.0 - 1e-4).atanh() } else { unit }
    }

    /// What the environment is given for an action of this head. Continuous actions are in units of the bounds: -1 is low, 1 is high,
    /// beyond is clipped; channels without bounds take the number as it is.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a categorical action is a small whole number")]
    pub fn to_env<'a>(&self, action: &[f32], space: &ActionSpace, values: &'a mut [f64]) -> Action<'a> {
        let squashed = matches!(self, Self::SquashedGaussian { .. });
        match space {
            ActionSpace::Discrete(_) => Action::Discrete(action[0] as usize),
            ActionSpace::Continuous(channels) => {
                for ((value, action), channel) in values.iter_mut().zip(action).zip(channels) {
                    *value = in_units(f64::from(if squashed { action.tanh() } else { *action }), channel);
                }
                Action::Continuous(values)
            }
        }
    }

    /// The same for the mean of one continuous action, without rounding: what weights mean, not how they are computed.
    #[must_use]
    pub fn exact_to_env(&self, output: f64, channel: &Channel) -> f64 {
        in_units(if matches!(self, Self::SquashedGaussian { .. }) { output.tanh() } else { output }, channel)
    }
}

/// An action in units of its bounds, where there are two, in the environment's units and within its bounds.
#[inline]
fn in_units(action: f64, channel: &Channel) -> f64 {
    let bounded = channel.low.is_finite() && channel.high.is_finite();
    let (middle, reach) = (0.5 * (channel.high + channel.low), 0.5 * (channel.high - channel.low));
    if bounded { middle + reach * action.clamp(-1.0, 1.0) } else { action.clamp(channel.low, channel.high) }
}
