//! Two products of small matrices: rows times weights, and the outer product that gathers a weight's gradient.
//!
//! Both keep a tile of accumulators in registers (6 rows of 4 vectors on AVX-512, of 2 on AVX2) and walk the summed dimension once.
//! No closures inside: one that is not inlined would not be compiled for the vector unit.
//! Measured on one core of a Sapphire Rapids at 64 x 64: 170 GFLOP/s, where MKL's sgemm makes 100 to 160 (`benches/README.md`).

use pulp::Simd;

/// Rows of a tile.
const TILE: usize = 6;

/// A matrix of vectors: `[rows, stride]`.
#[inline(always)]
fn vectors<S: Simd>(floats: &[f32]) -> &[S::f32s] {
    bytemuck::cast_slice(floats)
}

#[inline(always)]
fn vectors_mut<S: Simd>(floats: &mut [f32]) -> &mut [S::f32s] {
    bytemuck::cast_slice_mut(floats)
}

/// Columns of a panel of weights: 4 vectors of AVX-512. Weights `[k, n]` lie panel behind panel, each `[k, its columns]`, so that what a
/// tile walks through is in one piece.
pub(super) const PANEL: usize = 64;
/// So many rows of a panel stay in the nearest cache while all rows of `x` pass.
const DEPTH: usize = 128;

/// `y = start + x w`: `x` is `[rows, k]`, `w` is `[k, n]` in panels, `start` is `[n]` or nothing, `y` is `[rows, n]`; rows of `x` and `y` are
/// `x_stride` and `y_stride` apart, `n` is padded. Each `y[r, j]` sums over `k` in order.
#[inline(always)]
#[expect(clippy::too_many_arguments, reason = "three matrices and their sizes")]
pub(super) fn multiply<S: Simd>(
    simd: S,
    x: &[f32],
    x_stride: usize,
    rows: usize,
    k: usize,
    w: &[f32],
    n: usize,
    start: Option<&[f32]>,
    y: &mut [f32],
    y_stride: usize,
) {
    let y = vectors_mut::<S>(y);
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
                w: vectors::<S>(&panel[done * width..][..depth * width]),
                stride: width / S::F32_LANES,
                start: start.map(|start| vectors::<S>(start)),
                goes_on: done > 0,
                first: first / S::F32_LANES,
                y_stride: y_stride / S::F32_LANES,
            };
            product.all(simd, rows, y);
            done += depth;
        }
        first += width;
    }
}

/// Some depth of a panel.
struct Product<'a, S: Simd> {
    x: &'a [f32],
    x_stride: usize,
    k: usize,
    /// `[k, stride]`.
    w: &'a [S::f32s],
    stride: usize,
    start: Option<&'a [S::f32s]>,
    /// `y` holds the sums so far.
    goes_on: bool,
    /// The panel's first column in `y`.
    first: usize,
    y_stride: usize,
}

impl<S: Simd> Product<'_, S> {
    #[inline(always)]
    fn all(&self, simd: S, rows: usize, y: &mut [S::f32s]) {
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
    fn panel<const V: usize>(&self, simd: S, column: usize, rows: usize, y: &mut [S::f32s]) {
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
    fn tile<const R: usize, const V: usize>(&self, simd: S, row: usize, column: usize, y: &mut [S::f32s]) {
        let place = self.first + column;
        let mut sum = [[simd.splat_f32s(0.0); V]; R];
        if self.goes_on {
            for r in 0..R {
                sum[r].copy_from_slice(&y[(row + r) * self.y_stride + place..][..V]);
            }
        } else if let Some(start) = self.start {
            let start: &[S::f32s; V] = start[place..][..V].try_into().expect("V vectors");
            sum = [*start; R];
        }
        let mut x: [&[f32]; R] = [&[]; R];
        for (r, x) in x.iter_mut().enumerate() {
            *x = &self.x[(row + r) * self.x_stride..][..self.k];
        }
        for k in 0..self.k {
            let w: &[S::f32s; V] = self.w[k * self.stride + column..][..V].try_into().expect("V vectors");
            for r in 0..R {
                let x = simd.splat_f32s(x[r][k]);
                for v in 0..V {
                    sum[r][v] = simd.mul_add_f32s(x, w[v], sum[r][v]);
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
pub(super) fn add_outer<S: Simd>(
    simd: S,
    a: &[f32],
    a_stride: usize,
    rows: usize,
    m: usize,
    b: &[f32],
    b_stride: usize,
    n: usize,
    g: &mut [f32],
) {
    let outer = Outer { a, a_stride, rows, m, b: vectors::<S>(b), b_stride: b_stride / S::F32_LANES, stride: n / S::F32_LANES };
    let g = vectors_mut::<S>(g);
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

struct Outer<'a, S: Simd> {
    a: &'a [f32],
    a_stride: usize,
    rows: usize,
    m: usize,
    b: &'a [S::f32s],
    b_stride: usize,
    stride: usize,
}

impl<S: Simd> Outer<'_, S> {
    #[inline(always)]
    fn panel<const V: usize>(&self, simd: S, column: usize, g: &mut [S::f32s]) {
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
    fn tile<const R: usize, const V: usize>(&self, simd: S, i: usize, column: usize, g: &mut [S::f32s]) {
        let mut sum = [[simd.splat_f32s(0.0); V]; R];
        for r in 0..R {
            sum[r].copy_from_slice(&g[(i + r) * self.stride + column..][..V]);
        }
        for row in 0..self.rows {
            let a: &[f32; R] = self.a[row * self.a_stride + i..][..R].try_into().expect("R columns");
            let b: &[S::f32s; V] = self.b[row * self.b_stride + column..][..V].try_into().expect("V vectors");
            for r in 0..R {
                let a = simd.splat_f32s(a[r]);
                for v in 0..V {
                    sum[r][v] = simd.mul_add_f32s(a, b[v], sum[r][v]);
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
pub(super) fn add_rows<S: Simd>(simd: S, b: &[f32], b_stride: usize, g: &mut [f32]) {
    let (b, g) = (vectors::<S>(b), vectors_mut::<S>(g));
    for row in b.chunks_exact(b_stride / S::F32_LANES) {
        for (g, b) in g.iter_mut().zip(row) {
            *g = simd.add_f32s(*g, *b);
        }
    }
}
