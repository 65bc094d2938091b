//! Statistics against scipy, statsmodels and rliable, as recorded by `tests/golden/stats/record.py`: 1e-9 where there is a closed form, the
//! Monte-Carlo error where there is none.

use heirloom::seed::Stream;
use heirloom::stats::{Welch, holm, interquartile_mean, mean_interval, percentile, percentile_interval, probability_of_improvement};
use serde::Deserialize;

#[derive(Deserialize)]
struct Reference {
    cases: Vec<Case>,
    holm: Vec<Family>,
    bootstrap_iqm: Bootstrap,
}

#[derive(Deserialize)]
struct Case {
    a: Vec<f64>,
    b: Vec<f64>,
    t: [f64; 2],
    welch: Tested,
    iqm: f64,
    improvement: f64,
    percentiles: [f64; 3],
}

#[derive(Deserialize)]
struct Tested {
    df: f64,
    p: f64,
    interval: [f64; 2],
    wide: [f64; 2],
}

#[derive(Deserialize)]
struct Family {
    p: Vec<f64>,
    adjusted: Vec<f64>,
}

#[derive(Deserialize)]
struct Bootstrap {
    values: Vec<f64>,
    interval: [f64; 2],
}

fn reference() -> Reference {
    serde_json::from_str(include_str!("golden/stats/reference.json")).unwrap()
}

fn near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-9 * expected.abs().max(1.0), "{what}: {found}, recorded {expected}");
}

#[test]
fn closed_forms_are_those_of_scipy_and_rliable() {
    for Case { a, b, t, welch, iqm, improvement, percentiles } in reference().cases {
        let interval = mean_interval(&a, 0.95).unwrap();
        near(interval.low, t[0], "t, low");
        near(interval.high, t[1], "t, high");
        let found = Welch::new(&a, &b).unwrap();
        near(found.freedom, welch.df, "Welch, degrees of freedom");
        near(found.p, welch.p, "Welch, p");
        for (level, expected) in [(0.95, welch.interval), (0.99, welch.wide)] {
            let [low, high] = found.interval(level);
            near(low, expected[0], "Welch, low");
            near(high, expected[1], "Welch, high");
        }
        near(interquartile_mean(&a), iqm, "IQM");
        near(probability_of_improvement(&a, &b), improvement, "probability of improvement");
        let mut sorted = a.clone();
        sorted.sort_by(f64::total_cmp);
        for (q, expected) in [0.025, 0.5, 0.975].into_iter().zip(percentiles) {
            near(percentile(&sorted, q), expected, "percentile");
        }
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    for Family { p, adjusted } in reference().holm {
        for (found, expected) in holm(&p, 0.05).iter().zip(&adjusted) {
            near(found.p, *expected, "Holm");
        }
    }
}

/// An interval of Holm's excludes 0 exactly where its adjusted p is at most 5 %.
#[test]
fn intervals_and_p_say_the_same() {
    let cases = reference().cases;
    for family in cases.chunks(6) {
        let tests: Vec<Welch> = family.iter().map(|case| Welch::new(&case.a, &case.b).unwrap()).collect();
        let adjusted = holm(&tests.iter().map(|test| test.p).collect::<Vec<_>>(), 0.05);
        for (test, adjusted) in tests.iter().zip(adjusted) {
            let [low, high] = test.interval(adjusted.level);
            assert_eq!(low > 0.0 || high < 0.0, adjusted.p <= 0.05, "{test:?} {adjusted:?}");
        }
    }
}

/// 50,000 repetitions on both sides: the error of a percentile is some 0.0015 here; 0.01 is met with a false failure of less than 1e-6.
#[test]
fn the_bootstrap_is_that_of_rliable() {
    let Bootstrap { values, interval } = reference().bootstrap_iqm;
    let run = |seed: u64| {
        let mut rng = Stream::Bootstrap(0).under(seed);
        percentile_interval(&[&values], |arms| interquartile_mean(&arms[0]), 50_000, 0.95, |n| rng.below(n))
    };
    let found = run(1);
    assert!((found[0] - interval[0]).abs() < 0.01 && (found[1] - interval[1]).abs() < 0.01, "{found:?}, recorded {interval:?}");
    assert_eq!(found, run(1), "the same input gives the same interval, bit for bit");
}
