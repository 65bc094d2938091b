//! What was moved: each policy's card, or the environment that a policy for each seed was learned in.

use crate::choose::Source;
use crate::policy::Ancestor;
use crate::report::number::{budget, count, limits, number};
use crate::stats::Interval;
use crate::study::{Definition, Origin, PairResults, Results};
use maud::{Markup, html};
use std::collections::BTreeSet;

pub(super) fn section(definition: &Definition, results: &Results) -> Markup {
    let mut met = BTreeSet::new();
    let moved = definition.pairs.iter().zip(&results.pairs).flat_map(|(pair, found)| {
        let origins = std::iter::once(&pair.origin).chain(&pair.adapt_from);
        origins.map(move |origin| (origin, found))
    });
    let distinct: Vec<(&Origin, &PairResults)> = moved.filter(|(origin, _)| met.insert(identity(origin))).collect();
    html! {
        section #policies {
            h2 { "What was moved" }
            @for (index, (origin, found)) in distinct.iter().enumerate() {
                article id=(format!("policy-{}", index + 1)) {
                    @match origin {
                        Origin::Policy(source) => (policy(source)),
                        Origin::Environment { steps, .. } => (learned(&origin.name(), found, *steps)),
                    }
                }
            }
        }
    }
}

fn learned(name: &str, found: &PairResults, steps: u64) -> Markup {
    html! {
        h3 { "Policies from " (name) ", " (count(steps)) " steps each" }
        dl {
            @if let Some(first) = found.sources.first() {
                dt { "made by" }
                dd { code { (first.card.provenance.command) } " and so on, one for each seed" }
                dt { "configuration" }
                dd { details { summary { "as for " code { "heirloom pretrain" } } pre { (first.card.provenance.configuration) } } }
            }
            dt { "policies" }
            dd {
                ul.lineage {
                    @for source in &found.sources {
                        li { "seed " (source.card.provenance.seed) " " code.short { (source.card.digest.chars().take(12).collect::<String>()) } }
                    }
                }
            }
        }
    }
}

fn policy(source: &Source) -> Markup {
    let card = &source.card;
    let provenance = &card.provenance;
    html! {
        h3 { (source.name()) }
        dl {
            @if let Some(measured) = &card.measured {
                @let interval = Interval { mean: measured.mean, low: measured.interval[0], high: measured.interval[1] };
                dt { "return" }
                dd { (number(measured.mean)) " " (limits(Some(interval))) " over " (count(measured.episodes)) " episodes in " (measured.environment) }
            }
            dt { "made by" }
            dd { code { (provenance.command) } }
            dt { "digest" }
            dd { code.digest { (card.digest) } }
            dt { "lineage" }
            dd { ul.lineage { (ancestor(&card.as_ancestor(&source.name()))) } }
        }
    }
}

/// A policy over those it was made from.
fn ancestor(ancestor: &Ancestor) -> Markup {
    html! {
        li {
            b { (ancestor.name) }
            " " (ancestor.method) " in " (ancestor.environment) ", " (budget(ancestor.steps, ancestor.seed)) " "
            code.short { (ancestor.digest.chars().take(12).collect::<String>()) }
            @if !ancestor.parents.is_empty() {
                ul { @for parent in &ancestor.parents { (self::ancestor(parent)) } }
            }
        }
    }
}

/// What tells one origin from another.
fn identity(origin: &Origin) -> (String, u64) {
    match origin {
        Origin::Policy(source) => (source.card.digest.clone(), 0),
        Origin::Environment { environment, steps } => (environment.digest(), *steps),
    }
}
