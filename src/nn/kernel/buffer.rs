//! Floats that start on a cache line and come in whole ones, so that vectors never straddle two.

use super::Real;
use bytemuck::{Pod, Zeroable};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Floats in a cache line (f32; of f64 in two): every row of a kernel's matrix is a multiple of it long.
const LINE: usize = 16;

#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([u8; 64]);

/// A zeroed run of floats, aligned to 64 bytes, its length a multiple of 16.
#[derive(Debug, Clone)]
pub struct Buffer<T = f32>(Vec<Line>, PhantomData<T>);

impl<T: Real> Buffer<T> {
    /// At least `length` zeros.
    #[must_use]
    pub fn zeros(length: usize) -> Self {
        let bytes = length.next_multiple_of(LINE) * size_of::<T>();
        Self(vec![Line::zeroed(); bytes / size_of::<Line>()], PhantomData)
    }
}

impl<T: Real> Deref for Buffer<T> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        bytemuck::cast_slice(&self.0)
    }
}

impl<T: Real> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// The row length of a matrix with `columns` columns.
pub(super) const fn padded(columns: usize) -> usize {
    columns.next_multiple_of(LINE)
}

/// How far apart the rows of a matrix of activations are. Products walk down a narrow panel of it: rows that are a power of two apart
/// would share a few sets of the nearest cache, an odd number of lines spreads them over all.
pub(super) const fn stride(columns: usize) -> usize {
    let lines = columns.div_ceil(LINE);
    LINE * if lines > 8 { lines | 1 } else { lines }
}
