//! Mean with t-interval, and interquartile mean.

use crate::error::{Error, Result};
use crate::stats::{interquartile_mean, mean, mean_interval, standard_deviation};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    values: Vec<f64>,
    level: f64,
}

#[derive(Serialize)]
pub(super) struct Output {
    cases: Vec<Estimate>,
}

#[derive(Serialize)]
struct Estimate {
    mean: f64,
    low: Option<f64>,
    high: Option<f64>,
    iqm: f64,
    standard_deviation: Option<f64>,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    let estimate = |case: &Case| {
        if case.values.is_empty() || !(0.0..1.0).contains(&case.level) {
            return Err(Error::usage("a case needs values and a level between 0 and 1").at("stdin"));
        }
        let interval = mean_interval(&case.values, case.level);
        Ok(Estimate {
            mean: mean(&case.values),
            low: interval.map(|interval| interval.low),
            high: interval.map(|interval| interval.high),
            iqm: interquartile_mean(&case.values),
            standard_deviation: interval.map(|_| standard_deviation(&case.values)),
        })
    };
    Ok(Output { cases: input.cases.iter().map(estimate).collect::<Result<_>>()? })
}
