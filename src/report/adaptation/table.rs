//! The numbers behind the curves, differences task by task, and where the tasks lie.

use super::{Adaptation, Start, tasks_of};
use crate::env::tasks::Split;
use crate::report::number::{count, counted, difference, limits, number};
use crate::stats::{Interval, mean_interval};
use maud::{Markup, html};

/// A name, and what it has at every point of the way.
type Row = (String, Vec<Option<Interval>>);

/// `before`, `after 1 update`, `2`, ...
fn heads(updates: usize) -> Vec<String> {
    let head = |update: usize| match update {
        0 => "before".to_owned(),
        update => format!("after {}", counted(update as u64, "update")),
    };
    (0..=updates).map(head).collect()
}

pub(super) fn returns(found: &Adaptation) -> Markup {
    let row = |name: String, start: &Start, split: Split| (name, start.means(split).into_iter().map(Some).collect());
    if let [only] = &found.starts[..] {
        let rows: Vec<Row> = found.splits().into_iter().map(|split| row(found.measured(only, split), only, split)).collect();
        return html! {
            h3 { "Mean return" }
            (table(found.updates(), &rows, number))
        };
    }
    html! {
        @for split in found.splits() {
            h3 { "Mean return in " (tasks_of(split)) }
            (table(found.updates(), &found.starts.iter().map(|start| row(start.name.clone(), start, split)).collect::<Vec<_>>(), number))
        }
        dl.starts {
            @for start in &found.starts { div { dt { (start.name) } dd { (start.about) } } }
        }
    }
}

/// Task by task, every start less the reference.
pub(super) fn differences(found: &Adaptation) -> Markup {
    let Some(reference) = found.reference.map(|index| &found.starts[index]) else { return html! {} };
    let others: Vec<&Start> = found.starts.iter().filter(|start| start.name != reference.name).collect();
    html! {
        @for split in found.splits() {
            h3 { "More than " (reference.name) ", in " (tasks_of(split)) }
            (table(found.updates(), &others.iter().map(|start| (start.name.clone(), paired(start, reference, split))).collect::<Vec<_>>(), difference))
        }
        p.note {
            "Differences are taken task by task, in the same " (count(reference.of(Split::Test).len() as u64)) " tasks, and their intervals
             are over tasks. The unit is the task, not the seed of training: an interval above 0 says that this start is better than this "
            (reference.name) ", and not yet that its method is the better one."
        }
    }
}

/// Differences before the first update, after it, ...
pub(super) fn paired(start: &Start, reference: &Start, split: Split) -> Vec<Option<Interval>> {
    let pairs = || start.of(split).iter().zip(reference.of(split));
    let points = pairs().map(|(own, other)| own.len().min(other.len())).min().unwrap_or(0);
    let at = |update: usize| pairs().map(|(own, other)| own[update].total - other[update].total).collect::<Vec<f64>>();
    (0..points).map(|update| mean_interval(&at(update), 0.95)).collect()
}

fn table(updates: usize, rows: &[Row], say: fn(f64) -> String) -> Markup {
    html! {
        div.scroll {
            table.numbers {
                thead { tr { th scope="col" { "" } @for head in heads(updates) { th scope="col" { (head) } } } }
                tbody {
                    @for (name, points) in rows {
                        tr {
                            th scope="row" { (name) }
                            @for point in points {
                                td { (point.map_or_else(|| "—".to_owned(), |point| say(point.mean))) " " small { (limits(*point)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn regions(found: &Adaptation) -> Markup {
    html! {
        p {
            "A task is one draw of these parameters. Tasks of training, validation and test come from streams of their own: of
             continuous laws no test task was trained on; a Choice alone gives every split the same few tasks. In tasks of extrapolation at least one parameter lies where training never was."
        }
        div.scroll {
            table {
                thead { tr { th scope="col" { "parameter" } th scope="col" { "law" } th scope="col" { "training, validation, test" } th scope="col" { "extrapolation" } } }
                tbody {
                    @for [name, law, inside, outside] in &found.regions {
                        tr { th scope="row" { (name.replace('_', " ")) } @for cell in [law, inside, outside] { td { (cell.replace('-', "−")) } } }
                    }
                }
            }
        }
    }
}
