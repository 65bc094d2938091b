//! What the hand-written gradients are held against: the same networks on libtorch in f64, and random numbers to try them with.

use crate::nn::kernel::Real;
use crate::nn::{Mlp, autograd};
use crate::seed::Rng;
use tch::{Kind, Tensor};

/// Weights that require gradients, of a flat run in the order of [`Mlp::declare`].
pub(super) fn leaves(mlp: &Mlp, flat: &[f64]) -> Vec<Tensor> {
    let mut layout = crate::nn::Layout::default();
    mlp.declare("network", &mut layout);
    let leaf = |entry: &crate::nn::params::Entry| {
        let shape: Vec<i64> = entry.shape.iter().map(|size| i64::try_from(*size).unwrap()).collect();
        Tensor::from_slice(&flat[entry.range.clone()]).view(&shape[..]).set_requires_grad(true)
    };
    layout.entries().iter().map(leaf).collect()
}

/// Outputs `[B, N]` of inputs `[B, O]`.
pub(super) fn forward(mlp: &Mlp, leaves: &[Tensor], x: &Tensor) -> Tensor {
    if !mlp.layer_norm {
        return autograd::mlp(mlp.activation, leaves, x);
    }
    let mut rest = leaves;
    let mut x = x + 0.0;
    for (layer, pair) in mlp.sizes.windows(2).enumerate() {
        x = x.linear(&rest[0], Some(&rest[1]));
        rest = &rest[2..];
        if mlp.has_norm(layer) {
            x = x.layer_norm([i64::try_from(pair[1]).unwrap()], Some(&rest[0]), Some(&rest[1]), 1e-5, false);
            rest = &rest[2..];
        }
        if layer + 2 < mlp.sizes.len() {
            x = x.relu();
        }
    }
    x
}

/// The gradient of a loss, one leaf behind the other.
pub(super) fn gradient(loss: &Tensor, leaves: &[&Tensor]) -> Vec<f64> {
    loss.backward();
    let of = |leaf: &&Tensor| {
        let mut values = vec![0.0; leaf.numel()];
        let gradient = leaf.grad();
        if gradient.defined() {
            gradient.contiguous().view([-1]).copy_data(&mut values, leaf.numel());
        }
        values
    };
    leaves.iter().flat_map(of).collect()
}

/// `[B, N]` of numbers row by row.
pub(super) fn matrix<T: Real>(values: &[T], rows: usize) -> Tensor {
    let wide: Vec<f64> = values.iter().map(|value| value.wide()).collect();
    let columns = i64::try_from(values.len() / rows).unwrap();
    Tensor::from_slice(&wide).view([i64::try_from(rows).unwrap(), columns])
}

/// The numbers of a tensor.
pub(super) fn numbers(tensor: &Tensor) -> Vec<f64> {
    let mut values = vec![0.0; tensor.numel()];
    tensor.to_kind(Kind::Double).contiguous().view([-1]).copy_data(&mut values, tensor.numel());
    values
}

/// The norm of the difference over that of the reference.
pub(super) fn distance<T: Real>(found: &[T], reference: &[f64]) -> f64 {
    assert_eq!(found.len(), reference.len());
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
    let apart = norm(&mut found.iter().zip(reference).map(|(found, reference)| found.wide() - reference));
    apart / norm(&mut reference.iter().copied()).max(1e-12)
}

/// So many normal numbers times `scale`, in 32 bits, so that both widths begin with the same.
pub(super) fn normals<T: Real>(rng: &mut Rng, count: usize, scale: f64) -> Vec<T> {
    #[expect(clippy::cast_possible_truncation, reason = "what is tried is f32")]
    (0..count).map(|_| T::of(f64::from((rng.normal() * scale) as f32))).collect()
}

/// A batch of random transitions; a fifth of them end.
pub(super) fn batch<T: Real>(rng: &mut Rng, rows: usize, inputs: usize, width: usize) -> super::replay::Batch<T> {
    let mut batch = super::replay::Batch::zeros(rows, inputs, width);
    batch.observation = normals(rng, rows * inputs, 1.0);
    batch.next_observation = normals(rng, rows * inputs, 1.0);
    batch.reward = normals(rng, rows, 1.0);
    batch.action = normals::<T>(rng, rows * width, 1.0).into_iter().map(T::tanh).collect();
    batch.discount.iter_mut().for_each(|discount| *discount = if rng.unit() < 0.2 { T::zero() } else { T::of(0.984_375) });
    batch
}

/// Hidden layers, sometimes none. Those that are normalised have eight units at least: of one or two, 32 bits leave nothing but the sign.
pub(super) fn layers(rng: &mut Rng, layer_norm: bool) -> Vec<usize> {
    let least = if layer_norm { 8 } else { 1 };
    (0..rng.below(4)).map(|_| least + rng.below(70)).collect()
}

/// Weights, flat, such that signals neither die nor blow up.
pub(super) fn weights<T: Real>(rng: &mut Rng, mlp: &Mlp) -> Vec<T> {
    let mut layout = crate::nn::Layout::default();
    mlp.declare("network", &mut layout);
    let mut flat = Vec::new();
    for entry in layout.entries() {
        let scale = entry.shape.get(1).map_or(0.3, |inputs| 1.0 / f64::from(u32::try_from(*inputs).unwrap()).sqrt());
        let ones = T::of(f64::from(u8::from(entry.name.ends_with("norm.scale"))));
        flat.extend(normals::<T>(rng, entry.range.len(), scale).into_iter().map(|weight| weight + ones));
    }
    flat
}

/// The same numbers in f64.
pub(super) fn wide<T: Real>(values: &[T]) -> Vec<f64> {
    values.iter().map(|value| value.wide()).collect()
}
