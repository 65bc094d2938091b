//! MuJoCo, which Heirloom loads when a robot is built: the one library of its wheel.

use super::Native;
use crate::failure::Outcome;
use crate::machine;
use std::env;

const MUJOCO: Native = Native {
    name: "mujoco",
    version: "3.17.0",
    requirements: ("mujoco.txt", include_str!("mujoco.txt")),
    parts: &["libmujoco.so.3.17.0"],
    added: &[],
};

/// Makes sure that MuJoCo is where `src/env/sim/mujoco/library.rs` looks for it. Nothing but robots needs it: elsewhere it is the user's.
pub(crate) fn provide() -> Outcome {
    if env::var_os("MUJOCO_LIBRARY").is_some() || machine::check_platform().is_err() {
        return Ok(());
    }
    MUJOCO.provide()
}
