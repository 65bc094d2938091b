//! How many episodes were lost: whatever learned from the others cannot be made again bit for bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The count of a registry's environments: episodes that could not be gone on with ([`crate::Error::loses_episode`]). A copy counts the same.
#[derive(Debug, Clone, Default)]
pub struct LostEpisodes(Arc<AtomicU64>);

impl LostEpisodes {
    /// One more.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
