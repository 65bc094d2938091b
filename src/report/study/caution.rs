//! What so many seeds can say, and what they cannot.

use super::seeds;
use crate::study::Definition;
use maud::{Markup, html};

pub(super) fn section(definition: &Definition) -> Markup {
    let policies = match definition.sources.len() {
        1 => "this one policy",
        _ => "these policies",
    };
    html! {
        section #caution {
            h2 { "What " (seeds(definition)) " can say" }
            p { (about_seeds(definition.seeds)) }
            p {
                "Every seed is another run of the adaptation, not another source: what is seen here holds for " (policies) ", and another one,
                trained in the same environment from another seed, may do better or worse than any interval here. Where several methods and targets
                stand side by side, the highest of many means is partly luck. This page describes; it is not a verdict."
            }
        }
    }
}

fn about_seeds(seeds: u64) -> &'static str {
    match seeds {
        1 => {
            "One seed shows that a run can end like this, and nothing about how it usually ends. No interval can be drawn, and no difference to
            scratch can be told from chance."
        }
        2..=4 => {
            "So few seeds make intervals that are honest but very wide, and they are honest only if returns scatter evenly around their mean: one
            run in five that fails outright may not have shown itself yet. Take a difference seriously where intervals lie far apart; plan
            ten seeds or more where they do not."
        }
        5..=9 => {
            "The intervals are honest if returns scatter evenly around their mean; where some runs fail outright they are too narrow. Two
            intervals that overlap leave open which method is better. Ten seeds or more are needed for most differences, and should be planned
            before the first look: seeds that are added afterwards make any finding exploratory."
        }
        _ => {
            "The intervals hold 95 % of the time if returns scatter evenly around their mean, and about 87 to 91 % of the time if one run in five
            fails outright. Two intervals that overlap do not show that methods are equal."
        }
    }
}
