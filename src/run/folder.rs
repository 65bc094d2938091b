//! A run on disk.
//!
//! `run.ron` says what is run; `metrics.csv`, `evaluations.csv` and TensorBoard events what happened; `checkpoints/STEPS/` are whole
//! states (the newest three; of a replay buffer, what they share lies in `checkpoints/segments/`), `best/` the best policy so far, `source/` the policy that a transfer started from. One process writes at
//! a time (`lock`).

use super::checkpoint::{self, Position};
use super::event::{Event, Listener};
use super::logs::Logs;
use crate::env::LostEpisodes;
use crate::error::{Error, Kind, Result};
use crate::file::lock::Lock;
use crate::file::{disk, ron};
use crate::learn::State;
use crate::policy::{Ancestor, Card, Measured, Policy, Provenance, store};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const FORMAT: u32 = 1;
const DEFINITION: &str = "run.ron";
/// The policy that a transfer started from.
pub const SOURCE: &str = "source";
/// Checkpoints that are kept.
const KEPT: usize = 3;

/// `run.ron`: everything that decides a run, resolved. Texts of RON are verbatim; whoever knows the method parses them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "run", deny_unknown_fields)]
pub struct Definition {
    /// The version of this file.
    pub format: u32,
    /// Version of the program that wrote it.
    pub heirloom: String,
    /// How its policy comes about: command, method, configuration, environment, seed.
    pub provenance: Provenance,
    /// The policies that it starts from.
    pub parents: Vec<Ancestor>,
    /// Where the source policy lies, for a transfer.
    pub source: Option<PathBuf>,
    /// Environment steps between two evaluations.
    pub evaluate_every: u64,
    /// Episodes of each evaluation.
    pub evaluation_episodes: usize,
    /// Seed of the evaluations' episodes.
    pub evaluation_seed: u64,
    /// Iterations between two checkpoints.
    pub checkpoint_every: u64,
}

impl Definition {
    /// The version that this program writes.
    pub const FORMAT: u32 = FORMAT;
}

/// A run folder that this process writes in.
pub struct RunFolder {
    path: PathBuf,
    definition: Definition,
    logs: Logs,
    /// Episodes that were lost before this process, and in it.
    lost: (u64, LostEpisodes),
    _lock: Lock,
}

impl RunFolder {
    /// Makes a new run folder, with a copy of the policy that the run starts from: the original may learn on or go away.
    ///
    /// # Errors
    /// Exit 2 when there is a run already, 6 when the disk refuses.
    pub fn create(path: &Path, definition: Definition, source: Option<(&Policy, &Card)>) -> Result<Self> {
        check_free(path)?;
        disk::create_folder(&path.join("checkpoints"))?;
        let lock = Lock::take(path)?;
        // Somebody else may have been quicker.
        check_free(path)?;
        disk::sweep(path)?;
        if let Some(source) = source {
            store::save(&path.join(SOURCE), source.0, source.1)?;
        }
        disk::write(&path.join(DEFINITION), ron::to_text(&definition).as_bytes())?;
        let (logs, _) = Logs::open(path, &Position::default().logs)?;
        Ok(Self { path: path.to_owned(), definition, logs, lost: Default::default(), _lock: lock })
    }

    /// Opens a run to go on with it: its last sound checkpoint, and what was found damaged on the way there. Without any checkpoint
    /// the run starts again.
    ///
    /// # Errors
    /// Exit 2 when there is no run, 3 when checkpoints exist and none is sound, 7 when another process has it.
    pub fn open(path: &Path) -> Result<(Self, Option<(Position, State)>, Vec<Error>)> {
        let definition = Self::read_definition(path)?;
        let lock = Lock::take(path)?;
        disk::sweep(path)?;
        disk::create_folder(&path.join("checkpoints"))?;
        disk::sweep(&path.join("checkpoints"))?;
        let (found, mut damaged) = Self::last_sound(path)?;
        let read = found.as_ref().map(|(folder, _)| checkpoint::read(folder)).transpose()?;
        if let Some((sound, _)) = &found {
            // Those of newer checkpoints, which are damaged, will be written again: they may be what is damaged.
            let kept: Vec<PathBuf> =
                checkpoint::list(&path.join("checkpoints"))?.into_iter().skip_while(|folder| folder != sound).collect();
            let _ = checkpoint::keep_segments_of(&kept, &path.join("checkpoints"));
        }
        let (logs, short) = Logs::open(path, &read.as_ref().map(|(position, _)| position.logs.clone()).unwrap_or_default())?;
        damaged.extend(short);
        let before = read.as_ref().and_then(|(position, _)| position.lost_episodes).unwrap_or(0);
        Ok((Self { path: path.to_owned(), definition, logs, lost: (before, LostEpisodes::default()), _lock: lock }, read, damaged))
    }

    /// What a run folder says it runs.
    ///
    /// # Errors
    /// Exit 2 when there is no run, 3 when its definition is damaged.
    pub fn read_definition(path: &Path) -> Result<Definition> {
        let file = path.join(DEFINITION);
        if !file.is_file() {
            return Err(Error::usage(format!("there is no run: `{DEFINITION}` is missing")).at(path.display()));
        }
        let definition: Definition = ron::read_artefact(&file)?;
        if definition.format != FORMAT {
            return Err(Error::artefact(format!("is of format {}; this program reads {FORMAT}", definition.format)).at(file.display()));
        }
        Ok(definition)
    }

    /// The newest checkpoint that is what was written, and why newer ones are not.
    ///
    /// # Errors
    /// Exit 3 when there are some and none is sound.
    pub fn last_sound(path: &Path) -> Result<(Option<(PathBuf, Position)>, Vec<Error>)> {
        let mut damaged = Vec::new();
        for folder in checkpoint::list(&path.join("checkpoints"))? {
            match checkpoint::verify(&folder) {
                Ok(position) => return Ok((Some((folder, position)), damaged)),
                Err(error) => damaged.push(error),
            }
        }
        match damaged.pop() {
            Some(error) => Err(error.as_kind(Kind::Artefact).hint("no checkpoint of this run is sound; start it again with another --out")),
            None => Ok((None, damaged)),
        }
    }

    /// What the logs have lost since this checkpoint, for which nothing is changed.
    #[must_use]
    pub fn lost_logs(path: &Path, position: &Position) -> Vec<Error> {
        Logs::losses(path, &position.logs)
    }

    /// Whether a folder is a run folder.
    #[must_use]
    pub fn is_run(path: &Path) -> bool {
        path.join(DEFINITION).is_file()
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it runs.
    #[must_use]
    pub const fn definition(&self) -> &Definition {
        &self.definition
    }

    /// Counts the episodes that are lost in the run, from those on that were counted before.
    pub fn count(&mut self, lost: LostEpisodes) {
        self.lost.1 = lost;
    }

    /// How many episodes were lost in the run; where some were, it is not what another one would be, bit for bit.
    #[must_use]
    pub fn lost_episodes(&self) -> Option<u64> {
        Some(self.lost.0 + self.lost.1.count()).filter(|count| *count > 0)
    }

    /// Extends the run to more steps.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn extend(&mut self, steps: u64) -> Result<()> {
        self.definition.provenance.steps = Some(steps);
        disk::write(&self.path.join(DEFINITION), ron::to_text(&self.definition).as_bytes())
    }

    /// Writes a checkpoint and forgets the oldest beyond the newest three. When this returns, the checkpoint is acknowledged.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses; earlier checkpoints are then untouched.
    pub fn checkpoint(&mut self, position: &mut Position, state: &State, policy: &Policy, environment_steps: u64) -> Result<PathBuf> {
        position.logs = self.logs.sync()?;
        position.lost_episodes = self.lost_episodes();
        let checkpoints = self.path.join("checkpoints");
        let card = self.card(policy, environment_steps, None);
        let folder = checkpoint::write(&checkpoints, position, state, policy, &card)?;
        let mut kept = checkpoint::list(&checkpoints)?;
        // The checkpoint is safe already; the next one tries again.
        for old in kept.drain(KEPT.min(kept.len())..) {
            let _ = disk::remove(&old);
        }
        let _ = checkpoint::keep_segments_of(&kept, &checkpoints);
        Ok(folder)
    }

    /// Keeps the best policy so far, after so many environment steps, in `best/`.
    ///
    /// # Errors
    /// Exit 6 when the disk refuses; the one before is then untouched.
    pub fn keep_best(&self, policy: &Policy, steps: u64, measured: Measured) -> Result<()> {
        store::save(&self.path.join("best"), policy, &self.card(policy, steps, Some(measured)))
    }

    fn card(&self, policy: &Policy, steps: u64, measured: Option<Measured>) -> Card {
        let provenance = Provenance { steps: Some(steps), lost_episodes: self.lost_episodes(), ..self.definition.provenance.clone() };
        Card { measured, ..Card::new(policy, provenance, self.definition.parents.clone()) }
    }
}

/// Fails unless a run can begin here: in an empty folder, or in what is left of a beginning that a crash or a full disk cut short.
fn check_free(path: &Path) -> Result<()> {
    if path.join(DEFINITION).exists() {
        return Err(Error::usage("there is a run already").at(path.display()).hint("continue it with --resume, or pass another --out"));
    }
    if path.is_file() || (path.is_symlink() && !path.exists()) {
        return Err(Error::usage("is not a folder").at(path.display()).hint("pass another --out"));
    }
    let ours = |entry: &PathBuf| match entry.file_name().and_then(|name| name.to_str()) {
        Some("lock") => entry.metadata().is_ok_and(|found| found.len() == 0),
        Some("checkpoints") => disk::list(entry).is_ok_and(|entries| entries.is_empty()),
        Some(SOURCE) => entry.join(store::CARD).is_file(),
        _ => disk::is_partial(entry),
    };
    if path.exists() && disk::list(path)?.iter().any(|entry| !ours(entry)) {
        return Err(Error::usage("is not empty and holds no run").at(path.display()).hint("pass another --out"));
    }
    Ok(())
}

impl Listener for RunFolder {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        self.logs.hear(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::disk::faults::{self, Fault};
    use crate::file::tensors::Array;
    use crate::nn::{Activation, ActorCritic, Head};

    fn definition() -> Definition {
        Definition {
            format: FORMAT,
            heirloom: String::new(),
            provenance: Provenance::default(),
            parents: Vec::new(),
            source: None,
            evaluate_every: 1,
            evaluation_episodes: 1,
            evaluation_seed: 0,
            checkpoint_every: 1,
        }
    }

    fn policy() -> Policy {
        let shape = ActorCritic {
            inputs: 1,
            joined: 0,
            memory: 0,
            outputs: 2,
            actor: vec![2],
            critic: vec![2],
            activation: Activation::Tanh,
            head: Head::Categorical,
        };
        let action = crate::env::ActionSpace::Discrete(vec!["left".into(), "right".into()]);
        let spaces = crate::env::Spaces { observation: vec![crate::env::Channel::unbounded("x")], action };
        Policy { params: shape.init(0), shape, spaces, normalizer: None, return_moments: None, inner_rates: None }
    }

    fn state(steps: u64) -> State {
        State { tensors: [("steps".to_owned(), Array::u64(vec![steps]))].into(), ..State::default() }
    }

    fn position(steps: u64) -> Position {
        Position { steps, updates: steps, ..Position::default() }
    }

    /// A save fails at every one of its disk operations, in every way: the newest checkpoint before it, or the whole new one, is what the
    /// next start finds, bit for bit, and nothing half written is left.
    #[test]
    fn a_failing_disk_never_costs_an_acknowledged_checkpoint() {
        for fault in [Fault::Crash, Fault::Error(5), Fault::Error(28), Fault::ShortWrite] {
            for k in 0.. {
                let scratch = tempfile::tempdir().unwrap();
                let path = scratch.path().join("run");
                let mut folder = RunFolder::create(&path, definition(), None).unwrap();
                folder.checkpoint(&mut position(100), &state(100), &policy(), 100).unwrap();
                let (saved, met) = faults::with(k, fault, || folder.checkpoint(&mut position(200), &state(200), &policy(), 200));
                drop(folder);
                let (folder, found, damaged) = RunFolder::open(&path).unwrap();
                let (found, held) = found.unwrap();
                assert!(damaged.is_empty(), "{fault:?} at {k}: {damaged:?}");
                assert_eq!(held, state(found.steps), "{fault:?} at {k}");
                assert!(found.steps == 200 || saved.is_err() && found.steps == 100, "{fault:?} at {k}: {} steps", found.steps);
                let left = disk::list(&path.join("checkpoints")).unwrap();
                assert!(left.iter().all(|path| !disk::is_partial(path)), "{fault:?} at {k}: {left:?}");
                drop(folder);
                if !met {
                    break;
                }
            }
        }
    }

    #[test]
    fn three_checkpoints_are_kept() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("run");
        let mut folder = RunFolder::create(&path, definition(), None).unwrap();
        for steps in 1..=5 {
            folder.checkpoint(&mut position(steps), &state(steps), &policy(), steps).unwrap();
        }
        let kept = checkpoint::list(&path.join("checkpoints")).unwrap();
        let names: Vec<String> = kept.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(names, ["000000000000005", "000000000000004", "000000000000003"]);
    }

    #[test]
    fn a_folder_with_something_else_in_it_is_not_taken() {
        let scratch = tempfile::tempdir().unwrap();
        disk::write(&scratch.path().join("thesis.tex"), b"x").unwrap();
        assert_eq!(RunFolder::create(scratch.path(), definition(), None).map(drop).unwrap_err().kind(), Kind::Usage);
    }
}
