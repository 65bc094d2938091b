//! The two environments of the gym-rs crate, 0.3, behind our contract: a *different simulator* on purpose.
//!
//! Its CartPole computes mass plus length of the pole where the equations of motion have their product (0.6 instead of 0.05), so what is
//! learned there meets other physics in `classic/cartpole`: an honest transfer between simulators. It is taken as it is and never mended;
//! a test beside each file pins what it does. Its own generator is seeded at every reset with a word of the environment's stream, and the
//! law of the start state is always passed, because its own default is ten times wider than Gymnasium's.

mod cartpole;
mod mountain_car;

use crate::env::Simulator;
use gym_rs::utils::custom::types::O64;

/// Both of them.
pub(super) fn all() -> Vec<Simulator> {
    vec![cartpole::simulator(), mountain_car::simulator()]
}

/// A number as gym-rs keeps it.
fn ordered(number: f64) -> O64 {
    O64::from(number)
}
