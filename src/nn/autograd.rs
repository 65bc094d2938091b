//! Networks on libtorch, with autograd: for every architecture and every loss, and the fused kernel's reference.
//!
//! The flat parameters are the truth; leaves are copies of them that a shard owns (`Tensor` is `Send` but not `Sync`).

use super::{Activation, ActorCritic, Params};
use crate::error::{Error, Result};
use tch::{Kind, Tensor};

/// One libtorch thread in this thread's shards: parallel is between shards, and results must not depend on it. Run once in every thread
/// that computes with tensors.
pub fn use_one_thread() {
    tch::set_num_threads(1);
}

/// For the whole process, before any tensor is made.
pub fn configure_process() {
    use_one_thread();
    tch::set_num_interop_threads(1);
}

/// One tensor per parameter, requiring gradients, in `kind` (f64 for reference figures).
#[must_use]
pub fn leaves(params: &Params, kind: Kind) -> Vec<Tensor> {
    let entries = params.layout().entries().iter();
    entries
        .map(|entry| {
            let shape: Vec<i64> = entry.shape.iter().map(|size| to_i64(*size)).collect();
            Tensor::from_slice(&params.values[entry.range.clone()]).view(&shape[..]).to_kind(kind).set_requires_grad(true)
        })
        .collect()
}

/// Copies newer parameters into existing leaves.
pub fn refresh(leaves: &mut [Tensor], params: &Params) {
    tch::no_grad(|| {
        for (leaf, entry) in leaves.iter_mut().zip(params.layout().entries()) {
            let values = Tensor::from_slice(&params.values[entry.range.clone()]);
            leaf.copy_(&values.view_as(leaf));
        }
    });
}

/// Outputs `[B, A]` and values `[B]` of observations `[B, O]`.
#[must_use]
pub fn forward(shape: &ActorCritic, leaves: &[Tensor], observation: &Tensor) -> (Tensor, Tensor) {
    let actor_leaves = 2 * (shape.actor.len() + 1);
    let critic_leaves = 2 * (shape.critic.len() + 1);
    let outputs = joined_mlp(shape, &leaves[..actor_leaves], observation);
    let values = joined_mlp(shape, &leaves[actor_leaves..actor_leaves + critic_leaves], observation);
    (outputs, values.squeeze_dim(-1))
}

/// The actor's outputs `[B, A]` for what it sees, `[B, O]`, in f64: what weights mean, not how they are computed.
#[must_use]
pub fn exact_outputs(shape: &ActorCritic, params: &Params, seen: &[f32]) -> Vec<f64> {
    // So many rows at a time need little memory, however wide the layers.
    const ROWS: usize = 64;
    tch::no_grad(|| {
        let leaves = leaves(params, Kind::Double);
        let of = |rows: &[f32]| {
            let rows = Tensor::from_slice(rows).view([-1, to_i64(shape.inputs)]).to_kind(Kind::Double);
            Vec::<f64>::try_from(forward(shape, &leaves, &rows).0.flatten(0, -1)).expect("a flat tensor of doubles")
        };
        seen.chunks(ROWS * shape.inputs).flat_map(of).collect()
    })
}

/// The leaf of the log-std, where the head has one.
#[must_use]
pub fn log_std<'a>(shape: &ActorCritic, leaves: &'a [Tensor]) -> Option<&'a Tensor> {
    shape.head.initial_log_std().and_then(|_| leaves.last())
}

/// Outputs `[B, N]` of a multi-layer perceptron: `leaves` are weight and bias of each layer, `x` is `[B, O]`.
#[must_use]
pub fn mlp(activation: Activation, leaves: &[Tensor], x: &Tensor) -> Tensor {
    let last = leaves.len() / 2 - 1;
    let layer = |(x, index): (Tensor, usize), pair: &[Tensor]| {
        let x = x.linear(&pair[0], Some(&pair[1]));
        (if index < last { activate(activation, &x) } else { x }, index + 1)
    };
    #[expect(clippy::disallowed_methods, reason = "read, never written")]
    let first = x.shallow_clone();
    leaves.chunks_exact(2).fold((first, 0), layer).0
}

fn joined_mlp(shape: &ActorCritic, leaves: &[Tensor], observation: &Tensor) -> Tensor {
    let layers = leaves.len() / 2;
    #[expect(clippy::disallowed_methods, reason = "read, never written")]
    let mut x = observation.shallow_clone();
    for (index, pair) in leaves.chunks_exact(2).enumerate() {
        let (weight, bias) = (&pair[0], &pair[1]);
        x = if index == 0 && shape.joined > 0 {
            // A product of another width may differ in its last bits: channels that joined are added apart.
            let (known, joined) = (to_i64(shape.inputs - shape.joined), to_i64(shape.joined));
            let product = x.narrow(1, 0, known).linear(&weight.narrow(1, 0, known), Some(bias));
            product + x.narrow(1, known, joined).linear(&weight.narrow(1, known, joined), None::<&Tensor>)
        } else {
            x.linear(weight, Some(bias))
        };
        if index + 1 < layers {
            x = activate(shape.activation, &x);
        }
    }
    x
}

fn activate(activation: Activation, x: &Tensor) -> Tensor {
    match activation {
        Activation::Tanh => x.tanh(),
        Activation::Relu => x.relu(),
        Activation::Elu => x.elu(),
        Activation::Silu => x.silu(),
        Activation::Gelu => x.gelu("none"),
    }
}

/// Adds the gradient of `loss` with respect to the leaves to a flat gradient. A leaf that the loss does not depend on adds nothing.
///
/// # Errors
/// Exit 5 when the loss is not finite.
pub fn add_gradient(loss: &Tensor, leaves: &[Tensor], flat: &mut [f32]) -> Result<()> {
    let value = loss.double_value(&[]);
    if !value.is_finite() {
        return Err(Error::diverged(format!("is {value}")).at("loss"));
    }
    for leaf in leaves {
        let mut gradient = leaf.grad();
        if gradient.defined() {
            let _ = gradient.zero_();
        }
    }
    loss.backward();
    let mut rest = flat;
    for leaf in leaves {
        let (here, after) = rest.split_at_mut(leaf.numel());
        rest = after;
        let gradient = leaf.grad();
        if gradient.defined() {
            let mut values = vec![0.0_f32; here.len()];
            gradient.to_kind(Kind::Float).contiguous().view([-1]).copy_data(&mut values, here.len());
            here.iter_mut().zip(values).for_each(|(to, from)| *to += from);
        }
    }
    Ok(())
}

/// A tensor `[rows, columns]` of plain numbers.
///
/// # Panics
/// When the numbers are not as many as the shape says.
#[must_use]
pub fn matrix(values: &[f32], rows: usize, columns: usize) -> Tensor {
    assert_eq!(values.len(), rows * columns);
    Tensor::from_slice(values).view([to_i64(rows), to_i64(columns)])
}

fn to_i64(size: usize) -> i64 {
    i64::try_from(size).expect("sizes fit")
}
