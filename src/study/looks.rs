//! Looks at results. Seeds that are added, or a plan that is changed, after a look make the next verdict exploratory: five seeds, then
//! five more, are wrong in 8.6 % of null studies instead of 5 %.

use super::definition::{Definition, Origin};
use crate::error::{Error, Result};
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

/// What was looked at in a folder before, in order.
///
/// # Errors
/// Exit 3 when the folder's record is damaged.
pub fn before(out: &Path) -> Result<Before> {
    let path = out.join(FILE);
    if !path.exists() {
        return Ok(Before(Vec::new()));
    }
    let known: Looks = ron::read_artefact(&path)?;
    let sound =
        known.format == FORMAT && known.looks.iter().all(|look| look.seeds > 0 && look.first_seed.checked_add(look.seeds).is_some());
    if !sound {
        return Err(Error::artefact("is no record of looks").at(path.display()).hint("give the study a new folder with --out"));
    }
    Ok(Before(known.looks))
}

/// The looks at a folder.
pub struct Before(Vec<Look>);

impl Before {
    /// Remembers that a study's results are looked at, and says what was seen in its folder before, where that was something else.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub fn look(mut self, out: &Path, definition: &Definition) -> Result<Option<String>> {
        let now = Look { plan: plan(definition), first_seed: definition.first_seed, seeds: definition.seeds };
        let sentence = sentence(&self.0, &now);
        if !self.0.contains(&now) {
            self.0.push(now);
            disk::write(&out.join(FILE), ron::to_text(&Looks { format: FORMAT, looks: self.0 }).as_bytes())?;
        }
        Ok(sentence)
    }
}

/// Of the looks before this one, the first.
fn sentence(looks: &[Look], now: &Look) -> Option<String> {
    let first = looks.first().filter(|first| *first != now)?;
    let what = if first.plan == now.plan {
        format!("with seeds {} to {}", first.first_seed, first.first_seed + first.seeds - 1)
    } else {
        "under another plan (other pairs, methods, budgets, measure or configuration)".to_owned()
    };
    Some(format!("results in this folder were looked at before {what}: take this as exploratory, and confirm it with fresh seeds"))
}

fn plan(definition: &Definition) -> String {
    let pair = |pair: &super::Pair| {
        let identity = |origin: &Origin| match origin {
            Origin::Policy(source) => source.card.digest.clone(),
            Origin::Environment { environment, steps } => format!("{} {steps}", environment.digest()),
        };
        let adapt_from = pair.adapt_from.as_ref().map_or_else(String::new, |origin| format!(" {}", identity(origin)));
        let origin = identity(&pair.origin) + &adapt_from;
        let configurations: Vec<String> = pair.configurations.iter().map(|(_, configuration)| configuration.to_ron()).collect();
        let lessons = pair.lessons.as_ref().map(|lessons| (&lessons.digest, lessons.selection, lessons.role));
        format!(
            "{origin} {} {} {} {:?} {lessons:?} {configurations:?}",
            pair.target.digest(),
            pair.steps,
            pair.reference_steps,
            pair.measure
        )
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
        assert_eq!(sentence(&[look("a", 5), look("a", 10)], &look("a", 5)), None, "the first plan stays what it was");
        assert!(sentence(&[look("b", 10)], &look("a", 10)).unwrap().contains("another plan"));
    }
}
