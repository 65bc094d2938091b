//! The spaces that Python describes, as ours.

use super::super::super::{ActionSpace, Channel, Spaces};
use crate::error::{Error, Result};
use serde::Deserialize;

/// What `bridge.py` says of an environment: name, low and high of each channel, `None` where there is no bound.
#[derive(Deserialize)]
struct Described {
    observation: Vec<Bounded>,
    action: Actions,
}

type Bounded = (String, Option<f64>, Option<f64>);

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Actions {
    Discrete(Vec<String>),
    Continuous(Vec<Bounded>),
}

/// Reads a description; `observation` and `action` are names that replace those of the environment.
///
/// # Errors
/// Exit 4: it is none, or the names are not as many as the channels.
pub(super) fn read(json: &[u8], observation: &[String], action: &[String]) -> Result<Spaces> {
    let described: Described =
        serde_json::from_slice(json).map_err(|error| Error::environment(format!("its spaces cannot be read: {error}")))?;
    let channel = |(name, low, high): Bounded| Channel::new(clean(&name), low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY));
    let mut channels: Vec<Channel> = described.observation.into_iter().map(channel).collect();
    rename(channels.iter_mut().map(|channel| &mut channel.name), observation, "observation")?;
    let actions = match described.action {
        Actions::Discrete(names) => {
            let mut names: Vec<String> = names.iter().map(|name| clean(name)).collect();
            rename(names.iter_mut(), action, "action")?;
            ActionSpace::Discrete(names)
        }
        Actions::Continuous(list) => {
            let mut channels: Vec<Channel> = list.into_iter().map(channel).collect();
            rename(channels.iter_mut().map(|channel| &mut channel.name), action, "action")?;
            ActionSpace::Continuous(channels)
        }
    };
    if channels.is_empty() || actions.size() == 0 {
        return Err(Error::environment("it has nothing to see, or nothing to do"));
    }
    let mut names: Vec<&str> = channels.iter().map(|channel| channel.name.as_str()).collect();
    names.sort_unstable();
    if let Some([twice, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::environment(format!("two of its channels are called `{twice}`"))
            .hint("name them all in the field `observation` of its section `gymnasium`"));
    }
    Ok(Spaces { observation: channels, action: actions })
}

fn rename<'a>(names: impl ExactSizeIterator<Item = &'a mut String>, wanted: &[String], what: &str) -> Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    if wanted.len() != names.len() {
        return Err(Error::environment(format!("its {what} has {} names, not {}", names.len(), wanted.len()))
            .hint(format!("name all or none in the field `{what}` of its section `gymnasium`")));
    }
    names.zip(wanted).for_each(|(name, wanted)| name.clone_from(wanted));
    Ok(())
}

fn clean(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_keep_their_bounds_and_take_the_names_that_are_given() {
        let json = br#"{"observation": [["a", -1.0, null], ["b", null, 2.5]], "action": {"discrete": ["action_0", "action_1"]}}"#;
        let spaces = read(json, &[], &["left".into(), "right".into()]).unwrap();
        assert_eq!(spaces.observation, [Channel::new("a", -1.0, f64::INFINITY), Channel::new("b", f64::NEG_INFINITY, 2.5)]);
        assert_eq!(spaces.action.names(), ["left", "right"]);
        let error = read(json, &["a".into()], &[]).unwrap_err();
        assert_eq!(error.message(), "its observation has 2 names, not 1");
        let twice = br#"{"observation": [["a", -1.0, null], ["a", null, 2.5]], "action": {"continuous": [["x", null, null]]}}"#;
        assert_eq!(read(twice, &[], &[]).unwrap_err().message(), "two of its channels are called `a`");
        assert!(read(b"{", &[], &[]).is_err());
    }
}
