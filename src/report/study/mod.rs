//! The page of a study: what was compared, every curve and every value, where the policies come from, and how to make it all again.

mod caution;
mod curves;
mod differences;
mod overview;
mod policies;
mod reproduce;
mod section;
mod table;

use super::chart::{Colour, Figure};
use super::number::{count, counted};
use super::page::Page;
use crate::choose::{Method, Source};
use crate::env::Registry;
use crate::study::definition::Target;
use crate::study::{Definition, Results, Row};
use maud::{Markup, html};

/// The page as HTML. The registry reads the sources' training environments; one that it does not know is shown as it stands in the card.
#[must_use]
pub fn page(definition: &Definition, results: &Results, registry: &Registry) -> String {
    let pairs = pairs(definition, results);
    let body = html! {
        main {
            (header(definition))
            (overview::section(definition, &pairs))
            @for pair in &pairs { (section::section(definition, pair, registry)) }
            (policies::section(definition))
            (caution::section(definition))
            (reproduce::section(definition))
        }
        footer { p { "Written by heirloom " (env!("CARGO_PKG_VERSION")) ". This file loads nothing and sends nothing." } }
    };
    Page { title: &definition.name, style: include_str!("study.css"), script: include_str!("study.js"), body }.text()
}

/// The study as one picture: learning curves of every pair, a file of its own in light and dark.
#[must_use]
pub fn picture(definition: &Definition, results: &Results) -> String {
    curves::picture(definition, &pairs(definition, results)).stand_alone()
}

/// A source in a target, with a row for each method.
struct Pair<'a> {
    /// Its number in the page, from 1.
    number: usize,
    source: &'a Source,
    /// The source's place in the study.
    source_index: usize,
    target: &'a Target,
    rows: &'a [Row],
}

impl Pair<'_> {
    fn title(&self) -> String {
        format!("{} → {}", self.source.name(), self.target.environment.name)
    }

    fn scratch(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.method == Method::Scratch)
    }
}

fn pairs<'a>(definition: &'a Definition, results: &'a Results) -> Vec<Pair<'a>> {
    let places = definition.sources.iter().enumerate().flat_map(|source| definition.targets.iter().map(move |target| (source, target)));
    let rows = results.rows.chunks(definition.methods.len().max(1));
    let pair = |(index, (((source_index, source), target), rows))| Pair { number: index + 1, source, source_index, target, rows };
    places.zip(rows).enumerate().map(pair).collect()
}

/// A method's colour: its own in every study, scratch's the neutral one.
fn colour(method: Method) -> Colour {
    let others = Method::ALL.into_iter().filter(|method| *method != Method::Scratch);
    others.clone().position(|other| other == method).map_or(Colour::NEUTRAL, Colour::nth)
}

fn header(definition: &Definition) -> Markup {
    let facts = [
        (definition.sources.len() as u64, "policy to start from", "policies to start from"),
        (definition.targets.len() as u64, "target", "targets"),
        (definition.methods.len() as u64, "method", "methods"),
        (definition.seeds, "seed each", "seeds each"),
        (definition.steps, "step in the target", "steps in the target"),
    ];
    html! {
        header {
            p.kicker { "Transfer study" }
            h1 { (definition.name) }
            p.lead { (definition.about) }
            ul.facts {
                @for (number, one, many) in facts { li { b { (count(number)) } " " (if number == 1 { one } else { many }) } }
            }
        }
    }
}

/// A figure with its caption, and a button that saves it.
fn captioned(file: &str, number: usize, drawings: &Markup, caption: &Markup) -> Markup {
    html! {
        figure data-file=(file) {
            (drawings)
            figcaption {
                b { "Figure " (number) ". " }
                (caption)
                " "
                button.download hidden type="button" title="Save this figure as a file" { "Save as SVG" }
            }
        }
    }
}

/// One figure in two layouts, of which the page shows the one that fits.
fn wide_and_narrow(wide: &Figure, narrow: &Figure) -> Markup {
    html! {
        div.wide { (wide.in_page()) }
        div.narrow { (narrow.in_page()) }
    }
}

/// `8 seeds`, or a warning where there is one.
fn seeds(definition: &Definition) -> String {
    counted(definition.seeds, "seed")
}
