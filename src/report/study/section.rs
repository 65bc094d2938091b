//! A section for each source in each target: curves, values, and in what the two environments differ.

use super::{Pair, curves, differences, table};
use crate::env::Registry;
use crate::report::number::{count, number};
use crate::stats::{Interval, mean};
use crate::study::{Definition, Row};
use maud::{Markup, html};

pub(super) fn section(definition: &Definition, pair: &Pair<'_>, registry: &Registry) -> Markup {
    let provenance = &pair.source.card.provenance;
    html! {
        section id=(format!("pair-{}", pair.number)) {
            h2 { (pair.title()) }
            p.about { (pair.target.environment.about) }
            p {
                "The policy " a href=(format!("#policy-{}", pair.source_index + 1)) { (pair.source.name()) }
                " learned in " (provenance.environment) " and goes on in " (pair.target.environment.name) ". " (standing(definition, pair))
            }
            (curves::figure(definition, pair))
            (table::table(definition, pair))
            (differences::table(pair, registry))
        }
    }
}

/// Where scratch and the highest mean stand. No verdict: it says what was seen, not what is so.
fn standing(definition: &Definition, pair: &Pair<'_>) -> Markup {
    let others = || pair.rows.iter().filter(|row| Some(*row) != pair.scratch() && mean(&row.finals).is_finite());
    let best = others().max_by(|a, b| mean(&a.finals).total_cmp(&mean(&b.finals)));
    let (Some(best), Some(scratch)) = (best, pair.scratch()) else { return html! {} };
    let equal: Vec<&str> = others().filter(|row| mean(&row.finals) >= mean(&best.finals)).map(|row| row.method.name()).collect();
    let last = equal.len() - 1;
    html! {
        "After " (count(definition.steps)) " steps there, scratch is at " (at(scratch)) "; the highest mean of the other methods is " (at(best)) ", of"
        @for (index, name) in equal.iter().enumerate() {
            @if index > 0 { (if index == last { " and" } else { "," }) }
            " " span.term { (name) }
        }
        "."
    }
}

fn at(row: &Row) -> Markup {
    html! {
        b { (number(mean(&row.finals))) }
        @if let Some(Interval { low, high, .. }) = row.interval { " [" (number(low)) ", " (number(high)) "]" }
    }
}
