//! A task distribution and its splits: an environment that draws its parameters is a family, one draw of it is one task.
//!
//! Tasks of training, validation and test come from streams of their own under one seed, and task k of a split depends on seed and k
//! alone. They are drawn from one region of the parameters (interpolation), the tasks of extrapolation from outside of it
//! ([`Splits`] says which). Every task has a digest of what was drawn, so that a log can prove which tasks were seen.

mod quantile;
mod region;
mod splits;

pub use splits::Splits;

use super::parameter::{Distribution, Quantity};
use super::spec::Spec;
use crate::error::{Error, Result};
use crate::file::digest;
use crate::seed::{Rng, Stream};
use region::Region;
use std::collections::{BTreeMap, BTreeSet};

/// What tasks are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// To learn from.
    Train,
    /// To choose by, inside the region of training.
    Validation,
    /// To judge by, inside the region of training: interpolation.
    Test,
    /// To judge by, outside of it: at least one parameter lies where training never was.
    Extrapolation,
}

impl Split {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Train, Self::Validation, Self::Test, Self::Extrapolation];

    /// Its name: `train`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Validation => "validation",
            Self::Test => "test",
            Self::Extrapolation => "extrapolation",
        }
    }

    const fn stream(self, index: u64) -> Stream {
        match self {
            Self::Train => Stream::TrainTask(index),
            Self::Validation => Stream::ValidationTask(index),
            Self::Test => Stream::TestTask(index),
            Self::Extrapolation => Stream::ExtrapolationTask(index),
        }
    }
}

/// One task: an environment that draws no parameter any more.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The environment, called `navigation_tasks#train-17`.
    pub spec: Spec,
    /// What was drawn: parameter and value, in the order of the names within context and objective.
    pub values: Vec<(String, f64)>,
}

impl Task {
    /// Identity of what was drawn: [`digest_of`].
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of(&self.values)
    }
}

/// SHA-256 of the lines `name=value` of what was drawn for a task.
#[must_use]
pub fn digest_of(values: &[(String, f64)]) -> String {
    let lines: Vec<String> = values.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    digest::of_bytes(lines.concat().as_bytes())
}

/// A task distribution, divided.
#[derive(Debug, Clone)]
pub struct Tasks {
    spec: Spec,
    seed: u64,
    regions: Vec<Region>,
}

impl Tasks {
    /// The tasks of an environment under a seed.
    ///
    /// # Errors
    /// Exit 2: nothing is drawn in this environment, or the splits do not fit what is.
    pub fn new(spec: &Spec, splits: &Splits, seed: u64) -> Result<Self> {
        let laws = laws(spec);
        if laws.is_empty() {
            return Err(Error::usage(format!("`{}` is a task distribution without any distribution in it", spec.name))
                .hint("give a parameter of its context or objective a law, such as `Uniform(0.5, 2)`"));
        }
        Ok(Self { spec: spec.clone(), seed, regions: splits.regions(laws)? })
    }

    /// The environment whose draws are the tasks.
    #[must_use]
    pub const fn spec(&self) -> &Spec {
        &self.spec
    }

    /// Whether anything was kept from training, so that there are tasks of extrapolation.
    #[must_use]
    pub fn can_extrapolate(&self) -> bool {
        self.regions.iter().any(|region| region.share_outside() > 0.0)
    }

    /// The k-th task of a split.
    ///
    /// # Errors
    /// Exit 2: nothing was kept from training to extrapolate to.
    pub fn task(&self, split: Split, index: u64) -> Result<Task> {
        Ok(self.with(split, index, self.draw(split, index)?))
    }

    /// What is drawn for the k-th task of a split: parameter and value.
    ///
    /// # Errors
    /// As [`Tasks::task`].
    pub fn drawn(&self, split: Split, index: u64) -> Result<Vec<(String, f64)>> {
        Ok(self.regions.iter().map(|region| region.name.clone()).zip(self.draw(split, index)?).collect())
    }

    fn draw(&self, split: Split, index: u64) -> Result<Vec<f64>> {
        let mut rng = split.stream(index).under(self.seed);
        Ok(match split {
            Split::Train | Split::Validation | Split::Test => self.regions.iter().map(|region| region.draw_inside(&mut rng)).collect(),
            Split::Extrapolation if self.can_extrapolate() => self.draw_outside(&mut rng),
            Split::Extrapolation => {
                return Err(Error::usage(format!("of `{}` nothing is kept from training: there is no extrapolation", self.spec.name))
                    .hint("set `extrapolate` above 0; a Choice alone cannot be extrapolated"));
            }
        })
    }

    /// The environment that draws a task anew for every episode, from the region of training: domain randomization.
    #[must_use]
    pub fn randomized(&self) -> Spec {
        let mut spec = self.spec.clone();
        for region in &self.regions {
            for quantities in [&mut spec.context, &mut spec.objective] {
                if let Some(Quantity::Drawn(law)) = quantities.0.get_mut(&region.name) {
                    *law = region.law_inside();
                }
            }
        }
        spec
    }

    /// The law of every drawn parameter.
    #[must_use]
    pub fn laws(&self) -> BTreeMap<String, Distribution> {
        self.regions.iter().map(|region| (region.name.clone(), region.law.clone())).collect()
    }

    /// How many different tasks there are where every parameter is a Choice: then all splits have the same ones.
    #[must_use]
    pub fn count(&self) -> Option<usize> {
        let choices = |region: &Region| match &region.law {
            Distribution::Choice(values) => Some(values.iter().map(|value| value.to_bits()).collect::<BTreeSet<_>>().len()),
            _ => None,
        };
        self.regions.iter().map(choices).try_fold(1_usize, |count, choices| Some(count.saturating_mul(choices?)))
    }

    /// The first tasks of a split.
    ///
    /// # Errors
    /// As [`Tasks::task`]; also when none are asked for.
    pub fn first(&self, split: Split, count: usize) -> Result<Vec<Task>> {
        if count == 0 {
            return Err(Error::usage(format!("there must be at least one {} task, not 0", split.name())));
        }
        (0..count as u64).map(|index| self.task(split, index)).collect()
    }

    /// The law of every drawn parameter and its regions, one line each.
    #[must_use]
    pub fn describe(&self) -> String {
        self.regions.iter().map(|region| format!("{region}\n")).collect::<Vec<_>>().concat()
    }

    /// Of every drawn parameter: its name, its law, where training, validation and test lie in it, and where extrapolation does.
    #[must_use]
    pub fn regions(&self) -> Vec<[String; 4]> {
        self.regions.iter().map(Region::row).collect()
    }

    /// Values of which at least one lies outside, by the law of all that do. The first parameter outside is drawn first: trying until
    /// one happens to lie there would take the longer the less was kept.
    fn draw_outside(&self, rng: &mut Rng) -> Vec<f64> {
        let mut none_before = 1.0;
        let mut first_here = Vec::with_capacity(self.regions.len());
        for region in &self.regions {
            first_here.push(none_before * region.share_outside());
            none_before *= 1.0 - region.share_outside();
        }
        let chance = rng.unit() * first_here.iter().sum::<f64>();
        let mut sum = 0.0;
        let first = first_here.iter().position(|share| {
            sum += share;
            chance < sum
        });
        let first = first.or_else(|| first_here.iter().rposition(|share| *share > 0.0)).unwrap_or(0);
        let draw = |(index, region): (usize, &Region)| match index.cmp(&first) {
            std::cmp::Ordering::Less => region.draw_inside(rng),
            std::cmp::Ordering::Equal => region.draw_outside(rng),
            std::cmp::Ordering::Greater => region.draw_anywhere(rng),
        };
        self.regions.iter().enumerate().map(draw).collect()
    }

    fn with(&self, split: Split, index: u64, values: Vec<f64>) -> Task {
        let values: Vec<(String, f64)> = self.regions.iter().map(|region| region.name.clone()).zip(values).collect();
        let mut spec = self.spec.clone();
        for (name, value) in &values {
            for quantities in [&mut spec.context, &mut spec.objective] {
                if let Some(quantity @ Quantity::Drawn(_)) = quantities.0.get_mut(name) {
                    *quantity = Quantity::Number(*value);
                }
            }
        }
        let said = values.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ");
        spec.about = format!("A task of {}: {said}", self.spec.name);
        spec.name = format!("{}#{}-{index}", self.spec.name, split.name());
        Task { spec, values }
    }
}

/// Every parameter that is drawn, with its law.
fn laws(spec: &Spec) -> Vec<(String, Distribution)> {
    let quantities = spec.context.0.iter().chain(&spec.objective.0);
    let drawn = quantities.filter_map(|(name, quantity)| match quantity {
        Quantity::Number(_) => None,
        Quantity::Drawn(law) => Some((name.clone(), law.clone())),
    });
    drawn.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::{ActionSpace, Registry};

    fn family(text: &str) -> Spec {
        Spec::from_ron(&Registry::standard(), "family", text).unwrap()
    }

    fn tasks(name: &str, splits: &Splits) -> Tasks {
        Tasks::new(&Registry::standard().resolve(name).unwrap(), splits, 7).unwrap()
    }

    fn column(tasks: &[Task], name: &str) -> Vec<f64> {
        tasks.iter().map(|task| task.values.iter().find(|(known, _)| known == name).unwrap().1).collect()
    }

    #[test]
    fn a_task_is_an_environment_in_which_nothing_is_drawn_and_everything_else_is_the_familys() {
        let registry = Registry::standard();
        for name in registry.names() {
            let spec = registry.resolve(&name).unwrap();
            if laws(&spec).is_empty() {
                continue;
            }
            let task = Tasks::new(&spec, &Splits::default(), 3).unwrap().task(Split::Train, 17).unwrap();
            assert_eq!(task.spec.name, format!("{name}#train-17"));
            assert!(task.spec.context.are_fixed() && task.spec.objective.are_fixed());
            assert_eq!(task.spec.differences(&spec).len(), task.values.len(), "{name}");
            let again = Spec::from_ron(&registry, "again", &task.spec.to_ron()).unwrap();
            assert_eq!(again.digest(), task.spec.digest());
            // A policy that fits the family fits its tasks.
            let (own, familys) = (registry.build(&task.spec).unwrap(), registry.build(&spec).unwrap());
            if name.ends_with("_tasks") || name.ends_with("_trial") {
                assert_eq!(own.spaces(), familys.spaces(), "{name}");
            }
            assert!(matches!(own.spaces().action, ActionSpace::Discrete(_)) || own.spaces().action.size() > 0);
        }
    }

    #[test]
    fn without_extrapolation_the_whole_law_is_drawn_uniformly() {
        let tasks = tasks("navigation_tasks", &Splits { extrapolate: 0.0, ..Splits::default() });
        let drawn = tasks.first(Split::Train, 10_000).unwrap();
        for name in ["goal_x", "goal_y"] {
            let mut tenths = [0_u32; 10];
            for value in column(&drawn, name) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 9, or the test fails")]
                let tenth = ((value + 0.5) * 10.0) as usize;
                tenths[tenth] += 1;
            }
            // 1,000 +- 30 each: 6 sd.
            assert!(tenths.iter().all(|count| count.abs_diff(1000) < 180), "{name}: {tenths:?}");
        }
        assert!(!tasks.can_extrapolate());
        let error = tasks.task(Split::Extrapolation, 0).unwrap_err();
        assert!(error.message().contains("there is no extrapolation"), "{error}");
    }

    #[test]
    fn interpolation_stays_inside_and_extrapolation_leaves_by_at_least_one_parameter() {
        let tasks = tasks("navigation_tasks", &Splits::default());
        let inside = |value: f64| (-0.4..=0.4).contains(&value);
        for split in [Split::Train, Split::Validation, Split::Test] {
            let drawn = tasks.first(split, 2000).unwrap();
            let values = [column(&drawn, "goal_x"), column(&drawn, "goal_y")].concat();
            assert!(values.iter().all(|value| inside(*value)));
            // 4,000 uniform draws come within 0.01 of both ends but for a chance of 1e-22.
            assert!(values.iter().any(|value| *value > 0.39) && values.iter().any(|value| *value < -0.39));
        }
        let drawn = tasks.first(Split::Extrapolation, 9000).unwrap();
        let (x, y) = (column(&drawn, "goal_x"), column(&drawn, "goal_y"));
        let mut counts = [0_u32; 3];
        for (x, y) in x.iter().zip(&y) {
            assert!(x.abs() <= 0.5 && y.abs() <= 0.5);
            counts[usize::from(!inside(*x)) + usize::from(!inside(*y))] += 1;
        }
        // Both outside: 0.04 of the 0.36 that are not inside, 1,000 +- 30 of 9,000: 6 sd.
        assert!(counts[0] == 0 && counts[2].abs_diff(1000) < 180, "{counts:?}");
        let outside = |values: &[f64]| u32::try_from(values.iter().filter(|value| !inside(**value)).count()).unwrap();
        // Either: 0.2 of 0.36, 5,000 +- 47.
        assert!(outside(&x).abs_diff(5000) < 285 && outside(&y).abs_diff(5000) < 285);
    }

    #[test]
    fn regions_of_a_log_uniform_law_are_shares_of_its_logarithm_and_a_choice_is_everywhere_the_same() {
        let tasks = tasks("cartpole_tasks", &Splits::default());
        let drawn = tasks.first(Split::Train, 4000).unwrap();
        let share = |value: f64| (value / 0.2).ln() / 10.0_f64.ln();
        let shares: Vec<f64> = column(&drawn, "pole_length").into_iter().map(share).collect();
        assert!(shares.iter().all(|share| (0.1 - 1e-12..=0.9 + 1e-12).contains(share)));
        let mean = shares.iter().sum::<f64>() / 4000.0;
        // The standard error is 0.8 / sqrt(12 * 4,000): 6 sd.
        assert!((mean - 0.5).abs() < 0.022, "{mean}");
        for split in [Split::Train, Split::Extrapolation] {
            let forces = column(&tasks.first(split, 4000).unwrap(), "force");
            let right = forces.iter().filter(|force| **force == 10.0).count();
            assert!(forces.iter().all(|force| force.abs() == 10.0) && right.abs_diff(2000) < 190, "{right}");
        }
    }

    #[test]
    fn a_task_depends_on_its_seed_split_and_number_alone() {
        let whole = tasks("navigation_tasks", &Splits::default());
        let list = whole.first(Split::Test, 5).unwrap();
        assert_eq!(list[3], whole.task(Split::Test, 3).unwrap());
        assert_eq!(list, tasks("navigation_tasks", &Splits::default()).first(Split::Test, 5).unwrap());
        let other = Tasks::new(whole.spec(), &Splits::default(), 8).unwrap();
        assert_ne!(list[3].values, other.task(Split::Test, 3).unwrap().values);
        assert_ne!(list[3].digest(), list[4].digest());
    }

    #[test]
    fn splits_of_every_family_share_no_task() {
        let registry = Registry::standard();
        for name in registry.names().into_iter().filter(|name| name.ends_with("_tasks")) {
            let tasks = tasks(&name, &Splits::default());
            if tasks.count().is_some() {
                continue;
            }
            let drawn = Split::ALL.iter().flat_map(|split| tasks.first(*split, 300).unwrap());
            let digests: BTreeSet<String> = drawn.map(|task| task.digest()).collect();
            assert_eq!(digests.len(), 1200, "{name}");
        }
    }

    /// Two tasks are all there are: every split has both.
    #[test]
    fn a_family_of_choices_has_the_same_tasks_in_every_split() {
        let two = tasks("half_cheetah_direction_tasks", &Splits::default());
        assert_eq!((two.count(), two.can_extrapolate()), (Some(2), false));
        for split in [Split::Train, Split::Validation, Split::Test] {
            let directions = column(&two.first(split, 40).unwrap(), "forward_reward_weight");
            // All 40 are the same with a chance of 2e-12.
            assert!([-1.0, 1.0].iter().all(|direction| directions.contains(direction)), "{directions:?}");
        }
        assert_eq!(tasks("cartpole_tasks", &Splits::default()).count(), None);
        let text = "(simulator: \"tasks/navigation\", objective: (goal_x: Choice([1, 2, 2]), goal_y: Choice([0, 3, 4])))";
        assert_eq!(Tasks::new(&family(text), &Splits::default(), 0).unwrap().count(), Some(6));
    }

    #[test]
    fn randomized_tasks_are_drawn_from_the_region_of_training() {
        let family = family(
            "(simulator: \"tasks/navigation\", objective: (goal_x: Uniform(-1, 1), goal_y: LogUniform(0.1, 10), \
             goal_radius: TruncatedNormal(1, 0.5, 0, 2), goal_tolerance: Choice([0, 0.01])))",
        );
        let tasks = Tasks::new(&family, &Splits::default(), 0).unwrap();
        let drawn = laws(&tasks.randomized());
        assert_eq!(laws(&tasks.randomized()).len(), laws(&family).len());
        for (name, law) in drawn {
            let inside = Quantity::Drawn(law.clone());
            let values = column(&tasks.first(Split::Train, 2000).unwrap(), &name);
            assert!(values.iter().all(|value| inside.can_be(*value)), "{name}: {law:?}");
            if !matches!(law, Distribution::Choice(_)) {
                let outside = column(&tasks.first(Split::Extrapolation, 2000).unwrap(), &name);
                assert!(outside.iter().any(|value| !inside.can_be(*value)), "{name}: {law:?}");
            }
        }
    }

    #[test]
    fn what_is_no_task_distribution_is_refused() {
        let spec = Registry::standard().resolve("navigation").unwrap();
        let error = Tasks::new(&spec, &Splits::default(), 0).unwrap_err();
        assert_eq!(error.message(), "`navigation` is a task distribution without any distribution in it");
        assert_eq!(error.kind(), crate::error::Kind::Usage);
        let error = tasks("navigation_tasks", &Splits::default()).first(Split::Test, 0).unwrap_err();
        assert_eq!(error.message(), "there must be at least one test task, not 0");
    }

    #[test]
    fn regions_are_printed() {
        let text = tasks("cartpole_tasks", &Splits::default()).describe();
        let whole = tasks("navigation_tasks", &Splits { extrapolate: 0.0, ..Splits::default() }).describe();
        insta::assert_snapshot!(format!("{text}\n{whole}"));
    }
}
