//! How a forward and a backward pass change when the weights move: Pearlmutter's R operator (1994, "Fast exact multiplication by the
//! Hessian"), a product of Hessian and vector for the price of two more passes.
//!
//! `R{x}` is the derivative of `x` along a direction `v` in weight space: `W` moves as `W + t V`, `b` as `b + t c`.

use super::matmul::{Base, add_outer, add_rows, multiply};
use super::{Activations, Buffer, CHUNK, Gradients, Packed, Real, activation, padded, stride};
use crate::nn::Mlp;
use pulp::{Simd, WithSimd};

/// What a chunk's [`Activations`] change by along a direction.
#[derive(Debug, Clone)]
pub struct Tangents<T> {
    /// `R{y}` of each layer's output.
    values: Vec<Buffer<T>>,
    /// `R{dL/dy}` of each layer's output.
    gradients: Vec<Buffer<T>>,
    outputs: usize,
}

impl<T: Real> Tangents<T> {
    /// Room for a chunk.
    #[must_use]
    pub fn new(mlp: &Mlp) -> Self {
        let buffers = || mlp.sizes[1..].iter().map(|size| Buffer::zeros(CHUNK * stride(*size))).collect();
        Self { values: buffers(), gradients: buffers(), outputs: mlp.sizes[mlp.sizes.len() - 1] }
    }

    /// How one row of the output changes, beside how the loss's gradient with respect to it changes, which is to be written.
    #[inline]
    pub fn output_and_gradient(&mut self, row: usize) -> (&[T], &mut [T]) {
        let (last, at) = (self.values.len() - 1, row * stride(self.outputs));
        (&self.values[last][at..][..self.outputs], &mut self.gradients[last][at..][..self.outputs])
    }
}

impl<T: Real> Packed<T> {
    /// How activations change along `direction`, for the rows of the last [`Packed::forward`].
    pub fn forward_tangent(&self, direction: &Self, rows: usize, activations: &Activations<T>, tangents: &mut Tangents<T>) {
        self.arch.dispatch(ForwardTangent { net: self, direction, rows, activations, tangents });
    }

    /// Adds how the gradient of the weights changes along `direction`, given the gradient of the outputs and its change
    /// ([`Tangents::output_and_gradient`]).
    pub fn backward_tangent(
        &self,
        direction: &Self,
        rows: usize,
        activations: &mut Activations<T>,
        tangents: &mut Tangents<T>,
        changes: &mut Gradients<T>,
    ) {
        self.arch.dispatch(BackwardTangent { net: self, direction, rows, activations, tangents, changes });
    }
}

struct ForwardTangent<'a, T> {
    net: &'a Packed<T>,
    direction: &'a Packed<T>,
    rows: usize,
    activations: &'a Activations<T>,
    tangents: &'a mut Tangents<T>,
}

impl<T: Real> WithSimd for ForwardTangent<'_, T> {
    type Output = ();

    /// `R{z} = V x + c + W R{x}`, `R{y} = f'(z) R{z}`; the input does not move.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (rows, last) = (self.rows, self.net.layers.len() - 1);
        for (index, (layer, moved)) in self.net.layers.iter().zip(&self.direction.layers).enumerate() {
            let (before, after) = self.tangents.values.split_at_mut(index);
            let (inputs, n, outputs) = (stride(layer.inputs), padded(layer.outputs), stride(layer.outputs));
            let change = &mut after[0][..rows * outputs];
            let seen = &self.activations.values[index];
            multiply(simd, seen, inputs, rows, layer.inputs, &moved.by_input, n, Base::Row(&moved.bias), change, outputs);
            if let Some(below) = before.last() {
                multiply(simd, below, inputs, rows, layer.inputs, &layer.by_input, n, Base::Itself, change, outputs);
            }
            if index < last {
                activation::backward(simd, self.net.activation, &self.activations.values[index + 1][..rows * outputs], change);
            }
        }
    }
}

struct BackwardTangent<'a, T> {
    net: &'a Packed<T>,
    direction: &'a Packed<T>,
    rows: usize,
    activations: &'a mut Activations<T>,
    tangents: &'a mut Tangents<T>,
    changes: &'a mut Gradients<T>,
}

impl<T: Real> WithSimd for BackwardTangent<'_, T> {
    type Output = ();

    /// `R{dL/dW} = R{d} x^T + d R{x}^T`, `R{dL/dx} = W^T R{d} + V^T d`, where `d = dL/dz`.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let rows = self.rows;
        let Activations { values, gradients, .. } = self.activations;
        let Tangents { values: value_changes, gradients: gradient_changes, .. } = self.tangents;
        for (index, (layer, moved)) in self.net.layers.iter().zip(&self.direction.layers).enumerate().rev() {
            let (weight, bias) = &mut self.changes.layers[index];
            let (inputs, outputs) = (stride(layer.inputs), stride(layer.outputs));
            let ((before, here), (before_changes, here_changes)) = (gradients.split_at_mut(index), gradient_changes.split_at_mut(index));
            let (gradient, change) = (&here[0][..rows * outputs], &here_changes[0][..rows * outputs]);
            add_rows(simd, change, outputs, bias);
            if index == 0 {
                add_outer(simd, &values[0], inputs, rows, layer.inputs, change, outputs, padded(layer.outputs), weight);
                continue;
            }
            let (seen, n) = (&values[index][..rows * inputs], padded(layer.inputs));
            let seen_change = &value_changes[index - 1][..rows * inputs];
            add_outer(simd, change, outputs, rows, layer.outputs, seen, inputs, n, weight);
            add_outer(simd, gradient, outputs, rows, layer.outputs, seen_change, inputs, n, weight);
            let below = &mut before[index - 1][..rows * inputs];
            let below_change = &mut before_changes[index - 1][..rows * inputs];
            multiply(simd, gradient, outputs, rows, layer.outputs, &layer.by_output, n, Base::Zero, below, inputs);
            multiply(simd, change, outputs, rows, layer.outputs, &layer.by_output, n, Base::Zero, below_change, inputs);
            multiply(simd, gradient, outputs, rows, layer.outputs, &moved.by_output, n, Base::Itself, below_change, inputs);
            activation::backward_both(simd, self.net.activation, [seen, seen_change], [below, below_change]);
        }
    }
}
