//! `exported.ron`: what an exporter says of a policy, and whether it fits an environment and is of a form that we have.

use super::MANIFEST;
use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Kind, Result};
use crate::file::ron;
use crate::nn::normalizer::CLIP;
use crate::nn::{Activation, ActorCritic, Head};
use crate::policy::card::check_described;
use serde::Deserialize;
use std::path::Path;

/// The version of the folder that is read.
const FORMAT: u32 = 1;
/// Fewer pairs show little, more are no sample.
const ROWS: [usize; 2] = [100, 100_000];

/// What an exporter says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename = "exported", deny_unknown_fields)]
pub struct Exported {
    /// The version of the folder.
    pub format: u32,
    /// What wrote the policy, in words: `Stable-Baselines3 2.9.2, pendulum.zip`.
    pub origin: String,
    /// The algorithm that trained it, in words: `PPO`.
    pub algorithm: String,
    /// The environment in which the pairs were recorded, as the exporter calls it; nothing where observations were drawn.
    pub environment: Option<String>,
    /// Observation channels, `O`.
    pub inputs: usize,
    /// Actions, or logits, `A`.
    pub outputs: usize,
    /// Hidden layers of the actor.
    pub actor: Vec<usize>,
    /// Hidden layers of the critic of states; nothing where there is none.
    pub critic: Option<Vec<usize>>,
    /// Between the layers of both.
    pub activation: Activation,
    /// What the actor's outputs mean.
    pub head: Outputs,
    /// How observations are normalised, where they are, by the moments beside the weights.
    pub normalizer: Option<Clipped>,
    /// What was added to the variance of returns, where rewards were scaled by the moments beside the weights.
    pub return_epsilon: Option<f64>,
    /// Recorded pairs.
    pub rows: usize,
    /// SHA-256 of the file of weights.
    pub weights: String,
    /// SHA-256 of the file of pairs.
    pub pairs: String,
}

/// What an actor's outputs mean; bounds are `(low, high)` of each action in the environment's units.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub enum Outputs {
    /// A logit or a value for each action, of which the greatest is taken.
    Categorical,
    /// The mean of each action in the environment's units, cut off at its bounds.
    Gaussian(Vec<[f64; 2]>),
    /// The mean of each action before tanh, which takes it into its bounds.
    SquashedGaussian(Vec<[f64; 2]>),
}

/// A normaliser, but for its moments: `clamp((raw - mean) / sqrt(variance + epsilon), -clip, clip)`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clipped {
    /// Normalised values are clipped to this.
    pub clip: f64,
    /// Keeps a constant channel finite.
    pub epsilon: f64,
}

impl Exported {
    /// Reads the manifest, and gives its text too.
    ///
    /// # Errors
    /// Exit 2 when there is none, 3 when it is not sound, 6 when it cannot be read.
    pub(super) fn read(folder: &Path) -> Result<(Self, String)> {
        let path = folder.join(MANIFEST);
        if !path.is_file() {
            return Err(Error::usage(format!("there is no exported policy: `{MANIFEST}` is missing"))
                .at(folder.display())
                .hint("tools/export_policy.py writes one; `heirloom policies unpack` takes what `pack` made"));
        }
        let refused = |error: Error| if error.kind() == Kind::Io { error } else { error.as_kind(Kind::Artefact) };
        let source = ron::Source::read(&path).map_err(refused)?;
        // The card keeps it word for word, and is no longer than any text of RON itself.
        if source.text.len() as u64 > ron::CAP / 4 {
            return Err(Error::artefact(format!("is longer than {} bytes", ron::CAP / 4)).at(path.display()));
        }
        let exported: Self = source.parse().map_err(refused)?;
        exported.check().map_err(|error| error.at(path.display()))?;
        Ok((exported, source.text))
    }

    fn check(&self) -> Result<()> {
        if self.format != FORMAT {
            return Err(Error::artefact(format!("is of format {}; this program reads {FORMAT}", self.format))
                .at("format")
                .hint("export it again with the tools/export_policy.py that came with this program"));
        }
        if !(ROWS[0]..=ROWS[1]).contains(&self.rows) {
            return Err(Error::artefact(format!("{} pairs; there are {} to {}", self.rows, ROWS[0], ROWS[1])).at("rows"));
        }
        let epsilon = self.normalizer.map_or(0.0, |normalizer| normalizer.epsilon);
        if [epsilon, self.return_epsilon.unwrap_or(0.0)].iter().any(|epsilon| !(0.0..1.0).contains(epsilon)) {
            return Err(Error::artefact("lies between 0 and 1").at("epsilon"));
        }
        match self.normalizer {
            Some(Clipped { clip, .. }) if clip != CLIP => Err(Error::artefact(format!(
                "normalised observations are clipped at {clip}; this program has no normaliser but one that clips at {CLIP}"
            ))
            .at("normalizer")
            .hint(format!("train it on, or from the start, with `clip_obs={CLIP}`"))),
            _ => Ok(()),
        }
    }

    /// The shape of its networks in an environment's spaces, every size checked. A critic that is absent is as large as the actor.
    ///
    /// # Errors
    /// Exit 3 when it does not fit the environment, or no policy is of such sizes.
    pub(super) fn shape(&self, spaces: &Spaces) -> Result<ActorCritic> {
        let hint = "name the environment that it was trained in with --env; channels and actions are bound in their order";
        if self.inputs != spaces.observation.len() {
            let message = format!("the policy sees {} numbers, the environment shows {}", self.inputs, spaces.observation.len());
            return Err(Error::artefact(message).at("inputs").hint(hint));
        }
        let head = match (&self.head, &spaces.action) {
            (Outputs::Categorical, ActionSpace::Discrete(_)) => Head::Categorical,
            (Outputs::Gaussian(_), ActionSpace::Continuous(_)) => Head::DiagonalGaussian { initial_log_std: 0.0 },
            (Outputs::SquashedGaussian(_), ActionSpace::Continuous(_)) => Head::SquashedGaussian { initial_log_std: 0.0 },
            (_, ActionSpace::Discrete(_)) => {
                return Err(Error::artefact("the policy gives continuous actions, the environment takes discrete ones")
                    .at("head")
                    .hint(hint));
            }
            (_, ActionSpace::Continuous(_)) => {
                return Err(Error::artefact("the policy gives discrete actions, the environment takes continuous ones")
                    .at("head")
                    .hint(hint));
            }
        };
        if self.outputs != spaces.action.size() {
            let message = format!("the policy gives {} numbers, the environment takes {}", self.outputs, spaces.action.size());
            return Err(Error::artefact(message).at("outputs").hint(hint));
        }
        self.check_bounds(spaces).map_err(|error| error.at("head").hint(hint))?;
        let shape = ActorCritic {
            inputs: self.inputs,
            joined: 0,
            memory: 0,
            outputs: self.outputs,
            actor: self.actor.clone(),
            critic: self.critic.clone().unwrap_or_else(|| self.actor.clone()),
            activation: self.activation,
            head,
        };
        check_described(&shape, spaces, false)?;
        Ok(shape)
    }

    /// Fails where an action's bounds are not the environment's, but for the rounding of single precision.
    fn check_bounds(&self, spaces: &Spaces) -> Result<()> {
        let (Outputs::Gaussian(bounds) | Outputs::SquashedGaussian(bounds), ActionSpace::Continuous(channels)) =
            (&self.head, &spaces.action)
        else {
            return Ok(());
        };
        if bounds.len() != channels.len() {
            return Err(Error::artefact(format!("has bounds of {} actions, there are {}", bounds.len(), channels.len())));
        }
        let same = |here: f64, there: f64| here == there || (here - there).abs() <= 1e-6 * there.abs().max(1.0);
        let other = bounds.iter().zip(channels).find(|([low, high], channel)| !(same(*low, channel.low) && same(*high, channel.high)));
        other.map_or(Ok(()), |([low, high], channel)| {
            let (name, least, most) = (channel.name.escape_debug(), channel.low, channel.high);
            Err(Error::artefact(format!("`{name}` lay between {low} and {high}; in the environment it lies between {least} and {most}")))
        })
    }
}
