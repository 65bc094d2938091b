//! Taylor & Stone's metrics of every method, and what describes beside the verdict.

use super::{Shown, table::swatch, words};
use crate::report::number::{count, difference, number};
use crate::study::transfer_metrics::{Estimate, TimeToThreshold};
use crate::study::{Arm, Definition};
use maud::{Markup, html};

pub(super) fn table(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let threshold = shown.found.anchors.threshold(definition.threshold);
    html! {
        h3 { "By the measures of transfer" }
        div.scroll {
            table.metrics {
                thead {
                    tr {
                        th scope="col" { "method" }
                        th.number scope="col" { abbr title="Return before the first step in the target, minus scratch's" { "jumpstart" } }
                        th.number scope="col" { abbr title=(format!("Steps by which half of the runs reach {}; runs that do not are counted, and given no time", number(threshold))) { "time to threshold" } }
                        th.number scope="col" { abbr title="Mean of the last tenth of the evaluations, with the most probable actions, and with drawn ones" { "at the end" } }
                        th.number scope="col" { abbr title="Mean return over the budget" { "area" } }
                        th.number scope="col" { abbr title="(area - scratch's) / scratch's, of normalised returns" { "transfer ratio" } }
                        th.number scope="col" { abbr title="Probability that a run beats one of scratch" { "improves" } }
                    }
                }
                tbody {
                    @for arm in &shown.found.arms { (row(arm)) }
                    @if let Some(control) = &shown.found.control {
                        tr {
                            th.method scope="row" { "scratch, " (count(control.steps)) " steps" }
                            td {} td.number data-label="time to threshold" { (time(control.time_to_threshold)) }
                            td.number data-label="at the end" { (number(crate::stats::mean(&control.finals))) }
                            td {} td {} td {}
                        }
                    }
                }
            }
        }
        p.hint {
            "Random actions get " (number(shown.found.anchors.random)) "; scratch gets " (number(shown.found.anchors.reference)) " in "
            (count(shown.pair.reference_steps)) " steps (" (shown.found.reference.len()) " seeds of its own)"
            @if shown.found.anchors.range() > 0.0 {
                ": normalised, these are 0 and 1, and the threshold is " (definition.threshold) ", a return of " (number(threshold)) "."
            } @else {
                ": there is no way from the one to the other, and so no threshold and no normalised return."
            }
        }
    }
}

fn row(arm: &Arm) -> Markup {
    let metrics = &arm.metrics;
    html! {
        tr {
            th.method scope="row" { (swatch(arm.method)) (arm.method.name()) }
            td.number data-label="jumpstart" { @if arm.against.is_some() { (difference(metrics.jumpstart.value)) small { (words::limits(metrics.jumpstart.interval)) } } }
            td.number data-label="time to threshold" { (time(metrics.time_to_threshold)) }
            td.number data-label="at the end" { (number(metrics.asymptotic)) small { "drawn " (number(arm.sampled)) } }
            td.number data-label="area" { (number(metrics.area)) }
            td.number data-label="transfer ratio" { @if arm.against.is_some() { (estimate(metrics.transfer_ratio)) } }
            td.number data-label="improves" { @if let Some(against) = &arm.against { (estimate(Some(against.improvement))) } }
        }
    }
}

fn estimate(estimate: Option<Estimate>) -> Markup {
    html! {
        @if let Some(Estimate { value, interval }) = estimate { (number(value)) small { (words::limits(interval)) } } @else { "—" }
    }
}

fn time(time: TimeToThreshold) -> Markup {
    html! {
        @match time.median { Some(steps) => (count(steps)), None => "—" }
        small { (time.reached) " of " (time.runs) " reach it" }
    }
}
