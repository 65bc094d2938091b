//! The inner loop, and the way back through it: exact to second order, by products of Hessian and vector.
//!
//! A step is `theta_{j+1} = theta_j - alpha * grad L_j(theta_j)`, with one rate `alpha` per parameter. Its Jacobian is
//! `I - diag(alpha) H_j`, so that a gradient at the end comes back as `w_j = w_{j+1} - H_j (alpha * w_{j+1})`, and the rates' own gradient is
//! `-sum_j grad L_j * w_{j+1}` (Finn et al. 2017, equation 4; Li et al. 2017, "Meta-SGD").

use super::recipe::Order;
use crate::nn::kernel::Real;

/// What each inner step descends on.
pub trait InnerLoss<T> {
    /// Adds the gradient of step `step`'s loss at these parameters.
    fn gradient(&mut self, step: usize, at: &[T], into: &mut [T]);

    /// Adds its Hessian times a direction.
    fn hessian_vector(&mut self, step: usize, at: &[T], direction: &[T], into: &mut [T]);
}

/// Where the inner loop has been.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain<T> {
    rates: Vec<T>,
    /// `theta_0 .. theta_k`.
    points: Vec<Vec<T>>,
    /// The gradient at each but the last.
    gradients: Vec<Vec<T>>,
}

impl<T: Real> Chain<T> {
    /// At its start; `rates` has one number per parameter.
    #[must_use]
    pub fn new(start: Vec<T>, rates: Vec<T>) -> Self {
        Self { rates, points: vec![start], gradients: Vec::new() }
    }

    /// Goes `steps` steps from a start.
    pub fn descend(start: Vec<T>, rates: Vec<T>, steps: usize, loss: &mut impl InnerLoss<T>) -> Self {
        let mut chain = Self::new(start, rates);
        (0..steps).for_each(|_| chain.step(loss));
        chain
    }

    /// One step further.
    pub fn step(&mut self, loss: &mut impl InnerLoss<T>) {
        let at = self.end();
        let mut gradient = vec![T::zero(); at.len()];
        loss.gradient(self.gradients.len(), at, &mut gradient);
        let next = at.iter().zip(&gradient).zip(&self.rates).map(|((at, gradient), rate)| *at - *rate * *gradient).collect();
        self.points.push(next);
        self.gradients.push(gradient);
    }

    /// Where it stands.
    #[must_use]
    pub fn end(&self) -> &[T] {
        &self.points[self.points.len() - 1]
    }

    /// Brings a gradient at the end back to the start: with respect to the start, and to the rates.
    pub fn pull_back(&self, order: Order, mut gradient: Vec<T>, loss: &mut impl InnerLoss<T>) -> [Vec<T>; 2] {
        let mut of_rates = vec![T::zero(); self.rates.len()];
        for step in (0..self.gradients.len()).rev() {
            let terms = of_rates.iter_mut().zip(&self.gradients[step]).zip(&gradient);
            terms.for_each(|((of_rate, inner), outer)| *of_rate -= *inner * *outer);
            if order == Order::Second {
                let scaled: Vec<T> = self.rates.iter().zip(&gradient).map(|(rate, gradient)| *rate * *gradient).collect();
                let mut curved = vec![T::zero(); gradient.len()];
                loss.hessian_vector(step, &self.points[step], &scaled, &mut curved);
                gradient.iter_mut().zip(curved).for_each(|(gradient, curved)| *gradient -= curved);
            }
        }
        [gradient, of_rates]
    }

    /// How the end moves when the start moves by `direction` and the rates by `of_rates`.
    pub fn push_forward(&self, order: Order, [direction, of_rates]: [&[T]; 2], loss: &mut impl InnerLoss<T>) -> Vec<T> {
        let mut moved = direction.to_vec();
        for step in 0..self.gradients.len() {
            let mut curved = vec![T::zero(); moved.len()];
            if order == Order::Second {
                loss.hessian_vector(step, &self.points[step], &moved, &mut curved);
            }
            for (index, moved) in moved.iter_mut().enumerate() {
                *moved -= self.rates[index] * curved[index] + of_rates[index] * self.gradients[step][index];
            }
        }
        moved
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    const SIZE: usize = 5;

    /// `(theta - c)^T A (theta - c) / 2`, another `c` at each step.
    struct Quadratic {
        a: [[f64; SIZE]; SIZE],
        centres: Vec<[f64; SIZE]>,
    }

    impl InnerLoss<f64> for Quadratic {
        fn gradient(&mut self, step: usize, at: &[f64], into: &mut [f64]) {
            let apart: Vec<f64> = at.iter().zip(self.centres[step]).map(|(at, centre)| at - centre).collect();
            self.hessian_vector(step, at, &apart, into);
        }

        fn hessian_vector(&mut self, _step: usize, _at: &[f64], direction: &[f64], into: &mut [f64]) {
            for (into, row) in into.iter_mut().zip(&self.a) {
                *into += row.iter().zip(direction).map(|(a, direction)| a * direction).sum::<f64>();
            }
        }
    }

    /// Of a quadratic, `k` steps at one rate are `theta_k = c + (I - alpha A)^k (theta - c)` and their Jacobian is `(I - alpha A)^k`.
    #[test]
    fn on_a_quadratic_the_chain_is_its_closed_form() {
        for seed in 0..20 {
            let mut rng = Stream::Init.under(seed);
            let m: [[f64; SIZE]; SIZE] = std::array::from_fn(|_| std::array::from_fn(|_| rng.normal()));
            let a = std::array::from_fn(|i| std::array::from_fn(|j| (0..SIZE).map(|k| m[i][k] * m[j][k]).sum::<f64>()));
            let centre: [f64; SIZE] = std::array::from_fn(|_| rng.normal());
            let start: Vec<f64> = (0..SIZE).map(|_| rng.normal()).collect();
            let gradient: Vec<f64> = (0..SIZE).map(|_| rng.normal()).collect();
            let rate = 0.05;
            for steps in 0..6 {
                let mut loss = Quadratic { a, centres: vec![centre; steps] };
                let chain = Chain::descend(start.clone(), vec![rate; SIZE], steps, &mut loss);
                let mut apart: Vec<f64> = start.iter().zip(centre).map(|(start, centre)| start - centre).collect();
                let (mut expected, mut pulled) = (apart.clone(), gradient.clone());
                for _ in 0..steps {
                    let image = |x: &[f64]| a.map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>());
                    expected = expected.iter().zip(image(&expected)).map(|(x, ax)| x - rate * ax).collect();
                    pulled = pulled.iter().zip(image(&pulled)).map(|(x, ax)| x - rate * ax).collect();
                }
                apart.iter_mut().zip(chain.end()).zip(centre).for_each(|((apart, end), centre)| *apart = end - centre);
                assert!(apart.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < 1e-10));
                let [back, _] = chain.pull_back(Order::Second, gradient.clone(), &mut loss);
                assert!(back.iter().zip(&pulled).all(|(found, expected)| (found - expected).abs() < 1e-10));
                let [first, _] = chain.pull_back(Order::First, gradient.clone(), &mut loss);
                assert_eq!(first, gradient);
                // A quadratic's Jacobian is symmetric: forward is backward.
                let forward = chain.push_forward(Order::Second, [&gradient, &[0.0; SIZE]], &mut loss);
                assert!(forward.iter().zip(&pulled).all(|(found, expected)| (found - expected).abs() < 1e-10));
            }
        }
    }

    /// Rates: against central differences of a linear function of the end.
    #[test]
    fn the_rates_gradient_is_that_of_central_differences() {
        let mut rng = Stream::Init.under(7);
        let m: [[f64; SIZE]; SIZE] = std::array::from_fn(|_| std::array::from_fn(|_| rng.normal()));
        let a = std::array::from_fn(|i| std::array::from_fn(|j| (0..SIZE).map(|k| m[i][k] * m[j][k]).sum::<f64>()));
        let mut normal = || (0..SIZE).map(|_| rng.normal()).collect::<Vec<f64>>();
        let (start, weight, centre) = (normal(), normal(), normal());
        let rates: Vec<f64> = normal().iter().map(|x| 0.05 + 0.01 * x).collect();
        let mut loss = Quadratic { a, centres: vec![centre.try_into().unwrap(); 3] };
        let end = |rates: Vec<f64>, loss: &mut Quadratic| {
            let chain = Chain::descend(start.clone(), rates, 3, loss);
            chain.end().iter().zip(&weight).map(|(end, weight)| end * weight).sum::<f64>()
        };
        let chain = Chain::descend(start.clone(), rates.clone(), 3, &mut loss);
        let [_, of_rates] = chain.pull_back(Order::Second, weight.clone(), &mut loss);
        for index in 0..SIZE {
            let mut moved = [rates.clone(), rates.clone()];
            moved[0][index] += 1e-6;
            moved[1][index] -= 1e-6;
            let [ahead, behind] = moved.map(|rates| end(rates, &mut loss));
            assert!((of_rates[index] - (ahead - behind) / 2e-6).abs() < 1e-6 * of_rates[index].abs().max(1.0));
            let mut unit = [0.0; SIZE];
            unit[index] = 1.0;
            let forward = chain.push_forward(Order::Second, [&[0.0; SIZE], &unit], &mut loss);
            let along: f64 = forward.iter().zip(&weight).map(|(forward, weight)| forward * weight).sum();
            assert!((along - of_rates[index]).abs() < 1e-9 * along.abs().max(1.0));
        }
    }
}
