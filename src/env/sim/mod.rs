//! What steps the physics, and how it looks.

mod cart;
pub mod classic;
#[cfg(feature = "gym_rs")]
pub mod gym_rs;
mod hill;

use super::Simulator;

/// The simulators of this crate.
pub(super) fn all() -> Vec<Simulator> {
    let mut simulators = classic::all();
    #[cfg(feature = "gym_rs")]
    simulators.extend(gym_rs::all());
    simulators
}
