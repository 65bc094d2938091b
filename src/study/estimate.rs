//! What a study will take, before it starts: each environment is tried for a moment, with a discriminator apart from all else.

use super::cell::{Cell, CellStore, EPISODES_AT_ENDS};
use super::definition::Definition;
use super::schedule::{plan, shared_cache};
use crate::choose::Method;
use crate::env::Registry;
use crate::error::Result;
use crate::parallel::Pool;
use crate::rollout::sampled;
use crate::stop::Stop;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time and disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Cells in all.
    pub cells: usize,
    /// Cells whose results are known already.
    pub known: usize,
    /// Environment steps of the cells that are not.
    pub steps: u64,
    /// Wall time on so many threads.
    pub time: Duration,
    /// Bytes that results will take.
    pub bytes: u64,
}

/// Iterations that are tried in each environment.
const ITERATIONS: u32 = 2;
/// A cell's file with twenty evaluations is about so long.
const CELL_BYTES: u64 = 4_500;
/// A source's weights and card.
const SOURCE_BYTES: u64 = 120_000;
/// Steps of an episode where nothing cuts it.
const ASSUMED_EPISODE: usize = 1000;

/// Seconds of one thread.
struct Rate {
    per_step: f64,
    /// Of an evaluation's step, with both ways of acting.
    per_evaluated_step: f64,
}

/// What a thread does in each environment that was tried, by the environment's digest and what learns there ([`learner`]).
#[derive(Default)]
pub struct Rates(BTreeMap<(String, &'static str), Rate>);

/// Estimates what is left to do: evaluations as if every episode ran to its limit, which it does where long episodes are good ones.
///
/// # Errors
/// When a learner cannot be built or advanced.
pub fn estimate(definition: &Definition, out: &Path, registry: &Registry, threads: usize) -> Result<Estimate> {
    estimate_with(&mut Rates::default(), definition, &CellStore::look(out, shared_cache()), registry, threads)
}

/// The same with what was tried before.
///
/// # Errors
/// As [`estimate`].
pub fn estimate_with(
    rates: &mut Rates,
    definition: &Definition,
    store: &CellStore,
    registry: &Registry,
    threads: usize,
) -> Result<Estimate> {
    let stages = plan(definition, store, registry)?;
    let mut estimate = Estimate { cells: 0, known: 0, steps: 0, time: Duration::ZERO, bytes: 0 };
    let mut seconds = 0.0;
    for (cell, known) in stages.iter().flatten() {
        estimate.cells += 1;
        estimate.bytes += CELL_BYTES + if cell.is_source { SOURCE_BYTES } else { 0 };
        if *known {
            estimate.known += 1;
            continue;
        }
        estimate.steps += cell.job.plan().steps;
        let key = (cell.job.environment.digest(), learner(cell.job.method));
        if !rates.0.contains_key(&key) {
            rates.0.insert(key.clone(), try_out(cell, registry)?);
        }
        seconds += cost(cell, &rates.0[&key]);
    }
    #[expect(clippy::cast_precision_loss, reason = "a handful of threads")]
    let threads = threads as f64;
    estimate.time = Duration::from_secs_f64(seconds / threads);
    Ok(estimate)
}

/// A discriminator takes several times as long as all else, which is about as fast as scratch; an update for every step much longer.
const fn learner(method: Method) -> &'static str {
    match method {
        Method::Gail | Method::Airl | Method::Iql | Method::Td3Bc | Method::Rlpd => method.name(),
        _ => "ppo",
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn cost(cell: &Cell, rate: &Rate) -> f64 {
    let job = &cell.job;
    let (steps, evaluations) = (job.plan().steps, if job.plan().steps == 0 { 0 } else { job.evaluations });
    let at_ends = EPISODES_AT_ENDS.max(job.evaluation_episodes) as f64 * if evaluations == 0 { 1.0 } else { 2.0 };
    let episodes = at_ends + evaluations.saturating_sub(1) as f64 * job.evaluation_episodes as f64;
    rate.per_step * steps as f64 + rate.per_evaluated_step * episodes * limit(cell)
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn limit(cell: &Cell) -> f64 {
    cell.job.environment.longest_episode().unwrap_or(ASSUMED_EPISODE) as f64
}

fn try_out(cell: &Cell, registry: &Registry) -> Result<Rate> {
    let pool = Arc::new(Pool::inline());
    let stop = Stop::new();
    let mut learner = cell.job.learner(registry, &pool, &stop)?;
    let began = Instant::now();
    for _ in 0..ITERATIONS {
        learner.advance(&stop)?;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let per_step = began.elapsed().as_secs_f64() / learner.steps() as f64;
    let (policy, make) = (learner.policy(), cell.job.make_env(registry));
    let began = Instant::now();
    let episodes = sampled(&policy, Some(&policy), &make, 20, 0, &pool, &stop)?.finished;
    let steps: u64 = episodes.iter().map(|episode| episode.length).sum();
    // Actions are drawn once and the most probable ones taken once; the second costs no more than the first.
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let per_evaluated_step = 2.0 * began.elapsed().as_secs_f64() / steps.max(1) as f64;
    Ok(Rate { per_step, per_evaluated_step })
}
