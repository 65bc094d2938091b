//! Python processes, and on whose word they run: shared by all environments of a registry.
//!
//! Python runs only for an environment that the person at the keyboard named, on the command line or in a file of theirs. What a policy's
//! card or a recording names is refused until they do: nothing that is loaded can execute.

use super::process::{Answer, Ask, Lost, Process};
use super::task::Task;
use super::{lock, spaces};
use crate::env::{Spaces, Values};
use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

/// How often a process that was lost is replaced before that is an error.
const MOST_RESTARTS: u32 = 3;
/// Waited before the first restart; four times as long before each further one.
const BACK_OFF: Duration = Duration::from_millis(100);
const USUAL_PATIENCE: Duration = Duration::from_secs(60);
/// Processes without work that are kept for the next who needs one: starting one takes half a second and more.
const MOST_IDLE: usize = 16;

/// Sentences that are kept for a person.
const MOST_NOTES: usize = 20;

/// See the module.
#[derive(Default)]
pub struct Host {
    /// The interpreter of the command line, which outranks all others.
    python: OnceLock<String>,
    /// What was named, by its identity, and with which interpreter and patience.
    agreed: Mutex<BTreeMap<String, (Option<String>, Option<f64>)>>,
    /// Spaces of environments that were looked at before.
    known: Mutex<BTreeMap<String, Spaces>>,
    /// The key of each is interpreter and id: what a process imports for one id does not meet another.
    idle: Mutex<Vec<(String, Process)>>,
    /// What happened that a person should know.
    notes: Mutex<Vec<(String, usize)>>,
}

/// With what an environment runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Terms {
    pub(super) python: String,
    pub(super) patience: Duration,
}

/// Why something could not be done.
pub(super) enum Trouble {
    /// The process is lost: another one may do it.
    Lost(Lost),
    /// It cannot be done.
    Never(Error),
}

impl From<Lost> for Trouble {
    fn from(lost: Lost) -> Self {
        Self::Lost(lost)
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Never(error)
    }
}

impl Host {
    /// The interpreter of the command line.
    pub(in crate::env) fn set_python(&self, python: &str) {
        let _ = self.python.set(python.to_owned());
    }

    /// The person at the keyboard named this environment.
    pub(in crate::env) fn agree(&self, task: &Task) {
        lock(&self.agreed).insert(task.identity(), (task.python.clone(), task.patience_s));
    }

    /// What happened since this was last asked.
    pub(in crate::env) fn take_notes(&self) -> Vec<String> {
        let taken = std::mem::take(&mut *lock(&self.notes));
        let counted = |(note, times)| if times == 1 { note } else { format!("{note} ({times} times)") };
        taken.into_iter().map(counted).collect()
    }

    pub(super) fn note(&self, note: String) {
        let mut notes = lock(&self.notes);
        if let Some((_, times)) = notes.iter_mut().find(|(known, _)| *known == note) {
            *times += 1;
        } else if notes.len() < MOST_NOTES {
            notes.push((note, 1));
        }
    }

    /// With what an environment runs that somebody named.
    ///
    /// # Errors
    /// Exit 2: nobody did.
    pub(super) fn terms(&self, task: &Task) -> Result<Terms> {
        let agreed = lock(&self.agreed).get(&task.identity()).cloned();
        let (python, patience) = agreed.ok_or_else(|| {
            Error::usage(format!("`gymnasium:{}` would run Python, and only a file that was loaded names it", task.id))
                .hint(format!("if you trust it, name it yourself: `--allow gymnasium:{}`, or the .ron file that describes it", task.id))
        })?;
        let python = self.python.get().cloned().or(python).unwrap_or_else(usual_python);
        Ok(Terms { python, patience: patience.map_or(USUAL_PATIENCE, Duration::from_secs_f64) })
    }

    /// The spaces of an environment; the first time, Python is asked.
    ///
    /// # Errors
    /// When nobody named it, or Python cannot make it.
    pub(super) fn spaces(&self, task: &Task, own_limit: bool, values: &Values) -> Result<Spaces> {
        let terms = self.terms(task)?;
        let key = format!("{own_limit} {}", task.identity());
        if let Some(known) = lock(&self.known).get(&key) {
            return Ok(known.clone());
        }
        let order = order(task, own_limit, std::iter::once(values), 0, 0);
        let describe = || -> std::result::Result<Vec<u8>, Trouble> {
            let mut process = self.take(task, &terms)?;
            let described = answered(process.ask(Ask::Describe, &order, terms.patience)?, task, &terms)?;
            self.put(task, &terms, process);
            Ok(described)
        };
        let mut restarts = 0;
        let described = loop {
            match describe() {
                Ok(described) => break described,
                Err(Trouble::Never(error)) => return Err(error),
                Err(Trouble::Lost(lost)) => may_restart(&mut restarts, task, &lost)?,
            }
        };
        let spaces = spaces::read(&described, &task.observation, &task.action).map_err(|error| error.at(place(task)))?;
        lock(&self.known).insert(key, spaces.clone());
        Ok(spaces)
    }

    /// A process that can make environments: one without work, or a new one.
    pub(super) fn take(&self, task: &Task, terms: &Terms) -> std::result::Result<Process, Trouble> {
        let key = key(task, terms);
        {
            let mut idle = lock(&self.idle);
            if let Some(index) = idle.iter().position(|(known, _)| *known == key) {
                return Ok(idle.remove(index).1);
            }
        }
        let python = &terms.python;
        let mut process = Process::start(python, terms.patience).map_err(|error| {
            let message = match error.kind() {
                std::io::ErrorKind::NotFound => format!("there is no Python `{python}`"),
                _ => format!("the Python `{python}` cannot be started: {error}"),
            };
            Error::environment(message)
                .hint("`--python` names an interpreter; `cargo xtask setup --gymnasium` provides one")
                .at(place(task))
        })?;
        answered(process.ask(Ask::Hello, &[], terms.patience)?, task, terms)?;
        Ok(process)
    }

    /// Keeps a process whose environments nobody needs any more.
    pub(super) fn put(&self, task: &Task, terms: &Terms, process: Process) {
        let surplus = {
            let mut idle = lock(&self.idle);
            idle.push((key(task, terms), process));
            (idle.len() > MOST_IDLE).then(|| idle.remove(0))
        };
        drop(surplus);
    }
}

fn key(task: &Task, terms: &Terms) -> String {
    format!("{} {}", terms.python, task.id)
}

/// What an error names as its place.
pub(super) fn place(task: &Task) -> String {
    format!("gymnasium:{}", task.id)
}

/// The message that makes environments, one for each of `seats`; `width` numbers of action and `size` of observation each.
pub(super) fn order<'a>(task: &Task, own_limit: bool, seats: impl Iterator<Item = &'a Values>, width: usize, size: usize) -> Vec<u8> {
    let seats: Vec<&BTreeMap<String, f64>> = seats.map(|values| &values.0).collect();
    let order = serde_json::json!({
        "id": task.id, "arguments": task.arguments, "context": task.context, "ignore": task.ignore,
        "own_limit": own_limit, "seats": seats, "width": width, "size": size,
    });
    order.to_string().into_bytes()
}

/// What came with an answer that it was done; what was raised, as an error.
pub(super) fn answered(answer: Answer, task: &Task, terms: &Terms) -> Result<Vec<u8>> {
    let failure = match answer {
        Answer::Fine(body) => return Ok(body),
        Answer::Failed(body) | Answer::SomeFailed(body) => body,
    };
    let (text, missing): (String, Option<String>) =
        serde_json::from_slice(&failure).unwrap_or_else(|_| ("it failed and did not say how".to_owned(), None));
    let Terms { python, .. } = terms;
    let error = match missing.as_deref() {
        Some(module @ ("gymnasium" | "numpy")) => Error::environment(format!("the Python `{python}` has no {module}")).hint(format!(
            "`{python} -m pip install gymnasium==1.4.0` puts it there, `cargo xtask setup --gymnasium` provides an interpreter \
                 that has it, `--python` names another one"
        )),
        Some(module) => Error::environment(text)
            .hint(format!("`{python}` has no module `{}`: install it there, or name another interpreter with `--python`", clean(module))),
        None => Error::environment(clean(&text)),
    };
    Err(error.at(place(task)))
}

/// Text of a foreign process, without what could steer a terminal.
pub(super) fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(4000).collect()
}

/// Counts a restart and waits before it.
///
/// # Errors
/// Exit 4 with how the process was lost, when there were enough of them.
pub(super) fn may_restart(restarts: &mut u32, task: &Task, lost: &Lost) -> Result<()> {
    if *restarts == MOST_RESTARTS {
        let said = if lost.said.is_empty() { String::new() } else { format!("; the last it said: {}", lost.said) };
        return Err(Error::environment(format!("its Python process {}, and did so after {MOST_RESTARTS} restarts too{said}", lost.how))
            .hint("`heirloom envs check` tries an environment by itself; a run continues from its last checkpoint with --resume")
            .at(place(task)));
    }
    std::thread::sleep(BACK_OFF * 4_u32.pow(*restarts));
    *restarts += 1;
    Ok(())
}

/// The one of `cargo xtask setup --gymnasium` where there is one, here or where the program was built.
fn usual_python() -> String {
    let provided = "native/gymnasium/bin/python";
    let here = Path::new(".").join(format!(".{provided}"));
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!(".{provided}"));
    let found = [here, built].into_iter().find(|path| path.is_file());
    found.map_or_else(|| "python3".to_owned(), |path| path.to_string_lossy().into_owned())
}
