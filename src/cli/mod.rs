//! The command line: resolves arguments, makes one library call, shows the result. The only room that prints or reads arguments.
//!
//! stdout is the result, stderr everything else.

mod act;
mod adapt;
mod arguments;
mod bench;
mod compare;
mod demo;
mod digest;
mod envs;
mod evaluate;
mod fsck;
mod imitate;
mod import;
mod judge;
mod meta;
mod policies;
mod pretrain;
mod probe;
mod signals;
mod studying;
mod terminal;
mod training;
mod transfer;
mod watch;

use crate::env::Registry;
use crate::error::Result;
use clap::{CommandFactory, Parser, Subcommand};
use std::process::ExitCode;
use terminal::Ending;

const AFTER_HELP: &str = "\
A first hour:
  heirloom envs                                              what there is to learn in
  heirloom pretrain cartpole --out runs/first                learn in simulation
  heirloom transfer runs/first cartpole_moon --method fine-tune   move the policy and adapt it
  heirloom watch runs/first cartpole_moon                    see how it moves there
  heirloom judge --policy runs/first --target cartpole_moon  did it help, against learning from scratch?
  heirloom demo record runs/first cartpole --out demos/first record demonstrations; --keyboard records your own
  heirloom imitate demos/first cartpole --method bc          learn from them

Exit codes: 0 ok, 2 usage or configuration, 3 input refused, 4 environment failed, 5 diverged, 6 I/O, 7 run locked,
130 or 143 stopped by a signal with a checkpoint.";

/// Reinforcement-learning transfer: pre-train in simulation, move to a target environment, adapt, and know whether it helped.
#[derive(Parser)]
#[command(name = "heirloom", version = version(), after_help = AFTER_HELP, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Interpreter of Gymnasium environments [default: what their file says, that of `cargo xtask setup --gymnasium`, python3]
    #[arg(long, global = true, value_name = "PYTHON", hide = true)]
    python: Option<String>,
    /// A Gymnasium environment that Python may run although only a loaded file names it: name or path
    #[arg(long, global = true, value_name = "ENV", hide = true)]
    allow: Vec<String>,
}

#[derive(Subcommand)]
enum Command {
    Envs(envs::Envs),
    Pretrain(pretrain::Pretrain),
    Transfer(transfer::TransferCommand),
    Evaluate(evaluate::Evaluate),
    Watch(watch::Watch),
    Demo(demo::Demo),
    Imitate(imitate::Imitate),
    Meta(meta::Meta),
    Adapt(adapt::Adapt),
    Act(act::Act),
    Judge(judge::Judge),
    Compare(compare::Compare),
    Study(judge::Study),
    Policies(policies::Policies),
    Digest(digest::Digest),
    Fsck(fsck::Fsck),
    Bench(bench::Bench),
    #[command(hide = true)]
    Probe(probe::Probe),
    /// Print completions for a shell.
    #[command(hide = true)]
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
}

/// Runs the command line with the environments of a registry: ours, and a user's own. A user's `main` is this one call.
#[must_use]
#[expect(clippy::needless_pass_by_value, reason = "the one line of a user's `main`")]
pub fn main_with(registry: Registry) -> ExitCode {
    crate::nn::autograd::configure_process();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // clap's exit code for a wrong argument is 2 as well; help and version are 0.
            let code = if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
            let _ = error.print();
            return code;
        }
    };
    if let Some(python) = &arguments.python {
        registry.set_python(python);
    }
    let allowed = arguments.allow.iter().try_for_each(|name| registry.resolve(name).map(|_| ()));
    let ended = allowed.and_then(|()| run(arguments.command, &registry)).and_then(|ending| terminal::check_printed().map(|()| ending));
    registry.take_notes().iter().for_each(|note| terminal::note(note));
    match ended {
        Ok(Ending::Done) => ExitCode::SUCCESS,
        Ok(Ending::Signal(signal)) => ExitCode::from(128_u8.saturating_add(u8::try_from(signal).unwrap_or(2))),
        Ok(Ending::Found(code)) => ExitCode::from(code),
        Err(error) => {
            terminal::show_error(&error);
            ExitCode::from(u8::try_from(error.kind() as i32).unwrap_or(1))
        }
    }
}

fn run(command: Command, registry: &Registry) -> Result<Ending> {
    match command {
        Command::Envs(command) => command.run(registry),
        Command::Pretrain(command) => command.run(registry),
        Command::Transfer(command) => command.run(registry),
        Command::Evaluate(command) => command.run(registry),
        Command::Watch(command) => command.run(registry),
        Command::Demo(command) => command.run(registry),
        Command::Imitate(command) => command.run(registry),
        Command::Meta(command) => command.run(registry),
        Command::Adapt(command) => command.run(registry),
        Command::Act(command) => command.run(),
        Command::Judge(command) => command.run(registry),
        Command::Compare(command) => command.run(registry),
        Command::Study(command) => command.run(registry),
        Command::Policies(command) => command.run(registry),
        Command::Digest(command) => command.run(),
        Command::Fsck(command) => command.run(),
        Command::Bench(command) => command.run(registry),
        Command::Probe(command) => command.run(registry),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Arguments::command(), "heirloom", &mut anstream::stdout());
            Ok(Ending::Done)
        }
    }
}

fn version() -> &'static str {
    use crate::nn::numerics;
    use std::sync::OnceLock;
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        format!("{} (libtorch {}, CPU capability {})", env!("CARGO_PKG_VERSION"), numerics::LIBTORCH, numerics::cpu_capability())
    })
}
