//! Networks are functions: a small serialisable shape, an ordered list of named parameters, and a forward pass that owns no state.
//!
//! Two ways compute them: [`kernel`], fused forward and backward for plain MLPs, and [`autograd`], libtorch, for everything else and as
//! the kernel's reference. Which one runs follows from the architecture alone.

pub mod actor_critic;
pub mod adam;
pub mod autograd;
pub mod distribution;
pub mod gru;
pub mod init;
pub mod kernel;
pub mod mlp;
pub mod network;
pub mod normalizer;
pub mod numerics;
pub mod params;
pub mod second_order;
pub mod unroll;

pub use actor_critic::ActorCritic;
pub use adam::Adam;
pub use distribution::Head;
pub use gru::Gru;
pub use mlp::{Activation, Mlp};
pub use network::{Network, Workspace};
pub use normalizer::{Moments, Normalizer};
pub use params::{Layout, Params};
pub use unroll::Unroll;
