//! The table of a pair: for each method its verdict, mean, interval, IQM, every seed's value, and how far it is from scratch.

use super::{Shown, chip, colour, words};
use crate::choose::Method;
use crate::report::chart::{label, scale, strip};
use crate::report::number::{difference, number, short};
use crate::study::{Arm, Definition};
use maud::{Markup, html};

pub(super) fn table(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let values = shown.found.arms.iter().flat_map(|arm| arm.values.iter().copied());
    let domain = scale::with_room(scale::extent(values).unwrap_or([0.0, 1.0]));
    let scratch = shown.found.scratch().mean.value;
    html! {
        div.scroll {
            table.results {
                caption { b { "Table " (shown.number) ". " } (capital(shown.pair.measure.words())) " in " (shown.pair.target.name) ", " (super::seeds(definition)) "." }
                thead {
                    tr {
                        th scope="col" { "method" }
                        th scope="col" { "verdict" }
                        th.number scope="col" { "mean" }
                        th.number scope="col" { abbr title="0 is random actions, 1 is scratch at a long budget" { "normalised" } }
                        th.number scope="col" { abbr title="Interquartile mean: the mean of the middle half of the seeds, with its bootstrap interval" { "IQM" } }
                        th.seeds scope="col" { "every seed" (strip::strip_axis(domain)) }
                        th.number scope="col" { abbr title="The interval holds for all comparisons of the study together; Holm’s correction may decide where it just touches 0" { "against scratch" } }
                    }
                }
                tbody { @for arm in &shown.found.arms { (row(shown, arm, domain, scratch)) } }
            }
        }
    }
}

fn row(shown: &Shown<'_>, arm: &Arm, domain: [f64; 2], scratch: f64) -> Markup {
    let comparison = arm.against.as_ref().and_then(|against| against.comparison);
    html! {
        tr {
            th.method scope="row" title=(arm.method.about()) {
                (swatch(arm.method)) (arm.method.name())
                @if shown.found.best == Some(arm.method) { abbr.best title="the best on the tuning seeds: it speaks for the pair" { "*" } }
            }
            td.verdict { @if let Some(comparison) = comparison { (chip(comparison.verdict)) } }
            td.number data-label="mean" { (number(arm.mean.value)) small { (words::limits(arm.mean.interval)) } }
            td.number data-label="normalised" { (shown.found.anchors.normalized(arm.mean.value).map_or_else(|| "—".to_owned(), number)) }
            td.number data-label="IQM" { (number(arm.iqm.value)) small { (words::limits(arm.iqm.interval)) } }
            td.seeds { (strip::strip(&arm.values, domain, Some(scratch).filter(|value| value.is_finite()), colour(arm.method), &in_words(arm))) }
            td.number data-label="against scratch" {
                @if let Some(comparison) = comparison {
                    (difference(comparison.welch.difference))
                    small { (words::limits(Some(comparison.interval))) }
                    @if let Some(step) = comparison.decisive_step() { small { "Holm’s step " (words::limits(Some(step))) } }
                }
            }
        }
    }
}

fn in_words(arm: &Arm) -> String {
    let values: Vec<String> = arm.values.iter().map(|value| short(*value)).collect();
    label::plain(&format!("{}: {}", arm.method.name(), values.join(", ")))
}

fn capital(text: &str) -> String {
    text.replacen('m', "M", 1)
}

/// A dot in the method's colour.
pub(super) fn swatch(method: Method) -> Markup {
    html! {
        svg.swatch viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" {
            circle.(colour(method).fill()) cx="6" cy="6" r="5" {}
        }
    }
}
