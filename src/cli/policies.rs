//! `heirloom policies`.

use super::arguments::pool;
use super::import::Import;
use super::terminal::{self, Ending, count, number};
use crate::choose::job::{Source, known_policies};
use crate::env::{ActionSpace, Registry, Spec};
use crate::error::{Error, Result};
use crate::policy::{Ancestor, Card, Measured, Policy, store};
use crate::report::number::counted;
use crate::rollout::collect::Choice;
use crate::run::Evaluator;
use crate::stop::Stop;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// List policies; show one with its lineage; keep a run's policy under a name; take in what another program trained.
#[derive(Args)]
pub(super) struct Policies {
    #[command(subcommand)]
    what: Option<What>,
    /// Print as JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum What {
    /// Print a policy's card and lineage.
    Show {
        /// Short name, policy folder or run folder
        policy: String,
    },
    /// Copy a run's last policy into a folder of its own, measured over 100 episodes.
    Save {
        /// Run folder
        run: String,
        /// The new folder, for example `policies/my_cartpole`
        folder: PathBuf,
    },
    /// Put a policy, card and all, into one file to be sent or kept.
    Pack {
        /// Short name, policy folder or run folder
        policy: String,
        /// The new file, for example `my_cartpole.heirloom`
        file: PathBuf,
    },
    /// Take a policy out of such a file, after checking all of it.
    Unpack {
        /// The file
        file: PathBuf,
        /// The new folder, for example `policies/my_cartpole`
        folder: PathBuf,
    },
    Import(Import),
}

impl Policies {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.what {
            None => Ok(list(self.json)),
            Some(What::Show { policy }) => show(&policy, self.json),
            Some(What::Save { run, folder }) => save(registry, &run, &folder, self.json),
            Some(What::Pack { policy, file }) => pack(&policy, &file, self.json),
            Some(What::Import(import)) => import.run(registry, self.json),
            Some(What::Unpack { file, folder }) => unpack(&file, &folder, self.json),
        }
    }
}

fn list(json: bool) -> Ending {
    let mut cards = Vec::new();
    for (name, path) in known_policies() {
        match store::load_card(&path) {
            Ok(card) => cards.push((name, card)),
            Err(error) => terminal::warn(&error),
        }
    }
    if json {
        let entries: Vec<serde_json::Value> = cards.iter().map(|(name, card)| to_json(name, card)).collect();
        terminal::json(&entries.into());
        return Ending::Done;
    }
    if cards.is_empty() {
        terminal::note("there are no policies under ./policies; `heirloom pretrain` makes one");
        return Ending::Done;
    }
    let rows = cards.iter().map(|(name, card)| {
        let (mean, interval) = card.measured.as_ref().map_or_else(Default::default, |measured| {
            (number(measured.mean), format!("[{}, {}]", number(measured.interval[0]), number(measured.interval[1])))
        });
        vec![
            name.clone(),
            card.provenance.environment.clone(),
            card.provenance.method.clone(),
            card.provenance.steps.map_or_else(|| "unknown".to_owned(), count),
            mean,
            interval,
            card.digest[..12].to_owned(),
        ]
    });
    terminal::table(&["name", "environment", "method", "steps", "return", "95 % interval", "digest"], &[3, 4, 5], rows.collect());
    Ending::Done
}

pub(super) fn to_json(name: &str, card: &Card) -> serde_json::Value {
    serde_json::json!({
        "name": name, "digest": card.digest, "environment": card.provenance.environment, "method": card.provenance.method,
        "steps": card.provenance.steps, "seed": card.provenance.seed, "command": card.provenance.command,
        "numerics": card.provenance.numerics,
        "lost_episodes": card.provenance.lost_episodes.unwrap_or(0),
        "measured": card.measured.as_ref().map(|measured| serde_json::json!({"environment": measured.environment, "mean": measured.mean, "interval": measured.interval, "episodes": measured.episodes})),
        "parents": card.parents.iter().map(|parent| serde_json::json!({"name": parent.name, "digest": parent.digest})).collect::<Vec<_>>(),
    })
}

fn show(name: &str, json: bool) -> Result<Ending> {
    let source = Source::load(name)?;
    let card = &source.card;
    if json {
        terminal::json(&to_json(&source.name(), card));
        return Ok(Ending::Done);
    }
    terminal::heading(&source.name());
    let provenance = &card.provenance;
    let shape = &card.architecture;
    let mut rows = vec![
        vec!["digest".to_owned(), card.digest.clone()],
        vec!["made by".into(), provenance.command.clone()],
        vec!["environment".into(), provenance.environment.clone()],
        vec!["method".into(), format!("{}, {}", provenance.method, budget(provenance.steps, provenance.seed))],
        vec![
            "networks".into(),
            format!(
                "{} inputs, {}actor {:?}, critic {:?}, {:?}, {:?}",
                shape.inputs,
                shape.gru().map_or_else(String::new, |gru| format!("a memory of {}, ", gru.units)),
                shape.actor,
                shape.critic,
                shape.activation,
                shape.head
            ),
        ],
        vec!["channels".into(), card.spaces.observation.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ")],
        vec![
            match card.spaces.action {
                ActionSpace::Discrete(_) => "actions".into(),
                ActionSpace::Continuous(_) => "action channels".into(),
            },
            card.spaces.action.names().join(", "),
        ],
        vec!["numerics".into(), provenance.numerics.clone()],
        vec!["written by".into(), format!("heirloom {}", card.heirloom)],
    ];
    if let Some(measured) = &card.measured {
        let text = format!(
            "{} [{}, {}] over {} episodes in {}",
            number(measured.mean),
            number(measured.interval[0]),
            number(measured.interval[1]),
            measured.episodes,
            measured.environment
        );
        rows.insert(1, vec!["return".into(), text]);
    }
    if let Some(lost) = provenance.lost_episodes {
        rows.insert(1, vec!["lost".into(), format!("{} while it was made: not bit-identical", counted(lost, "episode"))]);
    }
    if let Some(demonstrated) = &provenance.demonstrations {
        let of = if demonstrated.episodes == 1 { "1 episode" } else { &format!("{} episodes", count(demonstrated.episodes)) };
        let every = if demonstrated.every == 1 { String::new() } else { format!(", one of {} steps", demonstrated.every) };
        let digest = demonstrated.digest.get(..12).unwrap_or(&demonstrated.digest);
        rows.push(vec!["demonstrations".into(), format!("{of}{every} of {} ({digest})", demonstrated.path.display())]);
    }
    terminal::table(&["", ""], &[], rows);
    if !card.parents.is_empty() {
        terminal::say("");
        terminal::heading("lineage");
        terminal::say(&source.name());
        card.parents.iter().for_each(|parent| show_ancestor(parent, 1));
    }
    Ok(Ending::Done)
}

fn show_ancestor(ancestor: &Ancestor, depth: usize) {
    let Ancestor { name, digest, method, environment, steps, seed, parents } = ancestor;
    terminal::say(&format!(
        "{}└ {name}: {method} in {environment}, {}, digest {}",
        "  ".repeat(depth),
        budget(*steps, *seed),
        digest.get(..12).unwrap_or(digest)
    ));
    for parent in parents {
        show_ancestor(parent, depth + 1);
    }
}

/// What a policy cost to make: of one that was imported nobody knows it.
fn budget(steps: Option<u64>, seed: u64) -> String {
    steps.map_or_else(|| "budget unknown".to_owned(), |steps| format!("{} steps, seed {seed}", count(steps)))
}

pub(super) fn check_new(path: &Path) -> Result<()> {
    if path.exists() {
        return Err(Error::usage("exists already").at(path.display()).hint("name another place, or remove this one first"));
    }
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => crate::file::disk::create_folder(parent),
        None => Ok(()),
    }
}

fn pack(policy: &str, file: &Path, json: bool) -> Result<Ending> {
    let source = Source::load(policy)?;
    check_new(file)?;
    let bytes = store::pack(&source.policy, &source.card)?;
    crate::file::disk::write(file, &bytes)?;
    if json {
        terminal::json(&to_json(&file.display().to_string(), &source.card));
    } else {
        terminal::say(&format!("{}: {} bytes, digest {}", file.display(), count(bytes.len() as u64), source.card.digest));
    }
    Ok(Ending::Done)
}

fn unpack(file: &Path, folder: &Path, json: bool) -> Result<Ending> {
    /// A file beyond this is no policy.
    const MOST: u64 = 8 << 30;
    let (policy, card) = store::unpack(&crate::file::disk::read(file, MOST)?, &file.display().to_string())?;
    check_new(folder)?;
    store::save(folder, &policy, &card)?;
    if json {
        terminal::json(&to_json(&folder.display().to_string(), &card));
    } else {
        terminal::say(&format!(
            "{}: {} in {}, {}, digest {}",
            folder.display(),
            card.provenance.method,
            card.provenance.environment,
            budget(card.provenance.steps, card.provenance.seed),
            card.digest
        ));
    }
    Ok(Ending::Done)
}

fn save(registry: &Registry, run: &str, folder: &Path, json: bool) -> Result<Ending> {
    check_new(folder)?;
    let source = Source::load(run)?;
    let provenance = &source.card.provenance;
    let spec = Spec::from_ron(registry, &provenance.environment, &provenance.environment_ron)?;
    let measured = measure(registry, spec, &source.policy, provenance.steps)?;
    let card = Card { measured: Some(measured.clone()), ..source.card };
    store::save(folder, &source.policy, &card)?;
    if json {
        terminal::json(&to_json(&folder.display().to_string(), &card));
        return Ok(Ending::Done);
    }
    terminal::say(&format!("{}: return {}, digest {}", folder.display(), number(measured.mean), source.policy.digest()));
    Ok(Ending::Done)
}

/// What a policy does in an environment, over 100 episodes.
pub(super) fn measure(registry: &Registry, spec: Spec, policy: &Policy, steps: Option<u64>) -> Result<Measured> {
    let (registry, environment) = (registry.clone(), spec.name.clone());
    let evaluator = Evaluator {
        adapting: None,
        make: Arc::new(move || registry.build(&spec)),
        environment,
        episodes: 100,
        seed: 0,
        choice: Choice::Mode,
        pool: pool(None)?,
    };
    let evaluation = evaluator.measure(policy, steps.unwrap_or_default(), &Stop::new())?;
    Ok(evaluator.measured(&evaluation))
}
