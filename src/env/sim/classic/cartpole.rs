//! CartPole: balance a pole on a cart (Barto, Sutton & Anderson 1983, as in Gymnasium), pushed left or right, or by a continuous force.

use crate::env::sim::cart::Cart;
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;

/// Twelve degrees in radians, as Gymnasium computes it.
const TWELVE_DEGREES: f64 = 12.0 * 2.0 * std::f64::consts::PI / 360.0;

const CONTEXT: [Parameter; 6] = [
    Parameter::new("gravity", 9.8, [0.0, 1e3], "m/s²", "acceleration of free fall"),
    Parameter::new("cart_mass", 1.0, [1e-3, 1e3], "kg", "mass of the cart"),
    Parameter::new("pole_mass", 0.1, [1e-3, 1e3], "kg", "mass of the pole"),
    Parameter::new("pole_length", 0.5, [1e-2, 1e2], "m", "from the joint to the pole's centre: half its length (Gymnasium's `length`)"),
    Parameter::new("force", 10.0, [-1e4, 1e4], "N", "push of a full action; negative where the motor is wired the other way"),
    Parameter::new("time_step", 0.02, [1e-4, 1.0], "s", "time between two states (Euler)"),
];

const OBJECTIVE: [Parameter; 5] = [
    Parameter::new("step_reward", 1.0, [-1e6, 1e6], "", "reward of a step that does not end the task"),
    Parameter::new("fall_reward", 1.0, [-1e6, 1e6], "", "reward of the step that does"),
    Parameter::new("position_limit", 2.4, [1e-2, 1e6], "m", "the task ends when the cart is further from the middle"),
    Parameter::new("angle_limit", TWELVE_DEGREES, [1e-2, 1e6], "rad", "the task ends when the pole leans further"),
    Parameter::new("start_range", 0.05, [0.0, 10.0], "", "every component of the start state is uniform within this of zero"),
];

/// `classic/cartpole`: push left or right with the whole force.
pub(super) fn discrete() -> Simulator {
    let action = ActionSpace::Discrete(vec!["left".into(), "right".into()]);
    simulator("classic/cartpole", "Balance a pole on a cart by pushing left or right", action)
}

/// `classic/cartpole_continuous`: push with any part of the force; beyond it the action is clipped.
pub(super) fn continuous() -> Simulator {
    let action = ActionSpace::Continuous(vec![Channel::new("force", -1.0, 1.0)]);
    simulator("classic/cartpole_continuous", "Balance a pole on a cart with a continuous force", action)
}

fn simulator(name: &str, about: &str, action: ActionSpace) -> Simulator {
    let build = move |context: &Values, objective: &Values| Ok(CartPole::new(context, objective, action.clone()));
    let mut simulator = Simulator::new(name, about, build);
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(500);
    simulator
}

struct CartPole {
    spaces: Spaces,
    gravity: f64,
    total_mass: f64,
    pole_mass: f64,
    pole_length: f64,
    pole_mass_length: f64,
    force: f64,
    time_step: f64,
    step_reward: f64,
    fall_reward: f64,
    position_limit: f64,
    angle_limit: f64,
    start_range: f64,
    /// Position, velocity, angle, angular velocity.
    state: [f64; 4],
    /// The last force's share of the whole, to be drawn.
    push: f64,
}

impl CartPole {
    fn new(context: &Values, objective: &Values, action: ActionSpace) -> Self {
        let (position_limit, angle_limit, start_range) = (objective["position_limit"], objective["angle_limit"], objective["start_range"]);
        // Twice the limit holds the last observation of an episode too, as in Gymnasium; a start may lie anywhere.
        let within = |name, limit: f64| Channel::new(name, -(2.0 * limit).max(start_range), (2.0 * limit).max(start_range));
        let observation = vec![
            within("cart_position", position_limit),
            Channel::unbounded("cart_velocity"),
            within("pole_angle", angle_limit),
            Channel::unbounded("pole_angular_velocity"),
        ];
        Self {
            spaces: Spaces { observation, action },
            gravity: context["gravity"],
            total_mass: context["pole_mass"] + context["cart_mass"],
            pole_mass: context["pole_mass"],
            pole_length: context["pole_length"],
            pole_mass_length: context["pole_mass"] * context["pole_length"],
            force: context["force"],
            time_step: context["time_step"],
            step_reward: objective["step_reward"],
            fall_reward: objective["fall_reward"],
            position_limit,
            angle_limit,
            start_range,
            state: [0.0; 4],
            push: 0.0,
        }
    }

    /// Equations of motion (Florian 2007, eq. 23 and 24, without friction) and one Euler step.
    fn advance(&mut self, force: f64) {
        let [x, x_dot, theta, theta_dot] = self.state;
        let (sin, cos) = theta.sin_cos();
        let pushed = (force + self.pole_mass_length * (theta_dot * theta_dot) * sin) / self.total_mass;
        let angular =
            (self.gravity * sin - cos * pushed) / (self.pole_length * (4.0 / 3.0 - self.pole_mass * (cos * cos) / self.total_mass));
        let linear = pushed - self.pole_mass_length * angular * cos / self.total_mass;
        let dt = self.time_step;
        self.state = [x + dt * x_dot, x_dot + dt * linear, theta + dt * theta_dot, theta_dot + dt * angular];
    }
}

impl Env for CartPole {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.state = std::array::from_fn(|_| rng.uniform(-self.start_range, self.start_range));
        self.push = 0.0;
        observation.copy_from_slice(&self.state);
        Ok(())
    }

    #[inline]
    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.push = match action {
            // A table, because no processor foresees a random action: a branch takes 2 ns more of a step's 54.
            Action::Discrete(index) => [-1.0, 1.0][index & 1],
            Action::Continuous(values) => values[0].clamp(-1.0, 1.0),
        };
        self.advance(self.push * self.force);
        observation.copy_from_slice(&self.state);
        let terminated = self.state[0].abs() > self.position_limit || self.state[2].abs() > self.angle_limit;
        let reward = if terminated { self.fall_reward } else { self.step_reward };
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
        let [position, _, angle, _] = self.state;
        Cart { limit: self.position_limit, pole_length: self.pole_length }.scene(position, angle, self.push * self.force.signum())
    }
}
