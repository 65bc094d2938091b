//! Generative adversarial imitation learning (Ho & Ermon 2016, algorithm 1): a discriminator of state and action, the policy improved by
//! PPO on `-log(1 - D)`; `log D` where episodes end in success, since a reward that is never negative pays for not ending them.

use crate::nn::{Activation, Layout, Mlp, autograd};
use tch::Tensor;

/// The parameters: one network from state and action to a logit.
pub(super) fn declare(inputs: usize, action: usize, hidden: &[usize], layout: &mut Layout) {
    let sizes = [&[inputs + action], hidden, &[1]].concat();
    Mlp { sizes, activation: Activation::Tanh, layer_norm: false }.declare("logit", layout);
}

/// Log-odds `[B]` that transitions were demonstrated: states `[B, O]`, actions `[B, A]`.
pub(super) fn logit(leaves: &[Tensor], state: &Tensor, action: &Tensor) -> Tensor {
    autograd::mlp(Activation::Tanh, leaves, &Tensor::cat(&[state, action], 1)).squeeze_dim(-1)
}
