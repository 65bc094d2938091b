//! A few tasks on film, before the first update and after it: for looking at; nothing is measured from it.

use super::adapt::{Adapting, Config};
use super::{Counts, MakeTask};
use crate::error::Result;
use crate::learn::Learner;
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::collect::Choice;
use crate::rollout::{Film, film};
use crate::seed::Stream;
use crate::stop::Stop;
use std::ops::Range;

/// Films of each task before and after the first of the updates that [`super::adapt::curves`] measures under the same seed.
///
/// # Errors
/// When a task cannot be built, an environment fails, the update diverges, or it is broken off.
#[expect(clippy::too_many_arguments, reason = "which policy, which tasks, how, and what runs it")]
pub fn before_and_after(
    policy: &Policy,
    make: &MakeTask,
    tasks: Range<u64>,
    config: &Config,
    episodes: usize,
    seed: u64,
    pool: &Pool,
    stop: &Stop,
) -> Result<Vec<[Film; 2]>> {
    let mut numbers: Vec<u64> = tasks.collect();
    let films = pool.map(&mut numbers, |_, number| {
        let (make, seed) = (make(*number)?, Stream::EvaluationTask(*number).seed_under(seed));
        let mut adapting = Adapting::new(config.clone(), Counts::Iterations, policy.clone(), make.clone(), seed)?;
        adapting.advance(stop)?;
        let take = |policy: &Policy| film(policy, &make, episodes, Choice::Sample, seed, stop);
        Ok([take(policy)?, take(&adapting.policy())?])
    });
    films.into_iter().collect()
}
