//! gym-rs' MountainCar: the same physics as `classic/mountain_car`, from other hands.

use super::{O64, ordered};
use crate::env::sim::hill::Hill;
use crate::env::{Action, ActionSpace, Channel, Env, Parameter, Scene, Simulator, Snapshot, Spaces, Step, Values};
use crate::error::{Error, Result};
use crate::seed::Rng;
use gym_rs::core::Env as _;
use gym_rs::envs::classical_control::mountain_car::{MountainCarEnv, MountainCarObservation};
use gym_rs::spaces::BoxR;
use gym_rs::utils::renderer::RenderMode;

const CONTEXT: [Parameter; 5] = [
    Parameter::new("force", 0.001, [0.0, 1.0], "m/step²", "what an action adds to the velocity"),
    Parameter::new("gravity", 0.0025, [0.0, 1.0], "m/step²", "what the steepest slope takes from the velocity"),
    Parameter::new("min_position", -1.2, [-100.0, 100.0], "m", "the wall on the left: the car stops there"),
    Parameter::new("max_position", 0.6, [-100.0, 100.0], "m", "the end of the world on the right"),
    Parameter::new("max_speed", 0.07, [1e-6, 10.0], "m/step", "the car gets no faster"),
];

const OBJECTIVE: [Parameter; 4] = [
    Parameter::new("goal_position", 0.5, [-100.0, 100.0], "m", "the task ends when the car is at least that far to the right ..."),
    Parameter::new("goal_velocity", 0.0, [-10.0, 10.0], "m/step", "... and at least that fast"),
    Parameter::new("start_low", -0.6, [-100.0, 100.0], "m", "the start position is uniform from here ..."),
    Parameter::new("start_high", -0.4, [-100.0, 100.0], "m", "... to here, at rest"),
];

/// `gym_rs/mountain_car`: accelerate to the left, not at all, or to the right.
pub(super) fn simulator() -> Simulator {
    let about = "Swing an underpowered car out of a valley in gym-rs";
    let mut simulator = Simulator::new("gym_rs/mountain_car", about, MountainCar::new);
    simulator.context = CONTEXT.to_vec();
    simulator.objective = OBJECTIVE.to_vec();
    simulator.max_episode_steps = Some(200);
    simulator
}

struct MountainCar {
    spaces: Spaces,
    inner: MountainCarEnv,
    start: [f64; 2],
}

impl MountainCar {
    fn new(context: &Values, objective: &Values) -> Result<Self> {
        let [min_position, max_position] = context.ordered("min_position", "max_position")?;
        let start = objective.ordered("start_low", "start_high")?;
        if start[1] - start[0] < 1e-9 {
            return Err(Error::usage("gym-rs draws its start between two positions; `start_low` and `start_high` are one"));
        }
        let max_speed = context["max_speed"];
        let observation = vec![
            Channel::new("car_position", min_position.min(start[0]), max_position.max(start[1])),
            Channel::new("car_velocity", -max_speed, max_speed),
        ];
        let mut inner = MountainCarEnv::new(RenderMode::None);
        inner.force = ordered(context["force"]);
        inner.gravity = ordered(context["gravity"]);
        inner.min_position = ordered(min_position);
        inner.max_position = ordered(max_position);
        inner.max_speed = ordered(max_speed);
        inner.goal_position = ordered(objective["goal_position"]);
        inner.goal_velocity = ordered(objective["goal_velocity"]);
        // A new one has drawn its state from the operating system's entropy.
        inner.state = MountainCarObservation::new(ordered(0.0), ordered(0.0));
        let action = ActionSpace::Discrete(vec!["left".into(), "idle".into(), "right".into()]);
        Ok(Self { spaces: Spaces { observation, action }, inner, start })
    }

    fn state(&self) -> [f64; 2] {
        [self.inner.state.position.into_inner(), self.inner.state.velocity.into_inner()]
    }
}

impl Env for MountainCar {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        let [low, high] = self.start.map(|position| MountainCarObservation::new(ordered(position), ordered(0.0)));
        self.inner.reset(Some(rng.next_u64()), false, Some(BoxR::new(low, high)));
        observation.copy_from_slice(&self.state());
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let outcome = self.inner.step(action.index()?);
        observation.copy_from_slice(&self.state());
        Ok(Step { reward: outcome.reward.into_inner(), terminated: outcome.done, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.state());
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.inner.state = MountainCarObservation::new(ordered(from.take()?), ordered(from.take()?));
        Ok(())
    }

    fn scene(&self) -> Scene {
        let [left, right] = [self.inner.min_position, self.inner.max_position].map(O64::into_inner);
        let hill = Hill { frequency: 3.0, left, right, goal: self.inner.goal_position.into_inner() };
        hill.scene(self.inner.state.position.into_inner(), 0.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::env::{Action, Env, Registry, Snapshot};
    use crate::seed::Stream;

    #[test]
    fn it_drives_as_the_classic_one_does() {
        let registry = Registry::standard();
        let build = |name: &str| registry.build(&registry.resolve(name).unwrap()).unwrap();
        let mut cars: [Box<dyn Env>; 2] = [build("gym_rs/mountain_car"), build("classic/mountain_car")];
        for env in &mut cars {
            env.restore(&mut Snapshot::from_numbers(vec![0.0, 1.0, -0.5, 0.0])).unwrap();
        }
        let (mut rng, mut choice) = (Stream::Env(0).under(0), Stream::ActionNoise(0).under(0));
        for _ in 0..150 {
            let action = Action::Discrete(choice.below(3));
            let [gym_rs, classic] = cars.each_mut().map(|env| {
                let mut observation = [0.0; 2];
                let step = env.step(action, &mut rng, &mut observation).unwrap();
                (observation, step)
            });
            assert_eq!(gym_rs.1, classic.1);
            assert!(gym_rs.0.iter().zip(classic.0).all(|(one, two)| (one - two).abs() < 1e-12), "{gym_rs:?} {classic:?}");
        }
    }
}
