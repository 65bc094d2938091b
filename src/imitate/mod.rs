//! Learning from demonstrations: one file per method, each reads like its paper.
//!
//! `pairs` is what those that clone or compare are given; `cloning` fits a policy to pairs: what `bc` does alone and `dagger` in rounds. Those
//! that learn off policy are given a `prior`, transitions with their rewards: `td3_bc` and `rlpd` are what they change of `learn`'s TD3 and
//! SAC, and `iql` is a learner there.

pub mod adversarial;
pub mod after_cloning;
mod airl;
pub mod bc;
pub mod behaviour_regularised;
pub mod cloning;
pub mod dagger;
pub mod dapg;
pub mod discriminator;
mod gail;
pub mod pairs;
pub mod prior;
pub mod rlpd;
pub mod td3_bc;

pub use pairs::{Chosen, Pairs, Selection};
