//! The meta-gradient of MAML: through the inner steps, in f64.

use super::flat;
use crate::error::{Error, Result};
use crate::meta::episodes::Batch;
use crate::meta::task::Task;
use crate::meta::{Inner, Order, Outer, Recipe};
use crate::nn::{Activation, ActorCritic, Head};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// From inputs to outputs.
    sizes: Vec<usize>,
    activation: Activation,
    /// Whether actions are indices; otherwise means, beside a log-std behind the weights.
    discrete: bool,
    parameters: Vec<f64>,
    rate: f64,
    inner: Inner,
    /// Before each inner step.
    before: Vec<Rows>,
    after: Rows,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rows {
    inputs: Vec<Vec<f64>>,
    actions: Vec<Vec<f64>>,
    advantages: Vec<f64>,
    log_probs: Vec<f64>,
}

#[derive(Serialize)]
pub(super) struct Output {
    adapted: Vec<f64>,
    loss: f64,
    second_order: Vec<f64>,
    first_order: Vec<f64>,
}

pub(super) fn answer(input: Input) -> Result<Output> {
    let Input { sizes, activation, discrete, parameters, rate, inner, before, after } = input;
    let wrong = |what: String| Error::usage(what).at("stdin");
    if sizes.len() < 2 || sizes.iter().any(|size| !(1..=4096).contains(size)) || !activation.is_fused() {
        return Err(wrong("`sizes` are at least two numbers from 1 to 4096, `activation` is Tanh or Relu".into()));
    }
    let (inputs, outputs) = (sizes[0], sizes[sizes.len() - 1]);
    let head = if discrete { Head::Categorical } else { Head::DiagonalGaussian { initial_log_std: 0.0 } };
    let hidden = sizes[1..sizes.len() - 1].to_vec();
    let shape = ActorCritic { inputs, joined: 0, memory: 0, outputs, actor: hidden, critic: Vec::new(), activation, head };
    let count = shape.actor_layout().len();
    if parameters.len() != count {
        return Err(wrong(format!("`parameters` has {} entries, these sizes have {count}", parameters.len())));
    }
    let batch = |rows: &Rows| {
        let ((seen, width), (actions, action_width)) = (flat("inputs", &rows.inputs)?, flat("actions", &rows.actions)?);
        let count = rows.inputs.len();
        if width != inputs || action_width != head.action_width(outputs) {
            return Err(wrong(format!("`inputs` have {inputs} columns, `actions` {}", head.action_width(outputs))));
        }
        super::same_length(&[
            ("inputs", count),
            ("actions", rows.actions.len()),
            ("advantages", rows.advantages.len()),
            ("log_probs", rows.log_probs.len()),
        ])?;
        #[expect(clippy::cast_precision_loss, reason = "a few outputs")]
        if discrete && actions.iter().any(|action| !(0.0..outputs as f64).contains(action)) {
            return Err(wrong(format!("a discrete action is a number from 0 to {}", outputs - 1)));
        }
        let (advantages, log_probs) = (rows.advantages.clone(), rows.log_probs.clone());
        Ok(Batch { inputs: seen, actions, advantages, log_probs, outputs: Vec::new(), old_log_std: Vec::new() })
    };
    let mut task = Task::<f64>::new(&shape);
    task.before = before.iter().map(batch).collect::<Result<_>>()?;
    task.after = batch(&after)?;
    let chain = task.descend(inner, &parameters, &vec![rate; count]);
    let outer = Outer::Towards { step: 1.0 };
    let recipe = |order| Recipe { adapts: crate::meta::Adapts::All, inner, order, learns_rates: false, outer };
    let (loss, [second_order, _]) = task.gradient(&recipe(Order::Second), &chain, f64::INFINITY);
    let (_, [first_order, _]) = task.gradient(&recipe(Order::First), &chain, f64::INFINITY);
    let output = Output { adapted: chain.end().to_vec(), loss, second_order, first_order };
    let all = output.second_order.iter().chain(&output.adapted).chain([&output.loss]);
    if all.into_iter().all(|value| value.is_finite()) {
        Ok(output)
    } else {
        Err(Error::diverged("a number is not finite").at("meta-gradient"))
    }
}
