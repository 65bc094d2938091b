//! The wish to stop: set by a signal, seen between iterations, and inside a long one once the state at its start is safe.

use crate::error::{Error, Kind, Result};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

/// Shared between whoever hears signals and whoever works.
#[derive(Debug, Default)]
pub struct Stop {
    signal: AtomicI32,
    armed: AtomicBool,
}

impl Stop {
    /// Nobody wants to stop.
    #[must_use]
    pub const fn new() -> Self {
        Self { signal: AtomicI32::new(0), armed: AtomicBool::new(false) }
    }

    /// Asks to stop, as this signal (2 is SIGINT, 15 SIGTERM) does.
    pub fn request(&self, signal: i32) {
        self.signal.store(signal, Ordering::Relaxed);
    }

    /// The signal by which somebody asked to stop.
    #[must_use]
    pub fn requested(&self) -> Option<i32> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Whether work may be broken off in the middle: only while its state at the beginning is kept elsewhere.
    pub fn arm(&self, armed: bool) {
        self.armed.store(armed, Ordering::Relaxed);
    }

    /// Called inside long work that tears its state: an error when it is armed and to be broken off now.
    ///
    /// # Errors
    /// [`Kind::Stopped`].
    #[inline]
    pub fn check(&self) -> Result<()> {
        if self.armed.load(Ordering::Relaxed) { self.check_unarmed() } else { Ok(()) }
    }

    /// Called inside long work that only looks, as an evaluation does: an error when it is to be broken off now.
    ///
    /// # Errors
    /// [`Kind::Stopped`].
    #[inline]
    pub fn check_unarmed(&self) -> Result<()> {
        match self.requested() {
            Some(_) => Err(Error::new(Kind::Stopped, "stopped by a signal")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_armed_work_is_broken_off() {
        let stop = Stop::new();
        stop.request(15);
        assert!(stop.check().is_ok());
        assert_eq!(stop.check_unarmed().unwrap_err().kind(), Kind::Stopped);
        stop.arm(true);
        assert_eq!(stop.check().unwrap_err().kind(), Kind::Stopped);
        assert_eq!(stop.requested(), Some(15));
    }
}
