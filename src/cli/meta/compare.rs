//! `heirloom meta compare RUN...`.

use super::measuring::{self, Measuring};
use crate::choose::words::quoted;
use crate::choose::{Configuration, Method, Source};
use crate::cli::arguments::pool;
use crate::cli::signals;
use crate::cli::terminal::{self, Ending};
use crate::cli::watch::{check_page, write_page};
use crate::env::tasks::Tasks;
use crate::env::{Registry, Spaces, Spec};
use crate::error::{Error, Kind, Result};
use crate::file::ron;
use crate::meta::adapt::Point;
use crate::meta::{self, Inner, adapt, oracle};
use crate::policy::Policy;
use crate::report;
use crate::report::adaptation::{self, Adaptation, Start};
use clap::Args;
use std::path::{Path, PathBuf};

/// Lay meta-learned starts beside each other: what each earns in the same tasks, update by update.
///
/// The runs must have learned the same task distribution, divided alike; each adapts by the steps that it was learned for. Beside them stands a start from
/// nothing that adapts by the steps of the first that does, and every start is compared task by task with pooled training, where that is among them. Ends with a table and a page.
#[derive(Args)]
#[command(
    after_help = "Example:\n  heirloom meta navigation_tasks --method maml\n  heirloom meta navigation_tasks --method pooled\n  heirloom meta compare runs/navigation_tasks-maml-0 runs/navigation_tasks-pooled-0"
)]
pub(super) struct Compare {
    /// Run folders of `heirloom meta`, or their policies
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Tasks of each kind in which the starts are measured
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u64).range(2..=100_000))]
    test_tasks: u64,
    /// Updates of adaptation
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(0..=1000))]
    updates: usize,
    /// Seed of the tasks, of the episodes in them and of the start from nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The page [default: runs/TASKS-adaptation.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Test tasks whose paths are drawn, of each start.
const DRAWN: u64 = 3;

/// A start and how it adapts.
struct Contender {
    name: String,
    method: Method,
    policy: Policy,
    adapt: adapt::Config,
    spec: Spec,
    meta: meta::Config,
    /// Environment steps that it was learned from.
    steps: u64,
    /// Where it was found.
    path: PathBuf,
}

impl Compare {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        let mut contenders = self.runs.iter().map(|run| load(run, registry)).collect::<Result<Vec<_>>>()?;
        let (first, others) = contenders.split_first().ok_or_else(|| Error::usage("there is nothing to compare"))?;
        others.iter().try_for_each(|other| check_alike(first, other))?;
        let tasks = first.tasks(self.seed)?;
        let out = self.out.clone().unwrap_or_else(|| Path::new("runs").join(format!("{}-adaptation.html", first.spec.name)));
        check_page(&out)?;
        let family = registry.build(&first.family())?.spaces().clone();
        let rule = contenders.iter().find(|contender| contender.adapts());
        let scratch = scratch(&contenders[0], rule, &family, self.seed);
        contenders.push(scratch);
        name_apart(&mut contenders);
        if !self.json {
            terminal::note(tasks.describe().trim_end());
        }
        let (workers, stop) = (pool(self.threads)?, signals::stop_on_signals()?);
        let (count, updates, seed) = (self.test_tasks, self.updates, self.seed);
        let measuring = Measuring { registry, tasks: &tasks, count, updates, seed, pool: &workers, stop: &stop };
        match self.measure(&contenders, measuring) {
            Err(error) if error.kind() == Kind::Stopped => Ok(Ending::Signal(stop.requested().unwrap_or(2))),
            found => {
                let found = found?;
                let written = write_page(&out, &adaptation::page(&found))?;
                self.show(&found, &out, &written);
                Ok(Ending::Done)
            }
        }
    }

    fn measure(&self, contenders: &[Contender], measuring: Measuring<'_>) -> Result<Adaptation> {
        let (mut starts, mut films) = (Vec::new(), Vec::new());
        for (index, contender) in contenders.iter().enumerate() {
            let Contender { policy, adapt, .. } = contender;
            // The same draws for all; an oracle is shown them.
            let measuring = Measuring { tasks: &contender.tasks(self.seed)?, ..measuring };
            // What is taken as it is stays where it is, however many updates the others have.
            let updates = if contender.adapts() { self.updates } else { 0 };
            let courses = Measuring { updates, ..measuring }.courses(policy, adapt).map_err(|error| error.at(contender.path.display()))?;
            let courses = courses.into_iter().map(|(split, courses)| (split, lengthened(courses, self.updates))).collect();
            let is_scratch = contender.method == Method::Scratch;
            let (steps, rule) = (report::number::count(contender.steps), contender.rule());
            let about = if is_scratch {
                format!("new weights, nothing learned before; {rule}")
            } else {
                format!("{}; {steps} environment steps of training; {rule}", contender.method.about())
            };
            let start = Start { name: contender.name.clone(), about, is_scratch, adapts: contender.adapts(), courses };
            if contender.adapts() {
                films.extend(measuring.films(index, policy, adapt, &start, DRAWN)?);
            }
            starts.push(start);
        }
        let pooled = contenders.iter().position(|contender| contender.method == Method::Pooled);
        let spec = &contenders[0].spec;
        let runs: Vec<String> = self.runs.iter().map(|run| quoted(run)).collect();
        let (count, updates, seed) = (self.test_tasks, self.updates, self.seed);
        Ok(Adaptation {
            tasks: spec.name.clone(),
            about: spec.about.clone(),
            regions: measuring.tasks.regions(),
            different: measuring.tasks.count(),
            episodes: contenders[0].adapt.episodes,
            reference: pooled.or_else(|| contenders.len().checked_sub(1)),
            starts,
            films,
            command: format!("heirloom meta compare {} --test-tasks {count} --updates {updates} --seed {seed}", runs.join(" ")),
        })
    }

    fn show(&self, found: &Adaptation, page: &Path, written: &str) {
        if self.json {
            let each = found.starts.iter().map(|start| {
                let splits = start.courses.iter().map(|(split, courses)| (split.name().to_owned(), measuring::to_json(courses)));
                serde_json::json!({"name": start.name, "returns": splits.collect::<serde_json::Map<_, _>>(), "more_than_reference": found.differences(start)})
            });
            let reference = found.reference.map(|index| found.starts[index].name.clone());
            let document = serde_json::json!({"page": page, "reference": reference, "starts": each.collect::<Vec<_>>()});
            return terminal::json(&document);
        }
        let rows = found.starts.iter().flat_map(|start| {
            start.courses.iter().map(|(split, courses)| {
                let of = measuring::split_cell(*split, courses, found.different);
                [vec![start.name.clone(), of], measuring::cells(courses)].concat()
            })
        });
        measuring::table(&["start", "return"], rows.collect());
        terminal::say(written);
    }
}

fn load(run: &str, registry: &Registry) -> Result<Contender> {
    let Source { path, policy, card } = Source::load(run)?;
    let provenance = card.provenance;
    if provenance.method == Method::Rl2.name() {
        return Err(Error::usage("`rl2` does not adapt by updates")
            .at(run)
            .hint("leave this run out; `heirloom evaluate` measures its trials"));
    }
    let configuration = ron::Source { name: "configuration".into(), text: provenance.configuration }.parse::<Configuration>();
    let learned = Method::parse(&provenance.method).ok().zip(configuration.ok().and_then(|configuration| configuration.meta));
    let Some((method, meta)) = learned else {
        return Err(Error::usage("was not meta-learned").at(run).hint("name runs of `heirloom meta`"));
    };
    let recipe = method.recipe(&meta).ok_or_else(|| Error::usage("was not meta-learned").at(run))?;
    let spec = Spec::from_ron(registry, &provenance.environment, &provenance.environment_ron)
        .map_err(|error| error.as_kind(Kind::Artefact).at(run))?;
    let adapt = adapt::Config::of(&meta, recipe.inner);
    Ok(Contender { name: method.name().to_owned(), method, policy, adapt, spec, meta, steps: provenance.steps.unwrap_or_default(), path })
}

/// Fails where two starts cannot be measured in the same tasks by the same updates.
fn check_alike(first: &Contender, other: &Contender) -> Result<()> {
    let refused = |message: String, hint: &str| Err(Error::usage(message).at(other.path.display()).hint(hint));
    let name = first.path.display();
    let [own, theirs] = [other, first].map(Contender::family);
    if own.digest() != theirs.digest() {
        let rows = own.differences(&theirs);
        let differences: Vec<String> = rows.iter().map(|(what, own, theirs)| format!("{what} {own}, not {theirs}")).collect();
        return refused(
            format!("has learned other tasks than `{name}`: {}", differences.join("; ")),
            "runs are compared that learned from the same task distribution",
        );
    }
    if first.meta.splits != other.meta.splits {
        return refused(
            format!("divides its tasks otherwise than `{name}`: what the one kept to judge by, the other may have trained on"),
            "give both runs the same `meta.splits`",
        );
    }
    let [own, theirs] = [other, first].map(|contender| contender.adapt.episodes);
    if own != theirs {
        return refused(
            format!("adapts by {own} episodes an update, `{name}` by {theirs}: their updates are not the same"),
            "give both runs the same `meta.episodes`",
        );
    }
    Ok(())
}

impl Contender {
    /// What its tasks are drawn from, without what an oracle is shown of them.
    fn family(&self) -> Spec {
        if self.method == Method::Oracle { oracle::hidden(&self.spec) } else { self.spec.clone() }
    }

    fn tasks(&self, seed: u64) -> Result<Tasks> {
        Tasks::new(&self.spec, &self.meta.splits, seed)
    }

    fn adapts(&self) -> bool {
        self.method.adapts() || self.method == Method::Scratch
    }

    /// How it adapts, in words.
    fn rule(&self) -> String {
        if !self.adapts() {
            return "does not adapt".to_owned();
        }
        let rates = self.adapt.rates(&self.policy);
        let (least, most) =
            rates.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), rate| (least.min(*rate), most.max(*rate)));
        let size = if least == most { most.to_string() } else { format!("{least:.3} to {most:.3}") };
        format!("adapts by steps of {size} at a discount of {}", self.adapt.discount)
    }
}

/// Courses of so many updates, of a start that has none: what it is before is what it stays.
fn lengthened(mut courses: Vec<Vec<Point>>, updates: usize) -> Vec<Vec<Point>> {
    for course in &mut courses {
        if let Some(last) = course.last().copied() {
            course.resize(updates + 1, last);
        }
    }
    courses
}

/// New weights of the same networks in the family itself, which adapt by steps of the size that those of `rule` began with.
fn scratch(first: &Contender, rule: Option<&Contender>, spaces: &Spaces, seed: u64) -> Contender {
    let meta = rule.map_or(&first.meta, |rule| &rule.meta).clone();
    let policy = Policy::untrained(meta.shape(spaces), spaces, seed);
    let adapt = adapt::Config { rate: Some(meta.inner_rate), ..adapt::Config::of(&meta, Inner::LogProb) };
    let spec = first.family();
    let (name, path) = (Method::Scratch.name().to_owned(), "scratch".into());
    Contender { name, method: Method::Scratch, policy, adapt, spec, meta, steps: 0, path }
}

/// Two runs of one method are told apart by their folders.
fn name_apart(contenders: &mut [Contender]) {
    let methods: Vec<Method> = contenders.iter().map(|contender| contender.method).collect();
    let twice = |method: Method| methods.iter().filter(|other| **other == method).count() > 1;
    for contender in contenders.iter_mut().filter(|contender| twice(contender.method)) {
        let folder = contender.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        contender.name = format!("{} ({folder})", contender.name);
    }
}
