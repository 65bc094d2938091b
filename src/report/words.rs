//! The verdict in sentences, for the page and the terminal.

use super::number::{count, counted, difference, number, short};
use crate::choose::Method;
use crate::study::definition::ENOUGH_SEEDS;
use crate::study::results::{Against, Pays, against_control};
use crate::study::verdict::{Budget, MARGIN};
use crate::study::{Arm, Definition, Measure, Origin, Pair, PairResults, Verdict};

/// `[low, high]`.
#[must_use]
pub fn limits(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(|| "—".to_owned(), |[low, high]| format!("[{}, {}]", number(low), number(high)))
}

/// Who is judged: one policy, or policies from an environment.
#[must_use]
pub fn subject(pair: &Pair) -> String {
    match &pair.origin {
        Origin::Policy(source) => format!("the policy {}", source.name()),
        Origin::Environment { environment, steps: 0 } => format!("a policy from {} that learned nothing", environment.name),
        Origin::Environment { environment, .. } => format!("a policy from {}", environment.name),
    }
}

/// The verdict on an arm, in one sentence that can be quoted.
#[must_use]
pub fn sentence(pair: &Pair, found: &PairResults, arm: &Arm) -> String {
    let scratch = found.scratch();
    let place = format!("{} of {} in {}", doing(arm.method), subject(pair), pair.target.name);
    let numbers = format!(
        "its {} is {}, scratch's {}",
        match pair.measure {
            Measure::Mean => format!("mean return over {} steps", count(pair.steps)),
            Measure::Final => format!("return at the end of {} steps", count(pair.steps)),
        },
        number(arm.mean.value),
        number(scratch.mean.value)
    );
    let Some(comparison) = arm.against.as_ref().and_then(|against| against.comparison) else {
        let seeds = counted(arm.values.len() as u64, "seed");
        return format!("{place}: {numbers}. From {seeds} no interval can be drawn and no difference told from chance: no verdict.");
    };
    let share = share(found, comparison.welch.difference);
    let apart = format!("{} {}{share}", difference(comparison.welch.difference), limits(Some(comparison.interval)));
    match comparison.verdict {
        Verdict::Helped if comparison.welch.difference < comparison.margin => format!("{place} helped, but by little: {numbers}; {apart}."),
        Verdict::Helped => format!("{place} helped: {numbers}; {apart}."),
        Verdict::Hurt if -comparison.welch.difference < comparison.margin => format!("{place} hurt, but by little: {numbers}; {apart}."),
        Verdict::Hurt => format!("{place} hurt: {numbers}; {apart}."),
        Verdict::Equivalent => {
            format!("{place} made no difference that matters: {numbers}; {apart} is inside ±{}.", number(comparison.margin))
        }
        Verdict::Undecided => {
            let more = comparison.seeds.map_or_else(
                || "more than a thousand seeds would be needed".to_owned(),
                |seeds| format!("about {seeds} seeds would decide"),
            );
            format!("{place} is undecided: {numbers}; {apart}; {more}.")
        }
    }
}

fn share(found: &PairResults, apart: f64) -> String {
    let range = found.anchors.range();
    if range > 0.0 { format!(", {} % of the way from random to the reference", short(100.0 * apart / range)) } else { String::new() }
}

const fn doing(method: Method) -> &'static str {
    match method {
        Method::ZeroShot => "Zero-shot use",
        Method::Scratch => "Learning from scratch instead",
        Method::FineTune => "Fine-tuning",
        Method::ResetHead => "Resetting the heads",
        Method::FeatureExtraction => "Extracting the features",
    }
}

/// The verdict at one budget of the band.
#[must_use]
pub fn at_budget(budget: &Budget) -> String {
    let apart = format!("{} {}", difference(budget.difference()), limits(budget.interval));
    let numbers = format!("{} against {}", number(budget.arm), number(budget.scratch));
    match budget.verdict {
        Some(verdict) => format!("{}: {numbers}, {apart}", verdict.name()),
        None => format!("{numbers}, too few seeds for a verdict"),
    }
}

/// The verdict at one budget of the band, in one sentence.
#[must_use]
pub fn budget_sentence(arm: &Arm, budget: &Budget) -> String {
    let does = match budget.verdict {
        Some(Verdict::Helped) => "helps",
        Some(Verdict::Hurt) => "hurts",
        Some(Verdict::Equivalent) => "makes no difference that matters",
        Some(Verdict::Undecided) => "may help or hurt: it is undecided",
        None => "cannot be judged from so few seeds",
    };
    let apart = format!("{} {}", difference(budget.difference()), limits(budget.interval));
    format!("{} {does}: {} against scratch's {}, {apart}.", doing(arm.method), number(budget.arm), number(budget.scratch))
}

/// What is to be known before the verdict is believed, and what follows from it; in the order of weight.
#[must_use]
pub fn notes(definition: &Definition, pair: &Pair, found: &PairResults) -> Vec<String> {
    let mut notes = Vec::new();
    if let Origin::Policy(_) = pair.origin {
        notes.push("One policy was moved: the seeds are those of its adaptation, and the verdict is about this policy alone. Another one from the same environment may do better or worse; `--source` judges the environment.".to_owned());
    }
    if definition.seeds < ENOUGH_SEEDS {
        notes.push(format!(
            "{} only: below {ENOUGH_SEEDS} an interval is honest only where returns scatter evenly.",
            counted(definition.seeds, "seed")
        ));
    }
    for arm in found.arms.iter().filter(|arm| !arm.failed.is_empty()) {
        let seeds: Vec<String> = arm.failed.iter().map(u64::to_string).collect();
        notes.push(format!("{} diverged with seed {} and counts there as the worst return of all.", arm.method.name(), seeds.join(", ")));
    }
    for copy in &found.copies {
        notes.push(format!("{copy}: was something copied? They count as several runs and are one."));
    }
    if found.anchors.range() <= 0.0 {
        notes.push(
            "Scratch does not get beyond random actions here, not even at the long budget: there is nothing to measure a transfer by."
                .to_owned(),
        );
    } else if found.weak_baseline {
        notes.push(format!(
            "A weak baseline: within {} steps scratch comes to {}, short of the {} that it reaches in {}. What helps here may only be sooner, not better.",
            count(pair.steps),
            number(found.scratch().metrics.asymptotic),
            number(found.anchors.reference),
            count(pair.reference_steps)
        ));
    }
    for (arm, against) in found.arms.iter().filter_map(|arm| Some((arm, arm.against.as_ref()?))) {
        notes.extend(arm_notes(found, arm, against));
    }
    notes
}

fn arm_notes(found: &PairResults, arm: &Arm, against: &Against) -> Vec<String> {
    let name = arm.method.name();
    let mut notes = Vec::new();
    if against.saturated {
        notes
            .push(format!("{name} and scratch are both within a hundredth of the ceiling: the task is saturated and tells nothing apart."));
    }
    if let Some(steps) = against.sure_of_the_wrong {
        notes.push(format!(
            "{name} is sure of the wrong thing: after {} steps its entropy is below a tenth of the greatest while its return is below scratch's. The usual remedy is `reset-head`.",
            count(steps)
        ));
    }
    if found.headline().is_some_and(|headline| headline.method == arm.method) {
        if let Some(first) = against.sign_changes.first() {
            let direction = if against.band.first().is_some_and(|budget| budget.difference() < 0.0) {
                "behind scratch before, ahead of it after"
            } else {
                "ahead of scratch before, behind it after"
            };
            let more = if against.sign_changes.len() > 1 { ", and back again later" } else { "" };
            notes.push(format!("The sign of {name}'s difference changes at about {} steps: {direction}{more}.", count(*first)));
        }
        if let Some(control) = &found.control {
            let apart = against_control(arm, control);
            notes.push(format!(
                "With every step counted, the source's too, scratch gets {} steps and comes to {}: {name} stands at {} against that, {}.",
                count(control.steps),
                number(crate::stats::mean(&control.finals)),
                difference(apart.value),
                limits(apart.interval)
            ));
        }
        notes.extend(pays(name, against.pays));
    }
    notes
}

fn pays(name: &str, pays: Pays) -> Option<String> {
    match pays {
        Pays::After(targets) => Some(format!(
            "The source pays for itself after {} of this kind: so much sooner is {name} at the threshold.",
            counted(targets, "target")
        )),
        Pays::AtMost(targets) => Some(format!(
            "The source pays for itself after {} of this kind at most: scratch does not reach the threshold within all steps.",
            counted(targets, "target")
        )),
        Pays::Never => Some(format!("The source does not pay for itself: {name} is no sooner at the threshold than scratch.")),
        Pays::Unknown => Some(format!("Whether the source pays for itself is open: half of {name}'s runs do not reach the threshold.")),
        Pays::Free => None,
    }
}

/// The rule by which verdicts are reached, in full.
#[must_use]
pub fn rule(definition: &Definition) -> Vec<String> {
    let comparisons = definition.pairs.len() * definition.methods.len().saturating_sub(1);
    let tuning = if definition.tunes() {
        format!(
            "Every arm that learns, scratch too, tried its learning rate times {} on seeds {} to {} and runs with the best; the method that speaks for a pair was chosen on the same seeds. They are not among the seeds that are reported.",
            definition.tuning.learning_rates.iter().map(f64::to_string).collect::<Vec<_>>().join(", "),
            definition.tuning.first_seed,
            definition.tuning.first_seed + definition.tuning.seeds - 1
        )
    } else {
        "No learning rate was tuned, for no arm.".to_owned()
    };
    vec![
        "One number for each run: the mean return over the whole budget (the area under its learning curve, divided by its length), or the mean of the evaluations in the last tenth of it, as the study declared beforehand for each pair. The last policy counts, never the best.".to_owned(),
        "The unit is the source seed. Where sources are learned in an environment, source i feeds adaptation i, so that the scatter between sources is in every interval; where one policy is moved, the verdict is about this policy.".to_owned(),
        tuning,
        format!("Measured before the first step and {} times on the way over {} episodes ({} at both ends), with the most probable action, from start states that all arms share.", definition.evaluations, definition.episodes, crate::study::cell::EPISODES_AT_ENDS.max(definition.episodes)),
        format!("The difference of means to scratch is tested by Welch's t. {} are one family: Holm's correction keeps the chance that any of them is called helped or hurt by mistake at 5 % for the whole study, and each interval stands at the level of its step.", counted(comparisons as u64, "comparison")),
        format!("Helped or hurt: that interval excludes 0. Equivalent: it includes 0 and lies inside ±{} % of the way from random actions to the reference, which is what scratch reaches at a long budget. Undecided: neither; it is reported with about the number of seeds that would decide with 80 % power.", 100.0 * MARGIN),
        "Bands over budgets are Bonferroni's for their budgets together. IQM, probability of improvement and transfer ratio describe, with percentile bootstrap intervals; they decide nothing.".to_owned(),
    ]
}
