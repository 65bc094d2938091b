//! The page that plays a film: the scene, what the policy sees, does and earns, forwards, backwards and step by step.

mod reel;

use super::number::{count, number};
use super::page::{self, Page};
use crate::rollout::Film;
use crate::stats::mean;
use maud::{Markup, html};

/// What the page says beside the film.
#[derive(Debug, Clone, PartialEq)]
pub struct Credits {
    /// The policy's name.
    pub policy: String,
    /// The environment's name.
    pub environment: String,
    /// The environment in a sentence.
    pub about: String,
    /// The command that makes the page again.
    pub command: String,
    /// Time between two frames, where the environment says.
    pub seconds_per_step: Option<f64>,
}

/// The page as HTML.
#[must_use]
pub fn page(film: &Film, credits: &Credits) -> String {
    let title = format!("{} in {}", credits.policy, credits.environment);
    let body = html! {
        main {
            header {
                p.kicker { "Watch" }
                h1 { (title) }
                p.lead { (credits.about) }
            }
            (player(film))
            (page::json("film", &reel::reel(film, credits.seconds_per_step)))
        }
        footer { p { "Made by " code { (credits.command) } " (heirloom " (env!("CARGO_PKG_VERSION")) "). This file loads nothing and sends nothing." } }
    };
    Page { title: &title, style: include_str!("watch.css"), script: include_str!("watch.js"), body }.text()
}

fn player(film: &Film) -> Markup {
    let returns: Vec<f64> = film.episodes.iter().map(|episode| episode.rewards.iter().sum()).collect();
    html! {
        noscript { p { "The film needs this page's own script, which is switched off." } }
        div #player hidden {
            fieldset #episodes {
                legend { "Episodes" @if returns.len() > 1 { ", mean return " (number(mean(&returns))) } }
                @for (index, (episode, total)) in film.episodes.iter().zip(&returns).enumerate() {
                    label {
                        input type="radio" name="episode" value=(index) checked[index == 0];
                        b { (index) } " return " (number(*total)) ", " (count(episode.rewards.len() as u64)) " steps"
                        @if episode.terminated { ", ended" } @else { ", time up" }
                    }
                }
            }
            svg #stage role="img" aria-label="The scene" {}
            div.controls {
                button #play type="button" title="Space" { "Play" }
                input #place type="range" min="0" value="0" step="1" aria-label="Step" title="Arrow keys: one step, with Shift ten";
                label { "Speed "
                    select #speed {
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
            div #plots {}
        }
    }
}
