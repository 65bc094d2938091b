//! MuJoCo in this process (Todorov, Erez & Tassa 2012): Gymnasium's robots, each with its physics in the context and its task in the
//! objective.
//!
//! With default parameters 1,000 steps agree bit for bit with Gymnasium 1.4.0 on MuJoCo 3.17.0 (`tests/mujoco.rs`). The library is loaded
//! when the first robot is built; a program without it does everything else. The models are Gymnasium's, with their licence beside them.

mod camera;
mod channels;
mod context;
mod described;
mod inverted_pendulum;
mod layout;
mod library;
mod locomotion;
mod model;
mod numpy;
mod probe;
mod reaching;
mod robots;
mod simulation;
mod task;
mod text;

use crate::env::{Parameter, Simulator, Values};
use crate::error::Result;
use camera::{Camera, View};
use context::{Group, Models};
pub use described::{Description, End, Look, Own, Reading, Start, Term};
use locomotion::Locomotion;
use simulation::Simulation;
use task::{Robot, Task};

/// The simulator's name of a robot of the user's own.
pub const OWN: &str = "mujoco/own";

/// All of them.
pub(super) fn all() -> Vec<Simulator> {
    use inverted_pendulum::{DOUBLE, Double, SINGLE, Single};
    use reaching::{PUSHER, Pusher, REACHER, Reacher};
    let mut all: Vec<Simulator> = robots::ALL
        .iter()
        .map(|species| {
            let body = Body {
                name: species.name,
                about: species.about,
                xml: species.xml,
                frames: species.frames,
                groups: species.groups,
                view: species.view,
            };
            simulator(&body, locomotion::objective(species), 1000, move |_, dt, objective| Ok(Locomotion::new(species, dt, objective)))
        })
        .collect();
    let single = Body {
        name: "mujoco/inverted_pendulum",
        about: "Balance a pole on a cart with a continuous force",
        xml: include_str!("models/inverted_pendulum.xml"),
        frames: 2,
        groups: &[],
        view: View::Side { width: 3.0, bottom: -0.5, top: 1.0 },
    };
    let double = Body {
        name: "mujoco/inverted_double_pendulum",
        about: "Balance two poles on top of each other on a cart",
        xml: include_str!("models/inverted_double_pendulum.xml"),
        frames: 5,
        groups: &[],
        view: View::Side { width: 3.0, bottom: -0.5, top: 1.5 },
    };
    let reacher = Body {
        name: "mujoco/reacher",
        about: "Reach a point with two links",
        xml: include_str!("models/reacher.xml"),
        frames: 2,
        groups: &[],
        view: View::Table { centre: [0.0, 0.0], width: 0.8, height: 0.7 },
    };
    let pusher = Body {
        name: "mujoco/pusher",
        about: "Push an object to a point with an arm of seven joints",
        xml: include_str!("models/pusher_v5.xml"),
        frames: 5,
        groups: &[],
        view: View::Table { centre: [0.3, -0.3], width: 2.0, height: 1.6 },
    };
    all.extend([
        simulator(&single, SINGLE.to_vec(), 1000, |_, _, objective| Ok(Single::new(objective))),
        simulator(&double, DOUBLE.to_vec(), 1000, |_, _, objective| Ok(Double::new(objective))),
        simulator(&reacher, REACHER.to_vec(), 50, |simulation, _, objective| Reacher::new(simulation.model(), objective)),
        simulator(&pusher, PUSHER.to_vec(), 100, |simulation, _, objective| Pusher::new(simulation.model(), objective)),
    ]);
    all
}

/// A model and how it is stepped, changed and seen.
struct Body {
    name: &'static str,
    about: &'static str,
    xml: &'static str,
    frames: u32,
    groups: &'static [Group],
    view: View,
}

/// A simulator; `task` is given the simulation and the seconds of one step.
fn simulator<T: Task + 'static>(
    body: &Body,
    objective: Vec<Parameter>,
    limit: usize,
    task: impl Fn(&Simulation, f64, &Values) -> Result<T> + Send + Sync + 'static,
) -> Simulator {
    let Body { name, about, xml, frames, groups, view } = *body;
    let models = Models::new(xml, frames, groups);
    let context = models.parameters();
    let build = move |context: &Values, objective: &Values| -> Result<Robot<T>> {
        let simulation = Simulation::new(models.get(context)?)?;
        let dt = simulation.model().timestep() * f64::from(frames);
        let task = task(&simulation, dt, objective)?;
        let camera = Camera::new(view, &simulation);
        Ok(Robot::new(simulation, task, frames, camera))
    };
    let mut simulator = Simulator::new(name, about, build);
    (simulator.context, simulator.objective, simulator.max_episode_steps) = (context, objective, Some(limit));
    simulator
}
