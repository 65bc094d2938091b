//! The cells of a study in three stages, each from what the one before found out:
//! sources, references and scratch's trials; then the methods' trials; then the runs that are reported.

use super::cell::{Cell, CellResult, CellStore};
use super::definition::{Definition, Origin, Pair};
use super::file::Measure;
use super::measure::measure;
use crate::choose::{Method, Source};
use crate::env::Registry;
use crate::error::Result;
use crate::learn::ppo::{Start, defaults};
use crate::policy::Card;
use crate::stats::mean;
use std::collections::BTreeMap;

/// Some cells, each once, wherever it stands.
#[derive(Default)]
pub struct Batch {
    /// The cells.
    pub cells: Vec<Cell>,
    by_digest: BTreeMap<String, usize>,
}

impl Batch {
    fn add(&mut self, cell: Cell) -> usize {
        let index = *self.by_digest.entry(cell.digest.clone()).or_insert(self.cells.len());
        if index == self.cells.len() {
            self.cells.push(cell);
        } else {
            self.cells[index].is_source |= cell.is_source;
        }
        index
    }
}

/// What a method's trials found.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// Factor of the learning rate.
    pub factor: f64,
    /// The measure of each tuning seed; of a run that failed, negative infinity.
    pub values: Vec<f64>,
}

impl Trial {
    fn score(&self) -> f64 {
        mean(&self.values)
    }
}

/// What is known of a pair before the runs that are reported.
pub struct Prepared {
    /// The source of each seed, tuning seeds included.
    sources: BTreeMap<u64, Source>,
    /// The trials of each method.
    pub trials: BTreeMap<Method, Vec<Trial>>,
    /// The factor of a learning rate that was not tried with others.
    untried: f64,
}

impl Prepared {
    /// The source of a seed.
    ///
    /// # Panics
    /// When it is no seed of the study.
    #[must_use]
    pub fn source(&self, seed: u64) -> &Source {
        &self.sources[&seed]
    }

    /// The factor of the learning rate with the best trial; of equals, the one that changes least.
    #[must_use]
    pub fn factor(&self, method: Method) -> f64 {
        let trials = self.trials.get(&method).map_or(&[][..], Vec::as_slice);
        let least_change = |factor: f64| factor.ln().abs();
        let best = trials
            .iter()
            .max_by(|a, b| a.score().total_cmp(&b.score()).then_with(|| least_change(b.factor).total_cmp(&least_change(a.factor))));
        let untried = if method.has_learning_rate() { self.untried } else { 1.0 };
        best.map_or(untried, |trial| trial.factor)
    }

    /// The method, scratch aside, with the best trial.
    #[must_use]
    pub fn best_method(&self, methods: &[Method]) -> Option<Method> {
        let score = |method: Method| {
            let trials = self.trials.get(&method)?;
            trials.iter().map(Trial::score).max_by(f64::total_cmp)
        };
        let scored = methods.iter().filter(|method| **method != Method::Scratch).filter_map(|method| Some((*method, score(*method)?)));
        // Of equals the first in the study's order.
        scored.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(method, _)| method)
    }
}

/// Where a pair's cells of the first stage stand in their batch.
pub struct First {
    sources: Vec<(u64, usize)>,
    /// The reference's runs.
    pub reference: Vec<usize>,
    trials: Trials,
}

type Trials = Vec<(Method, f64, Vec<usize>)>;

/// Sources, references, and scratch's trials.
#[must_use]
pub fn first(definition: &Definition) -> (Batch, Vec<First>) {
    let mut batch = Batch::default();
    let places = definition.pairs.iter().map(|pair| {
        let sources = seeds(definition).filter_map(|seed| Some((seed, batch.add(Cell::source(pair.source_job(seed)?))))).collect();
        let reference =
            definition.reference_range().map(|seed| batch.add(Cell::new(pair.scratch_job(definition, 1.0, seed, pair.reference_steps))));
        let reference = reference.collect();
        First { sources, reference, trials: add_trials(&mut batch, definition, pair, &[Method::Scratch], None) }
    });
    let places = places.collect();
    (batch, places)
}

/// All seeds that something is moved with.
fn seeds(definition: &Definition) -> impl Iterator<Item = u64> {
    let tuning = if definition.tunes() { definition.tuning_range() } else { 0..0 };
    definition.seed_range().chain(tuning)
}

fn add_trials(batch: &mut Batch, definition: &Definition, pair: &Pair, methods: &[Method], prepared: Option<&Prepared>) -> Trials {
    if !definition.tunes() {
        return Vec::new();
    }
    let mut trials = Vec::new();
    for &method in methods {
        // What learns nothing has no rate to choose; it is run to be compared with the others on these seeds.
        let factors: &[f64] = if method.has_learning_rate() { &definition.tuning.learning_rates } else { &[1.0] };
        for &factor in factors {
            let cells = definition.tuning_range().map(|seed| {
                let source = prepared.map(|prepared| prepared.source(seed));
                batch.add(Cell::new(pair.job(definition, method, factor, seed, source)))
            });
            trials.push((method, factor, cells.collect()));
        }
    }
    trials
}

fn judged_trials(kind: Measure, trials: Trials, results: &[CellResult]) -> BTreeMap<Method, Vec<Trial>> {
    let mut judged: BTreeMap<Method, Vec<Trial>> = BTreeMap::new();
    for (method, factor, cells) in trials {
        let value = |cell: &usize| match &results[*cell] {
            failed if failed.failed.is_some() => f64::NEG_INFINITY,
            result => measure(kind, &result.evaluations),
        };
        judged.entry(method).or_default().push(Trial { factor, values: cells.iter().map(value).collect() });
    }
    judged
}

/// What the first stage found.
///
/// # Errors
/// When a source that was learned cannot be read.
pub fn prepare(
    definition: &Definition,
    pair: &Pair,
    first: First,
    batch: &Batch,
    results: &[CellResult],
    store: &CellStore,
) -> Result<Prepared> {
    let mut sources = BTreeMap::new();
    match &pair.origin {
        Origin::Policy(source) => sources.extend(seeds(definition).map(|seed| (seed, (**source).clone()))),
        Origin::Environment { .. } => {
            for (seed, index) in first.sources {
                let cell = &batch.cells[index];
                let found = store.policy(cell).ok_or_else(|| {
                    crate::error::Error::artefact("the source that was learned is gone").at(&cell.digest).hint("start the study again")
                })?;
                let (path, policy, card) = found;
                sources.insert(seed, Source { path, policy, card });
            }
        }
    }
    let trials = judged_trials(pair.measure, first.trials, results);
    Ok(Prepared { sources, trials, untried: definition.tuning.learning_rates[0] })
}

/// Stands in for what the first stage would find, for counting cells before anything runs.
///
/// # Errors
/// When a source's environment cannot be built.
pub fn imagine(definition: &Definition, pair: &Pair, registry: &Registry) -> Result<Prepared> {
    let source = match &pair.origin {
        Origin::Policy(source) => (**source).clone(),
        Origin::Environment { environment, .. } => {
            let known = defaults::for_environment(&environment.simulator);
            let policy = Start::fresh(&known.config, registry.build(environment)?.spaces(), 0)?.policy;
            let card = Card::new(&policy, crate::policy::Provenance::default(), Vec::new());
            Source { path: environment.name.clone().into(), policy, card }
        }
    };
    let sources = seeds(definition).map(|seed| (seed, source.clone())).collect();
    Ok(Prepared { sources, trials: BTreeMap::new(), untried: definition.tuning.learning_rates[0] })
}

/// The trials of all methods but scratch.
#[must_use]
pub fn second(definition: &Definition, prepared: &[Prepared]) -> (Batch, Vec<Trials>) {
    let mut batch = Batch::default();
    let others: Vec<Method> = definition.methods.iter().copied().filter(|method| *method != Method::Scratch).collect();
    let places = definition.pairs.iter().zip(prepared);
    let places = places.map(|(pair, prepared)| add_trials(&mut batch, definition, pair, &others, Some(prepared))).collect();
    (batch, places)
}

/// Adds what the second stage found.
pub fn tune(pair: &Pair, prepared: &mut Prepared, trials: Trials, results: &[CellResult]) {
    prepared.trials.extend(judged_trials(pair.measure, trials, results));
}

/// Where a pair's reported runs stand in their batch.
pub struct Third {
    /// By method, in the study's order, the run of each seed.
    pub arms: Vec<Vec<usize>>,
    /// Scratch with the source's steps too, where it is run.
    pub control: Vec<usize>,
}

/// The runs of a pair that are reported.
pub struct Reported {
    /// By method, in the study's order, the run of each seed.
    pub arms: Vec<Vec<CellResult>>,
    /// Scratch with the source's steps too.
    pub control: Vec<CellResult>,
}

impl Third {
    /// Finds a pair's runs among its batch's results.
    #[must_use]
    pub fn reported(&self, results: &[CellResult]) -> Reported {
        let cells = |indices: &Vec<usize>| indices.iter().map(|index| results[*index].clone()).collect();
        Reported { arms: self.arms.iter().map(cells).collect(), control: cells(&self.control) }
    }
}

/// The runs that are reported.
#[must_use]
pub fn third(definition: &Definition, prepared: &[Prepared]) -> (Batch, Vec<Third>) {
    let mut batch = Batch::default();
    let places = definition.pairs.iter().zip(prepared).map(|(pair, prepared)| {
        let arms = definition.methods.iter().map(|&method| {
            let factor = prepared.factor(method);
            let run = |seed| Cell::new(pair.job(definition, method, factor, seed, Some(prepared.source(seed))));
            definition.seed_range().map(|seed| batch.add(run(seed))).collect()
        });
        let arms = arms.collect();
        let factor = prepared.factor(Method::Scratch);
        let control = pair.control_steps(definition).into_iter().flat_map(|steps| definition.seed_range().map(move |seed| (steps, seed)));
        let control = control.map(|(steps, seed)| batch.add(Cell::new(pair.scratch_job(definition, factor, seed, steps)))).collect();
        Third { arms, control }
    });
    let places = places.collect();
    (batch, places)
}
