//! `heirloom bench sinusoid`: MAML's regression of sine waves from five shots, own errors beside the published ones.

use crate::cli::arguments::pool;
use crate::cli::signals;
use crate::cli::terminal::{self, Ending, number};
use crate::error::{Error, Kind, Result};
use crate::meta::sinusoid::{Config, errors, learn};
use crate::stats::{Interval, mean, mean_interval};
use clap::Args;

/// Sine waves from five shots (Finn, Abbeel & Levine 2017): mean squared errors after 1, 5 and 10 inner steps, MAML and pre-training on all waves.
///
/// The first inner step has the size that was trained with, each that follows half of it, as the paper does in its navigation tasks. About a minute a
/// seed and thread.
#[derive(Args)]
pub(in crate::cli) struct Sinusoid {
    /// Seeds of each
    #[arg(long, value_name = "N", default_value_t = 10)]
    seeds: u64,
    /// Outer iterations (the paper: 70,000)
    #[arg(long, value_name = "N", default_value_t = 70_000)]
    iterations: u64,
    /// Tasks that each start is measured in
    #[arg(long, value_name = "N", default_value_t = 1000)]
    tasks: u64,
    /// Threads [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Inner steps after which errors are told.
const STEPS: [usize; 3] = [1, 5, 10];
/// MAML's errors after these.
const PUBLISHED: [f64; 3] = [0.67, 0.38, 0.35];

impl Sinusoid {
    pub(in crate::cli) fn run(self) -> Result<Ending> {
        if self.seeds == 0 || self.iterations == 0 || self.tasks == 0 {
            return Err(Error::usage("`--seeds`, `--iterations` and `--tasks` begin at 1"));
        }
        let (pool, stop) = (pool(self.threads)?, signals::stop_on_signals()?);
        let maml = Config { iterations: self.iterations, ..Config::default() };
        let pooled = Config { inner_steps: 0, ..maml.clone() };
        let mut cells: Vec<(&Config, u64)> =
            [&maml, &pooled].into_iter().flat_map(|config| (0..self.seeds).map(move |seed| (config, seed))).collect();
        let measured = pool.map(&mut cells, |_, (config, seed)| {
            let start = learn(config, *seed, &stop)?;
            let errors = errors(&start, config, STEPS[2], self.tasks, *seed);
            Ok(STEPS.map(|step| mean(&errors.iter().map(|errors| errors[step]).collect::<Vec<_>>())))
        });
        let measured = match measured.into_iter().collect::<Result<Vec<_>>>() {
            Err(error) if error.kind() == Kind::Stopped => return Ok(Ending::Signal(stop.requested().unwrap_or(2))),
            measured => measured?,
        };
        let (maml, pooled) = measured.split_at(cells.len() / 2);
        self.show(maml, pooled);
        Ok(Ending::Done)
    }

    fn show(&self, maml: &[[f64; 3]], pooled: &[[f64; 3]]) {
        let over_seeds = |errors: &[[f64; 3]], at: usize| {
            let values: Vec<f64> = errors.iter().map(|errors| errors[at]).collect();
            let mean = mean(&values);
            mean_interval(&values, 0.95).unwrap_or(Interval { mean, low: mean, high: mean })
        };
        if self.json {
            return terminal::json(&serde_json::json!({"steps": STEPS, "published": PUBLISHED, "maml": maml, "pooled": pooled}));
        }
        let rows = (0..STEPS.len()).map(|at| {
            let cell = |interval: Interval| format!("{} [{}, {}]", number(interval.mean), number(interval.low), number(interval.high));
            vec![STEPS[at].to_string(), number(PUBLISHED[at]), cell(over_seeds(maml, at)), cell(over_seeds(pooled, at))]
        });
        terminal::table(&["inner steps", "published", "maml", "trained on all waves"], &[], rows.collect());
        terminal::note("steps after the first are half as long; the paper does not say so of its own");
    }
}
