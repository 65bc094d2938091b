//! Everything that was run for a pair, brought together, with what random actions get and what looks copied.

use super::Origin;
use super::cell::CellResult;
use super::definition::{Definition, Pair};
use super::stages::{Prepared, Reported, Trial};
use crate::choose::{Method, Source};
use crate::env::{ActionSpace, Registry};
use crate::error::Result;
use crate::parallel::Pool;
use crate::rollout::{MakeEnv, random_returns};
use crate::stop::Stop;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Episodes of random actions.
const RANDOM_EPISODES: usize = 100;

/// Everything that was run for a pair.
pub struct Gathered {
    /// The source of each reported seed; one alone where the study judges a policy.
    pub sources: Vec<Source>,
    /// Returns of random actions in the target.
    pub random: Vec<f64>,
    /// The target's actions.
    pub action: ActionSpace,
    /// Scratch at a long budget.
    pub reference: Vec<CellResult>,
    /// By method, in the study's order.
    pub arms: Vec<GatheredArm>,
    /// Scratch with the source's steps too.
    pub control: Vec<CellResult>,
    /// The method, scratch aside, that was best on the tuning seeds.
    pub best: Option<Method>,
}

/// The runs of a method.
pub struct GatheredArm {
    /// The method.
    pub method: Method,
    /// The factor of its learning rate.
    pub factor: f64,
    /// What was tried.
    pub trials: Vec<Trial>,
    /// The run of each seed.
    pub cells: Vec<CellResult>,
}

/// Brings together what was run for a pair, and lets random actions show what nobody has to learn.
///
/// # Errors
/// When the target fails.
pub fn gather(
    definition: &Definition,
    pair: &Pair,
    prepared: &Prepared,
    reference: Vec<CellResult>,
    reported: Reported,
    registry: &Registry,
    stop: &Stop,
) -> Result<Gathered> {
    let (spec, copied) = (pair.target.clone(), registry.clone());
    let make: MakeEnv = Arc::new(move || copied.build(&spec));
    let arm = |(method, cells): (&Method, Vec<CellResult>)| GatheredArm {
        method: *method,
        factor: prepared.factor(*method),
        trials: prepared.trials.get(method).cloned().unwrap_or_default(),
        cells,
    };
    let arms = definition.methods.iter().zip(reported.arms).map(arm).collect();
    let one = matches!(pair.origin, Origin::Policy(_));
    Ok(Gathered {
        random: random_returns(&make, RANDOM_EPISODES, definition.first_seed, &Pool::inline(), stop)?,
        action: make()?.spaces().action.clone(),
        reference,
        arms,
        control: reported.control,
        best: prepared.best_method(&definition.methods),
        sources: definition.seed_range().take(if one { 1 } else { usize::MAX }).map(|seed| prepared.source(seed).clone()).collect(),
    })
}

/// Runs that ended in the very same policy, and sources that are one policy: something was copied.
pub(super) fn copies(definition: &Definition, arms: &[GatheredArm], sources: &[Source]) -> Vec<String> {
    let mut seen: BTreeMap<&str, String> = BTreeMap::new();
    let mut copies = Vec::new();
    let runs = arms.iter().filter(|arm| arm.method.learns()).flat_map(|arm| {
        definition
            .seed_range()
            .zip(&arm.cells)
            .filter(|(_, cell)| cell.failed.is_none())
            .map(|(seed, cell)| (arm.method.name(), seed, cell.policy.as_str()))
    });
    for (name, seed, policy) in runs {
        let here = format!("{name} with seed {seed}");
        match seen.get(policy) {
            Some(there) => copies.push(format!("{here} ended in the same policy as {there}")),
            None => {
                seen.insert(policy, here);
            }
        }
    }
    let mut sources_seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        if let Some(other) = sources_seen.insert(&source.card.digest, index) {
            copies.push(format!("the sources {} and {} are one policy", other + 1, index + 1));
        }
    }
    copies
}
