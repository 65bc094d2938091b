//! Every byte that is read or written goes through this room.
//!
//! Nothing that is loaded can execute; sizes are checked before memory is taken; what is written appears whole or not at all.

pub mod digest;
pub mod disk;
pub mod journal;
pub mod lock;
pub mod ron;
pub mod tensors;

pub use tensors::{Array, Tensors};
