//! Which tasks were trained on and which a policy is judged by: proof that none is both, and `tasks.csv` for anybody to see.

use crate::env::tasks::{Split, Tasks, digest_of};
use crate::error::{Error, Result};
use crate::file::disk;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// How many tasks of each split there are.
pub(super) struct Ledger<'a> {
    pub(super) tasks: &'a Tasks,
    pub(super) trained: u64,
    pub(super) validated: u64,
    pub(super) tested: u64,
}

impl Ledger<'_> {
    fn splits(&self) -> Vec<(Split, u64)> {
        let extrapolated = if self.tasks.can_extrapolate() { self.tested } else { 0 };
        vec![
            (Split::Train, self.trained),
            (Split::Validation, self.validated),
            (Split::Test, self.tested),
            (Split::Extrapolation, extrapolated),
        ]
    }

    /// Proves that no task is in two splits, of those that are trained on as far as the first `most`. Where every parameter is a Choice there
    /// is nothing to prove: all splits have the same few tasks.
    ///
    /// # Errors
    /// Exit 2: names the first two that are the same.
    pub(super) fn check(&self, most: u64) -> Result<()> {
        let mut met = BTreeMap::new();
        for (split, count) in self.splits().into_iter().rev().filter(|_| self.tasks.count().is_none()) {
            let count = if split == Split::Train { count.min(most) } else { count };
            for index in 0..count {
                let digest = digest_of(&self.tasks.drawn(split, index)?);
                if let Some((other, number)) = met.get(&digest).filter(|(other, _)| *other != split) {
                    let (one, other) = (split.name(), Split::name(*other));
                    return Err(Error::usage(format!("the splits overlap: {other} task {number} is the same as {one} task {index}"))
                        .at(&self.tasks.spec().name)
                        .hint("draw one parameter from a wider law, or take another --seed"));
                }
                // Tasks to train on are many, and need not be met again.
                if split != Split::Train {
                    met.insert(digest, (split, index));
                }
            }
        }
        Ok(())
    }

    /// Writes every task with what was drawn for it and the digest of that, one line each.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let mut text = String::new();
        for (split, count) in self.splits() {
            for index in 0..count {
                let drawn = self.tasks.drawn(split, index)?;
                if text.is_empty() {
                    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
                    let _ = writeln!(text, "split,number,digest,{}", names.join(","));
                }
                let values: Vec<String> = drawn.iter().map(|(_, value)| value.to_string()).collect();
                let _ = writeln!(text, "{},{index},{},{}", split.name(), digest_of(&drawn), values.join(","));
            }
        }
        disk::write(path, text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::tasks::Splits;
    use crate::env::{Registry, Spec};

    #[test]
    fn a_task_in_two_splits_is_named() {
        // So narrow that numbers repeat.
        let text = format!("(simulator: \"tasks/navigation\", objective: (goal_x: Uniform(0.5, {:?})))", 0.5_f64.next_up().next_up());
        let few = Spec::from_ron(&Registry::standard(), "few", &text).unwrap();
        let tasks = Tasks::new(&few, &Splits::default(), 0).unwrap();
        let error = Ledger { tasks: &tasks, trained: 20, validated: 0, tested: 5 }.check(20).unwrap_err();
        assert!(error.message().starts_with("the splits overlap: "), "{error}");
        let many = Tasks::new(&Registry::standard().resolve("navigation_tasks").unwrap(), &Splits::default(), 0).unwrap();
        Ledger { tasks: &many, trained: 2000, validated: 20, tested: 100 }.check(u64::MAX).unwrap();
        let text = "(simulator: \"tasks/navigation\", objective: (goal_x: Choice([1, 2])))";
        let two = Spec::from_ron(&Registry::standard(), "two", text).unwrap();
        let two = Tasks::new(&two, &Splits::default(), 0).unwrap();
        assert_eq!((two.count(), many.count()), (Some(2), None));
        Ledger { tasks: &two, trained: 20, validated: 0, tested: 5 }.check(20).unwrap();
    }
}
