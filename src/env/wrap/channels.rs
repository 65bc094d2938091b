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
    let distinct: BTreeSet<usize> = indices.iter().copied().collect();
    if distinct.len() != order.len() || distinct.len() != env.spaces().observation.len() {
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

#[cfg(test)]
mod tests {
    use super::super::echo;
    use super::*;
    use crate::env::Action;

    fn strings<const N: usize>(names: [&str; N]) -> Vec<String> {
        names.map(String::from).to_vec()
    }

    #[test]
    fn channels_come_in_the_order_that_is_named() {
        let mut env = permute(echo::discrete(), &strings(["done", "time"])).unwrap();
        assert_eq!(echo::names(&*env), ["done", "time"]);
        assert_eq!(echo::observations(&mut *env, &echo::indices([2]))[1], [2.0, 1.0]);
        assert!(permute(echo::discrete(), &strings(["done"])).is_err());
        assert!(permute(echo::discrete(), &strings(["done", "done"])).is_err());
        let typo = permute(echo::discrete(), &strings(["done", "tme"])).err().unwrap();
        assert_eq!(typo.remedy(), Some("did you mean `time`? There are: time, done"));
    }

    #[test]
    fn scaled_channels_scale_their_bounds() {
        let mut env = scale(echo::discrete(), &BTreeMap::from([("done".into(), -2.0)])).unwrap();
        assert_eq!(env.spaces().observation[1], Channel::new("done", -4.0, 2.0));
        assert_eq!(echo::observations(&mut *env, &echo::indices([2]))[1], [1.0, -4.0]);
        let dead = scale(echo::continuous(), &BTreeMap::from([("left".into(), 0.0)])).unwrap();
        assert_eq!(dead.spaces().observation[1], Channel::new("left", 0.0, 0.0));
    }

    #[test]
    fn dropped_and_renamed_channels_keep_their_values() {
        let mut env = drop(echo::continuous(), &strings(["left"])).unwrap();
        assert_eq!(echo::names(&*env), ["time", "right"]);
        assert_eq!(echo::observations(&mut *env, &[Action::Continuous(&[0.1, 0.2])])[1], [1.0, 0.2]);
        assert!(drop(echo::discrete(), &strings(["time", "done"])).is_err());
        // Two names may change places.
        let swap = BTreeMap::from([("left".into(), "right".into()), ("right".into(), "left".into())]);
        let mut env = rename(echo::continuous(), &swap).unwrap();
        assert_eq!(echo::names(&*env), ["time", "right", "left"]);
        assert_eq!(echo::observations(&mut *env, &[Action::Continuous(&[0.1, 0.2])])[1], [1.0, 0.1, 0.2]);
        assert!(rename(echo::discrete(), &BTreeMap::from([("tme".into(), "t".into())])).is_err());
    }
}
