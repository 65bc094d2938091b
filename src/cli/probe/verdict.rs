//! The verdict of a study from its runs' values.

use crate::error::{Error, Result};
use crate::stats::{interquartile_mean, mean, probability_of_improvement};
use crate::study::verdict::{Sides, judge};
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    comparisons: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    arm: Vec<f64>,
    scratch: Vec<f64>,
    random: f64,
    reference: f64,
}

#[derive(Serialize)]
pub(super) struct Output {
    comparisons: Vec<Answer>,
}

#[derive(Serialize)]
struct Answer {
    verdict: Option<&'static str>,
    difference: f64,
    interval: Option<[f64; 2]>,
    holm_interval: Option<[f64; 2]>,
    p: Option<f64>,
    adjusted_p: Option<f64>,
    margin: f64,
    seeds_to_decide: Option<u64>,
    normalized: Option<[f64; 2]>,
    iqm: [f64; 2],
    probability_of_improvement: f64,
}

pub(super) fn answer(input: &Input) -> Result<Output> {
    for case in &input.comparisons {
        let numbers = case.arm.iter().chain(&case.scratch).chain([&case.random, &case.reference]);
        if case.arm.is_empty() || case.scratch.is_empty() || !numbers.into_iter().all(|value| value.is_finite()) {
            return Err(Error::usage("a comparison needs finite values in both arms").at("stdin"));
        }
    }
    let range = |case: &Case| case.reference - case.random;
    let sides: Vec<Sides<'_>> =
        input.comparisons.iter().map(|case| Sides { arm: &case.arm, scratch: &case.scratch, range: range(case) }).collect();
    let answers = judge(&sides).into_iter().zip(&input.comparisons).map(|(judged, case)| Answer {
        verdict: judged.map(|judged| judged.verdict.name()),
        difference: mean(&case.arm) - mean(&case.scratch),
        interval: judged.map(|judged| judged.interval),
        holm_interval: judged.map(|judged| judged.step),
        p: judged.map(|judged| judged.welch.p),
        adjusted_p: judged.map(|judged| judged.p),
        margin: crate::study::verdict::MARGIN * range(case).max(0.0),
        seeds_to_decide: judged.and_then(|judged| judged.seeds),
        normalized: (range(case) > 0.0).then(|| [&case.arm, &case.scratch].map(|values| (mean(values) - case.random) / range(case))),
        iqm: [&case.arm, &case.scratch].map(|values| interquartile_mean(values)),
        probability_of_improvement: probability_of_improvement(&case.arm, &case.scratch),
    });
    Ok(Output { comparisons: answers.collect() })
}
