//! The fast path of plain MLPs: fused forward and backward without autograd.
//!
//! Every output element is one chain of fused multiply-adds in a fixed order, whatever the vector width, the number of rows or their
//! neighbours. So a row's result does not depend on its batch, acting and learning compute the same bits, and so do AVX-512, AVX2 and
//! scalar machines. `nn/autograd.rs` is the reference it is tested against.

mod activation;
mod buffer;
mod gru;
mod layer_norm;
mod matmul;
mod mlp;
mod real;
mod tangent;

pub use buffer::Buffer;
use buffer::{padded, stride};
pub use gru::{GruGradients, PackedGru, Steps};
pub use mlp::{Activations, Gradients, Packed};
pub use real::Real;
pub use tangent::Tangents;

/// Rows that pass through a network together: small enough for activations to stay in the nearest caches, large enough to amortise
/// loading weights.
pub const CHUNK: usize = 64;

/// A row's gradient below this moves no parameter by a bit; left alone, those of a policy that is sure of itself sink below 1e-38, where
/// processors multiply ten times slower.
pub const LEAST_GRADIENT: f32 = 1e-30;
