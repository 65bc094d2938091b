//! Some episodes of a set as a set of their own: by return, by length, by number.

use super::dataset::Demonstrations;
use super::episode::Episode;
use super::making::{Made, Making, check_free};
use super::numbers::Numbers;
use crate::error::{Error, Result};
use crate::stop::Stop;
use std::path::Path;

/// Which episodes are kept: those that meet all that is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keep {
    /// Of this return or a higher one.
    pub min_return: Option<f64>,
    /// Of this return or a lower one.
    pub max_return: Option<f64>,
    /// Of as many steps or more.
    pub min_length: Option<usize>,
    /// Of as many steps or fewer.
    pub max_length: Option<usize>,
    /// Of these numbers.
    pub episodes: Option<Numbers>,
}

impl Keep {
    fn admits(&self, number: u64, episode: &Episode) -> bool {
        let (total, steps) = (episode.total(), episode.len());
        self.min_return.is_none_or(|least| total >= least)
            && self.max_return.is_none_or(|most| total <= most)
            && self.min_length.is_none_or(|least| steps >= least)
            && self.max_length.is_none_or(|most| steps <= most)
            && self.episodes.as_ref().is_none_or(|numbers| numbers.has(number))
    }
}

/// Writes the episodes of `set` that `keep` admits to `out`, in their order and with their starts. Nothing is written when there are none.
///
/// # Errors
/// Exit 2 when nothing is asked for, an episode that is asked for does not exist, none is kept or something is at `out` already; exit 3
/// when the set is damaged.
pub fn filter(set: &Demonstrations, keep: &Keep, out: &Path, stop: &Stop) -> Result<Made> {
    check_free(out)?;
    if *keep == Keep::default() {
        let hint = "say which episodes to keep: --min-return, --max-return, --min-length, --max-length or --episodes";
        return Err(Error::usage("every episode would be kept").hint(hint));
    }
    if let Some(numbers) = &keep.episodes {
        numbers.count(set)?;
    }
    let mut making = Making::begin(out, set.header().clone())?;
    let mut returns = (f64::INFINITY, f64::NEG_INFINITY);
    for episode in set.episodes() {
        let (number, episode) = episode?;
        stop.check_unarmed()?;
        returns = (returns.0.min(episode.total()), returns.1.max(episode.total()));
        if keep.admits(number, &episode) {
            making.append(episode)?;
        }
    }
    if making.episodes() == 0 {
        let hint = format!("its {} episodes have returns of {} to {}; `heirloom demo inspect` shows more", set.len(), returns.0, returns.1);
        return Err(Error::usage("no episode is kept").at(set.path().display()).hint(hint));
    }
    making.finish(Vec::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_belong_to_what_is_kept() {
        let episode = Episode {
            start: None,
            observations: vec![0.0; 3],
            actions: vec![0.0; 2],
            rewards: vec![1.0, 2.0],
            info: Vec::new(),
            terminated: true,
            truncated: false,
        };
        let keep = Keep { min_return: Some(3.0), max_return: Some(3.0), min_length: Some(2), max_length: Some(2), episodes: None };
        assert!(keep.admits(0, &episode));
        assert!(!Keep { min_return: Some(3.5), ..keep.clone() }.admits(0, &episode));
        assert!(!Keep { max_length: Some(1), ..keep.clone() }.admits(0, &episode));
        assert!(!Keep { episodes: "1-3".parse().ok(), ..keep }.admits(0, &episode));
    }
}
