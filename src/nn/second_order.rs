//! Derivatives of first and second order of a loss that is a sum over rows of a function of a network's outputs: what MAML, TRPO and
//! natural gradients need, without a graph.
//!
//! Parameters are one flat run: the network's, then the log-std (empty where a loss knows none). Everything is exact: gradients by a backward
//! pass, products with the Hessian by Pearlmutter's R operator (`kernel/tangent.rs`). Rows pass in chunks, so that memory does not grow with them.

use super::Mlp;
use super::kernel::{Activations, CHUNK, Gradients, Packed, Real, Tangents};

/// A function of each row's outputs and of the log-std, `[outputs, log_std]`.
pub trait RowLoss<T> {
    /// A row's loss; writes its gradient.
    fn gradient(&self, row: usize, at: [&[T]; 2], gradient: [&mut [T]; 2]) -> T;

    /// Writes a row's gradient, and how that changes when outputs and log-std move by `by`.
    fn change(&self, row: usize, at: [&[T]; 2], by: [&[T]; 2], gradient: [&mut [T]; 2], change: [&mut [T]; 2]);
}

/// A positive form on each row's outputs and log-std: the Hessian where the gradient is zero.
pub trait RowMetric<T> {
    /// Writes the metric times `by`.
    fn times(&self, row: usize, at: [&[T]; 2], by: [&[T]; 2], product: [&mut [T]; 2]);
}

/// Room to differentiate a network in; one per thread.
pub struct Differentiator<T> {
    inputs: usize,
    weights: usize,
    net: Packed<T>,
    direction: Packed<T>,
    activations: Activations<T>,
    tangents: Tangents<T>,
    gradients: Gradients<T>,
    log_std: Vec<T>,
    log_std_direction: Vec<T>,
    /// A row's gradient with respect to outputs and log-std, and how the latter changes.
    row: [Vec<T>; 3],
}

impl<T: Real> Differentiator<T> {
    /// For a network with `log_stds` numbers behind its parameters.
    #[must_use]
    pub fn new(mlp: &Mlp, log_stds: usize) -> Self {
        let (outputs, zeros) = (mlp.sizes[mlp.sizes.len() - 1], |count| vec![T::zero(); count]);
        Self {
            inputs: mlp.sizes[0],
            weights: mlp.parameter_count(),
            net: Packed::new(mlp),
            direction: Packed::new(mlp),
            activations: Activations::new(mlp),
            tangents: Tangents::new(mlp),
            gradients: Gradients::new(mlp),
            log_std: zeros(log_stds),
            log_std_direction: zeros(log_stds),
            row: [zeros(outputs), zeros(log_stds), zeros(log_stds)],
        }
    }

    /// Numbers in all parameters.
    #[must_use]
    pub const fn parameters(&self) -> usize {
        self.weights + self.log_std.len()
    }

    /// From now on at these parameters.
    pub fn at(&mut self, parameters: &[T]) {
        let (weights, log_std) = parameters.split_at(self.weights);
        self.net.refresh(weights);
        self.log_std.copy_from_slice(log_std);
    }

    fn towards(&mut self, direction: &[T]) {
        let (weights, log_std) = direction.split_at(self.weights);
        self.direction.refresh(weights);
        self.log_std_direction.copy_from_slice(log_std);
    }

    /// Passes a chunk of inputs through the network.
    fn forward(&mut self, chunk: &[T]) -> usize {
        let rows = chunk.len() / self.inputs;
        for (row, input) in chunk.chunks_exact(self.inputs).enumerate() {
            self.activations.input_row(row).copy_from_slice(input);
        }
        self.net.forward(rows, &mut self.activations);
        rows
    }

    /// Outputs of all rows, `[rows, A]`.
    pub fn outputs(&mut self, inputs: &[T]) -> Vec<T> {
        let mut outputs = Vec::new();
        for chunk in inputs.chunks(CHUNK * self.inputs) {
            let rows = self.forward(chunk);
            (0..rows).for_each(|row| outputs.extend_from_slice(self.activations.output_row(row)));
        }
        outputs
    }

    /// The log-std.
    #[must_use]
    pub fn log_std(&self) -> &[T] {
        &self.log_std
    }

    /// The loss of all rows of `inputs`, `[rows, O]`.
    pub fn value(&mut self, inputs: &[T], loss: &impl RowLoss<T>) -> T {
        let mut sum = T::zero();
        for (index, chunk) in inputs.chunks(CHUNK * self.inputs).enumerate() {
            let rows = self.forward(chunk);
            for row in 0..rows {
                let [gradient, log_std_gradient, ..] = &mut self.row;
                let at = [self.activations.output_row(row), &self.log_std];
                sum += loss.gradient(index * CHUNK + row, at, [gradient, log_std_gradient]);
            }
        }
        sum
    }

    /// The loss; adds its gradient.
    pub fn gradient(&mut self, inputs: &[T], loss: &impl RowLoss<T>, into: &mut [T]) -> T {
        let mut sum = T::zero();
        for (index, chunk) in inputs.chunks(CHUNK * self.inputs).enumerate() {
            let rows = self.forward(chunk);
            for row in 0..rows {
                let log_std_gradient = &mut self.row[1];
                let (outputs, gradient) = self.activations.output_and_gradient(row);
                sum += loss.gradient(index * CHUNK + row, [outputs, &self.log_std], [gradient, log_std_gradient]);
                add(&mut into[self.weights..], log_std_gradient);
            }
            self.net.backward(rows, &mut self.activations, &mut self.gradients);
        }
        self.take_gradients(into);
        sum
    }

    /// Adds the product of the loss's Hessian with a direction.
    pub fn hessian_vector(&mut self, inputs: &[T], loss: &impl RowLoss<T>, direction: &[T], into: &mut [T]) {
        self.towards(direction);
        for (index, chunk) in inputs.chunks(CHUNK * self.inputs).enumerate() {
            let rows = self.forward(chunk);
            self.net.forward_tangent(&self.direction, rows, &self.activations, &mut self.tangents);
            for row in 0..rows {
                let [_, log_std_gradient, log_std_change] = &mut self.row;
                let (outputs, gradient) = self.activations.output_and_gradient(row);
                let (by, change) = self.tangents.output_and_gradient(row);
                loss.change(
                    index * CHUNK + row,
                    [outputs, &self.log_std],
                    [by, &self.log_std_direction],
                    [gradient, log_std_gradient],
                    [change, log_std_change],
                );
                add(&mut into[self.weights..], log_std_change);
            }
            self.net.backward_tangent(&self.direction, rows, &mut self.activations, &mut self.tangents, &mut self.gradients);
        }
        self.take_gradients(into);
    }

    /// Adds the product of the Gauss-Newton matrix `J^T M J` with a direction, where `J` is the Jacobian of outputs and log-std and `M` the
    /// metric: the Fisher information, where the metric is the action distribution's.
    pub fn gauss_newton_vector(&mut self, inputs: &[T], metric: &impl RowMetric<T>, direction: &[T], into: &mut [T]) {
        self.towards(direction);
        for (index, chunk) in inputs.chunks(CHUNK * self.inputs).enumerate() {
            let rows = self.forward(chunk);
            self.net.forward_tangent(&self.direction, rows, &self.activations, &mut self.tangents);
            for row in 0..rows {
                let product = &mut self.row[1];
                let (outputs, gradient) = self.activations.output_and_gradient(row);
                let (by, _) = self.tangents.output_and_gradient(row);
                let at = [outputs, &self.log_std[..]];
                metric.times(index * CHUNK + row, at, [by, &self.log_std_direction], [gradient, product]);
                add(&mut into[self.weights..], product);
            }
            self.net.backward(rows, &mut self.activations, &mut self.gradients);
        }
        self.take_gradients(into);
    }

    fn take_gradients(&mut self, into: &mut [T]) {
        self.gradients.add_to(&mut into[..self.weights]);
        self.gradients.clear();
    }
}

fn add<T: Real>(into: &mut [T], what: &[T]) {
    into.iter_mut().zip(what).for_each(|(into, what)| *into += *what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{Activation, Head};
    use crate::seed::{Rng, Stream};

    /// `-log p(a) A` of every row, beside the divergence from an old row: all that the losses of policies are made of.
    struct Score {
        head: Head,
        actions: Vec<f64>,
        weights: Vec<f64>,
        old: Vec<f64>,
        old_log_std: Vec<f64>,
    }

    impl<T: Real> RowLoss<T> for Score {
        fn gradient(&self, row: usize, at: [&[T]; 2], [gradient, log_std_gradient]: [&mut [T]; 2]) -> T {
            let (action, old, old_log_std, weight) = self.row::<T>(row, at[0].len());
            let (mut more, mut more_log_std) = (vec![T::zero(); gradient.len()], vec![T::zero(); log_std_gradient.len()]);
            let log_prob = self.head.score(at, &action, [gradient, log_std_gradient]);
            let divergence = self.head.divergence_gradient(at, [&old, &old_log_std], [&mut more, &mut more_log_std]);
            gradient.iter_mut().zip(more).for_each(|(to, more)| *to = *to * weight + more);
            log_std_gradient.iter_mut().zip(more_log_std).for_each(|(to, more)| *to = *to * weight + more);
            log_prob * weight + divergence
        }

        fn change(&self, row: usize, at: [&[T]; 2], by: [&[T]; 2], gradient: [&mut [T]; 2], [change, log_std_change]: [&mut [T]; 2]) {
            self.gradient(row, at, gradient);
            let (action, old, old_log_std, weight) = self.row::<T>(row, at[0].len());
            let (mut more, mut more_log_std) = (vec![T::zero(); change.len()], vec![T::zero(); log_std_change.len()]);
            self.head.score_change(at, &action, by, [change, log_std_change]);
            self.head.divergence_change(at, [&old, &old_log_std], by, [&mut more, &mut more_log_std]);
            change.iter_mut().zip(more).for_each(|(to, more)| *to = *to * weight + more);
            log_std_change.iter_mut().zip(more_log_std).for_each(|(to, more)| *to = *to * weight + more);
        }
    }

    impl Score {
        fn row<T: Real>(&self, row: usize, outputs: usize) -> (Vec<T>, Vec<T>, Vec<T>, T) {
            let of = |values: &[f64]| values.iter().map(|value| T::of(*value)).collect();
            let width = self.head.action_width(outputs);
            (
                of(&self.actions[row * width..][..width]),
                of(&self.old[row * outputs..][..outputs]),
                of(&self.old_log_std),
                T::of(self.weights[row]),
            )
        }
    }

    impl<T: Real> RowMetric<T> for Score {
        fn times(&self, _row: usize, at: [&[T]; 2], by: [&[T]; 2], product: [&mut [T]; 2]) {
            self.head.metric(at, by, product);
        }
    }

    struct Case {
        mlp: Mlp,
        log_stds: usize,
        parameters: Vec<f64>,
        direction: Vec<f64>,
        inputs: Vec<f64>,
        loss: Score,
    }

    const ROWS: usize = 70;

    fn case(activation: Activation, head: Head, seed: u64) -> Case {
        let mlp = Mlp { sizes: vec![3, 9, 20, 4], activation, layer_norm: false };
        let mut rng: Rng = Stream::Init.under(seed);
        let mut normal = |count: usize, scale: f64| (0..count).map(|_| scale * rng.normal()).collect::<Vec<_>>();
        let categorical = head == Head::Categorical;
        let log_stds = if categorical { 0 } else { 4 };
        let count = mlp.parameter_count() + log_stds;
        let (parameters, direction, inputs) = (normal(count, 0.4), normal(count, 1.0), normal(ROWS * 3, 1.0));
        let (old, old_log_std, weights) = (normal(ROWS * 4, 0.5), normal(log_stds, 0.3), normal(ROWS, 1.0));
        let actions =
            if categorical { (0..ROWS).map(|row| f64::from(u8::try_from(row % 4).unwrap())).collect() } else { normal(ROWS * 4, 1.0) };
        Case { mlp, log_stds, parameters, direction, inputs, loss: Score { head, actions, weights, old, old_log_std } }
    }

    fn cases() -> impl Iterator<Item = Case> {
        let heads = [Head::Categorical, Head::DiagonalGaussian { initial_log_std: 0.0 }];
        (0..6).flat_map(move |seed| {
            heads.into_iter().flat_map(move |head| [Activation::Tanh, Activation::Relu].map(|activation| case(activation, head, seed)))
        })
    }

    fn apart(a: &[f64], b: &[f64]) -> f64 {
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|value| value * value).sum::<f64>().sqrt();
        norm(&mut a.iter().zip(b).map(|(a, b)| a - b)) / norm(&mut b.iter().copied())
    }

    fn gradient_at(case: &Case, room: &mut Differentiator<f64>, step: f64) -> Vec<f64> {
        let moved: Vec<f64> = case.parameters.iter().zip(&case.direction).map(|(at, by)| at + step * by).collect();
        room.at(&moved);
        let mut gradient = vec![0.0; moved.len()];
        room.gradient(&case.inputs, &case.loss, &mut gradient);
        gradient
    }

    /// Gradient and Hessian against central differences of the loss and of the gradient, in f64.
    #[test]
    fn derivatives_are_those_of_central_differences() {
        for case in cases() {
            let mut room = Differentiator::<f64>::new(&case.mlp, case.log_stds);
            let gradient = gradient_at(&case, &mut room, 0.0);
            let step = 1e-6;
            let value_at = |room: &mut Differentiator<f64>, step: f64| {
                let moved: Vec<f64> = case.parameters.iter().zip(&case.direction).map(|(at, by)| at + step * by).collect();
                room.at(&moved);
                room.value(&case.inputs, &case.loss)
            };
            let slope = (value_at(&mut room, step) - value_at(&mut room, -step)) / (2.0 * step);
            let along: f64 = gradient.iter().zip(&case.direction).map(|(gradient, by)| gradient * by).sum();
            assert!((slope - along).abs() < 1e-6 * slope.abs().max(1.0), "{slope} {along}");

            let (ahead, behind) = (gradient_at(&case, &mut room, step), gradient_at(&case, &mut room, -step));
            let differences: Vec<f64> = ahead.iter().zip(behind).map(|(ahead, behind)| (ahead - behind) / (2.0 * step)).collect();
            room.at(&case.parameters);
            let mut product = vec![0.0; case.parameters.len()];
            room.hessian_vector(&case.inputs, &case.loss, &case.direction, &mut product);
            assert!(apart(&product, &differences) < 1e-6, "{:?}: {}", case.mlp.activation, apart(&product, &differences));
        }
    }

    /// Where the old distribution is this one, the Hessian of the divergence is the Gauss-Newton matrix of its metric.
    #[test]
    fn the_fisher_information_is_the_divergences_hessian() {
        for mut case in cases() {
            let mut room = Differentiator::<f64>::new(&case.mlp, case.log_stds);
            room.at(&case.parameters);
            case.loss.weights.fill(0.0);
            case.loss.old = room.outputs(&case.inputs);
            case.loss.old_log_std = room.log_std().to_vec();
            let mut products = [0, 1].map(|_| vec![0.0; case.parameters.len()]);
            room.hessian_vector(&case.inputs, &case.loss, &case.direction, &mut products[0]);
            room.gauss_newton_vector(&case.inputs, &case.loss, &case.direction, &mut products[1]);
            assert!(apart(&products[0], &products[1]) < 1e-12);
        }
    }

    /// What works is f32.
    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "what it is for")]
    fn half_the_precision_is_as_good_as_it_can_be() {
        for case in cases() {
            let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<_>>();
            let (mut room, mut half) =
                (Differentiator::<f64>::new(&case.mlp, case.log_stds), Differentiator::<f32>::new(&case.mlp, case.log_stds));
            room.at(&case.parameters);
            half.at(&narrow(&case.parameters));
            let mut product = vec![0.0; case.parameters.len()];
            let mut half_product = vec![0.0; case.parameters.len()];
            room.hessian_vector(&case.inputs, &case.loss, &case.direction, &mut product);
            half.hessian_vector(&narrow(&case.inputs), &case.loss, &narrow(&case.direction), &mut half_product);
            let half_product: Vec<f64> = half_product.into_iter().map(f64::from).collect();
            assert!(apart(&half_product, &product) < 1e-4, "{}", apart(&half_product, &product));
        }
    }
}
