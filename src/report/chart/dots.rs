//! Dots with intervals: one row for each thing that is compared, every single value behind its mean, and a line where the reference is.

use super::{Colour, Frame, Px, Scale, axis, label, scale};
use crate::stats::Interval;
use maud::{Markup, html};

/// What is compared, with its values.
#[derive(Debug, Clone, PartialEq)]
pub struct DotRow {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// Every value.
    pub values: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// The mean's interval, where there is one.
    pub interval: Option<Interval>,
    /// The mean in words.
    pub text: String,
}

/// Rows on one axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Dots {
    /// What all rows are about.
    pub heading: String,
    /// Title of the axis.
    pub x_title: String,
    /// Top to bottom.
    pub rows: Vec<DotRow>,
    /// What the rows are compared with.
    pub reference: Option<f64>,
}

const ROW: f64 = 24.0;
const HEADING: f64 = 30.0;
const AXIS: f64 = 44.0;
const NAME_SIZE: f64 = 13.0;
const WIDEST_NAME: f64 = 150.0;

impl Dots {
    /// The values that the axis must show.
    #[must_use]
    pub fn reach(&self) -> Option<[f64; 2]> {
        let values = scale::extent(self.rows.iter().flat_map(|row| row.values.iter().copied().chain([row.mean])))?;
        let [low, high] = values;
        let limits = self.rows.iter().filter_map(|row| row.interval).flat_map(|interval| [interval.low, interval.high]);
        let [least, greatest] = scale::extent(limits).unwrap_or(values);
        // As in `curves`: a wide interval may be cut, values may not.
        let tail = 0.25 * (high - low);
        Some([low.min(least.max(low - tail)), high.max(greatest.min(high + tail))])
    }

    /// How high a panel of so many rows is.
    #[must_use]
    pub fn height(rows: usize) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
        let rows = rows as f64;
        HEADING + rows * ROW + AXIS
    }

    /// The rows with their axis at a place, with this domain.
    #[must_use]
    pub fn panel(&self, left: f64, top: f64, width: f64, domain: [f64; 2]) -> Markup {
        let fitted = |row: &DotRow| label::fitted(&row.name, NAME_SIZE, WIDEST_NAME.min(0.36 * width));
        let names = self.rows.iter().map(|row| label::width(&fitted(row), NAME_SIZE)).fold(0.0, f64::max);
        let texts = self.rows.iter().map(|row| label::width(&row.text, 12.0)).fold(0.0, f64::max);
        let bottom = top + Self::height(self.rows.len()) - AXIS;
        let frame = Frame { left: left + names + 14.0, top: top + HEADING, right: left + width - texts - 12.0, bottom };
        let x = Scale::linear(domain, [frame.left, frame.right]);
        let ticks = if frame.right - frame.left > 400.0 { 6 } else { 4 };
        html! {
            text.head.f-ink x=(Px(left)) y=(Px(top + 14.0)) { (label::fitted(&self.heading, 1.1 * 14.0, width)) }
            @for tick in x.ticks(ticks) {
                line.tick.s-grid x1=(Px(x.at(tick))) x2=(Px(x.at(tick))) y1=(Px(frame.top)) y2=(Px(frame.bottom)) {}
            }
            @if let Some(reference) = self.reference.filter(|reference| reference.is_finite()) {
                line.reference.s-neutral x1=(Px(x.at(reference))) x2=(Px(x.at(reference))) y1=(Px(frame.top - 4.0)) y2=(Px(frame.bottom)) {}
            }
            (axis::bottom(frame, &x, ticks, &self.x_title))
            @for (index, row) in (0_u32..).zip(&self.rows) {
                @let middle = frame.top + (f64::from(index) + 0.5) * ROW;
                text.name.f-ink x=(Px(left)) y=(Px(middle + 4.5)) { (fitted(row)) }
                (row.draw(&x, middle))
                text.f-muted x=(Px(left + width)) y=(Px(middle + 4.5)) text-anchor="end" { (row.text) }
            }
        }
    }
}

impl DotRow {
    fn draw(&self, x: &Scale, middle: f64) -> Markup {
        let [first, last] = x.domain();
        let stroke = self.colour.stroke();
        html! {
            @for value in self.values.iter().filter(|value| value.is_finite()) {
                line.seed.(stroke) x1=(Px(x.at(*value))) x2=(Px(x.at(*value))) y1=(Px(middle - 6.0)) y2=(Px(middle + 6.0)) {}
            }
            @if let Some(Interval { low, high, .. }) = self.interval.filter(|interval| interval.low.is_finite() && interval.high.is_finite()) {
                line.interval.(stroke) x1=(Px(x.at(low.clamp(first, last)))) x2=(Px(x.at(high.clamp(first, last)))) y1=(Px(middle)) y2=(Px(middle)) {}
            }
            @if self.mean.is_finite() {
                circle.(self.colour.fill()) cx=(Px(x.at(self.mean))) cy=(Px(middle)) r="5" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Dots {
        let interval = |mean, half| Some(Interval { mean, low: mean - half, high: mean + half });
        let row = |name: &str, colour, values: &[f64], interval: Option<Interval>| DotRow {
            name: name.into(),
            colour,
            values: values.to_vec(),
            mean: crate::stats::mean(values),
            interval,
            text: "x".into(),
        };
        Dots {
            heading: "there & back".into(),
            x_title: "return".into(),
            rows: vec![
                row("scratch", Colour::NEUTRAL, &[0.0, 100.0], interval(50.0, 600.0)),
                row("fine-tune", Colour::nth(1), &[80.0, f64::NAN], None),
            ],
            reference: Some(50.0),
        }
    }

    #[test]
    fn a_small_panel_is_this_text() {
        let dots = small();
        assert_eq!(dots.reach(), Some([-25.0, 125.0]));
        insta::assert_snapshot!(dots.panel(0.0, 0.0, 300.0, [-25.0, 125.0]).into_string().replace("><", ">\n<"));
    }
}
