//! A legend: names with a piece of their lines, in as many lines as they need, for where they do not fit beside the curves' ends.

use super::{Curve, Curves, Px, label};
use maud::{Markup, html};

const NAME_SIZE: f64 = 13.0;
const LINE: f64 = 20.0;
/// Room of the piece of line before a name, and between two names.
const MARK: f64 = 24.0;
const GAP: f64 = 16.0;

/// The names of some curves in lines of this width, from the drawing's upper left corner on, and how high they stand.
#[must_use]
pub fn legend(curves: &Curves, width: f64) -> (Markup, f64) {
    let (mut left, mut top) = (0.0, 0.0);
    let mut place = |curve: &Curve| {
        let name = label::fitted(&curve.name, NAME_SIZE, width - MARK);
        let room = MARK + label::width(&name, NAME_SIZE);
        if left > 0.0 && left + room > width {
            (left, top) = (0.0, top + LINE);
        }
        let drawn = key(curve, &name, left, top + LINE / 2.0);
        left += room + GAP;
        drawn
    };
    let drawn = html! { @for curve in &curves.curves { (place(curve)) } };
    (drawn, top + LINE)
}

fn key(curve: &Curve, name: &str, left: f64, middle: f64) -> Markup {
    let level = curve.is_level().then_some("2 4");
    html! {
        g.key data-name=(curve.name) {
            line.line.(curve.colour.stroke()) stroke-dasharray=[level.or(curve.colour.dashes())]
                x1=(Px(left + 1.0)) x2=(Px(left + 17.0)) y1=(Px(middle)) y2=(Px(middle)) {}
            text.name.f-ink x=(Px(left + MARK)) y=(Px(middle + 4.5)) { (name) }
        }
    }
}
