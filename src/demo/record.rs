//! Recording a policy: whole episodes side by side, each written when it has ended.
//!
//! Attempt `k` depends on the seed and on `k` alone, so that the set is the same for any number of threads and after a kill. Attempts run
//! in blocks; a thread of its own writes, so that acting does not wait for the disk.

use super::episode::{Episode, Growing, Start};
use super::recording::Recording;
use crate::env::{Action, Step};
use crate::error::{Error, Kind, Result};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::collect::Choice;
use crate::rollout::episodes::{Bound, Noise, Witness, run_episodes};
use crate::rollout::{Environments, MakeEnv, default_shards, shard_range};
use crate::seed::Stream;
use crate::stop::Stop;
use std::collections::BTreeSet;
use std::sync::mpsc::{SyncSender, sync_channel};

/// Attempts that run side by side.
const BLOCK: usize = 64;
/// Attempts in a row of which none is kept before recording gives up.
const PATIENCE: u64 = 10_000;

/// What is recorded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// Episodes in all.
    pub episodes: u64,
    /// Which actions are taken.
    pub choice: Choice,
    /// Seed of the episodes.
    pub seed: u64,
    /// Episodes of a lower return are left out.
    pub min_return: Option<f64>,
}

/// What came of an attempt, for whoever watches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Attempt {
    /// Its return.
    pub total: f64,
    /// Its steps.
    pub steps: usize,
    /// Whether it was kept.
    pub kept: bool,
}

/// Records until there are as many episodes as asked for; the recording is then to be finished. `watch` hears of every attempt.
///
/// # Errors
/// When the policy does not fit, an environment or the disk fails, none of many attempts is good enough, or it is broken off; what was
/// acknowledged can be gone on with.
pub fn record(
    policy: &Policy,
    make: &MakeEnv,
    ask: &Ask,
    recording: &mut Recording,
    pool: &Pool,
    stop: &Stop,
    mut watch: impl FnMut(Attempt) + Send,
) -> Result<()> {
    let bound = Bound::new(policy, make()?.spaces())?;
    let (mut barren, mut best) = (0, f64::NEG_INFINITY);
    // What a recording that was broken off kept of the running block; whole blocks of the journal are numbered first.
    loop {
        let behind = recording.next();
        let held: BTreeSet<u64> = recording.held().map(|(order, _)| order).collect();
        let first = (behind..=behind + held.len() as u64).find(|order| !held.contains(order)).unwrap_or(behind);
        recording.settle(first, ask.episodes)?;
        if recording.episodes() >= ask.episodes {
            return Ok(());
        }
        let lacking = usize::try_from(ask.episodes - recording.episodes()).unwrap_or(BLOCK);
        let size = if ask.min_return.is_some() { BLOCK } else { lacking.min(BLOCK) };
        let end = first + size as u64;
        let attempts: Vec<u64> = (first..end).filter(|order| !held.contains(order)).collect();
        let mut kept_in_block = 0_u64;
        run_block(&bound, make, ask, &attempts, recording, pool, stop, |attempt| {
            kept_in_block += u64::from(attempt.kept);
            best = best.max(attempt.total);
            watch(attempt);
        })?;
        recording.settle(end, ask.episodes)?;
        barren = if kept_in_block == 0 { barren + attempts.len() as u64 } else { 0 };
        if let (Some(least), true) = (ask.min_return, barren >= PATIENCE) {
            return Err(Error::usage(format!("none of the last {barren} episodes reached a return of {least}"))
                .hint(format!("the best one had {best}; ask for less, or record with --stochastic")));
        }
    }
}

/// Runs attempts side by side; each is written as soon as it has ended.
#[expect(clippy::too_many_arguments, reason = "what a recording is made of")]
fn run_block(
    bound: &Bound<'_>,
    make: &MakeEnv,
    ask: &Ask,
    attempts: &[u64],
    recording: &mut Recording,
    pool: &Pool,
    stop: &Stop,
    mut watch: impl FnMut(Attempt) + Send,
) -> Result<()> {
    let (send, receive) = sync_channel::<(u64, Episode)>(BLOCK);
    let (acted, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for (order, episode) in receive {
                let attempt = Attempt {
                    total: episode.total(),
                    steps: episode.len(),
                    kept: ask.min_return.is_none_or(|least| episode.total() >= least),
                };
                recording.push(order, attempt.kept.then_some(episode))?;
                watch(attempt);
            }
            Ok(())
        });
        let count = default_shards(attempts.len());
        let mut shards: Vec<(usize, SyncSender<(u64, Episode)>)> = (0..count).map(|index| (index, send.clone())).collect();
        drop(send);
        let acted = pool.try_each(&mut shards, |_, (index, send)| {
            let mine = &attempts[shard_range(attempts.len(), count, *index)];
            let indices = mine.iter().map(|attempt| usize::try_from(*attempt).unwrap_or(usize::MAX));
            let environments = Environments::start(make, indices, ask.seed, Stream::DemonstrationEnv)?;
            let noise = Noise { seed: ask.seed, stream: Stream::DemonstrationNoise };
            let mut scribe = Scribe::new(&environments, ask, send);
            run_episodes(bound, environments, ask.choice, noise, stop, &mut scribe).map(drop)
        });
        drop(shards);
        (acted, writer.join().unwrap_or_else(|_| Err(Error::new(Kind::Io, "the writer of the recording ended early"))))
    });
    // When the writer fails, the shards only notice that nobody takes their episodes.
    written.and(acted)
}

/// Keeps what happens in a shard's environments and hands over what has ended.
struct Scribe<'a> {
    growing: Vec<Growing>,
    orders: Vec<u64>,
    choice: Choice,
    send: &'a SyncSender<(u64, Episode)>,
}

impl<'a> Scribe<'a> {
    fn new(environments: &Environments, ask: &Ask, send: &'a SyncSender<(u64, Episode)>) -> Self {
        let orders: Vec<u64> = environments.indices().collect();
        let begin = |(index, order): (usize, &u64)| {
            let (snapshot, position) = environments.snapshot(index);
            let start = Start { seed: ask.seed, stream: *order, position, snapshot: snapshot.numbers().to_vec() };
            Growing::new(Some(start), environments.observation(index))
        };
        Self { growing: orders.iter().enumerate().map(begin).collect(), orders, choice: ask.choice, send }
    }
}

impl Witness for Scribe<'_> {
    fn acts(&mut self, index: usize, action: Action<'_>, log_prob: f32, step: Step, seen: &[f64]) -> Result<()> {
        let info = [f64::from(log_prob)];
        let info = if self.choice == Choice::Sample { &info[..] } else { &[] };
        self.growing[index].push(action, step.reward, seen, info);
        if !step.ended() {
            return Ok(());
        }
        let episode = std::mem::take(&mut self.growing[index]).finish(step.terminated, step.truncated);
        let unheard = |_| Error::new(Kind::Io, "the recording cannot be written");
        self.send.send((self.orders[index], episode)).map_err(unheard)
    }
}

/// The further numbers of each step that a recording keeps.
#[must_use]
pub fn info(choice: Choice) -> Vec<String> {
    match choice {
        Choice::Sample => vec!["log_prob".to_owned()],
        Choice::Mode => Vec::new(),
    }
}
