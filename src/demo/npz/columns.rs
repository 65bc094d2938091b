//! The arrays of an archive by their usual names, and how many rows they have.

use super::archive::Archive;
use crate::demo::array::Array;
use crate::demo::import::keeps_info;
use crate::error::{Error, Result, did_you_mean};
use std::fs::File;

/// What is read, and under which names it is found.
const KNOWN: [(Role, &[&str]); 8] = [
    (Role::Observations, &["observations", "obs"]),
    (Role::Actions, &["actions", "acts"]),
    (Role::Rewards, &["rewards", "rews"]),
    (Role::NextObservations, &["next_observations", "next_obs"]),
    (Role::Terminated, &["terminals", "terminated", "terminations"]),
    (Role::Truncated, &["timeouts", "truncated", "truncations", "truncateds"]),
    (Role::Dones, &["dones"]),
    (Role::EpisodeStarts, &["episode_starts"]),
];
/// Further numbers of a step stand under these.
const INFO: [&str; 2] = ["infos/", "info."];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Observations,
    Actions,
    Rewards,
    NextObservations,
    Terminated,
    Truncated,
    Dones,
    EpisodeStarts,
}

/// The arrays, not yet held against an environment.
pub(super) struct Columns {
    pub(super) observations: Array,
    pub(super) actions: Array,
    pub(super) rewards: Vec<f64>,
    pub(super) next_observations: Option<Array>,
    pub(super) terminated: Option<Vec<bool>>,
    pub(super) truncated: Option<Vec<bool>>,
    pub(super) dones: Option<Vec<bool>>,
    pub(super) episode_starts: Option<Vec<bool>>,
    /// Name and `[N]`.
    pub(super) info: Vec<(String, Vec<f64>)>,
}

impl Columns {
    /// Reads an archive. Gives what is left out, too.
    ///
    /// # Errors
    /// Exit 3 with the array.
    pub(super) fn read(file: File) -> Result<(Self, Vec<String>)> {
        let mut archive = Archive::open(file)?;
        let names = archive.names().to_vec();
        let mut found: [Option<Array>; 8] = [const { None }; 8];
        let (mut info, mut notes): (Vec<(String, Array)>, Vec<String>) = (Vec::new(), Vec::new());
        for (index, name) in names.iter().enumerate() {
            let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
            let place = |error: Error| error.at(format!("array `{shown}`"));
            if let Some(role) = KNOWN.iter().position(|(_, names)| names.contains(&name.as_str())) {
                if found[role].is_some() {
                    return Err(place(Error::artefact(format!("stands twice; it is one of {}", KNOWN[role].1.join(", ")))));
                }
                found[role] = Some(archive.array(index).map_err(place)?);
            } else if let Some(key) = INFO.iter().find_map(|prefix| name.strip_prefix(prefix)).filter(|key| keeps_info(key, info.len())) {
                info.push((key.to_owned(), archive.array(index).map_err(place)?));
            } else {
                notes.push(format!("the array `{shown}` is left out: nothing is known of it"));
            }
        }
        let mut take = |role: Role| KNOWN.iter().position(|(known, _)| *known == role).and_then(|place| found[place].take());
        let mut demand = |role: Role| {
            take(role).ok_or_else(|| {
                let (_, usual) = KNOWN.iter().find(|(known, _)| *known == role).expect("every role is known");
                let hint = did_you_mean(usual[0], names.iter().map(String::as_str).take(20));
                Error::artefact(format!("holds no array `{}`", usual.join("` or `"))).hint(hint)
            })
        };
        let (observations, actions, rewards) = (demand(Role::Observations)?, demand(Role::Actions)?, demand(Role::Rewards)?);
        let next_observations = take(Role::NextObservations);
        let rows = rewards.rows(1, "there is one reward a step:").map_err(|error| error.at("rewards"))?;
        let mut flags = |role: Role, name: &str| {
            let flags = take(role).map(|array| array.as_flags()).transpose().map_err(|error| error.at(name))?;
            check_rows(name, flags.as_ref().map_or(rows, Vec::len), rows)?;
            Ok::<_, Error>(flags)
        };
        let (terminated, truncated) = (flags(Role::Terminated, "terminals")?, flags(Role::Truncated, "timeouts")?);
        let (dones, episode_starts) = (flags(Role::Dones, "dones")?, flags(Role::EpisodeStarts, "episode_starts")?);
        let mut kept = Vec::new();
        for (name, array) in info {
            match array.rows(1, "") {
                Ok(found) if found == rows => kept.push((name, array.values)),
                _ => notes.push(format!("`infos/{}` is left out: it has not one number a step", name.escape_debug())),
            }
        }
        kept.sort_by(|(one, _), (other, _)| one.cmp(other));
        let rewards = rewards.values;
        Ok((Self { observations, actions, rewards, next_observations, terminated, truncated, dones, episode_starts, info: kept }, notes))
    }

    /// The names of further numbers.
    pub(super) fn info_names(&self) -> Vec<String> {
        self.info.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// Fails where an array has not a row for each step.
pub(super) fn check_rows(name: &str, found: usize, steps: usize) -> Result<()> {
    if found == steps {
        return Ok(());
    }
    Err(Error::artefact(format!("has {found} rows where there are {steps} rewards")).at(format!("array `{name}`")))
}
