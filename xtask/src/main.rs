//! `cargo xtask`: what a fresh clone needs beyond plain `cargo`, one word each.
//!
//! Plain Rust without dependencies, so that it compiles within seconds on a bare machine. Every command first checks the C++
//! compiler and provides libtorch and MuJoCo, then leaves the work to `cargo`. A failure is one sentence that says what to do, and exit code 1.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "these commands talk to a terminal")]

mod bench;
mod child;
mod failure;
mod gymnasium;
mod lint;
mod machine;
mod meta;
mod native;

use std::path::Path;
use std::process::ExitCode;

use failure::Outcome;

/// The word to type, what it does, and the function that does it with the arguments behind the word.
type Command = (&'static str, &'static str, fn(&[String]) -> Outcome);

const COMMANDS: [Command; 5] = [
    (
        "setup",
        "provide libtorch and MuJoCo (560 MB to download, once per machine): then plain `cargo` works too; --gymnasium [SUITE]: a Python too",
        setup,
    ),
    ("demo", "the main jobs: transfer policies and judge whether it helped; demonstrations; --meta: learn to adapt in one step", demo),
    ("test", "all tests, optimised; what follows goes to `cargo test`: cargo xtask test gae -- --nocapture", test),
    ("lint", "formatting, and clippy with every warning an error", lint::run),
    ("bench", "what takes longer; one of those below, or all of them", bench::run),
];

fn setup(arguments: &[String]) -> Outcome {
    match arguments.split_first() {
        None => {
            println!("libtorch and MuJoCo are in place: `cargo build`, `cargo run` and `cargo test` work");
            Ok(())
        }
        Some((first, rest)) if first == "--gymnasium" => gymnasium::provide(rest),
        Some((other, _)) => Err(format!("`setup` does not know `{other}`: `setup --gymnasium [SUITE]` provides a Python for Gymnasium")),
    }
}

fn demo(arguments: &[String]) -> Outcome {
    child::heading("Building Heirloom (some minutes the first time, most of them in libtorch's C++ headers)");
    child::cargo("build --release", &[])?;
    if let [first, rest @ ..] = arguments
        && first == "--meta"
    {
        return meta::demo(rest);
    }
    // Heirloom writes over no result, and the last demo's is nobody's loss.
    let _ = std::fs::remove_dir_all(root().join("target/demo"));
    child::heading("Learning CartPole in one simulator (gym-rs, which gets the pole's inertia wrong)");
    child::cargo("run --release -- pretrain gym_rs_cartpole --out target/demo/source", &[])?;
    child::heading(
        "Does it help to hand it down to a CartPole whose motor is wired the wrong way round? Four methods, ten seeds each, beside scratch",
    );
    child::cargo(
        "run --release -- judge --policy target/demo/source --target cartpole_reversed --minutes 1 --out target/demo/judge",
        arguments,
    )?;
    child::heading("Demonstrations: five episodes of the shipped CartPole policy, recorded, replayed bit for bit, and cloned");
    let demonstrations = "target/demo/demonstrations";
    child::cargo(&format!("run --release -- demo record cartpole cartpole --episodes 5 --out {demonstrations}"), &[])?;
    child::cargo(&format!("run --release -- demo replay {demonstrations} --html target/demo/replay.html"), &[])?;
    child::cargo(&format!("run --release -- imitate {demonstrations} cartpole --method bc --out target/demo/clone"), &[])?;
    child::heading("Two pairs of studies/first.ron, with a source of its own for every seed: where it helps, and where it hurts");
    child::cargo(
        "run --release -- compare studies/first.ron --pair cartpole_gravity_25 --pair cartpole_reversed_5k --out target/demo/first",
        arguments,
    )
}

fn test(arguments: &[String]) -> Outcome {
    child::cargo("test --release --workspace", arguments)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("error: {sentence}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome {
    let Some((word, rest)) = arguments.split_first().filter(|(word, _)| !["help", "--help", "-h"].contains(&word.as_str())) else {
        println!("{}", help());
        return Ok(());
    };
    let Some((.., command)) = COMMANDS.iter().find(|(name, ..)| name == word) else {
        let names = COMMANDS.map(|(name, ..)| name).join(", ");
        return Err(format!("there is no command `{word}`: take one of {names}"));
    };
    machine::check_compiler()?;
    native::libtorch::provide()?;
    native::mujoco::provide()?;
    command(rest)
}

fn help() -> String {
    let rows = COMMANDS.map(|(name, purpose, _)| format!("  {name:<7}{purpose}")).join("\n");
    format!(
        "Usage: cargo xtask COMMAND [ARGUMENTS]\n\n{rows}\n{}\n\n\
         Every command begins with `setup`, which does nothing when all is in place.\n\
         To use a libtorch {} of your own, set LIBTORCH to its folder, or LIBTORCH_USE_PYTORCH=1\n\
         for the one of the active Python environment; then nothing is downloaded.",
        bench::help(),
        native::libtorch::VERSION
    )
}

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the root of the repository")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_names_every_command_and_a_wrong_word_is_met_with_all_of_them() {
        let failure = dispatch(&["tset".to_owned()]).unwrap_err();
        for (name, ..) in COMMANDS {
            assert!(help().contains(&format!("\n  {name} ")));
            assert!(failure.contains(name));
        }
    }
}
