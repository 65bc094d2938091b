//! What it cost: the two ledgers, and what was tried before.

use super::Shown;
use crate::choose::{Configuration, Lessons, Method};
use crate::report::number::{count, counted, number};
use crate::study::{Arm, Definition};
use maud::{Markup, html};

pub(super) fn section(definition: &Definition, shown: &Shown<'_>) -> Markup {
    html! {
        h3 { "What it cost" }
        div.scroll {
            table.cost {
                thead {
                    tr {
                        th scope="col" { "method" }
                        th.number scope="col" { "target steps" }
                        th.number scope="col" { abbr title="Target steps, counted above, in which only the critic moves" { "of them warm-up" } }
                        th.number scope="col" { abbr title="Target steps on the tuning seeds, not counted in the verdict" { "tuning, apart" } }
                        th.number scope="col" { "source" }
                        th.number scope="col" { "all steps of a run" }
                        th scope="col" { "learning rate" }
                    }
                }
                tbody { @for arm in &shown.found.arms { (row(definition, shown, arm)) } }
            }
        }
        p.hint { "Normalisers learn in the same steps, evaluation episodes are not counted; the reference's steps are for the yardstick alone." }
        @if let Some(lessons) = &shown.pair.lessons { p.hint { (demonstrations(lessons)) } }
    }
}

/// What the columns leave out where there are demonstrations.
fn demonstrations(lessons: &Lessons) -> String {
    let episodes = &lessons.chosen.episodes;
    let steps = counted(episodes.iter().map(|episode| episode.len() as u64).sum(), "step");
    format!(
        "The demonstrations are counted nowhere: {} of {steps} in all, nor what it took to make the expert that gave them. Cloning takes gradient \
         steps and none in the target. The learning rate is that of PPO, of bc that of cloning.",
        counted(episodes.len() as u64, "episode"),
    )
}

fn row(definition: &Definition, shown: &Shown<'_>, arm: &Arm) -> Markup {
    let steps = if arm.method.learns() { shown.found.steps } else { 0 };
    let source = if arm.method.needs_source() { shown.pair.origin_of(arm.method).steps() } else { Some(0) };
    let known = |steps: Option<u64>| steps.map_or_else(|| "unknown".to_owned(), count);
    let tuning = arm.trials.iter().map(|trial| trial.values.len() as u64 * steps).sum::<u64>();
    let configuration = shown.pair.configuration(arm.method, arm.factor);
    html! {
        tr {
            th.method scope="row" { (arm.method.name()) }
            td.number data-label="target steps" { (count(steps)) }
            td.number data-label="warm-up" { (count(warm_up(arm.method, &configuration).min(steps))) }
            td.number data-label="tuning" { (count(tuning)) }
            td.number data-label="source" { (known(source)) }
            td.number data-label="all" { (known(source.map(|source| steps.saturating_add(source)))) }
            td data-label="learning rate" {
                @if arm.method.has_learning_rate() {
                    (number_of_rate(configuration.learning_rate(arm.method))) " (× " (arm.factor) ")"
                    @if definition.tunes() && arm.trials.len() > 1 { small { "tried " (tried(arm)) } }
                }
            }
        }
    }
}

/// A rate as people write it.
fn number_of_rate(rate: f64) -> String {
    format!("{rate:e}").replace('-', "−")
}

fn tried(arm: &Arm) -> String {
    let trial = |trial: &crate::study::stages::Trial| format!("× {}: {}", trial.factor, number(crate::stats::mean(&trial.values)));
    arm.trials.iter().map(trial).collect::<Vec<_>>().join(", ")
}

fn warm_up(method: Method, configuration: &Configuration) -> u64 {
    match method {
        Method::FineTune => configuration.fine_tune.as_ref().map_or(0, |config| config.critic_warm_up),
        Method::Dapg | Method::BehaviourRegularised => configuration.after_cloning.as_ref().map_or(0, |config| config.critic_warm_up),
        _ => 0,
    }
}
