//! Reach a point with two links, or push an object to one with an arm of seven joints (`reacher_v5.py`, `pusher_v5.py`).

use super::channels;
use super::layout::object;
use super::model::Model;
use super::numpy;
use super::simulation::Simulation;
use super::task::{Outcome, Task};
use crate::env::{Channel, Parameter, Values};
use crate::error::{Error, Result};
use crate::seed::Rng;

pub(super) const REACHER: [Parameter; 3] = [
    Parameter::new("reward_dist_weight", 1.0, [-1e6, 1e6], "", "what each metre from the goal takes from the reward"),
    Parameter::new("reward_control_weight", 1.0, [-1e6, 1e6], "", "what the sum of the action's squares takes"),
    Parameter::new("goal_range", 0.2, [0.0, 0.27], "m", "the goal is uniform in a disc of this radius"),
];

pub(super) const PUSHER: [Parameter; 5] = [
    Parameter::new("reward_near_weight", 0.5, [-1e6, 1e6], "", "what each metre between fingertips and object takes from the reward"),
    Parameter::new("reward_dist_weight", 1.0, [-1e6, 1e6], "", "what each metre between object and goal takes"),
    Parameter::new("reward_control_weight", 0.1, [-1e6, 1e6], "", "what the sum of the action's squares takes"),
    Parameter::new("goal_x", 0.0, [-1.0, 1.0], "m", "where the goal is, as far from its own place"),
    Parameter::new("goal_y", 0.0, [-1.0, 1.0], "m", "where the goal is, as far from its own place"),
];

fn body(model: &Model, name: &str) -> Result<usize> {
    model.id(object::BODY, name).ok_or_else(|| Error::usage(format!("the model has no body `{name}`")))
}

fn minus(one: [f64; 3], two: [f64; 3]) -> [f64; 3] {
    [one[0] - two[0], one[1] - two[1], one[2] - two[2]]
}

#[expect(clippy::cast_possible_truncation, reason = "an action is a float32 there, and with it its cost")]
fn control_cost(weight: f64, action: &[f64]) -> f64 {
    f64::from(-numpy::sum_of_squares(action) * weight as f32)
}

/// Reach a point.
pub(super) struct Reacher {
    distance_weight: f64,
    control_weight: f64,
    range: f64,
    fingertip: usize,
    target: usize,
}

impl Reacher {
    pub(super) fn new(model: &Model, objective: &Values) -> Result<Self> {
        let [distance_weight, control_weight, range] = REACHER.map(|parameter| objective[parameter.name]);
        Ok(Self { distance_weight, control_weight, range, fingertip: body(model, "fingertip")?, target: body(model, "target")? })
    }

    fn way(&self, simulation: &Simulation) -> [f64; 3] {
        minus(simulation.body_position(self.fingertip), simulation.body_position(self.target))
    }
}

impl Task for Reacher {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        for position in positions.iter_mut() {
            *position += rng.uniform(-0.1, 0.1);
        }
        let goal = loop {
            let goal = [rng.uniform(-self.range, self.range), rng.uniform(-self.range, self.range)];
            if self.range == 0.0 || goal[0].hypot(goal[1]) < self.range {
                break goal;
            }
        };
        positions[2..].copy_from_slice(&goal);
        velocities[..2].iter_mut().for_each(|velocity| *velocity += rng.uniform(-0.005, 0.005));
        velocities[2..].fill(0.0);
    }

    fn channels(&self, simulation: &Simulation) -> Vec<Channel> {
        let model = simulation.model();
        let joints = channels::positions(model);
        let of = |what: &'static str| joints[..2].iter().map(move |joint| format!("{joint}_{what}"));
        let velocities = channels::velocities(model, "velocity").into_iter().take(2);
        let way = ["fingertip_to_target_x", "fingertip_to_target_y"].map(str::to_owned);
        channels::unbounded(of("cos").chain(of("sin")).chain(joints[2..].iter().cloned()).chain(velocities).chain(way))
    }

    fn observe(&self, simulation: &Simulation, observation: &mut [f64]) {
        let (positions, velocities) = (simulation.positions(), simulation.velocities());
        let [x, y, _] = self.way(simulation);
        let [one, two] = [positions[0], positions[1]];
        let seen = [one.cos(), two.cos(), one.sin(), two.sin(), positions[2], positions[3], velocities[0], velocities[1], x, y];
        observation.copy_from_slice(&seen);
    }

    fn judge(&self, simulation: &Simulation, _from: [f64; 2], _to: [f64; 2], action: &[f64]) -> Outcome {
        let distance = -numpy::norm(self.way(simulation)) * self.distance_weight;
        Outcome { reward: distance + control_cost(self.control_weight, action), terminated: false }
    }
}

/// Push an object to a point.
pub(super) struct Pusher {
    near_weight: f64,
    distance_weight: f64,
    control_weight: f64,
    goal_place: [f64; 2],
    tips: usize,
    object: usize,
    goal: usize,
}

impl Pusher {
    pub(super) fn new(model: &Model, objective: &Values) -> Result<Self> {
        let [near_weight, distance_weight, control_weight, x, y] = PUSHER.map(|parameter| objective[parameter.name]);
        let [tips, object, goal] = [body(model, "tips_arm")?, body(model, "object")?, body(model, "goal")?];
        Ok(Self { near_weight, distance_weight, control_weight, goal_place: [x, y], tips, object, goal })
    }
}

impl Task for Pusher {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        let object = loop {
            let object = [rng.uniform(-0.3, 0.0), rng.uniform(-0.2, 0.2)];
            if (object[0] - self.goal_place[0]).hypot(object[1] - self.goal_place[1]) > 0.17 {
                break object;
            }
        };
        let arm = positions.len() - 4;
        positions[arm..arm + 2].copy_from_slice(&object);
        positions[arm + 2..].copy_from_slice(&self.goal_place);
        velocities[..arm].iter_mut().for_each(|velocity| *velocity += rng.uniform(-0.005, 0.005));
        velocities[arm..].fill(0.0);
    }

    fn channels(&self, simulation: &Simulation) -> Vec<Channel> {
        let model = simulation.model();
        let arm = channels::positions(model).into_iter().take(7).chain(channels::velocities(model, "velocity").into_iter().take(7));
        let places = ["fingertips", "object", "goal"].into_iter().flat_map(|name| ["x", "y", "z"].map(|axis| format!("{name}_{axis}")));
        channels::unbounded(arm.chain(places))
    }

    fn observe(&self, simulation: &Simulation, observation: &mut [f64]) {
        observation[..7].copy_from_slice(&simulation.positions()[..7]);
        observation[7..14].copy_from_slice(&simulation.velocities()[..7]);
        for (index, body) in [self.tips, self.object, self.goal].into_iter().enumerate() {
            observation[14 + 3 * index..][..3].copy_from_slice(&simulation.body_position(body));
        }
    }

    fn judge(&self, simulation: &Simulation, _from: [f64; 2], _to: [f64; 2], action: &[f64]) -> Outcome {
        let [tips, object, goal] = [self.tips, self.object, self.goal].map(|body| simulation.body_position(body));
        let near = -numpy::norm(minus(object, tips)) * self.near_weight;
        let distance = -numpy::norm(minus(object, goal)) * self.distance_weight;
        Outcome { reward: distance + control_cost(self.control_weight, action) + near, terminated: false }
    }
}
