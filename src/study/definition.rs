//! A study with everything that it names resolved and checked.

use super::file::{Changes, Failures, File, Measure, PairFile, Reference, SourceFile, Tuning};
use crate::choose::configuration::assignment;
use crate::choose::{Configuration, Job, Lessons, Method, Source, adaptation_of, carry};
use crate::demo::Demonstrations;
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result, did_you_mean};
use crate::file::ron;
use crate::imitate::{Pairs, Selection};
use crate::learn::ppo::{Start, defaults};
use crate::meta::Counts;
use crate::meta::adapt::{self, Adapting};
use crate::parallel::Pool;
use crate::rollout::MakeEnv;
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// The source of seed `s` is learned with seed `s + SOURCE_SEEDS`: with the same one, a source of few steps and scratch would start from
/// the same weights.
pub const SOURCE_SEEDS: u64 = 3000;

/// Below so many sources a study says little, and says so.
pub const ENOUGH_SEEDS: u64 = 10;

/// A study, ready to be run.
pub struct Definition {
    /// Its name: the file's stem.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// What is moved where.
    pub pairs: Vec<Pair>,
    /// How; scratch is always among them, first.
    pub methods: Vec<Method>,
    /// How many seeds are reported; each is a run of every method.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: u64,
    /// Evaluations on the way.
    pub evaluations: u64,
    /// Episodes of each evaluation.
    pub episodes: usize,
    /// How learning rates are chosen.
    pub tuning: Tuning,
    /// How the reference is found.
    pub reference: Reference,
    /// Whether scratch is run with the source's steps too.
    pub control: bool,
    /// Share of the way from random to the reference that counts as learned.
    pub threshold: f64,
    /// What becomes of a run that diverges.
    pub failures: Failures,
    /// The file's text, for the report.
    pub text: String,
    /// What the command line changed, as it was typed.
    pub options: String,
}

/// A source and a target.
pub struct Pair {
    /// Its name.
    pub name: String,
    /// What is moved.
    pub origin: Origin,
    /// What `adapt` starts from, where that is another policy.
    pub adapt_from: Option<Origin>,
    /// Where to.
    pub target: Spec,
    /// Environment steps there.
    pub steps: u64,
    /// What the verdict is about.
    pub measure: Measure,
    /// Environment steps of the reference.
    pub reference_steps: u64,
    /// Environment steps after which the target's task is known to be learned.
    pub known_steps: u64,
    /// What all methods but scratch and zero-shot learn from as well.
    pub lessons: Option<Lessons>,
    /// The learner's configuration there, by method, before tuning.
    pub configurations: Vec<(Method, Configuration)>,
}

/// What is moved.
#[derive(Debug, Clone)]
pub enum Origin {
    /// One policy.
    Policy(Box<Source>),
    /// A policy for each seed.
    Environment {
        /// Where they learn.
        environment: Box<Spec>,
        /// For how many environment steps.
        steps: u64,
    },
}

impl Origin {
    /// The name of what is moved.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Policy(source) => source.name(),
            Self::Environment { environment, .. } => environment.name.clone(),
        }
    }

    /// Environment steps that went into a source, its ancestors' included; nothing where one of them was imported, of which nobody knows.
    #[must_use]
    pub fn steps(&self) -> Option<u64> {
        match self {
            Self::Policy(source) => source.card.all_steps(),
            Self::Environment { steps, .. } => Some(*steps),
        }
    }
}

impl Pair {
    /// `source → target`, and from how many demonstrations.
    #[must_use]
    pub fn title(&self) -> String {
        let lessons = self.demonstrations().map_or_else(String::new, |demonstrations| format!(" from {demonstrations}"));
        format!("{} → {}{lessons}", self.origin.name(), self.target.name)
    }

    /// How many demonstrations, in words, where there are some.
    #[must_use]
    pub fn demonstrations(&self) -> Option<String> {
        self.lessons.as_ref().map(|lessons| match lessons.chosen.episodes.len() {
            1 => "1 demonstration".to_owned(),
            episodes => format!("{episodes} demonstrations"),
        })
    }

    /// Environment steps of a scratch that gets the source's too, where it is run.
    #[must_use]
    pub fn control_steps(&self, definition: &Definition) -> Option<u64> {
        let source = self.origin.steps().filter(|steps| definition.control && *steps > 0);
        source.map(|source| source.saturating_add(self.steps))
    }

    /// What a method starts from, where it starts from anything.
    #[must_use]
    pub fn origin_of(&self, method: Method) -> &Origin {
        self.adapt_from.as_ref().filter(|_| method == Method::Adapt).unwrap_or(&self.origin)
    }

    /// Whether a method starts from another policy than the others: its ledger is another one.
    #[must_use]
    pub fn starts_elsewhere(&self, method: Method) -> bool {
        method == Method::Adapt && self.adapt_from.is_some()
    }

    /// The configuration of a method with its learning rate multiplied.
    ///
    /// # Panics
    /// When the study does not have the method.
    #[must_use]
    pub fn configuration(&self, method: Method, factor: f64) -> Configuration {
        let found = self.configurations.iter().find(|(known, _)| *known == method);
        found.expect("a method of the study").1.clone().with_rate_times(method, factor)
    }

    /// The job that learns the source of a seed; `None` where the source is there already.
    #[must_use]
    pub fn source_job(&self, seed: u64) -> Option<Job> {
        let Origin::Environment { environment, steps } = &self.origin else { return None };
        let known = defaults::for_environment(&environment.simulator);
        let seed = seed + SOURCE_SEEDS;
        Some(Job {
            environment: (**environment).clone(),
            method: Method::Scratch,
            configuration: Method::Scratch.configuration(known.config, None),
            source: None,
            lessons: None,
            reward: None,
            steps: *steps,
            counts: Counts::Steps,
            seed,
            evaluations: 1,
            evaluation_episodes: 20,
            evaluation_seed: seed,
            checkpoint_every: None,
            command: format!("heirloom pretrain {} --steps {steps} --seed {seed}", environment.name),
        })
    }

    /// The job of a method in the target.
    #[must_use]
    pub fn job(&self, definition: &Definition, method: Method, factor: f64, seed: u64, source: Option<&Source>) -> Job {
        let source = match self.origin_of(method) {
            Origin::Policy(source) => Some(&**source),
            Origin::Environment { .. } => source,
        };
        Job {
            environment: self.target.clone(),
            method,
            configuration: self.configuration(method, factor),
            source: source.filter(|_| method.needs_source()).cloned(),
            lessons: self.lessons.clone().filter(|_| method != Method::Scratch && method.takes_demonstrations()),
            reward: None,
            // What clones alone takes no step in the environment.
            steps: if method == Method::Bc { 0 } else { self.steps },
            counts: Counts::Steps,
            seed,
            evaluations: definition.evaluations,
            evaluation_episodes: definition.episodes,
            evaluation_seed: seed,
            checkpoint_every: None,
            command: format!("heirloom compare studies/{}.ron", definition.name),
        }
    }

    /// Scratch with another budget: the reference, and the control that gets the source's steps too.
    #[must_use]
    pub fn scratch_job(&self, definition: &Definition, factor: f64, seed: u64, steps: u64) -> Job {
        Job { steps, ..self.job(definition, Method::Scratch, factor, seed, None) }
    }
}

impl Definition {
    /// The seeds that are reported.
    #[must_use]
    pub const fn seed_range(&self) -> Range<u64> {
        self.first_seed..self.first_seed + self.seeds
    }

    /// The seeds that learning rates are tried on.
    #[must_use]
    pub const fn tuning_range(&self) -> Range<u64> {
        self.tuning.first_seed..self.tuning.first_seed + self.tuning.seeds
    }

    /// The seeds of the reference.
    #[must_use]
    pub const fn reference_range(&self) -> Range<u64> {
        self.reference.first_seed..self.reference.first_seed + self.reference.seeds
    }

    /// Whether learning rates are tried at all.
    #[must_use]
    pub const fn tunes(&self) -> bool {
        self.tuning.learning_rates.len() > 1
    }

    /// Reads a study file and everything that it names.
    ///
    /// # Errors
    /// Exit 2 for a typo or a value that makes no sense, 3 for a source that is damaged or does not fit its target.
    pub fn read(path: &Path, registry: &Registry, changes: &Changes) -> Result<Self> {
        let source = ron::Source::read(path).map_err(|error| match error.kind() {
            Kind::Io => Error::usage("there is no such study").at(path.display()).hint("studies/ has examples"),
            _ => error.as_kind(Kind::Usage),
        })?;
        let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
        Self::of(name, source, registry, changes)
    }

    /// A study from its text.
    ///
    /// # Errors
    /// As [`Definition::read`].
    pub fn of(name: String, source: ron::Source, registry: &Registry, changes: &Changes) -> Result<Self> {
        let mut file: File = source.parse()?;
        changed(&mut file, changes)?;
        let at = |words: &[&str]| source.place_of(words);
        check(&file, changes.first_seed).map_err(|(field, message)| Error::usage(message).at(at(&[field])))?;
        let methods = methods(&file.methods).map_err(|error| error.at(at(&["methods"])))?;
        let texts = configuration_texts(&file, changes)?;
        let mut pairs = Vec::new();
        for pair in &file.pairs {
            let found = variants(pair).and_then(|lessons| {
                let resolve = |(name, lessons)| resolve(pair, name, lessons, &file, &methods, &texts, registry);
                lessons.into_iter().map(resolve).collect::<Result<Vec<_>>>()
            });
            pairs.extend(found.map_err(|error| error.at(at(&["pairs", &pair.name])))?);
        }
        if let Some(twice) = twice(pairs.iter().map(|pair: &Pair| pair.name.as_str())) {
            return Err(
                Error::usage(format!("two pairs are called `{twice}`, one of them by its number of demonstrations")).at(at(&["pairs"]))
            );
        }
        Ok(Self {
            name,
            about: file.about,
            pairs,
            methods,
            seeds: file.seeds,
            first_seed: changes.first_seed,
            evaluations: file.evaluations,
            episodes: file.episodes,
            tuning: file.tuning,
            reference: file.reference,
            control: file.control,
            threshold: file.threshold,
            failures: file.failures,
            text: source.text,
            options: changes.options(),
        })
    }
}

fn changed(file: &mut File, changes: &Changes) -> Result<()> {
    choose_pairs(file, &changes.pairs)?;
    if let Some(steps) = changes.steps {
        file.pairs.iter_mut().for_each(|pair| pair.steps = steps);
    }
    file.seeds = changes.seeds.unwrap_or(file.seeds);
    file.set.extend(changes.set.iter().cloned());
    Ok(())
}

/// Keeps the pairs of these names, all where there are none. A pair's own name is all of its numbers of demonstrations.
fn choose_pairs(file: &mut File, names: &[String]) -> Result<()> {
    let numbers = |pair: &PairFile| pair.demonstrations.as_ref().map_or_else(Vec::new, |demonstrations| demonstrations.episodes.clone());
    let known: Vec<String> = file
        .pairs
        .iter()
        .flat_map(|pair| std::iter::once(pair.name.clone()).chain(numbers(pair).into_iter().map(|episodes| variant(pair, episodes))))
        .collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        let hint = did_you_mean(name, known.iter().map(String::as_str));
        return Err(Error::usage(format!("the study has no pair `{name}`")).hint(hint));
    }
    if names.is_empty() {
        return Ok(());
    }
    for mut pair in std::mem::take(&mut file.pairs) {
        let whole = names.contains(&pair.name);
        let chosen: Vec<u64> = numbers(&pair).into_iter().filter(|episodes| whole || names.contains(&variant(&pair, *episodes))).collect();
        if !whole && chosen.is_empty() {
            continue;
        }
        if let Some(demonstrations) = &mut pair.demonstrations {
            demonstrations.episodes = chosen;
        }
        file.pairs.push(pair);
    }
    Ok(())
}

/// What a pair is called with so many demonstrations.
fn variant(pair: &PairFile, episodes: u64) -> String {
    format!("{}_from_{episodes}", pair.name)
}

/// The first field that makes no sense, and why.
fn check(file: &File, first_seed: u64) -> std::result::Result<(), (&'static str, String)> {
    let refuse = |field: &'static str, message: String| Err((field, message));
    if file.pairs.is_empty() {
        return refuse("pairs", "`pairs` is empty".into());
    }
    if file.methods.is_empty() {
        return refuse("methods", "`methods` is empty".into());
    }
    if let Some(twice) = twice(file.pairs.iter().map(|pair| pair.name.as_str())) {
        return refuse("pairs", format!("two pairs are called `{twice}`"));
    }
    if let Some(twice) = twice(file.methods.iter().map(String::as_str)) {
        return refuse("methods", format!("`methods` names `{twice}` twice"));
    }
    for (field, value, most) in [
        ("seeds", file.seeds, 1000),
        ("evaluations", file.evaluations, 1000),
        ("episodes", file.episodes as u64, 10_000),
        ("reference", file.reference.seeds, 1000),
    ] {
        if !(1..=most).contains(&value) {
            let name = if field == "reference" { "seeds` of `reference" } else { field };
            return refuse(field, format!("`{name}` lies between 1 and {most}"));
        }
    }
    if !(file.threshold > 0.0 && file.threshold <= 1.0) {
        return refuse("threshold", "`threshold` lies between 0 and 1: it is a share of the way from random to the reference".into());
    }
    let rates = &file.tuning.learning_rates;
    if rates.is_empty() || rates.len() > 20 || rates.iter().any(|rate| !rate.is_finite() || *rate <= 0.0) {
        return refuse("tuning", "`learning_rates` are 1 to 20 factors above 0; `[1]` tries nothing".into());
    }
    if rates.len() > 1 && !(1..=1000).contains(&file.tuning.seeds) {
        return refuse("tuning", "`seeds` of `tuning` lies between 1 and 1000".into());
    }
    seeds_are_disjoint(file, first_seed)
}

/// A learning rate that was chosen on the seeds that are reported, or a reference that is one of the runs, would flatter.
fn seeds_are_disjoint(file: &File, first_seed: u64) -> std::result::Result<(), (&'static str, String)> {
    let tuning_seeds = if file.tuning.learning_rates.len() > 1 { file.tuning.seeds } else { 0 };
    let asked = [
        ("seeds", "report", first_seed, file.seeds),
        ("tuning", "tuning", file.tuning.first_seed, tuning_seeds),
        ("reference", "reference", file.reference.first_seed, file.reference.seeds),
    ];
    for (field, name, first, count) in asked {
        if first.checked_add(count).and_then(|end| end.checked_add(SOURCE_SEEDS)).is_none() {
            return Err((field, format!("{name} seeds from {first} leave no room for {count} of them")));
        }
    }
    let [report, tuning, reference] = asked;
    // Only an environment as a source takes seeds of its own.
    let learns = file.pairs.iter().any(|pair| matches!(pair.source, SourceFile::Environment { .. }));
    let [source_seeds, tuning_source_seeds] = if learns { [file.seeds, tuning_seeds] } else { [0, 0] };
    let sources = ("seeds", "sources'", first_seed + SOURCE_SEEDS, source_seeds);
    let tuning_sources = ("tuning", "tuning sources'", file.tuning.first_seed.saturating_add(SOURCE_SEEDS), tuning_source_seeds);
    let ranges = [report, sources, tuning, tuning_sources, reference];
    for (index, (_, name, first, count)) in ranges.iter().enumerate() {
        for (field, other, other_first, other_count) in &ranges[index + 1..] {
            if *count > 0 && *other_count > 0 && *first < other_first + other_count && *other_first < first + count {
                return Err((
                    field,
                    format!(
                        "{other} seeds {other_first} to {} overlap the {name} seeds {first} to {}: each needs seeds of its own, or a choice is judged on what it was made on",
                        other_first + other_count - 1,
                        first + count - 1
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn twice<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = BTreeSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

/// The pair itself, or one for each number of demonstrations: its name, and they.
fn variants(pair: &PairFile) -> Result<Vec<(String, Option<Lessons>)>> {
    let Some(demonstrations) = &pair.demonstrations else { return Ok(vec![(pair.name.clone(), None)]) };
    if demonstrations.episodes.is_empty()
        || twice(demonstrations.episodes.iter().map(u64::to_string).collect::<Vec<_>>().iter().map(String::as_str)).is_some()
    {
        return Err(Error::usage("`episodes` of the demonstrations is empty, or names a number twice"));
    }
    let there = Demonstrations::open(&demonstrations.path)?.len();
    if let Some(episodes) = demonstrations.episodes.iter().find(|episodes| !(1..=there).contains(*episodes)) {
        return Err(Error::usage(format!("has {there} episodes, {episodes} are to be learned from"))
            .at(demonstrations.path.display())
            .hint(format!("`episodes` of the pair's `demonstrations` lie between 1 and {there}: record more, or name other numbers")));
    }
    let read = |episodes: &u64| {
        let selection = Selection { episodes: Some(*episodes), every: None };
        let lessons = Lessons::read(&demonstrations.path, selection, demonstrations.role, &Pool::inline())?;
        Ok((variant(pair, *episodes), Some(lessons)))
    };
    demonstrations.episodes.iter().map(read).collect()
}

fn methods(names: &[String]) -> Result<Vec<Method>> {
    let mut methods = vec![Method::Scratch];
    for name in names {
        let method = Method::parse(name)?;
        let judged = method.is_transfer() || method.needs_demonstrations() || method == Method::Adapt;
        if !judged || matches!(method, Method::Dagger | Method::Iql | Method::Td3Bc) {
            return Err(Error::usage(format!(
                "`{name}` is no method of a study: it takes more, or other things, than a source and demonstrations"
            )));
        }
        if method != Method::Scratch {
            methods.push(method);
        }
    }
    Ok(methods)
}

/// What changes the learners' configurations, in order: files, then assignments.
fn configuration_texts(file: &File, changes: &Changes) -> Result<Vec<ron::Source>> {
    let files = [&file.config, &changes.config].into_iter().flatten().map(|path| ron::Source::read(path));
    files.chain(file.set.iter().map(|text| assignment(text))).collect()
}

fn resolve(
    pair: &PairFile,
    name: String,
    lessons: Option<Lessons>,
    file: &File,
    methods: &[Method],
    texts: &[ron::Source],
    registry: &Registry,
) -> Result<Pair> {
    if let Some(method) = methods.iter().find(|method| method.needs_demonstrations() && lessons.is_none()) {
        return Err(Error::usage(format!("`{}` needs demonstrations", method.name()))
            .hint("give the pair `demonstrations: (path: \"demos/...\", episodes: [1, 5, 20])`"));
    }
    let role = lessons.as_ref().map(|lessons| lessons.role);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if pair.name.is_empty() || pair.name.len() > 100 || !pair.name.chars().all(plain) {
        return Err(Error::usage(format!("a pair cannot be called `{}`", pair.name)).hint("letters, digits, `-`, `_` and `.`"));
    }
    let target = registry.resolve(&pair.target)?;
    let known = defaults::for_environment(&target.simulator);
    let origin = match &pair.source {
        SourceFile::Policy(name) => Origin::Policy(Box::new(Source::load(name)?)),
        SourceFile::Environment { name, steps } if *steps <= 1 << 40 => {
            Origin::Environment { environment: Box::new(registry.resolve(name)?), steps: *steps }
        }
        SourceFile::Environment { .. } => return Err(Error::usage("a source's steps lie below 2^40")),
    };
    let adapt_from = adapt_from(pair, methods)?;
    let adaptation = match adapt_from.as_ref().unwrap_or(&origin) {
        Origin::Policy(source) => adaptation_of(&source.card),
        Origin::Environment { .. } => adapt::Config::default(),
    };
    let configure = |method: Method| {
        let mut configuration =
            method.configuration(known.config.clone(), role.filter(|_| method.needs_source() && method.takes_demonstrations()));
        configuration.adapt = configuration.adapt.map(|_| adaptation.clone());
        for text in texts {
            configuration = configuration.apply_own(text)?;
        }
        Ok((method, configuration))
    };
    let configurations: Vec<(Method, Configuration)> = methods.iter().copied().map(configure).collect::<Result<_>>()?;
    let update = configurations[0].1.ppo.rollout_steps();
    if pair.steps > 1 << 40 {
        return Err(Error::usage(format!("{} steps are more than anybody has: they lie below 2^40", pair.steps)));
    }
    if pair.steps < update {
        let message = format!("{} steps are less than one update in `{}`, which takes {update}", pair.steps, pair.target);
        return Err(Error::usage(message).hint(format!("give the pair at least {update} steps")));
    }
    let adapted = configurations.iter().find_map(|(_, configuration)| configuration.adapt.as_ref());
    let longest = target.longest_episode().unwrap_or(1);
    if let Some(least) = adapted.map(|adapt| (adapt.episodes * longest) as u64).filter(|least| pair.steps < *least) {
        let message =
            format!("{} steps may be less than one update of `adapt`, which takes up to {least} in `{}`", pair.steps, pair.target);
        return Err(Error::usage(message)
            .hint(format!("give the pair at least {least} steps, or adapt by fewer episodes: `set: [\"adapt.episodes=5\"]`")));
    }
    let reference_steps = file.reference.steps.unwrap_or_else(|| known.steps.max(2 * pair.steps));
    if reference_steps > 1 << 41 {
        return Err(Error::usage(format!("the reference's {reference_steps} steps are more than anybody has: they lie below 2^41")));
    }
    if reference_steps < 2 * pair.steps {
        let message = format!("the reference's {reference_steps} steps are no long budget beside the pair's {}", pair.steps);
        return Err(Error::usage(message).hint("give it at least twice the pair's steps, or leave `steps` of `reference` out"));
    }
    if file.control {
        let without = "`control: false` leaves that ledger out";
        let imported = "the source or an ancestor of it was imported: nobody knows its budget, and so there is no ledger of all steps";
        let steps = origin.steps().ok_or_else(|| Error::usage(imported).hint(without))?;
        if steps > 1 << 40 {
            let message = format!("the source's card claims {steps} steps, which scratch cannot be given too");
            return Err(Error::usage(message).hint(without));
        }
    }
    let measure = pair.measure.unwrap_or(file.measure);
    let resolved = Pair {
        name,
        origin,
        adapt_from,
        target,
        steps: pair.steps,
        measure,
        reference_steps,
        known_steps: known.steps,
        lessons,
        configurations,
    };
    fits(&resolved, registry)?;
    Ok(resolved)
}

/// Another policy than the source, from which `adapt` starts.
fn adapt_from(pair: &PairFile, methods: &[Method]) -> Result<Option<Origin>> {
    let Some(name) = &pair.adapt_from else { return Ok(None) };
    if !methods.contains(&Method::Adapt) {
        return Err(Error::usage("`adapt_from` is given, and `adapt` is not among the methods").hint("add `adapt` to `methods`"));
    }
    if let SourceFile::Environment { .. } = pair.source {
        return Err(Error::usage("`adapt_from` is one policy, the source is one for every seed: they scatter differently")
            .hint("give the pair a `Policy` as its source"));
    }
    Ok(Some(Origin::Policy(Box::new(Source::load(name)?))))
}

/// Fails where a source cannot be moved to its target by one of the methods, before anything runs.
fn fits(pair: &Pair, registry: &Registry) -> Result<()> {
    let spaces = registry.build(&pair.target)?.spaces().clone();
    let policy = match &pair.origin {
        Origin::Policy(source) => source.policy.clone(),
        Origin::Environment { environment, .. } => {
            let known = defaults::for_environment(&environment.simulator);
            Start::fresh(&known.config, registry.build(environment)?.spaces(), 0)?.policy
        }
    };
    for (method, configuration) in pair.configurations.iter().filter(|(method, _)| method.is_transfer()) {
        let moved = carry(*method, configuration, Some(&policy), &spaces, 0);
        moved.map_err(|error| error.at(format!("{} by {}", pair.title(), method.name())))?;
    }
    if let Some(config) = pair.configurations.iter().find_map(|(_, configuration)| configuration.adapt.as_ref()) {
        let policy = match &pair.adapt_from {
            Some(Origin::Policy(source)) => source.policy.clone(),
            _ => policy,
        };
        let (registry, target) = (registry.clone(), pair.target.clone());
        let make: MakeEnv = Arc::new(move || registry.build(&target));
        let fits = config.check_adapts(&policy).and_then(|()| Adapting::new(config.clone(), Counts::Steps, policy, make, 0));
        fits.map_err(|error| error.at(format!("{} by adapt", pair.title())))?;
    }
    if let Some(lessons) = &pair.lessons {
        let fresh = Start::fresh(&defaults::for_environment(&pair.target.simulator).config, &spaces, 0)?.policy;
        Pairs::new(&lessons.chosen, &fresh.spaces, &fresh.shape.head, 0).map_err(|error| error.at(lessons.path.display()))?;
    }
    Ok(())
}
