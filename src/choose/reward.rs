//! A reward that a GAIL or AIRL run recovered, out of the run's last checkpoint.

use super::{Configuration, Method};
use crate::env::Spaces;
use crate::error::{Error, Kind, Result};
use crate::file::{Tensors, digest, ron};
use crate::imitate::discriminator::{self, Form, RewardSign};
use crate::policy::card::Recovered;
use crate::policy::store;
use crate::run::{RunFolder, checkpoint};
use std::path::{Path, PathBuf};

/// A discriminator, not built yet.
#[derive(Debug, Clone)]
pub struct Reward {
    /// The run.
    pub path: PathBuf,
    /// What its logit is made of.
    pub form: Form,
    /// The sign that it had there.
    pub sign: RewardSign,
    /// Its network.
    pub config: discriminator::Config,
    /// The spaces that it knows.
    pub spaces: Spaces,
    /// Its part of the run's state.
    pub tensors: Tensors,
    /// SHA-256 of all of it but the path.
    pub digest: String,
}

impl Reward {
    /// Reads the reward of a run folder.
    ///
    /// # Errors
    /// Exit 2 when it is no run of GAIL or AIRL, 3 when it is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let definition = RunFolder::read_definition(path)?;
        let method = Method::parse(&definition.provenance.method).map_err(|error| error.as_kind(Kind::Artefact).at(path.display()))?;
        let source = ron::Source { name: "configuration".into(), text: definition.provenance.configuration.clone() };
        let configuration: Configuration = source.parse().map_err(|error| error.as_kind(Kind::Artefact).at(path.display()))?;
        let config = configuration.adversarial.clone().unwrap_or_default();
        config.check().map_err(|error| error.as_kind(Kind::Artefact).at(path.display()))?;
        let form = match method {
            Method::Gail => Form::Gail,
            Method::Airl => Form::Airl { state_only: config.state_only },
            other => {
                return Err(Error::usage(format!("is a run of `{}`, which recovers no reward", other.name()))
                    .at(path.display())
                    .hint("run `heirloom imitate DEMOS ENV --method airl` first"));
            }
        };
        let (found, _) = RunFolder::last_sound(path)?;
        let (folder, _) = found.ok_or_else(|| Error::artefact("the run has no checkpoint yet").at(path.display()))?;
        let (policy, _) = store::load(&folder)?;
        let (_, state) = checkpoint::read(&folder)?;
        let own = |name: &str| {
            name.starts_with("discriminator.") && !name.starts_with("discriminator.return") && name != "discriminator.discounted"
        };
        let tensors: Tensors = state.tensors.into_iter().filter(|(name, _)| own(name)).collect();
        let sign = config.reward.unwrap_or(RewardSign::Both);
        let digest = digest::of_tensors(&format!("{form:?} {sign:?} {}", ron::to_text(&(&config.discriminator, &policy.spaces))), &tensors);
        Ok(Self { path: path.to_owned(), form, sign, config: config.discriminator, spaces: policy.spaces, tensors, digest })
    }

    /// What a card and a run folder keep of it.
    #[must_use]
    pub fn as_recovered(&self) -> Recovered {
        Recovered { path: self.path.clone(), digest: self.digest.clone() }
    }

    /// Reads what a run folder says that it began with, there or where it lies now.
    ///
    /// # Errors
    /// Exit 3 when the reward is not what it was.
    pub fn reopen(kept: &Recovered, now: Option<&Path>) -> Result<Self> {
        let path = now.unwrap_or(&kept.path);
        let reward = Self::read(path).map_err(|error| {
            let error = if error.kind() == Kind::Usage { error.as_kind(Kind::Artefact) } else { error };
            error.hint("a run goes on with the reward that it began with: say with --reward where that run lies now")
        })?;
        if reward.digest != kept.digest {
            return Err(Error::artefact("is not the reward that the run began with: its digest differs")
                .at(path.display())
                .hint("name the run as it was then with --reward, or begin anew with another --out"));
        }
        Ok(reward)
    }

    /// Fails unless an environment shows and takes what the reward knows, in its order.
    pub(super) fn check_spaces(&self, spaces: &Spaces) -> Result<()> {
        let names = |spaces: &Spaces| spaces.observation.iter().map(|channel| channel.name.clone()).collect::<Vec<_>>();
        if names(spaces) == names(&self.spaces) && spaces.action.names() == self.spaces.action.names() {
            return Ok(());
        }
        Err(Error::artefact("the reward was recovered from other channels or actions").at(self.path.display()))
    }
}
