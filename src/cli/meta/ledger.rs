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

    /// Proves that no task to judge by is among the first `most` that are trained on.
    ///
    /// # Errors
    /// Exit 2: names the first two that are the same.
    pub(super) fn check(&self, most: u64) -> Result<()> {
        let mut judged = BTreeMap::new();
        for (split, count) in self.splits().into_iter().filter(|(split, _)| *split != Split::Train) {
            for index in 0..count {
                judged.insert(digest_of(&self.tasks.drawn(split, index)?), (split, index));
            }
        }
        for trained in 0..self.trained.min(most) {
            if let Some((split, index)) = judged.get(&digest_of(&self.tasks.drawn(Split::Train, trained)?)) {
                let message = format!("the splits overlap: {} task {index} is the same as train task {trained}", split.name());
                return Err(Error::usage(message)
                    .at(&self.tasks.spec().name)
                    .hint("a Choice has few values: draw at least one parameter from a continuous law"));
            }
        }
        Ok(())
    }

    /// Writes every task with what was drawn for it and the digest of that, one line each.
    ///
    /// # Errors
    /// Exit 2 as [`Ledger::check`], exit 6 when the disk refuses.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        self.check(u64::MAX)?;
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
    fn tasks_that_are_both_trained_on_and_judged_by_are_named() {
        let text = "(simulator: \"tasks/navigation\", objective: (goal_x: Choice([1, 2])))";
        let few = Spec::from_ron(&Registry::standard(), "few", text).unwrap();
        let tasks = Tasks::new(&few, &Splits::default(), 0).unwrap();
        let error = Ledger { tasks: &tasks, trained: 20, validated: 0, tested: 5 }.check(20).unwrap_err();
        assert!(error.message().starts_with("the splits overlap: test task"), "{error}");
        assert!(error.remedy().unwrap().contains("continuous law"));
        let many = Tasks::new(&Registry::standard().resolve("navigation_tasks").unwrap(), &Splits::default(), 0).unwrap();
        Ledger { tasks: &many, trained: 2000, validated: 20, tested: 100 }.check(u64::MAX).unwrap();
    }
}
