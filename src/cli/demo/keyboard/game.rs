//! Playing in real time: one step when its time has come, keys in between.

use super::keys::{Keys, Wish};
use super::page::Page;
use super::screen::{Screen, refused};
use crate::cli::terminal::number;
use crate::demo::play::Play;
use crate::demo::{Episode, Recording};
use crate::env::{Env, Scene, Spec, Step};
use crate::error::Result;
use crate::stop::Stop;
use crossterm::event::{self, Event, KeyEvent, KeyEventKind};
use std::time::{Duration, Instant};

/// More pictures a second are not seen.
const PICTURE: Duration = Duration::from_millis(16);
/// A signal is heard at least so often.
const HEARKEN: Duration = Duration::from_millis(50);
/// What a machine that was busy or asleep has missed beyond this is not played at once.
const LAG: Duration = Duration::from_millis(250);
/// Whoever still plays when an episode ends does not begin the next one by it.
const QUIET: Duration = Duration::from_millis(500);

/// How playing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    /// There are as many episodes as were asked for.
    Complete,
    /// The player ended it.
    Left,
    /// A signal did, or Ctrl-C.
    Signal(i32),
}

/// A player before the screen.
pub(super) struct Game<'a> {
    pub(super) spec: &'a Spec,
    pub(super) make: &'a dyn Fn() -> Result<Box<dyn Env>>,
    pub(super) seed: u64,
    /// How many there are to be in all.
    pub(super) episodes: u64,
    /// Time of a step.
    pub(super) period: Duration,
    pub(super) keys: Keys,
    pub(super) screen: Screen,
    pub(super) stop: &'a Stop,
}

/// What somebody did at the keyboard.
enum Heard {
    Key(KeyEvent),
    Resized,
    Nothing,
}

/// What came of an episode.
enum Outcome {
    Ended(Box<Episode>, Step, Scene),
    Again,
    Over(Over),
}

impl Game<'_> {
    /// Plays until there are as many episodes as were asked for.
    pub(super) fn play(&mut self, recording: &mut Recording) -> Result<Over> {
        let mut before: Option<(Step, usize, f64, Scene)> = None;
        while recording.episodes() < self.episodes {
            let number = recording.episodes();
            let play = Play::begin((self.make)()?, self.seed, recording.next())?;
            let mut notice = vec![format!("Episode {} of {}: press a key", number + 1, self.episodes)];
            let scene = match &before {
                Some((step, steps, total, scene)) => {
                    let why = if step.terminated { "the task is over" } else { "time is up" };
                    let ended = format!("Episode {number}: {steps} steps, return {}; {why}", self::number(*total));
                    notice = vec![ended, String::new(), notice.remove(0)];
                    scene.clone()
                }
                None => play.scene(),
            };
            self.keys.rest();
            if let Some(over) = self.wait(&notice, &scene, "", before.is_some())? {
                return Ok(over);
            }
            match self.episode(play, number)? {
                Outcome::Ended(episode, step, scene) => {
                    before = Some((step, episode.len(), episode.total(), scene));
                    recording.append(*episode)?;
                }
                Outcome::Again => before = None,
                Outcome::Over(over) => return Ok(over),
            }
        }
        Ok(Over::Complete)
    }

    /// One episode, until it ends or is given up.
    fn episode(&mut self, mut play: Play, number: u64) -> Result<Outcome> {
        let mut due = Instant::now() + self.period;
        let mut drawn: Option<Instant> = None;
        loop {
            if drawn.is_none_or(|drawn| drawn.elapsed() >= PICTURE) {
                self.show(&play.scene(), &self.status(&play, number), &[])?;
                drawn = Some(Instant::now());
            }
            while let Some(heard) = self.hear_until(due)? {
                let wish = match heard {
                    Heard::Key(key) => self.keys.hear(key),
                    Heard::Resized | Heard::Nothing => {
                        self.show(&play.scene(), &self.status(&play, number), &[])?;
                        None
                    }
                };
                match wish {
                    None => {}
                    Some(Wish::Again) => return Ok(Outcome::Again),
                    Some(Wish::Quit) => return Ok(Outcome::Over(Over::Left)),
                    Some(Wish::Interrupt) => return Ok(Outcome::Over(Over::Signal(2))),
                    Some(Wish::Pause) => {
                        let notice = ["Paused: press a key".to_owned()];
                        if let Some(over) = self.wait(&notice, &play.scene(), &self.status(&play, number), false)? {
                            return Ok(Outcome::Over(over));
                        }
                        due = Instant::now() + self.period;
                    }
                }
            }
            if let Some(signal) = self.stop.requested() {
                return Ok(Outcome::Over(Over::Signal(signal)));
            }
            let step = play.act(self.keys.act())?;
            if step.ended() {
                let scene = play.scene();
                self.show(&scene, &self.status(&play, number), &[])?;
                return Ok(Outcome::Ended(Box::new(play.finish(step)), step, scene));
            }
            due = if due.elapsed() > LAG { Instant::now() } else { due } + self.period;
        }
    }

    /// Waits for a key, which then counts as played; `quiet` where keys may still be down from before.
    fn wait(&mut self, notice: &[String], scene: &Scene, status: &str, quiet: bool) -> Result<Option<Over>> {
        let mut deaf_until = Instant::now() + if quiet { QUIET } else { Duration::ZERO };
        self.show(scene, status, notice)?;
        loop {
            match self.hear_until(Instant::now() + HEARKEN)? {
                Some(Heard::Key(key)) => match self.keys.hear(key) {
                    Some(Wish::Quit) => return Ok(Some(Over::Left)),
                    Some(Wish::Interrupt) => return Ok(Some(Over::Signal(2))),
                    _ if key.kind == KeyEventKind::Release => {}
                    _ if deaf_until > Instant::now() => {
                        deaf_until = Instant::now() + QUIET;
                        self.keys.rest();
                    }
                    _ => return Ok(None),
                },
                Some(Heard::Resized) => self.show(scene, status, notice)?,
                Some(Heard::Nothing) | None => {}
            }
            if let Some(signal) = self.stop.requested() {
                return Ok(Some(Over::Signal(signal)));
            }
        }
    }

    /// What is done at the keyboard until then; nothing when the time has come, or a signal has.
    fn hear_until(&mut self, due: Instant) -> Result<Option<Heard>> {
        loop {
            let left = due.saturating_duration_since(Instant::now());
            if event::poll(left.min(HEARKEN)).map_err(|error| refused(&error))? {
                return Ok(Some(match event::read().map_err(|error| refused(&error))? {
                    Event::Key(key) => Heard::Key(key),
                    Event::Resize(..) => {
                        self.screen.forget();
                        Heard::Resized
                    }
                    _ => Heard::Nothing,
                }));
            }
            if left.is_zero() || self.stop.requested().is_some() {
                return Ok(None);
            }
        }
    }

    fn status(&self, play: &Play, number: u64) -> String {
        let limit = self.spec.longest_episode().map_or_else(String::new, |most| format!(" of {most}"));
        // No reward at all sums up to minus nought.
        let total = self::number(play.total() + 0.0);
        format!("episode {} of {}   step {}{limit}   return {total}", number + 1, self.episodes, play.steps())
    }

    fn show(&mut self, scene: &Scene, status: &str, notice: &[String]) -> Result<()> {
        let page = Page { title: &self.spec.name, about: &self.spec.about, scene, status, keys: &self.keys, notice };
        let [columns, rows] = Screen::size();
        let grid = page.lay_out(columns, rows);
        self.screen.draw(grid)
    }
}
