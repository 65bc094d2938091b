//! Single environment steps from given states.

use crate::env::{Action, Registry, Snapshot};
use crate::error::{Error, Result};
use crate::seed::Stream;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    environment: String,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    state: Vec<f64>,
    action: Choice,
}

/// JSON keeps its place in the text through an untagged reading well enough: the whole document is one line or two.
#[derive(Deserialize)]
#[serde(untagged)]
enum Choice {
    Discrete(usize),
    Continuous(Vec<f64>),
}

#[derive(Serialize)]
pub(super) struct Output {
    cases: Vec<Stepped>,
}

#[derive(Serialize)]
struct Stepped {
    state: Vec<f64>,
    observation: Vec<f64>,
    reward: f64,
    terminated: bool,
    truncated: bool,
}

/// What `Episode` keeps before the simulator's own numbers: steps so far, and whether it runs.
const EPISODE: [f64; 2] = [0.0, 1.0];

pub(super) fn answer(registry: &Registry, input: Input) -> Result<Output> {
    let spec = registry.resolve(&input.environment)?;
    if !spec.wrappers.is_empty() || !spec.context.are_fixed() || !spec.objective.are_fixed() {
        return Err(Error::usage(format!("`{}` has wrappers or drawn parameters; its state is not the simulator's", spec.name)));
    }
    let mut env = registry.build(&spec)?;
    let mut observation = vec![0.0; env.spaces().observation.len()];
    let mut rng = Stream::Env(0).under(0);
    let cases = input.cases.into_iter().map(|case| {
        env.reset(&mut rng, &mut observation)?;
        let mut state = Snapshot::from_numbers([&EPISODE[..], &case.state].concat());
        env.restore(&mut state)?;
        state.finish()?;
        let action = match &case.action {
            Choice::Discrete(index) => Action::Discrete(*index),
            Choice::Continuous(values) => Action::Continuous(values),
        };
        let step = env.step(action, &mut rng, &mut observation)?;
        let mut after = Snapshot::default();
        env.snapshot(&mut after);
        let state = after.numbers()[EPISODE.len()..].to_vec();
        Ok(Stepped { state, observation: observation.clone(), reward: step.reward, terminated: step.terminated, truncated: step.truncated })
    });
    Ok(Output { cases: cases.collect::<Result<_>>()? })
}
