//! MountainCar: swing an underpowered car out of a valley (Moore 1990, as in Gymnasium).

use crate::env::sim::hill::Hill;
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;

const CONTEXT: [Parameter; 6] = [
    Parameter::new("force", 0.001, [0.0, 1.0], "m/step²", "what an action adds to the velocity"),
    Parameter::new("gravity", 0.0025, [0.0, 1.0], "m/step²", "what the steepest slope takes from the velocity"),
    Parameter::new("hill_frequency", 3.0, [0.1, 100.0], "rad/m", "waves of the ground: it is as high as sin(hill_frequency x)"),
    Parameter::new("min_position", -1.2, [-100.0, 100.0], "m", "the wall on the left: the car stops there"),
    Parameter::new("max_position", 0.6, [-100.0, 100.0], "m", "the end of the world on the right"),
    Parameter::new("max_speed", 0.07, [1e-6, 10.0], "m/step", "the car gets no faster"),
];

const OBJECTIVE: [Parameter; 6] = [
    Parameter::new("step_reward", -1.0, [-1e6, 1e6], "", "reward of a step that does not reach the goal"),
    Parameter::new("goal_reward", -1.0, [-1e6, 1e6], "", "reward of the step that does"),
    Parameter::new("goal_position", 0.5, [-100.0, 100.0], "m", "the task ends when the car is at least that far to the right ..."),
    Parameter::new("goal_velocity", 0.0, [-10.0, 10.0], "m/step", "... and at least that fast"),
    Parameter::new("start_low", -0.6, [-100.0, 100.0], "m", "the start position is uniform from here ..."),
    Parameter::new("start_high", -0.4, [-100.0, 100.0], "m", "... to here, at rest"),
];

/// `classic/mountain_car`: accelerate to the left, not at all, or to the right.
pub(super) fn simulator() -> Simulator {
    let about = "Swing an underpowered car out of a valley";
    let mut simulator = Simulator::new("classic/mountain_car", about, MountainCar::new);
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(200);
    simulator
}

struct MountainCar {
    spaces: Spaces,
    force: f64,
    gravity: f64,
    hill_frequency: f64,
    min_position: f64,
    max_position: f64,
    max_speed: f64,
    step_reward: f64,
    goal_reward: f64,
    goal_position: f64,
    goal_velocity: f64,
    start: [f64; 2],
    position: f64,
    velocity: f64,
    /// The last action's direction, to be drawn.
    push: f64,
}

impl MountainCar {
    fn new(context: &Values, objective: &Values) -> Result<Self> {
        let [min_position, max_position] = context.ordered("min_position", "max_position")?;
        let start = objective.ordered("start_low", "start_high")?;
        let max_speed = context["max_speed"];
        let observation = vec![
            // A start beyond the walls is seen once, before the first step puts the car back.
            Channel::new("car_position", min_position.min(start[0]), max_position.max(start[1])),
            Channel::new("car_velocity", -max_speed, max_speed),
        ];
        Ok(Self {
            spaces: Spaces { observation, action: ActionSpace::Discrete(vec!["left".into(), "idle".into(), "right".into()]) },
            force: context["force"],
            gravity: context["gravity"],
            hill_frequency: context["hill_frequency"],
            min_position,
            max_position,
            max_speed,
            step_reward: objective["step_reward"],
            goal_reward: objective["goal_reward"],
            goal_position: objective["goal_position"],
            goal_velocity: objective["goal_velocity"],
            start,
            position: 0.0,
            velocity: 0.0,
            push: 0.0,
        })
    }
}

impl Env for MountainCar {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        (self.position, self.velocity, self.push) = (rng.uniform(self.start[0], self.start[1]), 0.0, 0.0);
        observation.copy_from_slice(&[self.position, self.velocity]);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.push = [-1.0, 0.0, 1.0][action.index()?];
        let acceleration = self.push * self.force + (self.hill_frequency * self.position).cos() * -self.gravity;
        self.velocity = (self.velocity + acceleration).clamp(-self.max_speed, self.max_speed);
        self.position = (self.position + self.velocity).clamp(self.min_position, self.max_position);
        #[expect(clippy::float_cmp, reason = "clamp gives the wall's own number")]
        if self.position == self.min_position && self.velocity < 0.0 {
            self.velocity = 0.0;
        }
        observation.copy_from_slice(&[self.position, self.velocity]);
        let terminated = self.position >= self.goal_position && self.velocity >= self.goal_velocity;
        let reward = if terminated { self.goal_reward } else { self.step_reward };
        Ok(Step { reward, terminated, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&[self.position, self.velocity]);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        (self.position, self.velocity, self.push) = (from.take()?, from.take()?, 0.0);
        Ok(())
    }

    fn scene(&self) -> Scene {
        let hill = Hill { frequency: self.hill_frequency, left: self.min_position, right: self.max_position, goal: self.goal_position };
        hill.scene(self.position, self.push)
    }
}
