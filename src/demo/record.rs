//! Recording a policy: whole episodes side by side, each written when it has ended.
//!
//! Attempt `k` depends on the seed and on `k` alone, so that the set is the same for any number of threads and after a kill. Attempts run
//! in blocks; a thread of its own writes, so that acting does not wait for the disk.

use super::episode::{Growing, Start};
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
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Attempts that run side by side.
const BLOCK: usize = 128;
/// Episodes that wait for the writer while it seals a part.
const QUEUE: usize = 256;
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
    let mut plan = Plan::new(ask, recording);
    let (send, receive) = sync_channel(QUEUE);
    let (acted, written) = std::thread::scope(|scope| {
        let writer = scope.spawn(move || write(receive, recording, ask.episodes, &mut watch));
        let acted = (|| {
            while let Some(attempts) = plan.next_block(&send)? {
                let outcome = run_block(&bound, make, ask, &attempts, pool, stop, &send)?;
                plan.note(&outcome)?;
            }
            Ok(())
        })();
        drop(send);
        (acted, writer.join().unwrap_or_else(|_| Err(Error::new(Kind::Io, "the writer of the recording ended early"))))
    });
    // When the writer fails, those who act only notice that nobody takes their episodes.
    written.and(acted)
}

/// What the writer is told, in order.
enum Told {
    /// An attempt ended.
    Ended { order: u64, growing: Growing, step: Step, attempt: Attempt },
    /// Nothing before this place is running any more.
    Settled(u64),
}

fn unheard<T>(_: T) -> Error {
    Error::new(Kind::Io, "the recording cannot be written")
}

/// Writes what it is told: each episode when it has ended, parts on the way.
fn write(told: Receiver<Told>, recording: &mut Recording, episodes: u64, watch: &mut impl FnMut(Attempt)) -> Result<()> {
    for told in told {
        match told {
            Told::Ended { order, growing, step, attempt } => {
                recording.push(order, attempt.kept.then(|| growing.finish(step.terminated, step.truncated)))?;
                watch(attempt);
            }
            Told::Settled(order) => recording.settle(order, episodes)?,
        }
    }
    Ok(())
}

/// Which attempts come next, without waiting for the writer.
struct Plan<'a> {
    ask: &'a Ask,
    /// The first attempt that is not settled.
    next: u64,
    /// Where the running block ends.
    end: u64,
    /// What a recording that was broken off holds, and whether it was kept.
    held: BTreeMap<u64, bool>,
    /// Episodes that are numbered, or will be when the writer comes to them.
    numbered: u64,
    barren: u64,
    best: f64,
}

impl<'a> Plan<'a> {
    fn new(ask: &'a Ask, recording: &Recording) -> Self {
        let (next, numbered) = (recording.next(), recording.episodes());
        let held = recording.held().map(|(order, episode)| (order, episode.is_some())).collect();
        Self { ask, next, end: next, held, numbered, barren: 0, best: f64::NEG_INFINITY }
    }

    /// The attempts of the next block; nothing when there are enough episodes.
    fn next_block(&mut self, send: &SyncSender<Told>) -> Result<Option<Vec<u64>>> {
        // Whole blocks of the journal are numbered first.
        while self.held.contains_key(&self.end) {
            self.end += 1;
        }
        self.numbered += self.held.range(self.next..self.end).filter(|(_, kept)| **kept).count() as u64;
        self.next = self.end;
        send.send(Told::Settled(self.next)).map_err(unheard)?;
        if self.numbered >= self.ask.episodes {
            return Ok(None);
        }
        let lacking = usize::try_from(self.ask.episodes - self.numbered).unwrap_or(BLOCK);
        let size = if self.ask.min_return.is_some() { BLOCK } else { lacking.min(BLOCK) };
        self.end = self.next + size as u64;
        Ok(Some((self.next..self.end).filter(|order| !self.held.contains_key(order)).collect()))
    }

    /// Takes note of a block that has ended.
    ///
    /// # Errors
    /// When none of many attempts was kept.
    fn note(&mut self, outcome: &Outcome) -> Result<()> {
        self.numbered += outcome.kept;
        self.best = self.best.max(outcome.best);
        self.barren = if outcome.kept == 0 { self.barren + outcome.attempts } else { 0 };
        match self.ask.min_return {
            Some(least) if self.barren >= PATIENCE => {
                Err(Error::usage(format!("none of the last {} episodes reached a return of {least}", self.barren))
                    .hint(format!("the best one had {}; ask for less, or record with --stochastic", self.best)))
            }
            _ => Ok(()),
        }
    }
}

/// What came of a block, or of a shard's part of it.
#[derive(Debug, Clone, Copy)]
struct Outcome {
    attempts: u64,
    kept: u64,
    best: f64,
}

/// Runs attempts side by side; each is handed over as soon as it has ended.
fn run_block(
    bound: &Bound<'_>,
    make: &MakeEnv,
    ask: &Ask,
    attempts: &[u64],
    pool: &Pool,
    stop: &Stop,
    send: &SyncSender<Told>,
) -> Result<Outcome> {
    let count = default_shards(attempts.len());
    let mut shards: Vec<(usize, SyncSender<Told>)> = (0..count).map(|index| (index, send.clone())).collect();
    let outcomes = pool.map(&mut shards, |_, (index, send)| {
        let mine = &attempts[shard_range(attempts.len(), count, *index)];
        let indices = mine.iter().map(|attempt| usize::try_from(*attempt).unwrap_or(usize::MAX));
        let environments = Environments::start(make, indices, ask.seed, Stream::DemonstrationEnv)?;
        let noise = Noise { seed: ask.seed, stream: Stream::DemonstrationNoise };
        let mut scribe = Scribe::new(&environments, ask, send);
        run_episodes(bound, environments, ask.choice, noise, stop, &mut scribe)?;
        Ok(scribe.outcome)
    });
    let none = Outcome { attempts: 0, kept: 0, best: f64::NEG_INFINITY };
    outcomes.into_iter().try_fold(none, |sum, part| {
        part.map(|part| Outcome { attempts: sum.attempts + part.attempts, kept: sum.kept + part.kept, best: sum.best.max(part.best) })
    })
}

/// Keeps what happens in a shard's environments and hands over what has ended.
struct Scribe<'a> {
    growing: Vec<Growing>,
    orders: Vec<u64>,
    ask: &'a Ask,
    send: &'a SyncSender<Told>,
    outcome: Outcome,
}

impl<'a> Scribe<'a> {
    fn new(environments: &Environments, ask: &'a Ask, send: &'a SyncSender<Told>) -> Self {
        let orders: Vec<u64> = environments.indices().collect();
        let begin = |(index, order): (usize, &u64)| {
            let (snapshot, position) = environments.snapshot(index);
            let start = Start { seed: ask.seed, stream: *order, position, snapshot: snapshot.numbers().to_vec() };
            Growing::new(Some(start), environments.observation(index))
        };
        let outcome = Outcome { attempts: orders.len() as u64, kept: 0, best: f64::NEG_INFINITY };
        Self { growing: orders.iter().enumerate().map(begin).collect(), orders, ask, send, outcome }
    }
}

impl Witness for Scribe<'_> {
    fn acts(&mut self, index: usize, action: Action<'_>, log_prob: f32, step: Step, seen: &[f64]) -> Result<()> {
        let info = [f64::from(log_prob)];
        let info = if self.ask.choice == Choice::Sample { &info[..] } else { &[] };
        self.growing[index].push(action, step.reward, seen, info);
        if !step.ended() {
            return Ok(());
        }
        let growing = std::mem::take(&mut self.growing[index]);
        let total = growing.total();
        let attempt = Attempt { total, steps: growing.len(), kept: self.ask.min_return.is_none_or(|least| total >= least) };
        self.outcome.kept += u64::from(attempt.kept);
        self.outcome.best = self.outcome.best.max(total);
        self.send.send(Told::Ended { order: self.orders[index], growing, step, attempt }).map_err(unheard)
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
