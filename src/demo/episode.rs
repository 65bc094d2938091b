//! One recorded episode.

use crate::env::{Action, ActionSpace, Snapshot, Spaces};
use crate::error::{Error, Result};

/// Where an episode began: enough to begin it there again, bit for bit.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// The seed of the recording.
    pub seed: u64,
    /// Which stream of that seed the environment drew from.
    pub stream: u64,
    /// How far that stream was after the reset.
    pub position: u64,
    /// The environment after the reset.
    pub snapshot: Vec<f64>,
}

/// An episode of `T` steps. What belongs to one channel lies together, as it does in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    /// Where it began; not known of an import.
    pub start: Option<Start>,
    /// `[O, T + 1]`: the last one is what the episode ended with.
    pub observations: Vec<f64>,
    /// `[W, T]`: an index, or one value per action channel.
    pub actions: Vec<f64>,
    /// `[T]`.
    pub rewards: Vec<f64>,
    /// `[I, T]`: further numbers of each step, named by the header.
    pub info: Vec<f64>,
    /// The task was over with the last step.
    pub terminated: bool,
    /// Time was up with the last step.
    pub truncated: bool,
}

impl Episode {
    /// How many steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rewards.len()
    }

    /// Whether it has no steps, which no sound episode has.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rewards.is_empty()
    }

    /// The sum of its rewards.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.rewards.iter().sum()
    }

    /// CRC-32C of everything about it: what tells whether it is still the one that was recorded.
    #[must_use]
    pub fn checksum(&self) -> u32 {
        super::journal::checksum(self)
    }

    /// A channel's course, `[T + 1]`.
    #[must_use]
    pub fn channel(&self, channel: usize) -> &[f64] {
        let rows = self.len() + 1;
        &self.observations[channel * rows..][..rows]
    }

    /// Writes what was seen before step `step`, `[O]`; after the last step for `step == len()`.
    pub fn observation(&self, step: usize, into: &mut [f64]) {
        let rows = self.len() + 1;
        into.iter_mut().enumerate().for_each(|(channel, value)| *value = self.observations[channel * rows + step]);
    }

    /// What was done in a step; `room` holds a continuous action.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, checked when it was read")]
    pub fn action<'a>(&self, step: usize, space: &ActionSpace, room: &'a mut Vec<f64>) -> Action<'a> {
        match space {
            ActionSpace::Discrete(_) => Action::Discrete(self.actions[step] as usize),
            ActionSpace::Continuous(channels) => {
                room.clear();
                room.extend((0..channels.len()).map(|channel| self.actions[channel * self.len() + step]));
                Action::Continuous(room)
            }
        }
    }

    /// Finds what cannot be in an episode of these spaces: other sizes, no steps, numbers that are not finite, actions that do not exist.
    ///
    /// # Errors
    /// Exit 3 with the step and the channel.
    pub fn check(&self, spaces: &Spaces, info: &[String]) -> Result<()> {
        let (steps, channels, width) = (self.len(), spaces.observation.len(), spaces.action.width());
        if steps == 0 {
            return Err(Error::artefact("the episode has no steps"));
        }
        if self.observations.len() != channels * (steps + 1) || self.actions.len() != width * steps || self.info.len() != info.len() * steps
        {
            return Err(Error::artefact("the numbers of observations, actions and rewards do not belong together"));
        }
        let names: Vec<&str> = spaces.observation.iter().map(|channel| channel.name.as_str()).collect();
        finite("observation", &self.observations, steps + 1, &names)?;
        let names: Vec<&str> = match &spaces.action {
            ActionSpace::Discrete(_) => vec!["action"],
            ActionSpace::Continuous(channels) => channels.iter().map(|channel| channel.name.as_str()).collect(),
        };
        finite("action", &self.actions, steps, &names)?;
        finite("reward", &self.rewards, steps, &["reward"])?;
        finite("info", &self.info, steps, &info.iter().map(String::as_str).collect::<Vec<_>>())?;
        self.check_actions(&spaces.action)
    }

    fn check_actions(&self, space: &ActionSpace) -> Result<()> {
        match space {
            ActionSpace::Discrete(names) => {
                #[expect(clippy::cast_precision_loss, reason = "a few actions")]
                let known = |action: &f64| *action >= 0.0 && *action < names.len() as f64 && action.fract() == 0.0;
                match self.actions.iter().position(|action| !known(action)) {
                    Some(step) => Err(Error::artefact(format!("there is no action {}", self.actions[step]))
                        .at(format!("step {step}"))
                        .hint(format!("the actions are 0 to {}", names.len() - 1))),
                    None => Ok(()),
                }
            }
            ActionSpace::Continuous(channels) => {
                for (channel, values) in channels.iter().zip(self.actions.chunks_exact(self.len())) {
                    // Bounds that were f32 somewhere are met but for a rounding.
                    let slack = 1e-6 * (1.0 + channel.low.abs().min(channel.high.abs()));
                    let outside = |value: &f64| *value < channel.low - slack || *value > channel.high + slack;
                    if values.iter().fold(true, |all, value| all & !outside(value)) {
                        continue;
                    }
                    if let Some(step) = values.iter().position(outside) {
                        let message =
                            format!("the action `{}` is {}, outside {} to {}", channel.name, values[step], channel.low, channel.high);
                        return Err(Error::artefact(message).at(format!("step {step}")));
                    }
                }
                Ok(())
            }
        }
    }
}

fn finite(what: &str, values: &[f64], rows: usize, names: &[&str]) -> Result<()> {
    // One pass without a branch per number; only a failure looks for the culprit.
    if values.iter().fold(true, |all, value| all & value.is_finite()) {
        return Ok(());
    }
    let at = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
    let name = names.get(at / rows).copied().unwrap_or("?");
    Err(Error::artefact(format!("the {what} `{name}` is {}", values[at])).at(format!("step {}", at % rows)))
}

/// An episode that is being recorded, row by row.
#[derive(Debug, Clone, Default)]
pub struct Growing {
    start: Option<Start>,
    /// `[O]`: what was seen first.
    first: Vec<f64>,
    /// `[T, W + 1 + O + I]`: action, reward, what was seen then, further numbers. In one piece, because many episodes grow side by side.
    rows: Vec<f64>,
    /// Numbers of a row's action and of all of it, once there is one.
    widths: [usize; 2],
    total: f64,
}

impl Growing {
    /// Begins with the first observation, `[O]`.
    #[must_use]
    pub fn new(start: Option<Start>, observation: &[f64]) -> Self {
        Self { start, first: observation.to_vec(), ..Self::default() }
    }

    /// Not begun yet, with room for as many steps as another one has.
    #[must_use]
    pub fn with_room_of(other: &Self) -> Self {
        Self { rows: Vec::with_capacity(other.rows.len()), ..Self::default() }
    }

    /// Begins with the first observation, `[O]`.
    pub fn begin(&mut self, start: Start, observation: &[f64]) {
        self.start = Some(start);
        self.first = observation.to_vec();
    }

    /// How many steps there are so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len().checked_div(self.widths[1]).unwrap_or(0)
    }

    /// Whether there is none yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The sum of rewards so far.
    #[must_use]
    pub const fn total(&self) -> f64 {
        self.total
    }

    /// Adds a step: what was done, what it earned, what was seen then, `[O]`, and further numbers.
    #[inline]
    pub fn push(&mut self, action: Action<'_>, reward: f64, observation: &[f64], info: &[f64]) {
        let before = self.rows.len();
        match action {
            #[expect(clippy::cast_precision_loss, reason = "an index of a few actions")]
            Action::Discrete(index) => self.rows.push(index as f64),
            Action::Continuous(values) => self.rows.extend_from_slice(values),
        }
        let acted = self.rows.len();
        self.rows.push(reward);
        self.rows.extend_from_slice(observation);
        self.rows.extend_from_slice(info);
        self.widths = [acted - before, self.rows.len() - before];
        self.total += reward;
    }

    /// The episode, whole.
    #[must_use]
    pub fn finish(self, terminated: bool, truncated: bool) -> Episode {
        let ([action, width], channels) = (self.widths, self.first.len());
        let reward = action;
        let column = |at: usize| self.rows.chunks_exact(width.max(1)).map(move |row| row[at]);
        let columns = |from: usize, to: usize| (from..to).flat_map(column).collect::<Vec<f64>>();
        let mut observations = Vec::with_capacity(channels * (self.len() + 1));
        for channel in 0..channels {
            observations.push(self.first[channel]);
            observations.extend(column(reward + 1 + channel));
        }
        let info = (reward + 1 + channels).min(width);
        Episode {
            observations,
            actions: columns(0, action),
            info: columns(info, width),
            rewards: column(reward).collect(),
            start: self.start,
            terminated,
            truncated,
        }
    }
}

/// `[rows, N]` as `[N, rows]`.
#[must_use]
pub fn by_channel(values: &[f64], rows: usize) -> Vec<f64> {
    let width = values.len().checked_div(rows).unwrap_or(0);
    let mut turned = vec![0.0; values.len()];
    for (row, values) in values.chunks_exact(width.max(1)).enumerate() {
        for (channel, value) in values.iter().enumerate() {
            turned[channel * rows + row] = *value;
        }
    }
    turned
}

impl Start {
    /// Its snapshot, to be read.
    #[must_use]
    pub fn to_snapshot(&self) -> Snapshot {
        Snapshot::from_numbers(self.snapshot.clone())
    }
}
