//! The page of a study.

use crate::study::{Definition, Results};

/// The page as HTML.
#[must_use]
pub fn page(definition: &Definition, results: &Results) -> String {
    format!("<!doctype html><title>{}</title><pre>{:#?}</pre>", definition.name, results.rows)
}
