//! `heirloom bench`: published figures, measured again; how fast environments step.

mod gail_classic;
mod sinusoid;
pub(super) mod stepping;

use super::terminal::Ending;
use crate::env::Registry;
use crate::error::Result;
use clap::{Args, Subcommand};

/// Measure published figures again, own beside published; and how fast environments step.
#[derive(Args)]
pub(super) struct Bench {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    GailClassic(gail_classic::GailClassic),
    Sinusoid(sinusoid::Sinusoid),
    Stepping(stepping::Stepping),
}

impl Bench {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.command {
            Command::GailClassic(command) => command.run(registry),
            Command::Sinusoid(command) => command.run(),
            Command::Stepping(command) => command.run(registry),
        }
    }
}
