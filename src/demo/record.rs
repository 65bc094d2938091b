//! Recording a policy: whole episodes side by side, each written when it has ended.
//!
//! Attempt `k` depends on the seed and on `k` alone, so that the set is the same for any number of threads and after a kill. An
//! environment whose episode has ended begins the next attempt at once; a thread of its own writes, so that acting does not wait for
//! the disk.

use super::episode::{Episode, Growing, Start};
use super::recording::{Recording, Sealed, Sealing};
use crate::env::{Action, Step};
use crate::error::{Error, Kind, Result};
use crate::nn::kernel::CHUNK;
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::rollout::collect::Choice;
use crate::rollout::episodes::{Bound, Noise, Witness, run_episodes};
use crate::rollout::{Environments, MakeEnv};
use crate::seed::Stream;
use crate::stop::Stop;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;
use std::time::Duration;

/// Attempts that run side by side where it is not known how many are needed, at least.
const TOGETHER: usize = 128;
/// Episodes that wait for the writer while it seals a part.
const QUEUE: usize = 256;
/// Episodes that the writer takes at a time.
const HANDFUL: usize = 64;
/// Rows in memory that wait for a longer episode before them; with more, no attempt begins.
const WAITING: usize = 1 << 20;
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
    recording.number_ended(ask.episodes);
    let lacking = ask.episodes.saturating_sub(recording.episodes());
    if lacking == 0 {
        return Ok(());
    }
    let lacking = usize::try_from(lacking).unwrap_or(usize::MAX);
    let wanted = if ask.min_return.is_some() { lacking.max(TOGETHER) } else { lacking };
    let together = wanted.div_ceil(pool.threads()).min(CHUNK);
    let attempts = Attempts::new(ask, recording);
    let (send, receive) = sync_channel(QUEUE);
    let (acted, written) = std::thread::scope(|scope| {
        let (attempts, writing) = (&attempts, &mut *recording);
        let sealer = Sealer::start(scope);
        let writer = scope.spawn(move || write(&receive, writing, &sealer, ask, attempts, &mut watch));
        let mut senders: Vec<SyncSender<Ended>> = (0..pool.threads()).map(|_| send.clone()).collect();
        let acted = pool.try_each(&mut senders, |_, send| {
            let acted = act(&bound, make, ask, attempts, together, stop, send);
            // Where one fails, the others need not go on.
            attempts.closed.fetch_or(acted.is_err(), Ordering::Relaxed);
            acted
        });
        drop((send, senders));
        (acted, writer.join().unwrap_or_else(|_| Err(Error::new(Kind::Io, "the writer of the recording ended early"))))
    });
    // When the writer fails, those who act only notice that nobody takes their episodes.
    written.and(acted)
}

/// An attempt that has ended.
struct Ended {
    order: u64,
    growing: Growing,
    step: Step,
    attempt: Attempt,
}

/// Which attempts come next, without waiting for the writer.
struct Attempts {
    /// The first one that nobody has begun.
    next: AtomicU64,
    /// There is none from here on.
    end: u64,
    /// What a recording that was broken off holds.
    held: BTreeSet<u64>,
    /// Rows that wait for an episode before them.
    waiting: AtomicUsize,
    /// No other one is to begin.
    closed: AtomicBool,
}

impl Attempts {
    fn new(ask: &Ask, recording: &Recording) -> Self {
        let lacking = if ask.min_return.is_some() { u64::MAX } else { ask.episodes - recording.episodes() };
        Self {
            next: AtomicU64::new(recording.next()),
            end: recording.next().saturating_add(lacking),
            held: recording.held().collect(),
            waiting: AtomicUsize::new(recording.held_rows()),
            closed: AtomicBool::new(false),
        }
    }

    /// The next one; nothing where there is none, or too much waits.
    fn next(&self) -> Option<u64> {
        // What others wait for begins in any case.
        let is_waited_for = self.held.last().is_some_and(|last| self.next.load(Ordering::Relaxed) < *last);
        if self.are_over() || (self.waiting.load(Ordering::Relaxed) > WAITING && !is_waited_for) {
            return None;
        }
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            if next >= self.end || !self.held.contains(&next) {
                return (next < self.end).then_some(next);
            }
        }
    }

    fn are_over(&self) -> bool {
        self.closed.load(Ordering::Relaxed) || self.next.load(Ordering::Relaxed) >= self.end
    }
}

/// Writes what has ended, in handfuls, until there are as many episodes as asked for.
///
/// # Errors
/// When the disk refuses, or none of many attempts was kept.
fn write(
    ended: &Receiver<Ended>,
    recording: &mut Recording,
    sealer: &Sealer,
    ask: &Ask,
    attempts: &Attempts,
    watch: &mut impl FnMut(Attempt),
) -> Result<()> {
    let (mut barren, mut best) = (0, f64::NEG_INFINITY);
    while let Ok(first) = ended.recv() {
        // What ends beside the last one that was asked for is left out.
        if recording.episodes() >= ask.episodes {
            continue;
        }
        let handful: Vec<Ended> = std::iter::once(first).chain(ended.try_iter().take(HANDFUL - 1)).collect();
        let came_of_it: Vec<Attempt> = handful.iter().map(|ended| ended.attempt).collect();
        recording.push_all(handful.into_iter().map(|ended| (ended.order, ended.episode())).collect())?;
        for attempt in came_of_it {
            watch(attempt);
            barren = if attempt.kept { 0 } else { barren + 1 };
            best = f64::max(best, attempt.total);
        }
        if let Some(least) = ask.min_return.filter(|_| barren >= PATIENCE) {
            return Err(Error::usage(format!("none of the last {barren} episodes reached a return of {least}"))
                .hint(format!("the best one had {best}; ask for less, or record with --stochastic")));
        }
        recording.number_ended(ask.episodes);
        sealer.tend(recording)?;
        attempts.waiting.store(recording.held_rows(), Ordering::Relaxed);
        attempts.closed.fetch_or(recording.episodes() >= ask.episodes, Ordering::Relaxed);
    }
    sealer.finish(recording)
}

/// Seals parts on a thread of its own: the disk takes longer to keep a part than the journal takes to go on.
struct Sealer {
    full: SyncSender<Sealing>,
    sealed: Receiver<Result<Sealed>>,
}

impl Sealer {
    fn start<'scope>(scope: &'scope Scope<'scope, '_>) -> Self {
        let (full, parts) = sync_channel::<Sealing>(1);
        let (done, sealed) = sync_channel(1);
        scope.spawn(move || parts.into_iter().map(Sealing::seal).try_for_each(|sealed| done.send(sealed)));
        Self { full, sealed }
    }

    /// Enters the part that is sealed and begins the one that is full; waits when a whole part more is.
    fn tend(&self, recording: &mut Recording) -> Result<()> {
        if recording.is_behind() {
            self.wait(recording)?;
        } else if let Ok(sealed) = self.sealed.try_recv() {
            recording.enter(sealed?)?;
        }
        match recording.begin_part()? {
            Some(part) => self.full.send(part).map_err(unheard),
            None => Ok(()),
        }
    }

    fn wait(&self, recording: &mut Recording) -> Result<()> {
        recording.enter(self.sealed.recv().map_err(unheard)??)
    }

    fn finish(&self, recording: &mut Recording) -> Result<()> {
        if recording.is_sealing() { self.wait(recording) } else { Ok(()) }
    }
}

impl Ended {
    fn episode(self) -> Option<Episode> {
        self.attempt.kept.then(|| self.growing.finish(self.step.terminated, self.step.truncated))
    }
}

fn unheard<T>(_: T) -> Error {
    Error::new(Kind::Io, "the recording cannot be written")
}

/// Acts as long as there are attempts; each is handed over as soon as it has ended.
fn act(
    bound: &Bound<'_>,
    make: &MakeEnv,
    ask: &Ask,
    attempts: &Attempts,
    together: usize,
    stop: &Stop,
    send: &SyncSender<Ended>,
) -> Result<()> {
    loop {
        let mine: Vec<u64> = std::iter::from_fn(|| attempts.next()).take(together).collect();
        if mine.is_empty() {
            if attempts.are_over() {
                return Ok(());
            }
            // Others act in an episode that is longer than many.
            stop.check_unarmed()?;
            std::thread::sleep(Duration::from_millis(1));
            continue;
        }
        let indices = mine.iter().map(|attempt| usize::try_from(*attempt).unwrap_or(usize::MAX));
        let environments = Environments::start(make, indices, ask.seed, Stream::DemonstrationEnv)?;
        let noise = Noise { seed: ask.seed, stream: Stream::DemonstrationNoise };
        let mut scribe = Scribe::new(&environments, ask, attempts, send);
        run_episodes(bound, environments, ask.choice, noise, stop, &mut scribe)?;
    }
}

/// Keeps what happens in some environments and hands over what has ended.
struct Scribe<'a> {
    growing: Vec<Growing>,
    orders: Vec<u64>,
    ask: &'a Ask,
    attempts: &'a Attempts,
    send: &'a SyncSender<Ended>,
}

impl<'a> Scribe<'a> {
    fn new(environments: &Environments, ask: &'a Ask, attempts: &'a Attempts, send: &'a SyncSender<Ended>) -> Self {
        let orders: Vec<u64> = environments.indices().collect();
        let begin = |index| Growing::new(Some(start(ask, environments, index)), environments.observation(index));
        Self { growing: (0..orders.len()).map(begin).collect(), orders, ask, attempts, send }
    }
}

/// Where the episode of an environment begins, which is there.
fn start(ask: &Ask, environments: &Environments, index: usize) -> Start {
    let (snapshot, position) = environments.snapshot(index);
    Start { seed: ask.seed, stream: environments.index(index), position, snapshot: snapshot.numbers().to_vec() }
}

impl Witness for Scribe<'_> {
    fn acts(&mut self, index: usize, action: Action<'_>, log_prob: f32, step: Step, seen: &[f64]) -> Result<()> {
        let info = [f64::from(log_prob)];
        let info = if self.ask.choice == Choice::Sample { &info[..] } else { &[] };
        self.growing[index].push(action, step.reward, seen, info);
        if !step.ended() {
            return Ok(());
        }
        let next = Growing::with_room_of(&self.growing[index]);
        let growing = std::mem::replace(&mut self.growing[index], next);
        let total = growing.total();
        let attempt = Attempt { total, steps: growing.len(), kept: self.ask.min_return.is_none_or(|least| total >= least) };
        self.send.send(Ended { order: self.orders[index], growing, step, attempt }).map_err(unheard)
    }

    fn loses(&mut self, index: usize) {
        self.growing[index] = Growing::with_room_of(&self.growing[index]);
    }

    fn follows(&mut self, _index: usize) -> Option<u64> {
        self.attempts.next()
    }

    fn begins(&mut self, index: usize, environments: &Environments) {
        self.orders[index] = environments.index(index);
        self.growing[index].begin(start(self.ask, environments, index), environments.observation(index));
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
