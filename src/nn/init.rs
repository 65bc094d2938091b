//! Initial weights.

use super::Mlp;
use super::params::Params;
use crate::seed::Rng;

/// Fills the layers of an MLP as PyTorch's `Linear` does: weights and biases uniform within one over the root of the inputs; a normalised layer
/// scales by 1 and shifts by 0.
///
/// # Panics
/// When its parameters are not there under `name`.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "layers are small, weights are f32")]
pub fn uniform(params: &mut Params, mlp: &Mlp, name: &str, rng: &mut Rng) {
    let mut layout = super::Layout::default();
    mlp.declare(name, &mut layout);
    let mut reach = 0.0;
    for entry in layout.entries() {
        if let [_, inputs] = entry.shape[..] {
            reach = 1.0 / (inputs as f64).sqrt();
        }
        let values = params.tensor_mut(&entry.name);
        match entry.name.rsplit_once(".norm.") {
            Some((_, part)) => values.fill(if part == "scale" { 1.0 } else { 0.0 }),
            None => values.iter_mut().for_each(|value| *value = rng.uniform(-reach, reach) as f32),
        }
    }
}

/// Fills a weight `[outputs, inputs]` with an orthogonal matrix times `gain` (Saxe et al. 2014): the Q of a normal matrix's QR
/// decomposition with the signs of R's diagonal, as PyTorch's `orthogonal_` does.
///
/// # Panics
/// When there is no parameter of this name.
pub fn orthogonal(params: &mut Params, name: &str, gain: f64, rng: &mut Rng) {
    let shape = &params.layout().entries().iter().find(|entry| entry.name == name).expect("a parameter of this name").shape;
    let inputs = shape[1];
    orthogonal_rows(params.tensor_mut(name), inputs, gain, rng);
}

/// The same for a matrix of so many columns that lies in `values`.
pub fn orthogonal_rows(values: &mut [f32], inputs: usize, gain: f64, rng: &mut Rng) {
    let outputs = values.len() / inputs;
    let (count, length) = (outputs.min(inputs), outputs.max(inputs));
    let vectors = orthonormal(count, length, rng);
    for (i, vector) in vectors.iter().enumerate() {
        for (j, value) in vector.iter().enumerate() {
            let at = if outputs >= inputs { j * inputs + i } else { i * inputs + j };
            #[expect(clippy::cast_possible_truncation, reason = "weights are f32")]
            let weight = (gain * value) as f32;
            values[at] = weight;
        }
    }
}

/// `count` orthonormal vectors of `length` numbers, uniformly oriented: modified Gram-Schmidt, twice, on normal vectors.
fn orthonormal(count: usize, length: usize, rng: &mut Rng) -> Vec<Vec<f64>> {
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..length).map(|_| rng.normal()).collect();
        for _ in 0..2 {
            for earlier in &vectors {
                let along: f64 = vector.iter().zip(earlier).map(|(a, b)| a * b).sum();
                vector.iter_mut().zip(earlier).for_each(|(value, unit)| *value -= along * unit);
            }
        }
        let norm = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        for value in &mut vector {
            *value /= norm;
        }
        vectors.push(vector);
    }
    vectors
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Layout;
    use crate::seed::Stream;
    use std::sync::Arc;

    #[test]
    fn rows_or_columns_are_orthonormal_times_the_gain() {
        for (outputs, inputs) in [(64, 4), (64, 64), (2, 64)] {
            let mut layout = Layout::default();
            layout.push("w", &[outputs, inputs]);
            let mut params = Params::zeros(Arc::new(layout));
            orthogonal(&mut params, "w", 2.0_f64.sqrt(), &mut Stream::Init.under(1));
            let w = |o: usize, i: usize| f64::from(params.values[o * inputs + i]);
            let (count, length) = (outputs.min(inputs), outputs.max(inputs));
            for a in 0..count {
                for b in 0..count {
                    let product = |k: usize| if outputs >= inputs { w(k, a) * w(k, b) } else { w(a, k) * w(b, k) };
                    let dot: f64 = (0..length).map(product).sum();
                    assert!((dot - if a == b { 2.0 } else { 0.0 }).abs() < 1e-5);
                }
            }
        }
    }
}
