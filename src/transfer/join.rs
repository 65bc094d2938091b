//! Channels that the target has beyond the source's join behind them, at weight zero.

use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Result};
use crate::nn::{ActorCritic, Normalizer, Params};
use crate::policy::Policy;

/// The source policy with inputs for every channel of the target.
pub(super) fn channels(source: &Policy, target: &Spaces) -> Result<Policy> {
    let known = |name: &str| source.spaces.observation.iter().any(|channel| channel.name == name);
    let lacking: Vec<&str> = source
        .spaces
        .observation
        .iter()
        .map(|channel| channel.name.as_str())
        .filter(|name| !target.observation.iter().any(|channel| channel.name == *name))
        .collect();
    if !lacking.is_empty() {
        return Err(Error::artefact(format!("the target does not show what the policy needs: {}", quoted(&lacking)))
            .hint("rename a channel of the target (RenameChannels) where it is the same under another name"));
    }
    let new: Vec<_> = target.observation.iter().filter(|channel| !known(&channel.name)).cloned().collect();
    if new.is_empty() {
        return Ok(source.clone());
    }
    let shape = ActorCritic { inputs: source.shape.inputs + new.len(), joined: source.shape.joined + new.len(), ..source.shape.clone() };
    let params = widen(source, &shape);
    let from: Vec<Option<usize>> = (0..shape.inputs).map(|channel| (channel < source.shape.inputs).then_some(channel)).collect();
    let normalizer = source.normalizer.as_ref().map(|normalizer| Normalizer::new(normalizer.moments.gathered(&from)));
    let mut spaces = source.spaces.clone();
    spaces.observation.extend(new);
    Ok(Policy { shape, spaces, params, normalizer, return_moments: source.return_moments.clone(), inner_rates: None })
}

/// Copies every tensor; first layers get columns of zeros at their end.
fn widen(source: &Policy, shape: &ActorCritic) -> Params {
    let mut params = Params::zeros(shape.layout());
    let layout = std::sync::Arc::clone(params.layout());
    for (old, new) in source.params.layout().entries().iter().zip(layout.entries()) {
        let from = &source.params.values[old.range.clone()];
        let into = &mut params.values[new.range.clone()];
        if old.shape == new.shape {
            into.copy_from_slice(from);
        } else {
            let (narrow, wide) = (old.shape[1], new.shape[1]);
            for (into, from) in into.chunks_exact_mut(wide).zip(from.chunks_exact(narrow)) {
                into[..narrow].copy_from_slice(from);
            }
        }
    }
    params
}

/// Fails unless the target's actions are the source's, by name.
pub(super) fn check_actions(source: &ActionSpace, target: &ActionSpace) -> Result<()> {
    let (mut ours, mut theirs) = (source.names(), target.names());
    ours.sort_unstable();
    theirs.sort_unstable();
    if std::mem::discriminant(source) == std::mem::discriminant(target) && ours == theirs {
        return Ok(());
    }
    Err(Error::artefact(format!("the policy's actions are {}, the target's {}", quoted(&ours), quoted(&theirs)))
        .hint("`--method reset-head` keeps the trunk and learns new actions"))
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
