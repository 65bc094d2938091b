//! Looks at results. Seeds that are added, or a plan that is changed, after a look make the next verdict exploratory: five seeds, then
//! five more, are wrong in 8.6 % of null studies instead of 5 %.

use super::definition::{Definition, Origin};
use crate::error::Result;
use crate::file::{digest, disk, ron};
use serde::{Deserialize, Serialize};
use std::path::Path;

const FORMAT: u32 = 1;
const FILE: &str = "looks.ron";

/// `looks.ron`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename = "looks", deny_unknown_fields)]
struct Looks {
    format: u32,
    looks: Vec<Look>,
}

/// A look: what was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    /// SHA-256 of all that was planned but the seeds.
    plan: String,
    first_seed: u64,
    seeds: u64,
}

/// Remembers that a study's results are looked at, and says what was seen in its folder before, where that was something else.
///
/// # Errors
/// Exit 6 when the disk refuses, 3 when the folder's record is damaged.
pub fn look(out: &Path, definition: &Definition) -> Result<Option<String>> {
    let path = out.join(FILE);
    let mut looks = if path.exists() {
        let known: Looks = ron::read_artefact(&path)?;
        known.looks
    } else {
        Vec::new()
    };
    let now = Look { plan: plan(definition), first_seed: definition.first_seed, seeds: definition.seeds };
    let before: Vec<Look> = looks.iter().filter(|look| **look != now).cloned().collect();
    if !looks.contains(&now) {
        looks.push(now.clone());
        disk::write(&path, ron::to_text(&Looks { format: FORMAT, looks }).as_bytes())?;
    }
    Ok(sentence(&before, &now))
}

fn sentence(before: &[Look], now: &Look) -> Option<String> {
    let first = before.first()?;
    let what = if first.plan == now.plan {
        format!("with seeds {} to {}", first.first_seed, first.first_seed + first.seeds - 1)
    } else {
        "under another plan (other pairs, methods, budgets, measure or configuration)".to_owned()
    };
    Some(format!("results in this folder were looked at before {what}: take this as exploratory, and confirm it with fresh seeds"))
}

fn plan(definition: &Definition) -> String {
    let pair = |pair: &super::Pair| {
        let origin = match &pair.origin {
            Origin::Policy(source) => source.card.digest.clone(),
            Origin::Environment { environment, steps } => format!("{} {steps}", environment.digest()),
        };
        let configurations: Vec<String> = pair.configurations.iter().map(|(_, configuration)| configuration.to_ron()).collect();
        format!("{origin} {} {} {} {:?} {configurations:?}", pair.target.digest(), pair.steps, pair.reference_steps, pair.measure)
    };
    let Definition { methods, evaluations, episodes, tuning, reference, threshold, failures, .. } = definition;
    let pairs: Vec<String> = definition.pairs.iter().map(pair).collect();
    let text = format!("{pairs:?} {:?}", (methods, evaluations, episodes, tuning, reference, threshold, failures));
    digest::of_bytes(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_look_is_free() {
        let look = |plan: &str, seeds| Look { plan: plan.into(), first_seed: 0, seeds };
        assert_eq!(sentence(&[], &look("a", 10)), None);
        assert!(sentence(&[look("a", 5)], &look("a", 10)).unwrap().contains("seeds 0 to 4"));
        assert!(sentence(&[look("b", 10)], &look("a", 10)).unwrap().contains("another plan"));
    }
}
