//! Which episodes of a set: `0-9,12`.

use super::dataset::Demonstrations;
use super::episode::Episode;
use crate::error::{Error, Result};
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Some episodes by their numbers; all of them where nobody says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbers(Vec<RangeInclusive<u64>>);

impl Numbers {
    /// Every episode.
    #[must_use]
    pub fn all() -> Self {
        Self(vec![0..=u64::MAX])
    }

    /// Whether it names this episode.
    #[must_use]
    pub fn has(&self, number: u64) -> bool {
        self.0.iter().any(|range| range.contains(&number))
    }

    /// How many of a set it names.
    ///
    /// # Errors
    /// Exit 2 when it names one that is not there.
    pub fn count(&self, set: &Demonstrations) -> Result<u64> {
        let there = set.len();
        if let Some(missing) = self.0.iter().map(|range| *range.end()).filter(|end| *end != u64::MAX && *end >= there).max() {
            let hint = if there == 0 { "it is empty".to_owned() } else { format!("its episodes are 0 to {}", there - 1) };
            return Err(Error::usage(format!("there is no episode {missing}")).at(set.path().display()).hint(hint));
        }
        let mut ranges: Vec<(u64, u64)> = self.0.iter().map(|range| (*range.start(), range.end().saturating_add(1).min(there))).collect();
        ranges.sort_unstable();
        // What two ranges name counts once.
        let mut behind = 0;
        Ok(ranges
            .into_iter()
            .map(|(start, end)| {
                let count = end.saturating_sub(start.max(behind));
                behind = behind.max(end);
                count
            })
            .sum())
    }

    /// Those of a set, in its order; one part is in memory at a time.
    pub fn of<'a>(&'a self, set: &'a Demonstrations) -> impl Iterator<Item = Result<(u64, Episode)>> + 'a {
        let last = self.0.iter().map(|range| *range.end()).max().unwrap_or(0);
        let behind = move |episode: &Result<(u64, Episode)>| episode.as_ref().is_ok_and(|(number, _)| *number > last);
        set.episodes()
            .take_while(move |episode| !behind(episode))
            .filter(|episode| episode.as_ref().map_or(true, |(number, _)| self.has(*number)))
    }
}

impl FromStr for Numbers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let range = |part: &str| {
            let (start, end) = part.split_once('-').unwrap_or((part, part));
            let (start, end): (u64, u64) = (start.trim().parse().ok()?, end.trim().parse().ok()?);
            (start <= end && end < u64::MAX).then_some(start..=end)
        };
        let ranges: Option<Vec<_>> = text.split(',').map(range).collect();
        ranges
            .map(Self)
            .ok_or_else(|| Error::usage(format!("`{text}` does not name episodes")).hint("write numbers and ranges, as in 0-9,12"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_ranges_and_nothing_else() {
        let some: Numbers = "0-2, 5,1".parse().unwrap();
        assert_eq!((0..7).filter(|number| some.has(*number)).collect::<Vec<_>>(), [0, 1, 2, 5]);
        assert!(Numbers::all().has(u64::MAX));
        for wrong in ["", "a", "3-1", "1,,2", "-1", "1-", "99999999999999999999"] {
            assert!(wrong.parse::<Numbers>().is_err(), "{wrong}");
        }
    }
}
