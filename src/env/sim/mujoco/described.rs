//! A robot of the user's own: its model's XML, and what is seen, earned and started by names of joints, bodies, sites and sensors. A new
//! robot needs no Rust.

use super::camera::{Camera, View};
use super::channels;
use super::context::Models;
use super::layout::object;
use super::model::Model;
use super::numpy;
use super::simulation::Simulation;
use super::task::{Outcome, Robot, Task};
use super::text;
use crate::env::{Channel, Parameter, Quantity, Simulator, Values};
use crate::error::{Error, Kind, Result, did_you_mean, within};
use crate::file::disk;
use crate::seed::Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// The section `mujoco` of an environment file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "mujoco", deny_unknown_fields)]
pub struct Description {
    /// The model: a file beside the environment's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xml: Option<String>,
    /// Its text, which is what a card keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Steps of the physics for one of the environment.
    #[serde(default = "one")]
    pub frame_skip: u32,
    /// What is seen, in this order.
    pub observation: Vec<Reading>,
    /// What is earned: the sum of these.
    pub reward: Vec<Term>,
    /// When the task is over.
    #[serde(default)]
    pub ends: Vec<End>,
    /// How far from the model's own position an episode starts.
    #[serde(default)]
    pub start: Start,
    /// How it is looked at.
    #[serde(default)]
    pub view: Look,
}

const fn one() -> u32 {
    1
}

/// Numbers that are read of the simulation, by a name in the model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Reading {
    /// A joint's position: 1 number of a hinge (rad) or slide (m), 4 of a ball, 7 of a free joint.
    Joint(String),
    /// A joint's velocity: 1 number, 3 or 6.
    JointVelocity(String),
    /// Where a body is, m: x, y, z.
    Body(String),
    /// Where a site is, m: x, y, z.
    Site(String),
    /// From one body or site to another, m: x, y, z.
    Way {
        /// The one.
        from: String,
        /// The other.
        to: String,
    },
    /// What a sensor reads.
    Sensor(String),
}

/// A part of the reward.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Term {
    /// So much for every step that does not end the task.
    Alive(f64),
    /// So much for the sum of the action's squares.
    Control(f64),
    /// So much for every m/s of a body along a direction.
    Velocity {
        /// The body.
        body: String,
        /// x, y, z; its length counts.
        along: [f64; 3],
        /// Reward per m/s.
        weight: f64,
    },
    /// So much for the length of a reading: of a way, its distance.
    Length {
        /// The reading.
        of: Reading,
        /// Reward per unit.
        weight: f64,
    },
    /// So much for one number of a reading.
    Number {
        /// The reading.
        of: Reading,
        /// Which one, from 0.
        #[serde(default)]
        index: usize,
        /// Reward per unit.
        weight: f64,
    },
}

/// What ends the task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum End {
    /// A number of a reading is not between two others.
    Outside {
        /// The reading.
        of: Reading,
        /// Which one, from 0.
        #[serde(default)]
        index: usize,
        /// The least.
        #[serde(default = "lowest")]
        low: f64,
        /// The greatest.
        #[serde(default = "highest")]
        high: f64,
    },
}

const fn lowest() -> f64 {
    -1e9
}

const fn highest() -> f64 {
    1e9
}

/// The law of the start: uniform within these of the model's own position and of rest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Start {
    /// Of every position.
    pub positions: f64,
    /// Of every velocity.
    pub velocities: f64,
}

/// How it is looked at: from the side (x to the right, z upwards), from above, or aslant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Look {
    /// From the side.
    #[default]
    Side,
    /// From above.
    Above,
    /// From the side and above.
    Oblique,
}

/// A robot of the user's own, ready to be built.
#[derive(Clone)]
pub struct Own {
    /// What its file says, with the model's text in it.
    pub description: Description,
    /// What that makes.
    pub simulator: Arc<Simulator>,
}

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.description == other.description
    }
}

impl std::fmt::Debug for Own {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.description.fmt(f)
    }
}

/// Longer models do not fit into a card.
const MOST_XML: u64 = 128 * 1024;

impl Description {
    /// The robot of a file in this folder; of none, in a card, whose text is whole.
    ///
    /// # Errors
    /// Exit 2 when the XML cannot be read, MuJoCo refuses it, a name is not in it, or a number makes no sense; exit 4 when there is no
    /// library.
    pub(in crate::env) fn own(mut self, folder: Option<&Path>) -> Result<Own> {
        let xml = self.xml.take();
        let place = xml.clone().unwrap_or_else(|| "model".to_owned());
        match (xml, &self.model) {
            (Some(xml), None) => self.model = Some(read(&xml, folder)?),
            (None, Some(_)) => {}
            (Some(_), Some(_)) => return Err(Error::usage("the section `mujoco` has both `xml` and `model`").hint("keep one of the two")),
            (None, None) => {
                let hint = "write `xml: \"robot.xml\"`, a file beside this one";
                return Err(Error::usage("the section `mujoco` names no model").hint(hint));
            }
        }
        let simulator = Arc::new(self.simulator(&place)?);
        Ok(Own { description: self, simulator })
    }

    /// The simulator of this robot, whose model stands at `place`. Its context is that of every robot.
    fn simulator(&self, place: &str) -> Result<Simulator> {
        let text = self.model.as_deref().unwrap_or_default();
        within("frame_skip", self.frame_skip, [1, 10_000])?;
        within("start.positions", self.start.positions, [0.0, 1e3])?;
        within("start.velocities", self.start.velocities, [0.0, 1e3])?;
        if self.observation.is_empty() {
            return Err(Error::usage("nothing is observed").hint("for example `observation: [Joint(\"elbow\"), JointVelocity(\"elbow\")]`"));
        }
        text::check(text).map_err(|error| error.at(place))?;
        let model = Model::compile(text, &[]).map_err(|error| error.at(place))?;
        if model.sizes().bodies < 2 {
            return Err(Error::usage("the model has no body but the world").at(place));
        }
        if model.sizes().nu == 0 {
            return Err(Error::usage("the model has no actuators, so that nothing can be done").hint("add `<actuator>` to its XML"));
        }
        // Every name and number is looked up once, before anything is built.
        let simulation = Simulation::new(Arc::new(model))?;
        let dt = simulation.model().timestep() * f64::from(self.frame_skip);
        Described::new(self, &simulation, dt)?;
        let view = match self.view {
            Look::Side => View::Side { width: 4.0, bottom: -0.4, top: 2.0 },
            Look::Above => View::Above { width: 4.0, height: 3.0 },
            Look::Oblique => View::Oblique { width: 4.0, height: 3.0 },
        };
        let models = Models::of(text.to_owned(), self.frame_skip, simulation.model());
        let context: Vec<Parameter> = models.parameters();
        // What the model itself says must be what a file could say: a card does.
        for parameter in &context {
            Quantity::Number(parameter.default).check(parameter).map_err(|error| error.at(place))?;
        }
        let description = self.clone();
        let build = move |context: &Values, _objective: &Values| -> Result<Robot<Described>> {
            let simulation = Simulation::new(models.get(context)?)?;
            let dt = simulation.model().timestep() * f64::from(description.frame_skip);
            let task = Described::new(&description, &simulation, dt)?;
            let camera = Camera::new(view, &simulation);
            Ok(Robot::new(simulation, task, description.frame_skip, camera))
        };
        let mut simulator = Simulator::new(super::OWN, "A robot of one's own in MuJoCo", build);
        simulator.context = context;
        Ok(simulator)
    }
}

/// The text of a model that lies beside its environment's file.
fn read(xml: &str, folder: Option<&Path>) -> Result<String> {
    let plain = Path::new(xml).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !plain {
        return Err(Error::usage(format!("`{xml}` is no file beside this one")).hint("name a file in the same folder, or below it"));
    }
    let path = folder.unwrap_or(Path::new("")).join(xml);
    let bytes = disk::read(&path, MOST_XML).map_err(|error| error.as_kind(Kind::Usage))?;
    String::from_utf8(bytes).map_err(|_| Error::usage("is no text").at(path.display()))
}

/// A reading whose names are looked up.
enum Looked {
    Positions(std::ops::Range<usize>),
    Velocities(std::ops::Range<usize>),
    Point(Point),
    Way(Point, Point),
    Sensor(std::ops::Range<usize>),
}

#[derive(Clone, Copy)]
enum Point {
    Body(usize),
    Site(usize),
}

impl Point {
    fn of(self, simulation: &Simulation) -> [f64; 3] {
        match self {
            Self::Body(body) => simulation.body_position(body),
            Self::Site(site) => simulation.site_position(site),
        }
    }
}

impl Looked {
    fn new(reading: &Reading, model: &Model) -> Result<Self> {
        Ok(match reading {
            Reading::Joint(name) => Self::Positions(model.joint_positions(found(model, object::JOINT, "joint", name)?)),
            Reading::JointVelocity(name) => Self::Velocities(model.joint_velocities(found(model, object::JOINT, "joint", name)?)),
            Reading::Body(name) => Self::Point(Point::Body(found(model, object::BODY, "body", name)?)),
            Reading::Site(name) => Self::Point(Point::Site(found(model, object::SITE, "site", name)?)),
            Reading::Way { from, to } => Self::Way(point(model, from)?, point(model, to)?),
            Reading::Sensor(name) => Self::Sensor(model.sensor_readings(found(model, object::SENSOR, "sensor", name)?)),
        })
    }

    fn size(&self) -> usize {
        match self {
            Self::Positions(range) | Self::Velocities(range) | Self::Sensor(range) => range.len(),
            Self::Point(_) | Self::Way(..) => 3,
        }
    }

    /// Calls `see` with the numbers.
    fn read<R>(&self, simulation: &Simulation, see: impl FnOnce(&[f64]) -> R) -> R {
        match self {
            Self::Positions(range) => see(&simulation.positions()[range.clone()]),
            Self::Velocities(range) => see(&simulation.velocities()[range.clone()]),
            Self::Sensor(range) => see(&simulation.sensors()[range.clone()]),
            Self::Point(point) => see(&point.of(simulation)),
            Self::Way(from, to) => {
                let (from, to) = (from.of(simulation), to.of(simulation));
                see(&[to[0] - from[0], to[1] - from[1], to[2] - from[2]])
            }
        }
    }
}

fn found(model: &Model, kind: i32, what: &str, name: &str) -> Result<usize> {
    model.id(kind, name).ok_or_else(|| {
        let names = model.names(kind);
        Error::usage(format!("the model has no {what} `{name}`")).hint(did_you_mean(name, names.iter().map(String::as_str)))
    })
}

fn point(model: &Model, name: &str) -> Result<Point> {
    match (model.id(object::BODY, name), model.id(object::SITE, name)) {
        (Some(body), _) => Ok(Point::Body(body)),
        (None, Some(site)) => Ok(Point::Site(site)),
        (None, None) => {
            let names = [model.names(object::BODY), model.names(object::SITE)].concat();
            Err(Error::usage(format!("the model has no body or site `{name}`")).hint(did_you_mean(name, names.iter().map(String::as_str))))
        }
    }
}

enum Earned {
    Alive(f64),
    Control(f64),
    /// The body, along what.
    Velocity {
        body: usize,
        along: [f64; 3],
        weight: f64,
    },
    Length(Looked, f64),
    Number(Looked, usize, f64),
}

/// The task of a robot of one's own.
pub(super) struct Described {
    dt: f64,
    start: Start,
    names: Vec<String>,
    observation: Vec<Looked>,
    reward: Vec<Earned>,
    ends: Vec<(Looked, usize, [f64; 2])>,
}

impl Described {
    fn new(description: &Description, simulation: &Simulation, dt: f64) -> Result<Self> {
        let model = simulation.model();
        let mut names = Vec::new();
        let mut observation = Vec::new();
        for reading in &description.observation {
            let looked = Looked::new(reading, model)?;
            names.extend(channels::of_reading(reading, looked.size()));
            observation.push(looked);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            return Err(Error::usage(format!("`{twice}` is observed twice")));
        }
        let number = |of: &Reading, index: usize| -> Result<Looked> {
            let looked = Looked::new(of, model)?;
            if index < looked.size() {
                return Ok(looked);
            }
            Err(Error::usage(format!("{of:?} has {} numbers, there is no number {index}", looked.size())).hint("they are counted from 0"))
        };
        let mut velocities = 0;
        let reward = description.reward.iter().map(|term| {
            let weight = match term {
                Term::Alive(weight)
                | Term::Control(weight)
                | Term::Velocity { weight, .. }
                | Term::Length { weight, .. }
                | Term::Number { weight, .. } => weight,
            };
            within("weight", *weight, [-1e9, 1e9])?;
            Ok(match term {
                Term::Alive(weight) => Earned::Alive(*weight),
                Term::Control(weight) => Earned::Control(*weight),
                Term::Velocity { body, along, weight } => {
                    velocities += 1;
                    along.iter().try_for_each(|part| within("along", *part, [-1e6, 1e6]))?;
                    Earned::Velocity { body: found(model, object::BODY, "body", body)?, along: *along, weight: *weight }
                }
                Term::Length { of, weight } => Earned::Length(Looked::new(of, model)?, *weight),
                Term::Number { of, index, weight } => Earned::Number(number(of, *index)?, *index, *weight),
            })
        });
        let reward = reward.collect::<Result<Vec<_>>>()?;
        if velocities > 1 {
            return Err(Error::usage("more than one `Velocity` in a reward")
                .hint("read the others by velocity sensors (`<framelinvel>`) and `Number`"));
        }
        let ends = description.ends.iter().map(|end| {
            let End::Outside { of, index, low, high } = end;
            within("low", *low, [-1e9, *high])?;
            within("high", *high, [*low, 1e9])?;
            Ok((number(of, *index)?, *index, [*low, *high]))
        });
        Ok(Self { dt, start: description.start, names, observation, reward, ends: ends.collect::<Result<_>>()? })
    }
}

impl Task for Described {
    fn start(&self, rng: &mut Rng, positions: &mut [f64], velocities: &mut [f64]) {
        for position in positions {
            *position += rng.uniform(-self.start.positions, self.start.positions);
        }
        for velocity in velocities {
            *velocity += rng.uniform(-self.start.velocities, self.start.velocities);
        }
    }

    fn channels(&self, _simulation: &Simulation) -> Vec<Channel> {
        channels::unbounded(self.names.iter().cloned())
    }

    fn observe(&self, simulation: &Simulation, mut observation: &mut [f64]) {
        for reading in &self.observation {
            let (shown, rest) = observation.split_at_mut(reading.size());
            reading.read(simulation, |numbers| shown.copy_from_slice(numbers));
            observation = rest;
        }
    }

    /// How far the body of the reward's velocity is along its direction.
    fn place(&self, simulation: &Simulation) -> [f64; 2] {
        let along = self.reward.iter().find_map(|term| match term {
            Earned::Velocity { body, along, .. } => {
                let at = simulation.body_position(*body);
                Some(at[0] * along[0] + at[1] * along[1] + at[2] * along[2])
            }
            _ => None,
        });
        [along.unwrap_or(0.0), 0.0]
    }

    fn judge(&self, simulation: &Simulation, from: [f64; 2], to: [f64; 2], action: &[f64]) -> Outcome {
        let over = |(reading, index, [low, high]): &(Looked, usize, [f64; 2])| {
            reading.read(simulation, |numbers| !(*low..=*high).contains(&numbers[*index]))
        };
        let terminated = self.ends.iter().any(over);
        let earned = |term: &Earned| match term {
            Earned::Alive(weight) => {
                if terminated {
                    0.0
                } else {
                    *weight
                }
            }
            Earned::Control(weight) => weight * f64::from(numpy::sum_of_squares(action)),
            Earned::Velocity { weight, .. } => weight * (to[0] - from[0]) / self.dt,
            Earned::Length(reading, weight) => {
                weight * reading.read(simulation, |numbers| numbers.iter().map(|number| number * number).sum::<f64>().sqrt())
            }
            Earned::Number(reading, index, weight) => weight * reading.read(simulation, |numbers| numbers[*index]),
        };
        Outcome { reward: self.reward.iter().map(earned).sum(), terminated }
    }
}
