//! Numbers that the kernel computes with: f32 for work, f64 so that derivatives can be held against central differences.

use super::activation;
use bytemuck::Pod;
use num_traits::NumAssign;
use pulp::Simd;
use std::fmt::Debug;
use std::iter::Sum;

/// A float with its vectors.
pub trait Real: num_traits::Float + NumAssign + Sum + Pod + Debug + Default + Send + Sync + 'static {
    /// As many as the machine computes with at once.
    type Vector<S: Simd>: Pod;

    /// A row's gradient below this moves no parameter by a bit; left alone, those of a policy that is sure of itself sink below the least
    /// normal number, where processors multiply ten times slower.
    const LEAST_GRADIENT: Self;

    /// The nearest one.
    fn of(value: f64) -> Self;

    /// As f64.
    fn wide(self) -> f64;

    /// The same number everywhere.
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;

    /// `a + b`.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a b`.
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;

    /// `a b + c`, rounded once.
    fn times_plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// `c - a b`, rounded once.
    fn less_product<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S>;

    /// `value` where `a > b`, elsewhere 0.
    fn where_greater<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, value: Self::Vector<S>) -> Self::Vector<S>;

    /// `value` where it is further than [`Real::LEAST_GRADIENT`] from 0, elsewhere 0.
    fn unless_tiny<S: Simd>(simd: S, value: Self::Vector<S>) -> Self::Vector<S>;

    /// Hyperbolic tangent.
    fn tanh_of<S: Simd>(simd: S, value: Self::Vector<S>) -> Self::Vector<S>;
}

/// The same operations under the names that they have for each width.
macro_rules! real {
    ($real:ty, $vector:ident, $least:expr, [$splat:ident, $add:ident, $mul:ident, $mul_add:ident, $negate_mul_add:ident],
     [$greater:ident, $select:ident, $abs:ident], $tanh:path) => {
        impl Real for $real {
            type Vector<S: Simd> = S::$vector;

            const LEAST_GRADIENT: Self = $least;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, clippy::cast_lossless, reason = "what it is for")]
            fn of(value: f64) -> Self {
                value as Self
            }

            #[inline(always)]
            #[allow(clippy::cast_lossless, reason = "both widths")]
            fn wide(self) -> f64 {
                self as f64
            }

            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S> {
                simd.$splat(value)
            }

            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$add(a, b)
            }

            #[inline(always)]
            fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S> {
                simd.$mul(a, b)
            }

            #[inline(always)]
            fn times_plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S> {
                simd.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn less_product<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, c: Self::Vector<S>) -> Self::Vector<S> {
                simd.$negate_mul_add(a, b, c)
            }

            #[inline(always)]
            fn where_greater<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>, value: Self::Vector<S>) -> Self::Vector<S> {
                simd.$select(simd.$greater(a, b), value, simd.$splat(0.0))
            }

            #[inline(always)]
            fn unless_tiny<S: Simd>(simd: S, value: Self::Vector<S>) -> Self::Vector<S> {
                Self::where_greater(simd, simd.$abs(value), simd.$splat(Self::LEAST_GRADIENT), value)
            }

            #[inline(always)]
            fn tanh_of<S: Simd>(simd: S, value: Self::Vector<S>) -> Self::Vector<S> {
                $tanh(simd, value)
            }
        }
    };
}

real!(
    f32,
    f32s,
    super::LEAST_GRADIENT,
    [splat_f32s, add_f32s, mul_f32s, mul_add_f32s, negate_mul_add_f32s],
    [greater_than_f32s, select_f32s, abs_f32s],
    activation::tanh
);
real!(
    f64,
    f64s,
    0.0,
    [splat_f64s, add_f64s, mul_f64s, mul_add_f64s, negate_mul_add_f64s],
    [greater_than_f64s, select_f64s, abs_f64s],
    activation::exact_tanh
);
