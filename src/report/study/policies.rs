//! The policies that were moved: what each was trained to do, measured to do, and made from.

use crate::choose::Source;
use crate::policy::Ancestor;
use crate::report::number::{count, limits, number};
use crate::stats::Interval;
use crate::study::Definition;
use maud::{Markup, html};

pub(super) fn section(definition: &Definition) -> Markup {
    html! {
        section #policies {
            h2 { (if definition.sources.len() == 1 { "The policy that was moved" } else { "The policies that were moved" }) }
            @for (index, source) in definition.sources.iter().enumerate() { (policy(index + 1, source)) }
        }
    }
}

fn policy(number_in_page: usize, source: &Source) -> Markup {
    let card = &source.card;
    let provenance = &card.provenance;
    html! {
        article id=(format!("policy-{number_in_page}")) {
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
}

/// A policy over those it was made from.
fn ancestor(ancestor: &Ancestor) -> Markup {
    html! {
        li {
            b { (ancestor.name) }
            " " (ancestor.method) " in " (ancestor.environment) ", " (count(ancestor.steps)) " steps, seed " (ancestor.seed) " "
            code.short { (ancestor.digest.chars().take(12).collect::<String>()) }
            @if !ancestor.parents.is_empty() {
                ul { @for parent in &ancestor.parents { (self::ancestor(parent)) } }
            }
        }
    }
}
