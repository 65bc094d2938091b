//! A network that tells demonstrated transitions from the policy's, and the reward that follows from what it thinks.
//!
//! What the logit is made of is the method's: [`gail`] or [`airl`]. Here is what they share: inputs, loss, gradient penalty, steps.

use super::{airl, gail};
use crate::error::{Error, Result};
use crate::file::Tensors;
use crate::nn::{Adam, Layout, Moments, Normalizer, Params, adam, autograd, init};
use crate::seed::{Rng, Stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tch::{Kind, Tensor};

/// What the logit is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    /// One network of state and action.
    Gail,
    /// A reward and a shaping potential.
    Airl {
        /// Whether the reward looks at the state alone: then it can be carried to other dynamics.
        state_only: bool,
    },
}

/// Which reward follows from a logit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RewardSign {
    /// `-log(1 - D)`, never negative: every step is worth something, as where staying alive is the task.
    Positive,
    /// `log D`, never positive: every step costs, as where an episode ends in success.
    Negative,
    /// `log D - log(1 - D)`, the logit.
    Both,
}

impl RewardSign {
    /// The rewards of some logits, in a form that neither overflows nor cancels.
    #[must_use]
    pub fn of(self, logit: &Tensor) -> Tensor {
        match self {
            Self::Positive => logit.softplus(),
            Self::Negative => -(-logit).softplus(),
            Self::Both => logit.copy(),
        }
    }
}

/// Hyper-parameters of the network.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Hidden layers.
    pub hidden: Vec<usize>,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Rows of either side per gradient step.
    pub minibatch: usize,
    /// Weight of `(|grad| - 1)^2` between both sides (Gulrajani et al. 2017; Orsini et al. 2021 find it the best regulariser here).
    pub gradient_penalty: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { hidden: vec![64, 64], learning_rate: 1e-3, minibatch: 256, gradient_penalty: 1.0 }
    }
}

/// Rows of transitions, states as the environment shows them.
#[derive(Debug, Clone, Default)]
pub struct Transitions {
    /// `[B, O]`.
    pub state: Vec<f32>,
    /// `[B, W]`, as the head gives it.
    pub action: Vec<f32>,
    /// `[B, O]`: what was seen next.
    pub next: Vec<f32>,
    /// `[B]`: 0 where the task was over, 1 elsewhere.
    pub goes_on: Vec<f32>,
    /// `[B]`: log-probability of the action under the policy.
    pub log_prob: Vec<f32>,
}

/// The same as tensors; actions are one-hot where they are indices.
pub struct Batch {
    /// `[B, O]`, normalised.
    pub state: Tensor,
    /// `[B, A]`.
    pub action: Tensor,
    /// `[B, O]`, normalised.
    pub next: Tensor,
    /// `[B]`.
    pub goes_on: Tensor,
    /// `[B]`.
    pub log_prob: Tensor,
}

/// The discriminator.
pub struct Discriminator {
    form: Form,
    config: Config,
    discount: f64,
    inputs: usize,
    /// Classes of an action that is an index.
    classes: Option<usize>,
    params: Params,
    adam: Adam,
    leaves: Vec<Tensor>,
    normalizer: Normalizer,
    rng: Rng,
}

/// What an update saw.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Binary cross-entropy.
    pub loss: f64,
    /// Share of demonstrated rows that are taken for demonstrated.
    pub expert_accuracy: f64,
    /// Share of the policy's rows that are taken for the policy's.
    pub policy_accuracy: f64,
}

impl Discriminator {
    /// Before its first step. `width` is that of an action, `classes` how many there are where it is an index.
    #[must_use]
    pub fn new(form: Form, config: &Config, inputs: usize, width: usize, classes: Option<usize>, discount: f64, seed: u64) -> Self {
        let layout = Arc::new(layout(form, inputs, classes.unwrap_or(width), &config.hidden));
        let mut params = Params::zeros(Arc::clone(&layout));
        let mut rng = Stream::Discriminator.under(seed);
        for entry in layout.entries().iter().filter(|entry| entry.name.ends_with(".weight")) {
            init::orthogonal(&mut params, &entry.name, if entry.name.contains(".head.") { 1.0 } else { 2.0_f64.sqrt() }, &mut rng);
        }
        Self {
            form,
            discount,
            inputs,
            classes,
            adam: Adam::new(adam::Config { epsilon: 1e-8, ..adam::Config::default() }, &layout),
            leaves: autograd::leaves(&params, Kind::Float),
            params,
            normalizer: Normalizer::new(Moments::new(inputs)),
            config: config.clone(),
            rng,
        }
    }

    /// Rows of either side per gradient step.
    #[must_use]
    pub const fn minibatch(&self) -> usize {
        self.config.minibatch
    }

    /// Where rows are drawn from.
    pub const fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Takes states in for the normalisation of its input.
    pub fn observe(&mut self, states: &[f32]) {
        let mut moments = Moments::new(self.inputs);
        let mut row = vec![0.0; self.inputs];
        for state in states.chunks_exact(self.inputs) {
            row.iter_mut().zip(state).for_each(|(to, from)| *to = f64::from(*from));
            moments.push(&row);
        }
        self.normalizer.merge(&moments);
    }

    fn batch(&self, rows: &Transitions) -> Batch {
        let count = rows.goes_on.len();
        let normalized = |states: &[f32]| {
            let values: Vec<f32> =
                states.iter().enumerate().map(|(at, value)| self.normalizer.normalize(at % self.inputs, f64::from(*value))).collect();
            autograd::matrix(&values, count, self.inputs)
        };
        let action = match self.classes {
            None => autograd::matrix(&rows.action, count, rows.action.len() / count.max(1)),
            Some(classes) => {
                let mut one_hot = vec![0.0; count * classes];
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
                rows.action.iter().enumerate().for_each(|(row, index)| one_hot[row * classes + *index as usize] = 1.0);
                autograd::matrix(&one_hot, count, classes)
            }
        };
        Batch {
            state: normalized(&rows.state),
            action,
            next: normalized(&rows.next),
            goes_on: Tensor::from_slice(&rows.goes_on),
            log_prob: Tensor::from_slice(&rows.log_prob),
        }
    }

    /// The reward of each row, `[B]`.
    #[must_use]
    pub fn rewards(&self, rows: &Transitions, sign: RewardSign) -> Vec<f32> {
        tch::no_grad(|| to_numbers(&sign.of(&logit(self.form, &self.leaves, &self.batch(rows), self.discount))))
    }

    /// What it recovered: the reward of each row without shaping and without the policy, `[B]`. It is known but for a constant, and where
    /// episodes end early a constant is worth as much as all the rest: it is given the sign of the demonstrations.
    #[must_use]
    pub fn recovered(&self, rows: &Transitions, sign: RewardSign) -> Vec<f32> {
        tch::no_grad(|| to_numbers(&sign.of(&recovered(self.form, &self.leaves, &self.batch(rows)))))
    }

    /// One gradient step on as many rows of either side: binary cross-entropy, demonstrated is 1, and the gradient penalty.
    ///
    /// # Errors
    /// Exit 5 when a number is not finite.
    pub fn step(&mut self, expert: &Transitions, policy: &Transitions) -> Result<Seen> {
        let (expert, policy) = (self.batch(expert), self.batch(policy));
        let of = |batch: &Batch| logit(self.form, &self.leaves, batch, self.discount);
        let (expert_logit, policy_logit) = (of(&expert), of(&policy));
        let cross_entropy = cross_entropy(&expert_logit, &policy_logit);
        let mut loss = cross_entropy.copy();
        if self.config.gradient_penalty > 0.0 {
            let along: Vec<f32> = (0..self.config.minibatch).map(|_| self.rng.unit_f32()).collect();
            let penalty = gradient_penalty(self.form, &self.leaves, &expert, &policy, &Tensor::from_slice(&along), self.discount);
            loss += penalty * self.config.gradient_penalty;
        }
        let mut gradient = vec![0.0; self.params.values.len()];
        autograd::add_gradient(&loss, &self.leaves, &mut gradient).map_err(|error| error.at("discriminator"))?;
        let rates = vec![1.0; self.params.layout().entries().len()];
        self.adam.step(&mut self.params, &mut gradient, self.config.learning_rate, f64::INFINITY, &rates)?;
        self.params.check_finite().map_err(|error| error.at("discriminator"))?;
        autograd::refresh(&mut self.leaves, &self.params);
        let share = |right: Tensor| right.to_kind(Kind::Float).mean(Kind::Float).double_value(&[]);
        Ok(Seen {
            loss: cross_entropy.double_value(&[]),
            expert_accuracy: share(expert_logit.gt(0.0)),
            policy_accuracy: share(policy_logit.lt(0.0)),
        })
    }

    /// Adds everything that the future depends on to a set that goes to disk.
    pub fn save(&self, into: &mut Tensors) {
        self.params.save("discriminator.", into);
        let mut adam = Tensors::new();
        self.adam.save(&mut adam);
        into.extend(adam.into_iter().map(|(name, array)| (format!("discriminator.{name}"), array)));
        self.normalizer.moments.save("discriminator.input", into);
        into.insert("discriminator.position".into(), crate::file::Array::u64(vec![self.rng.position()]));
    }

    /// Continues from what [`Discriminator::save`] wrote.
    ///
    /// # Errors
    /// Exit 3 when it is another one's.
    pub fn load(&mut self, from: &mut Tensors) -> Result<()> {
        self.params.load("discriminator.", from)?;
        self.params.check_finite().map_err(|error| error.as_kind(crate::error::Kind::Artefact))?;
        let names: Vec<String> = from.keys().filter(|name| name.starts_with("discriminator.adam.")).cloned().collect();
        let mut adam = Tensors::new();
        for name in names {
            let array = from.remove(&name).ok_or_else(|| Error::artefact("is missing").at(&name))?;
            adam.insert(name["discriminator.".len()..].to_owned(), array);
        }
        self.adam.load(&mut adam)?;
        self.normalizer = Normalizer::new(Moments::load(self.inputs, "discriminator.input", from)?);
        let position = crate::file::tensors::take_u64(from, "discriminator.position", 1)?[0];
        self.rng.seek(position);
        autograd::refresh(&mut self.leaves, &self.params);
        Ok(())
    }
}

/// The parameters of a form: `action` is the width of an action as the network sees it.
#[must_use]
pub fn layout(form: Form, inputs: usize, action: usize, hidden: &[usize]) -> Layout {
    let mut layout = Layout::default();
    match form {
        Form::Gail => gail::declare(inputs, action, hidden, &mut layout),
        Form::Airl { state_only } => airl::declare(inputs, if state_only { 0 } else { action }, hidden, &mut layout),
    }
    layout
}

/// Log-odds `[B]` that transitions were demonstrated.
#[must_use]
pub fn logit(form: Form, leaves: &[Tensor], batch: &Batch, discount: f64) -> Tensor {
    match form {
        Form::Gail => gail::logit(leaves, &batch.state, &batch.action),
        Form::Airl { state_only } => airl::logit(leaves, batch, state_only, discount),
    }
}

/// The reward `[B]` without shaping and without the policy. Of GAIL the logit, which is all it has.
#[must_use]
pub fn recovered(form: Form, leaves: &[Tensor], batch: &Batch) -> Tensor {
    match form {
        Form::Gail => gail::logit(leaves, &batch.state, &batch.action),
        Form::Airl { state_only } => airl::reward(leaves, batch, state_only),
    }
}

/// Binary cross-entropy, demonstrated is 1: `E_expert[-log D] + E_policy[-log(1 - D)]`, from logits `[B]`.
#[must_use]
pub fn cross_entropy(expert_logit: &Tensor, policy_logit: &Tensor) -> Tensor {
    (-expert_logit).softplus().mean(expert_logit.kind()) + policy_logit.softplus().mean(policy_logit.kind())
}

/// `E (|grad logit(x)| - 1)^2` at places between the two sides, a share `along` `[B]` of the way to the expert (Gulrajani et al. 2017, eq. 3).
#[must_use]
pub fn gradient_penalty(form: Form, leaves: &[Tensor], expert: &Batch, policy: &Batch, along: &Tensor, discount: f64) -> Tensor {
    let kind = along.kind();
    let along = along.unsqueeze(-1);
    let back: Tensor = 1.0 - &along;
    let between = |expert: &Tensor, policy: &Tensor| {
        let between: Tensor = expert * &along + policy * &back;
        between.detach().set_requires_grad(true)
    };
    let batch = Batch {
        state: between(&expert.state, &policy.state),
        action: between(&expert.action, &policy.action),
        next: between(&expert.next, &policy.next),
        goes_on: expert.goes_on.ones_like(),
        log_prob: expert.log_prob.zeros_like(),
    };
    let inputs = match form {
        Form::Gail => vec![&batch.state, &batch.action],
        Form::Airl { state_only: true } => vec![&batch.state, &batch.next],
        Form::Airl { state_only: false } => vec![&batch.state, &batch.action, &batch.next],
    };
    let gradients = Tensor::run_backward(&[logit(form, leaves, &batch, discount).sum(kind)], &inputs, true, true);
    let squares = gradients.iter().map(|gradient| gradient.square().sum_dim_intlist(-1, false, kind));
    let norm = squares.fold(expert.goes_on.zeros_like(), |sum, square| sum + square);
    // The root has no derivative at zero.
    ((norm + 1e-12).sqrt() - 1.0).square().mean(kind)
}

fn to_numbers(values: &Tensor) -> Vec<f32> {
    let mut numbers = vec![0.0; values.numel()];
    let count = numbers.len();
    values.contiguous().copy_data(&mut numbers, count);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten choices between two actions in one state, `first` of them the first.
    fn choices(first: usize, log_prob: [f32; 2]) -> Transitions {
        let action: Vec<f32> = (0..10).map(|row| f32::from(u8::from(row >= first))).collect();
        let log_prob = action.iter().map(|action| log_prob[usize::from(*action > 0.5)]).collect();
        Transitions { state: vec![0.5; 10], next: vec![0.5; 10], goes_on: vec![0.0; 10], action, log_prob }
    }

    /// Where demonstrations choose the first action in 8 of 10 cases and the policy in 5, the best discriminator's odds are the ratio of
    /// the densities (Goodfellow et al. 2014, proposition 1), and AIRL's `f` is the expert's log-probability (Fu et al. 2018, section 4).
    #[test]
    fn the_best_discriminator_knows_both_densities() {
        autograd::use_one_thread();
        let half = 0.5_f32.ln();
        let (expert, policy) = (choices(8, [half; 2]), choices(5, [half; 2]));
        for form in [Form::Gail, Form::Airl { state_only: false }] {
            let config = Config { hidden: vec![8], gradient_penalty: 0.0, minibatch: 10, learning_rate: 1e-2 };
            let mut discriminator = Discriminator::new(form, &config, 1, 1, Some(2), 0.9, 0);
            for _ in 0..1500 {
                discriminator.step(&expert, &policy).unwrap();
            }
            let both = Transitions {
                state: vec![0.5; 2],
                next: vec![0.5; 2],
                goes_on: vec![0.0; 2],
                action: vec![0.0, 1.0],
                log_prob: vec![half; 2],
            };
            let odds = discriminator.rewards(&both, RewardSign::Both);
            for (found, expected) in odds.iter().zip([(0.8_f32 / 0.5).ln(), (0.2_f32 / 0.5).ln()]) {
                assert!((found - expected).abs() < 1e-3, "{form:?}: {odds:?}");
            }
            // What is recovered prefers the first action by the log of four; AIRL's does so whatever the policy was.
            let recovered = discriminator.recovered(&both, RewardSign::Both);
            assert!((recovered[0] - recovered[1] - 4.0_f32.ln()).abs() < 2e-3, "{form:?}: {recovered:?}");
        }
    }
}
