//! Environments of one Python process that are stepped together: what was announced for all of them is one message.
//!
//! The seed and the actions of every open episode are kept. When the process is lost, another one makes the environments again and does the same
//! once more: where every observation is what it was, nothing happened. Where one is not, that episode is lost: its next step says so
//! ([`Error::loses_episode`]) and counts it.

use super::host::{Host, Terms, Trouble, answered, may_restart, order, place};
use super::process::{Answer, Ask, Process};
use super::task::Task;
use crate::env::{LostEpisodes, Step, Values};
use crate::error::{Error, Result};
use std::sync::Arc;

/// Reward, terminated, truncated, and whether the next episode has begun: before the observation.
const OUTCOME: usize = 4;
/// In the place of a seed: it is not known.
const NO_SEED: f64 = -1.0;
/// Numbers of actions beyond which an episode is not kept: 32 MiB.
const MOST_KEPT: usize = 1 << 22;
/// Messages without loss after which restarts are forgotten.
const FORGIVEN: u32 = 10_000;

pub(super) struct Vector {
    host: Arc<Host>,
    /// Where lost episodes are counted.
    lost: LostEpisodes,
    task: Arc<Task>,
    terms: Terms,
    own_limit: bool,
    process: Option<Process>,
    restarts: u32,
    calm: u32,
    /// Numbers of an action, `A`, and of an observation, `O`.
    width: usize,
    size: usize,
    seats: Vec<Seat>,
    /// `[N, A + 1]`: behind each action the seed of the episode that follows.
    actions: Vec<f64>,
    /// `[N, 4 + O]`: what came of the last step or reset of each. In the memory, `[N, O]` of begun episodes follow.
    results: Vec<f64>,
}

/// One environment of the vector.
struct Seat {
    values: Values,
    /// The open episode.
    episode: Option<Episode>,
    /// The open episode cannot be gone on with.
    lost: bool,
    announced: bool,
    /// What came of a step that nobody has asked for yet.
    answer: Option<std::result::Result<(), String>>,
    /// The seed of an episode that has begun with the end of the last one.
    begun: Option<u64>,
}

/// How an episode came where it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Episode {
    pub(super) seed: u64,
    /// `[T, A]`; `None` when it became too long to be kept.
    pub(super) actions: Option<Vec<f64>>,
}

impl Vector {
    pub(super) fn new(host: &Arc<Host>, lost: LostEpisodes, task: &Arc<Task>, own_limit: bool, [width, size]: [usize; 2]) -> Result<Self> {
        let terms = host.terms(task)?;
        Ok(Self {
            host: Arc::clone(host),
            lost,
            task: Arc::clone(task),
            terms,
            own_limit,
            process: None,
            restarts: 0,
            calm: 0,
            width,
            size,
            seats: Vec::new(),
            actions: Vec::new(),
            results: Vec::new(),
        })
    }

    /// Whether a further environment can sit here: of the same task, and as long as none was made.
    pub(super) fn takes(&self, task: &Task, own_limit: bool) -> bool {
        self.process.is_none() && *self.task == *task && self.own_limit == own_limit
    }

    /// Adds an environment with these parameters and gives its seat.
    pub(super) fn sit(&mut self, values: Values) -> usize {
        self.seats.push(Seat { values, episode: None, lost: false, announced: false, answer: None, begun: None });
        self.actions.resize(self.seats.len() * (self.width + 1), 0.0);
        self.results.resize(self.seats.len() * (OUTCOME + self.size), 0.0);
        self.seats.len() - 1
    }

    /// The open episode of a seat, and what its environment shows.
    pub(super) fn state(&self, seat: usize) -> (Option<&Episode>, &[f64]) {
        (self.seats[seat].episode.as_ref(), self.observation(seat))
    }

    fn observation(&self, seat: usize) -> &[f64] {
        &self.results[self.row(seat)][OUTCOME..]
    }

    /// Where what came of a seat's last step or reset stands in `results`.
    const fn row(&self, seat: usize) -> std::ops::Range<usize> {
        let stride = OUTCOME + self.size;
        seat * stride..(seat + 1) * stride
    }

    /// Begins an episode.
    pub(super) fn reset(&mut self, seat: usize, seed: u64, values: &Values, observation: &mut [f64]) -> Result<()> {
        let here = &mut self.seats[seat];
        (here.episode, here.lost, here.announced, here.answer) = (None, false, false, None);
        let has_begun = here.begun.take() == Some(seed) && here.values == *values && self.process.is_some();
        here.values.clone_from(values);
        if has_begun {
            self.read_begun(seat)?;
        } else {
            self.surviving(|vector| vector.ask_reset(seat, seed))?;
            self.read(seat..seat + 1)?;
        }
        observation.copy_from_slice(self.observation(seat));
        self.seats[seat].episode = Some(Episode { seed, actions: Some(Vec::new()) });
        Ok(())
    }

    /// Says what the next step of a seat will do, so that it can be done together with others', and the seed of the next episode if it is known.
    pub(super) fn announce(&mut self, seat: usize, action: &[f64], seed: Option<u64>) {
        let here = &mut self.seats[seat];
        if here.answer.is_none() && here.episode.is_some() && !here.lost {
            here.announced = true;
            let row = &mut self.actions[seat * (self.width + 1)..][..=self.width];
            row[..self.width].copy_from_slice(action);
            #[expect(clippy::cast_precision_loss, reason = "a seed has 31 bits")]
            let seed = seed.map_or(NO_SEED, |seed| seed as f64);
            row[self.width] = seed;
        }
    }

    /// Steps a seat, and with it all that were announced; or gives what came of it when it was stepped with another. Where its episode is lost,
    /// the observation stays as it was.
    pub(super) fn step(&mut self, seat: usize, action: &[f64], seed: Option<u64>, observation: &mut [f64]) -> Result<Step> {
        let announced = &self.actions[seat * (self.width + 1)..][..self.width];
        let here = &self.seats[seat];
        if here.answer.is_some() {
            if *announced != *action {
                return Err(Error::environment("another action was announced than is done").at(place(&self.task)));
            }
        } else {
            if here.episode.is_none() {
                return Err(Error::environment("step without a running episode").at(place(&self.task)));
            }
            if !here.lost {
                self.announce(seat, action, seed);
                self.step_announced()?;
            }
            // It may have been lost just now, when the process was lost.
            let here = &mut self.seats[seat];
            if here.lost {
                (here.episode, here.lost) = (None, false);
                self.lost.add();
                return Err(Error::lost_episode("its process was lost, and the episode that was done again went another way")
                    .hint("its resets do not depend on their seed alone; a run continues from its last checkpoint with --resume")
                    .at(place(&self.task)));
            }
        }
        match self.seats[seat].answer.take() {
            Some(Ok(())) => {}
            Some(Err(raised)) => {
                self.seats[seat].episode = None;
                return Err(Error::environment(raised).at(place(&self.task)));
            }
            None => return Err(Error::environment("Python stepped another environment").at(place(&self.task))),
        }
        let outcome = &self.results[self.row(seat)][..OUTCOME];
        let flag = |number: f64, name: &str| match number {
            0.0 => Ok(false),
            1.0 => Ok(true),
            other => Err(Error::environment(format!("`{name}` is {other}, which is neither true nor false")).at(place(&self.task))),
        };
        let step = Step { reward: outcome[0], terminated: flag(outcome[1], "terminated")?, truncated: flag(outcome[2], "truncated")? };
        let begun = step.ended() && outcome[3] == 1.0;
        observation.copy_from_slice(self.observation(seat));
        if step.ended() {
            let seed = self.actions[seat * (self.width + 1) + self.width];
            let here = &mut self.seats[seat];
            here.episode = None;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a seed, or none")]
            let seed = (begun && seed >= 0.0).then_some(seed as u64);
            here.begun = seed;
        }
        Ok(step)
    }

    /// One message for all that were announced.
    fn step_announced(&mut self) -> Result<()> {
        // What is lost on the way is no longer announced.
        let announced = |vector: &Self| vector.seats.iter().map(|seat| u8::from(seat.announced)).collect::<Vec<_>>();
        let failures = self.surviving(|vector| vector.ask_step(&announced(vector)))?;
        let mask = announced(self);
        let (Some(first), Some(last)) = (mask.iter().position(|one| *one == 1), mask.iter().rposition(|one| *one == 1)) else {
            return Ok(());
        };
        self.read(first..last + 1)?;
        for (index, seat) in self.seats.iter_mut().enumerate().filter(|(_, seat)| seat.announced) {
            seat.announced = false;
            seat.answer = Some(Ok(()));
            let kept = seat.episode.as_mut().and_then(|episode| episode.actions.as_mut());
            if let Some(actions) = kept {
                actions.extend_from_slice(&self.actions[index * (self.width + 1)..][..self.width]);
                if actions.len() > MOST_KEPT {
                    seat.episode.as_mut().expect("it was kept").actions = None;
                }
            }
        }
        for (index, raised) in failures {
            if let Some(seat) = self.seats.get_mut(index) {
                seat.answer = Some(Err(super::host::clean(&raised)));
            }
        }
        Ok(())
    }

    fn ask_reset(&mut self, seat: usize, seed: u64) -> std::result::Result<(), Trouble> {
        let mut body = Vec::with_capacity(12);
        body.extend_from_slice(&u32::try_from(seat).unwrap_or(u32::MAX).to_le_bytes());
        body.extend_from_slice(&seed.to_le_bytes());
        if !self.task.context.is_empty() {
            body.extend_from_slice(serde_json::json!(self.seats[seat].values.0).to_string().as_bytes());
        }
        let process = self.process.as_mut().expect("`surviving` made it");
        answered(process.ask(Ask::Reset, &body, self.terms.patience)?, &self.task, &self.terms)?;
        Ok(())
    }

    /// Steps the seats of a mask by what stands in `actions`; what was raised, by seat.
    fn ask_step(&mut self, mask: &[u8]) -> std::result::Result<Vec<(usize, String)>, Trouble> {
        let process = self.process.as_mut().expect("`surviving` made it");
        process.put(0, &self.actions).map_err(|error| shared(&error))?;
        match process.ask(Ask::Step, mask, self.terms.patience)? {
            Answer::SomeFailed(body) => Ok(serde_json::from_slice(&body).unwrap_or_else(|_| {
                mask.iter().enumerate().map(|(index, _)| (index, "it failed and did not say how".to_owned())).collect()
            })),
            answer => answered(answer, &self.task, &self.terms).map(|_| Vec::new()).map_err(Trouble::Never),
        }
    }

    fn read(&mut self, seats: std::ops::Range<usize>) -> Result<()> {
        let stride = OUTCOME + self.size;
        let process = self.process.as_mut().expect("it has just answered");
        let at = self.actions.len() + seats.start * stride;
        let results = &mut self.results[seats.start * stride..seats.end * stride];
        process.get(at, results).map_err(|error| shared(&error).at(place(&self.task)))
    }

    /// Shows the episode of a seat that has begun with the end of the last one.
    fn read_begun(&mut self, seat: usize) -> Result<()> {
        let stride = OUTCOME + self.size;
        let at = self.actions.len() + self.results.len() + seat * self.size;
        let process = self.process.as_mut().expect("an episode begins in one");
        let observation = &mut self.results[seat * stride + OUTCOME..][..self.size];
        process.get(at, observation).map_err(|error| shared(&error).at(place(&self.task)))
    }

    /// Asks until it is answered: a process that is lost is replaced, and everything done again that led to here.
    fn surviving<R>(&mut self, mut ask: impl FnMut(&mut Self) -> std::result::Result<R, Trouble>) -> Result<R> {
        let mut lost_before = None;
        loop {
            match self.open().and_then(|()| ask(self)) {
                Ok(answer) => {
                    self.calm += 1;
                    if self.calm >= FORGIVEN {
                        (self.calm, self.restarts) = (0, 0);
                    }
                    if let Some(how) = lost_before {
                        let open = self.seats.iter().filter(|seat| seat.episode.is_some() && !seat.lost).count();
                        let again = if open == 0 {
                            String::new()
                        } else {
                            format!("; {open} open episodes were done again and are what they were")
                        };
                        self.host.note(format!("{}: its Python process {how} and was started again{again}", place(&self.task)));
                    }
                    return Ok(answer);
                }
                Err(Trouble::Never(error)) => return Err(error),
                Err(Trouble::Lost(lost)) => {
                    self.process = None;
                    self.calm = 0;
                    may_restart(&mut self.restarts, &self.task, &lost)?;
                    lost_before = Some(lost.how);
                }
            }
        }
    }

    /// Makes the environments where there are none, and does again what the open episodes did.
    fn open(&mut self) -> std::result::Result<(), Trouble> {
        if self.process.is_some() {
            return Ok(());
        }
        let mut process = self.host.take(&self.task, &self.terms)?;
        process.resize(self.actions.len() + self.results.len() + self.seats.len() * self.size).map_err(|error| shared(&error))?;
        let order = order(&self.task, self.own_limit, self.seats.iter().map(|seat| &seat.values), self.width, self.size);
        answered(process.ask(Ask::Make, &order, self.terms.patience)?, &self.task, &self.terms)?;
        self.process = Some(process);
        self.seats.iter_mut().for_each(|seat| seat.begun = None);
        self.results.chunks_exact_mut(OUTCOME + self.size).for_each(|row| row[OUTCOME - 1] = 0.0);
        // Replays write into the rows of the step that is to come; whatever becomes of them, it is put back.
        let announced = self.actions.clone();
        let replayed = self.replay();
        self.actions = announced;
        replayed
    }

    /// Does every open episode again.
    fn replay(&mut self) -> std::result::Result<(), Trouble> {
        for seat in 0..self.seats.len() {
            // What has ended is only to be told.
            let here = &self.seats[seat];
            let Some(episode) = here.episode.clone().filter(|_| !here.lost && !self.has_ended(seat)) else { continue };
            let told = self.results[self.row(seat)].to_vec();
            let same = self.again(seat, &episode, &told[OUTCOME..])?;
            // Somebody may still ask what came of the last step.
            let row = self.row(seat);
            self.results[row].copy_from_slice(&told);
            if !same {
                self.lose(seat);
            }
        }
        Ok(())
    }

    /// Whether the episode of a seat is over, of which nobody has asked yet.
    fn has_ended(&self, seat: usize) -> bool {
        let outcome = &self.results[self.row(seat)][..OUTCOME];
        self.seats[seat].answer.is_some() && (outcome[1] == 1.0 || outcome[2] == 1.0)
    }

    /// Gives the open episode of a seat up.
    fn lose(&mut self, seat: usize) {
        let here = &mut self.seats[seat];
        (here.lost, here.announced) = (true, false);
        self.host.note(format!(
            "{}: not bit-identical: an open episode that was done again went another way, and cannot be gone on with",
            place(&self.task)
        ));
    }

    /// Does an episode again in a seat; whether its environment then shows what is wanted, bit for bit.
    fn again(&mut self, seat: usize, episode: &Episode, wanted: &[f64]) -> std::result::Result<bool, Trouble> {
        let Some(actions) = &episode.actions else { return Ok(false) };
        self.ask_reset(seat, episode.seed)?;
        let mut mask = vec![0; self.seats.len()];
        mask[seat] = 1;
        for action in actions.chunks_exact(self.width) {
            let row = &mut self.actions[seat * (self.width + 1)..][..=self.width];
            row[..self.width].copy_from_slice(action);
            row[self.width] = NO_SEED;
            if !self.ask_step(&mask)?.is_empty() {
                return Ok(false);
            }
        }
        self.read(seat..seat + 1)?;
        Ok(self.observation(seat).iter().zip(wanted).all(|(shown, wanted)| shown.to_bits() == wanted.to_bits()))
    }

    /// Takes up an episode where it was; where that does not show the same, or it was too long to be kept, it is lost.
    pub(super) fn take_up(&mut self, seat: usize, episode: Episode, values: &Values, wanted: &[f64]) -> Result<()> {
        let here = &mut self.seats[seat];
        (here.episode, here.lost, here.announced, here.answer, here.begun) = (None, false, false, None, None);
        here.values.clone_from(values);
        let same = match self.surviving(|vector| vector.again(seat, &episode, wanted)) {
            // Numbers that make an environment raise something are not its own.
            Err(error) if self.process.is_none() => return Err(error),
            same => same.unwrap_or(false),
        };
        self.seats[seat].episode = Some(episode);
        if !same {
            let row = self.row(seat);
            self.results[row][OUTCOME..].copy_from_slice(wanted);
            self.lose(seat);
        }
        Ok(())
    }
}

impl Drop for Vector {
    fn drop(&mut self) {
        if let Some(process) = self.process.take() {
            self.host.put(&self.task, &self.terms, process);
        }
    }
}

fn shared(error: &std::io::Error) -> Error {
    Error::environment(format!("the memory shared with Python cannot be used: {error}"))
}
