//! How to make the study again: its file, its command, and everything that the bits depend on.

use crate::choose::Method;
use crate::nn::numerics;
use crate::report::number::count;
use crate::study::Definition;
use maud::{Markup, html};

pub(super) fn section(definition: &Definition) -> Markup {
    let numerics = definition.targets.first().map(|target| numerics::describe(&target.configuration(Method::Scratch).ppo.activation));
    html! {
        section #reproduce {
            h2 { "Make it again" }
            p { "With the policies above under their names and this text as " code { "studies/" (definition.name) ".ron" } ":" }
            pre { (definition.text.trim_end()) }
            pre.command { "heirloom compare studies/" (definition.name) ".ron" (definition.options) }
            dl {
                dt { "program" }
                dd { "heirloom " (env!("CARGO_PKG_VERSION")) }
                @if let Some(numerics) = numerics {
                    dt { "numerics" }
                    dd { (numerics) ": the same bits come out wherever these are the same, for any number of threads" }
                }
                dt { "seeds" }
                dd {
                    (definition.first_seed) @if definition.seeds > 1 { " to " (definition.first_seed + definition.seeds - 1) }
                    ", of the runs and of their evaluation episodes: all methods are measured from the same start states"
                }
                dt { "measured" }
                dd {
                    "at the start and " (definition.evaluations) " times on the way, " (definition.episodes) " episodes each, with the most probable
                    action; the last policy of a run counts, not its best"
                }
                dt { "steps" }
                dd { (count(definition.steps)) " in the target for every method that learns; those in which the source learned are not counted" }
            }
            @for target in &definition.targets {
                details {
                    summary { "Configurations in " (target.environment.name) }
                    @for (method, configuration) in &target.configurations {
                        h4 { (method.name()) }
                        pre { (configuration.to_ron()) }
                    }
                    h4 { "environment" }
                    pre { (target.environment.to_ron()) }
                }
            }
        }
    }
}
