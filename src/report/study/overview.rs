//! The overview: every method's difference to scratch in every pair, on one scale, with the verdicts.

use super::table::swatch;
use super::{Shown, captioned, chip, colour, words};
use crate::choose::Method;
use crate::report::chart::figure::wide_and_narrow;
use crate::report::chart::{DotRow, Dots, Figure};
use crate::stats::Interval;
use crate::study::{Arm, Definition};
use maud::{Markup, html};

const GAP: f64 = 40.0;
/// Beyond these shares of the way from random to the reference, marks are cut.
const DOMAIN: [f64; 2] = [-1.15, 1.15];

pub(super) fn section(definition: &Definition, shown: &[Shown<'_>]) -> Markup {
    let title = "Difference to scratch";
    let wide = figure("overview-wide", title, shown, if shown.len() == 1 { 1 } else { 2 }, 920.0);
    let narrow = figure("overview-narrow", title, shown, 1, 380.0);
    let caption = html! {
        "Each method's difference to scratch, as a share of the way from random actions (−1 would lose all of it) to what scratch reaches at a long
        budget (+1 would win all of it), with intervals that hold for the whole study at once. An interval right of the line: helped; left of it: hurt; Holm’s correction may decide where it just touches."
    };
    html! {
        section #overview {
            @if shown.len() > 1 { (verdicts(definition, shown)) }
            (captioned(&format!("{}-overview", definition.name), 1, &wide_and_narrow(&wide, &narrow), &caption))
            dl.methods {
                @for method in &definition.methods {
                    dt { (swatch(*method)) (method.name()) }
                    dd { (method.about()) }
                }
            }
        }
    }
}

/// All verdicts at a glance: pairs down, methods across.
fn verdicts(definition: &Definition, shown: &[Shown<'_>]) -> Markup {
    let others: Vec<Method> = definition.methods.iter().copied().filter(|method| *method != Method::Scratch).collect();
    html! {
        div.scroll {
            table.verdicts {
                thead { tr { th scope="col" { "pair" } @for method in &others { th scope="col" { (method.name()) } } } }
                tbody {
                    @for pair in shown {
                        tr {
                            th scope="row" { a href=(format!("#pair-{}", pair.number)) { (pair.pair.name) } small { (pair.title()) } }
                            @for method in &others {
                                td data-label=(method.name()) {
                                    @if let Some(verdict) = pair.found.arm(*method).and_then(verdict) { (chip(verdict)) }
                                    @if pair.found.best == Some(*method) { abbr.best title="chosen on the tuning seeds" { "*" } }
                                }
                            }
                        }
                    }
                }
            }
        }
        @if definition.tunes() { p.hint { "* speaks for its pair: the best method on the tuning seeds, judged on the others." } }
        ul.answers {
            @for pair in shown {
                @for arm in pair.found.speaking() { li { (words::sentence(pair.pair, pair.found, arm)) } }
            }
        }
    }
}

fn verdict(arm: &Arm) -> Option<crate::study::Verdict> {
    Some(arm.against.as_ref()?.comparison?.verdict)
}

fn figure(id: &str, title: &str, shown: &[Shown<'_>], columns: usize, width: f64) -> Figure {
    let panels: Vec<Dots> = shown.iter().map(dots).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
    let at = |index: usize| (index as f64, columns as f64, panels.len().div_ceil(columns) as f64);
    let most_rows = panels.iter().map(|panel| panel.rows.len()).max().unwrap_or(0);
    let height = Dots::height(most_rows) + 18.0;
    let (_, across, lines) = at(0);
    let panel_width = (width - (across - 1.0) * GAP) / across;
    let marks = html! {
        @for (index, panel) in panels.iter().enumerate() {
            @let (column, line) = (at(index % columns).0, at(index / columns).0);
            (panel.panel(column * (panel_width + GAP), line * height, panel_width, DOMAIN))
        }
    };
    let description = panels.iter().map(described).collect::<Vec<_>>().join(" ");
    Figure { id: id.to_owned(), title: title.to_owned(), description, size: [width, (lines * height - 18.0).max(1.0)], marks }
}

fn dots(shown: &Shown<'_>) -> Dots {
    Dots {
        heading: shown.pair.name.clone(),
        x_title: "share of random to reference".into(),
        rows: shown.found.arms.iter().filter_map(|arm| dot_row(shown, arm)).collect(),
        reference: Some(0.0),
    }
}

fn dot_row(shown: &Shown<'_>, arm: &Arm) -> Option<DotRow> {
    let against = arm.against.as_ref()?;
    let range = shown.found.anchors.range();
    let share = |value: f64| if range > 0.0 { value / range } else { f64::NAN };
    let mean = share(arm.mean.value - shown.found.scratch().mean.value);
    let interval = against.comparison.map(|comparison| {
        let [low, high] = comparison.interval.map(share);
        Interval { mean, low, high }
    });
    Some(DotRow {
        name: arm.method.name().to_owned(),
        colour: colour(arm.method),
        values: Vec::new(),
        mean: mean.clamp(DOMAIN[0], DOMAIN[1]),
        interval,
        text: against.comparison.map_or("no verdict", |comparison| comparison.verdict.name()).to_owned(),
    })
}

fn described(panel: &Dots) -> String {
    let rows: Vec<String> = panel.rows.iter().map(|row| format!("{} {}", row.name, row.text)).collect();
    format!("{}: {}.", panel.heading, rows.join(", "))
}
