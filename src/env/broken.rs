//! How many episodes broke off: whatever learned from the others cannot be made again bit for bit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Episodes that broke off ([`crate::Error::broken_episode`]) in the environments of a registry, from some moment on.
#[derive(Debug, Clone, Default)]
pub struct BrokenEpisodes {
    all: Arc<AtomicU64>,
    before: u64,
}

impl BrokenEpisodes {
    /// One more.
    pub(super) fn add(&self) {
        self.all.fetch_add(1, Ordering::Relaxed);
    }

    /// The same count, from now on.
    #[must_use]
    pub fn from_now(&self) -> Self {
        Self { all: Arc::clone(&self.all), before: self.all.load(Ordering::Relaxed) }
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.all.load(Ordering::Relaxed) - self.before
    }
}
