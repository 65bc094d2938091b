//! Two sets of demonstrations on one page, episode by episode.

use super::Asked;
use crate::demo::stage::Stage;
use crate::demo::{Demonstrations, filmed};
use crate::error::Result;
use crate::report::watch::{self, Credits, Screening};
use crate::rollout::Film;
use maud::html;
use std::path::Path;

/// The page of a film beside the first episodes of another set.
pub(super) fn page(asked: &Asked<'_>, film: &Film, other: &Path, credits: &mut Credits) -> Result<String> {
    let set = Demonstrations::open(other)?;
    let stage = Stage::new(asked.registry, set.header(), None).map_err(|error| error.at(other.display()))?;
    let episodes = filmed::first(&set, &crate::demo::numbers::Numbers::all())?;
    let mut beside = filmed::as_recorded(&stage, &episodes)?;
    let mut film = film.clone();
    // Side by side is what both have.
    let both = film.episodes.len().min(beside.episodes.len());
    film.episodes.truncate(both);
    beside.episodes.truncate(both);
    credits.title = format!("{} beside {}", asked.set.name(), set.name());
    credits.notes.push(format!(
        "Left: {} in {}. Right: {} in {}. They stand side by side in the order of their sets; they are different episodes, not one done twice.",
        asked.set.name(),
        asked.set.header().environment,
        set.name(),
        set.header().environment
    ));
    let [one, two] = [(&asked.set, &film), (&set, &beside)].map(|(set, film)| (set.name(), film));
    let films = [Screening { name: &one.0, film: one.1 }, Screening { name: &two.0, film: two.1 }];
    Ok(watch::page_of_two(films, credits, &html! {}, ""))
}
