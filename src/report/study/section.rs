//! A section for each pair: the verdict, from which budget on, the curves behind it, and in what the two environments differ.

use super::{Shown, band, chip, cost, curves, diagnostics, differences, metrics, table, words};
use crate::env::Registry;
use crate::study::{Definition, Origin};
use maud::{Markup, html};

pub(super) fn section(definition: &Definition, shown: &Shown<'_>, registry: &Registry) -> Markup {
    html! {
        section id=(format!("pair-{}", shown.number)) {
            h2 { (shown.title()) }
            p.kicker { (shown.pair.name) }
            p.about { (shown.pair.target.about) }
            (answer(shown))
            (notes(definition, shown))
            (band::section(definition, shown))
            (curves::figure(definition, shown))
            (table::table(definition, shown))
            (metrics::table(definition, shown))
            (diagnostics::section(definition, shown))
            (differences::table(shown, registry))
            (cost::section(definition, shown))
        }
    }
}

/// The verdict of the method that speaks for the pair; of all of them where none does.
fn answer(shown: &Shown<'_>) -> Markup {
    html! {
        @for arm in shown.found.speaking() {
            p.answer {
                @if let Some(comparison) = arm.against.as_ref().and_then(|against| against.comparison) { (chip(comparison.verdict)) " " }
                (words::sentence(shown.pair, shown.found, arm))
            }
        }
        p.hint {
            @match shown.found.speaking().first().map_or(&shown.pair.origin, |arm| shown.pair.origin_of(arm.method)) {
                Origin::Policy(source) => { "Judged is one policy, " (source.name()) ", not the environment that it comes from." }
                Origin::Environment { .. } => { "Judged is the environment as a source: every seed has a policy of its own from it." }
            }
            " The verdict is about the " (shown.pair.measure.words()) "."
        }
    }
}

fn notes(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let notes = words::notes(definition, shown.pair, shown.found);
    html! { @if !notes.is_empty() { ul.notes { @for note in &notes { li { (note) } } } } }
}
