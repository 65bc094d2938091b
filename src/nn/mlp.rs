//! The shape of a multi-layer perceptron.

use super::params::Layout;
use serde::{Deserialize, Serialize};

/// The non-linearity between layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Activation {
    /// Hyperbolic tangent.
    Tanh,
    /// `max(x, 0)`.
    Relu,
    /// `x` where positive, `exp(x) - 1` elsewhere (Clevert et al. 2016).
    Elu,
    /// `x` times the logistic function of `x` (Elfwing et al. 2018), also called swish.
    Silu,
    /// `x` times the normal distribution function of `x` (Hendrycks & Gimpel 2016).
    Gelu,
}

impl Activation {
    /// Whether the fused kernel knows it; the others run through libtorch.
    #[must_use]
    pub const fn is_fused(self) -> bool {
        matches!(self, Self::Tanh | Self::Relu)
    }
}

/// Sizes from input to output, and what lies between the layers; the last layer is linear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mlp {
    /// At least input and output.
    pub sizes: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// Whether each hidden layer is normalised before its activation (Ba et al. 2016); the fused kernel alone knows it.
    pub layer_norm: bool,
}

impl Mlp {
    /// Whether a layer is normalised: every one but the last.
    #[must_use]
    pub const fn has_norm(&self, layer: usize) -> bool {
        self.layer_norm && layer + 2 < self.sizes.len()
    }

    /// Appends its parameters: for each layer `NAME.0.weight` `[outputs, inputs]` and `NAME.0.bias` `[outputs]`; the last one is
    /// `NAME.head`. A layer that is normalised has `NAME.0.norm.scale` and `NAME.0.norm.shift` `[outputs]` too.
    pub fn declare(&self, name: &str, layout: &mut Layout) {
        let last = self.sizes.len() - 2;
        for (index, pair) in self.sizes.windows(2).enumerate() {
            let layer = if index == last { format!("{name}.head") } else { format!("{name}.{index}") };
            layout.push(format!("{layer}.weight"), &[pair[1], pair[0]]);
            layout.push(format!("{layer}.bias"), &[pair[1]]);
            if self.has_norm(index) {
                layout.push(format!("{layer}.norm.scale"), &[pair[1]]);
                layout.push(format!("{layer}.norm.shift"), &[pair[1]]);
            }
        }
    }

    /// Numbers in all its parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let of_layer = |(index, pair): (usize, &[usize])| pair[1] * (pair[0] + if self.has_norm(index) { 3 } else { 1 });
        self.sizes.windows(2).enumerate().map(of_layer).sum()
    }

    /// Multiplications and additions of one row's forward pass, counted as two operations each.
    #[must_use]
    pub fn forward_flops(&self) -> usize {
        self.sizes.windows(2).map(|pair| 2 * pair[0] * pair[1]).sum()
    }

    /// The same for the backward pass: the weights' gradient, and the inputs' but for the first layer.
    #[must_use]
    pub fn backward_flops(&self) -> usize {
        2 * self.forward_flops() - 2 * self.sizes[0] * self.sizes[1]
    }
}
