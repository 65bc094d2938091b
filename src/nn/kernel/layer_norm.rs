//! Layer normalisation between a layer's product and its activation (Ba et al. 2016): each row to mean 0 and variance 1, then scaled and
//! shifted by parameters.
//!
//! Sums run in 16 lanes that are added up in order, so that any vector width gives the same bits.

use super::{Buffer, Real, stride};

/// Added to the variance, as in PyTorch.
const EPSILON: f64 = 1e-5;

/// Scale and shift of one layer, `[outputs]`, padded.
#[derive(Debug, Clone)]
pub(super) struct Norm<T> {
    pub(super) scale: Buffer<T>,
    pub(super) shift: Buffer<T>,
}

impl<T: Real> Norm<T> {
    pub(super) fn zeros(outputs: usize) -> Self {
        Self { scale: Buffer::zeros(outputs), shift: Buffer::zeros(outputs) }
    }
}

/// What the backward pass needs again of a chunk: the rows at mean 0 and variance 1, and one over each one's deviation.
#[derive(Debug, Clone)]
pub(super) struct Normed<T> {
    unit: Buffer<T>,
    inverse: Buffer<T>,
}

impl<T: Real> Normed<T> {
    pub(super) fn zeros(rows: usize, outputs: usize) -> Self {
        Self { unit: Buffer::zeros(rows * stride(outputs)), inverse: Buffer::zeros(rows) }
    }
}

#[inline(always)]
fn sum<T: Real>(values: &[T]) -> T {
    let mut lanes = [T::zero(); 16];
    for part in values.chunks(16) {
        for (lane, value) in lanes.iter_mut().zip(part) {
            *lane += *value;
        }
    }
    let mut total = T::zero();
    for lane in lanes {
        total += lane;
    }
    total
}

#[inline(always)]
fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    let mut lanes = [T::zero(); 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += *a * *b;
        }
    }
    let mut total = T::zero();
    for lane in lanes {
        total += lane;
    }
    total
}

/// Normalises rows of `size` numbers in place.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "layers are small")]
pub(super) fn forward<T: Real>(norm: &Norm<T>, size: usize, rows: usize, y: &mut [T], normed: &mut Normed<T>) {
    let (apart, count) = (stride(size), T::of(size as f64));
    for row in 0..rows {
        let y = &mut y[row * apart..][..size];
        let unit = &mut normed.unit[row * apart..][..size];
        let mean = sum(y) / count;
        for (unit, y) in unit.iter_mut().zip(y.iter()) {
            *unit = *y - mean;
        }
        let inverse = T::one() / (dot(unit, unit) / count + T::of(EPSILON)).sqrt();
        normed.inverse[row] = inverse;
        for ((y, unit), (scale, shift)) in y.iter_mut().zip(unit).zip(norm.scale.iter().zip(norm.shift.iter())) {
            *unit *= inverse;
            *y = *unit * *scale + *shift;
        }
    }
}

/// Turns the gradient with respect to what came out into that with respect to what went in, `dx = (g s - mean(g s) - u mean(g s u)) / sd`, and
/// adds the parameters' gradient where that is wanted.
#[inline(always)]
#[expect(clippy::cast_precision_loss, reason = "layers are small")]
pub(super) fn backward<T: Real>(
    norm: &Norm<T>,
    size: usize,
    rows: usize,
    normed: &Normed<T>,
    gradient: &mut [T],
    mut parameters: Option<&mut Norm<T>>,
) {
    let (apart, count) = (stride(size), T::of(size as f64));
    for row in 0..rows {
        let gradient = &mut gradient[row * apart..][..size];
        let unit = &normed.unit[row * apart..][..size];
        if let Some(Norm { scale, shift }) = &mut parameters {
            for ((scale, shift), (gradient, unit)) in scale.iter_mut().zip(shift.iter_mut()).zip(gradient.iter().zip(unit)) {
                *scale += *gradient * *unit;
                *shift += *gradient;
            }
        }
        for (gradient, scale) in gradient.iter_mut().zip(norm.scale.iter()) {
            *gradient *= *scale;
        }
        let (mean, along) = (sum(gradient) / count, dot(gradient, unit) / count);
        for (gradient, unit) in gradient.iter_mut().zip(unit) {
            *gradient = (*gradient - mean - *unit * along) * normed.inverse[row];
        }
    }
}
