//! `heirloom envs`.

use super::bench::stepping::rate;
use super::terminal::{self, Ending, number};
use crate::env::check::{self, Finding};
use crate::env::gymnasium::{Target, Task};
use crate::env::parameter::Quantities;
use crate::env::{ActionSpace, Channel, Parameter, Quantity, Registry, Spec};
use crate::error::{Error, Result};
use clap::{Args, Subcommand};
use std::collections::BTreeMap;
use std::time::Duration;

/// List environments; show one whole; check one against the contract.
///
/// An environment is a RON file: a simulator, its parameters (numbers or distributions), an objective and wrappers; `extends` says "the
/// other one, but ...". Short names are looked up under ./envs and among those that come with heirloom; a path is taken too.
#[derive(Args)]
pub(super) struct Envs {
    #[command(subcommand)]
    what: Option<What>,
    /// List the families too, such as the off-dynamics targets
    #[arg(long)]
    all: bool,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Print spaces, parameters, wrappers, and what it extends.
    Show {
        /// Short name or path
        environment: String,
    },
    /// Run the contract tests.
    Check {
        /// Short names or paths; all environments when none is named
        environments: Vec<String>,
    },
}

impl Envs {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.what {
            None => Ok(list(registry, self.all, self.json)),
            Some(What::Show { environment }) => show(registry, &environment, self.json),
            Some(What::Check { environments }) => check_all(registry, environments, self.json),
        }
    }
}

fn list(registry: &Registry, all: bool, json: bool) -> Ending {
    let resolve = |name: &String| registry.resolve(name).inspect_err(terminal::warn).ok();
    let specs: Vec<Spec> = registry.names().iter().filter_map(resolve).collect();
    if json {
        let entries: Vec<serde_json::Value> = specs
            .iter()
            .map(|spec| serde_json::json!({"name": spec.name, "about": spec.about, "simulator": spec.simulator, "extends": spec.extends}))
            .collect();
        terminal::json(&entries.into());
        return Ending::Done;
    }
    let mut families: BTreeMap<&str, usize> = BTreeMap::new();
    let alone = |spec: &Spec| {
        let family = registry.family(&spec.name).filter(|_| !all);
        family.inspect(|family| *families.entry(family).or_default() += 1).is_none()
    };
    let rows = specs.into_iter().filter(alone).map(|spec| {
        let base = spec.extends.first().map_or_else(|| spec.simulator.clone(), |base| format!("{base}, but ..."));
        vec![spec.name, base, spec.about]
    });
    terminal::table(&["name", "is", "about"], &[], rows.collect());
    for (family, count) in families {
        terminal::say(&format!("and {count} of the family {family}: `heirloom envs --all`"));
    }
    Ending::Done
}

fn show(registry: &Registry, name: &str, json: bool) -> Result<Ending> {
    let spec = registry.resolve(name)?;
    let env = registry.build(&spec)?;
    let spaces = env.spaces();
    if json {
        let bound = |value: f64| value.is_finite().then_some(value);
        let channels = |channels: &[Channel]| -> Vec<serde_json::Value> {
            channels
                .iter()
                .map(|channel| serde_json::json!({"name": channel.name, "low": bound(channel.low), "high": bound(channel.high)}))
                .collect()
        };
        let action = match &spaces.action {
            ActionSpace::Discrete(names) => serde_json::json!({"discrete": names}),
            ActionSpace::Continuous(list) => serde_json::json!({"continuous": channels(list)}),
        };
        let quantities = |quantities: &Quantities| -> serde_json::Map<String, serde_json::Value> {
            quantities
                .0
                .iter()
                .map(|(name, quantity)| {
                    (
                        name.clone(),
                        match quantity {
                            Quantity::Number(number) => (*number).into(),
                            Quantity::Drawn(_) => quantity.to_string().into(),
                        },
                    )
                })
                .collect()
        };
        terminal::json(&serde_json::json!({
            "name": spec.name, "about": spec.about, "simulator": spec.simulator, "extends": spec.extends,
            "observation": channels(&spaces.observation), "action": action,
            "context": quantities(&spec.context), "objective": quantities(&spec.objective),
            "wrappers": spec.wrappers.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "max_episode_steps": spec.max_episode_steps, "longest_episode": spec.longest_episode(), "digest": spec.digest(),
        }));
        return Ok(Ending::Done);
    }
    terminal::heading(&spec.name);
    terminal::say(&spec.about);
    let chain = spec.extends.iter().map(|base| format!(" extends {base}")).collect::<Vec<_>>().concat();
    terminal::say(&format!("simulator {}{}{chain}", spec.simulator, if chain.is_empty() { "" } else { ";" }));
    terminal::say(&match (spec.longest_episode(), spec.max_episode_steps) {
        (Some(longest), Some(limit)) if longest != limit => {
            format!("episodes end after {longest} steps: a trial of {} episodes, each of which ends after {limit}", longest / limit)
        }
        (Some(longest), _) => format!("episodes end after {longest} steps"),
        (None, _) if spec.gymnasium.is_some() => "episodes end where Gymnasium's own limit of steps is, if it has one".to_owned(),
        (None, _) => "episodes end after no number of steps".to_owned(),
    });
    show_channels("observation", &spaces.observation);
    match &spaces.action {
        ActionSpace::Discrete(names) => {
            terminal::say("");
            terminal::heading("actions");
            names.iter().enumerate().for_each(|(index, name)| terminal::say(&format!("{index}  {name}")));
        }
        ActionSpace::Continuous(channels) => show_channels("actions", channels),
    }
    let simulator = registry.simulator_of(&spec)?;
    show_parameters("context", &simulator.context, &spec.context);
    show_parameters("objective", &simulator.objective, &spec.objective);
    if let Some(task) = &spec.gymnasium {
        show_targets(task, &spec.context);
    }
    if !spec.wrappers.is_empty() {
        terminal::say("");
        terminal::heading("wrappers, from the inside out");
        spec.wrappers.iter().for_each(|wrapper| terminal::say(&wrapper.to_string()));
    }
    Ok(Ending::Done)
}

fn show_channels(title: &str, channels: &[Channel]) {
    terminal::say("");
    terminal::heading(title);
    let rows = channels.iter().map(|channel| vec![channel.name.clone(), bound(channel.low), bound(channel.high)]);
    terminal::table(&["channel", "low", "high"], &[1, 2], rows.collect());
}

fn bound(value: f64) -> String {
    if value.is_finite() { number(value) } else { "-".into() }
}

fn show_parameters(title: &str, known: &[Parameter], values: &Quantities) {
    if known.is_empty() {
        return;
    }
    terminal::say("");
    terminal::heading(title);
    let rows = known.iter().map(|parameter| {
        let value = values.0.get(parameter.name).map_or_else(String::new, Quantity::to_string);
        let changed = value != parameter.default.to_string();
        let default = if changed { parameter.default.to_string() } else { String::new() };
        vec![parameter.name.into(), value, parameter.unit.into(), default, parameter.about.into()]
    });
    terminal::table(&["parameter", "value", "unit", "usually", "about"], &[1, 3], rows.collect());
}

/// What a Gymnasium environment's parameters set in it.
fn show_targets(task: &Task, values: &Quantities) {
    if task.context.is_empty() {
        return;
    }
    terminal::say("");
    terminal::heading("context");
    let rows = task.context.iter().map(|(name, target)| {
        let value = values.0.get(name).map_or_else(|| "its own".to_owned(), Quantity::to_string);
        let sets = match target {
            Target::Argument(argument) => format!("the constructor's argument {argument}"),
            Target::Attribute(path) => format!("the attribute {path}"),
        };
        vec![name.clone(), value, sets]
    });
    terminal::table(&["parameter", "value", "sets"], &[1], rows.collect());
}

fn check_all(registry: &Registry, environments: Vec<String>, json: bool) -> Result<Ending> {
    let names = if environments.is_empty() { registry.names() } else { environments };
    let mut broken = 0;
    let mut entries = Vec::new();
    for name in names {
        let spec = registry.resolve(&name)?;
        // What goes wrong in Python says where already.
        let placed = |error: Error| if error.place() == Some(&spec.name) { error } else { error.at(&spec.name) };
        let findings = check::check(&|| registry.build(&spec)).map_err(placed)?;
        // Damaged snapshots were part of it: what they left to say is no news.
        let _ = registry.take_notes();
        let failed: Vec<&Finding> = findings.iter().filter(|finding| finding.broken.is_some()).collect();
        broken += failed.len();
        if json {
            let failures = failed.iter().map(|finding| serde_json::json!({"promise": finding.promise, "found": finding.broken}));
            entries.push(serde_json::json!({"name": spec.name, "promises": findings.len(), "broken": failures.collect::<Vec<_>>()}));
            continue;
        }
        // What comes from elsewhere is also worth knowing the speed of.
        let speed = if spec.gymnasium.is_some() {
            let rate = rate(registry, &spec, 1, 1, Duration::from_millis(500))?;
            format!("; {} steps/s, one at a time", terminal::count(rate))
        } else {
            String::new()
        };
        terminal::say(&format!("{}: {} of {} promises kept{speed}", spec.name, findings.len() - failed.len(), findings.len()));
        for finding in failed {
            terminal::say(&format!("  broken: {}: {}", finding.promise, finding.broken.as_deref().unwrap_or_default()));
        }
    }
    if json {
        terminal::json(&entries.into());
    }
    if broken > 0 {
        return Err(Error::environment(format!("{broken} promises are broken")).hint("src/env/mod.rs describes the contract"));
    }
    Ok(Ending::Done)
}
