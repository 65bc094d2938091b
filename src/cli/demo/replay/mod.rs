//! `heirloom demo replay DEMOS`: as recorded, or elsewhere with `--in`.

mod compared;
mod elsewhere;
mod verified;

use crate::cli::signals;
use crate::cli::terminal::Ending;
use crate::demo::Demonstrations;
use crate::demo::numbers::Numbers;
use crate::env::Registry;
use crate::error::{Error, Kind, Result};
use clap::Args;
use std::path::PathBuf;

/// Replay demonstrations: do the recorded actions again, and compare.
///
/// Plain, in the environment as it was recorded, of which the set holds everything: every observation, reward and flag must come again,
/// bit for bit (exit code 3 where one does not). With --in, in another environment on purpose: how far do the two drift apart? With
/// --html, as a page that plays the episodes.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom demo replay demos/cartpole-in-cartpole\n  heirloom demo replay demos/cartpole-in-cartpole --html\n  heirloom demo replay demos/cartpole-in-cartpole --in gym_rs_cartpole"
)]
pub(in crate::cli) struct Replay {
    /// A folder of demonstrations
    demonstrations: PathBuf,
    /// Some episodes, by number: 0-9,12 [default: all]
    #[arg(long, value_name = "NUMBERS")]
    episodes: Option<String>,
    /// Take numbers that differ by no more than this for the same: for what was not recorded here
    #[arg(long, value_name = "X", default_value_t = 0.0, allow_negative_numbers = true, conflicts_with = "elsewhere")]
    tolerance: f64,
    /// Refuse unless this environment is the one that was recorded
    #[arg(long = "env", value_name = "ENV")]
    expected: Option<String>,
    /// Replay in another environment, and measure how far it drifts from what was recorded
    #[arg(long = "in", value_name = "ENV", conflicts_with_all = ["expected", "beside"])]
    elsewhere: Option<String>,
    /// Write a page that plays the episodes [default: demos/NAME.html; with --in always, demos/NAME-in-ENV.html]
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    #[expect(clippy::option_option, reason = "without a name, the usual page is meant")]
    html: Option<Option<PathBuf>>,
    /// Other demonstrations, to be played beside these on the page
    #[arg(long, value_name = "DEMOS", requires = "html")]
    beside: Option<PathBuf>,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        if !(self.tolerance >= 0.0 && self.tolerance.is_finite()) {
            return Err(Error::usage(format!("`--tolerance` cannot be {}", self.tolerance)).hint("it is 0 or more"));
        }
        let selection = self.episodes.as_deref().map_or_else(|| Ok(Numbers::all()), str::parse)?;
        let set = Demonstrations::open(&self.demonstrations)?;
        let count = selection.count(&set)?;
        if count == 0 {
            return Err(Error::usage("there are no episodes").at(set.path().display()).hint("record some: heirloom demo record"));
        }
        let stop = signals::stop_on_signals()?;
        let asked = Asked { arguments: &self, registry, set, selection, count, stop: &stop };
        let outcome = match &self.elsewhere {
            Some(environment) => elsewhere::run(&asked, registry.resolve(environment)?),
            None => verified::run(&asked),
        };
        match outcome {
            Err(error) if error.kind() == Kind::Stopped => Ok(Ending::Signal(stop.requested().unwrap_or(2))),
            outcome => outcome,
        }
    }
}

/// What is asked, resolved.
struct Asked<'a> {
    arguments: &'a Replay,
    registry: &'a Registry,
    set: Demonstrations,
    selection: Numbers,
    /// How many episodes are selected.
    count: u64,
    stop: &'a crate::stop::Stop,
}

impl Asked<'_> {
    /// The command, as a shell takes it.
    fn command(&self, more: &[(&str, Option<&str>)]) -> String {
        use crate::choose::words::quoted;
        let whole =
            [("heirloom demo replay", Some(&*self.set.path().to_string_lossy())), ("--episodes", self.arguments.episodes.as_deref())]
                .iter()
                .chain(more)
                .filter_map(|(name, value)| value.map(|value| format!("{name} {}", quoted(value))))
                .collect::<Vec<_>>();
        whole.join(" ")
    }
}
