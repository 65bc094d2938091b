//! The one error of all rooms: what was found, where, and what to do about it.
//!
//! Sorted by what the reader can do ([`Kind`], which is also the exit code), not by which library failed. `cli` is the only
//! place that turns an error into text and an exit code.

use std::fmt;

/// What went wrong, in the terms of the person who can mend it. The discriminant is the process's exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// What the user typed or wrote: flags, environment, configuration or study RON.
    Usage = 2,
    /// An artefact that cannot be trusted or does not fit: policy, weights, demonstrations, run folder.
    Artefact = 3,
    /// An environment failed or was used against its contract.
    Environment = 4,
    /// A number stopped being finite while learning.
    Diverged = 5,
    /// The operating system refused to read or write.
    Io = 6,
    /// Another process holds the run folder.
    Locked = 7,
    /// Somebody asked to stop; 128 plus the signal is the exit code.
    Stopped = 130,
}

/// An error with its place, its remedy and its cause. One pointer wide, so that `Result<Step>` stays small.
#[derive(Debug)]
pub struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: Kind,
    place: Option<String>,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    of_episode: bool,
}

/// `Result` with the error of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error of `kind` that says what was found.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, place: None, message: message.into(), hint: None, source: None, of_episode: false }))
    }

    /// What the user typed or wrote is wrong (exit 2).
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Kind::Usage, message)
    }

    /// An artefact is damaged, hostile or does not fit (exit 3).
    pub fn artefact(message: impl Into<String>) -> Self {
        Self::new(Kind::Artefact, message)
    }

    /// An environment failed or was misused (exit 4).
    pub fn environment(message: impl Into<String>) -> Self {
        Self::new(Kind::Environment, message)
    }

    /// An episode cannot be gone on with, for reasons that have nothing to do with it; its environment can be reset. Who gathers episodes drops it.
    pub(crate) fn lost_episode(message: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Environment, message);
        error.0.of_episode = true;
        error
    }

    /// A number stopped being finite (exit 5).
    pub fn diverged(message: impl Into<String>) -> Self {
        Self::new(Kind::Diverged, message)
    }

    /// The operating system refused (exit 6).
    #[must_use]
    pub fn io(action: &str, path: &std::path::Path, error: std::io::Error) -> Self {
        Self::new(Kind::Io, format!("cannot {action}: {error}")).at(path.display()).caused_by(error)
    }

    /// Names the place: a file, `file:line:column`, a tensor, an environment. The outermost place given last is shown first.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.0.place = Some(match self.0.place.take() {
            Some(inner) => format!("{place}: {inner}"),
            None => place.to_string(),
        });
        self
    }

    /// Names the remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Keeps the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        self.0.source = Some(Box::new(source));
        self
    }

    /// The same finding, seen as another kind: a RON error is the user's in an environment file, the artefact's in a card.
    #[must_use]
    pub fn as_kind(mut self, kind: Kind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind, which is the exit code.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Whether no more than an episode is lost.
    #[must_use]
    pub fn loses_episode(&self) -> bool {
        self.0.of_episode
    }

    /// What was found, without place and remedy.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where it was found.
    #[must_use]
    pub fn place(&self) -> Option<&str> {
        self.0.place.as_deref()
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

/// Fails where a number does not lie in its range, or is none.
///
/// # Errors
/// Exit 2 with the number's name and its range.
pub fn within<T: PartialOrd + fmt::Display + Copy>(name: &str, value: T, [least, most]: [T; 2]) -> Result<()> {
    let inside = (least..=most).contains(&value);
    if inside {
        return Ok(());
    }
    Err(Error::usage(format!("`{name}` cannot be {value}")).hint(format!("it lies between {least} and {most}")))
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.place {
            Some(place) => write!(f, "{place}: {}", self.0.message),
            None => write!(f, "{}", self.0.message),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|source| source.as_ref() as _)
    }
}

/// The remedy for a name that does not exist: the nearest ones that do, then all of them.
///
/// Distance is Damerau-Levenshtein without regard to case; a candidate is near within `1 + len / 3` edits.
#[must_use]
pub fn did_you_mean<'a>(found: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    let lower = found.to_lowercase();
    let mut near: Vec<(usize, &str)> = known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), *name))
        .filter(|(distance, _)| *distance <= 1 + found.chars().count() / 3)
        .collect();
    near.sort_unstable();
    let near: Vec<String> = near.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    let all = known.join(", ");
    match (near.is_empty(), known.is_empty()) {
        (_, true) => "there are none".to_owned(),
        (true, _) => format!("there are: {all}"),
        (false, _) => format!("did you mean {}? There are: {all}", near.join(" or ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_nest_from_the_outside_in() {
        let error = Error::usage("no such field").at("7:9").at("envs/weak.ron");
        assert_eq!(error.to_string(), "envs/weak.ron: 7:9: no such field");
    }

    #[test]
    fn a_typo_is_met_with_the_nearest_name() {
        assert_eq!(did_you_mean("gravty", ["force", "gravity"]), "did you mean `gravity`? There are: force, gravity");
        assert_eq!(did_you_mean("PPO", ["Ppo"]), "did you mean `Ppo`? There are: Ppo");
        assert_eq!(did_you_mean("zebra", ["force"]), "there are: force");
    }
}
