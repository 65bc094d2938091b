//! A bar that starts at zero and goes to either side: a difference, in a table's cell.

use super::{Colour, Px, Scale};
use maud::{Markup, html};

/// Width of a bar at its longest to both sides.
pub const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 20.0;

/// The bar of a difference, on an axis that reaches as far as `most` to both sides.
#[must_use]
pub fn difference(value: f64, most: f64, colour: Colour) -> Markup {
    let x = Scale::linear([-most, most], [2.0, WIDTH - 2.0]);
    let (zero, end) = (x.at(0.0), x.at(if value.is_finite() { value } else { 0.0 }));
    html! {
        svg.figure.difference viewBox=(format!("0 0 {} {}", Px(WIDTH), Px(HEIGHT))) width=(Px(WIDTH)) height=(Px(HEIGHT)) aria-hidden="true" {
            rect.bar.(colour.fill()) x=(Px(zero.min(end))) width=(Px((end - zero).abs())) y="5" height=(Px(HEIGHT - 10.0)) rx="1" {}
            line.tick.s-rule x1=(Px(zero)) x2=(Px(zero)) y1="1" y2=(Px(HEIGHT - 1.0)) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_go_to_either_side_of_zero() {
        let bar = |value| difference(value, 10.0, Colour::nth(0)).into_string();
        assert!(bar(10.0).contains("x=\"48\" width=\"46\"") && bar(-5.0).contains("x=\"25\" width=\"23\""));
        assert!(bar(f64::NAN).contains("width=\"0\"") && difference(0.0, 0.0, Colour::NEUTRAL).into_string().contains("x=\"48\""));
    }
}
