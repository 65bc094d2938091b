//! `studies/first.ron` says what it says: where a transfer helps, hurts, makes no difference, and stays undecided. The quick form runs three of
//! its pairs as they stand there; with `HEIRLOOM_FIRST=1` all of them (`cargo xtask bench verdict`).

use heirloom::choose::Method;
use heirloom::env::Registry;
use heirloom::nn::autograd;
use heirloom::parallel::Pool;
use heirloom::stop::Stop;
use heirloom::study::schedule::{self, Watch};
use heirloom::study::{Changes, Definition, Results, Verdict};
use std::collections::BTreeSet;
use std::path::Path;

struct Quiet;

impl Watch for Quiet {}

const QUICK: [&str; 3] = ["cartpole_gravity_25", "cartpole_reversed_5k", "cartpole_reversed_60k"];

/// What fine-tuning does in each pair.
fn expected(pair: &str) -> &'static [Verdict] {
    match pair {
        "acrobot_half_torque" | "cartpole_gravity_25" => &[Verdict::Helped],
        "mountain_car_reversed" | "cartpole_reversed_5k" => &[Verdict::Hurt],
        "cartpole_reversed_60k" | "cartpole_moon" => &[Verdict::Equivalent],
        // A source that learned nothing cannot help; its critic's warm-up costs a little.
        "untrained" => &[Verdict::Undecided, Verdict::Hurt],
        other => panic!("nobody said what {other} does"),
    }
}

#[test]
fn directions_are_as_they_were_found() {
    autograd::configure_process();
    let registry = Registry::standard();
    let all = std::env::var_os("HEIRLOOM_FIRST").is_some();
    let pairs = if all { Vec::new() } else { QUICK.map(str::to_owned).to_vec() };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("studies/first.ron");
    let definition = Definition::read(&path, &registry, &Changes { pairs, ..Changes::default() }).unwrap();
    let out = tempfile::tempdir().unwrap();
    let pool = Pool::new(2, autograd::use_one_thread).unwrap();
    let run = || schedule::run(&definition, out.path(), None, &registry, &pool, &Stop::new(), &Quiet);
    let results = Results::new(&definition, pool.enter(run).unwrap().unwrap());
    let mut met = BTreeSet::new();
    for (pair, found) in definition.pairs.iter().zip(&results.pairs) {
        let verdict = |method| found.arm(method).unwrap().against.as_ref().unwrap().comparison.unwrap().verdict;
        assert!(expected(&pair.name).contains(&verdict(Method::FineTune)), "{}: {:?}", pair.name, verdict(Method::FineTune));
        met.extend(found.arms.iter().skip(1).map(|arm| verdict(arm.method).name()));
        assert!(found.copies.is_empty(), "{:?}", found.copies);
        if pair.name == "cartpole_reversed_60k" {
            let against = found.arm(Method::FineTune).unwrap().against.clone().unwrap();
            assert_eq!(against.band[0].verdict, Some(Verdict::Hurt), "behind at first");
            assert!(!against.sign_changes.is_empty(), "and ahead later");
        }
    }
    assert_eq!(met.into_iter().collect::<Vec<_>>(), ["equivalent", "helped", "hurt", "undecided"]);
}
