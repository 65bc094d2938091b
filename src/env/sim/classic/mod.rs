//! The classic control tasks, our own implementation of Gymnasium's: every physical constant is in the context; reward,
//! termination and start law are in the objective.
//!
//! With default parameters a step agrees with Gymnasium 1.4.0 within 1e-12 (`tests/gymnasium_parity.rs`).

mod acrobot;
mod cartpole;
mod mountain_car;
mod mountain_car_continuous;
mod pendulum;

use crate::env::Simulator;

/// All of them.
pub(super) fn all() -> Vec<Simulator> {
    vec![
        cartpole::discrete(),
        cartpole::continuous(),
        mountain_car::simulator(),
        mountain_car_continuous::simulator(),
        pendulum::simulator(),
        acrobot::simulator(),
    ]
}
