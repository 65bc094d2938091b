//! Six robots that run, hop, swim and walk: one observation and one reward, of which each has its parts.
//!
//! With default parameters these are Gymnasium 1.4.0's `v5` tasks. What they do not have is off by default: another direction, a speed
//! to keep (Finn et al. 2017, `HalfCheetah`'s goal velocities), a place to reach.

use super::channels;
use super::numpy;
use super::robots::{Part, Place, Species, Start};
use super::simulation::Simulation;
use super::task::{Outcome, Task};
use crate::env::{Channel, Parameter, Values};
use crate::seed::Rng;

/// The objective's parameters of a robot.
pub(super) fn objective(species: &Species) -> Vec<Parameter> {
    const FAR: f64 = 1e9;
    let mut parameters = vec![
        Parameter::new(
            "forward_reward_weight",
            species.forward_weight,
            [-1e6, 1e6],
            "",
            "reward per m/s; negative rewards running backwards",
        ),
        Parameter::new(
            "ctrl_cost_weight",
            species.control_weight,
            [0.0, 1e6],
            "",
            "what the sum of the action's squares takes from the reward",
        ),
        Parameter::new("reset_noise_scale", species.noise, [0.0, 1e3], "", "the start state is drawn within this of the model's own"),
        Parameter::new("velocity_weight", 0.0, [0.0, 1e6], "", "what each m/s away from `target_velocity` takes from the reward"),
        Parameter::new("target_velocity", 0.0, [-1e3, 1e3], "m/s", "the speed to keep, where `velocity_weight` is not 0"),
        Parameter::new("exclude_current_positions", 1.0, [0.0, 1.0], "", "0 shows where in the world the robot is"),
    ];
    if species.place != Place::Slide {
        parameters.extend([
            Parameter::new("direction", 0.0, [-10.0, 10.0], "rad", "which way is forward; 0 is along x"),
            Parameter::new("goal_weight", 0.0, [0.0, 1e6], "", "what each metre away from the goal takes from the reward"),
            Parameter::new("goal_x", 0.0, [-1e3, 1e3], "m", "the goal, where `goal_weight` is not 0"),
            Parameter::new("goal_y", 0.0, [-1e3, 1e3], "m", "the goal, where `goal_weight` is not 0"),
        ]);
    }
    if let Some(health) = species.health {
        parameters.extend([
            Parameter::new("healthy_reward", health.reward, [-1e6, 1e6], "", "reward of every step in which it stands"),
            Parameter::new("terminate_when_unhealthy", 1.0, [0.0, 1.0], "", "0 goes on after a fall"),
            Parameter::new("healthy_z_low", health.z[0], [-FAR, FAR], "m", "it has fallen when its trunk is lower"),
            Parameter::new("healthy_z_high", health.z[1].min(FAR), [-FAR, FAR], "m", "or higher"),
        ]);
        if let Some(angle) = health.angle {
            parameters.push(Parameter::new("healthy_angle", angle, [0.0, FAR], "rad", "or leans further to either side"));
        }
        if let Some(state) = health.state {
            parameters.push(Parameter::new(
                "healthy_state",
                state,
                [0.0, FAR],
                "",
                "or any number of its state but the first two is beyond this",
            ));
        }
    }
    if let Some(contact) = species.contact {
        parameters.push(Parameter::new("contact_cost_weight", contact.weight, [0.0, 1e6], "", "what the squares of outside forces take"));
        if let Some(force) = contact.clipped_force {
            parameters.push(Parameter::new(
                "contact_force",
                force,
                [0.0, FAR],
                "N",
                "outside forces are cut to this before they count and are seen",
            ));
        }
        if let Some(cost) = contact.most_cost {
            parameters.push(Parameter::new("contact_cost_most", cost, [0.0, FAR], "", "outside forces take no more than this"));
        }
    }
    parameters.extend(species.parts.iter().map(|part| Parameter::new(part.option(), 1.0, [0.0, 1.0], "", part.about())));
    parameters
}

/// The task of a robot.
pub(super) struct Locomotion {
    species: &'static Species,
    /// Seconds of a step.
    dt: f64,
    forward_weight: f64,
    control_weight: f64,
    noise: f64,
    velocity_weight: f64,
    target_velocity: f64,
    hidden: usize,
    /// Cosine and sine of the way that is forward.
    forward: [f64; 2],
    goal_weight: f64,
    goal: [f64; 2],
    healthy_reward: f64,
    terminates: bool,
    z: [f64; 2],
    angle: f64,
    state: f64,
    contact_weight: f64,
    contact_force: f64,
    contact_most: f64,
    parts: Vec<Part>,
}

impl Locomotion {
    pub(super) fn new(species: &'static Species, dt: f64, objective: &Values) -> Self {
        let or = |name: &str, otherwise: f64| objective.0.get(name).copied().unwrap_or(otherwise);
        let hidden = if objective["exclude_current_positions"] >= 0.5 { species.hidden } else { 0 };
        let direction = or("direction", 0.0);
        Self {
            species,
            dt,
            forward_weight: objective["forward_reward_weight"],
            control_weight: objective["ctrl_cost_weight"],
            noise: objective["reset_noise_scale"],
            velocity_weight: objective["velocity_weight"],
            target_velocity: objective["target_velocity"],
            hidden,
            forward: [direction.cos(), direction.sin()],
            goal_weight: or("goal_weight", 0.0),
            goal: [or("goal_x", 0.0), or("goal_y", 0.0)],
            healthy_reward: or("healthy_reward", 0.0),
            terminates: or("terminate_when_unhealthy", 0.0) >= 0.5,
            z: [or("healthy_z_low", 0.0), or("healthy_z_high", 0.0)],
            angle: or("healthy_angle", f64::INFINITY),
            state: or("healthy_state", f64::INFINITY),
            contact_weight: or("contact_cost_weight", 0.0),
            contact_force: or("contact_force", f64::INFINITY),
            contact_most: or("contact_cost_most", f64::INFINITY),
            parts: species.parts.iter().copied().filter(|part| or(part.option(), 1.0) >= 0.5).collect(),
        }
    }

    fn healthy(&self, simulation: &Simulation) -> bool {
        let Some(health) = self.species.health else { return true };
        let (positions, velocities) = (simulation.positions(), simulation.velocities());
        let inside = |value: f64, [low, high]: [f64; 2]| low < value && value < high;
        let z = positions[health.height];
        if health.closed {
            return self.z[0] <= z && z <= self.z[1];
        }
        let leans = health.angle.is_some() && !inside(positions[2], [-self.angle, self.angle]);
        let far = health.state.is_some() && !positions[2..].iter().chain(velocities).all(|value| inside(*value, [-self.state, self.state]));
        inside(z, self.z) && !leans && !far
    }

    fn contact_cost(&self, simulation: &Simulation) -> f64 {
        if self.species.contact.is_none() {
            return 0.0;
        }
        let force = |force: &f64| force.clamp(-self.contact_force, self.contact_force);
        let squares = simulation.outside_forces().iter().map(|outside| force(outside) * force(outside));
        (self.contact_weight * numpy::sum(squares)).min(self.contact_most)
    }

    #[expect(clippy::cast_possible_truncation, reason = "an action is a float32 there, and with it its cost")]
    fn control_cost(&self, simulation: &Simulation, action: &[f64]) -> f64 {
        if self.species.cost_of_held_control {
            return self.control_weight * numpy::sum(simulation.controls().iter().map(|control| control * control));
        }
        f64::from(self.control_weight as f32 * numpy::sum_of_squares(action))
    }
}

impl Task for Locomotion {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        for position in positions {
            *position += rng.uniform(-self.noise, self.noise);
        }
        for velocity in velocities {
            *velocity += match self.species.start {
                Start::Uniform => rng.uniform(-self.noise, self.noise),
                Start::NormalVelocities => self.noise * rng.normal(),
            };
        }
    }

    fn channels(&self, simulation: &Simulation) -> Vec<Channel> {
        let model = simulation.model();
        let mut names = channels::positions(model).split_off(self.hidden);
        names.extend(channels::velocities(model, "velocity"));
        for part in &self.parts {
            names.extend(part.names(model));
        }
        channels::unbounded(names)
    }

    fn observe(&self, simulation: &Simulation, observation: &mut [f64]) {
        let positions = &simulation.positions()[self.hidden..];
        let velocities = simulation.velocities();
        let (shown, rest) = observation.split_at_mut(positions.len());
        shown.copy_from_slice(positions);
        let (shown, mut rest) = rest.split_at_mut(velocities.len());
        shown.copy_from_slice(velocities);
        if self.species.clips_velocities {
            for velocity in shown {
                *velocity = velocity.clamp(-10.0, 10.0);
            }
        }
        for part in &self.parts {
            let values = part.values(simulation);
            let (shown, after) = rest.split_at_mut(values.len());
            shown.copy_from_slice(values);
            if *part == Part::OutsideForces {
                for force in shown {
                    *force = force.clamp(-self.contact_force, self.contact_force);
                }
            }
            rest = after;
        }
    }

    fn place(&self, simulation: &Simulation) -> [f64; 2] {
        match self.species.place {
            Place::Slide => [simulation.positions()[0], 0.0],
            Place::Plane => [simulation.positions()[0], simulation.positions()[1]],
            Place::Trunk => {
                let [x, y, _] = simulation.body_position(1);
                [x, y]
            }
            Place::CentreOfMass => {
                let masses = simulation.model().body_mass();
                let whole = numpy::sum(masses.iter().copied());
                let mut sums = [0.0; 2];
                for (body, mass) in masses.iter().enumerate() {
                    let [x, y, _] = simulation.centre_of_mass(body);
                    sums[0] += mass * x;
                    sums[1] += mass * y;
                }
                sums.map(|sum| sum / whole)
            }
        }
    }

    fn judge(&self, simulation: &Simulation, from: [f64; 2], to: [f64; 2], action: &[f64]) -> Outcome {
        let [x, y] = [(to[0] - from[0]) / self.dt, (to[1] - from[1]) / self.dt];
        let velocity = if self.forward == [1.0, 0.0] { x } else { x * self.forward[0] + y * self.forward[1] };
        let healthy = self.healthy(simulation);
        let survived = if healthy { self.healthy_reward } else { 0.0 };
        let costs = self.control_cost(simulation, action) + self.contact_cost(simulation);
        let mut reward = self.forward_weight * velocity + survived - costs;
        if self.velocity_weight != 0.0 {
            reward -= self.velocity_weight * (velocity - self.target_velocity).abs();
        }
        if self.goal_weight != 0.0 {
            reward -= self.goal_weight * (to[0] - self.goal[0]).hypot(to[1] - self.goal[1]);
        }
        Outcome { reward, terminated: self.terminates && !healthy }
    }

    fn feels_forces(&self) -> bool {
        self.species.contact.is_some()
    }
}
