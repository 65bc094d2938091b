//! Short memory: the last observations side by side, oldest first; at the start of an episode, copies of its first one.

use super::layer::{Layer, wrap};
use crate::env::{Channel, Env, Snapshot, Spaces};
use crate::error::{Error, Result};
use crate::seed::Rng;

struct FrameStack {
    /// `[frames, O]`, oldest first.
    frames: Vec<f64>,
}

/// A stack within a stack would otherwise take any amount of memory.
const MOST_CHANNELS: usize = 100_000;

pub(super) fn around(inner: Box<dyn Env>, frames: usize) -> Result<Box<dyn Env>> {
    let channels = &inner.spaces().observation;
    if channels.len().saturating_mul(frames) > MOST_CHANNELS {
        return Err(Error::usage(format!("{frames} times {} channels are more than {MOST_CHANNELS}", channels.len())));
    }
    let named = |age: usize, channel: &Channel| match age {
        0 => channel.clone(),
        _ => Channel { name: format!("{}@{age}", channel.name), ..channel.clone() },
    };
    let stacked: Vec<Channel> = (0..frames).rev().flat_map(|age| channels.iter().map(move |channel| named(age, channel))).collect();
    let frames = vec![0.0; stacked.len()];
    let spaces = Spaces { observation: stacked, action: inner.spaces().action.clone() };
    Ok(wrap(inner, spaces, FrameStack { frames }))
}

impl Layer for FrameStack {
    fn begin(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        self.frames.chunks_exact_mut(inner.len()).for_each(|frame| frame.copy_from_slice(inner));
        outer.copy_from_slice(&self.frames);
    }

    fn see(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        self.frames.copy_within(inner.len().., 0);
        let newest = self.frames.len() - inner.len();
        self.frames[newest..].copy_from_slice(inner);
        outer.copy_from_slice(&self.frames);
    }

    fn snapshot(&self, into: &mut Snapshot) {
        into.put_all(&self.frames);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        from.take_all(&mut self.frames)
    }
}

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;

    #[test]
    fn the_last_observations_stand_side_by_side_oldest_first() {
        let mut env = around(echo::discrete(), 3).unwrap();
        assert_eq!(echo::names(&*env), ["time@2", "done@2", "time@1", "done@1", "time", "done"]);
        let seen = echo::observations(&mut *env, &echo::indices([2, 1, 0]));
        assert_eq!(seen[0], [0.0, -1.0, 0.0, -1.0, 0.0, -1.0]);
        assert_eq!(seen[1], [0.0, -1.0, 0.0, -1.0, 1.0, 2.0]);
        assert_eq!(seen[3], [1.0, 2.0, 2.0, 1.0, 3.0, 0.0]);
    }

    #[test]
    fn stacks_of_stacks_do_not_take_all_memory() {
        let once = around(echo::discrete(), 1000).unwrap();
        assert!(around(once, 1000).is_err());
    }
}
