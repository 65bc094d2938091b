//! The overview: final returns of all methods in all targets, with their intervals, in one figure.

use super::table::swatch;
use super::{Pair, captioned, colour, seeds, wide_and_narrow};
use crate::report::chart::{DotRow, Dots, Figure, scale};
use crate::report::number::{count, short};
use crate::stats::mean;
use crate::study::{Definition, Row};
use maud::{Markup, html};

const GAP: f64 = 40.0;

pub(super) fn section(definition: &Definition, pairs: &[Pair<'_>]) -> Markup {
    let title = format!("Return after {} steps in the target", count(definition.steps));
    let wide = figure("overview-wide", &title, pairs, if pairs.len() == 1 { 1 } else { 2 }, 920.0);
    let narrow = figure("overview-narrow", &title, pairs, 1, 380.0);
    let dots = match definition.seeds {
        1 => "Dots are single runs of one seed".to_owned(),
        _ => format!(
            "Dots are means over {}, bars their 95 % t‑intervals, cut where they leave the frame, thin strokes the single seeds",
            seeds(definition)
        ),
    };
    let caption = html! {
        (title) ". " (dots) "; the dashed line is what learning from scratch reaches in the same steps. Each run is measured over "
        (definition.episodes) " episodes."
    };
    html! {
        section #overview {
            (captioned(&format!("{}-overview", definition.name), 1, &wide_and_narrow(&wide, &narrow), &caption))
            dl.methods {
                @for method in &definition.methods {
                    dt { (swatch(*method)) (method.name()) }
                    dd { (method.about()) }
                }
            }
            @if pairs.len() > 1 {
                nav {
                    ol { @for pair in pairs { li { a href=(format!("#pair-{}", pair.number)) { (pair.title()) } } } }
                }
            }
        }
    }
}

fn figure(id: &str, title: &str, pairs: &[Pair<'_>], columns: usize, width: f64) -> Figure {
    let panels: Vec<Dots> = pairs.iter().map(dots).collect();
    #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
    let at = |index: usize| (index as f64, columns as f64, panels.len().div_ceil(columns) as f64);
    let most_rows = panels.iter().map(|panel| panel.rows.len()).max().unwrap_or(0);
    let height = Dots::height(most_rows) + 18.0;
    let (_, across, lines) = at(0);
    let panel_width = (width - (across - 1.0) * GAP) / across;
    let marks = html! {
        @for (index, (panel, pair)) in panels.iter().zip(pairs).enumerate() {
            @let (column, line) = (at(index % columns).0, at(index / columns).0);
            (panel.panel(column * (panel_width + GAP), line * height, panel_width, domain(pair, &panels, pairs)))
        }
    };
    let description = panels.iter().map(described).collect::<Vec<_>>().join(" ");
    Figure { id: id.to_owned(), title: title.to_owned(), description, size: [width, lines * height - 18.0], marks }
}

/// Targets of one simulator share their axis, so that they can be compared by eye.
fn domain(pair: &Pair<'_>, panels: &[Dots], pairs: &[Pair<'_>]) -> [f64; 2] {
    let simulator = |pair: &Pair<'_>| pair.target.environment.simulator.clone();
    let alike = panels.iter().zip(pairs).filter(|(_, other)| simulator(other) == simulator(pair));
    let reach = scale::extent(alike.filter_map(|(panel, _)| panel.reach()).flatten());
    scale::with_room(reach.unwrap_or([0.0, 1.0]))
}

fn dots(pair: &Pair<'_>) -> Dots {
    Dots {
        heading: pair.title(),
        x_title: "mean return of an episode".into(),
        rows: pair.rows.iter().map(dot_row).collect(),
        reference: pair.scratch().map(|row| mean(&row.finals)),
    }
}

fn dot_row(row: &Row) -> DotRow {
    let centre = mean(&row.finals);
    DotRow {
        name: row.method.name().to_owned(),
        colour: colour(row.method),
        values: row.finals.clone(),
        mean: centre,
        interval: row.interval,
        text: short(centre),
    }
}

fn described(panel: &Dots) -> String {
    let rows: Vec<String> = panel.rows.iter().map(|row| format!("{} {}", row.name, row.text)).collect();
    format!("{}: {}.", panel.heading, rows.join(", "))
}
