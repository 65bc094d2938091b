//! `heirloom judge`.

use super::arguments::pool;
use super::studying;
use super::terminal::{self, Ending, count};
use crate::choose::Method;
use crate::env::Registry;
use crate::error::{Error, Result};
use crate::file::disk;
use crate::file::ron::Source as Text;
use crate::study::file::SourceFile;
use crate::study::proposal::{Proposal, fitting, propose, text};
use crate::study::{Changes, Definition, File};
use clap::Args;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is judged: shared with `study new`.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(super) struct From {
    /// Judge one policy: short name, policy folder or run folder
    #[arg(long, value_name = "POLICY")]
    policy: Option<String>,
    /// Judge an environment as a source: a policy for each seed is learned there
    #[arg(long, value_name = "ENV")]
    source: Option<String>,
}

impl From {
    pub(super) fn propose(&self, target: &str, registry: &Registry) -> Result<File> {
        let source = match (&self.policy, &self.source) {
            (Some(policy), _) => SourceFile::Policy(policy.clone()),
            (None, Some(name)) => SourceFile::Environment { name: name.clone(), steps: 0 },
            (None, None) => return Err(Error::usage("name a --policy or a --source")),
        };
        propose(source, target, registry)
    }
}

/// Did the transfer help, from which budget on, and can the answer be trusted? Bring a policy (or a source environment) and a target.
///
/// Picks budgets and seeds that fit the time, runs learning from scratch and every method that fits, all of them tuned alike where there is
/// time for it, and ends with a page whose slider shows the verdict for each target budget. The study that it planned lies beside the page as study.ron; the same command
/// continues it.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  heirloom judge --policy cartpole --target cartpole_reversed\n  heirloom judge --source gym_rs_cartpole --target cartpole --minutes 2\n  heirloom judge --policy runs/mine --target envs/my_robot.ron --minutes 60"
)]
pub(super) struct Judge {
    #[command(flatten)]
    from: From,
    /// Short name or path of the target environment
    #[arg(long, value_name = "ENV")]
    target: String,
    /// Time to plan for
    #[arg(long, value_name = "M", default_value_t = 5.0)]
    minutes: f64,
    /// Folder of study, cells and page [default: runs/judge-SOURCE_to_TARGET]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// The first seed; the others follow it
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Threads; the result is the same for any number [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Do not open the page in a browser at the end
    #[arg(long)]
    no_open: bool,
}

impl Judge {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        if !(self.minutes > 0.0 && self.minutes <= 1e6) {
            return Err(Error::usage("`--minutes` lies between 0 and a million"));
        }
        let file = self.from.propose(&self.target, registry)?;
        let name = &file.pairs[0].name;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from("runs").join(format!("judge-{name}")));
        let pool = pool(self.threads)?;
        let path = out.join("study.ron");
        if path.exists() {
            check_same(&path, &file)?;
            terminal::note(&format!("continuing {}: its budgets stay as they were planned", path.display()));
        } else {
            let proposal = fitting(&file, Duration::from_secs_f64(60.0 * self.minutes), pool.threads(), registry)?;
            self.say_plan(&file, &proposal);
            disk::create_folder(&out)?;
            disk::write(&path, proposal.text.as_bytes())?;
        }
        let changes = Changes { first_seed: self.seed, ..Changes::default() };
        let mut definition = Definition::read(&path, registry, &changes)?;
        name.clone_into(&mut definition.name);
        match studying::run(&definition, &out, registry, &pool, self.json)? {
            Err(ending) => Ok(ending),
            Ok(judged) => {
                if !self.no_open && !self.json {
                    open(&judged.page);
                }
                Ok(Ending::Done)
            }
        }
    }

    fn say_plan(&self, file: &File, proposal: &Proposal) {
        let left_out = |method: &&Method| **method != Method::Scratch && !file.methods.iter().any(|name| name == method.name());
        for method in Method::TRANSFER.iter().filter(left_out) {
            terminal::note(&format!("left out: {}, by which this source cannot be moved to this target", method.name()));
        }
        if !file.control {
            terminal::note(
                "left out: the ledger of all steps, for the source or an ancestor of it was imported and nobody knows its budget",
            );
        }
        let minutes = proposal.estimate.time.as_secs_f64() / 60.0;
        terminal::note(&format!(
            "planned: {} runs, {} environment steps, about {minutes:.1} minutes at most",
            proposal.estimate.cells,
            count(proposal.estimate.steps)
        ));
        if !proposal.fits {
            terminal::note(&format!("{} minutes are too few for any study that could tell something; this is the smallest", self.minutes));
        }
    }
}

/// A folder is continued by the question that it was made for.
fn check_same(path: &Path, asked: &File) -> Result<()> {
    let there: File = Text::read(path)?.parse()?;
    let question = |file: &File| {
        let pairs = file.pairs.iter().map(|pair| match &pair.source {
            SourceFile::Policy(policy) => ("policy", policy.clone(), pair.target.clone()),
            SourceFile::Environment { name, .. } => ("environment", name.clone(), pair.target.clone()),
        });
        pairs.collect::<Vec<_>>()
    };
    if question(&there) == question(asked) {
        return Ok(());
    }
    Err(Error::usage("holds the study of another question").at(path.display()).hint("give this one another folder with --out"))
}

/// Opens a page where there is a screen; where that fails its path has been printed.
fn open(page: &Path) {
    let screen = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if screen && std::io::stdout().is_terminal() {
        let quiet = std::process::Stdio::null;
        let _ = std::process::Command::new("xdg-open").arg(page).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    }
}

/// Write a study to change and to run.
#[derive(Args)]
pub(super) struct Study {
    #[command(subcommand)]
    command: StudyCommand,
}

#[derive(clap::Subcommand)]
enum StudyCommand {
    /// Print a study of one pair with every choice explained.
    #[command(
        after_help = "Examples:\n  heirloom study new --source cartpole --target cartpole_moon > mine.ron\n  heirloom compare mine.ron --dry-run"
    )]
    New {
        #[command(flatten)]
        from: From,
        /// Short name or path of the target environment
        #[arg(long, value_name = "ENV")]
        target: String,
    },
}

impl Study {
    pub(super) fn run(self, registry: &Registry) -> Result<Ending> {
        let StudyCommand::New { from, target } = self.command;
        let text = text(&from.propose(&target, registry)?);
        // What is printed can be run: a source that does not fit is found out now.
        let source = Text { name: "study".to_owned(), text: text.clone() };
        Definition::of("study".to_owned(), source, registry, &Changes::default())?;
        terminal::say(text.trim_end());
        Ok(Ending::Done)
    }
}
