//! Permuting, scaling, dropping and renaming channels are one thing: which inner channel each outer one shows, and times what.

use super::channel_index;
use super::layer::{Layer, wrap};
use crate::env::{Channel, Env, Spaces};
use crate::error::{Error, Result};
use crate::seed::Rng;
use std::collections::{BTreeMap, BTreeSet};

struct Channels {
    /// For each outer channel: the inner one's index and its factor.
    from: Vec<(usize, f64)>,
}

/// All channels in the given order.
pub(super) fn permute(env: Box<dyn Env>, order: &[String]) -> Result<Box<dyn Env>> {
    let indices = order.iter().map(|name| channel_index(env.spaces(), name)).collect::<Result<Vec<_>>>()?;
    let named: BTreeSet<usize> = indices.iter().copied().collect();
    if named.len() != order.len() || named.len() != env.spaces().observation.len() {
        let names: Vec<&str> = env.spaces().observation.iter().map(|channel| channel.name.as_str()).collect();
        return Err(Error::usage("the order must name every channel once").hint(format!("the channels are: {}", names.join(", "))));
    }
    Ok(around(env, indices.into_iter().map(|index| (index, 1.0)).collect(), &BTreeMap::new()))
}

/// Some channels times a factor.
pub(super) fn scale(env: Box<dyn Env>, factors: &BTreeMap<String, f64>) -> Result<Box<dyn Env>> {
    let mut from: Vec<(usize, f64)> = all(&*env);
    for (name, factor) in factors {
        from[channel_index(env.spaces(), name)?].1 = *factor;
    }
    Ok(around(env, from, &BTreeMap::new()))
}

/// All channels but some.
pub(super) fn drop(env: Box<dyn Env>, names: &[String]) -> Result<Box<dyn Env>> {
    let dropped: BTreeSet<usize> = names.iter().map(|name| channel_index(env.spaces(), name)).collect::<Result<_>>()?;
    let from: Vec<(usize, f64)> = all(&*env).into_iter().filter(|(index, _)| !dropped.contains(index)).collect();
    if from.is_empty() {
        return Err(Error::usage("no channel would be left"));
    }
    Ok(around(env, from, &BTreeMap::new()))
}

/// Some channels under other names.
pub(super) fn rename(env: Box<dyn Env>, names: &BTreeMap<String, String>) -> Result<Box<dyn Env>> {
    for old in names.keys() {
        channel_index(env.spaces(), old)?;
    }
    let from = all(&*env);
    Ok(around(env, from, names))
}

fn all(env: &dyn Env) -> Vec<(usize, f64)> {
    (0..env.spaces().observation.len()).map(|index| (index, 1.0)).collect()
}

fn around(inner: Box<dyn Env>, from: Vec<(usize, f64)>, names: &BTreeMap<String, String>) -> Box<dyn Env> {
    let shown = |&(index, factor): &(usize, f64)| {
        let Channel { name, low, high } = &inner.spaces().observation[index];
        // An unbounded channel times zero is zero, not a NaN.
        let scaled = |bound: f64| if factor == 0.0 { 0.0 } else { bound * factor };
        let (low, high) = (scaled(*low), scaled(*high));
        Channel::new(names.get(name).unwrap_or(name).clone(), low.min(high), low.max(high))
    };
    let spaces = Spaces { observation: from.iter().map(shown).collect(), action: inner.spaces().action.clone() };
    wrap(inner, spaces, Channels { from })
}

impl Layer for Channels {
    fn see(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        for (shown, (index, factor)) in outer.iter_mut().zip(&self.from) {
            *shown = inner[*index] * factor;
        }
    }
}
