//! `heirloom demo export minari DEMOS --out DIR`.

use crate::choose::words::quoted;
use crate::cli::signals;
use crate::cli::terminal::{self, Ending, bytes, count};
use crate::demo::Demonstrations;
use crate::demo::minari;
use crate::env::Registry;
use crate::error::Result;
use crate::file::disk;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Take demonstrations out, for other programs.
///
/// The set itself is Apache Parquet, which pandas, polars and DuckDB read as it is.
#[derive(Args)]
#[command(
    after_help = "Example:\n  heirloom demo export minari demos/cartpole-in-cartpole --out ~/.minari/datasets --name cartpole/ours-v0"
)]
pub(in crate::cli) struct Export {
    #[command(subcommand)]
    format: Format,
}

#[derive(Subcommand)]
enum Format {
    Minari(Minari),
}

/// A Minari data set of version 0.5, which `minari.load_dataset` finds under its name.
///
/// Numbers and spaces are float64, so that nothing is lost: an import gives the same bits back.
#[derive(Args)]
struct Minari {
    /// A folder of demonstrations
    demonstrations: PathBuf,
    /// Folder of Minari data sets (`MINARI_DATASETS_PATH`); the set goes to DIR/NAME
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Name of the data set [default: ENV/DEMOS-v0]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

/// Less memory than this everybody has.
const WORTH_SAYING: u64 = 500_000_000;

impl Export {
    pub(in crate::cli) fn run(self, registry: &Registry) -> Result<Ending> {
        let Format::Minari(minari) = self.format;
        minari.run(registry)
    }
}

impl Minari {
    fn run(&self, registry: &Registry) -> Result<Ending> {
        let set = Demonstrations::open(&self.demonstrations)?;
        let name = self.name.clone().unwrap_or_else(|| format!("{}/{}-v0", word(&set.header().environment), word(&set.name())));
        let memory = minari::memory(&set);
        if memory > WORTH_SAYING {
            terminal::note(&format!("the export takes about {} of memory", bytes(memory)));
        }
        let export = minari::export(registry, &set, &self.out, &name, &*signals::stop_on_signals()?)?;
        let size = disk::size(&export.path);
        if self.json {
            terminal::json(&serde_json::json!({
                "path": export.path, "name": export.name, "episodes": set.len(), "steps": set.steps(), "bytes": size,
                "gymnasium_id": export.gymnasium_id,
            }));
            return Ok(Ending::Done);
        }
        terminal::say(&format!("{} episodes, {} steps of {}", count(set.len()), count(set.steps()), set.header().environment));
        terminal::say(&format!("minari: {} ({})", export.path.display(), bytes(size)));
        let root = quoted(&self.out.display().to_string());
        let environment = export.gymnasium_id.map_or_else(
            || "\nno Gymnasium environment is this one: recover_environment makes none".to_owned(),
            |id| format!("\nrecover_environment makes {id}"),
        );
        terminal::note(&format!("MINARI_DATASETS_PATH={root} python -c 'import minari; minari.load_dataset(\"{name}\")'{environment}"));
        Ok(Ending::Done)
    }
}

/// A name as Minari takes it.
fn word(name: &str) -> String {
    let word: String = name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    if word.is_empty() { "demonstrations".into() } else { word }
}
