//! What steps the physics, and how it looks.

mod cart;
pub mod classic;
#[cfg(feature = "gym_rs")]
pub mod gym_rs;
pub mod gymnasium;
mod hill;
pub mod mujoco;
mod tasks;

use super::Simulator;

/// The simulators of this crate.
pub(super) fn all() -> Vec<Simulator> {
    let all = classic::all().into_iter().chain(mujoco::all()).chain(tasks::all()).chain([gymnasium::simulator()]);
    #[cfg(feature = "gym_rs")]
    let all = all.chain(gym_rs::all());
    all.collect()
}
