//! Transitions that were there before the first step: demonstrations, beside what a learner does itself or alone.

use super::State;
use super::replay::{Batch, Replay};
use crate::error::{Error, Result};
use crate::file::tensors::Tensors;
use crate::nn::Normalizer;

/// How much of a batch is demonstrations, once there is something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Half of it (symmetric sampling, Ball et al. 2023, section 4.1).
    Half,
    /// As much as it is of everything, and half at least: what is new comes in as slowly as there is of it.
    AsMany,
}

/// What was demonstrated, how it was scaled, and for how many updates there is nothing else.
#[derive(Debug)]
pub struct Prior {
    replay: Replay,
    normalizer: Option<Normalizer>,
    reward_scale: f32,
    share: Share,
    /// Updates from it alone, before the first step.
    alone: u64,
    /// How many of them were made.
    made: u64,
}

impl Prior {
    /// Transitions whose observations are normalised and whose rewards are multiplied like this; what a learner does itself will be too. The
    /// first `alone` updates see nothing else, and no environment is stepped before them.
    #[must_use]
    pub const fn new(replay: Replay, normalizer: Option<Normalizer>, reward_scale: f32, share: Share, alone: u64) -> Self {
        Self { replay, normalizer, reward_scale, share, alone, made: 0 }
    }

    /// How observations are normalised.
    #[must_use]
    pub const fn normalizer(&self) -> Option<&Normalizer> {
        self.normalizer.as_ref()
    }

    /// What rewards are multiplied by.
    #[must_use]
    pub const fn reward_scale(&self) -> f32 {
        self.reward_scale
    }

    /// Whether the next update is made without a step before it.
    #[must_use]
    pub const fn is_alone(&self) -> bool {
        self.made < self.alone
    }

    /// Updates that were made without steps.
    #[must_use]
    pub const fn made(&self) -> u64 {
        self.made
    }

    /// One more.
    pub const fn count(&mut self) {
        self.made += 1;
    }

    /// Fills a batch beside so many `steps` that are in `new`.
    pub fn draw(&mut self, new: &mut Replay, steps: u64, discount: f64, n_step: usize, batch: &mut Batch) {
        let rows = batch.rows();
        let most = if steps == 0 { 0 } else { rows / 2 };
        let part = match self.share {
            Share::Half => most,
            Share::AsMany => {
                let (steps, own) = (usize::try_from(steps).unwrap_or(usize::MAX).min(1 << 32), self.replay.len());
                (rows * steps / (steps + own)).min(most)
            }
        };
        self.replay.draw(0..rows - part, discount, n_step, batch);
        if part > 0 {
            new.draw(rows - part..rows, discount, n_step, batch);
        }
    }

    /// Adds what changes of it to a state; the transitions are wherever they were read from.
    pub fn save(&self, state: &mut State) {
        state.put_counters("prior", &[self.made, self.replay.position()]);
    }

    /// Continues from what [`Prior::save`] added.
    ///
    /// # Errors
    /// Exit 3 when it is missing, or another run's.
    pub fn load(&mut self, left: &mut Tensors) -> Result<()> {
        let [made, position] = State::take_counters(left, "prior")?;
        if made > self.alone {
            return Err(Error::artefact(format!("{made} updates of {} before the first step", self.alone)).at("prior"));
        }
        self.made = made;
        self.replay.seek(position);
        Ok(())
    }
}
