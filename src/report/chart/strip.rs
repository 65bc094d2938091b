//! A strip of dots in a table's cell: every value of a row, on the axis of the whole table.

use super::axis::tick_labels;
use super::{Colour, Px, Scale};
use maud::{Markup, html};

/// Width of a strip.
pub const WIDTH: f64 = 190.0;
const HEIGHT: f64 = 20.0;
const RANGE: [f64; 2] = [8.0, WIDTH - 8.0];

/// The values as dots, and a dash where the reference is. `title` says them to readers that do not see.
#[must_use]
pub fn strip(values: &[f64], domain: [f64; 2], reference: Option<f64>, colour: Colour, title: &str) -> Markup {
    let x = Scale::linear(domain, RANGE);
    html! {
        svg.figure.strip viewBox=(format!("0 0 {} {}", Px(WIDTH), Px(HEIGHT))) width=(Px(WIDTH)) height=(Px(HEIGHT)) role="img" aria-label=(title) {
            title { (title) }
            line.tick.s-grid x1="0" x2=(Px(WIDTH)) y1=(Px(HEIGHT / 2.0)) y2=(Px(HEIGHT / 2.0)) {}
            @if let Some(reference) = reference.filter(|reference| reference.is_finite()) {
                line.reference.s-neutral x1=(Px(x.at(reference))) x2=(Px(x.at(reference))) y1="1" y2=(Px(HEIGHT - 1.0)) {}
            }
            @for value in values.iter().filter(|value| value.is_finite()) {
                circle.dot.(colour.fill()) cx=(Px(x.at(*value))) cy=(Px(HEIGHT / 2.0)) r="4" {}
            }
        }
    }
}

/// The axis of the strips, for the table's head.
#[must_use]
pub fn strip_axis(domain: [f64; 2]) -> Markup {
    let x = Scale::linear(domain, RANGE);
    let ticks = x.ticks(3);
    html! {
        svg.figure.strip viewBox=(format!("0 0 {} 14", Px(WIDTH))) width=(Px(WIDTH)) height="14" aria-hidden="true" {
            @for (tick, text) in ticks.iter().zip(tick_labels(&ticks)) {
                text.f-muted x=(Px(x.at(*tick).clamp(RANGE[0] + 4.0, RANGE[1] - 4.0))) y="11" text-anchor="middle" { (text) }
            }
        }
    }
}
