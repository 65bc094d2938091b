//! The bridge beside the real Gymnasium: `cargo xtask bench gymnasium` names its interpreter in `HEIRLOOM_GYMNASIUM`, and without that nothing
//! is tested here.

use heirloom::choose::Source;
use heirloom::env::check::check;
use heirloom::env::{Action, Registry, Root, Step};
use heirloom::rollout::collect::Choice;
use heirloom::rollout::episodes::{Bound, Noise, Witness, run_episodes};
use heirloom::rollout::{Environments, MakeEnv};
use heirloom::seed::Stream;
use heirloom::stop::Stop;
use std::sync::Arc;

#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
fn python() -> Option<String> {
    let python = std::env::var("HEIRLOOM_GYMNASIUM").ok();
    if python.is_none() {
        println!("skipped: HEIRLOOM_GYMNASIUM names no interpreter with Gymnasium; `cargo xtask bench gymnasium` does");
    }
    python
}

/// Everything that one environment showed, as bits.
#[derive(Default)]
struct Shown(Vec<Vec<u64>>);

impl Witness for Shown {
    fn acts(&mut self, index: usize, _: Action<'_>, _: f32, step: Step, seen: &[f64]) -> heirloom::error::Result<()> {
        self.0[index].extend(seen.iter().chain([&step.reward]).map(|value| value.to_bits()));
        self.0[index].extend([u64::from(step.terminated), u64::from(step.truncated)]);
        Ok(())
    }
}

/// The shipped policy in Gymnasium's CartPole through the bridge, and in ours from the same starts: the same observations, rewards and ends, bit for
/// bit, and so the same returns.
#[test]
fn a_policy_does_the_same_through_the_bridge_and_in_our_simulator() {
    let Some(python) = python() else { return };
    let real = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gymnasium/real");
    // The module of the exact CartPole is found where the interpreter is told to look.
    let folder = tempfile::tempdir().unwrap();
    let wrapper = folder.path().join("python");
    let script = format!("#!/bin/sh\nPYTHONPATH='{}' PYTHONDONTWRITEBYTECODE=1 exec '{python}' \"$@\"\n", real.display());
    heirloom::file::disk::write(&wrapper, script.as_bytes()).unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let registry = Registry::standard();
    registry.set_python(&wrapper.display().to_string());
    let names =
        "observation: [\"cart_position\", \"cart_velocity\", \"pole_angle\", \"pole_angular_velocity\"], action: [\"left\", \"right\"]";
    let file = folder.path().join("exact.ron");
    heirloom::file::disk::write(&file, format!("(gymnasium: (id: \"exact:ExactCartPole-v1\", {names}))").as_bytes()).unwrap();
    let spec = registry.resolve(&file.display().to_string()).unwrap();
    let ours = registry.resolve("cartpole").unwrap();
    let source = Source::load("cartpole").unwrap();
    for choice in [Choice::Mode, Choice::Sample] {
        let (inner, built) = (registry.clone(), spec.clone());
        let make: MakeEnv = Arc::new(move || inner.build(&built));
        let bridged = Environments::start(&make, 0..20, 0, Stream::EvaluationEnv).unwrap();
        let starts: Vec<Vec<f64>> = (0..20).map(|index| bridged.observation(index).to_vec()).collect();
        let bound = Bound::new(&source.policy, bridged.spaces()).unwrap();
        let noise = Noise { seed: 0, stream: Stream::EvaluationNoise };
        let mut theirs = Shown(vec![Vec::new(); 20]);
        let returns = run_episodes(&bound, bridged, choice, noise, &Stop::new(), &mut theirs).unwrap();
        for (index, start) in starts.into_iter().enumerate() {
            let (inner, built) = (registry.clone(), ours.clone());
            let make: MakeEnv = Arc::new(move || inner.build_at(&built, Root { state: start.clone(), observation: start.clone() }));
            let own = Environments::start(&make, [index], 0, Stream::EvaluationEnv).unwrap();
            let mut shown = Shown(vec![Vec::new()]);
            let own = run_episodes(&bound, own, choice, noise, &Stop::new(), &mut shown).unwrap();
            assert_eq!(own[0], returns[index], "return and length of episode {index}");
            assert!(shown.0[0] == theirs.0[index], "episode {index} differs on its way");
        }
        let mean = returns.iter().map(|finished| finished.total).sum::<f64>() / 20.0;
        println!("20 episodes, {choice:?}, mean return {mean}: every observation, reward and end is equal, bit for bit");
    }
}

#[test]
fn gymnasiums_own_environments_keep_the_contract() {
    let Some(python) = python() else { return };
    let registry = Registry::standard();
    registry.set_python(&python);
    for id in ["CartPole-v1", "FrozenLake-v1", "Taxi-v4", "Blackjack-v1", "LunarLander-v3", "HalfCheetah-v5"] {
        let spec = registry.resolve(&format!("gymnasium:{id}")).unwrap();
        match check(&|| registry.build(&spec)) {
            Ok(findings) => {
                let broken: Vec<_> = findings.iter().filter_map(|finding| Some((finding.promise, finding.broken.as_ref()?))).collect();
                println!("{id}: {} of {} promises kept {broken:?}", findings.len() - broken.len(), findings.len());
                let unknown = broken.iter().any(|(promise, _)| !promise.contains("bounds"));
                assert!(!unknown, "{id}: {broken:?}");
            }
            Err(error) => panic!("{id}: {error}"),
        }
    }
}
