//! The page of a study: its verdicts, every curve and every value behind them, where the policies come from, and how to make it all again.

mod band;
mod caution;
mod cost;
mod curves;
mod diagnostics;
mod differences;
mod metrics;
mod overview;
mod policies;
mod reproduce;
mod section;
mod table;

use super::chart::Colour;
use super::number::{count, counted};
use super::page::Page;
use super::words;
use crate::choose::Method;
use crate::env::Registry;
use crate::study::{Definition, Pair, PairResults, Results, Verdict};
use maud::{Markup, html};

/// The page as HTML. The registry reads the sources' training environments; one that it does not know is shown as it stands in the card.
/// `exploratory` says why the verdicts are, where they are.
#[must_use]
pub fn page(definition: &Definition, results: &Results, exploratory: Option<&str>, registry: &Registry) -> String {
    let shown = shown(definition, results);
    let body = html! {
        main {
            (header(definition, &shown, exploratory))
            (overview::section(definition, &shown))
            @for pair in &shown { (section::section(definition, pair, registry)) }
            (policies::section(definition, results))
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
    curves::picture(definition, &shown(definition, results)).stand_alone()
}

/// A pair of the study with what was found.
struct Shown<'a> {
    /// Its number in the page, from 1.
    number: usize,
    pair: &'a Pair,
    found: &'a PairResults,
}

/// Figures of a pair: band, curves, diagnostics.
const FIGURES: usize = 3;

impl Shown<'_> {
    fn title(&self) -> String {
        self.pair.title()
    }

    /// The number of one of the pair's figures.
    const fn figure(&self, which: usize) -> usize {
        2 + FIGURES * (self.number - 1) + which
    }
}

fn shown<'a>(definition: &'a Definition, results: &'a Results) -> Vec<Shown<'a>> {
    let pairs = definition.pairs.iter().zip(&results.pairs);
    pairs.enumerate().map(|(index, (pair, found))| Shown { number: index + 1, pair, found }).collect()
}

/// A method's colour: its own in every study, scratch's the neutral one.
fn colour(method: Method) -> Colour {
    let others = Method::TRANSFER.into_iter().filter(|method| *method != Method::Scratch);
    others.clone().position(|other| other == method).map_or(Colour::NEUTRAL, Colour::nth)
}

/// A verdict as a word with its own colour.
fn chip(verdict: Verdict) -> Markup {
    html! { span.chip.(verdict.name()) { (verdict.name()) } }
}

fn header(definition: &Definition, shown: &[Shown<'_>], exploratory: Option<&str>) -> Markup {
    let facts = [
        (definition.pairs.len() as u64, "pair", "pairs"),
        (definition.methods.len() as u64, "method", "methods"),
        (definition.seeds, "seed each", "seeds each"),
    ];
    html! {
        header {
            p.kicker { "Did the transfer help?" }
            h1 { (definition.name) }
            p.lead { (definition.about) }
            @if let Some(why) = exploratory { p.exploratory { b { "Exploratory. " } (capitalised(why)) "." } }
            @if let [only] = shown {
                @for arm in only.found.speaking() { p.answer { (words::sentence(only.pair, only.found, arm)) } }
            }
            ul.facts {
                @for (number, one, many) in facts { li { b { (count(number)) } " " (if number == 1 { one } else { many }) } }
            }
        }
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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

/// `8 seeds`, or a warning where there is one.
fn seeds(definition: &Definition) -> String {
    counted(definition.seeds, "seed")
}
