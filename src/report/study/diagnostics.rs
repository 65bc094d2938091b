//! Beside the return: how sure the policy is, how far it has gone from its source, and whether its critic knows what it sees.

use super::{Shown, captioned, colour};
use crate::report::chart::{Axis, Course, Curve, Curves, Names, Point};
use crate::report::number::count;
use crate::study::cell::Point as Evaluated;
use crate::study::results::mean_curve;
use crate::study::{Arm, Definition};
use maud::{Markup, html};

type Quantity = (&'static str, &'static str, fn(&Evaluated) -> Option<f64>);

const QUANTITIES: [Quantity; 3] = [
    ("entropy", "entropy of the policy (nats)", |point| Some(point.entropy)),
    ("divergence", "KL to the source (nats)", |point| point.divergence),
    ("explained", "explained variance of returns", |point| point.explained_variance),
];

pub(super) fn section(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let drawings = html! {
        div.trio {
            @for (id, title, of) in QUANTITIES {
                @let drawn = curves(shown, title, of);
                div { (drawn.figure(&format!("{id}-{}", shown.number), &format!("{title}, {}", shown.title()), [300.0, 250.0], Names::Nowhere).in_page()) }
            }
        }
    };
    let caption = html! {
        "Mean over seeds, in the states that the policy meets when its actions are drawn, of its entropy and of its divergence to the source; and the share
        of the returns' variance that the critic explained. A policy whose entropy starts near 0 is sure of itself and explores little."
        @if let Some(steps) = shown.found.arms.iter().filter_map(|arm| arm.against.as_ref()?.sure_of_the_wrong).min() {
            " One is sure of the wrong thing here, from " (count(steps)) " steps on."
        }
    };
    captioned(&format!("{}-{}-diagnostics", definition.name, shown.pair.name), shown.figure(2), &drawings, &caption)
}

fn curves(shown: &Shown<'_>, title: &str, of: fn(&Evaluated) -> Option<f64>) -> Curves {
    Curves {
        x_title: "steps in the target".into(),
        x_axis: Axis::Linear,
        y_title: title.to_owned(),
        places: Vec::new(),
        curves: shown.found.arms.iter().filter(|arm| arm.method.learns()).map(|arm| curve(arm, of)).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
fn curve(arm: &Arm, of: fn(&Evaluated) -> Option<f64>) -> Curve {
    let points = mean_curve(&arm.curves, of).into_iter().map(|(steps, y)| Point { x: steps as f64, y });
    Curve { name: arm.method.name().to_owned(), colour: colour(arm.method), course: Course::Points(points.collect()), values: None }
}
