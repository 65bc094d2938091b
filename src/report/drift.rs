//! How far two environments drift apart, as sections of a page: a picture, the numbers behind it, and what they can and cannot tell.

use super::chart::figure::wide_and_narrow;
use super::chart::{Axis, Colour, Course, Curve, Curves, Names, Point, label};
use super::number::{count, counted, difference, number};
use crate::demo::drift::{APART, At, Drift, Spread};
use crate::stats::Interval;
use maud::{Markup, html};

/// The rules of the sections.
pub const STYLE: &str = include_str!("drift.css");
/// More curves than these are not told apart.
const MOST_CURVES: usize = 6;

/// The sections. `here` is the environment that was recorded, `there` the other one, `different` what differs between them, as
/// [`crate::env::Spec::differences`] says it.
#[must_use]
pub fn sections(drift: &Drift, here: &str, there: &str, different: &[(String, String, String)]) -> Markup {
    html! {
        section #drift {
            h2 { "How far they drift apart" }
            p { (sentence(drift)) " " (ends(drift, there)) }
            @for note in notes(drift, there) { p.note { (note) } }
            (figure("distance", "Distance by step, all channels together", &[together(drift)], drift, "of all channels together: the median of the episodes that still run in both, and their quartiles as a band"))
            (figure("channels", "Distance by step, channel by channel", &by_channel(drift), drift, "channel by channel: medians"))
            (by_step(drift))
            (outcomes(drift, here, there))
            (differences(different, here, there))
            (meaning(there))
        }
    }
}

/// When half of the episodes are apart, in words.
#[must_use]
pub fn sentence(drift: &Drift) -> String {
    let [near, far] = APART;
    let episodes = counted(drift.pairs.len() as u64, "episode");
    match (drift.half(0), drift.half(1)) {
        (None, _) if drift.steps.iter().all(|at| at.distance.high == 0.0) => format!("Of {episodes}, all stay together to the last bit."),
        (None, _) => format!("Of {episodes}, fewer than half ever come further than {near} sd apart while both run."),
        (Some(first), None) => {
            format!(
                "Of {episodes}, half are more than {near} sd apart by step {first}; fewer than half ever come further than {far} sd apart while both run."
            )
        }
        (Some(first), Some(second)) => {
            format!("Of {episodes}, half are more than {near} sd apart by step {first}, and more than {far} sd by step {second}.")
        }
    }
}

/// What became of returns and lengths, in words.
#[must_use]
pub fn ends(drift: &Drift, there: &str) -> String {
    let [recorded, replayed] = drift.means(|pair| pair.returns);
    let early = drift.ended_earlier() as u64;
    let early = match early {
        0 => "none ended before the recorded actions ran out".to_owned(),
        early => format!("{} of {} ended before the recorded actions ran out", count(early), count(drift.pairs.len() as u64)),
    };
    format!("The mean return is {} as recorded and {} in {there}; {early}.", number(recorded), number(replayed))
}

/// What one should know of the numbers.
#[must_use]
pub fn notes(drift: &Drift, there: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let own = drift.begun_elsewhere();
    if own > 0 {
        notes.push(format!(
            "{} of {} episodes begin in a start state that {there} drew itself, because the recorded one cannot be put into it: their distance \
             at step 0 is that of two start states, and says nothing of the dynamics.",
            count(own as u64),
            count(drift.pairs.len() as u64)
        ));
    }
    if own == 0 && drift.steps.first().is_some_and(|at| at.distance.high > 0.0) {
        notes.push(format!("At step 0 both are in the same state: the distance there is that of the sensors, and {there} has others."));
    }
    if !drift.left_out.is_empty() {
        let names: Vec<String> = drift.left_out.iter().map(|(name, why)| format!("{name} ({why})")).collect();
        notes.push(format!("Not compared: {}.", names.join(", ")));
    }
    notes
}

fn point(step: usize, spread: Spread, band: bool) -> Point {
    let Spread { low, median, high } = spread;
    let [low, high] = if band { [low, high] } else { [median; 2] };
    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    Point { x: step as f64, y: Interval { mean: median, low, high } }
}

fn curve(drift: &Drift, name: &str, colour: Colour, of: impl Fn(&At) -> Spread, band: bool) -> Curve {
    let points: Vec<Point> = drift.steps.iter().enumerate().map(|(step, at)| point(step, of(at), band)).collect();
    let reach = points.iter().fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], point| [low.min(point.y.low), high.max(point.y.high)]);
    Curve { name: label::plain(name), colour, course: Course::Points(points), values: Some(reach) }
}

fn together(drift: &Drift) -> Curve {
    curve(drift, "all channels", Colour::nth(1), |at| at.distance, true)
}

fn by_channel(drift: &Drift) -> Vec<Curve> {
    let channels = drift.channels.iter().enumerate().take(MOST_CURVES);
    channels.map(|(index, (name, _))| curve(drift, name, Colour::nth(index), |at| at.channels[index], false)).collect()
}

fn figure(id: &str, title: &str, curves: &[Curve], drift: &Drift, caption: &str) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    let half = |index: usize| Some((drift.half(index)? as f64, format!("half are {} sd apart", APART[index])));
    let drawn = Curves {
        x_title: "steps after the start".into(),
        x_axis: Axis::Linear,
        y_title: "distance, in standard deviations of what was recorded".into(),
        // One of the two where they are close: their words would lie on each other.
        places: if curves.len() == 1 { half(1).or_else(|| half(0)).into_iter().collect() } else { Vec::new() },
        curves: curves.to_vec(),
    };
    let alone = curves.len() == 1;
    let wide = drawn.figure(&format!("{id}-wide"), title, [920.0, 340.0], if alone { Names::Nowhere } else { Names::AtTheEnd });
    let narrow = drawn.figure(&format!("{id}-narrow"), title, [380.0, 320.0], if alone { Names::Nowhere } else { Names::Above });
    let more = drift.channels.len().saturating_sub(MOST_CURVES);
    html! {
        figure {
            (wide_and_narrow(&wide, &narrow))
            figcaption {
                b { "Distance " } (caption) "."
                @if !alone && more > 0 { " The first " (MOST_CURVES) "; " (counted(more as u64, "more channel")) " are in --json." }
            }
        }
    }
}

fn by_step(drift: &Drift) -> Markup {
    let channels = &drift.channels[..drift.channels.len().min(MOST_CURVES)];
    html! {
        h3 { "Step by step" }
        div.scroll {
            table.numbers {
                thead {
                    tr {
                        th scope="col" { "step" }
                        th scope="col" { "running" }
                        th scope="col" { "distance" }
                        th scope="col" { "quartiles" }
                        @for (name, _) in channels { th scope="col" { (name.replace('_', " ")) } }
                    }
                }
                tbody {
                    @for step in drift.marks() {
                        @let at = &drift.steps[step];
                        tr {
                            th scope="row" { (count(step as u64)) }
                            td { (count(at.running as u64)) }
                            td { (number(at.distance.median)) }
                            td { (number(at.distance.low)) " to " (number(at.distance.high)) }
                            @for spread in at.channels.iter().take(MOST_CURVES) { td { (number(spread.median)) } }
                        }
                    }
                }
                tfoot {
                    tr {
                        th scope="row" colspan="4" { "one standard deviation is" }
                        @for (_, deviation) in channels { td { (number(*deviation)) } }
                    }
                }
            }
        }
    }
}

fn outcomes(drift: &Drift, here: &str, there: &str) -> Markup {
    #[expect(clippy::cast_precision_loss, reason = "a number of steps")]
    let steps = drift.means(|pair| pair.steps.map(|steps| steps as f64));
    let rows = [("mean return", drift.means(|pair| pair.returns)), ("mean steps", steps)];
    html! {
        h3 { "Returns and lengths" }
        div.scroll {
            table.numbers {
                thead {
                    tr { th scope="col" { "" } th scope="col" { "recorded in " (here) } th scope="col" { "the same actions in " (there) } th scope="col" { "difference" } }
                }
                tbody {
                    @for (name, [recorded, replayed]) in rows {
                        tr { th scope="row" { (name) } td { (number(recorded)) } td { (number(replayed)) } td { (difference(replayed - recorded)) } }
                    }
                }
            }
        }
    }
}

fn differences(different: &[(String, String, String)], here: &str, there: &str) -> Markup {
    let text = |value: &str| if value.is_empty() { "none".to_owned() } else { value.to_owned() };
    html! {
        h3 { "What is different" }
        @if different.is_empty() {
            p { "Nothing: " (there) " is the environment that was recorded." }
        } @else {
            div.scroll {
                table {
                    thead { tr { th scope="col" { "" } th scope="col" { (here) } th scope="col" { (there) } } }
                    tbody {
                        @for (name, one, two) in different { tr { th scope="row" { (name.replace('_', " ")) } td { (text(one)) } td { (text(two)) } } }
                    }
                }
            }
        }
    }
}

fn meaning(there: &str) -> Markup {
    html! {
        h3 { "What this can tell, and what it cannot" }
        p {
            "The recorded actions are done again without looking: nobody corrects on the way (open loop). The first steps therefore tell the gap
             between the two environments, and how steeply the curve begins is the number to take from this page. Later steps tell something
             else. Where motion is unstable, as that of a pole that stands on its end, a difference of any size grows from step to step until it
             is as large as the motion itself; the curve then says how unstable the task is, and nothing of the size of the gap."
        }
        p {
            "Distances are in standard deviations of what was recorded, so that metres and radians can be put together; a recording that hardly
             moves has small ones, and makes the same gap look large. An episode that has ended in one of the two is not in the curve any more:
             those that remain may be the lucky ones."
        }
        p {
            "It says nothing of states that were not visited, and nothing of a policy that looks: one that sees the error and corrects it
             (closed loop) may not mind a gap that is large here, and one that depends on a small detail may fail at a gap that is small. Whether
             a policy can be transferred to " (there) " is measured by " code { "heirloom evaluate" } " and judged by " code { "heirloom judge" } "."
        }
    }
}
