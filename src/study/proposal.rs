//! A study for one pair, proposed: its text with every choice explained, and budgets that fit a time.

use super::cell::CellStore;
use super::definition::Definition;
use super::estimate::{Estimate, Rates, estimate_with};
use super::file::{Changes, File, PairFile, Reference, SourceFile, Tuning};
use crate::choose::{Method, Source};
use crate::env::Registry;
use crate::error::Result;
use crate::file::ron;
use crate::learn::ppo::defaults;
use std::path::Path;
use std::time::Duration;

/// A study that fits.
pub struct Proposal {
    /// Its text.
    pub text: String,
    /// What it is expected to take, at most.
    pub estimate: Estimate,
    /// Whether it fits the time that was asked for; where nothing does, the smallest study is proposed.
    pub fits: bool,
}

/// Every method that fits one pair, with ten seeds and what is known to work in both environments; without the ledger of all steps where
/// nobody knows the source's.
///
/// # Errors
/// When an environment does not exist, or no method fits.
pub fn propose(source: SourceFile, target: &str, registry: &Registry) -> Result<File> {
    let environment = registry.resolve(target)?;
    let known = defaults::for_environment(&environment.simulator);
    let (from, source, control) = match source {
        SourceFile::Policy(policy) => {
            let known_budget = Source::load(&policy)?.card.all_steps().is_some();
            (policy.clone(), SourceFile::Policy(policy), known_budget)
        }
        SourceFile::Environment { name, .. } => {
            let steps = defaults::for_environment(&registry.resolve(&name)?.simulator).steps;
            (name.clone(), SourceFile::Environment { name, steps }, true)
        }
    };
    let pair = PairFile {
        name: pair_name(&from, target),
        source,
        target: target.to_owned(),
        steps: known.transfer_steps().max(known.config.rollout_steps()),
        measure: None,
        adapt_from: None,
        demonstrations: None,
    };
    let about = format!("Does it help to hand {from} down to {target}?");
    let file = |methods: Vec<String>| File { about: about.clone(), control, ..File::new(vec![pair.clone()], methods) };
    let others = Method::TRANSFER.into_iter().filter(|method| *method != Method::Scratch).map(|method| method.name().to_owned());
    let (mut fitting, mut misfit) = (Vec::new(), None);
    for method in others {
        match define(&file(vec![method.clone()]), registry) {
            Ok(_) => fitting.push(method),
            // The last method asks for the least.
            Err(error) => misfit = Some(error),
        }
    }
    match misfit {
        Some(error) if fitting.is_empty() => Err(error),
        _ => Ok(file(fitting)),
    }
}

fn define(file: &File, registry: &Registry) -> Result<Definition> {
    let source = ron::Source { name: file.pairs[0].name.clone(), text: text(file) };
    Definition::of("proposal".to_owned(), source, registry, &Changes::default())
}

/// A name of letters that a pair may have.
fn pair_name(source: &str, target: &str) -> String {
    let stem = |name: &str| {
        let last = name.trim_end_matches('/').rsplit('/').next().unwrap_or(name).trim_end_matches(".ron");
        last.chars().map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' }).take(40).collect::<String>()
    };
    format!("{}_to_{}", stem(source), stem(target))
}

/// Proposes the largest study that fits a time: twenty seeds at full budgets where there is room; then ten; then smaller budgets; then no tuning;
/// then no control; then fewer seeds.
///
/// # Errors
/// When an environment does not exist, or source and target do not fit.
pub fn fitting(file: &File, time: Duration, threads: usize, registry: &Registry) -> Result<Proposal> {
    let nowhere = CellStore::look(Path::new(""), None);
    let mut rates = Rates::default();
    let mut smallest = None;
    for smaller in ladder(file, registry)? {
        let definition = define(&smaller, registry)?;
        let estimate = estimate_with(&mut rates, &definition, &nowhere, registry, threads)?;
        let proposal = Proposal { text: text(&smaller), estimate, fits: estimate.time <= time };
        if proposal.fits {
            return Ok(proposal);
        }
        smallest = Some(proposal);
    }
    Ok(smallest.expect("a ladder has steps"))
}

/// Studies from the largest to the smallest.
fn ladder(file: &File, registry: &Registry) -> Result<Vec<File>> {
    const SHARES: [f64; 8] = [1.0, 0.7, 0.5, 0.35, 0.25, 0.15, 0.1, 0.05];
    let untuned = Tuning { learning_rates: vec![1.0], ..Tuning::default() };
    let rungs = [
        (20, Tuning::default(), true),
        (10, Tuning::default(), true),
        (10, untuned.clone(), true),
        (10, untuned.clone(), false),
        (5, untuned.clone(), false),
        (3, untuned, false),
    ];
    let mut ladder = Vec::new();
    for (seeds, tuning, control) in rungs {
        for share in if seeds == 20 { &SHARES[..1] } else { &SHARES[..] } {
            let mut smaller = File { seeds, tuning: tuning.clone(), control: control && file.control, ..file.clone() };
            for pair in &mut smaller.pairs {
                shrink(pair, *share, registry)?;
                let known = defaults::for_environment(&registry.resolve(&pair.target)?.simulator).steps;
                // A reference has to have learned: it gives way last, and the page says so.
                let steps = scaled(known, 2.0 * share).min(known).max(2 * pair.steps);
                smaller.reference = Reference { steps: (steps < known).then_some(steps), ..Reference::default() };
            }
            ladder.push(smaller);
        }
    }
    Ok(ladder)
}

fn shrink(pair: &mut PairFile, share: f64, registry: &Registry) -> Result<()> {
    let update = defaults::for_environment(&registry.resolve(&pair.target)?.simulator).config.rollout_steps();
    // Ten updates at the least: fewer show no learning.
    pair.steps = scaled(pair.steps, share).max(10 * update).min(pair.steps.max(update));
    if let SourceFile::Environment { steps, .. } = &mut pair.source {
        // A source has to have learned: it gives way last.
        *steps = scaled(*steps, share.sqrt());
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of some steps")]
fn scaled(steps: u64, share: f64) -> u64 {
    (steps as f64 * share).round() as u64
}

/// A study as RON with every choice explained: `heirloom study new` prints it.
#[must_use]
pub fn text(file: &File) -> String {
    let quoted = |text: &str| format!("{text:?}");
    let list = |items: &[String]| items.join(", ");
    let pair = |pair: &PairFile| {
        let (source, about) = match &pair.source {
            SourceFile::Policy(name) => (format!("Policy({})", quoted(name)), "this one policy: the verdict is about it alone"),
            SourceFile::Environment { name, steps } => (
                format!("Environment(name: {}, steps: {steps})", quoted(name)),
                "a policy for each seed, learned in this environment for so many steps",
            ),
        };
        format!(
            "        (\n            name: {},\n            source: {source}, // {about}\n            target: {},\n            steps: {}, // environment steps in the target, for every method\n        ),\n",
            quoted(&pair.name),
            quoted(&pair.target),
            pair.steps
        )
    };
    let pairs: String = file.pairs.iter().map(pair).collect();
    let methods = list(&file.methods.iter().map(|method| quoted(method)).collect::<Vec<_>>());
    let rates = list(&file.tuning.learning_rates.iter().map(f64::to_string).collect::<Vec<_>>());
    let reference = file.reference.steps.map_or_else(String::new, |steps| format!("steps: {steps}, "));
    format!(
        "// heirloom compare THIS_FILE.ron   (--dry-run says what it takes)\n(\n    about: {about},\n    pairs: [\n{pairs}    ],\n    methods: [{methods}], // scratch stands beside them\n    \
         seeds: {seeds}, // plan them now: seeds that are added after a look make the verdict exploratory\n    \
         measure: {measure:?}, // what the verdict is about: Mean return over the whole budget, or Final, its last tenth\n    \
         evaluations: {evaluations}, // on the way, beside the one at the start\n    episodes: {episodes}, // of each; 100 at both ends\n    \
         // Every arm, scratch too, tries its learning rate times these on seeds of its own; [1] tries nothing.\n    \
         tuning: (learning_rates: [{rates}], seeds: {tuning_seeds}, first_seed: {first_tuning}),\n    \
         // Scratch at a long budget is what a return is measured by, with random actions at the other end.\n    \
         reference: ({reference}seeds: {reference_seeds}, first_seed: {first_reference}),\n    \
         control: {control}, // whether scratch is also run with the source's steps on top\n    \
         threshold: {threshold}, // share of that way which counts as learned, for the time to threshold\n    \
         failures: {failures:?}, // a run that diverges: Stop the study, or count as the Worst return of all\n)\n",
        about = quoted(&file.about),
        seeds = file.seeds,
        measure = file.measure,
        evaluations = file.evaluations,
        episodes = file.episodes,
        tuning_seeds = file.tuning.seeds,
        first_tuning = file.tuning.first_seed,
        reference_seeds = file.reference.seeds,
        first_reference = file.reference.first_seed,
        control = file.control,
        threshold = file.threshold,
        failures = file.failures,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commented_text_says_what_the_file_says() {
        let registry = Registry::standard();
        let source = SourceFile::Environment { name: "cartpole".into(), steps: 0 };
        for file in ladder(&propose(source, "cartpole_moon", &registry).unwrap(), &registry).unwrap() {
            let read: File = ron::Source { name: "text".into(), text: text(&file) }.parse().unwrap();
            assert_eq!(read, file);
        }
        let source = SourceFile::Policy("a \"b\"\\c".into());
        let pair = PairFile {
            name: pair_name("x/a \"b\"\\c", "pendulum"),
            source,
            target: "pendulum".into(),
            steps: 9,
            measure: None,
            adapt_from: None,
            demonstrations: None,
        };
        let policy = File::new(vec![pair], vec!["fine-tune".into()]);
        let read: File = ron::Source { name: "text".into(), text: text(&policy) }.parse().unwrap();
        assert_eq!(read, policy);
        assert_eq!(read.pairs[0].name, "a__b__c_to_pendulum");
    }
}
