//! Learning curves: means as lines, intervals as bands, what does not learn as a level across; each curve named where it ends.

use super::{Colour, Figure, Frame, Px, Scale, axis, label, legend::legend, scale, thin};
use crate::report::number::{limits, number};
use crate::stats::Interval;
use maud::{Markup, html};
use std::fmt::Write;

/// A value with its interval at one place of the axis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Where.
    pub x: f64,
    /// What.
    pub y: Interval,
}

/// How a curve runs.
#[derive(Debug, Clone, PartialEq)]
pub enum Course {
    /// Through points.
    Points(Vec<Point>),
    /// At one height, for what does not change.
    Level(Interval),
}

/// A curve with its name and colour.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Its name.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// How it runs.
    pub course: Course,
    /// Least and greatest of the single values behind it; the axis shows them all.
    pub values: Option<[f64; 2]>,
}

/// Some curves between two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Curves {
    /// Title of the horizontal axis.
    pub x_title: String,
    /// How it runs.
    pub x_axis: Axis,
    /// Title of the vertical axis.
    pub y_title: String,
    /// Places on the horizontal axis that have something to say.
    pub places: Vec<(f64, String)>,
    /// In the order of their names; levels are drawn behind the others, and the first in front of none.
    pub curves: Vec<Curve>,
}

/// How an axis runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Equal differences are equally far.
    Linear,
    /// The same, marked at whole numbers alone.
    Whole,
    /// Equal ratios are equally far; everything on it is above 0.
    Logarithmic,
}

/// Where the names of curves stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Beside their ends.
    AtTheEnd,
    /// In lines above, for a narrow paper.
    Above,
    /// Not in this figure: another one beside it has them.
    Nowhere,
}

/// How far an interval may reach beyond all single values, as a share of theirs: those of two or three seeds would flatten the curves.
const TAIL: f64 = 0.1;
const NAME_SIZE: f64 = 13.0;
const WIDEST_NAME: f64 = 190.0;
/// About how many numbers stand on the vertical axis.
const NUMBERS: usize = 5;

impl Curves {
    /// The values that the vertical axis must show; tails of bands may be cut.
    #[must_use]
    pub fn y_reach(&self) -> Option<[f64; 2]> {
        let values = self.curves.iter().filter_map(|curve| curve.values).flatten();
        let [low, high] = scale::extent(self.intervals().map(|interval| interval.mean).chain(values))?;
        let tail = TAIL * (high - low);
        let [least, greatest] = scale::extent(self.intervals().flat_map(|interval| [interval.low, interval.high]))?;
        Some([low.min(least.max(low - tail)), high.max(greatest.min(high + tail))])
    }

    /// The places that the horizontal axis must show.
    #[must_use]
    pub fn x_reach(&self) -> Option<[f64; 2]> {
        let points = |curve: &Curve| match &curve.course {
            Course::Points(points) => points.iter().map(|point| point.x).collect(),
            Course::Level(_) => Vec::new(),
        };
        scale::extent(self.curves.iter().flat_map(points))
    }

    fn intervals(&self) -> impl Iterator<Item = Interval> {
        self.curves.iter().flat_map(|curve| match &curve.course {
            Course::Points(points) => points.iter().map(|point| point.y).collect(),
            Course::Level(interval) => vec![*interval],
        })
    }

    /// The curves as a figure of this size.
    #[must_use]
    pub fn figure(&self, id: &str, title: &str, size: [f64; 2], names: Names) -> Figure {
        let y = scale::with_room(self.y_reach().unwrap_or([0.0, 1.0]));
        let x = self.x_reach().unwrap_or([0.0, 1.0]);
        let (legend, above) = if names == Names::Above { legend(self, size[0]) } else { (html! {}, 0.0) };
        let numbers = room_for_numbers(y);
        let right = match names {
            Names::AtTheEnd => self.widest_name() + 30.0,
            Names::Above | Names::Nowhere => 12.0,
        };
        let frame = Frame { left: numbers, top: above + 30.0, right: size[0] - right, bottom: size[1] - 42.0 };
        let marks = html! {
            (legend)
            (self.panel(id, frame, x, y))
            @if names == Names::AtTheEnd { (self.names_at_the_end(frame, y)) }
        };
        Figure { id: id.to_owned(), title: title.to_owned(), description: self.description(), size, marks }
    }

    /// The curves and their axes in a frame, with these domains.
    #[must_use]
    pub fn panel(&self, id: &str, frame: Frame, x: [f64; 2], y: [f64; 2]) -> Markup {
        let across = [frame.left, frame.right];
        let x = match self.x_axis {
            Axis::Linear | Axis::Whole => Scale::linear(x, across),
            Axis::Logarithmic => Scale::log(x, across),
        };
        let most = if frame.right - frame.left > 500.0 { 8.0 } else { 4.0_f64 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, at most 8")]
        let about = if self.x_axis == Axis::Whole { (x.domain()[1] - x.domain()[0]).clamp(1.0, most) as usize } else { most as usize };
        let y = Scale::linear(y, [frame.bottom, frame.top]);
        let clip = format!("{id}-frame");
        let Frame { left, top, right, bottom } = frame;
        html! {
            clipPath id=(clip) { rect x=(Px(left)) y=(Px(top)) width=(Px(right - left)) height=(Px(bottom - top)) {} }
            (axis::left(frame, &y, NUMBERS, &self.y_title))
            (axis::bottom(frame, &x, about, &self.x_title))
            @for (place, text) in self.places.iter().filter(|(place, _)| place.is_finite()) {
                @let at = x.at(*place);
                @let left_of = at > 0.5 * (left + right);
                line.reference.s-neutral x1=(Px(at)) x2=(Px(at)) y1=(Px(top - 4.0)) y2=(Px(bottom)) {}
                text.f-muted x=(Px(if left_of { at - 5.0 } else { at + 5.0 })) y=(Px(top + 8.0)) text-anchor=(if left_of { "end" } else { "start" }) {
                    (label::fitted(text, 12.0, 0.5 * (right - left)))
                }
            }
            g.plot data-x=(x.described()) data-y=(y.described()) clip-path=(format!("url(#{clip})")) {
                @for curve in self.curves.iter().filter(|curve| curve.is_level()) { (curve.draw(frame, &x, &y)) }
                @for curve in self.curves.iter().filter(|curve| !curve.is_level()) { (curve.draw(frame, &x, &y)) }
            }
        }
    }

    fn names_at_the_end(&self, frame: Frame, y: [f64; 2]) -> Markup {
        let y = Scale::linear(y, [frame.bottom, frame.top]);
        let ends: Vec<(&Curve, f64)> =
            self.curves.iter().filter_map(|curve| Some((curve, y.at(curve.end()?).clamp(frame.top, frame.bottom)))).collect();
        let wanted: Vec<f64> = ends.iter().map(|(_, end)| *end).collect();
        let places = label::spread(&wanted, label::LINE + 1.0, frame.top, frame.bottom);
        html! {
            @for ((curve, end), place) in ends.iter().zip(places) {
                g.key data-name=(curve.name) {
                    polyline.leader.(curve.colour.stroke()) points=(format!("{},{} {},{}", Px(frame.right + 3.0), Px(*end), Px(frame.right + 17.0), Px(place))) {}
                    text.name.(curve.colour.fill()) x=(Px(frame.right + 21.0)) y=(Px(place + 4.5)) { (label::fitted(&curve.name, NAME_SIZE, WIDEST_NAME)) }
                }
            }
        }
    }

    fn widest_name(&self) -> f64 {
        self.curves.iter().map(|curve| label::width(&label::fitted(&curve.name, NAME_SIZE, WIDEST_NAME), NAME_SIZE)).fold(0.0, f64::max)
    }

    fn description(&self) -> String {
        let mut text = String::new();
        for curve in &self.curves {
            let (verb, interval) = match &curve.course {
                Course::Points(points) => ("ends at", points.last().map(|point| point.y)),
                Course::Level(interval) => ("stays at", Some(*interval)),
            };
            if let Some(interval) = interval {
                let _ = write!(text, "{} {verb} {} {}. ", curve.name, number(interval.mean), limits(Some(interval)));
            }
        }
        text
    }
}

impl Curve {
    /// Whether it stays at one height.
    #[must_use]
    pub fn is_level(&self) -> bool {
        matches!(self.course, Course::Level(_))
    }

    /// Where it is at its right end.
    fn end(&self) -> Option<f64> {
        match &self.course {
            Course::Points(points) => points.iter().rev().map(|point| point.y.mean).find(|mean| mean.is_finite()),
            Course::Level(interval) => Some(interval.mean).filter(|mean| mean.is_finite()),
        }
    }

    /// The points that are drawn: finite, and not more than the paper shows.
    fn points(&self) -> Vec<Point> {
        let Course::Points(points) = &self.course else { return Vec::new() };
        let finite: Vec<Point> = points.iter().copied().filter(|point| point.x.is_finite() && point.y.mean.is_finite()).collect();
        let means: Vec<f64> = finite.iter().map(|point| point.y.mean).collect();
        thin::thinned(&means).into_iter().map(|index| finite[index]).collect()
    }

    fn draw(&self, frame: Frame, x: &Scale, y: &Scale) -> Markup {
        let points = self.points();
        let dashes = self.colour.dashes();
        let (fill, stroke) = (self.colour.fill(), self.colour.stroke());
        html! {
            g.series data-name=(self.name) data-fill=(fill) data-points=(self.data(&points)) {
                @match &self.course {
                    Course::Level(interval) => @if interval.mean.is_finite() {
                        @let Interval { mean, low, high } = *interval;
                        @if low < high {
                            rect.level-band.(fill) x=(Px(frame.left)) width=(Px(frame.right - frame.left)) y=(Px(y.at(high))) height=(Px(y.at(low) - y.at(high))) {}
                        }
                        line.line.level.(stroke) x1=(Px(frame.left)) x2=(Px(frame.right)) y1=(Px(y.at(mean))) y2=(Px(y.at(mean))) {}
                    },
                    Course::Points(_) => {
                        @if points.iter().any(|point| point.y.low < point.y.high) {
                            path.band.(fill) d=(band(&points, x, y)) {}
                        }
                        @if let [only] = points[..] {
                            circle.(fill) cx=(Px(x.at(only.x))) cy=(Px(y.at(only.y.mean))) r="3.5" {}
                        } @else if !points.is_empty() {
                            polyline.line.(stroke) stroke-dasharray=[dashes] points=(line(&points, x, y)) {}
                        }
                    },
                }
            }
        }
    }

    /// What a page's script reads: `[[x, mean, low, high], ...]`, of a level without x.
    fn data(&self, points: &[Point]) -> String {
        let rounded = |value: f64| match value.abs() {
            _ if !value.is_finite() => "null".to_owned(),
            size if size >= 1e9 => format!("{value:e}"),
            _ => format!("{}", (value * 1e4).round() / 1e4 + 0.0),
        };
        let entry =
            |x: String, Interval { mean, low, high }: Interval| format!("[{x},{},{},{}]", rounded(mean), rounded(low), rounded(high));
        let entries: Vec<String> = match &self.course {
            Course::Level(interval) => vec![entry("null".to_owned(), *interval)],
            Course::Points(_) => points.iter().map(|point| entry(rounded(point.x), point.y)).collect(),
        };
        format!("[{}]", entries.join(","))
    }
}

fn line(points: &[Point], x: &Scale, y: &Scale) -> String {
    let places: Vec<String> = points.iter().map(|point| format!("{},{}", Px(x.at(point.x)), Px(y.at(point.y.mean)))).collect();
    places.join(" ")
}

/// Forth along the upper limits, back along the lower ones.
fn band(points: &[Point], x: &Scale, y: &Scale) -> String {
    let finite = || points.iter().filter(|point| point.y.low.is_finite() && point.y.high.is_finite());
    let upper = finite().map(|point| (point.x, point.y.high));
    let lower = finite().rev().map(|point| (point.x, point.y.low));
    let places: Vec<String> = upper.chain(lower).map(|(at, value)| format!("{},{}", Px(x.at(at)), Px(y.at(value)))).collect();
    format!("M{}Z", places.join("L"))
}

/// The room left of a frame that the numbers of this vertical axis take.
#[must_use]
pub fn room_for_numbers(y: [f64; 2]) -> f64 {
    axis::room_for_numbers(&Scale::linear(y, [1.0, 0.0]), NUMBERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f64, mean: f64, half: f64) -> Point {
        Point { x, y: Interval { mean, low: mean - half, high: mean + half } }
    }

    fn small() -> Curves {
        let curve = |name: &str, colour, course| Curve { name: name.into(), colour, course, values: None };
        Curves {
            x_title: "steps".into(),
            x_axis: Axis::Linear,
            y_title: "return".into(),
            places: Vec::new(),
            curves: vec![
                curve("scratch", Colour::NEUTRAL, Course::Points(vec![at(0.0, 0.0, 0.0), at(50.0, 20.0, 5.0), at(100.0, 80.0, 10.0)])),
                curve("zero-shot", Colour::nth(0), Course::Level(Interval { mean: 60.0, low: 50.0, high: 70.0 })),
                curve(
                    "a <b> \"c\"",
                    Colour::nth(4),
                    Course::Points(vec![at(0.0, 60.0, f64::NAN), at(50.0, f64::NAN, 1.0), at(100.0, 79.0, 0.0)]),
                ),
            ],
        }
    }

    #[test]
    fn a_small_figure_is_this_text() {
        let figure = small().figure("f", "Learning", [400.0, 200.0], Names::AtTheEnd);
        insta::assert_snapshot!(figure.in_page().into_string().replace("><", ">\n<"));
        let figure = small().figure("n", "Learning", [200.0, 200.0], Names::Above);
        insta::assert_snapshot!(figure.in_page().into_string().replace("><", ">\n<"));
    }

    #[test]
    fn the_axis_shows_every_value_and_no_wider_bands() {
        let mut curves = small();
        assert_eq!(curves.y_reach(), Some([0.0, 88.0]));
        curves.curves.truncate(1);
        curves.curves[0].course = Course::Points(vec![at(0.0, 10.0, 0.0), at(1.0, 110.0, 900.0)]);
        assert_eq!(curves.y_reach(), Some([0.0, 120.0]));
        curves.curves[0].values = Some([-90.0, 410.0]);
        assert_eq!(curves.y_reach(), Some([-140.0, 460.0]));
    }

    #[test]
    fn long_curves_are_thinned_and_empty_ones_are_drawn() {
        let mut curves = small();
        curves.curves[0].course = Course::Points((0..5000).map(|step| at(f64::from(step), f64::from(step % 7), 1.0)).collect());
        assert!(curves.figure("f", "", [400.0, 200.0], Names::AtTheEnd).in_page().into_string().len() < 60_000);
        curves.curves.iter_mut().for_each(|curve| curve.course = Course::Points(vec![at(0.0, f64::NAN, 0.0)]));
        let text = curves.figure("f", "", [400.0, 200.0], Names::AtTheEnd).in_page().into_string();
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}
