//! What steps the physics.

pub mod classic;
#[cfg(feature = "gym_rs")]
pub mod gym_rs;

use super::Simulator;

/// The simulators of this crate.
pub(super) fn all() -> Vec<Simulator> {
    let mut simulators = classic::all();
    #[cfg(feature = "gym_rs")]
    simulators.extend(gym_rs::all());
    simulators
}
