//! Parallel means shards, not locks: the one place where work goes to several threads.
//!
//! Work is cut into a fixed number of shards, a matter of configuration and never of the thread count; each shard owns its state,
//! and results are combined in shard order. So a result is bit-identical for 1, 2 or 64 threads.

use crate::error::{Error, Kind, Result};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, RwLock};

/// The threads that shards run on.
pub struct Pool(Option<rayon::ThreadPool>);

impl Pool {
    /// Everything on the calling thread: for the cells of a study, which are parallel among themselves.
    #[must_use]
    pub const fn inline() -> Self {
        Self(None)
    }

    /// A pool of `threads` threads. `on_start` runs once on each of them (libtorch's thread settings, which this room does not know).
    ///
    /// # Errors
    /// When the operating system refuses the threads.
    pub fn new(threads: usize, on_start: fn()) -> Result<Self> {
        if threads <= 1 {
            return Ok(Self::inline());
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).start_handler(move |_| on_start()).build();
        pool.map(|pool| Self(Some(pool)))
            .map_err(|error| Error::new(Kind::Io, format!("cannot start {threads} threads: {error}")).hint("pass a smaller --threads"))
    }

    /// How many threads run shards.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.0.as_ref().map_or(1, rayon::ThreadPool::current_num_threads)
    }

    /// Enters the pool, so that many [`Pool::each`] in a row need no hand-over from the calling thread.
    pub fn enter<R: Send>(&self, work: impl FnOnce() -> R + Send) -> R {
        match &self.0 {
            Some(pool) => pool.install(work),
            None => work(),
        }
    }

    /// Runs `work` on every shard, side by side.
    pub fn each<S: Send>(&self, shards: &mut [S], work: impl Fn(usize, &mut S) + Sync) {
        match &self.0 {
            Some(pool) if shards.len() > 1 => pool.install(|| halves(0, shards, &work)),
            _ => shards.iter_mut().enumerate().for_each(|(index, shard)| work(index, shard)),
        }
    }

    /// Runs `work` on every shard, side by side. Every shard runs to its end; the error of the first failing one, in shard order,
    /// is returned, so that the error too is the same for any number of threads.
    ///
    /// # Errors
    /// The first shard's error.
    pub fn try_each<S: Send>(&self, shards: &mut [S], work: impl Fn(usize, &mut S) -> Result<()> + Sync) -> Result<()> {
        self.map(shards, work).into_iter().collect()
    }

    /// Runs `work` on every shard, side by side; results in shard order.
    pub fn map<S: Send, R: Send>(&self, shards: &mut [S], work: impl Fn(usize, &mut S) -> R + Sync) -> Vec<R> {
        let mut slots: Vec<(&mut S, Option<R>)> = shards.iter_mut().map(|shard| (shard, None)).collect();
        self.each(&mut slots, |index, (shard, result)| *result = Some(work(index, shard)));
        slots.into_iter().map(|(_, result)| result.expect("every shard ran")).collect()
    }
}

impl Pool {
    /// Alternates between `alone`, which sees everything, and `work` on every shard side by side, until `alone` breaks off.
    ///
    /// The threads stay awake from round to round: waking one takes some 50 us, a round of small minibatches 100. `work` reads what is
    /// shared; `alone` may change it.
    pub fn rounds<C: Send + Sync, S: Send>(
        &self,
        shared: &mut C,
        shards: &mut [S],
        work: impl Fn(&C, usize, &mut S) + Sync,
        mut alone: impl FnMut(&mut C, &mut Shards<'_, S>) -> ControlFlow<()> + Send,
    ) {
        let mut shards = Shards(shards.iter_mut().map(Mutex::new).collect());
        let team = self.threads().min(shards.0.len());
        let Some(pool) = self.0.as_ref().filter(|_| team > 1) else {
            while alone(shared, &mut shards).is_continue() {
                shards.each(|index, shard| work(shared, index, shard));
            }
            return;
        };
        let (start, end) = (Barrier::new(team), Barrier::new(team));
        let common = RwLock::new((shared, shards, true));
        let alone = Mutex::new(&mut alone);
        pool.broadcast(|member| {
            let _others_wait = AbortOnPanic;
            while member.index() < team {
                if member.index() == 0 {
                    let (shared, shards, go_on) = &mut *common.write().expect(NO_PANIC);
                    *go_on = (alone.lock().expect(NO_PANIC))(shared, shards).is_continue();
                }
                start.wait();
                {
                    let common = common.read().expect(NO_PANIC);
                    let (shared, shards, go_on) = &*common;
                    if !go_on {
                        return;
                    }
                    for index in (member.index()..shards.0.len()).step_by(team) {
                        work(shared, index, &mut shards.0[index].lock().expect(NO_PANIC));
                    }
                }
                end.wait();
            }
        });
    }
}

/// A panic between two barriers would leave the other threads waiting for ever: it ends the process instead.
struct AbortOnPanic;

impl Drop for AbortOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            std::process::abort();
        }
    }
}

const NO_PANIC: &str = "a panic elsewhere ends the program";

/// The shards between two rounds.
pub struct Shards<'a, S>(Vec<Mutex<&'a mut S>>);

impl<S> Shards<'_, S> {
    /// Visits every shard, in order.
    pub fn each(&mut self, mut visit: impl FnMut(usize, &mut S)) {
        for (index, shard) in self.0.iter_mut().enumerate() {
            visit(index, shard.get_mut().expect(NO_PANIC));
        }
    }
}

/// Waits awake: spins while the others are near, lets other threads run when they are not.
struct Barrier {
    members: usize,
    arrived: AtomicUsize,
    round: AtomicUsize,
}

impl Barrier {
    const fn new(members: usize) -> Self {
        Self { members, arrived: AtomicUsize::new(0), round: AtomicUsize::new(0) }
    }

    fn wait(&self) {
        let round = self.round.load(Ordering::Acquire);
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.members {
            self.arrived.store(0, Ordering::Relaxed);
            self.round.store(round.wrapping_add(1), Ordering::Release);
            return;
        }
        let mut spins = 0_u32;
        while self.round.load(Ordering::Acquire) == round {
            spins += 1;
            if spins < 10_000 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
    }
}

/// Splits until single shards remain. `join` runs the left half on this thread at once and leaves the right one to be stolen:
/// no boxed tasks and no queue, some 2 us for two shards.
fn halves<S: Send>(first: usize, shards: &mut [S], work: &(impl Fn(usize, &mut S) + Sync)) {
    if let [shard] = shards {
        return work(first, shard);
    }
    let middle = shards.len() / 2;
    let (left, right) = shards.split_at_mut(middle);
    rayon::join(|| halves(first, left, work), || halves(first + middle, right, work));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_shard_order_for_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let pool = Pool::new(threads, || {}).unwrap();
            let mut shards: Vec<u64> = (0..17).collect();
            let doubled = pool.map(&mut shards, |index, shard| {
                *shard += 1;
                index as u64 * 2
            });
            assert_eq!(doubled, (0..17).map(|i| i * 2).collect::<Vec<_>>());
            assert_eq!(shards, (1..18).collect::<Vec<_>>());
        }
    }

    /// Every round sees what the one before left, in `alone` and in every shard.
    #[test]
    fn rounds_alternate_for_any_number_of_threads() {
        for threads in [1, 2, 3, 8] {
            let pool = Pool::new(threads, || {}).unwrap();
            let mut shards = vec![0_u64; 5];
            let mut shared = 0_u64;
            let mut seen = Vec::new();
            let work = |shared: &u64, index: usize, shard: &mut u64| *shard += shared * (index as u64 + 1);
            pool.rounds(&mut shared, &mut shards, work, |shared, shards| {
                let mut sum = 0;
                shards.each(|_, shard| sum += *shard);
                seen.push(sum);
                *shared += 1;
                if *shared > 1000 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            });
            // After k rounds the shards hold (1 + ... + k) times 1, 2, 3, 4, 5.
            assert_eq!(seen, (0..=1000).map(|k| k * (k + 1) / 2 * 15).collect::<Vec<u64>>(), "{threads} threads");
        }
    }

    #[test]
    fn the_first_error_in_shard_order_wins() {
        let pool = Pool::new(4, || {}).unwrap();
        let error = pool.try_each(&mut [(); 9], |index, ()| match index {
            3 | 7 => Err(Error::diverged(format!("shard {index}"))),
            _ => Ok(()),
        });
        assert_eq!(error.unwrap_err().message(), "shard 3");
    }
}
