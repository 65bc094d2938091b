//! The page of adaptation: what starts earn in tasks that they were not trained on, update by update, the numbers behind the curves, and where
//! tasks are places in a plane, the paths before the first update and after it.

mod curves;
mod paths;
mod table;

use super::number::{count, counted, number};
use super::page::Page;
use crate::env::tasks::Split;
use crate::meta::adapt::{self, Point};
use crate::rollout::Film;
use crate::stats::Interval;
use maud::{Markup, html};
use std::collections::BTreeMap;

/// All that the page says.
#[derive(Debug, Clone, PartialEq)]
pub struct Adaptation {
    /// Name of the task distribution.
    pub tasks: String,
    /// That in a sentence.
    pub about: String,
    /// Of every drawn parameter: name, law, where training lies, where extrapolation does.
    pub regions: Vec<[String; 4]>,
    /// How many different tasks there are, where they are few: then all were trained on.
    pub different: Option<usize>,
    /// Episodes before each update.
    pub episodes: usize,
    /// What was measured, at least one.
    pub starts: Vec<Start>,
    /// Which of them the others are compared with, where there are several.
    pub reference: Option<usize>,
    /// A few test tasks on film.
    pub films: Vec<Filmed>,
    /// The command that makes the page again.
    pub command: String,
}

/// A start, and what it earns in the tasks of each split: for each task its course.
#[derive(Debug, Clone, PartialEq)]
pub struct Start {
    /// Its name.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// Whether nothing was learned before the tasks.
    pub is_scratch: bool,
    /// Whether it has updates; if not, it stays what it is before them.
    pub adapts: bool,
    /// Split by split, the same for every start.
    pub courses: Vec<(Split, Vec<Vec<Point>>)>,
}

/// A test task on film.
#[derive(Debug, Clone, PartialEq)]
pub struct Filmed {
    /// What was drawn.
    pub values: Vec<(String, f64)>,
    /// The start's place in [`Adaptation::starts`].
    pub start: usize,
    /// Before the first update and after it.
    pub films: [Film; 2],
    /// Mean returns there, over all episodes that were measured.
    pub returns: [f64; 2],
}

/// The page as HTML.
#[must_use]
pub fn page(found: &Adaptation) -> String {
    let body = html! {
        main {
            header {
                p.kicker { "Adaptation" }
                h1 { (found.tasks) }
                p.lead { (found.about) }
                @for sentence in sentences(found) { p { (sentence) } }
            }
            section #curves {
                h2 { "Update by update" }
                (curves::figures(found))
                (table::returns(found))
                (table::differences(found))
            }
            (paths::section(found))
            section #tasks {
                h2 { "Which tasks" }
                (table::regions(found))
            }
            (meaning(found))
        }
        footer { p { "Made by " code { (found.command) } " (heirloom " (env!("CARGO_PKG_VERSION")) "). This file loads nothing and sends nothing." } }
    };
    let title = format!("Adaptation: {}", found.tasks);
    Page { title: &title, style: include_str!("adaptation.css"), script: "", body }.text()
}

impl Adaptation {
    /// A start less the reference, task by task: of each split the mean difference with its interval, update by update.
    #[must_use]
    pub fn differences(&self, start: &Start) -> BTreeMap<&'static str, Vec<Option<Interval>>> {
        let reference = self.reference.map(|index| &self.starts[index]);
        let paired = |split: Split| Some((split.name(), table::paired(start, reference?, split)));
        self.splits().into_iter().filter_map(paired).collect()
    }

    /// Updates that were measured.
    fn updates(&self) -> usize {
        self.starts
            .iter()
            .flat_map(|start| &start.courses)
            .flat_map(|(_, courses)| courses)
            .map(Vec::len)
            .max()
            .unwrap_or(1)
            .saturating_sub(1)
    }

    /// In which tasks a start was measured: `40 test tasks`.
    fn measured(&self, start: &Start, split: Split) -> String {
        let measured = count(start.of(split).len() as u64);
        match self.different {
            None => format!("{measured} {}", tasks_of(split)),
            Some(different) => format!("{measured} draws of the {}", counted(different as u64, "task")),
        }
    }

    fn splits(&self) -> Vec<Split> {
        self.starts.first().map(|start| start.courses.iter().map(|(split, _)| *split).collect()).unwrap_or_default()
    }
}

impl Start {
    fn of(&self, split: Split) -> &[Vec<Point>] {
        self.courses.iter().find(|(known, _)| *known == split).map_or(&[], |(_, courses)| courses)
    }

    /// Mean returns over the tasks of a split: before the first update, after it, ...
    fn means(&self, split: Split) -> Vec<Interval> {
        adapt::by_update(self.of(split))
    }
}

/// What a split is, as a reader says it.
const fn tasks_of(split: Split) -> &'static str {
    match split {
        Split::Train => "tasks of training",
        Split::Validation => "validation tasks",
        Split::Test => "test tasks",
        Split::Extrapolation => "tasks of extrapolation",
    }
}

/// What the first update brings, in words.
fn sentences(found: &Adaptation) -> Vec<String> {
    let say = |start: &Start, split: Split| {
        let means = start.means(split);
        let tasks = found.measured(start, split);
        let limits = |mean: Interval| format!("{}\u{a0}[{},\u{a0}{}]", number(mean.mean), number(mean.low), number(mean.high));
        if !start.adapts {
            let name = &start.name;
            return means.first().map(|mean| format!("The policy of {name}, taken as it is, earns {} over {tasks}.", limits(*mean)));
        }
        let [before, after, ..] = means[..] else { return None };
        let who = if found.starts.len() > 1 { format!("From {}, one", start.name) } else { "One".to_owned() };
        Some(format!(
            "{who} update on {} takes the mean return over {tasks} from {} to {}.",
            counted(found.episodes as u64, "episode"),
            number(before.mean),
            limits(after)
        ))
    };
    let splits = if found.starts.len() > 1 { vec![Split::Test] } else { found.splits() };
    found.starts.iter().flat_map(|start| splits.iter().filter_map(|split| say(start, *split)).collect::<Vec<_>>()).collect()
}

fn meaning(found: &Adaptation) -> Markup {
    html! {
        section #meaning {
            h2 { "What this can tell, and what it cannot" }
            p {
                "Actions are drawn from the policy, as they must be where the next update learns from them; a policy that acts by its most
                 probable action earns something else. Each update takes " (counted(found.episodes as u64, "episode")) " of the task, and the
                 return after it is that of new ones."
            }
            p {
                "The intervals are 95 % t‑intervals over tasks: they say how well the mean over all tasks of this distribution is known for
                 this start. They say nothing of what the same method would have found with another seed of training."
            }
            @if let Some(different) = found.different {
                p {
                    "There is no more to this distribution than " (counted(different as u64, "task")) ", and all were trained on: the figures say how
                     well these are learned again, and nothing of a new one."
                }
            }
            @if found.starts.len() == 1 && found.starts[0].adapts {
                p {
                    "A start is worth its training where it beats the plain way: one policy for all tasks, adapted by the same updates. It
                     often does not. " code { "heirloom meta " (found.tasks) " --method pooled" } " learns that policy, and "
                    code { "heirloom meta compare" } " lays both, and a start from nothing, beside each other in the same tasks."
                }
            }
        }
    }
}
