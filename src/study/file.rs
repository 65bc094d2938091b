//! What a study file says, word for word.

use crate::choose::{Role, words};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A study as RON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "study", deny_unknown_fields)]
pub struct File {
    /// One sentence.
    pub about: String,
    /// What is moved where.
    pub pairs: Vec<PairFile>,
    /// Names of methods; scratch is always added.
    pub methods: Vec<String>,
    /// How many seeds are reported.
    pub seeds: u64,
    /// What the verdict is about.
    #[serde(default)]
    pub measure: Measure,
    /// Evaluations on the way.
    #[serde(default = "twenty")]
    pub evaluations: u64,
    /// Episodes of each evaluation; the first and the last one have at least a hundred.
    #[serde(default = "twenty_episodes")]
    pub episodes: usize,
    /// How every arm's learning rate is chosen.
    #[serde(default)]
    pub tuning: Tuning,
    /// How it is found out what can be learned in a target.
    #[serde(default)]
    pub reference: Reference,
    /// Whether scratch is run with the source's steps too, for the ledger of all steps.
    #[serde(default = "yes")]
    pub control: bool,
    /// The return that counts as having learned the task, as a share of the way from random to the reference.
    #[serde(default = "nine_tenths")]
    pub threshold: f64,
    /// What becomes of a run that diverges.
    #[serde(default)]
    pub failures: Failures,
    /// Assignments to the learners' configuration.
    #[serde(default)]
    pub set: Vec<String>,
    /// A file of such.
    #[serde(default)]
    pub config: Option<PathBuf>,
}

impl File {
    /// A study of these pairs and methods with ten seeds and everything else at its default.
    #[must_use]
    pub fn new(pairs: Vec<PairFile>, methods: Vec<String>) -> Self {
        Self {
            about: String::new(),
            pairs,
            methods,
            seeds: 10,
            measure: Measure::default(),
            evaluations: twenty(),
            episodes: twenty_episodes(),
            tuning: Tuning::default(),
            reference: Reference::default(),
            control: true,
            threshold: nine_tenths(),
            failures: Failures::default(),
            set: Vec::new(),
            config: None,
        }
    }
}

/// A source and a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PairFile {
    /// What it is called in the report, and by `--pair`.
    pub name: String,
    /// What is moved.
    pub source: SourceFile,
    /// The target environment: short name or path.
    pub target: String,
    /// Environment steps in the target, for every method.
    pub steps: u64,
    /// A meta-learned policy that `adapt` starts from, where that is not the source: short name or path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adapt_from: Option<String>,
    /// What the verdict on this pair is about, where it is not the study's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measure: Option<Measure>,
    /// Demonstrations of the target that every method but scratch and zero-shot learns from as well: an axis, one pair for each number of episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub demonstrations: Option<DemonstrationsFile>,
}

/// From how many demonstrations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemonstrationsFile {
    /// Their folder.
    pub path: PathBuf,
    /// The first so many episodes, each number a pair of its own.
    pub episodes: Vec<u64>,
    /// What transfer methods do with them: `Start` or `Term`.
    #[serde(default = "as_start")]
    pub role: Role,
}

const fn as_start() -> Role {
    Role::Start
}

/// What is moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SourceFile {
    /// One policy, by short name or path: the study speaks of this policy.
    Policy(String),
    /// A policy for each seed, learned in an environment: the study speaks of that environment as a source.
    Environment {
        /// Short name or path.
        name: String,
        /// Environment steps that each source learns for.
        steps: u64,
    },
}

/// What is compared: one number for each run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// The mean return over the whole budget: the area under the learning curve, divided by its length.
    #[default]
    Mean,
    /// The mean return of the evaluations in the last tenth of the budget.
    Final,
}

impl Measure {
    /// In two words, for the head of a column.
    #[must_use]
    pub const fn words_short(self) -> &'static str {
        match self {
            Self::Mean => "mean over budget",
            Self::Final => "last tenth",
        }
    }

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Mean => "mean return over the whole budget",
            Self::Final => "mean return in the last tenth of the budget",
        }
    }
}

/// Every arm tries these learning rates on seeds of its own and is reported with the best.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tuning {
    /// Factors of the learning rate; one alone is taken untried.
    pub learning_rates: Vec<f64>,
    /// How many seeds each is tried on.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: u64,
}

impl Default for Tuning {
    fn default() -> Self {
        Self { learning_rates: vec![0.3, 1.0, 3.0], seeds: 3, first_seed: 1000 }
    }
}

/// Learning from scratch at a long budget: what there is to learn in a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reference {
    /// Environment steps; where absent, those after which the target's task is known to be learned, and at least twice the budget.
    pub steps: Option<u64>,
    /// How many seeds.
    pub seeds: u64,
    /// The first of them.
    pub first_seed: u64,
}

impl Default for Reference {
    fn default() -> Self {
        Self { steps: None, seeds: 5, first_seed: 2000 }
    }
}

/// What becomes of a run whose losses or gradients are not finite any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Failures {
    /// It ends the study with its error.
    #[default]
    Stop,
    /// It counts as the worst return that anything had in its target.
    Worst,
}

/// What the command line changes of a study.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Another budget of target steps, for every pair.
    pub steps: Option<u64>,
    /// Another number of seeds.
    pub seeds: Option<u64>,
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// Only the pairs of these names.
    pub pairs: Vec<String>,
    /// Assignments behind the file's own.
    pub set: Vec<String>,
    /// A configuration file behind the file's own.
    pub config: Option<PathBuf>,
}

impl Changes {
    /// As they were typed.
    pub(super) fn options(&self) -> String {
        let steps = self.steps.map(|steps| format!(" --steps {steps}")).unwrap_or_default();
        let seeds = self.seeds.map(|seeds| format!(" --seeds {seeds}")).unwrap_or_default();
        let seed = if self.first_seed == 0 { String::new() } else { format!(" --seed {}", self.first_seed) };
        let pairs = self.pairs.iter().map(|pair| format!(" --pair {}", words::quoted(pair))).collect::<Vec<_>>().concat();
        format!("{steps}{seeds}{seed}{pairs}{}", words::settings(self.config.as_deref(), &self.set))
    }
}

const fn twenty() -> u64 {
    20
}

const fn twenty_episodes() -> usize {
    20
}

const fn yes() -> bool {
    true
}

const fn nine_tenths() -> f64 {
    0.9
}
