//! A task on a model: what is seen, what is earned, when it ends; and around it the environment that all tasks share.

use super::camera::Camera;
use super::simulation::Simulation;
use crate::env::{Action, ActionSpace, Channel, Env, Scene, Snapshot, Spaces, Step};
use crate::error::Result;
use crate::seed::Rng;

/// What came of a step.
pub(super) struct Outcome {
    pub(super) reward: f64,
    pub(super) terminated: bool,
}

/// What is asked of a robot. Formulas are those of Gymnasium 1.4.0's `v5` environments, in their order of operations.
pub(super) trait Task: Send {
    /// Puts the start state: draws around the model's own position and velocity, which are given.
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]);

    /// The channels of [`Task::observe`].
    fn channels(&self, simulation: &Simulation) -> Vec<Channel>;

    /// Writes what is seen.
    fn observe(&self, simulation: &Simulation, observation: &mut [f64]);

    /// Where the robot is, m: what the next step's reward compares with.
    fn place(&self, _simulation: &Simulation) -> [f64; 2] {
        [0.0; 2]
    }

    /// Reward and end of a step that led from one place to another.
    fn judge(&self, simulation: &Simulation, from: [f64; 2], to: [f64; 2], action: &[f64]) -> Outcome;

    /// Whether forces from outside are asked for, which take time.
    fn feels_forces(&self) -> bool {
        false
    }
}

/// A robot with its task.
pub(super) struct Robot<T> {
    task: T,
    simulation: Simulation,
    spaces: Spaces,
    camera: Camera,
    /// Steps of the physics for one of the environment.
    frames: u32,
    /// The model's own position and velocity: where starts are drawn around.
    home: (Vec<f64>, Vec<f64>),
    /// Where it was at the end of the last step. MuJoCo's own record of it is not part of its state.
    place: [f64; 2],
}

impl<T: Task> Robot<T> {
    pub(super) fn new(mut simulation: Simulation, task: T, frames: u32, camera: Camera) -> Self {
        simulation.reset();
        let home = (simulation.positions().to_vec(), simulation.velocities().to_vec());
        let model = simulation.model();
        let motor = |actuator: usize| {
            // As in Gymnasium, whose actions are `float32`.
            #[expect(clippy::cast_possible_truncation, reason = "as in Gymnasium")]
            let [low, high] =
                model.control_range(actuator).unwrap_or([f64::NEG_INFINITY, f64::INFINITY]).map(|bound| f64::from(bound as f32));
            Channel::new(model.actuator_name(actuator), low, high)
        };
        let action = ActionSpace::Continuous((0..model.sizes().nu).map(motor).collect());
        let spaces = Spaces { observation: task.channels(&simulation), action };
        Self { task, simulation, spaces, camera, frames, home, place: [0.0; 2] }
    }
}

impl<T: Task> Env for Robot<T> {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }

    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.simulation.reset();
        let (mut positions, mut velocities) = self.home.clone();
        self.task.start(rng, &mut positions, &mut velocities);
        self.simulation.set(&positions, &velocities);
        self.simulation.forward();
        self.place = self.task.place(&self.simulation);
        self.task.observe(&self.simulation, observation);
        Ok(())
    }

    fn step(&mut self, action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let action = action.values()?;
        self.simulation.step(action, self.frames, self.task.feels_forces())?;
        let place = self.task.place(&self.simulation);
        let Outcome { reward, terminated } = self.task.judge(&self.simulation, self.place, place, action);
        self.place = place;
        self.task.observe(&self.simulation, observation);
        Ok(Step { reward, terminated, truncated: false })
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.simulation.state());
        into.put_all(&self.place);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        let mut state = vec![0.0; self.simulation.state_size()];
        from.take_all(&mut state)?;
        from.take_all(&mut self.place)?;
        self.simulation.restore(&state);
        Ok(())
    }

    fn scene(&self) -> Scene {
        self.simulation.pose();
        self.camera.scene(&self.simulation)
    }
}
