//! `heirloom demo merge A B ... --out DIR`.

use super::made;
use crate::cli::signals;
use crate::cli::terminal::Ending;
use crate::demo::{Demonstrations, merge};
use crate::env::Registry;
use crate::error::Result;
use clap::Args;
use std::path::PathBuf;

/// Join sets that were recorded in one environment.
///
/// Writes a new set; who recorded and where an episode began go with it, so that it can still be replayed.
#[derive(Args)]
#[command(after_help = "Example:\n  heirloom demo merge demos/mine demos/yours --out demos/ours")]
pub(in crate::cli) struct Merge {
    /// Folders of demonstrations
    #[arg(num_args = 2.., required = true, value_name = "DEMOS")]
    demonstrations: Vec<PathBuf>,
    /// Folder of the new set
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Merge {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        let sets = self.demonstrations.iter().map(|path| Demonstrations::open(path)).collect::<Result<Vec<_>>>()?;
        let made = merge::merge(registry, &sets, &self.out, &*signals::stop_on_signals()?)?;
        made::show(&made, Some(sets.iter().map(Demonstrations::len).sum()), self.json);
        Ok(Ending::Done)
    }
}
