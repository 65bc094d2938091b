//! `heirloom demo`: record demonstrations, look at them, replay them, cut and join them, bring them in and out.

mod export;
mod filter;
mod import;
mod inspect;
pub(super) mod keyboard;
mod made;
mod merge;
mod record;
mod replay;

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
    Replay(replay::Replay),
    Filter(filter::Filter),
    Merge(merge::Merge),
    Import(import::Import),
    Export(export::Export),
}

impl Demo {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.command {
            Command::Record(command) => command.run(registry),
            Command::Inspect(command) => command.run(),
            Command::Replay(command) => command.run(registry),
            Command::Filter(command) => command.run(),
            Command::Merge(command) => command.run(registry),
            Command::Import(command) => command.run(registry),
            Command::Export(command) => command.run(registry),
        }
    }
}
