//! The verdict keeps its word: intervals cover, nulls stay undecided, effects are found; by simulation, and on real runs.
//!
//! All draws are seeded: each figure here is the same in every run, and no test fails by chance. `cargo xtask bench verdict` is the long
//! form with the figures printed: 10,000 experiments, 200 real null runs, power on real pairs.

#![expect(clippy::cast_precision_loss, reason = "shares of a few thousand experiments")]

use heirloom::env::Registry;
use heirloom::file::ron::Source;
use heirloom::nn::autograd;
use heirloom::parallel::Pool;
use heirloom::seed::{Rng, Stream};
use heirloom::stats::{interquartile_mean, mean_interval, percentile_interval};
use heirloom::stop::Stop;
use heirloom::study::schedule::{self, Watch};
use heirloom::study::verdict::{Sides, judge};
use heirloom::study::{Changes, Definition, Verdict, measure::measure};

/// A number from the environment, or the quick form's.
fn long_form(name: &str, quick: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(quick)
}

fn experiments() -> usize {
    long_form("HEIRLOOM_EXPERIMENTS", 2_000)
}

/// Returns of a healthy learner.
fn normal(rng: &mut Rng) -> f64 {
    1.0 + 0.1 * rng.normal()
}

/// One run in five fails outright.
fn mixture(rng: &mut Rng) -> f64 {
    if rng.unit() < 0.8 { normal(rng) } else { 0.1 * rng.normal() }
}

fn sample(n: usize, rng: &mut Rng, law: fn(&mut Rng) -> f64) -> Vec<f64> {
    (0..n).map(|_| law(rng)).collect()
}

/// How often an event happens in so many experiments.
fn share(count: usize, mut happens: impl FnMut(&mut Rng) -> bool) -> f64 {
    let mut rng = Stream::Bootstrap(77).under(1);
    (0..count).filter(|_| happens(&mut rng)).count() as f64 / count as f64
}

#[test]
fn t_intervals_of_means_cover() {
    for (name, law, truth, floors) in
        [("normal", normal as fn(&mut Rng) -> f64, 1.0, [0.94, 0.94]), ("mixture", mixture, 0.8, [0.87, 0.905])]
    {
        for (n, floor) in [10, 20].into_iter().zip(floors) {
            let covered = share(experiments(), |rng| {
                let interval = mean_interval(&sample(n, rng, law), 0.95).unwrap();
                (interval.low..=interval.high).contains(&truth)
            });
            println!("coverage of a 95 % t-interval, {name}, n = {n}: {:.2} % (floor {} %)", 100.0 * covered, 100.0 * floor);
            assert!(covered >= floor, "{name} {n}: {covered}");
        }
    }
}

#[test]
fn percentile_intervals_of_iqm_cover() {
    for (name, law) in [("normal", normal as fn(&mut Rng) -> f64), ("mixture", mixture)] {
        let truth = interquartile_mean(&sample(2_000_000, &mut Stream::Bootstrap(78).under(1), law));
        for (n, floor) in [(10, 0.91), (20, 0.92)] {
            let mut draws = Stream::Bootstrap(79).under(1);
            let covered = share(experiments(), |rng| {
                let values = sample(n, rng, law);
                let statistic = |arms: &[Vec<f64>]| interquartile_mean(&arms[0]);
                let [low, high] = percentile_interval(&[&values], statistic, 500, 0.95, |n| draws.below(n));
                (low..=high).contains(&truth)
            });
            println!(
                "coverage of a 95 % percentile interval of the IQM, {name}, n = {n}: {:.2} % (floor {} %)",
                100.0 * covered,
                100.0 * floor
            );
            assert!(covered >= floor, "{name} {n}: {covered}");
        }
    }
}

/// Between-source and within-source deviation are equal. The unit is the source: ten adaptations of one source are one value.
#[test]
fn only_sources_are_units() {
    let covers = |values: &[f64]| mean_interval(values, 0.95).is_some_and(|interval| (interval.low..=interval.high).contains(&0.0));
    let sources = share(experiments(), |rng| covers(&sample(10, rng, |rng| rng.normal() + rng.normal())));
    let one_source = share(experiments(), |rng| {
        let source = rng.normal();
        covers(&(0..10).map(|_| source + rng.normal()).collect::<Vec<_>>())
    });
    println!("coverage with ten sources {:.2} %, with ten adaptations of one source {:.2} %", 100.0 * sources, 100.0 * one_source);
    assert!(sources >= 0.94 && one_source < 0.7, "{sources} {one_source}");
}

fn verdict(arm: &[f64], scratch: &[f64]) -> Verdict {
    judge(&[Sides { arm, scratch, range: 1.0 }])[0].unwrap().verdict
}

const fn decided(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Helped | Verdict::Hurt)
}

#[test]
fn nulls_stay_undecided_and_shifts_are_seen() {
    for (name, law) in [("normal", normal as fn(&mut Rng) -> f64), ("mixture", mixture)] {
        let wrong = share(experiments(), |rng| decided(verdict(&sample(10, rng, law), &sample(10, rng, law))));
        println!("null, {name}, n = 10: helped or hurt {:.2} % (at most 7 %)", 100.0 * wrong);
        assert!(wrong <= 0.07, "{name}: {wrong}");
    }
    // Welch's own power at 1.5 deviations and n = 10 is 88.7 %.
    let shifted = |rng: &mut Rng| verdict(&sample(10, rng, |rng| normal(rng) + 0.15), &sample(10, rng, normal));
    let right = share(experiments(), |rng| shifted(rng) == Verdict::Helped);
    let opposite = share(experiments(), |rng| shifted(rng) == Verdict::Hurt);
    println!("shifted by 1.5 sd, n = 10: right {:.2} %, opposite {:.2} %", 100.0 * right, 100.0 * opposite);
    assert!(right >= 0.87 && opposite <= 0.002, "{right} {opposite}");
}

/// Why `study::looks` marks what was looked at before: five seeds, then five more where the first look found nothing.
#[test]
fn a_second_look_is_wrong_more_often() {
    let wrong = share(experiments(), |rng| {
        let (arm, scratch) = (sample(10, rng, normal), sample(10, rng, normal));
        decided(verdict(&arm[..5], &scratch[..5])) || decided(verdict(&arm, &scratch))
    });
    println!("five seeds, then five more: helped or hurt {:.2} % of nulls", 100.0 * wrong);
    assert!((0.06..0.11).contains(&wrong), "{wrong}");
}

struct Quiet;

impl Watch for Quiet {}

static CONFIGURED: std::sync::Once = std::sync::Once::new();

/// Scratch's and fine-tune's measures of a pair, run for real.
fn runs(source_steps: u64, target: &str, steps: u64, seeds: usize, set: &str) -> [Vec<f64>; 2] {
    CONFIGURED.call_once(autograd::configure_process);
    let text = format!(
        "(about: \"\", pairs: [(name: \"p\", source: Environment(name: \"cartpole\", steps: {source_steps}), target: \"{target}\", steps: {steps})], \
         methods: [\"fine-tune\"], seeds: {seeds}, tuning: (learning_rates: [1]), reference: (steps: {}, seeds: 1), control: false, set: [{set}])",
        2 * steps
    );
    let registry = Registry::standard();
    let definition = Definition::of("p".into(), Source { name: "p".into(), text }, &registry, &Changes::default()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let pool = Pool::new(2, autograd::use_one_thread).unwrap();
    let gathered = pool.enter(|| schedule::run(&definition, out.path(), None, &registry, &pool, &Stop::new(), &Quiet)).unwrap().unwrap();
    let kind = definition.pairs[0].measure;
    [0, 1].map(|arm: usize| gathered[0].arms[arm].cells.iter().map(|cell| measure(kind, &cell.evaluations)).collect())
}

/// Draws `n` values without replacement.
fn draw(from: &mut [f64], n: usize, rng: &mut Rng) -> Vec<f64> {
    for index in 0..n {
        let other = index + rng.below(from.len() - index);
        from.swap(index, other);
    }
    from[..n].to_vec()
}

/// Studies drawn from real runs that differ in nothing: sources of 0 steps through the code path of fine-tune, warm-up in every arm.
#[test]
fn real_nulls_stay_undecided() {
    let seeds = long_form("HEIRLOOM_NULL_RUNS", 60);
    let [_, values] = runs(0, "cartpole", 6_000, seeds, "");
    let arms = (seeds / 10 - 1).min(5);
    let wrong = share(2_000, |rng| {
        let mut values = values.clone();
        let drawn = draw(&mut values, 10 * (arms + 1), rng);
        let (scratch, others) = drawn.split_at(10);
        let sides: Vec<Sides<'_>> = others.chunks(10).map(|arm| Sides { arm, scratch, range: 480.0 }).collect();
        judge(&sides).iter().flatten().any(|comparison| decided(comparison.verdict))
    });
    println!("2,000 studies of {arms} arms from {seeds} real null runs: helped or hurt in {:.2} % (at most 5 %)", 100.0 * wrong);
    assert!(wrong <= 0.05, "{wrong}");
}

/// PPO as people run it untuned: the defaults of Stable-Baselines3 on eight environments.
const UNTUNED: &str = r#""ppo.learning_rate=3e-4", "ppo.learning_rate_schedule=Constant", "ppo.clip_schedule=Constant", "ppo.epochs=10", "ppo.steps=128",
    "ppo.minibatch=64", "ppo.normalize_advantages=true", "ppo.normalize_returns=false""#;

/// How often studies of ten seeds, drawn from real runs, find what is there.
#[test]
fn real_effects_are_found() {
    let seeds = long_form("HEIRLOOM_POWER_RUNS", 20);
    let quick =
        [("identical source", "cartpole", 3_000, Verdict::Helped, ""), ("reversed action", "cartpole_reversed", 5_000, Verdict::Hurt, "")];
    let long = [("reversed action, untuned PPO", "cartpole_reversed", 15_000, Verdict::Hurt, UNTUNED)];
    for (name, target, steps, expected, set) in quick.into_iter().chain(long.into_iter().filter(|_| seeds > 20)) {
        let [scratch, fine_tuned] = runs(50_000, target, steps, seeds, set);
        let found = share(2_000, |rng| {
            let (mut arm, mut scratch) = (fine_tuned.clone(), scratch.clone());
            verdict(&draw(&mut arm, 10, rng), &draw(&mut scratch, 10, rng)) == expected
        });
        println!(
            "{name}, {steps} target steps: {} in {:.1} % of 2,000 studies of ten seeds from {seeds} real runs",
            expected.name(),
            100.0 * found
        );
        assert!(found >= 0.9, "{name}: {found}");
    }
}
