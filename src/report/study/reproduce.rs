//! How to make the study again: its file, its command, and everything that the bits depend on.

use crate::choose::{Method, words};
use crate::nn::numerics;
use crate::report::number::count;
use crate::study::Definition;
use crate::study::definition::SOURCE_SEEDS;
use maud::{Markup, html};

pub(super) fn section(definition: &Definition) -> Markup {
    let numerics = definition.pairs.first().map(|pair| numerics::describe(&pair.configuration(Method::Scratch, 1.0).ppo.activation));
    html! {
        section #reproduce {
            h2 { "Make it again" }
            p { "With this text as " code { "studies/" (definition.name) ".ron" } ":" }
            pre { (definition.text.trim_end()) }
            pre.command { "heirloom compare " (words::quoted(&format!("studies/{}.ron", definition.name))) (definition.options) }
            dl {
                dt { "program" }
                dd { "heirloom " (env!("CARGO_PKG_VERSION")) }
                @if let Some(numerics) = numerics {
                    dt { "numerics" }
                    dd { (numerics) ": the same bits come out wherever these are the same, for any number of threads" }
                }
                dt { "seeds" }
                dd {
                    "reported " (range(&definition.seed_range()))
                    @if definition.tunes() { ", tuning " (range(&definition.tuning_range())) }
                    ", reference " (range(&definition.reference_range())) "; the source of seed s is learned with seed s + " (SOURCE_SEEDS)
                    "; evaluation episodes have the run's seed, so that all methods are measured from the same start states"
                }
                dt { "steps" }
                dd {
                    @for pair in &definition.pairs { (pair.name) ": " (count(pair.steps)) " in the target, " (count(pair.reference_steps)) " for the reference. " }
                }
            }
            @for pair in &definition.pairs {
                details {
                    summary { "Configurations of " (pair.name) ", before tuning" }
                    @for (method, configuration) in &pair.configurations {
                        h4 { (method.name()) }
                        pre { (configuration.to_ron()) }
                    }
                    h4 { "environment" }
                    pre { (pair.target.to_ron()) }
                }
            }
        }
    }
}

fn range(seeds: &std::ops::Range<u64>) -> String {
    if seeds.end - seeds.start == 1 { seeds.start.to_string() } else { format!("{} to {}", seeds.start, seeds.end - 1) }
}
