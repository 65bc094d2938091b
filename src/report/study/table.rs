//! The table of a pair: for each method its mean, interval, IQM, every seed's value, and how far it is from scratch.

use super::{Pair, colour};
use crate::choose::Method;
use crate::report::chart::{bar, label, scale, strip};
use crate::report::number::{count, difference, limits, number, short};
use crate::stats::mean;
use crate::study::{Definition, Row};
use maud::{Markup, html};

pub(super) fn table(definition: &Definition, pair: &Pair<'_>) -> Markup {
    let finals = pair.rows.iter().flat_map(|row| row.finals.iter().copied());
    let domain = scale::with_room(scale::extent(finals).unwrap_or([0.0, 1.0]));
    let scratch = pair.scratch().map(|row| mean(&row.finals));
    let from_scratch = |row: &Row| mean(&row.finals) - scratch.unwrap_or(f64::NAN);
    let most = pair.rows.iter().map(|row| from_scratch(row).abs()).filter(|size| size.is_finite()).fold(0.0, f64::max);
    html! {
        div.scroll {
            table.results {
                caption { b { "Table " (pair.number) ". " } "Return after " (count(definition.steps)) " steps in " (pair.target.environment.name) "." }
                thead {
                    tr {
                        th scope="col" { "method" }
                        th.number scope="col" { "mean" }
                        th.number scope="col" { "95 % interval" }
                        th.number scope="col" { abbr title="Interquartile mean: the mean of the middle half of the seeds" { "IQM" } }
                        th.seeds scope="col" { "every seed" (strip::strip_axis(domain)) }
                        th.number scope="col" colspan="2" { "against scratch" }
                    }
                }
                tbody {
                    @for row in pair.rows {
                        tr {
                            th.method scope="row" title=(row.method.about()) {
                                (swatch(row.method)) (row.method.name())
                            }
                            td.number data-label="mean" { (number(mean(&row.finals))) }
                            td.number data-label="95 % interval" { (limits(row.interval)) }
                            td.number data-label="IQM" { (number(row.iqm)) }
                            td.seeds { (strip::strip(&row.finals, domain, scratch, colour(row.method), &in_words(row))) }
                            @if row.method == Method::Scratch {
                                td.difference {}
                                td.number data-label="against scratch" {}
                            } @else {
                                td.difference { (bar::difference(from_scratch(row), most, colour(row.method))) }
                                td.number data-label="against scratch" { (difference(from_scratch(row))) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn in_words(row: &Row) -> String {
    let values: Vec<String> = row.finals.iter().map(|value| short(*value)).collect();
    label::plain(&format!("{}: {}", row.method.name(), values.join(", ")))
}

/// A dot in the method's colour.
pub(super) fn swatch(method: Method) -> Markup {
    html! {
        svg.swatch viewBox="0 0 12 12" width="12" height="12" aria-hidden="true" {
            circle.(colour(method).fill()) cx="6" cy="6" r="5" {}
        }
    }
}
