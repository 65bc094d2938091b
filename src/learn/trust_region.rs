//! The step of trust region policy optimization (Schulman et al. 2015, appendix C): the natural gradient by conjugate gradients, as long as the
//! divergence allows, shortened until the loss falls and the divergence holds.

use crate::error::{Error, Result, within};
use crate::nn::kernel::Real;
use serde::{Deserialize, Serialize};

/// How far and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename = "trust_region", deny_unknown_fields, default)]
pub struct Config {
    /// The greatest mean divergence from the policy that acted, in nats.
    pub max_kl: f64,
    /// Products with the Fisher information per step.
    pub cg_steps: usize,
    /// Added to the Fisher information's diagonal.
    pub damping: f64,
    /// How often a step is shortened before it is given up.
    pub backtracks: usize,
    /// By what.
    pub shrink: f64,
}

/// MAML's appendix (Finn et al. 2017); shrinking as in rllab.
impl Default for Config {
    fn default() -> Self {
        Self { max_kl: 0.01, cg_steps: 10, damping: 1e-5, backtracks: 15, shrink: 0.8 }
    }
}

impl Config {
    /// Checks every number.
    ///
    /// # Errors
    /// The field's name, and what is wrong with it.
    pub fn check(&self) -> Result<()> {
        within("max_kl", self.max_kl, [1e-12, 1e6])?;
        within("damping", self.damping, [0.0, 1e6])?;
        within("shrink", self.shrink, [1e-3, 0.999])?;
        within("cg_steps", self.cg_steps, [1, 1000])?;
        within("backtracks", self.backtracks, [1, 1000])
    }
}

/// What a step is sought for.
pub trait Problem<T> {
    /// The Fisher information at the policy that acted, times a direction.
    ///
    /// # Errors
    /// When it cannot be computed.
    fn fisher_vector(&mut self, direction: &[T]) -> Result<Vec<T>>;

    /// Loss, and mean divergence from the policy that acted, after `step` is taken away from the parameters.
    ///
    /// # Errors
    /// When they cannot be computed.
    fn after(&mut self, step: &[T]) -> Result<[f64; 2]>;
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// To be taken away from the parameters; nothing where no length would do.
    pub step: Option<Vec<T>>,
    /// The loss after it.
    pub loss: f64,
    /// The divergence after it.
    pub kl: f64,
    /// How often it was shortened.
    pub backtracks: usize,
}

/// Seeks the step from the loss, and its gradient, at the policy that acted.
///
/// # Errors
/// Exit 5 when gradient or curvature is not finite.
pub fn step<T: Real>(config: &Config, loss: f64, gradient: &[T], problem: &mut impl Problem<T>) -> Result<Found<T>> {
    let damping = T::of(config.damping);
    let mut product = |direction: &[T]| -> Result<Vec<T>> {
        let mut product = problem.fisher_vector(direction)?;
        product.iter_mut().zip(direction).for_each(|(product, direction)| *product += damping * *direction);
        Ok(product)
    };
    let natural = conjugate_gradients(&mut product, gradient, config.cg_steps)?;
    let curvature = dot(&natural, &product(&natural)?);
    let nothing = Found { step: None, loss, kl: 0.0, backtracks: config.backtracks };
    if curvature == 0.0 {
        return Ok(nothing);
    }
    let mut length = (2.0 * config.max_kl / curvature).sqrt();
    if !(curvature > 0.0 && length.is_finite()) {
        return Err(Error::diverged(format!("the step's curvature is {curvature}")));
    }
    for backtracks in 0..=config.backtracks {
        let step: Vec<T> = natural.iter().map(|natural| T::of(length) * *natural).collect();
        let [after, kl] = problem.after(&step)?;
        if after < loss && kl <= config.max_kl {
            return Ok(Found { step: Some(step), loss: after, kl, backtracks });
        }
        length *= config.shrink;
    }
    Ok(nothing)
}

/// `A^-1 b` for a positive definite `A`, known by its products (Hestenes & Stiefel 1952), from zero; ends early where nothing is left.
///
/// # Errors
/// What the product cannot; exit 5 when a number is not finite.
pub fn conjugate_gradients<T: Real>(product: &mut impl FnMut(&[T]) -> Result<Vec<T>>, b: &[T], steps: usize) -> Result<Vec<T>> {
    let (mut x, mut residual, mut direction) = (vec![T::zero(); b.len()], b.to_vec(), b.to_vec());
    let mut left = dot(&residual, &residual);
    let enough = 1e-10 * left;
    for _ in 0..steps {
        if left == 0.0 || left < enough {
            break;
        }
        let image = product(&direction)?;
        let along = left / dot(&direction, &image);
        if !along.is_finite() {
            return Err(Error::diverged("the Fisher information times a direction is not finite"));
        }
        add(&mut x, along, &direction);
        add(&mut residual, -along, &image);
        let now = dot(&residual, &residual);
        let turn = T::of(now / left);
        direction.iter_mut().zip(&residual).for_each(|(direction, residual)| *direction = *residual + turn * *direction);
        left = now;
    }
    Ok(x)
}

fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a.wide() * b.wide()).sum()
}

fn add<T: Real>(to: &mut [T], factor: f64, what: &[T]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += T::of(factor) * *what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    /// `x^T A x / 2 - b x` in three dimensions, divergence `x^T A x / 2`.
    struct Bowl {
        a: [[f64; 3]; 3],
        b: [f64; 3],
    }

    impl Bowl {
        fn image(&self, x: &[f64]) -> Vec<f64> {
            self.a.iter().map(|row| row.iter().zip(x).map(|(a, x)| a * x).sum()).collect()
        }
    }

    impl Problem<f64> for Bowl {
        fn fisher_vector(&mut self, direction: &[f64]) -> Result<Vec<f64>> {
            Ok(self.image(direction))
        }

        fn after(&mut self, step: &[f64]) -> Result<[f64; 2]> {
            let kl = 0.5 * dot(step, &self.image(step));
            Ok([kl - dot(step, &self.b), kl])
        }
    }

    fn bowl(seed: u64) -> Bowl {
        let mut rng = Stream::Init.under(seed);
        let m: [[f64; 3]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| rng.normal()));
        let a =
            std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j)) + (0..3).map(|k| m[i][k] * m[j][k]).sum::<f64>()));
        Bowl { a, b: std::array::from_fn(|_| rng.normal()) }
    }

    #[test]
    fn conjugate_gradients_solve_in_as_many_steps_as_there_are_dimensions() {
        for seed in 0..20 {
            let bowl = bowl(seed);
            let x = conjugate_gradients(&mut |x: &[f64]| Ok(bowl.image(x)), &bowl.b, 3).unwrap();
            let left: Vec<f64> = bowl.image(&x).iter().zip(bowl.b).map(|(image, b)| image - b).collect();
            assert!(dot(&left, &left).sqrt() < 1e-9);
        }
    }

    /// The step is the natural gradient, as long as the divergence allows, and never beyond.
    #[test]
    fn a_step_ends_on_the_ball() {
        for seed in 0..20 {
            let mut bowl = bowl(seed);
            let config = Config { damping: 0.0, max_kl: 0.01, ..Config::default() };
            let gradient = bowl.b;
            let found = step(&config, 0.0, &gradient, &mut bowl).unwrap();
            let taken = found.step.unwrap();
            let kl = 0.5 * dot(&taken, &bowl.image(&taken));
            assert!(found.loss < 0.0 && kl <= 0.01 && kl > 0.01 * 0.6, "{kl}");
            let natural = conjugate_gradients(&mut |x: &[f64]| Ok(bowl.image(x)), &bowl.b, 10).unwrap();
            let cosine = dot(&taken, &natural) / (dot(&taken, &taken) * dot(&natural, &natural)).sqrt();
            assert!((cosine - 1.0).abs() < 1e-9);
        }
    }

    #[test]
    fn where_nothing_falls_nothing_moves() {
        let mut bowl = bowl(1);
        let uphill: Vec<f64> = bowl.b.iter().map(|b| -b).collect();
        let found = step(&Config::default(), 0.0, &uphill, &mut bowl).unwrap();
        assert_eq!(found.step, None);
        assert_eq!(step(&Config::default(), 0.0, &[0.0; 3], &mut bowl).unwrap().step, None);
    }
}
