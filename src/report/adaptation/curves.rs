//! Curves of adaptation: of one start a curve for each split, of several a figure for each split.

use super::{Adaptation, Start, tasks_of};
use crate::env::tasks::Split;
use crate::report::chart::figure::wide_and_narrow;
use crate::report::chart::{Axis, Colour, Course, Curve, Curves, Names, Point, label};
use crate::report::number::counted;
use maud::{Markup, html};

pub(super) fn figures(found: &Adaptation) -> Markup {
    let splits = found.splits();
    if let [only] = &found.starts[..] {
        let curves = splits.iter().enumerate().map(|(index, split)| curve(only, *split, tasks_of(*split), Colour::nth(index + 1)));
        return figure(found, "splits", "Mean return", curves.collect());
    }
    html! {
        @for split in splits {
            @let curves = found.starts.iter().enumerate().map(|(index, start)| curve(start, split, &start.name, colour(found, index)));
            (figure(found, split.name(), &format!("Mean return in {}", tasks_of(split)), curves.collect()))
        }
    }
}

/// A start's colour; what learned nothing before has the neutral one.
pub(super) fn colour(found: &Adaptation, index: usize) -> Colour {
    let learned = |start: &&Start| !start.is_scratch;
    if found.starts[index].is_scratch { Colour::NEUTRAL } else { Colour::nth(found.starts[..index].iter().filter(learned).count()) }
}

fn curve(start: &Start, split: Split, name: &str, colour: Colour) -> Curve {
    #[expect(clippy::cast_precision_loss, reason = "a few updates")]
    let points = start.means(split).into_iter().enumerate().map(|(update, y)| Point { x: update as f64, y });
    Curve { name: label::plain(name), colour, course: Course::Points(points.collect()), values: None }
}

fn figure(found: &Adaptation, id: &str, title: &str, curves: Vec<Curve>) -> Markup {
    let alone = curves.len() == 1;
    let drawn =
        Curves { x_title: "updates".into(), x_axis: Axis::Whole, y_title: "mean return of an episode".into(), places: Vec::new(), curves };
    let wide = drawn.figure(&format!("{id}-wide"), title, [920.0, 380.0], if alone { Names::Nowhere } else { Names::AtTheEnd });
    let narrow = drawn.figure(&format!("{id}-narrow"), title, [380.0, 360.0], if alone { Names::Nowhere } else { Names::Above });
    html! {
        figure {
            (wide_and_narrow(&wide, &narrow))
            figcaption {
                b { (title) } " before the first update and after each: every update takes " (counted(found.episodes as u64, "episode"))
                " of its task. Bands are 95 % intervals over tasks."
            }
        }
    }
}
