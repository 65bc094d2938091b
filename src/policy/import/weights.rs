//! `weights.safetensors` of an exported policy: its networks and moments, in our units.

use super::{Exported, Outputs};
use crate::env::{ActionSpace, Channel, Spaces};
use crate::error::{Error, Result};
use crate::file::tensors::{self, Tensors, take_f32, take_f64};
use crate::file::{digest, disk};
use crate::nn::actor_critic::{LOG_STD, is_critic};
use crate::nn::normalizer::EPSILON;
use crate::nn::{ActorCritic, Moments, Normalizer, Params};
use crate::policy::Policy;
use crate::policy::store::HEADER_ROOM;
use std::path::Path;

/// Reads the policy that a manifest describes. A critic that it does not have is new, as that of a policy which learned from a replay buffer.
pub(super) fn read(path: &Path, exported: &Exported, shape: ActorCritic, spaces: &Spaces) -> Result<Policy> {
    let critic = exported.critic.as_ref().map_or(0, |_| shape.critic_mlp().parameter_count());
    let numbers = 4 * (shape.actor_mlp().parameter_count() + critic) as u64;
    let bytes = disk::read(path, numbers.saturating_add(HEADER_ROOM))?;
    if (bytes.len() as u64) < numbers {
        return Err(Error::artefact(format!("is {} bytes long; the manifest describes {numbers} bytes of numbers", bytes.len())));
    }
    if digest::of_bytes(&bytes) != exported.weights {
        return Err(Error::artefact("is not the file that the manifest describes: its SHA-256 differs").hint("export the policy again"));
    }
    let mut left = tensors::from_bytes(&bytes)?;
    let mut params = match exported.critic {
        Some(_) => Params::zeros(shape.layout()),
        None => shape.init(0),
    };
    let layout = shape.layout();
    for entry in layout.entries().iter().filter(|entry| exported.critic.is_some() || !is_critic(&entry.name)) {
        params.tensor_mut(&entry.name).copy_from_slice(&take_f32(&mut left, &entry.name, &entry.shape)?);
    }
    if let (Outputs::Gaussian(_), ActionSpace::Continuous(channels)) = (&exported.head, &spaces.action) {
        to_units_of_bounds(&mut params, channels, shape.actor.last().copied().unwrap_or(shape.inputs));
    }
    params.check_finite()?;
    let normalizer = match exported.normalizer {
        Some(clipped) => Some(Normalizer::new(moments("normalizer", shape.inputs, clipped.epsilon, &mut left)?)),
        None => None,
    };
    let return_moments = match exported.return_epsilon {
        Some(epsilon) => Some(moments("returns", 1, epsilon, &mut left)?),
        None => None,
    };
    if let Some(name) = left.keys().next() {
        return Err(Error::artefact("is a tensor that the manifest does not know").at(name.escape_debug()));
    }
    Ok(Policy { shape, spaces: spaces.clone(), params, normalizer, return_moments, inner_rates: None })
}

/// Means in the environment's units become means in units of the bounds, where there are two: -1 is low, 1 is high. Both cut them off there.
#[expect(clippy::cast_possible_truncation, reason = "parameters are f32")]
fn to_units_of_bounds(params: &mut Params, channels: &[Channel], columns: usize) {
    for (action, channel) in channels.iter().enumerate().filter(|(_, channel)| channel.low.is_finite() && channel.high.is_finite()) {
        let (middle, reach) = (0.5 * (channel.high + channel.low), 0.5 * (channel.high - channel.low));
        for weight in &mut params.tensor_mut("actor.head.weight")[action * columns..][..columns] {
            *weight = (f64::from(*weight) / reach) as f32;
        }
        let bias = &mut params.tensor_mut("actor.head.bias")[action];
        *bias = ((f64::from(*bias) - middle) / reach) as f32;
        let log_std = &mut params.tensor_mut(LOG_STD)[action];
        *log_std = (f64::from(*log_std) - reach.ln()) as f32;
    }
}

/// Moments as `NAME.count`, `NAME.mean` and `NAME.variance`. Another epsilon than ours becomes part of the variance.
fn moments(name: &str, channels: usize, epsilon: f64, from: &mut Tensors) -> Result<Moments> {
    let mut part = |part: &str, size: usize| {
        let name = format!("{name}.{part}");
        let values = take_f64(from, &name, &[size])?;
        let sound = values.iter().all(|value| value.is_finite() && (part == "mean" || *value >= 0.0));
        if sound { Ok(values) } else { Err(Error::artefact("holds numbers that are no moments").at(name)) }
    };
    let (count, mean, variance) = (part("count", 1)?[0], part("mean", channels)?, part("variance", channels)?);
    let variance: Vec<f64> = variance.iter().map(|variance| (variance + epsilon - EPSILON).max(0.0)).collect();
    // Of fewer than two rows our moments know no variance.
    let moments = Moments::of(count.max(2.0), &mean, &variance);
    moments.check_finite(name)?;
    Ok(moments)
}
