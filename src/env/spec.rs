//! An environment as RON: simulator, context, objective, wrappers, and `extends` for "the other one, but ...".
//!
//! A file says only what it changes: parameters replace those of the environment it extends, name by name; wrappers are put around
//! the ones it extends; the step limit and the description replace.

use super::parameter::{Parameter, Quantities, Quantity};
use super::registry::{self, Found, Registry, Simulator};
use super::sim::gymnasium;
use super::sim::mujoco;
use super::wrap::Wrapper;
use crate::error::{Error, Result, did_you_mean};
use crate::file::digest;
use crate::file::ron::{self, Source};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;

/// What an environment file may say.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename = "environment", deny_unknown_fields)]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extends: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    simulator: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mujoco: Option<mujoco::Description>,
    gymnasium: Option<gymnasium::Task>,
    #[serde(default)]
    context: Quantities,
    #[serde(default)]
    objective: Quantities,
    #[serde(default)]
    wrappers: Vec<Wrapper>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_episode_steps: Option<usize>,
}

/// An environment with everything said: what it extends is applied, defaults are filled in, every value is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Its short name.
    pub name: String,
    /// One sentence.
    pub about: String,
    /// The simulator's name.
    pub simulator: String,
    /// The robot of the user's own that it is, where it is one.
    pub own: Option<mujoco::Own>,
    /// Which one it is, of the simulator `gymnasium`.
    pub gymnasium: Option<gymnasium::Task>,
    /// Every parameter of the dynamics.
    pub context: Quantities,
    /// Every parameter of reward, termination and start law.
    pub objective: Quantities,
    /// From the inside out.
    pub wrappers: Vec<Wrapper>,
    /// Where episodes are cut; in a trial, each of its episodes.
    pub max_episode_steps: Option<usize>,
    /// What it extends, nearest first.
    pub extends: Vec<String>,
    /// Where its parts are written.
    pub places: Places,
}

/// Where things are written, for what only shows when the environment is built: values that exclude each other, a wrapper that does
/// not fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Places {
    file: String,
    wrappers: Vec<String>,
}

/// More layers than that are no environment but an attack on memory.
const MOST_WRAPPERS: usize = 64;

impl Spec {
    /// A simulator with all its defaults.
    #[must_use]
    pub fn of_simulator(simulator: &Simulator) -> Self {
        let defaults =
            |parameters: &[Parameter]| Quantities(parameters.iter().map(|p| (p.name.to_owned(), Quantity::Number(p.default))).collect());
        Self {
            name: simulator.name.clone(),
            about: simulator.about.clone(),
            simulator: simulator.name.clone(),
            own: None,
            gymnasium: None,
            context: defaults(&simulator.context),
            objective: defaults(&simulator.objective),
            wrappers: Vec::new(),
            max_episode_steps: simulator.max_episode_steps,
            extends: Vec::new(),
            places: Places { file: simulator.name.clone(), wrappers: Vec::new() },
        }
    }

    /// A Gymnasium environment as it comes, with its own limit of steps.
    pub(super) fn of_gymnasium(simulator: &Simulator, task: gymnasium::Task) -> Self {
        let name = format!("{}{}", gymnasium::PREFIX, task.id);
        Self {
            about: format!("{} of Gymnasium, in a Python process", task.id),
            places: Places { file: name.clone(), wrappers: Vec::new() },
            name,
            gymnasium: Some(task),
            ..Self::of_simulator(simulator)
        }
    }

    /// The file that it comes from.
    pub(super) fn place(&self) -> &str {
        &self.places.file
    }

    /// `file:line:column` of a wrapper.
    pub(super) fn place_of_wrapper(&self, index: usize) -> &str {
        self.places.wrappers.get(index).unwrap_or(&self.places.file)
    }

    /// The whole environment as a RON text that extends nothing: what a card keeps.
    #[must_use]
    pub fn to_ron(&self) -> String {
        ron::to_text(&File {
            extends: None,
            about: Some(self.about.clone()),
            simulator: self.own.is_none().then(|| self.simulator.clone()),
            mujoco: self.own.as_ref().map(|own| own.description.clone()),
            gymnasium: self.gymnasium.clone(),
            context: self.context.clone(),
            objective: self.objective.clone(),
            wrappers: self.wrappers.clone(),
            max_episode_steps: self.max_episode_steps,
        })
    }

    /// Reads what [`Spec::to_ron`] wrote.
    ///
    /// # Errors
    /// When the text is not an environment of this registry.
    pub fn from_ron(registry: &Registry, name: &str, text: &str) -> Result<Self> {
        let source = Source { name: name.to_owned(), text: text.to_owned() };
        resolve(registry, Found { source, name: name.to_owned(), folder: None })
    }

    /// Seconds from one state to the next, where the simulator has such a parameter and it is not drawn anew.
    #[must_use]
    pub fn time_step(&self) -> Option<f64> {
        match self.context.0.get("time_step") {
            Some(Quantity::Number(seconds)) => Some(*seconds),
            _ => None,
        }
    }

    /// Steps of the longest episode: the limit, and in a trial that of all its episodes together. `None` where nothing cuts it.
    #[must_use]
    pub fn longest_episode(&self) -> Option<usize> {
        let episodes = self.wrappers.iter().map(|wrapper| if let Wrapper::Trial { episodes } = wrapper { *episodes } else { 1 });
        episodes.fold(self.max_episode_steps, |limit, episodes| limit?.checked_mul(episodes))
    }

    /// Identity of the decision process: simulator, parameters, wrappers and limit, but no name and no description.
    #[must_use]
    pub fn digest(&self) -> String {
        let nameless = Self { name: String::new(), about: String::new(), ..self.clone() };
        digest::of_bytes(nameless.to_ron().as_bytes())
    }

    /// In which lines the texts of two environments differ, as `(name, here, there)`.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<(String, String, String)> {
        let mut rows = Vec::new();
        let mut row = |name: &str, here: String, there: String| {
            if here != there {
                rows.push((name.to_owned(), here, there));
            }
        };
        row("simulator", self.simulator.clone(), other.simulator.clone());
        let own = |spec: &Self| {
            spec.own.as_ref().map_or_else(|| "-".to_owned(), |own| digest::of_bytes(ron::to_text(&own.description).as_bytes()))
        };
        row("robot", own(self), own(other));
        let task = |spec: &Self| spec.gymnasium.as_ref().map_or_else(|| "-".to_owned(), |task| ron::to_text(task).replace('\n', " "));
        row("gymnasium", task(self), task(other));
        for (here, there) in [(&self.context, &other.context), (&self.objective, &other.objective)] {
            let names: std::collections::BTreeSet<&String> = here.0.keys().chain(there.0.keys()).collect();
            let text = |quantities: &Quantities, name: &str| quantities.0.get(name).map_or_else(|| "-".to_owned(), Quantity::to_string);
            for name in names {
                row(name, text(here, name), text(there, name));
            }
        }
        let wrappers = |spec: &Self| match &spec.wrappers[..] {
            [] => "none".to_owned(),
            wrappers => wrappers.iter().map(Wrapper::to_string).collect::<Vec<_>>().join(", "),
        };
        row("wrappers", wrappers(self), wrappers(other));
        let limit = |spec: &Self| spec.max_episode_steps.map_or_else(|| "none".to_owned(), |steps| steps.to_string());
        row("max_episode_steps", limit(self), limit(other));
        rows
    }
}

/// Follows `extends` to its end, then applies the files from the innermost outwards.
pub(super) fn resolve(registry: &Registry, found: Found) -> Result<Spec> {
    let mut chain: Vec<(Found, File)> = Vec::new();
    let mut next = Some(found);
    let mut base: Option<&Arc<Simulator>> = None;
    let mut extended: Option<gymnasium::Task> = None;
    while let Some(found) = next.take() {
        let file: File = found.source.parse()?;
        if let Some(name) = &file.extends {
            let place = || found.source.place_of(&["extends", name]);
            if file.simulator.is_some() {
                let message = "an environment that `extends` another has its simulator";
                return Err(Error::usage(message).at(found.source.place_of(&["simulator"])).hint("keep one of the two"));
            }
            if let Some(section) = &file.gymnasium {
                let message = format!("an environment that `extends` another is that one's Gymnasium environment, not `{}`", section.id);
                return Err(Error::usage(message).at(found.source.place_of(&["gymnasium"])).hint("keep one of the two"));
            }
            if let Some(id) = name.strip_prefix(gymnasium::PREFIX) {
                extended = Some(registry.gymnasium(id).map_err(|error| error.at(place()))?);
                base = Some(registry.simulator(gymnasium::NAME)?);
            } else if let Ok(simulator) = registry.simulator(name) {
                base = Some(simulator);
            } else if registry::is_path(name) {
                let hint = "a file beside this one, or under ./envs, is extended by its name without .ron";
                return Err(Error::usage(format!("`extends` takes a short name, not the path `{name}`")).at(place()).hint(hint));
            } else {
                let folder = found.folder.as_deref().unwrap_or(Path::new("envs"));
                next = Some(registry.find(name, Some(folder)).map_err(|error| error.at(place()))?);
            }
        }
        let met = |next: &Found| {
            next.source.name == found.source.name || chain.iter().any(|(earlier, _)| earlier.source.name == next.source.name)
        };
        if next.as_ref().is_some_and(met) {
            let names = chain.iter().map(|(earlier, _)| earlier).chain([&found]).chain(next.as_ref());
            let circle = names.map(|found| found.name.as_str()).collect::<Vec<_>>().join(" -> ");
            return Err(Error::usage(format!("`extends` runs in a circle: {circle}"))
                .at(found.source.place_of(&["extends"]))
                .hint("one of them has to name a `simulator` instead"));
        }
        chain.push((found, file));
    }
    let (innermost, file) = chain.last().expect("the chain starts with a file");
    if let Some((found, _)) = chain.iter().rev().skip(1).find(|(_, file)| file.mujoco.is_some()) {
        let place = found.source.place_of(&["mujoco"]);
        return Err(Error::usage("an environment that `extends` another has its robot").at(place).hint("keep one of the two"));
    }
    let own = file.mujoco.clone().map(|description| description.own(innermost.folder.as_deref())).transpose();
    let own = own.map_err(|error| error.at(innermost.source.place_of(&["mujoco"])))?;
    if own.is_some() && (base.is_some() || file.simulator.is_some()) {
        let place = innermost.source.place_of(&["mujoco"]);
        return Err(Error::usage("a robot of one's own has its own simulator").at(place).hint("leave out `simulator` or `extends`"));
    }
    let named = file.simulator.as_deref().or_else(|| file.gymnasium.as_ref().map(|_| gymnasium::NAME));
    let simulator = match (own.as_ref().map(|own| &own.simulator).or(base), named) {
        (Some(simulator), _) => simulator,
        (None, Some(name)) => registry.simulator(name).map_err(|error| error.at(innermost.source.place_of(&["simulator", name])))?,
        (None, None) => {
            return Err(Error::usage("the field `simulator` is missing")
                .at(&innermost.source.name)
                .hint("name a `simulator`, or an environment it `extends`"));
        }
    };
    let mut spec = match extended.or_else(|| file.gymnasium.clone()) {
        None => Spec::of_simulator(simulator),
        Some(task) if simulator.name == gymnasium::NAME => {
            let place = || innermost.source.place_of(&["gymnasium"]);
            Spec::of_gymnasium(simulator, registry.with_names(task).map_err(|error| error.at(place()))?)
        }
        Some(_) => {
            let message = format!("the simulator `{}` has no section `gymnasium`", simulator.name);
            return Err(Error::usage(message).at(innermost.source.place_of(&["gymnasium"])).hint("leave `simulator` out, or the section"));
        }
    };
    spec.own.clone_from(&own);
    (spec.name, spec.places.file) = (chain[0].0.name.clone(), chain[0].0.source.name.clone());
    let base = spec
        .gymnasium
        .as_ref()
        .filter(|_| base.is_some())
        .map(|task| format!("{}{}", gymnasium::PREFIX, task.id))
        .or_else(|| base.map(|simulator| simulator.name.clone()));
    spec.extends = chain.iter().skip(1).map(|(found, _)| found.name.clone()).chain(base).collect();
    for (found, file) in chain.iter().rev() {
        apply(&mut spec, simulator, file, &found.source)?;
    }
    Ok(spec)
}

fn apply(spec: &mut Spec, simulator: &Simulator, file: &File, source: &Source) -> Result<()> {
    match &spec.gymnasium {
        Some(task) => {
            for (name, quantity) in &file.context.0 {
                task.check_context(name, quantity).map_err(|error| error.at(source.place_of(&["context", name])))?;
                spec.context.0.insert(name.clone(), quantity.clone());
            }
        }
        None => replace(&mut spec.context, &file.context, &simulator.context, &simulator.name, source, "context")?,
    }
    replace(&mut spec.objective, &file.objective, &simulator.objective, &simulator.name, source, "objective")?;
    // Looked for one after the other, so that of two wrappers of one kind the right one is found.
    let mut words = vec!["wrappers"];
    for wrapper in &file.wrappers {
        words.push(wrapper.name());
        let place = source.place_of(&words);
        wrapper.check().map_err(|error| error.at(&place))?;
        if spec.wrappers.len() == MOST_WRAPPERS {
            return Err(Error::usage(format!("there are more than {MOST_WRAPPERS} wrappers")).at(place));
        }
        spec.wrappers.push(wrapper.clone());
        spec.places.wrappers.push(place);
    }
    if let Some(steps) = file.max_episode_steps {
        if steps == 0 {
            let place = source.place_of(&["max_episode_steps"]);
            return Err(Error::usage("`max_episode_steps` cannot be 0").at(place).hint("leave it out for the usual limit"));
        }
        spec.max_episode_steps = Some(steps);
    }
    if let Some(about) = &file.about {
        spec.about.clone_from(about);
    }
    Ok(())
}

fn replace(into: &mut Quantities, from: &Quantities, known: &[Parameter], simulator: &str, source: &Source, section: &str) -> Result<()> {
    for (name, quantity) in &from.0 {
        let place = || source.place_of(&[section, name]);
        let parameter = known.iter().find(|parameter| parameter.name == name).ok_or_else(|| {
            Error::usage(format!("the {section} of simulator `{simulator}` has no parameter `{name}`"))
                .hint(did_you_mean(name, known.iter().map(|parameter| parameter.name)))
                .at(place())
        })?;
        quantity.check(parameter).map_err(|error| error.at(place()))?;
        into.0.insert(name.clone(), quantity.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_episode_of_a_trial_is_as_long_as_all_of_its_episodes() {
        let registry = Registry::standard();
        let longest = |name: &str| registry.resolve(name).unwrap().longest_episode();
        assert_eq!([longest("cartpole"), longest("bandit_5_tasks"), longest("bandit_5_trial")], [Some(500), Some(10), Some(10)]);
    }
}
