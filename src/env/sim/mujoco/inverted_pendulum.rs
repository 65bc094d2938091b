//! Balance one pole, or two on top of each other, on a cart (`inverted_pendulum_v5.py`, `inverted_double_pendulum_v5.py`).

use super::channels;
use super::numpy;
use super::simulation::Simulation;
use super::task::{Outcome, Task};
use crate::env::{Channel, Parameter, Values};
use crate::seed::Rng;

pub(super) const SINGLE: [Parameter; 2] = [
    Parameter::new("reset_noise_scale", 0.01, [0.0, 1e3], "", "every component of the start state is uniform within this of zero"),
    Parameter::new("angle_limit", 0.2, [0.0, 10.0], "rad", "the task ends when the pole leans further"),
];

pub(super) const DOUBLE: [Parameter; 3] = [
    Parameter::new("reset_noise_scale", 0.1, [0.0, 1e3], "", "start positions are uniform within this of zero, velocities normal"),
    Parameter::new("healthy_reward", 10.0, [-1e6, 1e6], "", "reward of every step in which the tip stays up"),
    Parameter::new("least_height", 1.0, [-10.0, 10.0], "m", "the task ends when the tip is no higher"),
];

/// One pole.
pub(super) struct Single {
    noise: f64,
    limit: f64,
}

impl Single {
    pub(super) fn new(objective: &Values) -> Self {
        Self { noise: objective["reset_noise_scale"], limit: objective["angle_limit"] }
    }
}

impl Task for Single {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        positions.iter_mut().chain(velocities).for_each(|number| *number += rng.uniform(-self.noise, self.noise));
    }

    fn channels(&self, simulation: &Simulation) -> Vec<Channel> {
        let model = simulation.model();
        channels::unbounded(channels::positions(model).into_iter().chain(channels::velocities(model, "velocity")))
    }

    fn observe(&self, simulation: &Simulation, observation: &mut [f64]) {
        let (positions, velocities) = (simulation.positions(), simulation.velocities());
        observation[..positions.len()].copy_from_slice(positions);
        observation[positions.len()..].copy_from_slice(velocities);
    }

    fn judge(&self, simulation: &Simulation, _from: [f64; 2], _to: [f64; 2], _action: &[f64]) -> Outcome {
        let fallen = simulation.positions()[1].abs() > self.limit;
        Outcome { reward: if fallen { 0.0 } else { 1.0 }, terminated: fallen }
    }
}

/// Two poles.
pub(super) struct Double {
    noise: f64,
    healthy_reward: f64,
    least_height: f64,
}

impl Double {
    pub(super) fn new(objective: &Values) -> Self {
        let [noise, healthy_reward, least_height] = ["reset_noise_scale", "healthy_reward", "least_height"].map(|name| objective[name]);
        Self { noise, healthy_reward, least_height }
    }
}

impl Task for Double {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        for position in positions {
            *position += rng.uniform(-self.noise, self.noise);
        }
        for velocity in velocities {
            *velocity += rng.normal() * self.noise;
        }
    }

    fn channels(&self, simulation: &Simulation) -> Vec<Channel> {
        let model = simulation.model();
        let joints = channels::positions(model);
        let of = |what: &'static str| joints[1..].iter().map(move |joint| format!("{joint}_{what}"));
        let force = channels::velocities(model, "constraint_force").into_iter().take(1);
        let names =
            joints[..1].iter().cloned().chain(of("sin")).chain(of("cos")).chain(channels::velocities(model, "velocity")).chain(force);
        channels::unbounded(names)
    }

    fn observe(&self, simulation: &Simulation, observation: &mut [f64]) {
        let [x, one, two] = [0, 1, 2].map(|joint| simulation.positions()[joint]);
        let velocities = simulation.velocities();
        let clipped = |value: f64| value.clamp(-10.0, 10.0);
        observation[..5].copy_from_slice(&[x, one.sin(), two.sin(), one.cos(), two.cos()]);
        observation[5..8].iter_mut().zip(velocities).for_each(|(shown, velocity)| *shown = clipped(*velocity));
        observation[8] = clipped(simulation.constraint_forces()[0]);
    }

    fn judge(&self, simulation: &Simulation, _from: [f64; 2], _to: [f64; 2], _action: &[f64]) -> Outcome {
        let [x, _, y] = simulation.site_position(0);
        let fallen = y <= self.least_height;
        let (one, two) = (simulation.velocities()[1], simulation.velocities()[2]);
        let distance = 0.01 * numpy::square(x) + numpy::square(y - 2.0);
        let speed = 1e-3 * numpy::square(one) + 5e-3 * numpy::square(two);
        let alive = if fallen { 0.0 } else { self.healthy_reward };
        Outcome { reward: alive - distance - speed, terminated: fallen }
    }
}
