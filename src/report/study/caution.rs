//! The rule of the verdict in full, and what so many seeds can say.

use super::{seeds, words};
use crate::study::Definition;
use maud::{Markup, html};

pub(super) fn section(definition: &Definition) -> Markup {
    html! {
        section #rule {
            h2 { "How the verdict is reached" }
            ol.rule { @for step in words::rule(definition) { li { (step) } } }
            h3 #caution { "What " (seeds(definition)) " can say" }
            p { (about_seeds(definition.seeds)) }
            p {
                "A verdict is about these environments, this learner and these budgets. Seeds that are added after a first look, or a plan that is changed
                after it, make the next verdict exploratory, and the report says so."
            }
        }
    }
}

fn about_seeds(seeds: u64) -> &'static str {
    match seeds {
        0..=2 => {
            "One seed or two show that a run can end like this, and nothing about how it usually ends. No interval can be drawn, and no difference to
            scratch can be told from chance: there is no verdict."
        }
        3..=4 => {
            "So few seeds make intervals that are honest but very wide, and they are honest only if returns scatter evenly around their mean: by
            simulation a 95 % bootstrap interval of so few covers 77 to 82 % where returns are normal, 54 to 68 % where one run in five fails. Take a
            difference seriously where intervals lie far apart; plan ten seeds or more where they do not."
        }
        5..=9 => {
            "The intervals are honest if returns scatter evenly around their mean; where some runs fail outright they are too narrow: by simulation
            a 95 % bootstrap interval covers 84 to 90 % where returns are normal, 68 to 87 % where one run in five fails. Ten seeds or more are needed for
            most differences, and should be planned before the first look."
        }
        _ => {
            "The intervals hold 95 % of the time if returns scatter evenly around their mean, and about 87 to 91 % of the time if one run in five
            fails outright. Two intervals that overlap do not show that methods are equal."
        }
    }
}
