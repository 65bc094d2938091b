//! The page that plays films: the scene, what is seen, done and earned, forwards, backwards and step by step; two films side by side.

mod reel;

use super::chart::label;
use super::number::{count, number};
use super::page::{self, Page};
use crate::rollout::Film;
use crate::stats::mean;
use maud::{Markup, html};

/// What the page says beside the films.
#[derive(Debug, Clone, PartialEq)]
pub struct Credits {
    /// What kind of page it is, in a word.
    pub kicker: String,
    /// What is shown.
    pub title: String,
    /// That in a sentence.
    pub about: String,
    /// What one should know of it.
    pub notes: Vec<String>,
    /// The command that makes the page again.
    pub command: String,
    /// Time between two frames, where the environment says.
    pub seconds_per_step: Option<f64>,
}

/// A film and its name, which stands under it where there are two.
#[derive(Debug, Clone, Copy)]
pub struct Screening<'a> {
    /// The name.
    pub name: &'a str,
    /// The film.
    pub film: &'a Film,
}

/// The page as HTML.
#[must_use]
pub fn page(film: &Film, credits: &Credits) -> String {
    of_films(&[Screening { name: "", film }], credits, &html! {}, "")
}

/// The page of two films, in step: what is recorded, and something beside it. Sections may follow, with rules of their own.
#[must_use]
pub fn page_of_two(films: [Screening<'_>; 2], credits: &Credits, sections: &Markup, style: &str) -> String {
    of_films(&films, credits, sections, style)
}

fn of_films(films: &[Screening<'_>], credits: &Credits, sections: &Markup, style: &str) -> String {
    let body = html! {
        main {
            header {
                p.kicker { (credits.kicker) }
                h1 { (credits.title) }
                p.lead { (credits.about) }
                @for note in &credits.notes { p.note { (note) } }
            }
            (player(films))
            @for (screening, id) in films.iter().zip(["film", "beside"]) {
                (page::json(id, &reel::reel(screening.film, credits.seconds_per_step)))
            }
            (sections)
        }
        footer { p { "Made by " code { (credits.command) } " (heirloom " (env!("CARGO_PKG_VERSION")) "). This file loads nothing and sends nothing." } }
    };
    let style = [include_str!("watch.css"), style].concat();
    Page { title: &credits.title, style: &style, script: include_str!("watch.js"), body }.text()
}

fn player(films: &[Screening<'_>]) -> Markup {
    html! {
        noscript { p { "The film needs this page's own script, which is switched off." } }
        div #player hidden {
            (chooser(films))
            @if let [only] = films { (stage(only, "The scene")) } @else {
                div.stages {
                    @for (screening, side) in films.iter().zip(SIDES) {
                        div class=(side) {
                            (stage(screening, screening.name))
                            p.caption { span { (screening.name) } output {} }
                        }
                    }
                }
            }
            div.controls {
                button #play type="button" title="Space or K" { "Play" }
                input #place type="range" min="0" value="0" step="1" aria-label="Step" title="Arrow keys: one step, with Shift ten";
                label { "Speed "
                    select #speed title="< and >" {
                        @for speed in ["0.1", "0.25", "0.5", "1", "2", "4"] { option value=(speed) selected[speed == "1"] { (speed) " ×" } }
                    }
                }
            }
            dl.now {
                div { dt { "step" } dd #step {} }
                div { dt { "time" } dd #time {} }
                div { dt { "action" } dd #action {} }
                div { dt { "reward" } dd #reward {} }
                div { dt { "return so far" } dd #return {} }
            }
            @if let [_, _] = films {
                ul.legend { @for (screening, side) in films.iter().zip(SIDES) { li class=(side) { (screening.name) } } }
            }
            div #plots {}
            (keys())
        }
    }
}

/// Classes of the films, which are their colours where there are two.
const SIDES: [&str; 2] = ["first", "second"];

fn stage(screening: &Screening<'_>, name: &str) -> Markup {
    let empty = screening.film.episodes.iter().flat_map(|episode| &episode.frames).all(|frame| frame.scene.parts.is_empty());
    html! {
        @if empty { p.empty { "There is nothing to draw: where these episodes began is not known." } }
        svg.stage hidden[empty] role="img" aria-label=(label::plain(name)) {}
    }
}

/// The episodes to choose from: numbers, returns, lengths and endings of one film, returns and lengths of two.
fn chooser(films: &[Screening<'_>]) -> Markup {
    let first = &films[0].film.episodes;
    let total = |episode: &crate::rollout::film::Episode| episode.rewards.iter().sum::<f64>();
    let means: Vec<String> =
        films.iter().map(|screening| number(mean(&screening.film.episodes.iter().map(total).collect::<Vec<_>>()))).collect();
    let each = |index: usize, say: &dyn Fn(&crate::rollout::film::Episode) -> String| {
        let said = films.iter().zip(SIDES).filter_map(|(screening, side)| Some((screening.film.episodes.get(index)?, side)));
        html! {
            @for (place, (episode, side)) in said.enumerate() {
                @if place > 0 { " / " }
                @if films.len() > 1 { span class=(side) { (say(episode)) } } @else { (say(episode)) }
            }
        }
    };
    html! {
        fieldset #episodes {
            legend { "Episodes" @if first.len() > 1 { ", mean return " (means.join(" / ")) } }
            @for (index, episode) in first.iter().enumerate() {
                label {
                    input type="radio" name="episode" value=(index) checked[index == 0];
                    b { (episode.number) } " return " (each(index, &|episode| number(total(episode)))) ", "
                    (each(index, &|episode| count(episode.rewards.len() as u64))) " steps"
                    @if films.len() == 1 {
                        @if episode.terminated { ", ended" } @else if episode.truncated { ", time up" } @else { ", broken off" }
                    }
                }
            }
        }
    }
}

fn keys() -> Markup {
    let rows: [(&[&str], &str); 6] = [
        (&["Space", "K"], "play"),
        (&["←", "→", "J", "L"], "step, with Shift ten"),
        (&["Home", "End"], "ends"),
        (&["0", "9"], "tenths"),
        (&["<", ">"], "speed"),
        (&["↑", "↓"], "episode"),
    ];
    html! {
        p.keys {
            @for (keys, what) in rows {
                span { @for key in keys { kbd { (key) } " " } (what) }
                " "
            }
        }
    }
}
