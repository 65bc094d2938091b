//! Acrobot: swing two links up with a motor in the joint between them (Sutton 1996; the equations of Sutton & Barto's book, as in
//! Gymnasium).

use crate::env::scene::{Part, Role};
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;
use std::f64::consts::{FRAC_PI_2, PI};

const CONTEXT: [Parameter; 14] = [
    Parameter::new("gravity", 9.8, [0.0, 1e3], "m/s²", "acceleration of free fall"),
    Parameter::new("link_1_length", 1.0, [1e-2, 1e2], "m", "length of the upper link"),
    Parameter::new("link_2_length", 1.0, [1e-2, 1e2], "m", "length of the lower link: how high its end comes, no part of the dynamics"),
    Parameter::new("link_1_mass", 1.0, [1e-3, 1e3], "kg", "mass of the upper link"),
    Parameter::new("link_2_mass", 1.0, [1e-3, 1e3], "kg", "mass of the lower link"),
    Parameter::new("link_1_centre", 0.5, [1e-3, 1e2], "m", "from the upper link's joint to its centre of mass"),
    Parameter::new("link_2_centre", 0.5, [1e-3, 1e2], "m", "from the lower link's joint to its centre of mass"),
    Parameter::new("link_1_inertia", 1.0, [1e-4, 1e4], "kg m²", "moment of inertia of the upper link about its centre of mass"),
    Parameter::new("link_2_inertia", 1.0, [1e-4, 1e4], "kg m²", "moment of inertia of the lower link about its centre of mass"),
    Parameter::new("torque", 1.0, [-1e4, 1e4], "N m", "strength of an action; negative where the motor is wired the other way"),
    Parameter::new("torque_noise", 0.0, [0.0, 1e4], "N m", "a uniform disturbance within this of zero is added to the torque"),
    Parameter::new("max_velocity_1", 4.0 * PI, [1e-3, 1e4], "rad/s", "the upper joint turns no faster"),
    Parameter::new("max_velocity_2", 9.0 * PI, [1e-3, 1e4], "rad/s", "the lower joint turns no faster"),
    Parameter::new("time_step", 0.2, [1e-4, 1.0], "s", "time between two states (one step of Runge-Kutta of order 4)"),
];

const OBJECTIVE: [Parameter; 4] = [
    Parameter::new("step_reward", -1.0, [-1e6, 1e6], "", "reward of a step that does not reach the goal"),
    Parameter::new("goal_reward", 0.0, [-1e6, 1e6], "", "reward of the step that does"),
    Parameter::new("goal_height", 1.0, [-200.0, 200.0], "m", "the task ends when the lower link's end is higher above the fixed joint"),
    Parameter::new("start_range", 0.1, [0.0, 3.0], "", "every component of the start state is uniform within this of hanging at rest"),
];

/// `classic/acrobot`: a torque in one direction, none, or in the other.
pub(super) fn simulator() -> Simulator {
    let about = "Swing two links up with a motor in the joint between them";
    let mut simulator = Simulator::new("classic/acrobot", about, |context, objective| Ok(Acrobot::new(context, objective)));
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(500);
    simulator
}

/// Two angles (the first from hanging down, the second from the first link's direction) and their velocities.
type State = [f64; 4];

/// What the equations of motion need.
struct Links {
    gravity: f64,
    length: f64,
    mass: [f64; 2],
    centre: [f64; 2],
    inertia: [f64; 2],
}

impl Links {
    /// The state's time derivative under a torque (Sutton & Barto 1998, section 11.3; symbols as there).
    fn derivative(&self, [theta1, theta2, velocity1, velocity2]: State, torque: f64) -> State {
        let Self { gravity: g, length: l1, mass: [m1, m2], centre: [lc1, lc2], inertia: [i1, i2] } = *self;
        let (sin2, cos2) = theta2.sin_cos();
        let d1 = m1 * (lc1 * lc1) + m2 * (l1 * l1 + lc2 * lc2 + 2.0 * l1 * lc2 * cos2) + i1 + i2;
        let d2 = m2 * (lc2 * lc2 + l1 * lc2 * cos2) + i2;
        let phi2 = m2 * lc2 * g * (theta1 + theta2 - FRAC_PI_2).cos();
        let phi1 = -m2 * l1 * lc2 * (velocity2 * velocity2) * sin2 - 2.0 * m2 * l1 * lc2 * velocity2 * velocity1 * sin2
            + (m1 * lc1 + m2 * l1) * g * (theta1 - FRAC_PI_2).cos()
            + phi2;
        let acceleration2 =
            (torque + d2 / d1 * phi1 - m2 * l1 * lc2 * (velocity1 * velocity1) * sin2 - phi2) / (m2 * (lc2 * lc2) + i2 - d2 * d2 / d1);
        let acceleration1 = -(d2 * acceleration2 + phi1) / d1;
        [velocity1, velocity2, acceleration1, acceleration2]
    }

    /// One step of the classical Runge-Kutta method.
    fn advance(&self, state: State, torque: f64, time_step: f64) -> State {
        let from = |slope: State, time: f64| -> State { std::array::from_fn(|i| state[i] + time * slope[i]) };
        let half = time_step / 2.0;
        let k1 = self.derivative(state, torque);
        let k2 = self.derivative(from(k1, half), torque);
        let k3 = self.derivative(from(k2, half), torque);
        let k4 = self.derivative(from(k3, time_step), torque);
        std::array::from_fn(|i| state[i] + time_step / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]))
    }
}

/// An angle between -π and π by whole turns, in Gymnasium's way: one turn after the other, which rounds otherwise than a remainder.
/// Only physics far from Gymnasium's turns so far in one step that the loop would be long, or, on an infinite angle, endless.
fn wrapped(mut angle: f64) -> f64 {
    const TURN: f64 = PI - -PI;
    if angle.abs() > 1000.0 * TURN {
        angle = angle.rem_euclid(TURN);
    }
    while angle > PI {
        angle -= TURN;
    }
    while angle < -PI {
        angle += TURN;
    }
    angle
}

struct Acrobot {
    spaces: Spaces,
    links: Links,
    lower_length: f64,
    torque: f64,
    torque_noise: f64,
    max_velocity: [f64; 2],
    time_step: f64,
    step_reward: f64,
    goal_reward: f64,
    goal_height: f64,
    start_range: f64,
    state: State,
    /// The last action's direction, to be drawn.
    push: f64,
}

impl Acrobot {
    fn new(context: &Values, objective: &Values) -> Self {
        let max_velocity = [context["max_velocity_1"], context["max_velocity_2"]];
        let start_range = objective["start_range"];
        let fastest = max_velocity.map(|velocity| velocity.max(start_range));
        let observation = vec![
            Channel::new("link_1_angle_cos", -1.0, 1.0),
            Channel::new("link_1_angle_sin", -1.0, 1.0),
            Channel::new("link_2_angle_cos", -1.0, 1.0),
            Channel::new("link_2_angle_sin", -1.0, 1.0),
            Channel::new("link_1_angular_velocity", -fastest[0], fastest[0]),
            Channel::new("link_2_angular_velocity", -fastest[1], fastest[1]),
        ];
        let action = ActionSpace::Discrete(vec!["clockwise".into(), "idle".into(), "counterclockwise".into()]);
        Self {
            spaces: Spaces { observation, action },
            links: Links {
                gravity: context["gravity"],
                length: context["link_1_length"],
                mass: [context["link_1_mass"], context["link_2_mass"]],
                centre: [context["link_1_centre"], context["link_2_centre"]],
                inertia: [context["link_1_inertia"], context["link_2_inertia"]],
            },
            lower_length: context["link_2_length"],
            torque: context["torque"],
            torque_noise: context["torque_noise"],
            max_velocity,
            time_step: context["time_step"],
            step_reward: objective["step_reward"],
            goal_reward: objective["goal_reward"],
            goal_height: objective["goal_height"],
            start_range,
            state: [0.0; 4],
            push: 0.0,
        }
    }

    fn see(&self, observation: &mut [f64]) {
        let [theta1, theta2, velocity1, velocity2] = self.state;
        let ((sin1, cos1), (sin2, cos2)) = (theta1.sin_cos(), theta2.sin_cos());
        observation.copy_from_slice(&[cos1, sin1, cos2, sin2, velocity1, velocity2]);
    }
}

impl Env for Acrobot {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        // Gymnasium rounds the start, and only the start, to single precision.
        #[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
        let start = |rng: &mut Rng| f64::from(rng.uniform(-self.start_range, self.start_range) as f32);
        self.state = std::array::from_fn(|_| start(rng));
        self.push = 0.0;
        self.see(observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.push = [-1.0, 0.0, 1.0][action.index()?];
        let mut torque = self.push * self.torque;
        if self.torque_noise > 0.0 {
            torque += rng.uniform(-self.torque_noise, self.torque_noise);
        }
        let [theta1, theta2, velocity1, velocity2] = self.links.advance(self.state, torque, self.time_step);
        let [fastest1, fastest2] = self.max_velocity;
        self.state = [wrapped(theta1), wrapped(theta2), velocity1.clamp(-fastest1, fastest1), velocity2.clamp(-fastest2, fastest2)];
        self.see(observation);
        let [theta1, theta2, ..] = self.state;
        let height = -self.links.length * theta1.cos() - self.lower_length * (theta2 + theta1).cos();
        let terminated = height > self.goal_height;
        let reward = if terminated { self.goal_reward } else { self.step_reward };
        Ok(Step { reward, terminated, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.state);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.push = 0.0;
        from.take_all(&mut self.state)
    }

    fn scene(&self) -> Scene {
        let [theta1, theta2, ..] = self.state;
        let (upper, lower) = (self.links.length, self.lower_length);
        let elbow = [upper * theta1.sin(), -upper * theta1.cos()];
        let end = [elbow[0] + lower * (theta1 + theta2).sin(), elbow[1] - lower * (theta1 + theta2).cos()];
        let (reach, width) = (1.1 * (upper + lower), 0.1 * upper);
        let link = |from, to, role| Part::Capsule { from, to, width, role };
        let joint = |centre| Part::Circle { centre, radius: 0.6 * width, role: Role::Joint };
        let mut parts = vec![
            Part::Line { points: vec![[-reach, self.goal_height], [reach, self.goal_height]], role: Role::Goal },
            link([0.0, 0.0], elbow, Role::Body),
            link(elbow, end, Role::Limb),
            joint([0.0, 0.0]),
            joint(elbow),
        ];
        if self.push != 0.0 {
            // An arc about the elbow in the direction in which the motor turns the lower link.
            let radius = 0.3 * lower;
            let push = self.push * self.torque.signum();
            let at = |piece: i32| {
                let angle = theta1 + theta2 + push * (0.3 + f64::from(piece) / 16.0);
                [elbow[0] + radius * angle.sin(), elbow[1] - radius * angle.cos()]
            };
            parts.push(Part::Line { points: (0..=16).map(at).collect(), role: Role::Force });
            parts.extend(Part::arrow(at(13), at(16), 0.3 * width));
        }
        let top = reach.max(1.1 * self.goal_height);
        Scene { view: [-reach, -reach, reach, top], parts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn angles_are_wrapped_by_whole_turns() {
        assert_eq!(wrapped(1.0).to_bits(), 1.0_f64.to_bits());
        assert_eq!(wrapped(PI).to_bits(), PI.to_bits());
        assert!((wrapped(4.0) - (4.0 - 2.0 * PI)).abs() < 1e-15);
        assert!((wrapped(-4.0 - 4.0 * PI) - (2.0 * PI - 4.0)).abs() < 1e-14);
        assert!(wrapped(1e300).abs() <= PI);
        assert!(wrapped(f64::INFINITY).is_nan());
    }

    /// Without torque and noise the energy of the links stays what it is, which no slip in the equations of motion leaves true.
    #[test]
    fn free_links_keep_their_energy() {
        let links = Links { gravity: 9.8, length: 1.3, mass: [0.7, 1.9], centre: [0.6, 0.4], inertia: [0.3, 0.8] };
        let energy = |[theta1, theta2, velocity1, velocity2]: State| {
            let Links { gravity: g, length: l1, mass: [m1, m2], centre: [lc1, lc2], inertia: [i1, i2] } = links;
            let d1 = m1 * lc1 * lc1 + m2 * (l1 * l1 + lc2 * lc2 + 2.0 * l1 * lc2 * theta2.cos()) + i1 + i2;
            let d2 = m2 * (lc2 * lc2 + l1 * lc2 * theta2.cos()) + i2;
            let motion =
                0.5 * d1 * velocity1 * velocity1 + d2 * velocity1 * velocity2 + 0.5 * (m2 * lc2 * lc2 + i2) * velocity2 * velocity2;
            motion - (m1 * lc1 + m2 * l1) * g * theta1.cos() - m2 * lc2 * g * (theta1 + theta2).cos()
        };
        let mut state = [1.0, -0.5, 0.3, 2.0];
        let start = energy(state);
        for _ in 0..2000 {
            state = links.advance(state, 0.0, 0.001);
        }
        assert!((energy(state) - start).abs() < 1e-9, "{} became {}", start, energy(state));
    }
}
