//! Learning from demonstrations: one file per method, each reads like its paper.
//!
//! `pairs` is what all of them are given. `cloning` fits a policy to pairs: what `bc` does alone and `dagger` in rounds. Methods that learn
//! off-policy from demonstrations (RLPD, IQL, TD3+BC) belong here too, beside the learners that they need.

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

pub use pairs::{Chosen, Pairs, Selection};
