//! Spaces as Minari writes them: `{"type": "Box", "dtype": "float64", "shape": [4], "low": [...], "high": [...]}`, and
//! `{"type": "Discrete", "dtype": "int64", "start": 0, "n": 2}`.
//!
//! Python writes bounds without end as `Infinity`, which is no JSON; it is read, and written, all the same.

use crate::env::{ActionSpace, Channel, Spaces};
use crate::error::{Error, Result};
use serde_json::Value;

/// Our observation space. Numbers are f64, so the box is one of float64, and not Gymnasium's float32.
pub(super) fn observation_json(spaces: &Spaces) -> String {
    box_json(&spaces.observation)
}

/// Our action space.
pub(super) fn action_json(space: &ActionSpace) -> String {
    match space {
        ActionSpace::Discrete(names) => format!(r#"{{"type": "Discrete", "dtype": "int64", "start": 0, "n": {}}}"#, names.len()),
        ActionSpace::Continuous(channels) => box_json(channels),
    }
}

fn box_json(channels: &[Channel]) -> String {
    let number = |value: f64| match value {
        f64::INFINITY => "Infinity".to_owned(),
        f64::NEG_INFINITY => "-Infinity".to_owned(),
        value => Value::from(value).to_string(),
    };
    let list = |bound: fn(&Channel) -> f64| channels.iter().map(|channel| number(bound(channel))).collect::<Vec<_>>().join(", ");
    let (count, low, high) = (channels.len(), list(|channel| channel.low), list(|channel| channel.high));
    format!(r#"{{"type": "Box", "dtype": "float64", "shape": [{count}], "low": [{low}], "high": [{high}]}}"#)
}

/// Fails where the observation space of a data set is not ours.
pub(super) fn check_observation(text: &str, spaces: &Spaces) -> Result<()> {
    let space = parse(text)?;
    check_box(&space, &spaces.observation, "observation channels").map(drop)
}

/// Fails where the action space of a data set is not ours: actions in other bounds mean something else.
pub(super) fn check_action(text: &str, space: &ActionSpace) -> Result<()> {
    let found = parse(text)?;
    match space {
        ActionSpace::Discrete(names) => {
            let count = found.get("n").and_then(Value::as_u64);
            let start = found.get("start").map_or(Some(0), Value::as_i64);
            if kind(&found) != "Discrete" || count != Some(names.len() as u64) || start != Some(0) {
                let message = format!("is {}; the environment has {} discrete actions from 0", told(&found), names.len());
                return Err(Error::artefact(message));
            }
            Ok(())
        }
        ActionSpace::Continuous(channels) => {
            let [low, high] = check_box(&found, channels, "continuous actions")?;
            for ((channel, low), high) in channels.iter().zip(low).zip(high) {
                let same = |here: f64, there: f64| here == there || (here - there).abs() <= 1e-6 * (1.0 + here.abs());
                if !same(channel.low, low) || !same(channel.high, high) {
                    let message = format!(
                        "`{}` lies between {low} and {high} there, between {} and {} in the environment",
                        channel.name, channel.low, channel.high
                    );
                    return Err(Error::artefact(message));
                }
            }
            Ok(())
        }
    }
}

fn check_box(space: &Value, channels: &[Channel], what: &str) -> Result<[Vec<f64>; 2]> {
    let shape = space.get("shape").and_then(Value::as_array);
    let shape = shape.map(|shape| shape.iter().map(Value::as_u64).collect::<Vec<_>>());
    let bounds = |key: &str| {
        let list = space.get(key).and_then(Value::as_array)?;
        list.iter().map(bound).collect::<Option<Vec<f64>>>().filter(|list| list.len() == channels.len())
    };
    match (shape, bounds("low"), bounds("high")) {
        (Some(shape), Some(low), Some(high)) if kind(space) == "Box" && shape == [Some(channels.len() as u64)] => Ok([low, high]),
        _ => Err(Error::artefact(format!("is {}; the environment has {} {what}", told(space), channels.len()))),
    }
}

fn bound(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) if text == INFINITE => Some(f64::INFINITY),
        Value::String(text) if text == MINUS_INFINITE => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

const INFINITE: &str = "infinite";
const MINUS_INFINITE: &str = "minus infinite";

fn parse(text: &str) -> Result<Value> {
    let quoted = |word: &str| format!("\"{word}\"");
    let text = text.replace("-Infinity", &quoted(MINUS_INFINITE)).replace("Infinity", &quoted(INFINITE));
    serde_json::from_str(&text).map_err(|error| Error::artefact(format!("does not parse: {error}")))
}

fn kind(space: &Value) -> &str {
    space.get("type").and_then(Value::as_str).unwrap_or("nothing")
}

/// A space in words, whatever it says.
fn told(space: &Value) -> String {
    let kind: String = kind(space).chars().take(20).collect();
    let rest = match kind.as_str() {
        "Box" => space.get("shape").map(|shape| format!(" of shape {shape}")),
        "Discrete" => space.get("n").map(|n| format!(" of {n} from {}", space.get("start").unwrap_or(&Value::Null))),
        _ => None,
    };
    let told: String = format!("{}{}", kind.escape_debug(), rest.unwrap_or_default()).chars().take(80).collect();
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces() -> Spaces {
        let observation = vec![Channel::new("angle", -0.1, 0.1), Channel::unbounded("velocity")];
        Spaces { observation, action: ActionSpace::Continuous(vec![Channel::new("push", -2.0, 2.0)]) }
    }

    #[test]
    fn what_is_written_is_what_python_writes_and_what_is_read() {
        let text = observation_json(&spaces());
        assert_eq!(text, r#"{"type": "Box", "dtype": "float64", "shape": [2], "low": [-0.1, -Infinity], "high": [0.1, Infinity]}"#);
        check_observation(&text, &spaces()).unwrap();
        check_action(&action_json(&spaces().action), &spaces().action).unwrap();
        let discrete = ActionSpace::Discrete(vec!["left".into(), "right".into()]);
        check_action(&action_json(&discrete), &discrete).unwrap();
        check_action(r#"{"type": "Discrete", "n": 2}"#, &discrete).unwrap();
    }

    #[test]
    fn another_space_is_told() {
        let discrete = ActionSpace::Discrete(vec!["left".into(), "right".into()]);
        let refused = check_action(r#"{"type": "Discrete", "n": 3, "start": 0}"#, &discrete).unwrap_err();
        assert_eq!(refused.message(), "is Discrete of 3 from 0; the environment has 2 discrete actions from 0");
        assert!(check_action(r#"{"type": "Discrete", "n": 2, "start": 1}"#, &discrete).is_err());
        let wider = r#"{"type": "Box", "shape": [1], "low": [-3.0], "high": [3.0]}"#;
        let refused = check_action(wider, &spaces().action).unwrap_err();
        assert_eq!(refused.message(), "`push` lies between -3 and 3 there, between -2 and 2 in the environment");
        for wrong in
            ["", "[]", "{}", r#"{"type": "Dict"}"#, r#"{"type": "Box", "shape": [3], "low": [], "high": []}"#, "{\"type\": \"\\u001b\"}"]
        {
            let refused = check_observation(wrong, &spaces()).unwrap_err().to_string();
            assert!(!refused.contains('\u{1b}'), "{refused}");
        }
    }
}
