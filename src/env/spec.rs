//! An environment as RON: simulator, context, objective, wrappers, and `extends` for "the other one, but ...".
//!
//! A file says only what it changes: parameters replace those of the environment it extends, name by name; wrappers are put around
//! the ones it extends; the step limit and the description replace.

use super::parameter::{Parameter, Quantities, Quantity};
use super::registry::{Found, Registry, Simulator};
use super::wrap::Wrapper;
use crate::error::{Error, Result, did_you_mean};
use crate::file::digest;
use crate::file::ron::{self, Source};
use serde::{Deserialize, Serialize};

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
    /// Every parameter of the dynamics.
    pub context: Quantities,
    /// Every parameter of reward, termination and start law.
    pub objective: Quantities,
    /// From the inside out.
    pub wrappers: Vec<Wrapper>,
    /// Where episodes are cut.
    pub max_episode_steps: Option<usize>,
    /// What it extends, nearest first.
    pub extends: Vec<String>,
}

impl Spec {
    /// A simulator with all its defaults.
    #[must_use]
    pub fn of_simulator(simulator: &Simulator) -> Self {
        let defaults = |parameters: &[Parameter]| {
            Quantities(parameters.iter().map(|p| (p.name.to_owned(), Quantity::Number(p.default))).collect())
        };
        Self {
            name: simulator.name.clone(),
            about: simulator.about.clone(),
            simulator: simulator.name.clone(),
            context: defaults(&simulator.context),
            objective: defaults(&simulator.objective),
            wrappers: Vec::new(),
            max_episode_steps: simulator.max_episode_steps,
            extends: Vec::new(),
        }
    }

    /// The whole environment as a RON text that extends nothing: what a card keeps.
    #[must_use]
    pub fn to_ron(&self) -> String {
        ron::to_text(&File {
            extends: None,
            about: Some(self.about.clone()),
            simulator: Some(self.simulator.clone()),
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

    /// Identity of the decision process: simulator, parameters, wrappers and limit, but no name and no description.
    #[must_use]
    pub fn digest(&self) -> String {
        let nameless = Self { name: String::new(), about: String::new(), extends: Vec::new(), ..self.clone() };
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
        for (here, there) in [(&self.context, &other.context), (&self.objective, &other.objective)] {
            let names: std::collections::BTreeSet<&String> = here.0.keys().chain(there.0.keys()).collect();
            let text = |quantities: &Quantities, name: &str| quantities.0.get(name).map_or_else(|| "-".to_owned(), Quantity::to_string);
            for name in names {
                row(name, text(here, name), text(there, name));
            }
        }
        let wrappers = |spec: &Self| spec.wrappers.iter().map(Wrapper::to_string).collect::<Vec<_>>().join(", ");
        row("wrappers", wrappers(self), wrappers(other));
        let limit = |spec: &Self| spec.max_episode_steps.map_or_else(|| "none".to_owned(), |steps| steps.to_string());
        row("max_episode_steps", limit(self), limit(other));
        rows
    }
}

/// Follows `extends` to its end, then applies the files from the innermost outwards.
pub(super) fn resolve(registry: &Registry, found: Found) -> Result<Spec> {
    let name = found.name.clone();
    let mut chain: Vec<(Found, File)> = Vec::new();
    let mut next = Some(found);
    while let Some(found) = next.take() {
        if chain.iter().any(|(earlier, _)| earlier.source.name == found.source.name) {
            let names: Vec<&str> = chain.iter().map(|(earlier, _)| earlier.name.as_str()).collect();
            return Err(Error::usage(format!("`extends` runs in a circle: {} -> {}", names.join(" -> "), found.name))
                .at(found.source.place_of(&["extends"])));
        }
        let file: File = found.source.parse()?;
        if let Some(base) = &file.extends {
            let place = || found.source.place_of(&["extends"]);
            if base.contains(['/', '\\']) || base.ends_with(".ron") {
                return Err(Error::usage(format!("`extends` takes a short name, not the path `{base}`")).at(place()));
            }
            next = Some(registry.find(base, found.folder.as_deref().or(Some(std::path::Path::new("envs")))).map_err(|e| e.at(place()))?);
        }
        chain.push((found, file));
    }
    let (innermost, file) = chain.last().expect("the chain starts with a file");
    let simulator_name = file.simulator.as_deref().ok_or_else(|| {
        Error::usage("the field `simulator` is missing").at(innermost.source.place_of(&[])).hint("name a `simulator`, or an environment it `extends`")
    })?;
    let simulator = registry.simulator(simulator_name).map_err(|error| error.at(innermost.source.place_of(&["simulator"])))?;
    let mut spec = Spec { name, ..Spec::of_simulator(simulator) };
    spec.extends = chain.iter().skip(1).map(|(found, _)| found.name.clone()).collect();
    for (index, (found, file)) in chain.iter().enumerate().rev() {
        if file.simulator.is_some() && index + 1 < chain.len() {
            return Err(Error::usage("an environment that `extends` another has its simulator").at(found.source.place_of(&["simulator"])));
        }
        apply(&mut spec, simulator, file, &found.source)?;
    }
    Ok(spec)
}

fn apply(spec: &mut Spec, simulator: &Simulator, file: &File, source: &Source) -> Result<()> {
    replace(&mut spec.context, &file.context, &simulator.context, &simulator.name, source, "context")?;
    replace(&mut spec.objective, &file.objective, &simulator.objective, &simulator.name, source, "objective")?;
    for wrapper in &file.wrappers {
        wrapper.check().map_err(|error| error.at(source.place_of(&["wrappers", wrapper.name()])))?;
    }
    spec.wrappers.extend(file.wrappers.iter().cloned());
    if let Some(steps) = file.max_episode_steps {
        if steps == 0 {
            return Err(Error::usage("`max_episode_steps` must be at least 1").at(source.place_of(&["max_episode_steps"])));
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
