//! The bridge beside the real Gymnasium: `cargo xtask bench gymnasium` names its interpreter in `HEIRLOOM_GYMNASIUM`, and without that nothing
//! is tested here.

use heirloom::choose::Source;
use heirloom::env::check::check;
use heirloom::env::{Action, Env, Registry, Root, Snapshot, Step};
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

/// Everything that environments showed in the channels that both know, as bits.
struct Shown {
    known: usize,
    each: Vec<Vec<u64>>,
}

impl Witness for Shown {
    fn acts(&mut self, index: usize, _: Action<'_>, _: f32, step: Step, seen: &[f64]) -> heirloom::error::Result<()> {
        self.each[index].extend(seen[..self.known].iter().chain([&step.reward]).map(|value| value.to_bits()));
        self.each[index].extend([u64::from(step.terminated), u64::from(step.truncated)]);
        Ok(())
    }
}

/// The module of the exact environments is found where the interpreter is told to look: one that does, in a folder.
fn exact(python: &str, registry: &Registry, folder: &std::path::Path) {
    let real = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gymnasium/real");
    let wrapper = folder.join("python");
    let script = format!("#!/bin/sh\nPYTHONPATH='{}' PYTHONDONTWRITEBYTECODE=1 exec '{python}' \"$@\"\n", real.display());
    heirloom::file::disk::write(&wrapper, script.as_bytes()).unwrap();
    std::fs::set_permissions(&wrapper, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    registry.set_python(&wrapper.display().to_string());
}

/// The shipped policy of a task in Gymnasium's through the bridge, and in ours from the same starts: the same observations, rewards and ends, bit for
/// bit, and so the same returns. Behind the channels that we show too, `hidden` more tell the state that an episode begins with.
#[expect(clippy::print_stdout, reason = "what was compared")]
fn does_the_same(id: &str, own: &str, hidden: usize, episodes: usize) {
    let Some(python) = python() else { return };
    let (registry, folder) = (Registry::standard(), tempfile::tempdir().unwrap());
    exact(&python, &registry, folder.path());
    let ours = registry.resolve(own).unwrap();
    let spaces = registry.build(&ours).unwrap().spaces().clone();
    let known = spaces.observation.len();
    let names: Vec<String> =
        spaces.observation.iter().map(|channel| channel.name.clone()).chain((0..hidden).map(|index| format!("state_{index}"))).collect();
    let file = folder.path().join("exact.ron");
    let text = format!("(gymnasium: (id: \"exact:{id}\", observation: {names:?}, action: {:?}))", spaces.action.names());
    heirloom::file::disk::write(&file, text.as_bytes()).unwrap();
    let spec = registry.resolve(&file.display().to_string()).unwrap();
    let source = Source::load(own).unwrap();
    for choice in [Choice::Mode, Choice::Sample] {
        let (inner, built) = (registry.clone(), spec.clone());
        let make: MakeEnv = Arc::new(move || inner.build(&built));
        let bridged = Environments::start(&make, 0..episodes, 0, Stream::EvaluationEnv).unwrap();
        let starts: Vec<Vec<f64>> = (0..episodes).map(|index| bridged.observation(index).to_vec()).collect();
        let bound = Bound::new(&source.policy, bridged.spaces()).unwrap();
        let noise = Noise { seed: 0, stream: Stream::EvaluationNoise };
        let mut theirs = Shown { known, each: vec![Vec::new(); episodes] };
        let returns = run_episodes(&bound, bridged, choice, noise, &Stop::new(), &mut theirs).unwrap();
        for (index, start) in starts.into_iter().enumerate() {
            let state = if hidden == 0 { start.clone() } else { start[known..].to_vec() };
            let root = Root { state, observation: start[..known].to_vec() };
            let (inner, built) = (registry.clone(), ours.clone());
            let make: MakeEnv = Arc::new(move || inner.build_at(&built, root.clone()));
            let own = Environments::start(&make, [index], 0, Stream::EvaluationEnv).unwrap();
            let bound = Bound::new(&source.policy, own.spaces()).unwrap();
            let mut shown = Shown { known, each: vec![Vec::new()] };
            let own = run_episodes(&bound, own, choice, noise, &Stop::new(), &mut shown).unwrap();
            assert_eq!(own[0], returns[index], "return and length of episode {index}");
            assert!(shown.each[0] == theirs.each[index], "episode {index} differs on its way");
        }
        let total: f64 = returns.iter().map(|finished| finished.total).sum();
        #[expect(clippy::cast_precision_loss, reason = "some episodes")]
        let mean = total / episodes as f64;
        println!("{id}: {episodes} episodes, {choice:?}, mean return {mean}: every observation, reward and end is equal, bit for bit");
    }
}

#[test]
fn a_policy_does_the_same_through_the_bridge_and_in_our_simulator() {
    does_the_same("ExactCartPole-v1", "cartpole", 0, 20);
}

#[test]
fn robots_do_the_same_through_the_bridge_and_in_our_simulator() {
    for (id, own) in [("ExactHalfCheetah-v5", "half_cheetah"), ("ExactHopper-v5", "hopper"), ("ExactWalker2d-v5", "walker2d")] {
        let registry = Registry::standard();
        let mut env = registry.build(&registry.resolve(own).unwrap()).unwrap();
        let mut observation = vec![0.0; env.spaces().observation.len()];
        env.reset(&mut Stream::Env(0).under(0), &mut observation).unwrap();
        let mut snapshot = Snapshot::default();
        env.snapshot(&mut snapshot);
        // In front of the robot's own numbers stand the episode's two.
        does_the_same(id, own, snapshot.numbers().len() - 2, 5);
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
