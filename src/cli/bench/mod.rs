//! `heirloom bench`: published figures, measured again.

mod gail_classic;
mod sinusoid;

use super::terminal::Ending;
use crate::env::Registry;
use crate::error::Result;
use clap::{Args, Subcommand};

/// Measure published figures again, own beside published.
#[derive(Args)]
pub(super) struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    GailClassic(gail_classic::GailClassic),
    Sinusoid(sinusoid::Sinusoid),
}

impl Bench {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.command {
            Command::GailClassic(command) => command.run(registry),
            Command::Sinusoid(command) => command.run(),
        }
    }
}
