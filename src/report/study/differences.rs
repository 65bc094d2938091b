//! In what the target differs from the environment that the source was trained in, side by side.

use super::Shown;
use crate::env::{Registry, Spec};
use crate::study::Origin;
use maud::{Markup, html};

pub(super) fn table(shown: &Shown<'_>, registry: &Registry) -> Markup {
    let target = &shown.pair.target;
    let source = match &shown.pair.origin {
        Origin::Environment { environment, .. } => (**environment).clone(),
        Origin::Policy(source) => {
            let provenance = &source.card.provenance;
            let Ok(source) = Spec::from_ron(registry, &provenance.environment, &provenance.environment_ron) else {
                return html! {
                    h3 { "What is different" }
                    p { "This program does not know the environment that the policy was trained in. Its card says:" }
                    pre { (provenance.environment_ron) }
                };
            };
            source
        }
    };
    let differences = source.differences(target);
    html! {
        h3 { "What is different" }
        @if differences.is_empty() {
            p { "Nothing: the target is the environment that the policy was trained in." }
        } @else {
            div.scroll {
                table.differences {
                    thead {
                        tr {
                            th scope="col" { "" }
                            th scope="col" { "trained in " (source.name) }
                            th scope="col" { "moved to " (target.name) }
                            th scope="col" { "" }
                        }
                    }
                    tbody {
                        @for (name, here, there) in &differences {
                            tr {
                                th scope="row" { (name.replace('_', " ")) small { (about(registry, target, name)) } }
                                td { (here) }
                                td { (there) }
                                td.ratio { (ratio(here, there)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Unit and sentence of a parameter, where the simulator has it.
fn about(registry: &Registry, spec: &Spec, name: &str) -> String {
    let Ok(simulator) = registry.simulator_of(spec) else { return String::new() };
    let found = simulator.context.iter().chain(&simulator.objective).find(|parameter| parameter.name == name);
    found.map_or_else(String::new, |parameter| match parameter.unit {
        "" => parameter.about.replace('`', ""),
        unit => format!("{unit}; {}", parameter.about.replace('`', "")),
    })
}

/// How many times as much, where both are numbers.
fn ratio(here: &str, there: &str) -> String {
    match (here.parse::<f64>(), there.parse::<f64>()) {
        (Ok(here), Ok(there)) if here != 0.0 && (there / here).is_finite() => format!("× {}", crate::report::number::number(there / here)),
        _ => String::new(),
    }
}
