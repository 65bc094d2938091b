//! Few-shot regression of sine waves (Finn, Abbeel & Levine 2017, section 5.1): the check of the inner loop and of the way back, without any
//! reinforcement learning.
//!
//! A task is a wave `y = a sin(x - p)`, `a` from `U[0.1, 5]`, `p` from `U[0, pi]`; a shot is a point of it at `x` from `U[-5, 5]`.

use super::chain::{Chain, InnerLoss};
use super::recipe::Order;
use crate::error::Result;
use crate::nn::init::orthogonal;
use crate::nn::kernel::Real;
use crate::nn::params::Layout;
use crate::nn::second_order::{Differentiator, RowLoss};
use crate::nn::{Activation, Adam, Mlp, Params, adam};
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use std::f64::consts::PI;
use std::sync::Arc;

/// Everything about it that can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Points that a task is adapted to.
    pub shots: usize,
    /// Points by which the outer loop judges a task.
    pub query: usize,
    /// Tasks per iteration.
    pub tasks: usize,
    /// Outer iterations.
    pub iterations: u64,
    /// Inner steps; 0 is pre-training on all waves.
    pub inner_steps: usize,
    /// Size of an inner step.
    pub inner_rate: f64,
    /// Part of that size which the steps have that follow those which were trained through, where more are taken.
    pub further: f64,
    /// Adam's step size outside; it falls linearly to 0 over the last half.
    pub learning_rate: f64,
}

/// As in the paper: 25 tasks, 70,000 iterations, Adam at 0.001, one inner step of 0.01; twice as many points to judge by as shots. Further
/// steps are half as long ("halving the learning rate after the first gradient step produced superior performance", its appendix A.2).
impl Default for Config {
    fn default() -> Self {
        Self { shots: 5, query: 10, tasks: 25, iterations: 70_000, inner_steps: 1, inner_rate: 0.01, further: 0.5, learning_rate: 1e-3 }
    }
}

/// A wave.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wave {
    amplitude: f64,
    phase: f64,
}

impl Wave {
    /// Draws one.
    pub fn draw(rng: &mut Rng) -> Self {
        Self { amplitude: rng.uniform(0.1, 5.0), phase: rng.uniform(0.0, PI) }
    }

    /// Draws points of it.
    pub fn points(self, count: usize, rng: &mut Rng) -> Points {
        let inputs: Vec<f32> = (0..count).map(|_| f32::of(rng.uniform(-5.0, 5.0))).collect();
        let targets = inputs.iter().map(|x| f32::of(self.amplitude * (x.wide() - self.phase).sin())).collect();
        Points { inputs, targets }
    }
}

/// Points of a wave.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    inputs: Vec<f32>,
    targets: Vec<f32>,
}

/// Mean squared error.
impl RowLoss<f32> for Points {
    fn gradient(&self, row: usize, at: [&[f32]; 2], [gradient, _]: [&mut [f32]; 2]) -> f32 {
        let (apart, share) = (at[0][0] - self.targets[row], share(self.targets.len()));
        gradient[0] = 2.0 * apart * share;
        apart * apart * share
    }

    fn change(&self, row: usize, at: [&[f32]; 2], by: [&[f32]; 2], gradient: [&mut [f32]; 2], [change, _]: [&mut [f32]; 2]) {
        self.gradient(row, at, gradient);
        change[0] = 2.0 * by[0][0] * share(self.targets.len());
    }
}

struct Shots<'a> {
    room: &'a mut Differentiator<f32>,
    points: &'a Points,
}

impl InnerLoss<f32> for Shots<'_> {
    fn gradient(&mut self, _step: usize, at: &[f32], into: &mut [f32]) {
        self.room.at(at);
        self.room.gradient(&self.points.inputs, self.points, into);
    }

    fn hessian_vector(&mut self, _step: usize, at: &[f32], direction: &[f32], into: &mut [f32]) {
        self.room.at(at);
        self.room.hessian_vector(&self.points.inputs, self.points, direction, into);
    }
}

/// `40-40`, rectified, as in the paper.
fn network() -> Mlp {
    Mlp { sizes: vec![1, 40, 40, 1], activation: Activation::Relu, layer_norm: false }
}

/// Learns a start from which a wave is learned from a few shots.
///
/// # Errors
/// Exit 5 when it diverges, [`crate::error::Kind::Stopped`] when it is broken off.
pub fn learn(config: &Config, seed: u64, stop: &Stop) -> Result<Vec<f32>> {
    let mlp = network();
    let mut layout = Layout::default();
    mlp.declare("net", &mut layout);
    let layout = Arc::new(layout);
    let mut start = Params::zeros(Arc::clone(&layout));
    let mut init = Stream::Init.under(seed);
    for entry in layout.entries().iter().filter(|entry| entry.name.ends_with(".weight")) {
        orthogonal(&mut start, &entry.name, if entry.name.contains("head") { 1.0 } else { 2.0_f64.sqrt() }, &mut init);
    }
    let mut room = Differentiator::<f32>::new(&mlp, 0);
    let mut optimiser = Adam::new(adam::Config { epsilon: 1e-8, ..adam::Config::default() }, &layout);
    let (rates, ones) = (vec![f32::of(config.inner_rate); layout.len()], vec![1.0; layout.entries().len()]);
    for iteration in 0..config.iterations {
        stop.check_unarmed()?;
        let mut sum = vec![0.0; layout.len()];
        for task in 0..config.tasks as u64 {
            let mut rng = Stream::TrainTask(iteration * config.tasks as u64 + task).under(seed);
            let wave = Wave::draw(&mut rng);
            let (shots, query) = (wave.points(config.shots, &mut rng), wave.points(config.query, &mut rng));
            let chain = descend(&mut room, &shots, &start.values, &rates, config.inner_steps);
            let mut gradient = vec![0.0; layout.len()];
            room.at(chain.end());
            room.gradient(&query.inputs, &query, &mut gradient);
            let [gradient, _] = chain.pull_back(Order::Second, gradient, &mut Shots { room: &mut room, points: &shots });
            sum.iter_mut().zip(gradient).for_each(|(sum, gradient)| *sum += gradient);
        }
        for sum in &mut sum {
            *sum *= share(config.tasks);
        }
        #[expect(clippy::cast_precision_loss, reason = "iterations stay below 2^53")]
        let left = 1.0 - iteration as f64 / config.iterations as f64;
        optimiser.step(&mut start, &mut sum, config.learning_rate * (2.0 * left).min(1.0), f64::INFINITY, &ones)?;
    }
    start.check_finite()?;
    Ok(start.values)
}

/// Points of a wave by which an adapted network is measured.
const MEASURED: usize = 100;

/// Mean squared errors in tasks that were not trained on, before the first inner step, after it, ... `steps` of them: `[tasks][steps + 1]`.
#[must_use]
pub fn errors(start: &[f32], config: &Config, steps: usize, tasks: u64, seed: u64) -> Vec<Vec<f64>> {
    let mut room = Differentiator::<f32>::new(&network(), 0);
    let rates = |step: usize| {
        let part = if step <= config.inner_steps.max(1) { 1.0 } else { config.further };
        vec![f32::of(part * config.inner_rate); start.len()]
    };
    let one = |task: u64| {
        let mut rng = Stream::TestTask(task).under(seed);
        let wave = Wave::draw(&mut rng);
        let (shots, query) = (wave.points(config.shots, &mut rng), wave.points(MEASURED, &mut rng));
        let mut at = start.to_vec();
        let mut errors = Vec::with_capacity(steps + 1);
        for step in 0..=steps {
            room.at(&at);
            errors.push(room.value(&query.inputs, &query).wide());
            if step < steps {
                at = Chain::descend(at, rates(step + 1), 1, &mut Shots { room: &mut room, points: &shots }).end().to_vec();
            }
        }
        errors
    };
    (0..tasks).map(one).collect()
}

fn descend(room: &mut Differentiator<f32>, shots: &Points, start: &[f32], rates: &[f32], steps: usize) -> Chain<f32> {
    Chain::descend(start.to_vec(), rates.to_vec(), steps, &mut Shots { room, points: shots })
}

/// One of so many.
#[expect(clippy::cast_precision_loss, reason = "a few")]
fn share(count: usize) -> f32 {
    1.0 / count as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::mean;

    /// A little of it: adapting helps a start that was meta-learned far more than one that was trained on all waves, whose mean is flat.
    #[test]
    fn a_learned_start_adapts_to_five_shots() {
        let config = Config { iterations: 3000, ..Config::default() };
        let after = |config: &Config, at: usize| {
            let start = learn(config, 1, &Stop::new()).unwrap();
            mean(&errors(&start, config, 5, 300, 2).iter().map(|errors| errors[at]).collect::<Vec<_>>())
        };
        let (meta, pooled) = (after(&config, 1), after(&Config { inner_steps: 0, ..config.clone() }, 1));
        assert!(meta < 1.6 && pooled > 2.0, "{meta} {pooled}");
    }
}
