//! Several sets as one: the same environment, the same spaces, the recorders of all.

use super::dataset::Demonstrations;
use super::episode::Episode;
use super::header::Header;
use super::making::{Made, Making, check_free};
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::stop::Stop;
use std::path::Path;

/// Writes the episodes of all sets to `out`, set after set and with their starts. Further numbers of a step are kept where all sets have
/// them.
///
/// # Errors
/// Exit 2 when environments or spaces differ or something is at `out` already; exit 3 when a set is damaged.
pub fn merge(registry: &Registry, sets: &[Demonstrations], out: &Path, stop: &Stop) -> Result<Made> {
    check_free(out)?;
    let [first, others @ ..] = sets else { return Err(Error::usage("there is nothing to merge")) };
    for other in others {
        check_same(registry, first, other)?;
    }
    let (header, notes) = header(sets);
    let mut making = Making::begin(out, header.clone())?;
    for set in sets {
        for episode in set.episodes() {
            stop.check_unarmed()?;
            let (_, episode) = episode?;
            making.append(with_info(episode, &set.header().info, &header.info))?;
        }
    }
    if making.episodes() == 0 {
        return Err(Error::usage("none of the sets holds an episode"));
    }
    making.finish(notes)
}

fn check_same(registry: &Registry, first: &Demonstrations, other: &Demonstrations) -> Result<()> {
    let (here, there) = (first.header(), other.header());
    let refuse = |differences: Vec<String>| {
        let message = format!("was recorded in another environment than {}: {}", first.path().display(), differences.join("; "));
        Err(Error::usage(message).at(other.path().display()).hint("only sets of one environment can be merged"))
    };
    if here.environment_ron != there.environment_ron {
        let differences = here.spec(registry)?.differences(&there.spec(registry)?);
        if !differences.is_empty() {
            return refuse(differences.into_iter().map(|(name, here, there)| format!("`{name}` is {there}, there {here}")).collect());
        }
    }
    if here.spaces != there.spaces {
        let names = |header: &Header| {
            let channels = header.spaces.observation.iter().map(|channel| channel.name.as_str());
            channels.chain(header.spaces.action.names()).collect::<Vec<_>>().join(", ")
        };
        let (here, there) = (names(here), names(there));
        let bounds = if here == there { " between other bounds" } else { "" };
        return refuse(vec![format!("its spaces have {there}{bounds}, there {here}")]);
    }
    Ok(())
}

/// The header of what is merged, and what is lost.
fn header(sets: &[Demonstrations]) -> (Header, Vec<String>) {
    let mut header = sets[0].header().clone();
    header.recorders.clear();
    for recorder in sets.iter().flat_map(|set| &set.header().recorders) {
        if !header.recorders.contains(recorder) {
            header.recorders.push(recorder.clone());
        }
    }
    let everywhere = |name: &String| sets.iter().all(|set| set.header().info.contains(name));
    header.info.retain(everywhere);
    let mut left_out: Vec<&String> = sets.iter().flat_map(|set| &set.header().info).filter(|name| !everywhere(name)).collect();
    left_out.sort();
    left_out.dedup();
    let note = |name: &String| format!("`info.{}` is left out: not every set has it", name.escape_debug());
    (header, left_out.into_iter().map(note).collect())
}

/// An episode with these of its further numbers, in this order.
fn with_info(mut episode: Episode, has: &[String], wanted: &[String]) -> Episode {
    let steps = episode.len();
    let places = wanted.iter().filter_map(|name| has.iter().position(|other| other == name));
    episode.info = places.flat_map(|place| episode.info[place * steps..][..steps].to_vec()).collect();
    episode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn further_numbers_are_found_by_name() {
        let episode = Episode {
            start: None,
            observations: vec![0.0; 3],
            actions: vec![0.0; 2],
            rewards: vec![0.0; 2],
            info: vec![1.0, 2.0, 3.0, 4.0],
            terminated: false,
            truncated: false,
        };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(with_info(episode.clone(), &names(&["a", "b"]), &names(&["b", "a"])).info, [3.0, 4.0, 1.0, 2.0]);
        assert_eq!(with_info(episode, &names(&["a", "b"]), &names(&["b"])).info, [3.0, 4.0]);
    }
}
