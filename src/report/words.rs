//! The verdict in sentences, for the page and the terminal.

use super::number::{count, counted, difference, number, short};
use crate::choose::Method;
use crate::study::definition::ENOUGH_SEEDS;
use crate::study::results::{Against, Idle, Pays, against_control};
use crate::study::verdict::{Budget, MARGIN, SignChange};
use crate::study::{Arm, Definition, Measure, Origin, Pair, PairResults, Verdict};

/// `[low, high]`.
#[must_use]
pub fn limits(interval: Option<[f64; 2]>) -> String {
    interval.map_or_else(|| "—".to_owned(), |[low, high]| format!("[{}, {}]", number(low), number(high)))
}

/// Who is judged: one policy, or policies from an environment.
#[must_use]
pub fn subject(pair: &Pair, method: Method) -> String {
    match pair.origin_of(method) {
        Origin::Policy(source) => format!("the policy {}", source.name()),
        Origin::Environment { environment, steps: 0 } => format!("a policy from {} that learned nothing", environment.name),
        Origin::Environment { environment, .. } => format!("a policy from {}", environment.name),
    }
}

/// The verdict on an arm, in one sentence that can be quoted.
#[must_use]
pub fn sentence(pair: &Pair, found: &PairResults, arm: &Arm) -> String {
    let scratch = found.scratch();
    let place = match pair.demonstrations().filter(|_| arm.method.takes_demonstrations()) {
        Some(demonstrations) if !arm.method.needs_source() => {
            format!("{} from {demonstrations} in {}", doing(arm.method), pair.target.name)
        }
        Some(demonstrations) => {
            format!("{} of {} with {demonstrations} in {}", doing(arm.method), subject(pair, arm.method), pair.target.name)
        }
        None => format!("{} of {} in {}", doing(arm.method), subject(pair, arm.method), pair.target.name),
    };
    let numbers = format!(
        "its {} is {}, scratch's {}",
        match pair.measure {
            Measure::Mean => format!("mean return over {} steps", count(found.steps)),
            Measure::Final => format!("return at the end of {} steps", count(found.steps)),
        },
        number(arm.mean.value),
        number(scratch.mean.value)
    );
    let Some(comparison) = arm.against.as_ref().and_then(|against| against.comparison) else {
        let seeds = counted(arm.values.len() as u64, "seed");
        return format!("{place}: {numbers}. From {seeds} no interval can be drawn and no difference told from chance: no verdict.");
    };
    let share = share(found, comparison.welch.difference);
    // Holm decides more than intervals that hold together can show: then its own step is shown too.
    let step = comparison.decisive_step().map_or_else(String::new, |step| format!(" (at the level of its step {})", limits(Some(step))));
    let apart = format!("{} {}{step}{share}", difference(comparison.welch.difference), limits(Some(comparison.interval)));
    match comparison.verdict {
        Verdict::Helped if comparison.welch.difference < comparison.margin => format!("{place} helped, but by little: {numbers}; {apart}."),
        Verdict::Helped => format!("{place} helped: {numbers}; {apart}."),
        Verdict::Hurt if -comparison.welch.difference < comparison.margin => format!("{place} hurt, but by little: {numbers}; {apart}."),
        Verdict::Hurt => format!("{place} hurt: {numbers}; {apart}."),
        Verdict::Equivalent => {
            format!(
                "{place} made no difference that matters: {numbers}; the difference of {} {} is inside ±{}.",
                difference(comparison.welch.difference),
                limits(Some(comparison.interval)),
                number(comparison.margin)
            )
        }
        Verdict::Undecided => {
            let more = match comparison.seeds {
                Some(seeds) => format!("about {seeds} seeds would decide"),
                None if comparison.welch.error == 0.0 => "nothing varies, and there is nothing to measure it by".to_owned(),
                None => "more than a thousand seeds would be needed".to_owned(),
            };
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
        Method::Bc => "Behaviour cloning",
        Method::Dagger => "DAgger",
        Method::Gail => "GAIL",
        Method::Airl => "AIRL",
        Method::Dapg => "DAPG",
        Method::BehaviourRegularised => "Behaviour-regularised PPO",
        Method::LearnedReward => "Learning on the recovered reward",
        Method::Iql => "IQL",
        Method::Td3Bc => "TD3+BC",
        Method::Rlpd => "RLPD",
        Method::Maml => "MAML",
        Method::Fomaml => "First-order MAML",
        Method::Anil => "ANIL",
        Method::MetaSgd => "Meta-SGD",
        Method::Promp => "ProMP",
        Method::Reptile => "Reptile",
        Method::Pooled => "Pooled pre-training",
        Method::DomainRandomization => "Domain randomization",
        Method::Oracle => "An oracle of the task",
        Method::Rl2 => "RL²",
        Method::Adapt => "Adapting by inner steps",
        Method::Trpo => "TRPO from nothing",
        Method::Sac => "SAC from nothing",
        Method::Td3 => "TD3 from nothing",
        Method::Dqn => "DQN from nothing",
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
        Some(Verdict::Undecided) => "may help or hurt, which is undecided",
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
    for failure in &found.failed {
        notes.push(format!("A run of {failure}. It counts as the worst return of all."));
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
            count(found.steps),
            number(found.scratch().metrics.asymptotic),
            number(found.anchors.reference),
            count(pair.reference_steps)
        ));
    }
    if pair.reference_steps < pair.known_steps {
        notes.push(format!(
            "The reference is what scratch reaches in {} steps; this task is known to be learned after {}. Shares, margin and threshold stand on less than there is to learn.",
            count(pair.reference_steps),
            count(pair.known_steps)
        ));
    }
    if found.evaluations < definition.evaluations {
        notes.push(format!(
            "{} on the way instead of {}: an update takes {} steps.",
            counted(found.evaluations, "evaluation"),
            definition.evaluations,
            count(pair.configurations[0].1.ppo.rollout_steps())
        ));
    }
    for (arm, against) in found.arms.iter().filter_map(|arm| Some((arm, arm.against.as_ref()?))) {
        notes.extend(arm_notes(pair, found, arm, against));
    }
    notes
}

fn arm_notes(pair: &Pair, found: &PairResults, arm: &Arm, against: &Against) -> Vec<String> {
    let name = arm.method.name();
    let mut notes = Vec::new();
    match against.idle {
        Some(Idle::Saturated) => {
            notes.push(format!(
                "{name} and scratch are both within a hundredth of the ceiling: the task is saturated and tells nothing apart."
            ));
        }
        Some(Idle::AtRandom) => {
            notes.push(format!(
                "{name} and scratch both stand where random actions stand: neither has learned the task within this budget."
            ));
        }
        None => {}
    }
    if let Some(steps) = against.sure_of_the_wrong {
        let remedy = match arm.method {
            Method::FineTune => "the usual remedy is `reset-head`",
            _ => "a larger `ppo.entropy_coefficient` may help",
        };
        notes.push(format!(
            "{name} is sure of the wrong thing: after {} steps its entropy is below a tenth of the greatest (of a Gaussian: its deviation below a tenth of what scratch starts with) while its return is below scratch's; {remedy}.",
            count(steps)
        ));
    }
    if !found.speaking().iter().any(|speaking| speaking.method == arm.method) {
        return notes;
    }
    if let Some(first) = against.sign_changes.first() {
        notes.push(sign_change(pair, name, first, against.sign_changes.len() > 1));
    }
    if let (Some(control), true) = (&found.control, arm.method.learns() && arm.method.needs_source() && !pair.starts_elsewhere(arm.method))
    {
        let apart = against_control(arm, control);
        notes.push(format!(
            "With every step counted, the source's too, scratch gets {} steps and comes to {} at their end: {name} ends {} {} from that.",
            count(control.steps),
            number(crate::stats::mean(&control.finals)),
            difference(apart.value),
            limits(apart.interval)
        ));
    }
    notes.extend(pays(name, against.pays));
    notes
}

fn sign_change(pair: &Pair, name: &str, change: &SignChange, more: bool) -> String {
    let what = match pair.measure {
        Measure::Mean => "mean return up to there",
        Measure::Final => "return",
    };
    let (before, after) = if change.upwards { ("behind", "ahead of") } else { ("ahead of", "behind") };
    let sure = if change.confirmed { "both sides are decided" } else { "only one side is decided, the other may be chance" };
    let again = if more { "; it changes again later" } else { "" };
    format!(
        "By its {what}, {name} is {before} scratch before about {} steps and {after} it afterwards: {sure}{again}.",
        count(change.steps)
    )
}

fn pays(name: &str, pays: Pays) -> Option<String> {
    match pays {
        Pays::After(targets) => Some(format!(
            "The source pays for itself after {} of this kind: so much sooner is {name} at the threshold.",
            counted(targets, "target")
        )),
        Pays::AtMost(targets) => Some(format!(
            "The source pays for itself after {} of this kind at most: scratch does not reach the threshold within the steps that it was given.",
            counted(targets, "target")
        )),
        Pays::Never => Some(format!("The source does not pay for itself: {name} is no sooner at the threshold than scratch.")),
        Pays::Unknown => Some(format!("Whether the source pays for itself is open: half of {name}'s runs do not reach the threshold.")),
        Pays::Unasked => None,
    }
}

/// The rule by which verdicts are reached, in full.
#[must_use]
pub fn rule(definition: &Definition) -> Vec<String> {
    let comparisons = definition.pairs.len() * definition.methods.len().saturating_sub(1);
    let tuning = match definition.tuning.learning_rates.as_slice() {
        [1.0] => "No learning rate was tuned, for no arm.".to_owned(),
        [factor] => format!("Every arm that learns runs with its learning rate times {factor}; no other was tried."),
        factors => format!(
            "Every arm that learns, scratch too, tried its learning rate times {} on seeds {} to {} and runs with the best; the method that speaks for a pair was chosen on the same seeds. They are not among the seeds that are reported.",
            factors.iter().map(f64::to_string).collect::<Vec<_>>().join(", "),
            definition.tuning.first_seed,
            definition.tuning.first_seed + definition.tuning.seeds - 1
        ),
    };
    vec![
        "One number for each run: the mean return over the whole budget (the area under its learning curve, divided by its length), or the mean of the evaluations in the last tenth of it, as the study declared beforehand for each pair. The last policy counts, never the best.".to_owned(),
        "The unit is the source seed. Where sources are learned in an environment, source i feeds adaptation i, so that the scatter between sources is in every interval; where one policy is moved, the verdict is about this policy.".to_owned(),
        tuning,
        format!("Measured before the first step and up to {} times on the way (an update may pass several that were due) over {} episodes ({} at both ends), with the most probable action, from start states that all arms share.", definition.evaluations, definition.episodes, crate::study::cell::EPISODES_AT_ENDS.max(definition.episodes)),
        format!("The difference of means to scratch is tested by Welch's t. All comparisons of the study ({}) are one family: Holm's correction keeps the chance that any of them is called helped or hurt by mistake at 5 % for the whole study. The intervals that are shown are Bonferroni's: all of them hold together with 95 %.", count(comparisons as u64)),
        format!("Helped or hurt: the adjusted p is at most 5 %, which is where the interval at the level of Holm's step excludes 0. Equivalent: not that, and the interval lies inside ±{} % of the way from random actions to the reference, which is what scratch reaches at a long budget. Undecided: neither; it is reported with about the number of seeds that would decide with 80 % power.", 100.0 * MARGIN),
        "Bands over budgets hold for the budgets of one method together, not for the whole study; at the last budget the study's own verdict stands. A change of sign is told, of the methods that speak for a pair, where the band has decided on one of its sides. IQM, probability of improvement and transfer ratio describe, with percentile bootstrap intervals; they decide nothing.".to_owned(),
    ]
}
