//! `heirloom demo record --keyboard ENV`: a person plays.
//!
//! Every episode is kept when it has ended. Episode `k` begins the same every time, however often it was begun again before.

mod canvas;
mod game;
mod grid;
mod keys;
mod page;
pub(in crate::cli) mod screen;

use super::record::show;
use crate::choose::words::quoted;
use crate::cli::signals;
use crate::cli::terminal::{self, Ending};
use crate::demo::{Demonstrations, Header, Recorder, Recording};
use crate::env::{Registry, Spec};
use crate::error::{Error, Result};
use game::{Game, Over};
use keys::Keys;
use screen::Screen;
use std::path::PathBuf;
use std::time::Duration;

/// Time of a step where an environment does not say: Gymnasium shows its mountain cars with 30 frames a second.
const SECONDS_PER_STEP: f64 = 1.0 / 30.0;
/// Where releases are not told, a press counts for at least so many steps, and at least so long.
const HOLD_STEPS: f64 = 4.0;
const HOLD_SECONDS: f64 = 0.1;

/// What is played.
pub(super) struct Keyboard {
    /// As it was typed.
    pub(super) environment: String,
    pub(super) spec: Spec,
    pub(super) episodes: u64,
    pub(super) seed: u64,
    pub(super) speed: f64,
    pub(super) out: PathBuf,
    pub(super) resume: bool,
}

impl Keyboard {
    pub(super) fn record(&self, registry: &Registry) -> Result<Ending> {
        if !(0.01..=100.0).contains(&self.speed) {
            return Err(Error::usage(format!("`--speed` cannot be {}", self.speed)).hint("it lies between 0.01 and 100; 1 is real time"));
        }
        let spec = &self.spec;
        let spaces = registry.build(spec)?.spaces().clone();
        let seconds = spec.time_step().unwrap_or(SECONDS_PER_STEP) / self.speed;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few steps")]
        let hold = HOLD_STEPS.max(HOLD_SECONDS / seconds).ceil() as usize;
        let keys = Keys::new(spaces.action.clone(), hold)?;
        Screen::check()?;
        let stop = signals::stop_on_signals()?;
        let header = Header::new(spec, &spaces, Vec::new(), Recorder::Keyboard { seed: self.seed });
        let mut recording = if self.resume { Recording::resume(&self.out, &header)? } else { Recording::create(&self.out, header)? };
        recording.settle_all()?;
        let over = if recording.episodes() < self.episodes {
            let (make, period) = (|| registry.build(spec), Duration::from_secs_f64(seconds));
            let (seed, episodes, screen) = (self.seed, self.episodes, Screen::take()?);
            let mut game = Game { spec, make: &make, seed, episodes, period, keys, screen, stop: &stop };
            game.play(&mut recording).map_err(|error| error.at(&spec.name))?
        } else {
            Over::Complete
        };
        match over {
            Over::Complete => {
                recording.finish()?;
                show(&Demonstrations::open(&self.out)?, false)
            }
            Over::Left => {
                self.say_how_to_go_on(recording.episodes());
                Ok(Ending::Done)
            }
            Over::Signal(signal) => {
                self.say_how_to_go_on(recording.episodes());
                Ok(Ending::Signal(signal))
            }
        }
    }

    fn say_how_to_go_on(&self, recorded: u64) {
        let command = |episodes: u64| {
            let (environment, out) = (quoted(&self.environment), quoted(&self.out.display().to_string()));
            format!("heirloom demo record --keyboard {environment} --seed {} --out {out} --resume --episodes {episodes}", self.seed)
        };
        terminal::note(&format!("{recorded} of {} episodes are in {}", self.episodes, self.out.display()));
        terminal::note(&format!("go on:             {}", command(self.episodes)));
        if recorded > 0 {
            terminal::note(&format!("leave it at these: {}", command(recorded)));
        }
    }
}
