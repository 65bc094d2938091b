//! Wrappers: what lies between a simulator and whoever acts in it: sensors, motors, rewards.
//!
//! [`Wrapper`] is the list that RON can name; each is put around an environment by [`Wrapper::around`].

mod action_delay;
mod action_map;
mod action_noise;
mod channels;
#[cfg(test)]
mod echo;
mod frame_stack;
mod layer;
mod observation_delay;
mod observation_noise;
mod reward_scale;
mod show_parameters;
mod trial;

use super::parameter::Distribution;
use super::{ActionSpace, Env, Spaces};
use crate::error::{Error, Result, did_you_mean};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that can be put around an environment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Wrapper {
    /// Adds normal noise to observations, in the channels' own units.
    ObservationNoise {
        /// Standard deviation.
        std: f64,
        /// Which channels; all when absent.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        channels: Vec<String>,
    },
    /// Shows the observation of so many steps ago; at the start of an episode, its first one.
    ObservationDelay {
        /// Steps of delay.
        steps: usize,
    },
    /// Gives the channels in another order: every name, once.
    PermuteChannels(Vec<String>),
    /// Multiplies channels: a sensor in other units under the same name.
    ScaleChannels(BTreeMap<String, f64>),
    /// Leaves channels out.
    DropChannels(Vec<String>),
    /// Gives channels other names: from old to new.
    RenameChannels(BTreeMap<String, String>),
    /// Shows the last observations together, oldest first; `pole_angle` becomes `pole_angle@2`, `pole_angle@1`, `pole_angle`.
    FrameStack {
        /// How many.
        frames: usize,
    },
    /// Applies the action of so many steps ago; until there is one, the idle action.
    ActionDelay {
        /// Steps of delay.
        steps: usize,
        /// The idle action of a discrete space; its middle one when absent. A continuous space idles at zero.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        idle: Option<String>,
    },
    /// Adds normal noise to a continuous action, in its own units; replaces a discrete one by a random one with this probability.
    ActionNoise {
        /// Standard deviation of a continuous action's noise, probability of a discrete action's replacement.
        std: f64,
    },
    /// Multiplies a continuous action: a weak or a strong motor.
    ActionScale {
        /// The factor.
        factor: f64,
    },
    /// Turns actions around: discrete ones change order, continuous ones are mirrored in the middle of their bounds (and so change sign
    /// where these are symmetric).
    ActionReversed,
    /// Breaks an action: a continuous one does nothing, a discrete one does what another does.
    BrokenAction {
        /// Its name.
        action: String,
        /// What a discrete action does instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<String>,
    },
    /// Multiplies the reward; -1 reverses it.
    RewardScale {
        /// The factor.
        factor: f64,
    },
    /// Shows parameters of context or objective as further channels, each from -1 at the least value of a law to 1 at the greatest, of a
    /// `LogUniform` one by the logarithm: what an oracle knows of the task.
    ShowParameters(BTreeMap<String, Distribution>),
    /// Makes so many episodes of one task one episode, and shows the last action, the last reward and whether an episode had ended: `done`.
    /// `max_episode_steps` is then the limit of each of them.
    Trial {
        /// Episodes of one task.
        episodes: usize,
    },
}

/// Longest delay, deepest stack and longest trial: an environment's memory is copied at every snapshot.
const LONGEST: usize = 1000;

impl Wrapper {
    /// Its name in RON.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ObservationNoise { .. } => "ObservationNoise",
            Self::ObservationDelay { .. } => "ObservationDelay",
            Self::PermuteChannels(_) => "PermuteChannels",
            Self::ScaleChannels(_) => "ScaleChannels",
            Self::DropChannels(_) => "DropChannels",
            Self::RenameChannels(_) => "RenameChannels",
            Self::FrameStack { .. } => "FrameStack",
            Self::ActionDelay { .. } => "ActionDelay",
            Self::ActionNoise { .. } => "ActionNoise",
            Self::ActionScale { .. } => "ActionScale",
            Self::ActionReversed => "ActionReversed",
            Self::BrokenAction { .. } => "BrokenAction",
            Self::RewardScale { .. } => "RewardScale",
            Self::ShowParameters(_) => "ShowParameters",
            Self::Trial { .. } => "Trial",
        }
    }

    /// Checks the numbers that do not depend on what is wrapped.
    ///
    /// # Errors
    /// Names the range.
    pub(super) fn check(&self) -> Result<()> {
        let amount = |what: &str, value: f64, least: f64| {
            let inside = value.is_finite() && value >= least && value.abs() <= 1e6;
            if inside {
                Ok(())
            } else {
                Err(Error::usage(format!("`{what}` cannot be {value}")).hint(format!("it lies between {least} and 1e6")))
            }
        };
        let count = |what: &str, value: usize| {
            let inside = (1..=LONGEST).contains(&value);
            if inside {
                Ok(())
            } else {
                Err(Error::usage(format!("`{what}` cannot be {value}")).hint(format!("it lies between 1 and {LONGEST}")))
            }
        };
        match self {
            Self::ObservationNoise { std, .. } | Self::ActionNoise { std } => amount("std", *std, 0.0),
            Self::ObservationDelay { steps } | Self::ActionDelay { steps, .. } => count("steps", *steps),
            Self::FrameStack { frames } => count("frames", *frames),
            Self::Trial { episodes } => count("episodes", *episodes),
            Self::ActionScale { factor } | Self::RewardScale { factor } => amount("factor", *factor, -1e6),
            Self::ShowParameters(laws) => laws.iter().try_for_each(|(name, law)| show_parameters::check(name, law)),
            Self::ScaleChannels(factors) => factors.iter().try_for_each(|(name, factor)| amount(name, *factor, -1e6)),
            Self::PermuteChannels(_)
            | Self::DropChannels(_)
            | Self::RenameChannels(_)
            | Self::ActionReversed
            | Self::BrokenAction { .. } => Ok(()),
        }
    }

    /// Puts this wrapper around an environment.
    ///
    /// # Errors
    /// When it does not fit the environment's spaces.
    pub fn around(&self, env: Box<dyn Env>) -> Result<Box<dyn Env>> {
        self.check()?;
        let built: Result<Box<dyn Env>> = match self {
            Self::ObservationNoise { std, channels } => observation_noise::around(env, *std, channels),
            Self::ObservationDelay { steps } => Ok(observation_delay::around(env, *steps)),
            Self::PermuteChannels(order) => channels::permute(env, order),
            Self::ScaleChannels(factors) => channels::scale(env, factors),
            Self::DropChannels(names) => channels::drop(env, names),
            Self::RenameChannels(names) => channels::rename(env, names),
            Self::FrameStack { frames } => frame_stack::around(env, *frames),
            Self::ActionDelay { steps, idle } => action_delay::around(env, *steps, idle.as_deref()),
            Self::ActionNoise { std } => action_noise::around(env, *std),
            Self::ActionScale { factor } => action_map::scale(env, *factor),
            Self::ActionReversed => Ok(action_map::reverse(env)),
            Self::BrokenAction { action, instead } => action_map::broken(env, action, instead.as_deref()),
            Self::RewardScale { factor } => Ok(reward_scale::around(env, *factor)),
            Self::ShowParameters(laws) => show_parameters::around(env, laws),
            Self::Trial { episodes } => Ok(trial::around(env, *episodes)),
        };
        built.and_then(with_unique_channels).map_err(|error| error.at(self.name()))
    }
}

impl std::fmt::Display for Wrapper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&ron::to_string(self).expect("our types are plain data"))
    }
}

/// Names are what channels are matched by: a policy could not tell two of one name apart.
fn with_unique_channels(env: Box<dyn Env>) -> Result<Box<dyn Env>> {
    let mut seen = BTreeSet::new();
    let twice = env.spaces().observation.iter().find(|channel| !seen.insert(channel.name.as_str()));
    match twice {
        Some(channel) => Err(Error::usage(format!("two channels would be called `{}`", channel.name))),
        None => Ok(env),
    }
}

/// The index of an observation channel.
fn channel_index(spaces: &Spaces, name: &str) -> Result<usize> {
    let position = spaces.observation.iter().position(|channel| channel.name == name);
    position.ok_or_else(|| {
        Error::usage(format!("there is no channel `{name}`"))
            .hint(did_you_mean(name, spaces.observation.iter().map(|channel| channel.name.as_str())))
    })
}

/// The index of an action or action channel.
fn action_index(space: &ActionSpace, name: &str) -> Result<usize> {
    let names = space.names();
    let position = names.iter().position(|known| *known == name);
    position.ok_or_else(|| Error::usage(format!("there is no action `{name}`")).hint(did_you_mean(name, names.iter().copied())))
}
