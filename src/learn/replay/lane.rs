//! The entries of one environment, in the order in which they happened: sealed segments of a fixed size, and an open one behind them.

use super::{Batch, Size};
use crate::error::{Error, Result};
use crate::file::tensors::{Array, Data, Tensors, take_f32};
use crate::learn::State;
use crate::learn::state::Segment;
use std::collections::VecDeque;
use std::sync::Arc;

/// What an entry is: the last of its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A transition to the observation of the next entry.
    GoesOn,
    /// A transition behind which nothing comes.
    Terminated,
    /// A transition to the observation of the next entry, which is [`Kind::CutOff`].
    Truncated,
    /// What was seen when time was up, or before an episode was lost; nothing was done there.
    CutOff,
    /// What is seen now; nothing was done there yet.
    Newest,
}

impl Kind {
    const ALL: [Self; 5] = [Self::GoesOn, Self::Terminated, Self::Truncated, Self::CutOff, Self::Newest];

    fn to_number(self) -> f32 {
        f32::from(self as u8)
    }

    fn from_number(number: f32) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.to_number() == number)
    }

    const fn is_transition(self) -> bool {
        matches!(self, Self::GoesOn | Self::Terminated | Self::Truncated)
    }
}

#[derive(Debug)]
pub(super) struct Lane {
    observation: usize,
    width: usize,
    /// Entries of a segment.
    segment: usize,
    /// Entries that are drawn from.
    share: usize,
    /// The number of the oldest segment that is kept; the first that ever was is 0.
    first: u64,
    sealed: VecDeque<Arc<Segment>>,
    /// `[entries, width]`, fewer than a segment's or as many.
    open: Vec<f32>,
}

impl Lane {
    pub(super) fn new(size: &Size) -> Self {
        let (observation, width, segment, share) = (size.observation, size.width(), size.segment(), size.share());
        Self { observation, width, segment, share, first: 0, sealed: VecDeque::new(), open: Vec::new() }
    }

    /// Entries that are kept.
    pub(super) fn held(&self) -> usize {
        self.sealed.len() * self.segment + self.open.len() / self.width
    }

    /// Entries that are drawn from, those among them that are no transitions too.
    pub(super) fn len(&self) -> usize {
        self.held().min(self.share)
    }

    /// Whether one of them is a transition.
    pub(super) fn has_transition(&self) -> bool {
        (0..self.len()).any(|at| self.transition(at).is_some())
    }

    /// The place of the `at`-th of them among the entries that are kept, where it is a transition.
    pub(super) fn transition(&self, at: usize) -> Option<usize> {
        let entry = self.held() - self.len() + at;
        (at < self.len() && self.kind(entry).is_transition()).then_some(entry)
    }

    /// Writes the transition that begins at an entry: rewards of up to `steps` steps, and what was seen behind them.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    pub(super) fn read(&self, entry: usize, discount: f64, steps: usize, batch: &mut Batch, row: usize) {
        let (inputs, width) = (batch.inputs, batch.width);
        let begin = self.entry(entry);
        batch.observation[row * inputs..][..inputs].copy_from_slice(&begin[..inputs]);
        batch.action[row * width..][..width].copy_from_slice(&begin[inputs..][..width]);
        let (mut reward, mut factor, mut last) = (0.0, 1.0, entry);
        for step in 1.. {
            reward += factor * f64::from(self.entry(last)[self.width - 2]);
            factor *= discount;
            match self.kind(last) {
                Kind::Terminated => {
                    factor = 0.0;
                    break;
                }
                Kind::GoesOn if step < steps && self.kind(last + 1).is_transition() => last += 1,
                _ => {
                    last += 1;
                    break;
                }
            }
        }
        batch.reward[row] = reward as f32;
        batch.discount[row] = factor as f32;
        batch.next_observation[row * inputs..][..inputs].copy_from_slice(&self.entry(last)[..inputs]);
    }

    fn entry(&self, entry: usize) -> &[f32] {
        let (segment, at) = (entry / self.segment, entry % self.segment);
        let rows = self.sealed.get(segment).map_or(&self.open[..], |sealed| rows(sealed));
        &rows[at * self.width..][..self.width]
    }

    fn kind(&self, entry: usize) -> Kind {
        Kind::from_number(self.entry(entry)[self.width - 1]).expect("an entry is of a known kind")
    }

    /// Appends an observation in which nothing was done.
    pub(super) fn push(&mut self, observation: &[f32], kind: Kind) {
        if self.open.len() == self.segment * self.width {
            let full = std::mem::replace(&mut self.open, Vec::with_capacity(self.segment * self.width));
            self.sealed.push_back(Segment::new(Array::f32(&[self.segment, self.width], full)));
            // The oldest one goes when all that is drawn from lies behind it, this observation counted.
            while self.held() + 1 >= self.share + self.segment {
                self.sealed.pop_front();
                self.first += 1;
            }
        }
        self.open.extend_from_slice(observation);
        self.open.resize(self.open.len() + self.width - self.observation - 1, 0.0);
        self.open.push(kind.to_number());
    }

    /// What was done in the newest observation, and what came of it.
    pub(super) fn complete(&mut self, action: &[f32], reward: f32, kind: Kind) {
        let at = self.open.len() - self.width + self.observation;
        let rest = &mut self.open[at..];
        rest[..action.len()].copy_from_slice(action);
        rest[action.len()] = reward;
        rest[action.len() + 1] = kind.to_number();
    }

    /// Nothing will be done in the newest observation.
    pub(super) fn cut_off(&mut self) {
        *self.open.last_mut().expect("something is shown") = Kind::CutOff.to_number();
    }

    pub(super) fn save(&self, name: &str, size: &Size, state: &mut State) {
        debug_assert_eq!(self.width, size.width());
        for (number, segment) in (self.first..).zip(&self.sealed) {
            state.segments.insert(segment_name(name, number), Arc::clone(segment));
        }
        state.put_counters(name, &[self.first, self.sealed.len() as u64]);
        state.tensors.insert(format!("{name}.open"), Array::f32(&[self.open.len() / self.width, self.width], self.open.clone()));
    }

    /// Gives the number of segments.
    pub(super) fn load(&mut self, name: &str, size: &Size, state: &State, left: &mut Tensors) -> Result<usize> {
        let mut lane = Self::new(size);
        let [first, count] = State::take_counters(left, name)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        let most = lane.share / lane.segment + 2;
        if count > most || first > u64::MAX / 2 {
            return Err(Error::artefact(format!("{count} segments from number {first}; there are {most} at most")).at(name));
        }
        lane.first = first;
        for number in (first..).take(count) {
            let segment_name = segment_name(name, number);
            let segment = state.segments.get(&segment_name).ok_or_else(|| Error::artefact("is missing").at(&segment_name))?;
            let array = segment.array();
            if array.shape != [lane.segment, lane.width] || !matches!(array.data, Data::F32(_)) {
                let message = format!("is {} {:?}, but F32 {:?} is needed", array.dtype(), array.shape, [lane.segment, lane.width]);
                return Err(Error::artefact(message).at(segment_name));
            }
            lane.sealed.push_back(Arc::clone(segment));
        }
        let open = format!("{name}.open");
        let entries = left.get(&open).and_then(|array| array.shape.first().copied()).unwrap_or(0);
        if entries == 0 || entries > lane.segment {
            return Err(Error::artefact(format!("holds {entries} entries; it holds 1 to {}", lane.segment)).at(open));
        }
        lane.open = take_f32(left, &open, &[entries, lane.width])?;
        lane.check().map_err(|error| error.at(name))?;
        *self = lane;
        Ok(count)
    }

    /// Fails unless every number is finite and every entry has the one behind it that its kind says.
    fn check(&self) -> Result<()> {
        let mut before = None;
        for entry in 0..self.held() {
            let numbers = self.entry(entry);
            let kind = Kind::from_number(numbers[self.width - 1]).filter(|_| numbers.iter().all(|number| number.is_finite()));
            let fits = match (before, kind) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(before), Some(kind)) => before != Kind::Truncated || kind == Kind::CutOff,
            };
            let is_last = entry + 1 == self.held();
            if !fits || is_last != (kind == Some(Kind::Newest)) {
                return Err(Error::artefact(format!("entry {entry} of the replay buffer is none")));
            }
            before = kind;
        }
        Ok(())
    }
}

fn segment_name(lane: &str, number: u64) -> String {
    format!("{lane}.{number:08}")
}

fn rows(segment: &Segment) -> &[f32] {
    match &segment.array().data {
        Data::F32(rows) => rows,
        _ => unreachable!("a lane's segments are f32"),
    }
}
