//! Adam and `AdamW` (Kingma & Ba 2015; Loshchilov & Hutter 2019), over flat parameters, with a rate for every tensor.
//!
//! libtorch's optimisers cannot save their state; this one is three lists and a counter. Rates scale the step *after* Adam: on the
//! gradient Adam would undo them. A rate of 0 skips moments, decay and the clipping norm: a frozen tensor keeps every bit.

use super::params::{Layout, Params, check_finite};
use crate::error::{Error, Result, within};
use crate::file::tensors::{Array, Tensors, take_u64};
use num_traits::Float;
use pulp::{Arch, Simd, WithSimd};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Hyper-parameters of the optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root of the second moment (1e-5 as in `OpenAI`'s PPO, detail 3 of "The 37 Implementation Details of PPO").
    pub epsilon: f64,
    /// Decoupled weight decay; 0 is Adam.
    pub weight_decay: f64,
}

impl Default for Config {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-5, weight_decay: 0.0 }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        within("adam.beta1", self.beta1, [0.0, 0.999_999])?;
        within("adam.beta2", self.beta2, [0.0, 0.999_999_99])?;
        within("adam.epsilon", self.epsilon, [1e-20, 1.0])?;
        within("adam.weight_decay", self.weight_decay, [0.0, 1e3])
    }
}

/// The optimiser's state.
#[derive(Debug, Clone)]
pub struct Adam {
    config: Config,
    layout: Arc<Layout>,
    first: Params,
    second: Params,
    /// Updates so far of each tensor: a tensor that was frozen at first starts its bias correction when it thaws.
    steps: Vec<u64>,
    arch: Arch,
}

impl Adam {
    /// Before the first step.
    #[must_use]
    pub fn new(config: Config, layout: &Arc<Layout>) -> Self {
        let zeros = || Params::zeros(Arc::clone(layout));
        let steps = vec![0; layout.entries().len()];
        Self { config, layout: Arc::clone(layout), first: zeros(), second: zeros(), steps, arch: Arch::new() }
    }

    /// One step: clips the gradient's global norm to `max_norm`, then moves every tensor at `learning_rate` times its own rate.
    /// Gives the norm before clipping. `rates` holds one factor per tensor of the layout.
    ///
    /// # Errors
    /// Exit 5 when the norm is not finite, with the first tensor that is to blame; nothing is then changed.
    pub fn step(&mut self, params: &mut Params, gradient: &mut [f32], learning_rate: f64, max_norm: f64, rates: &[f32]) -> Result<f64> {
        let norm = self.norm(gradient, rates);
        if !norm.is_finite() {
            return Err(check_finite(&self.layout, gradient)
                .err()
                .unwrap_or_else(|| Error::diverged("the gradient's norm overflows").at("gradient")));
        }
        // PyTorch's clip_grad_norm_.
        let clip = (max_norm / (norm + 1e-6)).min(1.0);
        for (index, entry) in self.layout.entries().iter().enumerate() {
            if rates[index] == 0.0 {
                continue;
            }
            self.steps[index] += 1;
            let rate = learning_rate * f64::from(rates[index]);
            let range = entry.range.clone();
            let coefficients = Coefficients::new(&self.config, rate, clip, self.steps[index]);
            self.arch.dispatch(Update {
                parameters: &mut params.values[range.clone()],
                gradient: &gradient[range.clone()],
                first: &mut self.first.values[range.clone()],
                second: &mut self.second.values[range],
                coefficients,
            });
        }
        Ok(norm)
    }

    /// The global norm of what is not frozen: sums of 64 in f32, their sum in f64, in order.
    fn norm(&self, gradient: &[f32], rates: &[f32]) -> f64 {
        let thawed = self.layout.entries().iter().zip(rates).filter(|(_, rate)| **rate != 0.0);
        let squares: f64 = thawed.map(|(entry, _)| self.arch.dispatch(SumOfSquares(&gradient[entry.range.clone()]))).sum();
        squares.sqrt()
    }

    /// Fails where a moment is not finite.
    ///
    /// # Errors
    /// Exit 5; names the first tensor.
    pub fn check_finite(&self) -> Result<()> {
        let moment = |moment: &Params, name: &str| moment.check_finite().map_err(|error| error.at(name));
        moment(&self.first, "first moment").and_then(|()| moment(&self.second, "second moment"))
    }

    /// Adds moments and counters to a set that goes to disk.
    pub fn save(&self, into: &mut Tensors) {
        self.first.save("adam.first.", into);
        self.second.save("adam.second.", into);
        into.insert("adam.steps".into(), Array::u64(self.steps.clone()));
    }

    /// Takes moments and counters out of a set that came from disk.
    ///
    /// # Errors
    /// Exit 3 when one is missing or of another shape.
    pub fn load(&mut self, from: &mut Tensors) -> Result<()> {
        self.first.load("adam.first.", from)?;
        self.second.load("adam.second.", from)?;
        self.steps = take_u64(from, "adam.steps", self.steps.len())?;
        Ok(())
    }
}

/// What one step multiplies with, the same for every element of a tensor.
#[derive(Debug, Clone, Copy)]
pub struct Coefficients<T> {
    clip: T,
    /// Decay of the first moment, and one minus it; the difference is taken in f64, where 1 - 0.999 is 0.001.
    beta1: [T; 2],
    /// The same of the second.
    beta2: [T; 2],
    /// Learning rate over the first moment's bias correction.
    rate: T,
    /// One over the root of the second moment's bias correction.
    root_bias2: T,
    epsilon: T,
    /// What weight decay leaves.
    keep: T,
}

impl<T: Float> Coefficients<T> {
    /// For the `step`-th update, counted from 1.
    ///
    /// # Panics
    /// Never: every f64 has a nearest `T`.
    #[must_use]
    pub fn new(config: &Config, learning_rate: f64, clip: f64, step: u64) -> Self {
        let number = |value: f64| T::from(value).expect("every f64 has a nearest float");
        #[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
        let step = step as f64;
        Self {
            clip: number(clip),
            beta1: [number(config.beta1), number(1.0 - config.beta1)],
            beta2: [number(config.beta2), number(1.0 - config.beta2)],
            rate: number(learning_rate / (1.0 - config.beta1.powf(step))),
            root_bias2: number(1.0 / (1.0 - config.beta2.powf(step)).sqrt()),
            epsilon: number(config.epsilon),
            keep: number(1.0 - learning_rate * config.weight_decay),
        }
    }
}

/// Kingma & Ba, algorithm 1, on every element for itself: no order of summation, so any vector width gives the same bits.
#[inline(always)]
pub fn update<T: Float>(parameters: &mut [T], gradient: &[T], first: &mut [T], second: &mut [T], coefficients: &Coefficients<T>) {
    let Coefficients { clip, beta1, beta2, rate, root_bias2, epsilon, keep } = *coefficients;
    let moments = first.iter_mut().zip(second.iter_mut());
    for ((parameter, gradient), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
        let gradient = *gradient * clip;
        *first = beta1[0] * *first + beta1[1] * gradient;
        *second = beta2[0] * *second + beta2[1] * (gradient * gradient);
        let root = second.sqrt() * root_bias2 + epsilon;
        *parameter = *parameter * keep - rate * (*first / root);
    }
}

struct Update<'a> {
    parameters: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
    coefficients: Coefficients<f32>,
}

impl WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) {
        update(self.parameters, self.gradient, self.first, self.second, &self.coefficients);
    }
}

struct SumOfSquares<'a>(&'a [f32]);

impl WithSimd for SumOfSquares<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _simd: S) -> f64 {
        let block = |block: &[f32]| {
            let mut lanes = [0.0_f32; 16];
            for part in block.chunks(16) {
                lanes.iter_mut().zip(part).for_each(|(lane, value)| *lane += value * value);
            }
            lanes.iter().map(|lane| f64::from(*lane)).sum::<f64>()
        };
        self.0.chunks(256).map(block).sum()
    }
}
