//! Lints: formatting, then clippy with every warning an error, its own about `clippy.toml` included.

use std::io::{BufRead, BufReader, IsTerminal, stderr};
use std::process::Stdio;

use crate::child;
use crate::failure::Outcome;

pub(crate) fn run(_: &[String]) -> Outcome {
    child::cargo("fmt --all --check", &[])?;
    clippy()
}

fn clippy() -> Outcome {
    // --release shares build scripts with `cargo xtask test`, and so a minute of C++.
    let mut clippy = child::cargo_command("clippy --release --workspace --all-targets --color");
    clippy.args([if stderr().is_terminal() { "always" } else { "never" }, "--", "--deny", "warnings"]);
    let mut running = child::spawn(clippy.stderr(Stdio::piped()))?;
    let mut stale = false;
    for line in BufReader::new(running.stderr.take().expect("it is piped")).lines().map_while(Result::ok) {
        stale |= points_into_clippy_toml(&line);
        eprintln!("{line}");
    }
    child::finish(&clippy, running)?;
    if stale { Err("a ban in clippy.toml leads nowhere (see above): name what took its place, or remove it".to_owned()) } else { Ok(()) }
}

/// Whether this is the place of a diagnostic about `clippy.toml` itself. `--deny warnings` does not reach these, and a ban that a
/// renamed function has left behind bans nothing.
fn points_into_clippy_toml(line: &str) -> bool {
    line.contains("--> ") && line.contains("clippy.toml:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_ban_is_seen_with_and_without_colour() {
        assert!(points_into_clippy_toml(" --> /project/clippy.toml:7:5"));
        assert!(points_into_clippy_toml(" \u{1b}[1m\u{1b}[94m--> \u{1b}[0m/project/clippy.toml:7:5"));
        assert!(!points_into_clippy_toml("  --> src/lib.rs:7:5"));
    }
}
