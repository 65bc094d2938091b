//! RON that people write and cards that programs write: read with a cap, errors with file, line, column and remedy.

use super::disk;
use crate::error::{Error, Kind, Result, did_you_mean};
use ron::extensions::Extensions;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::Path;

/// Larger files are refused unread.
pub const CAP: u64 = 256 * 1024;
/// Deeper nesting is refused.
const DEPTH: usize = 64;

/// A RON text and where it comes from: what is needed to read it and to point into it afterwards.
#[derive(Debug, Clone)]
pub struct Source {
    /// A path, or what stands for one: `--set`, `built in`.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// Reads a file of at most [`CAP`] bytes.
    ///
    /// # Errors
    /// When it cannot be read, is too long or not UTF-8.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = disk::read(path, CAP)?;
        let text = String::from_utf8(bytes).map_err(|_| Error::artefact("is not UTF-8 text").at(path.display()))?;
        Ok(Self { name: path.display().to_string(), text })
    }

    /// Reads a value out of the text.
    ///
    /// # Errors
    /// Exit 2 with line, column, and the names that exist where a name does not. Artefacts turn it into exit 3.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        if self.text.len() as u64 > CAP {
            return Err(Error::usage(format!("is longer than {CAP} bytes")).at(&self.name));
        }
        options().from_str(&self.text).map_err(|error| self.explain(&error))
    }

    /// `file:line:column` of the last of `words` when they are looked for one after the other: `["wrappers", "std"]` is the first
    /// `std` behind the first `wrappers`. The file's name alone when a word is missing.
    #[must_use]
    pub fn place_of(&self, words: &[&str]) -> String {
        let mut tokens = tokens(&self.text);
        let mut place = None;
        for word in words {
            place = tokens.find(|(_, token)| token == word).map(|(at, _)| at);
            if place.is_none() {
                break;
            }
        }
        match place {
            Some(at) => {
                let before = &self.text[..at];
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
                format!("{}:{line}:{column}", self.name)
            }
            None => self.name.clone(),
        }
    }

    fn explain(&self, error: &ron::error::SpannedError) -> Error {
        use ron::Error as E;
        let place = format!("{}:{}:{}", self.name, error.span.start.line, error.span.start.col);
        let inside = |outer: &Option<String>| outer.as_ref().map_or(String::new(), |outer| format!(" in `{outer}`"));
        match &error.code {
            E::NoSuchStructField { expected, found, outer } => {
                Error::usage(format!("there is no field `{found}`{}", inside(outer))).hint(did_you_mean(found, expected.iter().copied()))
            }
            E::NoSuchEnumVariant { expected, found, outer } => {
                Error::usage(format!("there is no `{found}`{}", inside(outer))).hint(did_you_mean(found, expected.iter().copied()))
            }
            E::MissingStructField { field, outer } => {
                Error::usage(format!("the field `{field}` is missing{}", inside(outer))).hint(format!("add `{field}: ...`"))
            }
            E::DuplicateStructField { field, outer } => {
                Error::usage(format!("the field `{field}` stands twice{}", inside(outer))).hint("keep one of the two")
            }
            E::ExceededRecursionLimit => Error::usage(format!("is nested deeper than {DEPTH} levels")),
            code => Error::usage(code.to_string()),
        }
        .at(place)
    }
}

/// A value as RON that people can read and [`Source::parse`] reads back.
///
/// # Panics
/// When the value cannot be written as RON, which no type of this crate is.
#[must_use]
pub fn to_text(value: &impl Serialize) -> String {
    let pretty = ron::ser::PrettyConfig::new().struct_names(false).compact_arrays(true).separate_tuple_members(false);
    let mut text = options().to_string_pretty(value, pretty).expect("our types are plain data");
    text.push('\n');
    text
}

/// Reads an artefact's RON: whatever is wrong with it is exit 3.
///
/// # Errors
/// When it cannot be read or does not parse.
pub fn read_artefact<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let refused = |error: Error| if error.kind() == Kind::Io { error } else { error.as_kind(Kind::Artefact) };
    Source::read(path).and_then(|source| source.parse()).map_err(refused)
}

fn options() -> ron::Options {
    ron::Options::default()
        .with_default_extension(Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::IMPLICIT_SOME)
        .with_recursion_limit(DEPTH)
}

/// Words and strings of a RON text with their byte offsets; comments and punctuation are passed over.
fn tokens(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = &text[at..];
            let first = rest.chars().next()?;
            let end_of = |length: Option<usize>| at + length.unwrap_or(rest.len());
            if rest.starts_with("//") {
                at = end_of(rest.find('\n'));
            } else if rest.starts_with("/*") {
                at = end_of(rest.find("*/").map(|length| length + 2));
            } else if first == '"' {
                let length = rest[1..].find('"').unwrap_or(rest.len() - 1);
                let token = (at, &rest[1..=length]);
                at = (at + length + 2).min(text.len());
                return Some(token);
            } else if first.is_alphanumeric() || first == '_' {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let token = (at, &rest[..length]);
                at += length;
                return Some(token);
            } else {
                at += first.len_utf8();
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Serialize, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Config {
        clip: f64,
        limit: Option<u32>,
    }

    fn source(text: &str) -> Source {
        Source { name: "a.ron".into(), text: text.into() }
    }

    #[test]
    fn a_typo_names_file_line_column_and_the_fields_that_exist() {
        let error = source("(\n  clp: 0.2,\n)").parse::<Config>().unwrap_err();
        assert_eq!(error.to_string(), "a.ron:2:3: there is no field `clp` in `Config`");
        assert_eq!(error.remedy(), Some("did you mean `clip`? There are: clip, limit"));
    }

    #[test]
    fn what_is_written_reads_back() {
        let config = Config { clip: 0.1 + 0.2, limit: Some(3) };
        assert_eq!(source(&to_text(&config)).parse::<Config>().unwrap(), config);
    }

    #[test]
    fn bad_texts_are_errors_and_never_panics() {
        for text in
            ["", "(", "(clip:", "(clip: 1, clip: 2)", "(clip: \"x\")", "(limit: -1, clip: 1)", &"[".repeat(10_000), "\u{0}", "(clip: 1) x"]
        {
            let error = source(text).parse::<Config>().unwrap_err();
            assert!(error.place().unwrap().starts_with("a.ron:"), "{text}: {error}");
        }
    }

    #[test]
    fn places_are_found_behind_comments_and_strings() {
        let source = source("// gravity\n(about: \"gravity: strong\",\n  context: (gravity: 3))");
        assert_eq!(source.place_of(&["context", "gravity"]), "a.ron:3:13");
        assert_eq!(source.place_of(&["mass"]), "a.ron");
        assert_eq!(source.place_of(&[]), "a.ron");
    }
}
