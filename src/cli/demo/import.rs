//! `heirloom demo import minari | npz`.

use super::made;
use super::record::default_out;
use crate::cli::signals;
use crate::cli::terminal::Ending;
use crate::demo::import::Target;
use crate::demo::making::Made;
use crate::demo::{minari, npz};
use crate::env::Registry;
use crate::error::Result;
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Bring in demonstrations that other programs recorded.
///
/// They must fit one of our environments, whose channels and bounds they get: shapes, kinds of numbers, actions inside the space, the order of
/// time. What does not is found now, and nothing is written then.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom demo import minari ~/.minari/datasets/cartpole/expert-v0 --env cartpole\n  heirloom demo import npz halfway.npz --env pendulum --out demos/halfway"
)]
pub(in crate::cli) struct Import {
    #[command(subcommand)]
    format: Format,
}

#[derive(Subcommand)]
enum Format {
    Minari(Minari),
    Npz(Npz),
}

/// A Minari data set of version 0.5: its folder, with `data/main_data.hdf5` and `data/metadata.json`.
#[derive(Args)]
struct Minari {
    /// Folder of the data set, or its data folder
    path: PathBuf,
    #[command(flatten)]
    into: Into,
}

/// An archive of NumPy arrays, [N, ...], episodes behind each other as in D4RL.
///
/// Arrays are found by their usual names: observations or obs; actions or acts; rewards or rews; terminals, terminated or terminations;
/// timeouts, truncated, truncations or truncateds; dones; `episode_starts`; `next_observations` or `next_obs`; `infos/NAME`. Without
/// `next_observations` nobody knows what the last step of an episode led to: that step is dropped, and what was seen before it is what the
/// episode ends with.
#[derive(Args)]
struct Npz {
    /// The archive
    file: PathBuf,
    #[command(flatten)]
    into: Into,
}

/// Where data goes.
#[derive(Args)]
struct Into {
    /// Short name or path of the environment that it fits
    #[arg(long, value_name = "ENV")]
    env: String,
    /// Folder of the demonstrations [default: demos/NAME-in-ENV]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        match self.format {
            Format::Minari(Minari { path, into }) => into.run(registry, minari_name(&path), |target| minari::import(&path, target)),
            Format::Npz(Npz { file, into }) => into.run(registry, file.file_stem(), |target| npz::import(&file, target)),
        }
    }
}

impl Into {
    fn run(&self, registry: &Registry, name: Option<&std::ffi::OsStr>, import: impl FnOnce(Target<'_>) -> Result<Made>) -> Result<Ending> {
        let spec = registry.resolve(&self.env)?;
        let spaces = registry.build(&spec)?.spaces().clone();
        let name = name.map_or_else(|| "imported".into(), |name| name.to_string_lossy().into_owned());
        let out = self.out.clone().unwrap_or_else(|| default_out(&name, &spec.name));
        let stop = signals::stop_on_signals()?;
        let made = import(Target { registry, spec: &spec, spaces: &spaces, out: &out, stop: &stop })?;
        made::show(&made, None, self.json);
        Ok(Ending::Done)
    }
}

/// The folder's name, and not that of the `data` in it.
fn minari_name(path: &Path) -> Option<&std::ffi::OsStr> {
    let name = path.file_name()?;
    if name == "data" { path.parent().and_then(Path::file_name).or(Some(name)) } else { Some(name) }
}
