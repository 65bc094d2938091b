//! Child processes: shown as they would be typed, their failure a sentence.

use std::env;
use std::path::Path;
use std::process::{Child, Command};

use crate::failure::Outcome;

/// Runs cargo with `words` and what the user adds to them.
pub(crate) fn cargo(words: &str, more: &[String]) -> Outcome {
    let mut command = cargo_command(words);
    let running = spawn(command.args(more))?;
    finish(&command, running)
}

/// The cargo that runs xtask, so that `cargo +nightly xtask` stays with nightly, in the root of the repository.
pub(crate) fn cargo_command(words: &str) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(words.split_whitespace()).current_dir(crate::root());
    command
}

/// Shows and starts a command.
pub(crate) fn spawn(command: &mut Command) -> Outcome<Child> {
    eprintln!("$ {}", typed(command));
    command.spawn().map_err(|error| format!("`{}` cannot be started ({error}): see that it is on the PATH", typed(command)))
}

/// Waits for the end of a command.
pub(crate) fn finish(command: &Command, mut running: Child) -> Outcome {
    match running.wait() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed ({status}) for the reason above", typed(command))),
        Err(error) => Err(format!("`{}` was lost ({error}): run it again", typed(command))),
    }
}

/// A line above what follows.
pub(crate) fn heading(text: &str) {
    eprintln!("\n== {text}");
}

/// The command as a person would type it.
fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}
