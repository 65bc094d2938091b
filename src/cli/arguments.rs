//! Arguments that commands share.

use crate::choose::{Configuration, Method, configuration, words};
use crate::error::{Error, Result};
use crate::file::ron;
use crate::nn::autograd;
use crate::parallel::Pool;
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// What every long command understands.
#[derive(Args)]
pub(super) struct RunArguments {
    /// Budget: environment steps, or what else the method counts [default: by method and environment]
    #[arg(long, value_name = "N")]
    pub(super) steps: Option<u64>,
    /// Seed of the run [default: 0]
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<usize>,
    /// Folder of the run [default: runs/NAME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Continue the run in --out, bit for bit; a larger --steps extends it
    #[arg(long)]
    pub(super) resume: bool,
    /// Stop with a checkpoint after so many updates
    #[arg(long, value_name = "N")]
    pub(super) stop_after_updates: Option<u64>,
    /// Print the result as JSON
    #[arg(long)]
    pub(super) json: bool,
    /// Say on stderr what each evaluation measured and when each checkpoint is safe on the disk
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Change a field of the configuration: ppo.learning_rate=3e-4
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    pub(super) set: Vec<String>,
    /// Change the configuration by a RON file that names only what it changes
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Evaluations on the way [default: 20]
    #[arg(long, value_name = "N")]
    pub(super) evaluations: Option<u64>,
    /// Episodes of each evaluation [default: 20]
    #[arg(long, value_name = "N")]
    pub(super) episodes: Option<usize>,
    /// Updates between two checkpoints [default: about 20 checkpoints in all]
    #[arg(long, value_name = "N")]
    pub(super) checkpoint_every: Option<u64>,
}

impl RunArguments {
    /// Evaluations on the way.
    pub(super) fn evaluations(&self) -> u64 {
        self.evaluations.unwrap_or(20)
    }

    /// Episodes of each evaluation.
    pub(super) fn episodes(&self) -> usize {
        self.episodes.unwrap_or(20)
    }

    /// Everything typed that changes the result, beside steps and seed, as a shell takes it.
    pub(super) fn settings(&self) -> String {
        let numbers = [
            ("--evaluations", self.evaluations),
            ("--episodes", self.episodes.map(|episodes| episodes as u64)),
            ("--checkpoint-every", self.checkpoint_every),
        ];
        let numbers = numbers.iter().filter_map(|(name, number)| number.map(|number| format!(" {name} {number}")));
        words::settings(self.config.as_deref(), &self.set) + &numbers.collect::<Vec<_>>().concat()
    }

    /// The threads to run on.
    pub(super) fn pool(&self) -> Result<Arc<Pool>> {
        pool(self.threads)
    }

    /// A configuration with `--config` and then every `--set` applied.
    pub(super) fn configure(&self, method: Method, base: Configuration) -> Result<Configuration> {
        let mut configuration = base;
        if let Some(path) = &self.config {
            configuration = configuration.apply(method, &ron::Source::read(path)?)?;
        }
        for text in &self.set {
            configuration = configuration.apply(method, &configuration::assignment(text)?)?;
        }
        Ok(configuration)
    }

    /// Fails where a number makes no sense.
    pub(super) fn check(&self) -> Result<()> {
        let positive = [
            ("--steps", self.steps.unwrap_or(1)),
            ("--episodes", self.episodes() as u64),
            ("--evaluations", self.evaluations()),
            ("--checkpoint-every", self.checkpoint_every.unwrap_or(1)),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, value)| *value == 0) {
            return Err(Error::usage(format!("`{name}` cannot be 0")));
        }
        if self.episodes() > 100_000 || self.steps.unwrap_or(0) > 1 << 50 {
            return Err(Error::usage("`--episodes` is at most 100000, `--steps` at most 2^50"));
        }
        Ok(())
    }
}

/// A pool of so many threads; of all cores when nobody says.
pub(super) fn pool(threads: Option<usize>) -> Result<Arc<Pool>> {
    #[expect(clippy::disallowed_methods, reason = "the command line is where machines are looked at")]
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    match threads.unwrap_or_else(cores) {
        0 => Err(Error::usage("`--threads` cannot be 0")),
        threads if threads > 1024 => Err(Error::usage(format!("`--threads` cannot be {threads}; it is at most 1024"))),
        threads => Pool::new(threads, autograd::use_one_thread).map(Arc::new),
    }
}
