//! MountainCar, continuous: the same valley with a continuous force, paid for by its square (as in Gymnasium).
//!
//! Gymnasium keeps the state in single precision between steps, and the action decides in which precision a step is computed. That is
//! visible after some ten steps, so it is reproduced here: see [`MountainCarContinuous::advance`].

use crate::env::sim::hill::Hill;
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;

const CONTEXT: [Parameter; 6] = [
    Parameter::new("force", 0.0015, [0.0, 1.0], "m/step²", "what a full action adds to the velocity (Gymnasium's `power`)"),
    Parameter::new("gravity", 0.0025, [0.0, 1.0], "m/step²", "what the steepest slope takes from the velocity"),
    Parameter::new("hill_frequency", 3.0, [0.1, 100.0], "rad/m", "waves of the ground: it is as high as sin(hill_frequency x)"),
    Parameter::new("min_position", -1.2, [-100.0, 100.0], "m", "the wall on the left: the car stops there"),
    Parameter::new("max_position", 0.6, [-100.0, 100.0], "m", "the end of the world on the right"),
    Parameter::new("max_speed", 0.07, [1e-6, 10.0], "m/step", "the car gets no faster"),
];

const OBJECTIVE: [Parameter; 7] = [
    Parameter::new("step_reward", 0.0, [-1e6, 1e6], "", "reward of a step that does not reach the goal"),
    Parameter::new("goal_reward", 100.0, [-1e6, 1e6], "", "reward of the step that does"),
    Parameter::new("action_cost", 0.1, [-1e6, 1e6], "", "what the action's square takes from the reward, before clipping"),
    Parameter::new("goal_position", 0.45, [-100.0, 100.0], "m", "the task ends when the car is at least that far to the right ..."),
    Parameter::new("goal_velocity", 0.0, [-10.0, 10.0], "m/step", "... and at least that fast"),
    Parameter::new("start_low", -0.6, [-100.0, 100.0], "m", "the start position is uniform from here ..."),
    Parameter::new("start_high", -0.4, [-100.0, 100.0], "m", "... to here, at rest"),
];

/// `classic/mountain_car_continuous`: accelerate by any part of the force; beyond it the action is clipped.
pub(super) fn simulator() -> Simulator {
    let about = "Swing an underpowered car out of a valley with a continuous force";
    let mut simulator = Simulator::new("classic/mountain_car_continuous", about, MountainCarContinuous::new);
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(999);
    simulator
}

/// The nearest single-precision number.
#[expect(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
fn single(number: f64) -> f64 {
    f64::from(number as f32)
}

/// In which precision NumPy computes.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Precision {
    Single,
    Double,
}

impl Precision {
    /// A result, or the Python constant that a result is compared with, in this precision. A sum or product of two single-precision
    /// numbers that is computed in double precision and then rounded is the single-precision one.
    fn round(self, number: f64) -> f64 {
        match self {
            Self::Single => single(number),
            Self::Double => number,
        }
    }
}

struct MountainCarContinuous {
    spaces: Spaces,
    force: f64,
    gravity: f64,
    hill_frequency: f64,
    min_position: f64,
    max_position: f64,
    max_speed: f64,
    step_reward: f64,
    goal_reward: f64,
    action_cost: f64,
    goal_position: f64,
    goal_velocity: f64,
    start: [f64; 2],
    position: f64,
    velocity: f64,
    /// Double from a reset to the first step, single from then on.
    precision: Precision,
    /// The last force's share of a full one, to be drawn.
    push: f64,
}

impl MountainCarContinuous {
    fn new(context: &Values, objective: &Values) -> Result<Self> {
        let [min_position, max_position] = context.ordered("min_position", "max_position")?;
        let start = objective.ordered("start_low", "start_high")?;
        let max_speed = context["max_speed"];
        // Rounding may step over a wall, so the bounds are rounded as well; a start is not.
        let observation = vec![
            Channel::new("car_position", single(min_position).min(start[0]), single(max_position).max(start[1])),
            Channel::new("car_velocity", -single(max_speed), single(max_speed)),
        ];
        Ok(Self {
            spaces: Spaces { observation, action: ActionSpace::Continuous(vec![Channel::new("force", -1.0, 1.0)]) },
            force: context["force"],
            gravity: context["gravity"],
            hill_frequency: context["hill_frequency"],
            min_position,
            max_position,
            max_speed,
            step_reward: objective["step_reward"],
            goal_reward: objective["goal_reward"],
            action_cost: objective["action_cost"],
            goal_position: objective["goal_position"],
            goal_velocity: objective["goal_velocity"],
            start,
            position: 0.0,
            velocity: 0.0,
            precision: Precision::Double,
            push: 0.0,
        })
    }

    /// One step; whether it reached the goal.
    ///
    /// NumPy 2 computes in the precision of its own operands, and a Python number takes on that of the other operand. An action within
    /// its bounds is a double, one that `min` or `max` replaced is a Python number; so is a velocity or position that a limit replaced.
    #[expect(clippy::float_cmp, reason = "the wall's own number, or the action's, is meant")]
    fn advance(&mut self, action: f64) -> bool {
        use Precision::{Double, Single};
        let state = self.precision;
        self.push = action.clamp(-1.0, 1.0);
        let acceleration = self.push * self.force - self.gravity * state.round(self.hill_frequency * self.position).cos();
        let sum = if self.push == action { Double } else { state };
        let mut velocity = sum.round(self.velocity + sum.round(acceleration));
        let limit = sum.round(self.max_speed);
        let limited = velocity.abs() > limit;
        if limited {
            velocity = self.max_speed.copysign(velocity);
        }
        let sum = if limited { state } else { sum };
        let mut position = sum.round(self.position + sum.round(velocity));
        if position > sum.round(self.max_position) {
            position = self.max_position;
        }
        if position < sum.round(self.min_position) {
            position = self.min_position;
        }
        if sum.round(position) == sum.round(self.min_position) && velocity < 0.0 {
            velocity = 0.0;
        }
        let reached = sum.round(position) >= sum.round(self.goal_position) && velocity >= self.goal_velocity;
        (self.position, self.velocity, self.precision) = (single(position), single(velocity), Single);
        reached
    }
}

impl Env for MountainCarContinuous {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        (self.position, self.velocity, self.push) = (rng.uniform(self.start[0], self.start[1]), 0.0, 0.0);
        self.precision = Precision::Double;
        observation.copy_from_slice(&[self.position, self.velocity]);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let action = action.values()?[0];
        let terminated = self.advance(action);
        observation.copy_from_slice(&[self.position, self.velocity]);
        let reward = if terminated { self.goal_reward } else { self.step_reward } - action * action * self.action_cost;
        Ok(Step { reward, terminated, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&[self.position, self.velocity]);
        into.put_flag(self.precision == Precision::Single);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        (self.position, self.velocity, self.push) = (from.take()?, from.take()?, 0.0);
        self.precision = if from.take_flag()? { Precision::Single } else { Precision::Double };
        Ok(())
    }

    fn scene(&self) -> Scene {
        let hill = Hill { frequency: self.hill_frequency, left: self.min_position, right: self.max_position, goal: self.goal_position };
        hill.scene(self.position, self.push)
    }
}
