//! Two products of small matrices: rows times weights, and the outer product that gathers a weight's gradient.
//!
//! Both keep a tile of accumulators in registers (6 rows of 4 vectors on AVX-512, of 2 on AVX2) and walk the summed dimension once.
//! No closures inside: one that is not inlined would not be compiled for the vector unit.
//! Measured on one core of a Sapphire Rapids at 64 x 64: 170 GFLOP/s, where MKL's sgemm makes 100 to 160 (`benches/README.md`).

use super::Real;
use pulp::Simd;

/// Rows of a tile.
const TILE: usize = 6;

/// A matrix of vectors: `[rows, stride]`.
#[inline(always)]
pub(super) fn vectors<S: Simd, T: Real>(floats: &[T]) -> &[T::Vector<S>] {
    bytemuck::cast_slice(floats)
}

#[inline(always)]
pub(super) fn vectors_mut<S: Simd, T: Real>(floats: &mut [T]) -> &mut [T::Vector<S>] {
    bytemuck::cast_slice_mut(floats)
}

/// How many of them the machine computes with at once.
#[inline(always)]
const fn lanes<S: Simd, T: Real>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(super) enum Base<'a, T> {
    /// Nothing.
    Zero,
    /// The same `[n]` in every row: a bias.
    Row(&'a [T]),
    /// What is there.
    Itself,
}

/// Columns of a panel of weights: 4 vectors of AVX-512. Weights `[k, n]` lie panel behind panel, each `[k, its columns]`, so that what a
/// tile walks through is in one piece.
pub(super) const PANEL: usize = 64;
/// So many rows of a panel stay in the nearest cache while all rows of `x` pass.
const DEPTH: usize = 128;

/// `y = base + x w`: `x` is `[rows, k]`, `w` is `[k, n]` in panels, `y` is `[rows, n]`; rows of `x` and `y` are
/// `x_stride` and `y_stride` apart, `n` is padded. Each `y[r, j]` sums over `k` in order.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "three matrices and their sizes")]
pub(super) fn multiply<S: Simd, T: Real>(
    simd: S,
    x: &[T],
    x_stride: usize,
    rows: usize,
    k: usize,
    w: &[T],
    n: usize,
    base: Base<'_, T>,
    y: &mut [T],
    y_stride: usize,
) {
    let y = vectors_mut::<S, T>(y);
    let mut first = 0;
    while first < n {
        let width = PANEL.min(n - first);
        let panel = &w[k * first..][..k * width];
        let mut done = 0;
        while done < k {
            let depth = DEPTH.min(k - done);
            let product = Product {
                x: &x[done..],
                x_stride,
                k: depth,
                w: vectors::<S, T>(&panel[done * width..][..depth * width]),
                stride: width / lanes::<S, T>(),
                start: if let Base::Row(row) = base { Some(vectors::<S, T>(row)) } else { None },
                goes_on: done > 0 || matches!(base, Base::Itself),
                first: first / lanes::<S, T>(),
                y_stride: y_stride / lanes::<S, T>(),
            };
            product.all(simd, rows, y);
            done += depth;
        }
        first += width;
    }
}

/// Some depth of a panel.
struct Product<'a, S: Simd, T: Real> {
    x: &'a [T],
    x_stride: usize,
    k: usize,
    /// `[k, stride]`.
    w: &'a [T::Vector<S>],
    stride: usize,
    start: Option<&'a [T::Vector<S>]>,
    /// `y` holds the sums so far.
    goes_on: bool,
    /// The panel's first column in `y`.
    first: usize,
    y_stride: usize,
}

impl<S: Simd, T: Real> Product<'_, S, T> {
    #[inline(always)]
    fn all(&self, simd: S, rows: usize, y: &mut [T::Vector<S>]) {
        let mut column = 0;
        while S::REGISTER_COUNT >= 32 && column + 4 <= self.stride {
            self.panel::<4>(simd, column, rows, y);
            column += 4;
        }
        while column + 2 <= self.stride {
            self.panel::<2>(simd, column, rows, y);
            column += 2;
        }
        if column < self.stride {
            self.panel::<1>(simd, column, rows, y);
        }
    }

    #[inline(always)]
    fn panel<const V: usize>(&self, simd: S, column: usize, rows: usize, y: &mut [T::Vector<S>]) {
        let mut row = 0;
        while row + TILE <= rows {
            self.tile::<TILE, V>(simd, row, column, y);
            row += TILE;
        }
        match rows - row {
            1 => self.tile::<1, V>(simd, row, column, y),
            2 => self.tile::<2, V>(simd, row, column, y),
            3 => self.tile::<3, V>(simd, row, column, y),
            4 => self.tile::<4, V>(simd, row, column, y),
            5 => self.tile::<5, V>(simd, row, column, y),
            _ => {}
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const V: usize>(&self, simd: S, row: usize, column: usize, y: &mut [T::Vector<S>]) {
        let place = self.first + column;
        let mut sum = [[T::splat(simd, T::zero()); V]; R];
        if self.goes_on {
            for r in 0..R {
                sum[r].copy_from_slice(&y[(row + r) * self.y_stride + place..][..V]);
            }
        } else if let Some(start) = self.start {
            let start: &[T::Vector<S>; V] = start[place..][..V].try_into().expect("V vectors");
            sum = [*start; R];
        }
        let mut x: [&[T]; R] = [&[]; R];
        for (r, x) in x.iter_mut().enumerate() {
            *x = &self.x[(row + r) * self.x_stride..][..self.k];
        }
        for k in 0..self.k {
            let w: &[T::Vector<S>; V] = self.w[k * self.stride + column..][..V].try_into().expect("V vectors");
            for r in 0..R {
                let x = T::splat(simd, x[r][k]);
                for v in 0..V {
                    sum[r][v] = T::times_plus(simd, x, w[v], sum[r][v]);
                }
            }
        }
        for r in 0..R {
            y[(row + r) * self.y_stride + place..][..V].copy_from_slice(&sum[r]);
        }
    }
}

/// `g += a^T b`: `a` is `[rows, m]` with rows `a_stride` apart, `b` is `[rows, n]` with rows `b_stride` apart, `g` is `[m, n]`; `n` is
/// padded. Each `g[i, j]` sums over rows in order, so that chunk after chunk continues one chain.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "three matrices and their sizes")]
pub(super) fn add_outer<S: Simd, T: Real>(
    simd: S,
    a: &[T],
    a_stride: usize,
    rows: usize,
    m: usize,
    b: &[T],
    b_stride: usize,
    n: usize,
    g: &mut [T],
) {
    let outer = Outer { a, a_stride, rows, m, b: vectors::<S, T>(b), b_stride: b_stride / lanes::<S, T>(), stride: n / lanes::<S, T>() };
    let g = vectors_mut::<S, T>(g);
    let mut column = 0;
    while S::REGISTER_COUNT >= 32 && column + 4 <= outer.stride {
        outer.panel::<4>(simd, column, g);
        column += 4;
    }
    while column + 2 <= outer.stride {
        outer.panel::<2>(simd, column, g);
        column += 2;
    }
    if column < outer.stride {
        outer.panel::<1>(simd, column, g);
    }
}

struct Outer<'a, S: Simd, T: Real> {
    a: &'a [T],
    a_stride: usize,
    rows: usize,
    m: usize,
    b: &'a [T::Vector<S>],
    b_stride: usize,
    stride: usize,
}

impl<S: Simd, T: Real> Outer<'_, S, T> {
    #[inline(always)]
    fn panel<const V: usize>(&self, simd: S, column: usize, g: &mut [T::Vector<S>]) {
        let mut i = 0;
        while i + TILE <= self.m {
            self.tile::<TILE, V>(simd, i, column, g);
            i += TILE;
        }
        match self.m - i {
            1 => self.tile::<1, V>(simd, i, column, g),
            2 => self.tile::<2, V>(simd, i, column, g),
            3 => self.tile::<3, V>(simd, i, column, g),
            4 => self.tile::<4, V>(simd, i, column, g),
            5 => self.tile::<5, V>(simd, i, column, g),
            _ => {}
        }
    }

    #[inline(always)]
    fn tile<const R: usize, const V: usize>(&self, simd: S, i: usize, column: usize, g: &mut [T::Vector<S>]) {
        let mut sum = [[T::splat(simd, T::zero()); V]; R];
        for r in 0..R {
            sum[r].copy_from_slice(&g[(i + r) * self.stride + column..][..V]);
        }
        for row in 0..self.rows {
            let a: &[T; R] = self.a[row * self.a_stride + i..][..R].try_into().expect("R columns");
            let b: &[T::Vector<S>; V] = self.b[row * self.b_stride + column..][..V].try_into().expect("V vectors");
            for r in 0..R {
                let a = T::splat(simd, a[r]);
                for v in 0..V {
                    sum[r][v] = T::times_plus(simd, a, b[v], sum[r][v]);
                }
            }
        }
        for r in 0..R {
            g[(i + r) * self.stride + column..][..V].copy_from_slice(&sum[r]);
        }
    }
}

/// `g += sum over rows of b`: `b` is `[rows, n]` with rows `b_stride` apart, `g` is `[n]`.
#[inline(always)]
pub(super) fn add_rows<S: Simd, T: Real>(simd: S, b: &[T], b_stride: usize, g: &mut [T]) {
    let (b, g) = (vectors::<S, T>(b), vectors_mut::<S, T>(g));
    for row in b.chunks_exact(b_stride / lanes::<S, T>()) {
        for (g, b) in g.iter_mut().zip(row) {
            *g = T::plus(simd, *g, *b);
        }
    }
}
