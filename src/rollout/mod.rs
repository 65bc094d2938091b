//! Rollouts: many environments, acted in side by side, in fixed shards.
//!
//! A [`Shard`] owns its environments, their seed streams and its part of the [`Rollout`]; it acts on batches. What comes out does not
//! depend on the number of threads.

pub mod actor;
pub mod collect;
pub mod environments;
pub mod episodes;
pub mod evaluate;
pub mod film;
pub mod gae;
pub mod memory;
pub mod storage;

pub use actor::Actor;
pub use collect::Shard;
pub use environments::Environments;
pub use evaluate::{Sampled, evaluate, random_returns, sampled};
pub use film::{Film, film};
pub use memory::Memories;
pub use storage::Rollout;

use crate::env::Env;
use crate::error::Result;
use std::sync::Arc;

/// Builds one environment; called once per environment of a vector.
pub type MakeEnv = Arc<dyn Fn() -> Result<Box<dyn Env>> + Send + Sync>;

/// How many shards `environments` are cut into unless a configuration says otherwise: at most 8, at least 4 environments each.
#[must_use]
pub fn default_shards(environments: usize) -> usize {
    (environments / 4).clamp(1, 8)
}

/// Which environments shard `index` of `shards` owns: equal parts, the first ones one larger where it does not divide.
#[must_use]
pub fn shard_range(environments: usize, shards: usize, index: usize) -> std::ops::Range<usize> {
    let (size, larger) = (environments / shards, environments % shards);
    let start = index * size + index.min(larger);
    start..start + size + usize::from(index < larger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_cover_everything_once() {
        for environments in 1..40 {
            let shards = default_shards(environments);
            let covered: Vec<usize> = (0..shards).flat_map(|index| shard_range(environments, shards, index)).collect();
            assert_eq!(covered, (0..environments).collect::<Vec<_>>());
        }
    }
}
