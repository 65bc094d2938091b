//! `heirloom demo filter DEMOS --out DIR`.

use super::made;
use crate::cli::signals;
use crate::cli::terminal::Ending;
use crate::demo::Demonstrations;
use crate::demo::filter::{self, Keep};
use crate::demo::numbers::Numbers;
use crate::error::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Keep some episodes: by return, by length, by number.
///
/// Writes a new set; where an episode began goes with it, so that it can still be replayed.
#[derive(Args)]
#[command(after_help = "Example:\n  heirloom demo filter demos/cartpole-in-cartpole --min-return 400 --out demos/good")]
pub(in crate::cli) struct Filter {
    /// A folder of demonstrations
    demonstrations: PathBuf,
    /// Folder of the new set
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out episodes of a lower return
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    min_return: Option<f64>,
    /// Leave out episodes of a higher return
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    max_return: Option<f64>,
    /// Leave out episodes of fewer steps
    #[arg(long, value_name = "N")]
    min_length: Option<usize>,
    /// Leave out episodes of more steps
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Episodes by number, counted from 0: 0-9,12
    #[arg(long, value_name = "NUMBERS")]
    episodes: Option<Numbers>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Filter {
    pub(in crate::cli) fn run(self) -> Result<Ending> {
        if [self.min_return, self.max_return].into_iter().flatten().any(f64::is_nan) {
            return Err(Error::usage("a return is not a number"));
        }
        let set = Demonstrations::open(&self.demonstrations)?;
        let Self { min_return, max_return, min_length, max_length, episodes, .. } = self;
        let keep = Keep { min_return, max_return, min_length, max_length, episodes };
        let made = filter::filter(&set, &keep, &self.out, &*signals::stop_on_signals()?)?;
        made::show(&made, Some(set.len()), self.json);
        Ok(Ending::Done)
    }
}
