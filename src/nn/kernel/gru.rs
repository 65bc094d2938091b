//! A gated recurrent unit over a chunk of rows, step after step, and back through time.
//!
//! `r = s(W_ir x + b_ir + W_hr h + b_hr)`, `z = s(W_iz x + b_iz + W_hz h + b_hz)`, `n = tanh(W_in x + b_in + r (W_hn h + b_hn))`,
//! `h' = (1 - z) n + z h`, as PyTorch's `GRUCell` computes them. Each gate's columns are padded to `P`, so that the three lie side by side in one
//! product, `[rows, 3 P]`.

use super::matmul::{Base, PANEL, add_outer, add_rows, multiply, vectors, vectors_mut};
use super::{Buffer, CHUNK, Real, padded, stride};
use crate::nn::Gru;
use crate::nn::gru::GATES;
use pulp::{Arch, Simd, WithSimd};

/// The weights in the orders that the products want, refreshed from the flat parameters once per update.
#[derive(Debug, Clone)]
pub struct PackedGru<T = f32> {
    shape: Gru,
    /// `[O, 3 P]`, in panels.
    by_input: Buffer<T>,
    /// `[H, 3 P]`, in panels.
    by_hidden: Buffer<T>,
    /// `[3 P, P]`, in panels: the way back to what was remembered.
    back: Buffer<T>,
    /// `[3 P]`.
    input_bias: Buffer<T>,
    /// `[3 P]`.
    hidden_bias: Buffer<T>,
    arch: Arch,
}

/// Where element `[k, column]` of a matrix `[depth, n]` lies when it is cut into panels.
fn in_panels(depth: usize, n: usize, k: usize, column: usize) -> usize {
    let first = column / PANEL * PANEL;
    first * depth + k * PANEL.min(n - first) + (column - first)
}

impl<T: Real> PackedGru<T> {
    /// Room for the weights of a cell.
    #[must_use]
    pub fn new(shape: Gru) -> Self {
        let (p, n) = (padded(shape.units), GATES * padded(shape.units));
        Self {
            shape,
            by_input: Buffer::zeros(shape.inputs * n),
            by_hidden: Buffer::zeros(shape.units * n),
            back: Buffer::zeros(n * p),
            input_bias: Buffer::zeros(n),
            hidden_bias: Buffer::zeros(n),
            arch: Arch::new(),
        }
    }

    /// Copies the weights in, from the order of [`Gru::declare`].
    pub fn refresh(&mut self, flat: &[T]) {
        let Gru { inputs, units } = self.shape;
        let (p, n) = (padded(units), GATES * padded(units));
        let (input_weight, rest) = flat.split_at(GATES * units * inputs);
        let (hidden_weight, rest) = rest.split_at(GATES * units * units);
        let (input_bias, hidden_bias) = rest.split_at(GATES * units);
        for row in 0..GATES * units {
            let column = row / units * p + row % units;
            self.input_bias[column] = input_bias[row];
            self.hidden_bias[column] = hidden_bias[row];
            for (k, weight) in input_weight[row * inputs..][..inputs].iter().enumerate() {
                self.by_input[in_panels(inputs, n, k, column)] = *weight;
            }
            for (k, weight) in hidden_weight[row * units..][..units].iter().enumerate() {
                self.by_hidden[in_panels(units, n, k, column)] = *weight;
                self.back[in_panels(n, p, column, k)] = *weight;
            }
        }
    }

    /// Computes what the first `rows` rows, at most [`CHUNK`], remember after `step`, from what they see at it and remembered before.
    pub fn forward(&self, step: usize, rows: usize, steps: &mut Steps<T>) {
        self.arch.dispatch(Forward { gru: self, step, rows, steps });
    }

    /// Adds the gradient of the weights through `count` steps, given the gradients of what was remembered after each
    /// ([`Steps::gradient_row`]), which are added to on the way.
    pub fn backward(&self, count: usize, rows: usize, steps: &mut Steps<T>, gradients: &mut GruGradients<T>) {
        self.arch.dispatch(Backward { gru: self, count, rows, steps, gradients });
    }
}

/// What a chunk of rows sees and remembers, step by step.
#[derive(Debug, Clone)]
pub struct Steps<T = f32> {
    shape: Gru,
    /// For each step `[CHUNK, O]`, rows a stride apart.
    input: Vec<Buffer<T>>,
    /// Before the first step, after it, ...: `[CHUNK, P]`.
    hidden: Vec<Buffer<T>>,
    /// For each step `r`, `z`, `n` and `W_hn h + b_hn`: `[CHUNK, 4 P]`.
    gates: Vec<Buffer<T>>,
    /// The loss's gradient with respect to what is remembered after each step.
    gradient: Vec<Buffer<T>>,
    /// `W_i x + b_i`, then the gradient with respect to it: `[CHUNK, 3 P]`.
    from_input: Buffer<T>,
    /// The same of `W_h h + b_h`.
    from_hidden: Buffer<T>,
    /// The gradient that comes from later steps.
    later: Buffer<T>,
}

impl<T: Real> Steps<T> {
    /// Room for so many steps.
    #[must_use]
    pub fn new(shape: Gru, count: usize) -> Self {
        let p = padded(shape.units);
        let room = |columns: usize| Buffer::zeros(CHUNK * stride(columns));
        let mut steps = Self {
            shape,
            input: Vec::new(),
            hidden: vec![room(p)],
            gates: Vec::new(),
            gradient: Vec::new(),
            from_input: room(GATES * p),
            from_hidden: room(GATES * p),
            later: room(p),
        };
        steps.make_room(count);
        steps
    }

    /// Room for so many steps, where there is not.
    pub fn make_room(&mut self, count: usize) {
        let (inputs, p) = (self.shape.inputs, padded(self.shape.units));
        let room = |columns: usize| Buffer::zeros(CHUNK * stride(columns));
        while self.input.len() < count {
            self.input.push(room(inputs));
            self.hidden.push(room(p));
            self.gates.push(room((GATES + 1) * p));
            self.gradient.push(room(p));
        }
    }

    /// What a row sees at a step, `[O]`.
    #[inline]
    #[must_use]
    pub fn input(&self, step: usize, row: usize) -> &[T] {
        &self.input[step][row * stride(self.shape.inputs)..][..self.shape.inputs]
    }

    /// The same, to be written.
    #[inline]
    pub fn input_row(&mut self, step: usize, row: usize) -> &mut [T] {
        &mut self.input[step][row * stride(self.shape.inputs)..][..self.shape.inputs]
    }

    /// What a row remembers after so many steps, `[H]`.
    #[inline]
    #[must_use]
    pub fn hidden(&self, after: usize, row: usize) -> &[T] {
        &self.hidden[after][row * stride(padded(self.shape.units))..][..self.shape.units]
    }

    /// The same, to be written: before the first step.
    #[inline]
    pub fn hidden_row(&mut self, after: usize, row: usize) -> &mut [T] {
        &mut self.hidden[after][row * stride(padded(self.shape.units))..][..self.shape.units]
    }

    /// The loss's gradient with respect to what a row remembers after `step`, `[H]`, to be written.
    #[inline]
    pub fn gradient_row(&mut self, step: usize, row: usize) -> &mut [T] {
        &mut self.gradient[step][row * stride(padded(self.shape.units))..][..self.shape.units]
    }

    /// No gradient at any of the first `count` steps.
    pub fn clear_gradients(&mut self, count: usize) {
        self.gradient[..count].iter_mut().for_each(|gradient| gradient.fill(T::zero()));
    }
}

/// The summed gradient of the weights, in the order in which the products leave it.
#[derive(Debug, Clone)]
pub struct GruGradients<T = f32> {
    shape: Gru,
    /// `[O, 3 P]`.
    input: Buffer<T>,
    /// `[H, 3 P]`.
    hidden: Buffer<T>,
    input_bias: Buffer<T>,
    hidden_bias: Buffer<T>,
}

impl<T: Real> GruGradients<T> {
    /// Zeros.
    #[must_use]
    pub fn new(shape: Gru) -> Self {
        let n = GATES * padded(shape.units);
        Self {
            shape,
            input: Buffer::zeros(shape.inputs * n),
            hidden: Buffer::zeros(shape.units * n),
            input_bias: Buffer::zeros(n),
            hidden_bias: Buffer::zeros(n),
        }
    }

    /// Adds everything to a flat gradient in the order of the flat parameters, and starts again from zero.
    pub fn take(&mut self, flat: &mut [T]) {
        let Gru { inputs, units } = self.shape;
        let (p, n) = (padded(units), GATES * padded(units));
        let (input_weight, rest) = flat.split_at_mut(GATES * units * inputs);
        let (hidden_weight, rest) = rest.split_at_mut(GATES * units * units);
        let (input_bias, hidden_bias) = rest.split_at_mut(GATES * units);
        for row in 0..GATES * units {
            let column = row / units * p + row % units;
            input_bias[row] += self.input_bias[column];
            hidden_bias[row] += self.hidden_bias[column];
            for (k, weight) in input_weight[row * inputs..][..inputs].iter_mut().enumerate() {
                *weight += self.input[k * n + column];
            }
            for (k, weight) in hidden_weight[row * units..][..units].iter_mut().enumerate() {
                *weight += self.hidden[k * n + column];
            }
        }
        for buffer in [&mut self.input, &mut self.hidden, &mut self.input_bias, &mut self.hidden_bias] {
            buffer.fill(T::zero());
        }
    }
}

struct Forward<'a, T> {
    gru: &'a PackedGru<T>,
    step: usize,
    rows: usize,
    steps: &'a mut Steps<T>,
}

impl<T: Real> WithSimd for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { gru, step, rows, steps } = self;
        let Gru { inputs, units } = gru.shape;
        let (p, n) = (padded(units), GATES * padded(units));
        let (before, after) = steps.hidden.split_at_mut(step + 1);
        let (hidden, remembered, gates) = (&before[step], &mut after[0], &mut steps.gates[step]);
        let (from_input, from_hidden) = (&mut steps.from_input[..rows * stride(n)], &mut steps.from_hidden[..rows * stride(n)]);
        let (by_input, by_hidden) = (&gru.by_input, &gru.by_hidden);
        multiply(simd, &steps.input[step], stride(inputs), rows, inputs, by_input, n, Base::Row(&gru.input_bias), from_input, stride(n));
        multiply(simd, hidden, stride(p), rows, units, by_hidden, n, Base::Row(&gru.hidden_bias), from_hidden, stride(n));
        for row in 0..rows {
            let (x, h) = (&from_input[row * stride(n)..][..n], &from_hidden[row * stride(n)..][..n]);
            let gates = &mut gates[row * stride(n + p)..][..n + p];
            remember(simd, p, [x, h, &hidden[row * stride(p)..][..p]], gates, &mut remembered[row * stride(p)..][..p]);
        }
    }
}

/// `(1 + tanh(x / 2)) / 2`.
#[inline(always)]
fn sigmoid<S: Simd, T: Real>(simd: S, x: T::Vector<S>) -> T::Vector<S> {
    let half = T::splat(simd, T::of(0.5));
    T::times_plus(simd, half, T::tanh_of(simd, T::times(simd, half, x)), half)
}

/// `a - b`.
#[inline(always)]
fn minus<S: Simd, T: Real>(simd: S, a: T::Vector<S>, b: T::Vector<S>) -> T::Vector<S> {
    T::less_product(simd, T::splat(simd, T::one()), b, a)
}

/// One row's gates `[4 P]` and memory `[P]`, from both products `[3 P]` and the memory before.
#[inline(always)]
fn remember<S: Simd, T: Real>(simd: S, p: usize, [x, h, before]: [&[T]; 3], gates: &mut [T], after: &mut [T]) {
    let (x, h, before) = (vectors::<S, T>(x), vectors::<S, T>(h), vectors::<S, T>(before));
    let (gates, after) = (vectors_mut::<S, T>(gates), vectors_mut::<S, T>(after));
    let width = p * size_of::<T>() / size_of::<T::Vector<S>>();
    for lane in 0..width {
        let reset = sigmoid::<S, T>(simd, T::plus(simd, x[lane], h[lane]));
        let update = sigmoid::<S, T>(simd, T::plus(simd, x[width + lane], h[width + lane]));
        let known = h[2 * width + lane];
        let candidate = T::tanh_of(simd, T::times_plus(simd, reset, known, x[2 * width + lane]));
        after[lane] = T::times_plus(simd, update, minus::<S, T>(simd, before[lane], candidate), candidate);
        gates[lane] = reset;
        gates[width + lane] = update;
        gates[2 * width + lane] = candidate;
        gates[3 * width + lane] = known;
    }
}

struct Backward<'a, T> {
    gru: &'a PackedGru<T>,
    count: usize,
    rows: usize,
    steps: &'a mut Steps<T>,
    gradients: &'a mut GruGradients<T>,
}

impl<T: Real> WithSimd for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { gru, count, rows, steps, gradients } = self;
        let Gru { inputs, units } = gru.shape;
        let (p, n) = (padded(units), GATES * padded(units));
        let Steps { input, hidden, gates, gradient, from_input, from_hidden, later, .. } = steps;
        let (from_input, from_hidden) = (&mut from_input[..rows * stride(n)], &mut from_hidden[..rows * stride(n)]);
        later.fill(T::zero());
        for step in (0..count).rev() {
            for row in 0..rows {
                let place = row * stride(p);
                let seen = [&gates[step][row * stride(n + p)..][..n + p], &hidden[step][place..][..p], &gradient[step][place..][..p]];
                let (x, h) = (&mut from_input[row * stride(n)..][..n], &mut from_hidden[row * stride(n)..][..n]);
                forget(simd, p, seen, &mut later[place..][..p], x, h);
            }
            let earlier = &mut later[..rows * stride(p)];
            multiply(simd, from_hidden, stride(n), rows, n, &gru.back, p, Base::Itself, earlier, stride(p));
            add_rows(simd, from_input, stride(n), &mut gradients.input_bias);
            add_rows(simd, from_hidden, stride(n), &mut gradients.hidden_bias);
            add_outer(simd, &input[step], stride(inputs), rows, inputs, from_input, stride(n), n, &mut gradients.input);
            add_outer(simd, &hidden[step], stride(p), rows, units, from_hidden, stride(n), n, &mut gradients.hidden);
        }
    }
}

/// One row's gradients with respect to both products, and with respect to the memory before but for what passes through the second one, which
/// takes the place of the gradient that came from later steps.
#[inline(always)]
fn forget<S: Simd, T: Real>(simd: S, p: usize, [gates, before, gradient]: [&[T]; 3], later: &mut [T], x: &mut [T], h: &mut [T]) {
    let (gates, before, gradient) = (vectors::<S, T>(gates), vectors::<S, T>(before), vectors::<S, T>(gradient));
    let (later, x, h) = (vectors_mut::<S, T>(later), vectors_mut::<S, T>(x), vectors_mut::<S, T>(h));
    let one = T::splat(simd, T::one());
    let width = p * size_of::<T>() / size_of::<T::Vector<S>>();
    for lane in 0..width {
        let (reset, update) = (gates[lane], gates[width + lane]);
        let (candidate, known) = (gates[2 * width + lane], gates[3 * width + lane]);
        let slope = T::plus(simd, gradient[lane], later[lane]);
        // dL/dn (1 - n^2), with dL/dn = dL/dh' (1 - z).
        let of_candidate = T::times(simd, slope, minus::<S, T>(simd, one, update));
        let of_candidate = T::unless_tiny(simd, T::times(simd, of_candidate, T::less_product(simd, candidate, candidate, one)));
        // dL/dz z (1 - z), with dL/dz = dL/dh' (h - n).
        let of_update = T::times(simd, slope, minus::<S, T>(simd, before[lane], candidate));
        let of_update = T::unless_tiny(simd, T::times(simd, of_update, T::less_product(simd, update, update, update)));
        let of_reset = T::times(simd, of_candidate, known);
        let of_reset = T::unless_tiny(simd, T::times(simd, of_reset, T::less_product(simd, reset, reset, reset)));
        (x[lane], x[width + lane], x[2 * width + lane]) = (of_reset, of_update, of_candidate);
        (h[lane], h[width + lane], h[2 * width + lane]) = (of_reset, of_update, T::times(simd, of_candidate, reset));
        later[lane] = T::unless_tiny(simd, T::times(simd, slope, update));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;
    use tch::{Kind, Tensor};

    /// Against libtorch's own cell and autograd in f64: what is remembered after every step, and the gradient of a random linear function of it.
    #[test]
    fn memory_and_its_gradient_are_libtorchs() {
        for (inputs, units, count, rows) in [(3, 5, 1, 1), (8, 16, 7, 5), (9, 33, 10, 64), (1, 70, 4, 3)] {
            let shape = Gru { inputs, units };
            let mut rng = Stream::Env(0).under(7);
            let mut draw = |length: usize| (0..length).map(|_| 0.5 * rng.normal()).collect::<Vec<f64>>();
            let flat = draw(shape.parameter_count());
            let (seen, weights) = (draw(count * rows * inputs), draw(count * rows * units));
            let mut gru = PackedGru::<f64>::new(shape);
            gru.refresh(&flat);
            let mut steps = Steps::new(shape, count);
            let mut gradients = GruGradients::new(shape);
            for step in 0..count {
                for row in 0..rows {
                    let at = step * rows + row;
                    steps.input_row(step, row).copy_from_slice(&seen[at * inputs..][..inputs]);
                    steps.gradient_row(step, row).copy_from_slice(&weights[at * units..][..units]);
                }
                gru.forward(step, rows, &mut steps);
            }
            gru.backward(count, rows, &mut steps, &mut gradients);
            let mut gradient = vec![0.0; flat.len()];
            gradients.take(&mut gradient);

            let size = |value: usize| i64::try_from(value).unwrap();
            let (o, h, b) = (size(inputs), size(units), size(rows));
            let mut rest = &flat[..];
            let mut leaf = |shape: &[i64]| {
                let (here, after) = rest.split_at(usize::try_from(shape.iter().product::<i64>()).unwrap());
                rest = after;
                Tensor::from_slice(here).view(shape).set_requires_grad(true)
            };
            let leaves = [leaf(&[3 * h, o]), leaf(&[3 * h, h]), leaf(&[3 * h]), leaf(&[3 * h])];
            let mut memory = Tensor::zeros([b, h], (Kind::Double, tch::Device::Cpu));
            let mut loss = Tensor::zeros([], (Kind::Double, tch::Device::Cpu));
            for step in 0..count {
                let x = Tensor::from_slice(&seen[step * rows * inputs..][..rows * inputs]).view([b, o]);
                memory = x.gru_cell(&memory, &leaves[0], &leaves[1], Some(&leaves[2]), Some(&leaves[3]));
                for row in 0..rows {
                    for (unit, value) in steps.hidden(step + 1, row).iter().enumerate() {
                        assert!((value - memory.double_value(&[size(row), size(unit)])).abs() < 1e-12);
                    }
                }
                let weight = Tensor::from_slice(&weights[step * rows * units..][..rows * units]).view([b, h]);
                loss += (&memory * weight).sum(Kind::Double);
            }
            loss.backward();
            let mut at = 0;
            for leaf in &leaves {
                let mut reference = vec![0.0; leaf.numel()];
                leaf.grad().contiguous().view([-1]).copy_data(&mut reference, leaf.numel());
                for value in reference {
                    assert!((gradient[at] - value).abs() < 1e-11 * (1.0 + value.abs()), "{inputs} {units} {count} {rows}: {at}");
                    at += 1;
                }
            }
        }
    }
}
