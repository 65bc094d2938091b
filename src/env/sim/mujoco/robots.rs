//! The six robots as data: their models, and what is particular about their tasks (Gymnasium 1.4.0, `gymnasium/envs/mujoco/*_v5.py`).

use super::camera::View;
use super::channels;
use super::context::Group;
use super::model::Model;
use super::simulation::Simulation;

/// A robot and what its task is made of.
pub(super) struct Species {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) xml: &'static str,
    /// Steps of the physics for one of the environment.
    pub(super) frames: u32,
    /// Positions that are not shown: where in the world it is.
    pub(super) hidden: usize,
    pub(super) clips_velocities: bool,
    pub(super) start: Start,
    pub(super) noise: f64,
    pub(super) place: Place,
    pub(super) forward_weight: f64,
    pub(super) control_weight: f64,
    /// The cost is of the controls as MuJoCo holds them, in double precision, and not of the action.
    pub(super) cost_of_held_control: bool,
    pub(super) health: Option<Health>,
    pub(super) contact: Option<Contact>,
    /// Shown behind positions and velocities.
    pub(super) parts: &'static [Part],
    /// Parts of the body that the context can change.
    pub(super) groups: &'static [Group],
    pub(super) view: View,
}

/// The law of the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Start {
    /// Positions and velocities are uniform.
    Uniform,
    /// Positions are uniform, velocities normal.
    NormalVelocities,
}

/// What counts as the robot's place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Place {
    /// Its first coordinate: it moves along a line.
    Slide,
    /// Its first two coordinates.
    Plane,
    /// Its trunk's frame.
    Trunk,
    /// The centre of all its masses.
    CentreOfMass,
}

/// When it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Health {
    pub(super) reward: f64,
    /// Which position is its height.
    pub(super) height: usize,
    /// Between which heights.
    pub(super) z: [f64; 2],
    /// The bounds belong to it.
    pub(super) closed: bool,
    /// Leaning less than this, rad.
    pub(super) angle: Option<f64>,
    /// With every other number of its state within this.
    pub(super) state: Option<f64>,
}

/// What forces from outside cost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contact {
    pub(super) weight: f64,
    /// Cut to this first.
    pub(super) clipped_force: Option<f64>,
    /// The most they take.
    pub(super) most_cost: Option<f64>,
}

/// What else is seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// `cinert[1:]`.
    Inertias,
    /// `cvel[1:]`.
    Velocities,
    /// `qfrc_actuator[6:]`.
    ActuatorForces,
    /// `cfrc_ext[1:]`.
    OutsideForces,
}

impl Part {
    pub(super) const fn option(self) -> &'static str {
        match self {
            Self::Inertias => "include_cinert",
            Self::Velocities => "include_cvel",
            Self::ActuatorForces => "include_qfrc_actuator",
            Self::OutsideForces => "include_cfrc_ext",
        }
    }

    pub(super) const fn about(self) -> &'static str {
        match self {
            Self::Inertias => "0 hides the bodies' inertias",
            Self::Velocities => "0 hides the bodies' velocities about the centre of mass",
            Self::ActuatorForces => "0 hides the forces of the motors",
            Self::OutsideForces => "0 hides the forces from outside",
        }
    }

    pub(super) fn names(self, model: &Model) -> Vec<String> {
        const INERTIA: [&str; 10] = ["xx", "yy", "zz", "xy", "xz", "yz", "mx", "my", "mz", "mass"];
        const SPATIAL: [&str; 6] = ["rx", "ry", "rz", "x", "y", "z"];
        match self {
            Self::Inertias => channels::bodies(model, "cinert", &INERTIA),
            Self::Velocities => channels::bodies(model, "cvel", &SPATIAL),
            Self::ActuatorForces => channels::velocities(model, "force").split_off(6),
            Self::OutsideForces => channels::bodies(model, "cfrc", &SPATIAL),
        }
    }

    pub(super) fn values(self, simulation: &Simulation) -> &[f64] {
        match self {
            Self::Inertias => &simulation.body_inertias()[10..],
            Self::Velocities => &simulation.body_velocities()[6..],
            Self::ActuatorForces => &simulation.actuator_forces()[6..],
            Self::OutsideForces => &simulation.outside_forces()[6..],
        }
    }
}

const HALF_CHEETAH: Species = Species {
    name: "mujoco/half_cheetah",
    about: "Run: a cheetah's half with six joints (Wawrzynski 2009)",
    xml: include_str!("models/half_cheetah.xml"),
    frames: 5,
    hidden: 1,
    clips_velocities: false,
    start: Start::NormalVelocities,
    noise: 0.1,
    place: Place::Slide,
    forward_weight: 1.0,
    control_weight: 0.1,
    cost_of_held_control: false,
    health: None,
    contact: None,
    parts: &[],
    groups: &[
        Group::range("thigh_range", &["bthigh", "fthigh"], "factor: reach of both thighs' joints"),
        Group::range("foot_range", &["bfoot", "ffoot"], "factor: reach of both feet's joints"),
        Group::length("torso_length", &["torso"], "factor: length of the trunk"),
        Group::length("thigh_length", &["bthigh", "fthigh"], "factor: length of both thighs"),
    ],
    view: View::Side { width: 5.0, bottom: -0.4, top: 2.1 },
};

const HOPPER: Species = Species {
    name: "mujoco/hopper",
    about: "Hop on one leg with three joints (Erez, Tassa & Todorov 2011)",
    xml: include_str!("models/hopper.xml"),
    frames: 4,
    hidden: 1,
    clips_velocities: true,
    start: Start::Uniform,
    noise: 5e-3,
    place: Place::Slide,
    forward_weight: 1.0,
    control_weight: 1e-3,
    cost_of_held_control: false,
    health: Some(Health { reward: 1.0, height: 1, z: [0.7, f64::INFINITY], closed: false, angle: Some(0.2), state: Some(100.0) }),
    contact: None,
    parts: &[],
    groups: &[
        Group::range("leg_range", &["leg_joint"], "factor: reach of the knee"),
        Group::range("foot_range", &["foot_joint"], "factor: reach of the ankle"),
        Group::length("torso_length", &["torso_geom"], "factor: length of the trunk"),
        Group::length("foot_length", &["foot_geom"], "factor: length of the foot"),
    ],
    view: View::Side { width: 4.0, bottom: -0.3, top: 2.0 },
};

const WALKER2D: Species = Species {
    name: "mujoco/walker2d",
    about: "Walk on two legs with six joints",
    xml: include_str!("models/walker2d_v5.xml"),
    health: Some(Health { reward: 1.0, height: 1, z: [0.8, 2.0], closed: false, angle: Some(1.0), state: None }),
    groups: &[
        Group::range("thigh_range", &["thigh_joint", "thigh_left_joint"], "factor: reach of both hips"),
        Group::range("foot_range", &["foot_joint", "foot_left_joint"], "factor: reach of both ankles"),
        Group::length("torso_length", &["torso_geom"], "factor: length of the trunk"),
        Group::length("leg_length", &["leg_geom", "leg_left_geom"], "factor: length of both legs below the knee"),
    ],
    ..HOPPER
};

const ANT: Species = Species {
    name: "mujoco/ant",
    about: "Run on four legs with eight joints (Schulman et al. 2016)",
    xml: include_str!("models/ant.xml"),
    frames: 5,
    hidden: 2,
    clips_velocities: false,
    start: Start::NormalVelocities,
    noise: 0.1,
    place: Place::Trunk,
    forward_weight: 1.0,
    control_weight: 0.5,
    cost_of_held_control: false,
    health: Some(Health { reward: 1.0, height: 2, z: [0.2, 1.0], closed: true, angle: None, state: None }),
    contact: Some(Contact { weight: 5e-4, clipped_force: Some(1.0), most_cost: None }),
    parts: &[Part::OutsideForces],
    groups: &[
        Group::range("hip_range", &["hip_1", "hip_2", "hip_3", "hip_4"], "factor: reach of the four hips"),
        Group::range("ankle_range", &["ankle_1", "ankle_2", "ankle_3", "ankle_4"], "factor: reach of the four ankles"),
        Group::length("front_length", &["left_ankle_geom", "right_ankle_geom"], "factor: length of the two front legs below the knee"),
        Group::length("back_length", &["third_ankle_geom", "fourth_ankle_geom"], "factor: length of the two back legs below the knee"),
    ],
    view: View::Oblique { width: 6.0, height: 4.0 },
};

const SWIMMER: Species = Species {
    name: "mujoco/swimmer",
    about: "Swim with three links in a thick fluid (Coulom 2002)",
    xml: include_str!("models/swimmer.xml"),
    frames: 4,
    hidden: 2,
    clips_velocities: false,
    start: Start::Uniform,
    noise: 0.1,
    place: Place::Plane,
    control_weight: 1e-4,
    health: None,
    groups: &[],
    view: View::Above { width: 6.0, height: 4.0 },
    ..HALF_CHEETAH
};

const HUMANOID: Species = Species {
    name: "mujoco/humanoid",
    about: "Walk as a person with seventeen joints (Tassa, Erez & Todorov 2012)",
    xml: include_str!("models/humanoid.xml"),
    frames: 5,
    hidden: 2,
    clips_velocities: false,
    start: Start::Uniform,
    noise: 1e-2,
    place: Place::CentreOfMass,
    forward_weight: 1.25,
    control_weight: 0.1,
    cost_of_held_control: true,
    health: Some(Health { reward: 5.0, height: 2, z: [1.0, 2.0], closed: false, angle: None, state: None }),
    contact: Some(Contact { weight: 5e-7, clipped_force: None, most_cost: Some(10.0) }),
    parts: &[Part::Inertias, Part::Velocities, Part::ActuatorForces, Part::OutsideForces],
    groups: &[],
    view: View::Oblique { width: 5.0, height: 3.0 },
};

/// All of them.
pub(super) static ALL: [Species; 6] = [HALF_CHEETAH, HOPPER, WALKER2D, ANT, SWIMMER, HUMANOID];
