//! Which Gymnasium environment it is: an id, arguments of its constructor, and what our parameters are called in it.

use super::super::super::parameter::{Parameter, Quantity};
use crate::error::{Error, Result, did_you_mean};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The section `gymnasium` of an environment file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "gymnasium", deny_unknown_fields)]
pub struct Task {
    /// `CartPole-v1`, or `my_pkg:MyRobot-v0` of a module that registers it when it is imported.
    pub id: String,
    /// The interpreter. A matter of the machine: no card keeps it, and none of a card is used.
    #[serde(default, skip_serializing)]
    pub python: Option<String>,
    /// Seconds within which Python has to start, to make, reset or step; 60 when absent. No card keeps it.
    #[serde(default, skip_serializing)]
    pub patience_s: Option<f64>,
    /// Arguments of the constructor.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub arguments: BTreeMap<String, serde_json::Value>,
    /// Parameters of our context, and what each sets.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub context: BTreeMap<String, Target>,
    /// Names of the observation's channels, all of them; `observation_0` and so on, or the names of a Dict, when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub observation: Vec<String>,
    /// Names of the actions or of their channels, all of them; `action_0` and so on when absent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub action: Vec<String>,
    /// Parts of a Dict or Tuple that are left out: `mission`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

/// What a parameter sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// An argument of the constructor: the environment is made anew when it changes.
    Argument(String),
    /// An attribute of the unwrapped environment, set before every reset: `gravity`, `model.opt.gravity[2]`.
    Attribute(String),
}

/// Gymnasium's tasks that we have too, and our simulator, whose names their channels are given: a policy then knows both.
const TWINS: [(&str, &str); 16] = [
    ("CartPole-v0", "classic/cartpole"),
    ("CartPole-v1", "classic/cartpole"),
    ("Acrobot-v1", "classic/acrobot"),
    ("MountainCar-v0", "classic/mountain_car"),
    ("MountainCarContinuous-v0", "classic/mountain_car_continuous"),
    ("Pendulum-v1", "classic/pendulum"),
    ("HalfCheetah-v5", "mujoco/half_cheetah"),
    ("Hopper-v5", "mujoco/hopper"),
    ("Walker2d-v5", "mujoco/walker2d"),
    ("Ant-v5", "mujoco/ant"),
    ("Swimmer-v5", "mujoco/swimmer"),
    ("Humanoid-v5", "mujoco/humanoid"),
    ("InvertedPendulum-v5", "mujoco/inverted_pendulum"),
    ("InvertedDoublePendulum-v5", "mujoco/inverted_double_pendulum"),
    ("Reacher-v5", "mujoco/reacher"),
    ("Pusher-v5", "mujoco/pusher"),
];

impl Task {
    /// The environment of an id as it comes.
    ///
    /// # Errors
    /// As [`Task::check`].
    pub(in crate::env) fn named(id: &str) -> Result<Self> {
        let task = Self {
            id: id.to_owned(),
            python: None,
            patience_s: None,
            arguments: BTreeMap::new(),
            context: BTreeMap::new(),
            observation: Vec::new(),
            action: Vec::new(),
            ignore: Vec::new(),
        };
        task.check().map(|()| task)
    }

    /// Our simulator of the same task.
    pub(in crate::env) fn twin(&self) -> Option<&'static str> {
        TWINS.iter().find(|(id, _)| *id == self.id && self.arguments.is_empty()).map(|(_, simulator)| *simulator)
    }

    /// Checks what can be checked without Python.
    ///
    /// # Errors
    /// Exit 2: no id, no attribute.
    pub(in crate::env) fn check(&self) -> Result<()> {
        let (module, id) = self.id.split_once(':').unwrap_or(("module", &self.id));
        let plain = |text: &str, extra: &str| {
            text.len() <= 200 && text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_') && is_made_of(text, extra)
        };
        if !(plain(module, "_.") && plain(id, "_.-/")) {
            return Err(Error::usage(format!("`{}` is no Gymnasium id", self.id))
                .hint("ids are `CartPole-v1`, or `my_pkg:MyRobot-v0` of a module that registers it when it is imported"));
        }
        for (name, target) in &self.context {
            let (path, fine) = match target {
                Target::Argument(argument) => (argument, is_made_of(argument, "_")),
                Target::Attribute(path) => (path, is_made_of(path, "_.[]-\"") && !path.contains("__")),
            };
            if !fine || path.is_empty() {
                return Err(Error::usage(format!("the parameter `{name}` cannot set `{path}`"))
                    .hint("write Argument(\"mass\"), or Attribute(\"model.opt.gravity[2]\") of the unwrapped environment"));
            }
        }
        let patience = self.patience_s.unwrap_or(1.0);
        if !(patience > 0.0 && patience <= 1e6) {
            return Err(Error::usage(format!("`patience_s` cannot be {patience}")).hint("it lies above 0 and is at most 1e6"));
        }
        Ok(())
    }

    /// Checks a value of the context.
    ///
    /// # Errors
    /// Exit 2: there is no such parameter, or its law makes no sense.
    pub(in crate::env) fn check_context(&self, name: &str, quantity: &Quantity) -> Result<()> {
        if !self.context.contains_key(name) {
            let message = format!("the context of `gymnasium:{}` has no parameter `{name}`", self.id);
            let known = did_you_mean(name, self.context.keys().map(String::as_str));
            return Err(Error::usage(message).hint(format!("{known}; its section `gymnasium` says which there are")));
        }
        quantity.check(&Parameter::new("context", 0.0, [-1e300, 1e300], "", ""))
    }

    /// What decides which code runs and how: what a person who names it agrees to.
    pub(super) fn identity(&self) -> String {
        crate::file::ron::to_text(self)
    }
}

fn is_made_of(text: &str, extra: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ids_and_nothing_else() {
        for id in ["CartPole-v1", "my_pkg:MyRobot-v0", "ale_py:ALE/Pong-v5", "a.b.c:D-v1"] {
            Task::named(id).unwrap();
        }
        for id in ["", ":", "a b", "-v0", "x;import os", "a:b:c", "../x:Y-v0", "m:", &"x".repeat(300)] {
            assert!(Task::named(id).is_err(), "{id}");
        }
    }

    #[test]
    fn attributes_are_paths_and_no_dunders() {
        let set = |target: Target| Task { context: [("g".to_owned(), target)].into(), ..Task::named("CartPole-v1").unwrap() }.check();
        assert!(set(Target::Attribute("model.opt.gravity[2]".into())).is_ok());
        assert!(set(Target::Argument("mass".into())).is_ok());
        for path in ["", "a.__class__.b", "f(x)", "a b"] {
            assert!(set(Target::Attribute(path.into())).is_err(), "{path}");
        }
    }
}
