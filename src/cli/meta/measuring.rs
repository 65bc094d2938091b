//! What starts earn in tasks that were not trained on, measured and filmed.

use crate::choose::make_task;
use crate::cli::terminal::{self, number};
use crate::env::Registry;
use crate::env::tasks::{Split, Tasks};
use crate::error::Result;
use crate::meta::adapt::{self, Point};
use crate::meta::filmed::before_and_after;
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::report::adaptation::{Filmed, Start};
use crate::stats::Interval;
use crate::stop::Stop;

/// Episodes of a film: as many paths as one picture takes.
const FILMED_EPISODES: usize = 5;

/// In which tasks, and how far.
#[derive(Clone, Copy)]
pub(super) struct Measuring<'a> {
    pub(super) registry: &'a Registry,
    pub(super) tasks: &'a Tasks,
    /// Tasks of each split.
    pub(super) count: u64,
    pub(super) updates: usize,
    pub(super) seed: u64,
    pub(super) pool: &'a Pool,
    pub(super) stop: &'a Stop,
}

impl Measuring<'_> {
    /// For each task of each split what the policy earns there as it adapts.
    pub(super) fn courses(&self, policy: &Policy, config: &adapt::Config) -> Result<Vec<(Split, Vec<Vec<Point>>)>> {
        let splits = if self.tasks.can_extrapolate() { &[Split::Test, Split::Extrapolation][..] } else { &[Split::Test] };
        let measure = |split: &Split| {
            let make = make_task(self.registry, self.tasks, *split);
            let courses = adapt::curves(policy, &make, 0..self.count, config, self.updates, self.seed, self.pool, self.stop)?;
            Ok((*split, courses))
        };
        splits.iter().map(measure).collect()
    }

    /// The first test tasks, where they are places in a plane. `start` is whose policy this is.
    pub(super) fn films(&self, start: usize, policy: &Policy, config: &adapt::Config, measured: &Start, most: u64) -> Result<Vec<Filmed>> {
        let shown = ["x", "y"].iter().all(|name| policy.spaces.observation.iter().any(|channel| channel.name == *name));
        let Some((split, courses)) = measured.courses.first().filter(|_| shown && self.updates > 0) else { return Ok(Vec::new()) };
        let (make, numbers) = (make_task(self.registry, self.tasks, *split), 0..self.count.min(most));
        let films = before_and_after(policy, &make, numbers.clone(), config, FILMED_EPISODES, self.seed, self.pool, self.stop)?;
        let filmed = numbers.zip(films).zip(courses).map(|((number, films), course)| {
            let values = self.tasks.task(*split, number)?.values;
            Ok(Filmed { values, start, films, returns: [course[0].total, course[1].total] })
        });
        filmed.collect()
    }
}

/// What a row of returns is of: `test (40 tasks)`, or where there are only so many different ones, `test (40 draws of 2 tasks)`.
pub(super) fn split_cell(split: Split, courses: &[Vec<Point>], different: Option<usize>) -> String {
    let (name, count) = (split.name(), courses.len());
    match different {
        None => format!("{name} ({count} tasks)"),
        Some(different) => format!("{name} ({count} draws of {different} tasks, all trained on)"),
    }
}

/// Heads of a table of returns before and after updates.
fn heads(points: usize) -> Vec<String> {
    let head = |update: usize| match update {
        0 => "before".to_owned(),
        1 => "after 1 update".to_owned(),
        update => format!("after {update}"),
    };
    (0..points).map(head).collect()
}

/// Returns before and after updates, as cells of a table.
pub(super) fn cells(courses: &[Vec<Point>]) -> Vec<String> {
    adapt::by_update(courses)
        .into_iter()
        .map(|Interval { mean, low, high }| format!("{} [{}, {}]", number(mean), number(low), number(high)))
        .collect()
}

/// The same for programs.
pub(super) fn to_json(courses: &[Vec<Point>]) -> serde_json::Value {
    let points = adapt::by_update(courses);
    serde_json::json!({
        "means": points.iter().map(|point| point.mean).collect::<Vec<_>>(),
        "intervals": points.iter().map(|point| [point.low, point.high]).collect::<Vec<_>>(),
    })
}

/// Prints rows of returns under what they are of.
pub(super) fn table(first: &[&str], rows: Vec<Vec<String>>) {
    let cells = rows.first().map_or(0, Vec::len);
    let heads = heads(cells - first.len());
    let heads: Vec<&str> = first.iter().copied().chain(heads.iter().map(String::as_str)).collect();
    terminal::table(&heads, &[], rows);
}
