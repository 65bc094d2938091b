//! `metadata.json`: what a data set says of itself. Read as data; nothing in it is run or looked up.

use super::METADATA;
use crate::error::{Error, Kind, Result};
use crate::file::disk;
use serde_json::Value;
use std::path::Path;

/// A longer file is refused unread.
const CAP: u64 = 1 << 20;

/// What we take from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metadata {
    pub(super) dataset_id: String,
    pub(super) total_episodes: u64,
    pub(super) total_steps: u64,
    pub(super) observation_space: Option<String>,
    pub(super) action_space: Option<String>,
    /// The id of the Gymnasium environment that it names.
    pub(super) gymnasium_id: Option<String>,
}

impl Metadata {
    /// Reads the file in a data folder.
    ///
    /// # Errors
    /// Exit 3 with what is missing or not what it should be.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(METADATA);
        if !path.exists() {
            return Err(Error::artefact(format!("holds no Minari data set of version 0.5: `{METADATA}` is missing")).at(folder.display()));
        }
        let bytes = disk::read(&path, CAP).map_err(|error| if error.kind() == Kind::Io { error.as_kind(Kind::Artefact) } else { error })?;
        Self::parse(&bytes).map_err(|error| error.at(path.display()))
    }

    fn parse(bytes: &[u8]) -> Result<Self> {
        let json: Value = serde_json::from_slice(bytes).map_err(|error| Error::artefact(format!("does not parse: {error}")))?;
        let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
        let count = |key: &str| {
            let number = json.get(key).and_then(Value::as_u64);
            number.ok_or_else(|| Error::artefact(format!("`{key}` is missing, or is no number of them")))
        };
        if let Some(format) = text("data_format").filter(|format| format != "hdf5") {
            let message = format!("the data is stored as `{}`; hdf5 is read", short(&format));
            return Err(Error::artefact(message).hint("write it anew with Minari and data_format=\"hdf5\""));
        }
        Ok(Self {
            dataset_id: text("dataset_id").map(|id| short(&id)).unwrap_or_default(),
            total_episodes: count("total_episodes")?,
            total_steps: count("total_steps")?,
            observation_space: text("observation_space"),
            action_space: text("action_space"),
            gymnasium_id: text("env_spec").and_then(|spec| id_of(&spec)),
        })
    }
}

/// The id in the JSON of a Gymnasium `EnvSpec`.
fn id_of(spec: &str) -> Option<String> {
    let json: Value = serde_json::from_str(spec).ok()?;
    json.get("id").and_then(Value::as_str).map(short)
}

/// A foreign name, fit to be shown.
fn short(name: &str) -> String {
    name.chars().take(100).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named() {
        let parse = |text: &str| Metadata::parse(text.as_bytes());
        let good =
            parse(r#"{"total_episodes": 2, "total_steps": 9, "dataset_id": "a-v0", "env_spec": "{\"id\": \"CartPole-v1\"}"}"#).unwrap();
        assert_eq!((good.total_steps, good.gymnasium_id.as_deref()), (9, Some("CartPole-v1")));
        for (wrong, part) in [
            ("{", "does not parse"),
            ("[]", "total_episodes"),
            (r#"{"total_episodes": -2, "total_steps": 9}"#, "total_episodes"),
            (r#"{"total_episodes": 2, "total_steps": 9.5}"#, "total_steps"),
            (r#"{"total_episodes": 2, "total_steps": 9, "data_format": "arrow"}"#, "arrow"),
        ] {
            assert!(parse(wrong).unwrap_err().to_string().contains(part), "{wrong}");
        }
    }
}
