//! `heirloom watch POLICY ENV`.

use super::signals;
use super::terminal::{self, Ending, bytes, number};
use crate::choose::Source;
use crate::env::{Registry, Spec};
use crate::error::{Error, Kind, Result};
use crate::file::disk;
use crate::report::watch::{self, Credits};
use crate::rollout::collect::Choice;
use crate::rollout::{MakeEnv, film};
use clap::Args;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Watch a policy in an environment: writes a page that plays some episodes.
///
/// The episodes are those that `evaluate --seed` measures. The page is one file that any browser opens.
#[derive(Args)]
#[command(after_help = "Example:\n  heirloom watch cartpole cartpole_moon --episodes 5")]
pub(super) struct Watch {
    /// A policy: short name, policy folder or run folder
    policy: String,
    /// Short name or path of an environment
    environment: String,
    /// Whole episodes
    #[arg(long, value_name = "N", default_value_t = 3)]
    episodes: usize,
    /// Draw actions from the policy's distribution
    #[arg(long)]
    stochastic: bool,
    /// Seed of the episodes
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The page [default: runs/POLICY-in-ENV.html]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Watch {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        if !(1..=100).contains(&self.episodes) {
            return Err(Error::usage(format!("`--episodes` cannot be {}", self.episodes)).hint("it lies between 1 and 100"));
        }
        let spec = registry.resolve(&self.environment)?;
        let source = Source::load(&self.policy)?;
        let out = self
            .out
            .clone()
            .unwrap_or_else(|| PathBuf::from("runs").join(format!("{}-in-{}.html", source.name(), spec.name.replace([':', '/'], "-"))));
        check_page(&out)?;
        let (registry, built) = (registry.clone(), spec.clone());
        let make: MakeEnv = Arc::new(move || registry.build(&built));
        let choice = if self.stochastic { Choice::Sample } else { Choice::Mode };
        let stop = signals::stop_on_signals()?;
        let film = match film(&source.policy, &make, self.episodes, choice, self.seed, &stop) {
            Err(error) if error.kind() == Kind::Stopped => return Ok(Ending::Signal(stop.requested().unwrap_or(2))),
            filmed => filmed.map_err(|error| error.at(&spec.name))?,
        };
        let page = watch::page(&film, &self.credits(&source, &spec));
        let written = write_page(&out, &page)?;
        let returns: Vec<f64> = film.episodes.iter().map(|episode| episode.rewards.iter().sum()).collect();
        if self.json {
            terminal::json(
                &serde_json::json!({"page": out, "returns": returns, "policy": source.card.digest, "environment": spec.name, "seed": self.seed}),
            );
        } else {
            let returns: Vec<String> = returns.into_iter().map(number).collect();
            terminal::say(&format!("{} in {}: returns {}", source.name(), spec.name, returns.join(", ")));
            terminal::say(&written);
        }
        Ok(Ending::Done)
    }

    fn credits(&self, source: &Source, spec: &Spec) -> Credits {
        let stochastic = if self.stochastic { " --stochastic" } else { "" };
        Credits {
            kicker: "Watch".to_owned(),
            title: format!("{} in {}", source.name(), spec.name),
            about: spec.about.clone(),
            notes: Vec::new(),
            command: format!(
                "heirloom watch {} {} --episodes {} --seed {}{stochastic}",
                self.policy, self.environment, self.episodes, self.seed
            ),
            seconds_per_step: spec.time_step(),
        }
    }
}

/// Writes a page, and the folder that it lies in; says so in words.
pub(super) fn write_page(path: &Path, page: &str) -> Result<String> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        disk::create_folder(folder)?;
    }
    disk::write(path, page.as_bytes())?;
    Ok(format!("page: {} ({})", path.display(), bytes(page.len() as u64)))
}

/// A page may be written anew, nothing else may be written over.
pub(super) fn check_page(path: &Path) -> Result<()> {
    let is_page = path.extension().is_some_and(|extension| extension == "html");
    if is_page && !path.is_dir() {
        Ok(())
    } else {
        Err(Error::usage("is not the name of a page").at(path.display()).hint("end it in .html"))
    }
}
