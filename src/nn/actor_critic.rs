//! The shape of a policy's networks: actor and critic, each an MLP of its own (detail 13 of "The 37 Implementation Details of PPO").
//!
//! The hidden layers are the trunk, the last ones the heads: what "reset-head" replaces and "feature-extraction" keeps frozen. With memory, both
//! stand on one GRU, which has seen the whole episode so far.

use super::init::orthogonal;
use super::params::{Layout, Params};
use super::{Activation, Gru, Head, Mlp};
use crate::error::{Error, Result};
use crate::seed::{Rng, Stream};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Everything about the networks but their weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorCritic {
    /// Observation channels.
    pub inputs: usize,
    /// How many of them, the last ones, joined at a transfer. libtorch multiplies them apart and adds the product afterwards, so that at
    /// weight zero nothing changes in any bit; the fused kernel appends them to its chains, which has the same effect.
    #[serde(default)]
    pub joined: usize,
    /// Units of the GRU that both networks stand on, `H`; 0 where there is none and they see the observation itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub memory: usize,
    /// Actions, or logits.
    pub outputs: usize,
    /// Hidden layers of the actor.
    pub actor: Vec<usize>,
    /// Hidden layers of the critic.
    pub critic: Vec<usize>,
    /// Between the layers.
    pub activation: Activation,
    /// What the actor's outputs mean.
    pub head: Head,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
const fn is_zero(size: &usize) -> bool {
    *size == 0
}

/// Name of the standard deviations' logarithms, `[outputs]`.
pub const LOG_STD: &str = "log_std";

/// Under this name lie the GRU's parameters.
pub const MEMORY: &str = "memory";

impl ActorCritic {
    /// The memory, where there is one: observations to features.
    #[must_use]
    pub fn gru(&self) -> Option<Gru> {
        (self.memory > 0).then_some(Gru { inputs: self.inputs, units: self.memory })
    }

    /// What actor and critic see: the memory, or the observation.
    #[must_use]
    pub const fn features(&self) -> usize {
        if self.memory > 0 { self.memory } else { self.inputs }
    }

    /// Fails where there is memory and `whoever` has no use for it yet.
    ///
    /// # Errors
    /// Names who it is.
    pub fn check_memoryless(&self, whoever: &str) -> Result<()> {
        if self.memory == 0 {
            return Ok(());
        }
        Err(Error::usage(format!("a policy with memory cannot be taken by {whoever} yet"))
            .hint("it can be evaluated, watched and recorded, and `heirloom meta TASKS --method rl2` learns one"))
    }

    /// The actor: features to outputs.
    #[must_use]
    pub fn actor_mlp(&self) -> Mlp {
        let sizes = [&[self.features()], &self.actor[..], &[self.outputs]].concat();
        Mlp { sizes, activation: self.activation, layer_norm: false }
    }

    /// The critic: features to value.
    #[must_use]
    pub fn critic_mlp(&self) -> Mlp {
        let sizes = [&[self.features()], &self.critic[..], &[1]].concat();
        Mlp { sizes, activation: self.activation, layer_norm: false }
    }

    /// Names, shapes and places of all parameters: actor, critic, memory, log-std.
    #[must_use]
    pub fn layout(&self) -> Arc<Layout> {
        let mut layout = Layout::default();
        self.actor_mlp().declare("actor", &mut layout);
        self.critic_mlp().declare("critic", &mut layout);
        if let Some(gru) = self.gru() {
            gru.declare(MEMORY, &mut layout);
        }
        if self.head.initial_log_std().is_some() {
            layout.push(LOG_STD, &[self.outputs]);
        }
        Arc::new(layout)
    }

    /// Initial parameters: orthogonal weights with gain sqrt 2 in the trunk, 0.01 in the actor's head, 1 in the critic's, biases zero
    /// (detail 2 of "The 37 Implementation Details of PPO").
    #[must_use]
    pub fn init(&self, seed: u64) -> Params {
        let mut params = Params::zeros(self.layout());
        let mut rng = Stream::Init.under(seed);
        self.init_where(&mut params, |_| true, &mut rng);
        params
    }

    /// Gives the heads (last layers and log-std) new initial values and leaves the trunk as it is.
    pub fn init_heads(&self, params: &mut Params, seed: u64) {
        self.init_where(params, is_head, &mut Stream::InitHead.under(seed));
    }

    #[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
    fn init_where(&self, params: &mut Params, chosen: impl Fn(&str) -> bool, rng: &mut Rng) {
        let layout = Arc::clone(params.layout());
        for entry in layout.entries().iter().filter(|entry| chosen(&entry.name)) {
            match entry.name.as_str() {
                "actor.head.weight" => orthogonal(params, &entry.name, 0.01, rng),
                "critic.head.weight" => orthogonal(params, &entry.name, 1.0, rng),
                LOG_STD => params.tensor_mut(LOG_STD).fill(self.head.initial_log_std().unwrap_or(0.0) as f32),
                name if name.starts_with("memory.") && name.ends_with(".weight") => {
                    if let Some(gru) = self.gru() {
                        gru.init(params, name, rng);
                    }
                }
                name if name.ends_with(".weight") => orthogonal(params, name, 2.0_f64.sqrt(), rng),
                name => params.tensor_mut(name).fill(0.0),
            }
        }
    }

    /// Names, shapes and places of the parameters that choose actions, as [`ActorCritic::actor_values`] gives them: actor, log-std.
    #[must_use]
    pub fn actor_layout(&self) -> Layout {
        let mut layout = Layout::default();
        self.actor_mlp().declare("actor", &mut layout);
        if self.head.initial_log_std().is_some() {
            layout.push(LOG_STD, &[self.outputs]);
        }
        layout
    }

    /// What chooses actions, in one flat run.
    #[must_use]
    pub fn actor_values(&self, params: &Params) -> Vec<f32> {
        let mut values = params.values[..self.actor_mlp().parameter_count()].to_vec();
        values.extend(params.layout().range(LOG_STD).map_or(&[][..], |range| &params.values[range]));
        values
    }

    /// Takes over what chooses actions.
    pub fn set_actor_values(&self, params: &mut Params, values: &[f32]) {
        let (actor, log_std) = values.split_at(self.actor_mlp().parameter_count());
        params.values[..actor.len()].copy_from_slice(actor);
        if let Some(range) = params.layout().range(LOG_STD) {
            params.values[range].copy_from_slice(log_std);
        }
    }

    /// Whether the fused kernel computes it; otherwise libtorch does.
    #[must_use]
    pub const fn is_fused(&self) -> bool {
        self.activation.is_fused()
    }
}

/// Whether a parameter belongs to a head: the last layers and the standard deviations.
#[must_use]
pub fn is_head(name: &str) -> bool {
    name.contains(".head.") || name == LOG_STD
}

/// Whether a parameter belongs to the critic.
#[must_use]
pub fn is_critic(name: &str) -> bool {
    name.starts_with("critic.")
}
