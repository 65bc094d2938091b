//! Names for what is seen of a model: those of its joints, bodies and sensors.

use super::described::Reading;
use super::layout::object;
use super::model::Model;
use crate::env::Channel;

/// Channels of `qpos`: a joint's name, with the axis where it has more than one.
pub(super) fn positions(model: &Model) -> Vec<String> {
    joints(model, |kind| match kind {
        0 => &["_x", "_y", "_z", "_qw", "_qx", "_qy", "_qz"],
        1 => &["_qw", "_qx", "_qy", "_qz"],
        _ => &[""],
    })
}

/// Channels of `qvel` and of forces along it.
pub(super) fn velocities(model: &Model, what: &str) -> Vec<String> {
    let names = joints(model, |kind| match kind {
        0 => &["_x", "_y", "_z", "_rx", "_ry", "_rz"],
        1 => &["_rx", "_ry", "_rz"],
        _ => &[""],
    });
    names.into_iter().map(|name| format!("{name}_{what}")).collect()
}

fn joints(model: &Model, axes: impl Fn(i32) -> &'static [&'static str]) -> Vec<String> {
    let kinds = model.joint_type().iter().enumerate();
    kinds
        .flat_map(|(joint, kind)| axes(*kind).iter().map(move |axis| format!("{}{axis}", model.name(object::JOINT, joint, "joint"))))
        .collect()
}

/// Channels of something that every body but the world has.
pub(super) fn bodies(model: &Model, what: &str, parts: &[&str]) -> Vec<String> {
    let names = (1..model.sizes().bodies).map(|body| model.name(object::BODY, body, "body"));
    names.flat_map(|name| parts.iter().map(move |part| format!("{name}_{what}_{part}"))).collect()
}

/// Channels of a reading with so many numbers.
pub(super) fn of_reading(reading: &Reading, size: usize) -> Vec<String> {
    let (name, what) = match reading {
        Reading::Joint(name) | Reading::Sensor(name) => (name.clone(), ""),
        Reading::JointVelocity(name) => (name.clone(), "_velocity"),
        Reading::Body(name) | Reading::Site(name) => (name.clone(), "_position"),
        Reading::Way { from, to } => (format!("{from}_to_{to}"), ""),
    };
    let parts: Vec<String> = match (reading, size) {
        (_, 1) => vec![String::new()],
        (Reading::Body(_) | Reading::Site(_) | Reading::Way { .. }, _) => ["_x", "_y", "_z"].map(str::to_owned).into(),
        _ => (0..size).map(|index| format!("_{index}")).collect(),
    };
    parts.into_iter().map(|part| format!("{name}{what}{part}")).collect()
}

/// Channels without bounds, which is what Gymnasium says of them.
pub(super) fn unbounded(names: impl IntoIterator<Item = String>) -> Vec<Channel> {
    names.into_iter().map(Channel::unbounded).collect()
}
