//! Pendulum: swing a rod up and hold it there with a weak motor in its joint (as in Gymnasium).

use crate::env::scene::{Part, Role};
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;
use std::f64::consts::PI;

const CONTEXT: [Parameter; 6] = [
    Parameter::new("gravity", 10.0, [0.0, 1e3], "m/s²", "acceleration of free fall"),
    Parameter::new("mass", 1.0, [1e-3, 1e3], "kg", "mass of the rod"),
    Parameter::new("length", 1.0, [1e-2, 1e2], "m", "length of the rod"),
    Parameter::new("max_torque", 2.0, [1e-3, 1e4], "N m", "the motor's strength: a torque beyond it is clipped"),
    Parameter::new("max_speed", 8.0, [1e-3, 1e4], "rad/s", "the rod turns no faster"),
    Parameter::new("time_step", 0.05, [1e-4, 1.0], "s", "time between two states (semi-implicit Euler)"),
];

const OBJECTIVE: [Parameter; 6] = [
    Parameter::new("goal_angle", 0.0, [-PI, PI], "rad", "the angle that costs nothing; 0 is upright, to the left is positive"),
    Parameter::new("angle_cost", 1.0, [-1e6, 1e6], "", "what the square of the distance to it takes from the reward"),
    Parameter::new("velocity_cost", 0.1, [-1e6, 1e6], "", "what the angular velocity's square takes"),
    Parameter::new("torque_cost", 0.001, [-1e6, 1e6], "", "what the torque's square takes, after clipping"),
    Parameter::new("start_angle", PI, [0.0, PI], "rad", "the start angle is uniform within this of upright"),
    Parameter::new("start_velocity", 1.0, [0.0, 1e4], "rad/s", "the start's angular velocity is uniform within this of zero"),
];

/// `classic/pendulum`: a torque in N m.
pub(super) fn simulator() -> Simulator {
    let about = "Swing a rod up and hold it there with a weak motor";
    let mut simulator = Simulator::new("classic/pendulum", about, |context, objective| Ok(Pendulum::new(context, objective)));
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(200);
    simulator
}

/// An angle between -π and π, as Gymnasium's `angle_normalize` computes it.
fn normalized(angle: f64) -> f64 {
    (angle + PI).rem_euclid(2.0 * PI) - PI
}

struct Pendulum {
    spaces: Spaces,
    gravity: f64,
    mass: f64,
    length: f64,
    max_torque: f64,
    max_speed: f64,
    time_step: f64,
    goal_angle: f64,
    angle_cost: f64,
    velocity_cost: f64,
    torque_cost: f64,
    start_angle: f64,
    start_velocity: f64,
    angle: f64,
    velocity: f64,
    /// The last torque, to be drawn.
    torque: f64,
}

impl Pendulum {
    fn new(context: &Values, objective: &Values) -> Self {
        let (max_torque, max_speed, start_velocity) = (context["max_torque"], context["max_speed"], objective["start_velocity"]);
        let fastest = max_speed.max(start_velocity);
        let observation = vec![
            Channel::new("pole_angle_cos", -1.0, 1.0),
            Channel::new("pole_angle_sin", -1.0, 1.0),
            Channel::new("pole_angular_velocity", -fastest, fastest),
        ];
        let action = ActionSpace::Continuous(vec![Channel::new("torque", -max_torque, max_torque)]);
        Self {
            spaces: Spaces { observation, action },
            gravity: context["gravity"],
            mass: context["mass"],
            length: context["length"],
            max_torque,
            max_speed,
            time_step: context["time_step"],
            goal_angle: objective["goal_angle"],
            angle_cost: objective["angle_cost"],
            velocity_cost: objective["velocity_cost"],
            torque_cost: objective["torque_cost"],
            start_angle: objective["start_angle"],
            start_velocity,
            angle: 0.0,
            velocity: 0.0,
            torque: 0.0,
        }
    }

    fn see(&self, observation: &mut [f64]) {
        let (sin, cos) = self.angle.sin_cos();
        observation.copy_from_slice(&[cos, sin, self.velocity]);
    }
}

impl Env for Pendulum {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.angle = rng.uniform(-self.start_angle, self.start_angle);
        self.velocity = rng.uniform(-self.start_velocity, self.start_velocity);
        self.torque = 0.0;
        self.see(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let torque = action.values()?[0].clamp(-self.max_torque, self.max_torque);
        let distance = normalized(self.angle - self.goal_angle);
        // The cost is that of the state in which the torque acts, not of the one it leads to.
        let cost = self.angle_cost * (distance * distance)
            + self.velocity_cost * (self.velocity * self.velocity)
            + self.torque_cost * (torque * torque);
        // A rod that turns about its end has the moment of inertia m l² / 3, and its weight pulls at l / 2.
        let (mass, length) = (self.mass, self.length);
        let acceleration = 3.0 * self.gravity / (2.0 * length) * self.angle.sin() + 3.0 / (mass * (length * length)) * torque;
        self.velocity = (self.velocity + acceleration * self.time_step).clamp(-self.max_speed, self.max_speed);
        self.angle += self.velocity * self.time_step;
        self.torque = torque;
        self.see(observation);
        Ok(Step { reward: -cost, terminated: false, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&[self.angle, self.velocity]);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        (self.angle, self.velocity, self.torque) = (from.take()?, from.take()?, 0.0);
        Ok(())
    }

    fn scene(&self) -> Scene {
        let length = self.length;
        // Seen as Gymnasium draws it: positive angles lean to the left.
        let at = |angle: f64, radius: f64| [-radius * angle.sin(), radius * angle.cos()];
        let reach = 1.2 * length;
        let goal = at(self.goal_angle, 1.1 * length);
        let mut parts = vec![
            Part::Line { points: vec![at(self.goal_angle, 1.02 * length), goal], role: Role::Goal },
            Part::Capsule { from: [0.0, 0.0], to: at(self.angle, length), width: 0.1 * length, role: Role::Body },
            Part::Circle { centre: [0.0, 0.0], radius: 0.05 * length, role: Role::Joint },
        ];
        if self.torque != 0.0 {
            // An arc about the joint, as long as the torque is strong.
            let sweep = 2.0 * self.torque / self.max_torque;
            let arc = (0..=16).map(|piece| at(self.angle + sweep * f64::from(piece) / 16.0, 0.4 * length)).collect::<Vec<_>>();
            let head = Part::arrow(arc[14], arc[16], 0.03 * length);
            parts.push(Part::Line { points: arc, role: Role::Force });
            parts.extend(head);
        }
        Scene { view: [-reach, -reach, reach, reach], parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_normalized_into_half_a_turn_either_way() {
        assert!((normalized(0.5) - 0.5).abs() < 1e-15);
        assert!((normalized(3.0 * PI) + PI).abs() < 1e-15);
        assert!((normalized(-0.5 - 6.0 * PI) + 0.5).abs() < 1e-14);
        assert!((normalized(PI) + PI).abs() < 1e-15, "half a turn is counted as to the right");
    }
}
