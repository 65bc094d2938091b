//! Paths in the plane, before the first update and after it, side by side: for environments that show where they are as `x` and `y`.

use super::{Adaptation, Filmed, curves::colour};
use crate::env::scene::{Part, Role};
use crate::report::chart::{Colour, Figure, Frame, Px, Scale, scale};
use crate::report::number::{counted, number, short};
use crate::rollout::Film;
use maud::{Markup, html};

/// Of one picture.
const SIDE: f64 = 150.0;
const GAP: f64 = 14.0;
const TOP: f64 = 20.0;

pub(super) fn section(found: &Adaptation) -> Markup {
    let drawn: Vec<&Filmed> = found.films.iter().filter(|filmed| filmed.films.iter().all(|film| place(film).is_some())).collect();
    let Some(first) = drawn.first() else { return html! {} };
    // Who learned nothing walks anywhere, and would make all else small.
    let learned: Vec<&Filmed> = drawn.iter().copied().filter(|filmed| !found.starts[filmed.start].is_scratch).collect();
    let view = view(if learned.is_empty() { &drawn } else { &learned });
    let episodes = first.films[0].episodes.len() as u64;
    html! {
        section #paths {
            h2 { "Before and after one update" }
            p {
                "The paths of " (counted(episodes, "episode")) " in each of the first test tasks: left before the update, right after it. All pictures
                 have one scale; a dot is where all begin, a ring the goal, which the policy does not see."
            }
            div.tasks { @for (index, filmed) in drawn.iter().enumerate() { (pair(found, index, filmed, view)) } }
        }
    }
}

/// Where in an observation `x` and `y` stand.
fn place(film: &Film) -> Option<[usize; 2]> {
    let at = |name: &str| film.spaces.observation.iter().position(|channel| channel.name == name);
    Some([at("x")?, at("y")?])
}

fn path(film: &Film, episode: usize) -> Vec<[f64; 2]> {
    let Some([x, y]) = place(film) else { return Vec::new() };
    film.episodes[episode].frames.iter().map(|frame| [frame.observation[x], frame.observation[y]]).collect()
}

/// What stands for the goal in the scene.
fn goals(film: &Film) -> Vec<&Part> {
    let is_goal = |part: &&Part| match part {
        Part::Circle { role, .. } | Part::Capsule { role, .. } | Part::Polygon { role, .. } | Part::Line { role, .. } => {
            *role == Role::Goal
        }
    };
    film.episodes
        .first()
        .and_then(|episode| episode.frames.first())
        .map_or_else(Vec::new, |frame| frame.scene.parts.iter().filter(is_goal).collect())
}

/// A square around all paths and goals: left, bottom, and its side.
fn view(all: &[&Filmed]) -> [f64; 3] {
    let films = || all.iter().flat_map(|filmed| &filmed.films);
    let paths = films().flat_map(|film| (0..film.episodes.len()).flat_map(|episode| path(film, episode)));
    let goals = films().flat_map(goals).filter_map(|part| if let Part::Circle { centre, .. } = part { Some(*centre) } else { None });
    let points: Vec<[f64; 2]> = paths.chain(goals).collect();
    let [[left, right], [bottom, top]] = [0, 1].map(|axis| scale::extent(points.iter().map(|point| point[axis])).unwrap_or([-1.0, 1.0]));
    let side = 1.08 * (right - left).max(top - bottom).max(f64::MIN_POSITIVE);
    [f64::midpoint(left, right) - side / 2.0, f64::midpoint(bottom, top) - side / 2.0, side]
}

fn pair(found: &Adaptation, index: usize, filmed: &Filmed, view: [f64; 3]) -> Markup {
    let [before, after] = filmed.returns.map(number);
    let values: Vec<String> = filmed.values.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), short(*value))).collect();
    let figure = Figure {
        id: format!("paths-{index}"),
        title: format!("Paths with {}", values.join(", ")),
        description: format!("The mean return is {before} before the update and {after} after it."),
        size: [2.0 * SIDE + GAP, TOP + SIDE],
        marks: html! {
            (picture(&format!("paths-{index}-before"), "before", &filmed.films[0], 0.0, view, Colour::NEUTRAL))
            (picture(&format!("paths-{index}-after"), "after", &filmed.films[1], SIDE + GAP, view, tint(found, filmed)))
        },
    };
    html! {
        figure.task {
            (figure.in_page())
            figcaption { @if found.starts.len() > 1 { b { (found.starts[filmed.start].name) } ": " } (values.join(", ")) br; "mean return " (before) " → " b { (after) } }
        }
    }
}

/// One start alone has the colour of its curve of test tasks.
fn tint(found: &Adaptation, filmed: &Filmed) -> Colour {
    if found.starts.len() == 1 { Colour::nth(1) } else { colour(found, filmed.start) }
}

fn picture(id: &str, name: &str, film: &Film, left: f64, [west, south, side]: [f64; 3], colour: Colour) -> Markup {
    let frame = Frame { left, top: TOP, right: left + SIDE, bottom: TOP + SIDE };
    let (x, y) =
        (Scale::linear([west, west + side], [frame.left, frame.right]), Scale::linear([south, south + side], [frame.bottom, frame.top]));
    let at = |[east, north]: [f64; 2]| [x.at(east), y.at(north)].map(Px);
    let line = |points: &[[f64; 2]]| {
        let places = points.iter().map(|point| at(*point)).map(|[x, y]| format!("{x},{y}"));
        places.collect::<Vec<_>>().join(" ")
    };
    html! {
        clipPath id=(id) { rect x=(Px(left)) y=(Px(TOP)) width=(Px(SIDE)) height=(Px(SIDE)) {} }
        text.f-muted x=(Px(left)) y="12" { (name) }
        rect.f-raised x=(Px(left)) y=(Px(TOP)) width=(Px(SIDE)) height=(Px(SIDE)) {}
        g clip-path=(format!("url(#{id})")) {
            @for episode in 0..film.episodes.len() {
                @let points = path(film, episode);
                polyline.path.(colour.stroke()) points=(line(&points)) {}
            }
            @if let Some([x, y]) = (!film.episodes.is_empty()).then(|| path(film, 0)).and_then(|path| path.first().map(|start| at(*start))) {
                circle.begin.f-ink.s-raised cx=(x) cy=(y) r="3.5" {}
            }
            @for part in goals(film) {
                @match part {
                    Part::Circle { centre, .. } => {
                        @let [x, y] = at(*centre);
                        circle.halo.s-raised cx=(x) cy=(y) r="5.5" {}
                        circle.ring.s-c2 cx=(x) cy=(y) r="5.5" {}
                    },
                    Part::Line { points, .. } | Part::Polygon { points, .. } => polyline.ring.s-c2 points=(line(points)) {},
                    Part::Capsule { from, to, .. } => polyline.ring.s-c2 points=(line(&[*from, *to])) {},
                }
            }
        }
    }
}
