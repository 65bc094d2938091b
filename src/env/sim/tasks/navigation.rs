//! Navigation in the plane: go to a goal that is not seen (Finn, Abbeel & Levine 2017, section 5.3 and appendix A.2; the sparse reward
//! is that of PEARL, Rakelly et al. 2019).

use crate::env::scene::{Part, Role};
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::Result;
use crate::seed::Rng;
use std::f64::consts::PI;

const CONTEXT: [Parameter; 1] =
    [Parameter::new("max_velocity", 0.1, [1e-3, 10.0], "m/step", "an action is clipped to this on either axis, forwards and backwards")];

const OBJECTIVE: [Parameter; 6] = [
    Parameter::new("goal_x", 0.0, [-10.0, 10.0], "m", "where the goal is, before `goal_radius` is added"),
    Parameter::new("goal_y", 0.0, [-10.0, 10.0], "m", "where the goal is, before `goal_radius` is added"),
    Parameter::new("goal_radius", 0.0, [0.0, 10.0], "m", "how far the goal lies from there, in the direction of `goal_angle`"),
    Parameter::new("goal_angle", 0.0, [-2.0 * PI, 2.0 * PI], "rad", "0 is along x, a quarter of a turn along y"),
    Parameter::new("goal_tolerance", 0.01, [0.0, 10.0], "m", "the task ends closer to the goal than this on both axes; 0 for never"),
    Parameter::new("sparse_radius", 0.0, [0.0, 10.0], "m", "beyond it the reward is 0, within it 1 - distance; 0 for -distance anywhere"),
];

/// `tasks/navigation`: a velocity per axis, from the origin.
pub(super) fn simulator() -> Simulator {
    let about = "Go to a place in the plane that is not seen";
    let mut simulator = Simulator::new("tasks/navigation", about, |context, objective| Ok(Navigation::new(context, objective)));
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(100);
    simulator
}

struct Navigation {
    spaces: Spaces,
    max_velocity: f64,
    goal: [f64; 2],
    goal_tolerance: f64,
    sparse_radius: f64,
    position: [f64; 2],
    /// The last move, to be drawn.
    velocity: [f64; 2],
}

impl Navigation {
    fn new(context: &Values, objective: &Values) -> Self {
        let max_velocity = context["max_velocity"];
        let (sin, cos) = objective["goal_angle"].sin_cos();
        let radius = objective["goal_radius"];
        let velocity = |axis| Channel::new(axis, -max_velocity, max_velocity);
        Self {
            spaces: Spaces {
                observation: vec![Channel::unbounded("x"), Channel::unbounded("y")],
                action: ActionSpace::Continuous(vec![velocity("velocity_x"), velocity("velocity_y")]),
            },
            max_velocity,
            goal: [objective["goal_x"] + radius * cos, objective["goal_y"] + radius * sin],
            goal_tolerance: objective["goal_tolerance"],
            sparse_radius: objective["sparse_radius"],
            position: [0.0; 2],
            velocity: [0.0; 2],
        }
    }

    /// From the goal to here.
    fn offset(&self) -> [f64; 2] {
        [self.position[0] - self.goal[0], self.position[1] - self.goal[1]]
    }

    fn reward(&self) -> f64 {
        let [x, y] = self.offset();
        let distance = (x * x + y * y).sqrt();
        match self.sparse_radius {
            0.0 => -distance,
            radius if distance <= radius => 1.0 - distance,
            _ => 0.0,
        }
    }
}

impl Env for Navigation {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, _rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        (self.position, self.velocity) = ([0.0; 2], [0.0; 2]);
        observation.copy_from_slice(&self.position);
        Ok(())
    }

    #[inline]
    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let values = action.values()?;
        self.velocity = [values[0], values[1]].map(|value| value.clamp(-self.max_velocity, self.max_velocity));
        self.position = [self.position[0] + self.velocity[0], self.position[1] + self.velocity[1]];
        observation.copy_from_slice(&self.position);
        let terminated = self.offset().iter().all(|offset| offset.abs() < self.goal_tolerance);
        Ok(Step { reward: self.reward(), terminated, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.position);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.velocity = [0.0; 2];
        from.take_all(&mut self.position)
    }

    fn scene(&self) -> Scene {
        let furthest = [self.goal, self.position].concat().into_iter().fold(0.5, |far: f64, axis| far.max(axis.abs()));
        let reach = 1.2 * furthest;
        let dot = |centre, size: f64, role| Part::Circle { centre, radius: size * reach, role };
        let mut parts = Vec::new();
        if self.sparse_radius > 0.0 {
            let at = |piece: u32| {
                let (sin, cos) = (2.0 * PI * f64::from(piece) / 48.0).sin_cos();
                [self.goal[0] + self.sparse_radius * cos, self.goal[1] + self.sparse_radius * sin]
            };
            parts.push(Part::Line { points: (0..=48).map(at).collect(), role: Role::Goal });
        }
        parts.extend([dot([0.0; 2], 0.015, Role::Ground), dot(self.goal, 0.04, Role::Goal), dot(self.position, 0.04, Role::Body)]);
        if self.velocity != [0.0; 2] {
            let tip = |axis: usize| self.position[axis] + 0.15 * reach * self.velocity[axis] / self.max_velocity;
            parts.extend(Part::arrow(self.position, [tip(0), tip(1)], 0.015 * reach));
        }
        Scene { view: [-reach, -reach, reach, reach], parts }
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Action, Env, Registry, Spec, Step};
    use crate::seed::Stream;

    fn build(objective: &str) -> Box<dyn Env> {
        let registry = Registry::standard();
        let text = format!("(simulator: \"tasks/navigation\", objective: ({objective}))");
        registry.build(&Spec::from_ron(&registry, "test", &text).unwrap()).unwrap()
    }

    /// All steps of an episode under one action.
    fn walk(env: &mut dyn Env, velocity: [f64; 2]) -> Vec<Step> {
        let (mut rng, mut position) = (Stream::Env(0).under(0), [1.0; 2]);
        env.reset(&mut rng, &mut position).unwrap();
        assert_eq!(position, [0.0; 2]);
        let mut steps = vec![env.step(Action::Continuous(&velocity), &mut rng, &mut position).unwrap()];
        while !steps.last().unwrap().ended() {
            steps.push(env.step(Action::Continuous(&velocity), &mut rng, &mut position).unwrap());
        }
        steps
    }

    #[test]
    fn a_straight_walk_costs_the_sum_of_its_distances() {
        // Clipped to 0.1 on each axis, five steps reach (0.5, 0.5): sqrt(2) (0.4 + 0.3 + 0.2 + 0.1 + 0).
        let steps = walk(&mut *build("goal_x: 0.5, goal_y: 0.5"), [7.0, 0.3]);
        let total: f64 = steps.iter().map(|step| step.reward).sum();
        assert!((total + 2.0_f64.sqrt()).abs() < 1e-12, "{total}");
        assert!(steps.len() == 5 && steps[4].terminated && !steps[4].truncated);
    }

    #[test]
    fn who_stands_still_is_cut_after_a_hundred_steps_and_both_axes_must_be_there() {
        let steps = walk(&mut *build("goal_x: 0.3, goal_y: 0.4"), [0.0, 0.0]);
        assert!(steps.len() == 100 && steps[99].truncated);
        assert!(steps.iter().all(|step| (step.reward + 0.5).abs() < 1e-12));
        // One axis arrives and stays, the other is 0.02 short.
        assert!(walk(&mut *build("goal_x: 10, goal_y: 0.02"), [0.1, 0.0]).iter().all(|step| !step.terminated));
        // What is stepped over was not reached.
        assert!(walk(&mut *build("goal_x: 0.05"), [0.1, 0.0]).iter().all(|step| !step.terminated));
    }

    #[test]
    fn a_goal_on_the_circle_pays_within_its_radius_only_and_goes_on() {
        let quarter = std::f64::consts::FRAC_PI_2;
        let sparse = format!("goal_radius: 1, goal_angle: {quarter}, sparse_radius: 0.25, goal_tolerance: 0");
        let steps = walk(&mut *build(&sparse), [0.0, 0.1]);
        let paid: Vec<f64> = steps.iter().take(14).map(|step| step.reward).collect();
        for (reward, expected) in paid.iter().zip([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.8, 0.9, 1.0, 0.9, 0.8, 0.0, 0.0]) {
            assert!((reward - expected).abs() < 1e-9, "{paid:?}");
        }
        assert_eq!(steps.len(), 100, "a tolerance of 0 never ends the task");
    }
}
