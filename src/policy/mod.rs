//! Policies: networks, weights, normaliser and card; a folder on disk.

pub mod card;
pub mod channels;
pub mod import;
pub mod store;

pub use card::{Ancestor, Card, Measured, Provenance};
pub use channels::Binding;

use crate::env::Spaces;
use crate::file::tensors::Array;
use crate::file::{Tensors, digest};
use crate::nn::{ActorCritic, Moments, Normalizer, Params};

const OBSERVATION_MOMENTS: &str = "normalizer.observation";
const RETURN_MOMENTS: &str = "normalizer.return";
const INNER_RATES: &str = "inner_rates";

/// Everything that turns an observation into an action.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The shape of its networks.
    pub shape: ActorCritic,
    /// Channels in the order in which the network sees them, actions in the order in which it gives them.
    pub spaces: Spaces,
    /// Its weights.
    pub params: Params,
    /// What observations are normalised by, where they are.
    pub normalizer: Option<Normalizer>,
    /// Moments of the discounted return, where rewards were scaled by them: the unit of the critic's values.
    pub return_moments: Option<Moments>,
    /// How far each parameter that chooses actions goes in a step of adaptation, in the order of [`ActorCritic::actor_layout`]; of a policy that
    /// was meta-learned. What else a step takes, its card's configuration says.
    pub inner_rates: Option<Vec<f32>>,
}

impl Policy {
    /// New weights, nothing normalised.
    #[must_use]
    pub fn untrained(shape: ActorCritic, spaces: &Spaces, seed: u64) -> Self {
        let params = shape.init(seed);
        Self { shape, spaces: spaces.clone(), params, normalizer: None, return_moments: None, inner_rates: None }
    }

    /// Weights and moments by name: what the file of weights holds.
    #[must_use]
    pub fn tensors(&self) -> Tensors {
        let mut tensors = Tensors::new();
        self.params.save("", &mut tensors);
        if let Some(normalizer) = &self.normalizer {
            normalizer.moments.save(OBSERVATION_MOMENTS, &mut tensors);
        }
        if let Some(moments) = &self.return_moments {
            moments.save(RETURN_MOMENTS, &mut tensors);
        }
        if let Some(rates) = &self.inner_rates {
            tensors.insert(INNER_RATES.into(), Array::f32(&[rates.len()], rates.clone()));
        }
        tensors
    }

    /// What a policy *is*: SHA-256 over architecture, spaces, normaliser and weights; no time, no return, no version.
    #[must_use]
    pub fn digest(&self) -> String {
        let description = crate::file::ron::to_text(&(&self.shape, &self.spaces));
        digest::of_tensors(&description, &self.tensors())
    }
}
