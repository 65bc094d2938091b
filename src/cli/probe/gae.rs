//! Generalised advantage estimation.

use super::{flat, same_length};
use crate::error::Result;
use crate::rollout::gae::gae;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    reward: Vec<Vec<f64>>,
    value: Vec<Vec<f64>>,
    next_value: Vec<Vec<f64>>,
    terminated: Vec<Vec<bool>>,
    truncated: Vec<Vec<bool>>,
    discount: f64,
    lambda: f64,
}

#[derive(Serialize)]
pub(super) struct Output {
    cases: Vec<Advantages>,
}

#[derive(Serialize)]
struct Advantages {
    f64: Vec<Vec<f64>>,
    f32: Vec<Vec<f32>>,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    Ok(Output { cases: input.cases.iter().map(advantages).collect::<Result<_>>()? })
}

#[expect(clippy::cast_possible_truncation, reason = "the f32 answer")]
fn advantages(case: &Case) -> Result<Advantages> {
    let (reward, environments) = flat("reward", &case.reward)?;
    let (value, value_columns) = flat("value", &case.value)?;
    let (next_value, next_columns) = flat("next_value", &case.next_value)?;
    let (terminated, terminated_columns) = flat("terminated", &case.terminated)?;
    let (truncated, truncated_columns) = flat("truncated", &case.truncated)?;
    same_length(&[
        ("reward[0]", environments),
        ("value[0]", value_columns),
        ("next_value[0]", next_columns),
        ("terminated[0]", terminated_columns),
        ("truncated[0]", truncated_columns),
    ])?;
    let lists = [
        ("reward", reward.len()),
        ("value", value.len()),
        ("next_value", next_value.len()),
        ("terminated", terminated.len()),
        ("truncated", truncated.len()),
    ];
    let rows = same_length(&lists)?;
    let ended: Vec<bool> = terminated.iter().zip(&truncated).map(|(terminated, truncated)| *terminated || *truncated).collect();
    let narrow = |values: &[f64]| values.iter().map(|value| *value as f32).collect::<Vec<f32>>();
    let mut wide = vec![0.0; rows];
    gae(&reward, &value, &next_value, &terminated, &ended, environments, case.discount, case.lambda, &mut wide);
    let mut single = vec![0.0_f32; rows];
    let (discount, lambda) = (case.discount as f32, case.lambda as f32);
    gae(&narrow(&reward), &narrow(&value), &narrow(&next_value), &terminated, &ended, environments, discount, lambda, &mut single);
    Ok(Advantages {
        f64: wide.chunks(environments).map(<[f64]>::to_vec).collect(),
        f32: single.chunks(environments).map(<[f32]>::to_vec).collect(),
    })
}
