//! Steps of Adam or `AdamW`.

use super::same_length;
use crate::error::Result;
use crate::nn::adam::{Coefficients, Config, update};
use num_traits::Float;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    parameters: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    learning_rate: f64,
    beta1: f64,
    beta2: f64,
    epsilon: f64,
    weight_decay: f64,
}

#[derive(Serialize)]
pub(super) struct Output {
    f64: Vec<Vec<f64>>,
    f32: Vec<Vec<f32>>,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    for gradient in &input.gradients {
        same_length(&[("parameters", input.parameters.len()), ("gradients", gradient.len())])?;
    }
    Ok(Output { f64: course(input), f32: course(input) })
}

fn course<T: Float>(input: &Input) -> Vec<Vec<T>> {
    let config = Config { beta1: input.beta1, beta2: input.beta2, epsilon: input.epsilon, weight_decay: input.weight_decay };
    let numbers = |values: &[f64]| values.iter().map(|value| T::from(*value).unwrap_or_else(T::nan)).collect::<Vec<T>>();
    let mut parameters = numbers(&input.parameters);
    let (mut first, mut second) = (vec![T::zero(); parameters.len()], vec![T::zero(); parameters.len()]);
    let steps = input.gradients.iter().zip(1..).map(|(gradient, step)| {
        let coefficients = Coefficients::new(&config, input.learning_rate, 1.0, step);
        update(&mut parameters, &numbers(gradient), &mut first, &mut second, &coefficients);
        parameters.clone()
    });
    steps.collect()
}
