//! The card of a policy: what it is, where it comes from, what it was measured to do.

use super::Policy;
use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Result};
use crate::nn::ActorCritic;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The version of the card that this program writes, and the only one that it reads.
pub const FORMAT: u32 = 1;

/// `policy.ron`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "policy", deny_unknown_fields)]
pub struct Card {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the program that wrote it.
    pub heirloom: String,
    /// SHA-256 of architecture, spaces, normaliser and weights: what the policy *is*.
    pub digest: String,
    /// SHA-256 of the file of weights.
    pub weights: String,
    /// The shape of its networks.
    pub architecture: ActorCritic,
    /// Channels and actions, in the network's order.
    pub spaces: Spaces,
    /// Whether observations are normalised, by moments that lie beside the weights.
    pub normalizes_observations: bool,
    /// Whether rewards were scaled, by moments that lie beside the weights.
    pub normalizes_returns: bool,
    /// Whether it was meta-learned: a rate of adaptation for each parameter lies beside the weights.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adapts: bool,
    /// How it was made.
    pub provenance: Provenance,
    /// What it did when it was measured.
    pub measured: Option<Measured>,
    /// The policies that it was made from.
    pub parents: Vec<Ancestor>,
}

/// How a policy was made. RON texts are verbatim: only the method that they name parses them, so that a new field never breaks an
/// old card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The command that makes it again.
    pub command: String,
    /// The method's name.
    pub method: String,
    /// The method's whole configuration, as RON.
    pub configuration: String,
    /// The training environment's name.
    pub environment: String,
    /// The training environment, whole, as RON.
    pub environment_ron: String,
    /// The run's seed.
    pub seed: u64,
    /// Environment steps; nothing of a policy that was imported, whose budget nobody knows.
    pub steps: Option<u64>,
    /// The demonstrations that it learned from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demonstrations: Option<Demonstrated>,
    /// The run whose recovered reward it was trained on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reward: Option<Recovered>,
    /// What the bits depend on: libtorch, vector unit, which way networks were computed.
    pub numerics: String,
    /// Episodes that were lost while it was made, and dropped: where there are some, the command makes another policy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_episodes: Option<u64>,
}

/// Demonstrations that a policy learned from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Demonstrated {
    /// Where they lay.
    pub path: PathBuf,
    /// What was learned from: environment, spaces and the checksums of these episodes.
    pub digest: String,
    /// How many episodes.
    pub episodes: u64,
    /// One of so many steps.
    pub every: u32,
    /// What a transfer did with them: `start` or `term`; nothing where it is the method's matter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
}

/// A recovered reward that a policy was trained on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovered {
    /// The run that recovered it, where it lay.
    pub path: PathBuf,
    /// What was learned from: form, sign, network, spaces and weights.
    pub digest: String,
}

/// A measured return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The environment's name.
    pub environment: String,
    /// Mean return of an episode.
    pub mean: f64,
    /// 95 % t-interval of the mean over episodes.
    pub interval: [f64; 2],
    /// How many episodes.
    pub episodes: u64,
    /// Their seed.
    pub seed: u64,
}

/// A policy that another was made from, with its own ancestors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ancestor {
    /// The folder's name at the time.
    pub name: String,
    /// Its digest.
    pub digest: String,
    /// The method that made it.
    pub method: String,
    /// The environment that it was trained in.
    pub environment: String,
    /// Environment steps; nothing where nobody knows.
    pub steps: Option<u64>,
    /// Its seed.
    pub seed: u64,
    /// What it was made from itself.
    pub parents: Vec<Ancestor>,
}

impl Card {
    /// A card for a policy, before its weights are written.
    #[must_use]
    pub fn new(policy: &Policy, provenance: Provenance, parents: Vec<Ancestor>) -> Self {
        Self {
            format: FORMAT,
            heirloom: env!("CARGO_PKG_VERSION").to_owned(),
            digest: policy.digest(),
            weights: String::new(),
            architecture: policy.shape.clone(),
            spaces: policy.spaces.clone(),
            normalizes_observations: policy.normalizer.is_some(),
            normalizes_returns: policy.return_moments.is_some(),
            adapts: policy.inner_rates.is_some(),
            provenance,
            measured: None,
            parents,
        }
    }

    /// This policy as an ancestor of another.
    #[must_use]
    pub fn as_ancestor(&self, name: &str) -> Ancestor {
        Ancestor {
            name: name.to_owned(),
            digest: self.digest.clone(),
            method: self.provenance.method.clone(),
            environment: self.provenance.environment.clone(),
            steps: self.provenance.steps,
            seed: self.provenance.seed,
            parents: self.parents.clone(),
        }
    }

    /// Environment steps that went into it, its ancestors' included; nothing where one of them was imported, of which nobody knows.
    #[must_use]
    pub fn all_steps(&self) -> Option<u64> {
        all_steps(self.provenance.steps, &self.parents)
    }

    /// Fails where the card contradicts itself or claims sizes that no policy has. Nothing is allocated by what it says before this.
    ///
    /// # Errors
    /// Exit 3; names the field.
    pub fn check(&self) -> Result<()> {
        let refuse = |field: &str, message: String| Err(Error::artefact(message).at(field));
        if self.format != FORMAT {
            return Err(Error::artefact(format!("is of format {}; this program reads {FORMAT}", self.format))
                .at("format")
                .hint("a newer heirloom may read it; this one is ".to_owned() + env!("CARGO_PKG_VERSION")));
        }
        let mut ancestors: Vec<&Ancestor> = self.parents.iter().collect();
        let mut digests = vec![&self.digest];
        while let Some(ancestor) = ancestors.pop() {
            digests.push(&ancestor.digest);
            ancestors.extend(&ancestor.parents);
        }
        if let Some(digest) = digests.iter().find(|digest| digest.len() != 64 || !digest.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            return refuse("digest", format!("`{}` is not a SHA-256", digest.escape_debug()));
        }
        check_described(&self.architecture, &self.spaces, self.adapts)
    }
}

fn all_steps(own: Option<u64>, parents: &[Ancestor]) -> Option<u64> {
    parents.iter().try_fold(own?, |sum, parent| Some(sum.saturating_add(all_steps(parent.steps, &parent.parents)?)))
}

/// Fails where a shape has sizes that no policy has, or does not belong to these spaces. Nothing is allocated by what a file says before this.
///
/// # Errors
/// Exit 3; names the field.
pub(super) fn check_described(shape: &ActorCritic, spaces: &Spaces, adapts: bool) -> Result<()> {
    let refuse = |field: &str, message: String| Err(Error::artefact(message).at(field));
    let layers = shape.actor.iter().chain(&shape.critic);
    if shape.actor.len() > 16
        || shape.critic.len() > 16
        || layers.chain([&shape.inputs, &shape.outputs]).any(|size| !(1..=1 << 16).contains(size))
    {
        return refuse("architecture", "has a size outside 1 to 65536, or more than 16 layers".into());
    }
    if shape.joined >= shape.inputs {
        return refuse("architecture", format!("{} of {} inputs cannot have joined", shape.joined, shape.inputs));
    }
    if shape.memory > 1 << 16 {
        return refuse("architecture", format!("a memory of {} units; it has 65536 at most", shape.memory));
    }
    if shape.memory > 0 && (shape.joined > 0 || adapts || !shape.is_fused()) {
        return refuse(
            "architecture",
            "with memory there are no joined channels, no inner rates, and no activation but Tanh or Relu".into(),
        );
    }
    if spaces.observation.len() != shape.inputs {
        return refuse("spaces", format!("{} channels, but the network has {} inputs", spaces.observation.len(), shape.inputs));
    }
    if spaces.action.size() != shape.outputs {
        return refuse("spaces", format!("{} actions, but the network has {} outputs", spaces.action.size(), shape.outputs));
    }
    shape.head.check_space(&spaces.action).map_err(|error| error.as_kind(crate::error::Kind::Artefact).at("architecture"))?;
    let log_std = shape.head.initial_log_std().unwrap_or(0.0);
    if !log_std.is_finite() {
        return refuse("architecture", format!("initial_log_std is {log_std}"));
    }
    let names: Vec<&str> = spaces.observation.iter().map(|channel| channel.name.as_str()).collect();
    for (what, names) in [("channels", names), ("actions", spaces.action.names())] {
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
            return refuse("spaces", format!("two {what} are called `{}`", pair[0].escape_debug()));
        }
    }
    let bounded = match &spaces.action {
        ActionSpace::Continuous(channels) => channels.as_slice(),
        ActionSpace::Discrete(_) => &[],
    };
    match spaces
        .observation
        .iter()
        .chain(bounded)
        .find(|channel| channel.low.is_nan() || channel.high.is_nan() || channel.low > channel.high)
    {
        Some(channel) => refuse("spaces", format!("`{}` lies between {} and {}", channel.name.escape_debug(), channel.low, channel.high)),
        None => Ok(()),
    }
}
