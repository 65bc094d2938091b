//! A study as RON.

use crate::choose::configuration::assignment;
use crate::choose::{Configuration, Method, Source, words};
use crate::env::{Registry, Spec};
use crate::error::{Error, Result};
use crate::file::ron;
use crate::learn::ppo::defaults;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What a study file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "study", deny_unknown_fields)]
pub struct File {
    /// One sentence.
    pub about: String,
    /// Policies: short names or paths.
    pub sources: Vec<String>,
    /// Environments: short names or paths.
    pub targets: Vec<String>,
    /// Names of methods; scratch is always added.
    pub methods: Vec<String>,
    /// How many seeds.
    pub seeds: u64,
    /// Environment steps in the target, for every method.
    pub steps: u64,
    /// Evaluations on the way.
    #[serde(default = "twenty")]
    pub evaluations: u64,
    /// Episodes of each evaluation.
    #[serde(default = "twenty_episodes")]
    pub episodes: usize,
    /// Assignments to the learners' configuration.
    #[serde(default)]
    pub set: Vec<String>,
    /// A file of such.
    #[serde(default)]
    pub config: Option<PathBuf>,
}

/// What the command line changes of a study.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another budget of target steps.
    pub steps: Option<u64>,
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// Assignments behind the file's own.
    pub set: Vec<String>,
    /// A configuration file behind the file's own.
    pub config: Option<PathBuf>,
}

const fn twenty() -> u64 {
    20
}

const fn twenty_episodes() -> usize {
    20
}

impl Changes {
    fn options(&self) -> String {
        let steps = self.steps.map(|steps| format!(" --steps {steps}")).unwrap_or_default();
        let seed = if self.first_seed == 0 { String::new() } else { format!(" --seed {}", self.first_seed) };
        format!("{steps}{seed}{}", words::settings(self.config.as_deref(), &self.set))
    }
}

/// A study with everything resolved and checked.
pub struct Definition {
    /// Its name: the file's stem.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// Policies to start from.
    pub sources: Vec<Source>,
    /// Where to go, each with the learner's configuration there.
    pub targets: Vec<Target>,
    /// How; scratch is always among them, first.
    pub methods: Vec<Method>,
    /// How many seeds; each is a cell's run.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: u64,
    /// Environment steps in the target.
    pub steps: u64,
    /// Evaluations on the way.
    pub evaluations: u64,
    /// Episodes of each evaluation.
    pub episodes: usize,
    /// The file's text, for the report.
    pub text: String,
    /// What the command line changed, as it was typed.
    pub options: String,
}

/// A target environment.
pub struct Target {
    /// The environment.
    pub environment: Spec,
    /// The learner's configuration there, by method.
    pub configurations: Vec<(Method, Configuration)>,
}

/// Everything that a method's cells are configured by in a target.
impl Target {
    /// The configuration of a method.
    ///
    /// # Panics
    /// When the study does not have it.
    #[must_use]
    pub fn configuration(&self, method: Method) -> &Configuration {
        &self.configurations.iter().find(|(known, _)| *known == method).expect("a method of the study").1
    }
}

impl Definition {
    /// The seeds.
    #[must_use]
    pub const fn seed_range(&self) -> std::ops::Range<u64> {
        self.first_seed..self.first_seed + self.seeds
    }

    /// Reads a study file and everything that it names.
    ///
    /// # Errors
    /// Exit 2 for a typo or a value that makes no sense, 3 for a source that is damaged.
    pub fn read(path: &Path, registry: &Registry, changes: &Changes) -> Result<Self> {
        let source = ron::Source::read(path).map_err(|error| match error.kind() {
            crate::error::Kind::Io => Error::usage("there is no such study").at(path.display()).hint("studies/ has examples"),
            _ => error.as_kind(crate::error::Kind::Usage),
        })?;
        let mut file: File = source.parse()?;
        file.steps = changes.steps.unwrap_or(file.steps);
        file.set.extend(changes.set.iter().cloned());
        let at = |words: &[&str]| source.place_of(words);
        check_numbers(&file, &source)?;
        if changes.first_seed.checked_add(file.seeds).is_none() {
            return Err(Error::usage(format!("`--seed {}` leaves no room for {} seeds", changes.first_seed, file.seeds)));
        }
        let methods = methods(&file.methods).map_err(|error| error.at(at(&["methods"])))?;
        let sources = file
            .sources
            .iter()
            .map(|name| Source::load(name).map_err(|error| error.at(at(&["sources", name]))))
            .collect::<Result<Vec<_>>>()?;
        let texts = configuration_texts(&file, changes)?;
        let targets = file
            .targets
            .iter()
            .map(|name| target(name, &methods, &texts, registry).map_err(|error| error.at(at(&["targets", name]))))
            .collect::<Result<Vec<_>>>()?;
        refuse_twice("targets", targets.iter().map(|target| target.environment.name.clone()))
            .map_err(|error| error.at(at(&["targets"])))?;
        refuse_twice("sources", sources.iter().map(Source::name)).map_err(|error| error.at(at(&["sources"])))?;
        for (target, name) in targets.iter().zip(&file.targets) {
            let rollout = target.configuration(Method::Scratch).ppo.rollout_steps();
            if rollout > file.steps {
                return Err(Error::usage(format!("{} steps are less than one update in `{name}`, which takes {rollout}", file.steps))
                    .at(at(&["steps"])));
            }
        }
        Ok(Self {
            name: path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned()),
            about: file.about,
            sources,
            targets,
            methods,
            seeds: file.seeds,
            first_seed: changes.first_seed,
            steps: file.steps,
            evaluations: file.evaluations,
            episodes: file.episodes,
            text: source.text,
            options: changes.options(),
        })
    }
}

/// Results are told apart by these names.
fn refuse_twice(what: &str, names: impl Iterator<Item = String>) -> Result<()> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.clone()) {
            return Err(Error::usage(format!("two {what} are called `{name}`")).hint("rename one of the files or folders"));
        }
    }
    Ok(())
}

fn check_numbers(file: &File, source: &ron::Source) -> Result<()> {
    let refuse = |field: &str, message: &str| Err(Error::usage(format!("`{field}` {message}")).at(source.place_of(&[field])));
    for (field, empty) in [("sources", file.sources.is_empty()), ("targets", file.targets.is_empty()), ("methods", file.methods.is_empty())]
    {
        if empty {
            return refuse(field, "is empty");
        }
    }
    for (field, list) in [("sources", &file.sources), ("targets", &file.targets), ("methods", &file.methods)] {
        let mut sorted = list.clone();
        sorted.sort();
        let twice = sorted.windows(2).find_map(|pair| {
            if let [one, next] = pair
                && one == next
            {
                Some(one)
            } else {
                None
            }
        });
        if let Some(twice) = twice {
            return refuse(field, &format!("names `{twice}` twice"));
        }
    }
    if !(1..=1000).contains(&file.seeds) {
        return refuse("seeds", "lies between 1 and 1000");
    }
    if !(1..=1 << 40).contains(&file.steps) {
        return refuse("steps", "lies between 1 and 2^40");
    }
    if !(1..=1000).contains(&file.evaluations) {
        return refuse("evaluations", "lies between 1 and 1000");
    }
    if !(1..=10_000).contains(&file.episodes) {
        return refuse("episodes", "lies between 1 and 10000");
    }
    Ok(())
}

fn methods(names: &[String]) -> Result<Vec<Method>> {
    let mut methods = vec![Method::Scratch];
    for name in names {
        let method = Method::parse(name)?;
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

fn target(name: &str, methods: &[Method], texts: &[ron::Source], registry: &Registry) -> Result<Target> {
    let environment = registry.resolve(name)?;
    let known = defaults::for_environment(&environment.simulator);
    let configure = |method: Method| {
        let mut configuration = method.configuration(known.config.clone());
        for text in texts {
            configuration = configuration.apply_own(text)?;
        }
        Ok((method, configuration))
    };
    Ok(Target { configurations: methods.iter().copied().map(configure).collect::<Result<_>>()?, environment })
}
