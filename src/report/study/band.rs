//! The verdict as a function of the target budget: the difference to scratch at eight budgets, and a slider that reads it.

use super::{Shown, captioned, chip, colour, words};
use crate::report::chart::figure::wide_and_narrow;
use crate::report::chart::{Axis, Colour, Course, Curve, Curves, Figure, Names, Point};
use crate::report::number::count;
use crate::stats::Interval;
use crate::study::verdict::{Budget, MARGIN};
use crate::study::{Arm, Definition, Measure};
use maud::{Markup, html};

pub(super) fn section(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let bands: Vec<(&Arm, &[Budget])> =
        shown.found.arms.iter().filter_map(|arm| Some((arm, arm.against.as_ref()?.band.as_slice()))).collect();
    let Some((_, first)) = bands.first().filter(|(_, band)| !band.is_empty()) else { return html! {} };
    let last = first.len() - 1;
    let speaks = |arm: &Arm| matches!(shown.found.speaking()[..], [only] if only.method == arm.method);
    let speaking = bands.iter().find(|(arm, _)| speaks(arm));
    html! {
        (figure(definition, shown))
        div.budget data-figure=(format!("band-{}", shown.number)) data-steps=(steps(first)) {
            label for=(format!("slider-{}", shown.number)) {
                "If the target gives you "
                output { (count(first[last].steps)) }
                " steps"
            }
            input.slider hidden id=(format!("slider-{}", shown.number)) type="range" min="0" max=(last) value=(last) step="1";
            @if let Some((arm, band)) = speaking {
                p.answer {
                    @for (index, budget) in band.iter().enumerate() {
                        span.at data-budget=(index) hidden[index != last] { (words::budget_sentence(arm, budget)) }
                    }
                }
            }
            ul {
                @for (arm, band) in &bands {
                    li {
                        (super::table::swatch(arm.method)) b { (arm.method.name()) } " "
                        @for (index, budget) in band.iter().enumerate() {
                            span.at data-budget=(index) hidden[index != last] {
                                @if let Some(verdict) = budget.verdict { (chip(verdict)) " " }
                                (rest(budget))
                            }
                        }
                    }
                }
            }
            (table(&bands))
        }
    }
}

fn steps(band: &[Budget]) -> String {
    band.iter().map(|budget| budget.steps.to_string()).collect::<Vec<_>>().join(" ")
}

/// The sentence behind the verdict.
fn rest(budget: &Budget) -> String {
    let sentence = words::at_budget(budget);
    sentence.split_once(": ").map_or(sentence.clone(), |(_, rest)| rest.to_owned())
}

/// The same as a table, for paper and for readers without the slider.
fn table(bands: &[(&Arm, &[Budget])]) -> Markup {
    let budgets = bands.first().map_or(&[][..], |(_, band)| band);
    html! {
        details {
            summary { "All budgets as a table" }
            div.scroll {
                table.budgets {
                    thead { tr { th scope="col" { "steps" } @for (arm, _) in bands { th scope="col" { (arm.method.name()) } } } }
                    tbody {
                        @for (index, budget) in budgets.iter().enumerate() {
                            tr {
                                th scope="row" { (count(budget.steps)) }
                                @for (_, band) in bands { td { @if let Some(budget) = band.get(index) { (words::at_budget(budget)) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn figure(definition: &Definition, shown: &Shown<'_>) -> Markup {
    let drawn = curves(shown);
    let title = format!("Difference to scratch by budget, {}", shown.title());
    let id = format!("band-{}", shown.number);
    let wide: Figure = drawn.figure(&format!("{id}-wide"), &title, [920.0, 360.0], Names::AtTheEnd);
    let narrow = drawn.figure(&format!("{id}-narrow"), &title, [380.0, 340.0], Names::Above);
    let what = match shown.pair.measure {
        Measure::Mean => "mean return up to each budget",
        Measure::Final => "return at each budget",
    };
    let caption = html! {
        "What a method has over scratch in " (what) "; bands are 95 % intervals that hold for all budgets of a method together (at the last budget, for
        all comparisons of the study), and the grey band is what counts as no difference (±" (100.0 * MARGIN) " % of random to reference). A run is planned for " (count(shown.pair.steps)) " steps: where
        its learning rate falls, one that was planned for fewer would have learned a little more by then."
    };
    captioned(&format!("{}-{}-budgets", definition.name, shown.pair.name), shown.figure(0), &wide_and_narrow(&wide, &narrow), &caption)
}

fn curves(shown: &Shown<'_>) -> Curves {
    let margin = MARGIN * shown.found.anchors.range().max(0.0);
    let none = Curve {
        name: "scratch".into(),
        colour: Colour::NEUTRAL,
        course: Course::Level(Interval { mean: 0.0, low: -margin, high: margin }),
        values: None,
    };
    let others = shown.found.arms.iter().filter_map(|arm| {
        let band = &arm.against.as_ref()?.band;
        #[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
        let point = |budget: &Budget| {
            let mean = budget.difference();
            let [low, high] = budget.interval.unwrap_or([mean; 2]);
            Point { x: budget.steps as f64, y: Interval { mean, low, high } }
        };
        Some(Curve {
            name: arm.method.name().to_owned(),
            colour: colour(arm.method),
            course: Course::Points(band.iter().map(point).collect()),
            values: None,
        })
    });
    Curves {
        x_title: "environment steps in the target".into(),
        x_axis: Axis::Logarithmic,
        y_title: "difference to scratch".into(),
        places: break_even(shown),
        curves: std::iter::once(none).chain(others).collect(),
    }
}

/// Where the methods that speak for the pair change sides.
#[expect(clippy::cast_precision_loss, reason = "steps stay below 2^53")]
fn break_even(shown: &Shown<'_>) -> Vec<(f64, String)> {
    let against = |arm: &Arm| Some((arm.method.name(), arm.against.as_ref()?.sign_changes.first()?.steps));
    let changes: Vec<(&str, u64)> = shown.found.speaking().into_iter().filter_map(against).collect();
    let text = |name: &str, steps: u64| match changes.len() {
        1 => format!("break-even at {}", count(steps)),
        _ => format!("{name} at {}", count(steps)),
    };
    changes.iter().map(|(name, steps)| (*steps as f64, text(name, *steps))).collect()
}
