//! An MLP's forward and backward pass over a chunk of rows.

use super::layer_norm::{self, Norm, Normed};
use super::matmul::{Base, PANEL, add_outer, add_rows, multiply};
use super::{Buffer, CHUNK, Real, activation, padded, stride};
use crate::nn::{Activation, Mlp};
use pulp::{Arch, Simd, WithSimd};

/// The weights in the two orders that the products want, refreshed from the flat parameters once per update.
#[derive(Debug, Clone)]
pub struct Packed<T = f32> {
    pub(super) layers: Vec<PackedLayer<T>>,
    pub(super) activation: Activation,
    pub(super) arch: Arch,
}

#[derive(Debug, Clone)]
pub(super) struct PackedLayer<T> {
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    /// `[inputs, outputs]`, padded, in panels.
    pub(super) by_input: Buffer<T>,
    /// `[outputs]`, padded.
    pub(super) bias: Buffer<T>,
    /// `[outputs, inputs]`, padded, in panels; empty for the first layer, unless something below wants its input's gradient.
    pub(super) by_output: Buffer<T>,
    /// Between product and activation, where the network has it.
    norm: Option<Norm<T>>,
}

impl<T: Real> Packed<T> {
    /// Room for the weights of a network.
    #[must_use]
    pub fn new(mlp: &Mlp) -> Self {
        let mut above = Self::above(mlp);
        above.layers[0].by_output = Buffer::zeros(0);
        above
    }

    /// The same for a network on top of another one, which wants the gradient of its input ([`Activations::input_gradient`]).
    #[must_use]
    pub fn above(mlp: &Mlp) -> Self {
        let layers = mlp.sizes.windows(2).enumerate().map(|(index, pair)| PackedLayer {
            inputs: pair[0],
            outputs: pair[1],
            by_input: Buffer::zeros(pair[0] * padded(pair[1])),
            bias: Buffer::zeros(pair[1]),
            by_output: Buffer::zeros(pair[1] * padded(pair[0])),
            norm: mlp.has_norm(index).then(|| Norm::zeros(pair[1])),
        });
        Self { layers: layers.collect(), activation: mlp.activation, arch: Arch::new() }
    }

    /// The same for a network through which nothing goes back.
    #[must_use]
    pub fn forward_only(mlp: &Mlp) -> Self {
        let mut forward = Self::above(mlp);
        forward.layers.iter_mut().for_each(|layer| layer.by_output = Buffer::zeros(0));
        forward
    }

    /// Copies the weights in. `flat` holds, layer after layer, weight `[outputs, inputs]`, bias `[outputs]`, and where the layer is normalised,
    /// scale and shift `[outputs]`.
    pub fn refresh(&mut self, flat: &[T]) {
        let mut rest = flat;
        for layer in &mut self.layers {
            let PackedLayer { inputs, outputs, .. } = *layer;
            let (weight, after) = rest.split_at(outputs * inputs);
            let (bias, after) = after.split_at(outputs);
            rest = after;
            layer.bias[..outputs].copy_from_slice(bias);
            if let Some(Norm { scale, shift }) = &mut layer.norm {
                let (flat_scale, after) = rest.split_at(outputs);
                let (flat_shift, after) = after.split_at(outputs);
                rest = after;
                scale[..outputs].copy_from_slice(flat_scale);
                shift[..outputs].copy_from_slice(flat_shift);
            }
            for first in (0..outputs).step_by(PANEL) {
                let width = PANEL.min(padded(outputs) - first);
                let rows = &weight[first * inputs..][..width.min(outputs - first) * inputs];
                transpose(rows, inputs, &mut layer.by_input[first * inputs..], width);
            }
            if layer.by_output.is_empty() {
                continue;
            }
            for first in (0..inputs).step_by(PANEL) {
                let width = PANEL.min(padded(inputs) - first);
                let filled = width.min(inputs - first);
                let panel = &mut layer.by_output[first * outputs..][..width * outputs];
                for (to, from) in panel.chunks_exact_mut(width).zip(weight.chunks_exact(inputs)) {
                    to[..filled].copy_from_slice(&from[first..][..filled]);
                }
            }
        }
    }

    /// Fills `activations` from its inputs, for the first `rows` rows, at most [`CHUNK`].
    pub fn forward(&self, rows: usize, activations: &mut Activations<T>) {
        self.arch.dispatch(Forward { net: self, rows, activations });
    }

    /// Adds the gradient of the weights, given that of the outputs ([`Activations::output_and_gradient`]), for the rows of the last
    /// [`Packed::forward`].
    pub fn backward(&self, rows: usize, activations: &mut Activations<T>, gradients: &mut Gradients<T>) {
        self.arch.dispatch(Backward { net: self, rows, activations, gradients: Some(gradients) });
    }

    /// The gradient of the inputs alone ([`Activations::input_gradient`]), given that of the outputs; of a network that was made by
    /// [`Packed::above`].
    pub fn backward_inputs(&self, rows: usize, activations: &mut Activations<T>) {
        self.arch.dispatch(Backward { net: self, rows, activations, gradients: None });
    }
}

/// `to[j, i] = from[i, j]`: `from` is `[rows, columns]`, rows of `to` are `to_stride` apart. Blocks of 16 keep both sides in cache.
fn transpose<T: Copy>(from: &[T], columns: usize, to: &mut [T], to_stride: usize) {
    for (block, rows) in from.chunks(16 * columns).enumerate() {
        for column in 0..columns {
            let to = &mut to[column * to_stride + 16 * block..];
            for (to, row) in to.iter_mut().zip(rows.chunks_exact(columns)) {
                *to = row[column];
            }
        }
    }
}

/// What a chunk of rows looks like on its way through a network.
#[derive(Debug, Clone)]
pub struct Activations<T = f32> {
    /// For the input and each layer's output: `[CHUNK, size]`, rows a stride apart.
    pub(super) values: Vec<Buffer<T>>,
    /// For each layer's output, the loss's gradient with respect to it.
    pub(super) gradients: Vec<Buffer<T>>,
    /// The same with respect to the input; of a network on top of another one.
    input_gradient: Buffer<T>,
    /// Of each layer that is normalised.
    normed: Vec<Option<Normed<T>>>,
    sizes: Vec<usize>,
}

impl<T: Real> Activations<T> {
    /// Room for a chunk.
    #[must_use]
    pub fn new(mlp: &Mlp) -> Self {
        let buffers = |sizes: &[usize]| sizes.iter().map(|size| Buffer::zeros(CHUNK * stride(*size))).collect();
        let input_gradient = Buffer::zeros(CHUNK * stride(mlp.sizes[0]));
        let normed = |(index, size): (usize, &usize)| mlp.has_norm(index).then(|| Normed::zeros(CHUNK, *size));
        Self {
            values: buffers(&mlp.sizes),
            gradients: buffers(&mlp.sizes[1..]),
            input_gradient,
            normed: mlp.sizes[1..].iter().enumerate().map(normed).collect(),
            sizes: mlp.sizes.clone(),
        }
    }

    /// One row of the input, to be written.
    #[inline]
    pub fn input_row(&mut self, row: usize) -> &mut [T] {
        let size = self.sizes[0];
        &mut self.values[0][row * stride(size)..][..size]
    }

    /// One row of the input.
    #[inline]
    #[must_use]
    pub fn input(&self, row: usize) -> &[T] {
        let size = self.sizes[0];
        &self.values[0][row * stride(size)..][..size]
    }

    /// The loss's gradient with respect to a row of the input; of a network on top of another one ([`Packed::above`]).
    #[inline]
    #[must_use]
    pub fn input_gradient(&self, row: usize) -> &[T] {
        let size = self.sizes[0];
        &self.input_gradient[row * stride(size)..][..size]
    }

    /// The input of another network that sees the same rows.
    pub fn copy_input(&mut self, other: &Self, rows: usize) {
        let length = rows * stride(self.sizes[0]);
        self.values[0][..length].copy_from_slice(&other.values[0][..length]);
    }

    /// One row of the output.
    #[inline]
    #[must_use]
    pub fn output_row(&self, row: usize) -> &[T] {
        let (size, values) = (self.sizes[self.sizes.len() - 1], &self.values[self.values.len() - 1]);
        &values[row * stride(size)..][..size]
    }

    /// One row of the output, to be written by whoever computes it another way.
    pub fn output_row_mut(&mut self, row: usize) -> &mut [T] {
        let (size, last) = (self.sizes[self.sizes.len() - 1], self.values.len() - 1);
        &mut self.values[last][row * stride(size)..][..size]
    }

    /// One row of the output beside the loss's gradient with respect to it, to be written.
    #[inline]
    pub fn output_and_gradient(&mut self, row: usize) -> (&[T], &mut [T]) {
        let (size, values) = (self.sizes[self.sizes.len() - 1], &self.values[self.values.len() - 1]);
        let last = self.gradients.len() - 1;
        let at = row * stride(size);
        (&values[at..][..size], &mut self.gradients[last][at..][..size])
    }
}

/// The summed gradient of the weights, in the order in which the products leave it.
#[derive(Debug, Clone)]
pub struct Gradients<T = f32> {
    pub(super) layers: Vec<(Buffer<T>, Buffer<T>)>,
    /// Of each layer that is normalised.
    norms: Vec<Option<Norm<T>>>,
    sizes: Vec<usize>,
}

impl<T: Real> Gradients<T> {
    /// Zeros.
    #[must_use]
    pub fn new(mlp: &Mlp) -> Self {
        let layers = mlp.sizes.windows(2).enumerate().map(|(index, pair)| {
            let (inputs, outputs) = (pair[0], pair[1]);
            // Few inputs, many outputs: the first layer's vectors run over outputs. Everywhere else they run over inputs.
            let weight = if index == 0 { inputs * padded(outputs) } else { outputs * padded(inputs) };
            (Buffer::zeros(weight), Buffer::zeros(outputs))
        });
        let norms = mlp.sizes[1..].iter().enumerate().map(|(index, size)| mlp.has_norm(index).then(|| Norm::zeros(*size)));
        Self { layers: layers.collect(), norms: norms.collect(), sizes: mlp.sizes.clone() }
    }

    /// Back to zero.
    pub fn clear(&mut self) {
        for (weight, bias) in &mut self.layers {
            weight.fill(T::zero());
            bias.fill(T::zero());
        }
        for Norm { scale, shift } in self.norms.iter_mut().flatten() {
            scale.fill(T::zero());
            shift.fill(T::zero());
        }
    }

    /// Adds everything to a flat gradient in the order of the flat parameters.
    pub fn add_to(&self, flat: &mut [T]) {
        let mut rest = flat;
        for (index, (weight, bias)) in self.layers.iter().enumerate() {
            let (inputs, outputs) = (self.sizes[index], self.sizes[index + 1]);
            let (flat_weight, after) = rest.split_at_mut(outputs * inputs);
            let (flat_bias, after) = after.split_at_mut(outputs);
            rest = after;
            for (output, row) in flat_weight.chunks_exact_mut(inputs).enumerate() {
                if index == 0 {
                    let column = weight[output..].iter().step_by(padded(outputs));
                    row.iter_mut().zip(column).for_each(|(to, from)| *to += *from);
                } else {
                    let from = &weight[output * padded(inputs)..][..inputs];
                    row.iter_mut().zip(from).for_each(|(to, from)| *to += *from);
                }
            }
            flat_bias.iter_mut().zip(bias.iter()).for_each(|(to, from)| *to += *from);
            if let Some(Norm { scale, shift }) = &self.norms[index] {
                for from in [scale, shift] {
                    let (to, after) = rest.split_at_mut(outputs);
                    rest = after;
                    to.iter_mut().zip(from.iter()).for_each(|(to, from)| *to += *from);
                }
            }
        }
    }
}

struct Forward<'a, T> {
    net: &'a Packed<T>,
    rows: usize,
    activations: &'a mut Activations<T>,
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (rows, last) = (self.rows, self.net.layers.len() - 1);
        for (index, layer) in self.net.layers.iter().enumerate() {
            let (before, after) = self.activations.values.split_at_mut(index + 1);
            let (x, n, y_stride) = (&before[index], padded(layer.outputs), stride(layer.outputs));
            let y = &mut after[0][..rows * y_stride];
            multiply(simd, x, stride(layer.inputs), rows, layer.inputs, &layer.by_input, n, Base::Row(&layer.bias), y, y_stride);
            if let (Some(norm), Some(normed)) = (&layer.norm, &mut self.activations.normed[index]) {
                layer_norm::forward(norm, layer.outputs, rows, y, normed);
            }
            if index < last {
                activation::apply(simd, self.net.activation, y);
            }
        }
    }
}

struct Backward<'a, T> {
    net: &'a Packed<T>,
    rows: usize,
    activations: &'a mut Activations<T>,
    /// `None` where only the inputs' gradient is wanted.
    gradients: Option<&'a mut Gradients<T>>,
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (rows, mut sums) = (self.rows, self.gradients);
        let Activations { values, gradients, input_gradient, normed, .. } = self.activations;
        for (index, layer) in self.net.layers.iter().enumerate().rev() {
            let (inputs, outputs) = (stride(layer.inputs), stride(layer.outputs));
            let (before, here) = gradients.split_at_mut(index);
            let gradient = &mut here[0][..rows * outputs];
            if let (Some(norm), Some(normed)) = (&layer.norm, &normed[index]) {
                let parameters = sums.as_mut().and_then(|sums| sums.norms[index].as_mut());
                layer_norm::backward(norm, layer.outputs, rows, normed, gradient, parameters);
            }
            if let Some(sums) = &mut sums {
                let (weight, bias) = &mut sums.layers[index];
                add_rows(simd, gradient, outputs, bias);
                if index == 0 {
                    add_outer(simd, &values[0], inputs, rows, layer.inputs, gradient, outputs, padded(layer.outputs), weight);
                } else {
                    let (seen, n) = (&values[index][..rows * inputs], padded(layer.inputs));
                    add_outer(simd, gradient, outputs, rows, layer.outputs, seen, inputs, n, weight);
                }
            }
            if layer.by_output.is_empty() {
                continue;
            }
            let below = if index == 0 { &mut input_gradient[..rows * inputs] } else { &mut before[index - 1][..rows * inputs] };
            multiply(simd, gradient, outputs, rows, layer.outputs, &layer.by_output, padded(layer.inputs), Base::Zero, below, inputs);
            if index > 0 {
                activation::backward(simd, self.net.activation, &values[index][..rows * inputs], below);
            }
        }
    }
}
