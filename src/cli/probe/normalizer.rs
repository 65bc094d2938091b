//! Running moments and normalised values.

use crate::error::{Error, Result};
use crate::nn::{Moments, Normalizer};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    shards: Vec<Vec<Vec<f64>>>,
    values: Vec<Vec<f64>>,
}

#[derive(Serialize)]
pub(super) struct Output {
    mean: Vec<f64>,
    variance: Vec<f64>,
    normalized: Vec<Vec<f32>>,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    let channels = input.shards.iter().flatten().chain(&input.values).map(Vec::len).next().unwrap_or(0);
    if channels == 0 || input.shards.iter().flatten().chain(&input.values).any(|row| row.len() != channels) {
        return Err(Error::usage("rows are empty or differ in length").at("stdin"));
    }
    let mut normalizer = Normalizer::new(Moments::new(channels));
    for shard in &input.shards {
        let mut seen = Moments::new(channels);
        for row in shard {
            seen.push(row);
        }
        normalizer.merge(&seen);
    }
    let row = |values: &Vec<f64>| values.iter().enumerate().map(|(channel, value)| normalizer.normalize(channel, *value)).collect();
    Ok(Output {
        mean: (0..channels).map(|channel| normalizer.moments.mean(channel)).collect(),
        variance: (0..channels).map(|channel| normalizer.moments.variance(channel)).collect(),
        normalized: input.values.iter().map(row).collect(),
    })
}
