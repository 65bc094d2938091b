//! Learning curves of a study: of one pair for its section, of all pairs for the picture.

use super::{Shown, captioned, colour, seeds};
use crate::report::chart::figure::wide_and_narrow;
use crate::report::chart::{Axis, Course, Curve, Curves, Figure, Frame, Names, Point, Px, curves, label, legend::legend, scale};
use crate::report::number::counted;
use crate::stats::Interval;
use crate::study::cell::EPISODES_AT_ENDS;
use crate::study::{Arm, Definition, verdict};
use maud::{Markup, html};

/// The learning curves of a pair, captioned.
pub(super) fn figure(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let drawn = of_pair(shown);
    let title = format!("Learning curves, {}", shown.title());
    let id = format!("curves-{}", shown.number);
    let wide = drawn.figure(&format!("{id}-wide"), &title, [920.0, 400.0], Names::AtTheEnd);
    let narrow = drawn.figure(&format!("{id}-narrow"), &title, [380.0, 380.0], Names::Above);
    let bands = match definition.seeds {
        0..LEAST_SEEDS => "so few seeds have no interval".to_owned(),
        _ => format!("bands are 95 % t‑intervals over {}, cut where they leave the frame", seeds(definition)),
    };
    let level = if shown.found.arms.iter().any(|arm| !arm.method.learns()) { "; what does not learn is a dotted level" } else { "" };
    let caption = html! {
        "Mean return while learning in " (shown.pair.target.name) ": each point is " (definition.episodes) " episodes of the policy at that
        step (" (EPISODES_AT_ENDS.max(definition.episodes)) " at both ends); " (bands) (level) "." span.hint { " Point at the curves to read them, press a name to hide its curve." }
    };
    captioned(&format!("{}-{}-curves", definition.name, shown.pair.name), shown.figure(1), &wide_and_narrow(&wide, &narrow), &caption)
}

fn of_pair(shown: &Shown<'_>) -> Curves {
    Curves {
        x_title: "environment steps in the target".into(),
        x_axis: Axis::Linear,
        y_title: "mean return of an episode".into(),
        places: Vec::new(),
        curves: shown.found.arms.iter().map(curve).collect(),
    }
}

fn curve(arm: &Arm) -> Curve {
    #[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
    let points = || arm.mean_curve().into_iter().map(|(steps, y)| Point { x: steps as f64, y });
    let course = if arm.method.learns() {
        Course::Points(points().collect())
    } else {
        let nothing = Interval { mean: f64::NAN, low: f64::NAN, high: f64::NAN };
        Course::Level(points().next().map_or(nothing, |point| point.y))
    };
    let values = scale::extent(arm.curves.iter().flatten().map(|point| point.mean));
    Curve { name: arm.method.name().to_owned(), colour: colour(arm.method), course, values }
}

const LEAST_SEEDS: u64 = verdict::LEAST_SEEDS as u64;
const WIDTH: f64 = 960.0;
const MARGIN: f64 = 28.0;
const GAP: f64 = 44.0;
const PANEL_HEIGHT: f64 = 286.0;
const TITLE_LINE: f64 = 23.0;

/// The learning curves of all pairs side by side.
pub(super) fn picture(definition: &Definition, all_shown: &[Shown<'_>]) -> Figure {
    let all: Vec<Curves> = all_shown.iter().map(of_pair).collect();
    let columns = all_shown.len().clamp(1, 2);
    #[expect(clippy::cast_precision_loss, reason = "a handful of panels")]
    let at = |index: usize| index as f64;
    let (across, lines) = (at(columns), at(all_shown.len().div_ceil(columns)));
    let width = (WIDTH - 2.0 * MARGIN - (across - 1.0) * GAP) / across;
    let title = label::lines(&definition.about, 1.1 * 17.0, WIDTH - 2.0 * MARGIN);
    let subtitle = format!("Mean return of an episode while learning{}", bands(definition.seeds));
    #[expect(clippy::cast_precision_loss, reason = "a handful of lines")]
    let below_title = 38.0 + title.len() as f64 * TITLE_LINE;
    let (legend, legend_height) = all.first().map_or((html! {}, 0.0), |first| legend(first, WIDTH - 2.0 * MARGIN));
    let header = below_title + legend_height + 36.0;
    let marks = html! {
        @for (index, line) in (0_u32..).zip(&title) {
            text.title.f-ink x=(Px(MARGIN)) y=(Px(40.0 + f64::from(index) * TITLE_LINE)) { (line) }
        }
        text.name.f-muted x=(Px(MARGIN)) y=(Px(below_title)) { (subtitle) }
        g transform=(format!("translate({} {})", Px(MARGIN), Px(below_title + 14.0))) { (legend) }
        @for (index, (drawn, pair)) in all.iter().zip(all_shown).enumerate() {
            @let top = header + at(index / columns) * PANEL_HEIGHT;
            (panel(drawn, pair, domain(pair, &all, all_shown), [MARGIN + at(index % columns) * (width + GAP), top], width))
        }
    };
    let size = [WIDTH, header + lines * PANEL_HEIGHT + 8.0];
    let description = all_shown.iter().map(|pair| format!("Learning curves in {}.", pair.pair.target.name)).collect::<Vec<_>>().join(" ");
    Figure { id: "picture".into(), title: definition.about.clone(), description, size, marks }
}

fn panel(drawn: &Curves, pair: &Shown<'_>, y: [f64; 2], [left, top]: [f64; 2], width: f64) -> Markup {
    let frame = Frame { left: left + curves::room_for_numbers(y), top: top + 30.0, right: left + width, bottom: top + PANEL_HEIGHT - 56.0 };
    let untitled = Curves { y_title: String::new(), ..drawn.clone() };
    html! {
        text.head.f-ink x=(Px(left)) y=(Px(top + 12.0)) { (label::fitted(&format!("{}, {}", pair.pair.name, counted(pair.found.steps, "step")), 1.1 * 14.0, width)) }
        (untitled.panel(&format!("picture-{}", pair.number), frame, drawn.x_reach().unwrap_or([0.0, 1.0]), y))
    }
}

fn bands(seeds: u64) -> String {
    if seeds < LEAST_SEEDS { format!(", {}", counted(seeds, "seed")) } else { format!(", with 95 % bands over {seeds} seeds") }
}

/// As in the overview, targets of one simulator share their axis.
fn domain(pair: &Shown<'_>, all: &[Curves], all_shown: &[Shown<'_>]) -> [f64; 2] {
    let simulator = |shown: &Shown<'_>| shown.pair.target.simulator.clone();
    let alike = all.iter().zip(all_shown).filter(|(_, other)| simulator(other) == simulator(pair));
    scale::with_room(scale::extent(alike.filter_map(|(drawn, _)| drawn.y_reach()).flatten()).unwrap_or([0.0, 1.0]))
}
