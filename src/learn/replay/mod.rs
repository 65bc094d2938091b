//! A replay buffer (Lin 1992): the last so many transitions, from which minibatches are drawn uniformly.
//!
//! Every observation is stored once: it ends one transition and begins the next. Only where a time limit cuts an episode off does the last
//! observation get an entry of its own, since the value of what follows is asked there. Each environment has a [`Lane`], flat rows
//! `[entries, O + W + 2]`, sealed in segments as it grows; the oldest segment goes when nothing in it is young enough.

pub mod batch;
mod lane;

pub use batch::Batch;

use super::State;
use crate::error::{Error, Result};
use crate::file::tensors::Tensors;
use crate::seed::Rng;
use lane::{Kind, Lane};
use std::ops::Range;

/// What an entry holds, and how many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Numbers of an observation, `O`.
    pub observation: usize,
    /// Numbers of an action, `W`.
    pub action: usize,
    /// Entries that are drawn from: transitions, and the observations that time limits cut off.
    pub capacity: usize,
    /// Environments, each with its share.
    pub environments: usize,
}

impl Size {
    /// Numbers of an entry: observation, action, reward, and how it ended.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.observation + self.action + 2
    }

    /// Entries that are drawn from in the lane of one environment.
    #[must_use]
    pub const fn share(&self) -> usize {
        self.capacity.div_ceil(self.environments)
    }

    /// Entries of a segment: a 16th of a lane at most, so that little is kept beyond the capacity, and few enough to write in an instant.
    #[must_use]
    pub fn segment(&self) -> usize {
        // And few enough bytes: a reader takes no more than a GiB of one.
        let most = ((1 << 26) / self.width()).clamp(1, 1 << 14);
        (self.share() / 16).clamp(1, most)
    }

    /// Bytes of memory when it is full: nothing is taken before it is needed, and a segment more than the capacity at most.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        (self.environments * (self.share() + 2 * self.segment()) * self.width() * size_of::<f32>()) as u64
    }
}

/// Environments that a buffer is kept for: each has segments of its own, and a checkpoint lists them all.
pub const MOST_LANES: usize = 64;

/// Transitions of the largest buffer: no checkpoint lists more segments than its file may be long.
pub const MOST_ENTRIES: usize = 1 << 24;

/// The buffer.
#[derive(Debug)]
pub struct Replay {
    size: Size,
    lanes: Vec<Lane>,
    rng: Rng,
}

impl Replay {
    /// Nothing yet; what is drawn later is drawn by `rng`.
    #[must_use]
    pub fn new(size: Size, rng: Rng) -> Self {
        let lanes = (0..size.environments).map(|_| Lane::new(&size)).collect();
        Self { size, lanes, rng }
    }

    /// Entries that are drawn from, few of which are no transitions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lanes.iter().map(Lane::len).sum()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is something to draw.
    #[must_use]
    pub fn has_transition(&self) -> bool {
        self.lanes.iter().any(Lane::has_transition)
    }

    /// What environment `index` shows now, `[O]`, where the next transition begins.
    pub fn shows(&mut self, index: usize, observation: &[f32]) {
        self.lanes[index].push(observation, Kind::Newest);
    }

    /// What was done there, `[W]`, and what came of it; the observation behind it follows by [`Replay::shows`].
    pub fn goes_on(&mut self, index: usize, action: &[f32], reward: f32) {
        self.lanes[index].complete(action, reward, Kind::GoesOn);
    }

    /// The same of the last transition before the task was over.
    pub fn terminates(&mut self, index: usize, action: &[f32], reward: f32) {
        self.lanes[index].complete(action, reward, Kind::Terminated);
    }

    /// The same of the last transition before time was up, with the observation that was cut off, `[O]`.
    pub fn is_cut_off(&mut self, index: usize, action: &[f32], reward: f32, last: &[f32]) {
        self.lanes[index].complete(action, reward, Kind::Truncated);
        self.lanes[index].push(last, Kind::CutOff);
    }

    /// The episode of environment `index` is lost behind what it shows now, as if it were cut off there.
    pub fn loses(&mut self, index: usize) {
        self.lanes[index].cut_off();
    }

    /// Draws these rows of a batch uniformly among the transitions. Each looks `steps` ahead at most: rewards are summed up to the end of the
    /// episode, to where a time limit cuts it off, or to the newest observation, whichever comes first.
    ///
    /// # Panics
    /// When there is no transition yet.
    pub fn draw(&mut self, rows: Range<usize>, discount: f64, steps: usize, batch: &mut Batch) {
        let longest = self.lanes.iter().map(Lane::len).max().unwrap_or(0);
        assert!(self.has_transition(), "a transition comes first");
        for row in rows {
            loop {
                let place = self.rng.below(longest * self.lanes.len());
                let (lane, at) = (&self.lanes[place / longest], place % longest);
                if let Some(entry) = lane.transition(at) {
                    lane.read(entry, discount, steps, batch, row);
                    break;
                }
            }
        }
    }

    /// How far the stream is that rows are drawn by.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.rng.position()
    }

    /// Goes on drawing from there.
    pub fn seek(&mut self, position: u64) {
        self.rng.seek(position);
    }

    /// Adds everything to a state: what is sealed as segments, which are shared.
    pub fn save(&self, state: &mut State) {
        for (index, lane) in self.lanes.iter().enumerate() {
            lane.save(&format!("replay.{index}"), &self.size, state);
        }
        state.put_counters("replay.position", &[self.position()]);
    }

    /// Continues from what [`Replay::save`] added: takes its own out of `left`, and shares the segments of `state`, which may hold no others.
    ///
    /// # Errors
    /// Exit 3 when it belongs to another buffer, or is none.
    pub fn load(&mut self, state: &State, left: &mut Tensors) -> Result<()> {
        let mut taken = 0;
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            taken += lane.load(&format!("replay.{index}"), &self.size, state, left)?;
        }
        if taken != state.segments.len() {
            return Err(Error::artefact(format!("{} segments; the replay buffer has {taken}", state.segments.len())));
        }
        let [position] = State::take_counters(left, "replay.position")?;
        self.seek(position);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::tensors::Data;
    use crate::learn::state::Segment;
    use crate::seed::Stream;
    use std::sync::Arc;

    const DISCOUNT: f64 = 0.5;

    /// One environment whose observation is the number of steps so far, in all episodes.
    struct Walk {
        replay: Replay,
        time: f32,
    }

    impl Walk {
        fn new(capacity: usize) -> Self {
            let size = Size { observation: 1, action: 1, capacity, environments: 1 };
            let mut replay = Replay::new(size, Stream::Replay.under(3));
            replay.shows(0, &[0.0]);
            Self { replay, time: 0.0 }
        }

        fn step(&mut self, end: Kind) {
            let action = [-self.time];
            self.time += 1.0;
            match end {
                Kind::GoesOn => self.replay.goes_on(0, &action, self.time),
                Kind::Terminated => self.replay.terminates(0, &action, self.time),
                _ => self.replay.is_cut_off(0, &action, self.time, &[1000.0 + self.time]),
            }
            self.replay.shows(0, &[self.time]);
        }

        fn draw(&mut self, steps: usize) -> Vec<[f32; 5]> {
            let mut batch = Batch::zeros(64, 1, 1);
            self.replay.draw(0..64, DISCOUNT, steps, &mut batch);
            let row = |row: usize| {
                let Batch { observation, action, reward, discount, next_observation, .. } = &batch;
                [observation[row], action[row], reward[row], discount[row], next_observation[row]]
            };
            (0..64).map(row).collect()
        }
    }

    #[test]
    fn a_transition_ends_where_the_next_one_begins() {
        let mut walk = Walk::new(100);
        (0..3).for_each(|_| walk.step(Kind::GoesOn));
        walk.step(Kind::Truncated);
        walk.step(Kind::Terminated);
        walk.step(Kind::GoesOn);
        let mut drawn = walk.draw(1);
        drawn.sort_by(|a, b| a[0].total_cmp(&b[0]));
        drawn.dedup();
        let expected = [
            [0.0, 0.0, 1.0, 0.5, 1.0],
            [1.0, -1.0, 2.0, 0.5, 2.0],
            [2.0, -2.0, 3.0, 0.5, 3.0],
            [3.0, -3.0, 4.0, 0.5, 1004.0],
            [4.0, -4.0, 5.0, 0.0, 4.0],
            [5.0, -5.0, 6.0, 0.5, 6.0],
        ];
        assert_eq!(drawn, expected);
    }

    #[test]
    fn several_steps_end_at_the_end_of_the_episode_at_a_time_limit_and_at_the_newest_observation() {
        let mut walk = Walk::new(100);
        walk.step(Kind::GoesOn);
        walk.step(Kind::Truncated);
        walk.step(Kind::GoesOn);
        walk.step(Kind::Terminated);
        (0..3).for_each(|_| walk.step(Kind::GoesOn));
        let mut drawn = walk.draw(3);
        drawn.sort_by(|a, b| a[0].total_cmp(&b[0]));
        drawn.dedup();
        let found: Vec<[f32; 3]> = drawn.iter().map(|row| [row[2], row[3], row[4]]).collect();
        let expected = [
            [1.0 + 0.5 * 2.0, 0.25, 1002.0],
            [2.0, 0.5, 1002.0],
            [3.0 + 0.5 * 4.0, 0.0, 3.0],
            [4.0, 0.0, 3.0],
            [5.0 + 0.5 * 6.0 + 0.25 * 7.0, 0.125, 7.0],
            [6.0 + 0.5 * 7.0, 0.25, 7.0],
            [7.0, 0.5, 7.0],
        ];
        assert_eq!(found, expected);
    }

    /// What was last shown of a lost episode is where its last transition leads, and nothing is made up behind it.
    #[test]
    fn a_lost_episode_ends_where_it_was() {
        let mut walk = Walk::new(100);
        (0..2).for_each(|_| walk.step(Kind::GoesOn));
        // The next one is lost before anything was done in it.
        for first in [100.0, 200.0] {
            walk.replay.loses(0);
            walk.replay.shows(0, &[first]);
        }
        walk.time = 200.0;
        walk.step(Kind::GoesOn);
        let rows = |walk: &mut Walk| {
            let mut drawn = walk.draw(3);
            drawn.sort_by(|a, b| a[0].total_cmp(&b[0]));
            drawn.dedup();
            drawn
        };
        let expected = [[0.0, 0.0, 1.0 + 0.5 * 2.0, 0.25, 2.0], [1.0, -1.0, 2.0, 0.5, 2.0], [200.0, -200.0, 201.0, 0.5, 201.0]];
        assert_eq!(rows(&mut walk), expected);
        let mut state = State::default();
        walk.replay.save(&mut state);
        let mut other = Walk::new(100);
        other.replay.load(&state, &mut state.to_take()).unwrap();
        assert_eq!(rows(&mut other), expected);
    }

    /// Of 1,000 steps the youngest entries are left, each as likely as every other.
    #[test]
    fn the_oldest_are_forgotten_and_the_rest_is_drawn_uniformly() {
        let mut walk = Walk::new(40);
        (0..1000).for_each(|_| walk.step(Kind::GoesOn));
        let mut counts = [0_u32; 40];
        for _ in 0..1000 {
            for row in walk.draw(1) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small whole numbers")]
                let age = (1000.0 - row[0]) as usize;
                assert!((1..40).contains(&age), "{age}");
                counts[age] += 1;
            }
        }
        // 64,000 draws of 39: 1641 +- 40; 6 sd leave a false-failure rate below 1e-7.
        assert!(counts[1..].iter().all(|count| count.abs_diff(1641) < 240), "{counts:?}");
        assert!(walk.replay.lanes[0].held() <= 40 + 2 * walk.replay.size.segment());
    }

    #[test]
    fn what_was_saved_goes_on_bit_for_bit_before_and_after_it_wraps() {
        let ends = |step: usize| match step % 11 {
            3 => Kind::Truncated,
            7 => Kind::Terminated,
            _ => Kind::GoesOn,
        };
        for steps in [1, 5, 39, 40, 41, 100, 500] {
            let mut walk = Walk::new(40);
            (0..steps).for_each(|step| walk.step(ends(step)));
            walk.draw(3);
            let mut state = State::default();
            walk.replay.save(&mut state);
            let mut again = Walk { replay: Replay::new(walk.replay.size, Stream::Replay.under(3)), time: walk.time };
            let mut left = state.to_take();
            again.replay.load(&state, &mut left).unwrap();
            State::finish(&left).unwrap();
            for step in steps..steps + 60 {
                assert_eq!(walk.draw(2), again.draw(2), "{step} after {steps}");
                walk.step(ends(step));
                again.step(ends(step));
            }
        }
    }

    /// Sealed rows are not copied: two states of one buffer hold the same ones.
    #[test]
    fn states_share_what_is_sealed() {
        let mut walk = Walk::new(4000);
        (0..1000).for_each(|_| walk.step(Kind::GoesOn));
        let states = [(), ()].map(|()| {
            let mut state = State::default();
            walk.replay.save(&mut state);
            state
        });
        assert!(states[0].segments.len() >= 3);
        assert!(states[0].segments.iter().all(|(name, segment)| Arc::ptr_eq(segment, &states[1].segments[name])));
    }

    #[test]
    fn what_is_no_buffer_is_refused() {
        let mut walk = Walk::new(64);
        (0..100).for_each(|step| walk.step(if step % 5 == 0 { Kind::Truncated } else { Kind::GoesOn }));
        let mut sound = State::default();
        walk.replay.save(&mut sound);
        let load = |state: &State| Replay::new(walk.replay.size, Stream::Replay.under(3)).load(state, &mut state.to_take());
        load(&sound).unwrap();
        let with = |change: &dyn Fn(&mut State)| {
            let mut state = sound.clone();
            change(&mut state);
            assert_eq!(load(&state).unwrap_err().kind(), crate::error::Kind::Artefact);
        };
        let name = sound.segments.keys().next().unwrap().clone();
        let spoiled = |state: &mut State, at: usize, value: f32| {
            let mut array = state.segments[&name].array().clone();
            if let Data::F32(values) = &mut array.data {
                values[at] = value;
            }
            state.segments.insert(name.clone(), Segment::new(array));
        };
        with(&|state| drop(state.segments.remove(&name)));
        with(&|state| {
            let segment = Arc::clone(&state.segments[&name]);
            state.segments.insert("replay.0.99999999".into(), segment);
        });
        // Observation, action, reward, how it ended: the last column is a small whole number.
        for (column, value) in [(0, f32::NAN), (1, f32::INFINITY), (2, f32::NAN), (3, 9.0), (3, 0.5), (3, 4.0), (3, f32::NAN)] {
            with(&|state| spoiled(state, column, value));
        }
        with(&|state| state.put_counters("replay.0", &[u64::MAX, 2]));
        with(&|state| state.put_counters("replay.0", &[0, 0]));
        with(&|state| drop(state.tensors.remove("replay.0.open")));
    }
}
