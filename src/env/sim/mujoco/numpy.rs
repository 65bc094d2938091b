//! Sums in NumPy's order, so that rewards have its bits: eight running sums, added in pairs (`pairwise_sum` in `loops_utils.h.src`).

use num_traits::Float;

/// The sum of at most 128 numbers as `np.sum` adds them.
pub(super) fn sum<T: Float>(numbers: impl ExactSizeIterator<Item = T>) -> T {
    let count = numbers.len();
    debug_assert!(count <= 128, "NumPy halves longer arrays first");
    let whole = if count < 8 { 0 } else { count - count % 8 };
    let mut lanes = [T::zero(); 8];
    let mut rest = T::zero();
    let mut paired = false;
    for (index, number) in numbers.enumerate() {
        if index < whole {
            lanes[index % 8] = if index < 8 { number } else { lanes[index % 8] + number };
            continue;
        }
        if index == whole && whole > 0 {
            (rest, paired) = (in_pairs(lanes), true);
        }
        rest = rest + number;
    }
    if paired || whole == 0 { rest } else { in_pairs(lanes) }
}

fn in_pairs<T: Float>(lanes: [T; 8]) -> T {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}

/// The sum of squares in single precision, which is what `np.sum(np.square(action))` is of an action: actions are `float32`.
#[expect(clippy::cast_possible_truncation, reason = "an action is a float32 there")]
pub(super) fn sum_of_squares(action: &[f64]) -> f32 {
    sum(action.iter().map(|value| {
        let value = *value as f32;
        value * value
    }))
}

/// `x ** 2` of a double: the C library's `pow`, which now and then rounds otherwise than `x * x`, and which a compiler that sees the
/// exponent leaves out.
pub(super) fn square(number: f64) -> f64 {
    number.powf(std::hint::black_box(2.0))
}

/// Length of a vector, as `np.linalg.norm` computes it: by the BLAS's `ddot`, which rounds once for product and sum.
#[expect(clippy::disallowed_methods, reason = "one rounding is what is wanted, and a few a step cost nothing")]
pub(super) fn norm([x, y, z]: [f64; 3]) -> f64 {
    z.mul_add(z, y.mul_add(y, x * x)).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_numpys() {
        // `np.float32([...]).sum()` of numpy 2.4.6; sums from left to right are 1.0000001 and 33554432.
        let tenths = [0.1_f32; 10];
        assert_eq!(sum(tenths.into_iter()), 1.0);
        let large: [f32; 20] = std::array::from_fn(|index| if index == 0 { 33_554_432.0 } else { 1.0 });
        assert_eq!(sum(large.into_iter()), 33_554_444.0);
        assert_eq!(sum([1.5_f64, 2.0].into_iter()), 3.5);
        assert_eq!(sum(std::iter::empty::<f64>()), 0.0);
    }
}
