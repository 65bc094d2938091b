//! `heirloom act`.

use super::terminal::{self, Ending};
use crate::choose::job::Source;
use crate::env::Action;
use crate::error::{Error, Result};
use crate::rollout::Actor;
use crate::rollout::collect::Choice;
use clap::Args;
use serde::Deserialize;
use std::io::BufRead;

/// Let another program use a policy: observations in, actions out, one JSON line each.
///
/// A line is a list of numbers in the order of the policy's channels (`heirloom policies show`), or {"observation": [...], "begin": true}
/// where an episode begins, which a policy with memory must be told. The answer is the index of the action, or a list of numbers in the
/// environment's units and within its bounds. It comes before the next line is read, so that both sides can take turns.
#[derive(Args)]
#[command(after_help = "Example:\n  echo '[0.01, 0.0, 0.02, 0.0]' | heirloom act cartpole")]
pub(super) struct Act {
    /// A policy: short name, policy folder or run folder
    policy: String,
    /// Draw actions from the policy's distribution, instead of its most probable one
    #[arg(long)]
    stochastic: bool,
    /// Seed of drawn actions
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// What a line may say.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    observation: Vec<f64>,
    #[serde(default)]
    begin: bool,
}

/// A line longer than that is not an observation.
const LONGEST_LINE: u64 = 16 << 20;

impl Act {
    pub(super) fn run(self) -> Result<Ending> {
        let source = Source::load(&self.policy)?;
        let choice = if self.stochastic { Choice::Sample } else { Choice::Mode };
        let mut actor = Actor::new(&source.policy, choice, self.seed)?;
        let mut input = std::io::stdin().lock();
        let mut line = String::new();
        for number in 1_usize.. {
            line.clear();
            let read = std::io::Read::take(&mut input, LONGEST_LINE).read_line(&mut line);
            let read = read.map_err(|error| Error::usage(format!("is not text ({error})")).at(place(number)))?;
            if read == 0 {
                break;
            }
            if read as u64 == LONGEST_LINE {
                return Err(Error::usage("is longer than 16 MiB").at(place(number)));
            }
            if line.trim().is_empty() {
                continue;
            }
            let asked = parse(&line).map_err(|error| error.at(place(number)))?;
            if asked.begin {
                actor.begin();
            }
            let answer = match actor.act(&asked.observation).map_err(|error| error.at(place(number)))? {
                Action::Discrete(index) => index.into(),
                Action::Continuous(values) => values.into(),
            };
            terminal::json_line(&answer);
        }
        Ok(Ending::Done)
    }
}

fn place(line: usize) -> String {
    format!("line {line} of the input")
}

fn parse(line: &str) -> Result<Asked> {
    let asked = if line.trim_start().starts_with('[') {
        serde_json::from_str(line).map(|observation| Asked { observation, begin: false })
    } else {
        serde_json::from_str(line)
    };
    asked.map_err(|error| {
        Error::usage(format!("is no observation ({error})")).hint("write [0.1, 0.2] or {\"observation\": [0.1, 0.2], \"begin\": true}")
    })
}
