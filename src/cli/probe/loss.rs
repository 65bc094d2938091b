//! PPO's losses and their gradients.

use super::same_length;
use crate::error::Result;
use crate::learn::ppo::loss::{clipped_surrogate, value_loss};
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    log_prob: Vec<f64>,
    old_log_prob: Vec<f64>,
    advantage: Vec<f64>,
    value: Vec<f64>,
    old_value: Vec<f64>,
    returns: Vec<f64>,
    clip: f64,
    value_clip: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct Output {
    surrogate: f64,
    value_loss: f64,
    approx_kl: f64,
    clip_fraction: f64,
    d_log_prob: Vec<f64>,
    d_value: Vec<f64>,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    let lists = [
        ("log_prob", &input.log_prob),
        ("old_log_prob", &input.old_log_prob),
        ("advantage", &input.advantage),
        ("value", &input.value),
        ("old_value", &input.old_value),
        ("returns", &input.returns),
    ];
    same_length(&lists.map(|(name, list)| (name, list.len())))?;
    let [log_prob, old_log_prob, advantage, value, old_value, returns] = lists.map(|(_, list)| Tensor::from_slice(list));
    let (log_prob, value) = (log_prob.set_requires_grad(true), value.set_requires_grad(true));
    let surrogate = clipped_surrogate(&log_prob, &old_log_prob, &advantage, input.clip);
    let value_loss = value_loss(&value, &old_value, &returns, input.value_clip);
    let gradients = Tensor::run_backward(&[&surrogate + &value_loss], &[&log_prob, &value], false, false);
    let list = |tensor: &Tensor| (0..).take(tensor.numel()).map(|index| tensor.double_value(&[index])).collect();
    let log_ratio = (&log_prob - &old_log_prob).detach();
    let ratio = log_ratio.exp();
    let number = |tensor: &Tensor| tensor.double_value(&[]);
    Ok(Output {
        surrogate: number(&surrogate),
        value_loss: number(&value_loss),
        approx_kl: number(&(&ratio - 1.0 - log_ratio).mean(Kind::Double)),
        clip_fraction: number(&(&ratio - 1.0).abs().gt(input.clip).to_kind(Kind::Double).mean(Kind::Double)),
        d_log_prob: list(&gradients[0]),
        d_value: list(&gradients[1]),
    })
}
