//! Flat arrays cut into episodes.

use super::columns::{Columns, check_rows};
use crate::demo::array::Array;
use crate::demo::episode::{Episode, by_channel};
use crate::env::Spaces;
use crate::error::{Error, Result};
use std::ops::Range;

/// How rows belong together.
struct Cut<'a> {
    columns: &'a Columns,
    spaces: &'a Spaces,
    /// Where the environment itself cuts an episode.
    limit: Option<usize>,
    after: After<'a>,
}

/// What is known of what comes after a step.
#[derive(Clone, Copy)]
enum After<'a> {
    /// `[N, O]`.
    Next(&'a Array),
    /// The observations are one row more than the steps.
    OneMore,
    /// Only what the next row of the same episode begins with.
    Nothing,
}

/// Gives the episodes one after the other, and says what was decided on the way.
///
/// # Errors
/// Exit 3 with episode and row where the arrays do not fit the environment or contradict each other, and what `take` fails with.
pub(super) fn cut(
    columns: &Columns,
    spaces: &Spaces,
    limit: Option<usize>,
    mut take: impl FnMut(Episode) -> Result<()>,
) -> Result<Vec<String>> {
    let steps = columns.rewards.len();
    let after = after(columns, spaces)?;
    let cut = Cut { columns, spaces, limit, after };
    let ends = cut.ends()?;
    if steps == 0 {
        return Err(Error::artefact("there are no steps"));
    }
    let (mut begin, mut number, mut short) = (0, 0_u64, 0_u64);
    for end in (1..=steps).filter(|end| ends[end - 1]) {
        let rows = begin..end;
        begin = end;
        let place = |error: Error| error.at(format!("episode {number}, rows {} to {}", rows.start, rows.end - 1));
        cut.check_continuity(rows.clone()).map_err(place)?;
        match cut.episode(rows.clone()) {
            Some(episode) => take(episode).map_err(place)?,
            None => short += 1,
        }
        number += 1;
    }
    Ok(cut.notes(number, short))
}

/// What is known of what comes after a step. Rows of observations and actions fit the environment.
fn after<'a>(columns: &'a Columns, spaces: &Spaces) -> Result<After<'a>> {
    let steps = columns.rewards.len();
    let observed = columns.observations.as_observations(spaces).map_err(|error| error.at("array `observations`"))?;
    let acted = columns.actions.as_actions(&spaces.action).map_err(|error| error.at("array `actions`"))?;
    check_rows("actions", acted, steps)?;
    if let Some(next) = &columns.next_observations {
        let rows = next.as_observations(spaces).map_err(|error| error.at("array `next_observations`"))?;
        check_rows("next_observations", rows, steps)?;
        check_rows("observations", observed, steps)?;
        return Ok(After::Next(next));
    }
    if observed == steps + 1 {
        return Ok(After::OneMore);
    }
    check_rows("observations", observed, steps)?;
    Ok(After::Nothing)
}

impl Cut<'_> {
    /// Which rows are the last of their episode.
    fn ends(&self) -> Result<Vec<bool>> {
        let Columns { terminated, truncated, dones, episode_starts, .. } = self.columns;
        let steps = self.columns.rewards.len();
        let contradiction = |row: usize, message: &str| Err(Error::artefact(message).at(format!("row {row}")));
        let marked = terminated.is_some() || truncated.is_some() || dones.is_some() || episode_starts.is_some();
        if !marked && !matches!(self.after, After::OneMore) {
            return Err(Error::artefact("nothing says where episodes end")
                .hint("one of terminals, timeouts, dones or episode_starts is needed, or one observation more than there are actions"));
        }
        let at = |flags: &Option<Vec<bool>>, row: usize| flags.as_ref().is_some_and(|flags| flags[row]);
        let mut ends = Vec::with_capacity(steps);
        for row in 0..steps {
            let (flagged, done) = (at(terminated, row) || at(truncated, row), at(dones, row));
            if dones.is_some() && flagged && !done {
                return contradiction(row, "an episode ends, and `dones` says that it does not");
            }
            if terminated.is_some() && truncated.is_some() && done && !flagged {
                return contradiction(row, "`dones` says that an episode ends, neither terminals nor timeouts does");
            }
            let mut end = flagged || done;
            if let Some(starts) = episode_starts {
                if row == 0 && !starts[0] {
                    return contradiction(0, "`episode_starts` says that the first row does not begin an episode");
                }
                let next = row + 1 < steps && starts[row + 1];
                if end && !next && row + 1 < steps {
                    return contradiction(row + 1, "an episode ended before, and `episode_starts` says that none begins");
                }
                if next && !end && dones.is_some() {
                    return contradiction(row, "an episode begins behind it, and `dones` says that none ends");
                }
                end = end || next;
            }
            if end && row + 1 < steps && matches!(self.after, After::OneMore) {
                return contradiction(row, "an episode ends, and only one observation more than there are steps is given for all of them");
            }
            ends.push(end || row + 1 == steps);
        }
        Ok(ends)
    }

    /// What comes after a step is what the next one begins with.
    fn check_continuity(&self, rows: Range<usize>) -> Result<()> {
        let After::Next(next) = self.after else { return Ok(()) };
        let channels = &self.spaces.observation;
        for row in rows.start..rows.end - 1 {
            let after = &next.values[row * channels.len()..][..channels.len()];
            let before = &self.columns.observations.values[(row + 1) * channels.len()..][..channels.len()];
            // Where both are no number, the check of numbers says so.
            let torn = after.iter().zip(before).position(|(after, before)| after != before && !before.is_nan());
            if let Some(channel) = torn {
                let message = format!(
                    "`{}` is {} after the step, and {} before the next one: the order of rows is mixed up, or rows are missing",
                    channels[channel].name, after[channel], before[channel]
                );
                return Err(Error::artefact(message).at(format!("row {row}")));
            }
        }
        Ok(())
    }

    /// The episode of these rows; nothing when what its only step led to is not known.
    fn episode(&self, rows: Range<usize>) -> Option<Episode> {
        let (columns, width, channels) = (self.columns, self.spaces.action.width(), self.spaces.observation.len());
        let last = rows.end - 1;
        let (mut terminated, mut truncated) = self.flags(rows.clone());
        let observed = &columns.observations.values;
        let (rows, observations) = match self.after {
            After::Next(next) => {
                let seen = &observed[rows.start * channels..rows.end * channels];
                (rows, [seen, &next.values[last * channels..][..channels]].concat())
            }
            After::OneMore => (rows.clone(), observed[rows.start * channels..(rows.end + 1) * channels].to_vec()),
            After::Nothing => {
                (terminated, truncated) = (false, false);
                (rows.start..last, observed[rows.start * channels..rows.end * channels].to_vec())
            }
        };
        if rows.is_empty() {
            return None;
        }
        Some(Episode {
            start: None,
            observations: by_channel(&observations, rows.len() + 1),
            actions: by_channel(&columns.actions.values[rows.start * width..rows.end * width], rows.len()),
            rewards: columns.rewards[rows.clone()].to_vec(),
            info: columns.info.iter().flat_map(|(_, values)| values[rows.clone()].to_vec()).collect(),
            terminated,
            truncated,
        })
    }

    /// Whether the task was over and whether time was up with the last of these rows.
    fn flags(&self, rows: Range<usize>) -> (bool, bool) {
        let last = rows.end - 1;
        let at = |flags: &Option<Vec<bool>>| flags.as_ref().map(|flags| flags[last]);
        let Columns { terminated, truncated, dones, .. } = self.columns;
        match (at(terminated), at(truncated), at(dones)) {
            (Some(terminated), Some(truncated), _) => (terminated, truncated),
            (Some(terminated), None, done) => (terminated, !terminated && done == Some(true)),
            (None, Some(truncated), done) => (!truncated && done == Some(true), truncated),
            (None, None, Some(true)) => {
                let up = self.limit.is_some_and(|limit| rows.len() >= limit);
                (!up, up)
            }
            (None, None, _) => (false, false),
        }
    }

    /// What was decided where the data does not say.
    fn notes(&self, episodes: u64, short: u64) -> Vec<String> {
        let mut notes = Vec::new();
        if matches!(self.after, After::Nothing) {
            notes.push(format!(
                "there are no next_observations, so nobody knows what the last step of an episode led to: that step is dropped from each of \
                 the {episodes} episodes, and what was seen before it is what the episode ends with; none counts as terminated or truncated"
            ));
        } else if self.columns.terminated.is_none() && self.columns.truncated.is_none() {
            notes.push(match (&self.columns.dones, self.limit) {
                (Some(_), Some(limit)) => {
                    format!("`dones` does not say why an episode ended: at the environment's limit of {limit} steps time was up, before it the task was over")
                }
                (Some(_), None) => "`dones` does not say why an episode ended: the task counts as over".into(),
                (None, _) => "nothing says why an episode ended: none counts as terminated or truncated".into(),
            });
        }
        if short > 0 {
            notes.push(format!("{short} episodes had no other step and are left out"));
        }
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::array::Kind;
    use crate::env::{ActionSpace, Channel};

    fn spaces() -> Spaces {
        Spaces { observation: vec![Channel::unbounded("x")], action: ActionSpace::Discrete(vec!["left".into(), "right".into()]) }
    }

    /// Observations count up, rewards are ten times as much.
    fn columns(steps: u16) -> Columns {
        let numbers = |kind: Kind, values: Vec<f64>| Array { kind, shape: vec![values.len()], values };
        Columns {
            observations: numbers(Kind::Float, (0..steps).map(f64::from).collect()),
            actions: numbers(Kind::Integer, vec![1.0; steps.into()]),
            rewards: (0..steps).map(|row| 10.0 * f64::from(row)).collect(),
            next_observations: Some(numbers(Kind::Float, (1..=steps).map(f64::from).collect())),
            terminated: None,
            truncated: None,
            dones: None,
            episode_starts: None,
            info: Vec::new(),
        }
    }

    fn episodes(columns: &Columns) -> Result<Vec<Episode>> {
        let mut episodes = Vec::new();
        cut(columns, &spaces(), Some(3), |episode| {
            episodes.push(episode);
            Ok(())
        })?;
        Ok(episodes)
    }

    fn flags(text: &str) -> Vec<bool> {
        text.chars().map(|c| c == '1').collect()
    }

    #[test]
    fn flags_cut_and_say_why() {
        let cut = episodes(&Columns { terminated: Some(flags("01000")), truncated: Some(flags("00010")), ..columns(5) }).unwrap();
        let ends: Vec<_> = cut.iter().map(|episode| (episode.len(), episode.terminated, episode.truncated)).collect();
        assert_eq!(ends, [(2, true, false), (2, false, true), (1, false, false)]);
        assert_eq!(cut[1].observations, [2.0, 3.0, 4.0]);
        assert_eq!(cut[1].rewards, [20.0, 30.0]);
    }

    #[test]
    fn dones_alone_are_judged_by_the_limit() {
        let cut = episodes(&Columns { dones: Some(flags("01001")), ..columns(5) }).unwrap();
        assert_eq!(cut.iter().map(|episode| (episode.terminated, episode.truncated)).collect::<Vec<_>>(), [(true, false), (false, true)]);
    }

    #[test]
    fn what_nobody_knows_is_not_made_up() {
        let cut = episodes(&Columns { next_observations: None, terminated: Some(flags("00101")), ..columns(5) }).unwrap();
        assert_eq!(cut.len(), 2);
        assert_eq!((&cut[0].observations[..], cut[0].len(), cut[0].terminated), (&[0.0, 1.0, 2.0][..], 2, false));
        assert_eq!(cut[1].observations, [3.0, 4.0]);
        let one = episodes(&Columns { next_observations: None, terminated: Some(flags("10001")), ..columns(5) }).unwrap();
        assert_eq!(one.len(), 1, "an episode of one step whose end is unknown has nothing left");
    }

    #[test]
    fn one_more_observation_ends_one_episode() {
        let columns = Columns { observations: columns(6).observations, next_observations: None, ..columns(5) };
        let cut = episodes(&columns).unwrap();
        assert_eq!((cut.len(), cut[0].len(), cut[0].observations.len()), (1, 5, 6));
        assert!(episodes(&Columns { terminated: Some(flags("01001")), ..columns }).is_err());
    }

    #[test]
    fn contradictions_name_the_row() {
        let refused = |columns: Columns| episodes(&columns).unwrap_err().to_string();
        assert!(refused(columns(5)).contains("nothing says"));
        assert!(refused(Columns { terminated: Some(flags("00100")), dones: Some(flags("00001")), ..columns(5) }).starts_with("row 2"));
        assert!(refused(Columns { episode_starts: Some(flags("00100")), ..columns(5) }).starts_with("row 0"));
        assert!(refused(Columns { episode_starts: Some(flags("10001")), dones: Some(flags("00101")), ..columns(5) }).starts_with("row 3"));
        let mut torn = Columns { terminated: Some(flags("00001")), ..columns(5) };
        torn.observations.values.swap(2, 3);
        assert!(refused(torn).starts_with("episode 0, rows 0 to 4: row 1: `x` is 2 after the step, and 3 before"));
    }
}
