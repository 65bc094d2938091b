//! Parallel means shards, not locks: the one place where work goes to several threads.
//!
//! Work is cut into a fixed number of shards, a matter of configuration and never of the thread count; each shard owns its state,
//! and results are combined in shard order. So a result is bit-identical for 1, 2 or 64 threads.

use crate::error::{Error, Kind, Result};

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
