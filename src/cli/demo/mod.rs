//! `heirloom demo`: record demonstrations, look at them, replay them, cut and join them, bring them in and out.

mod inspect;
pub(super) mod keyboard;
mod record;

use super::terminal::Ending;
use crate::env::Registry;
use crate::error::Result;
use clap::{Args, Subcommand};

/// Demonstrations: record, inspect, replay, cut, join, import, export.
#[derive(Args)]
pub(super) struct Demo {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Record(record::Record),
    Inspect(inspect::Inspect),
}

impl Demo {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.command {
            Command::Record(command) => command.run(registry),
            Command::Inspect(command) => command.run(),
        }
    }
}
