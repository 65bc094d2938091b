//! The contract of environments, kept by every environment that ships, every wrapper and every pair of wrappers; and what is said about
//! environment files that are wrong.

use heirloom::env::check::{check, random_action};
use heirloom::env::wrap::Wrapper;
use heirloom::env::{Action, Channel, Env, Parameter, Registry, Scene, Simulator, Snapshot, Spaces, Spec, Step};
use heirloom::error::Result;
use heirloom::file::digest;
use heirloom::rollout::{Environments, MakeEnv};
use heirloom::seed::{Rng, Stream};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

/// Every wrapper, as it fits CartPole.
const AROUND_CARTPOLE: [&str; 15] = [
    "ObservationNoise(std: 0.1, channels: [\"pole_angle\"])",
    "ObservationDelay(steps: 3)",
    "PermuteChannels([\"pole_angle\", \"cart_velocity\", \"pole_angular_velocity\", \"cart_position\"])",
    "ScaleChannels({\"pole_angle\": -57.3})",
    "DropChannels([\"cart_velocity\"])",
    "RenameChannels({\"cart_velocity\": \"cart_speed\"})",
    "FrameStack(frames: 3)",
    "ActionDelay(steps: 2, idle: \"left\")",
    "ActionNoise(std: 0.2)",
    "ActionScale(factor: 0.5)",
    "ActionReversed",
    "BrokenAction(action: \"left\", instead: \"right\")",
    "RewardScale(factor: -0.5)",
    "ShowParameters({\"gravity\": Uniform(1, 20)})",
    "Trial(episodes: 2)",
];

/// Every wrapper, as it fits Pendulum.
const AROUND_PENDULUM: [&str; 15] = [
    "ObservationNoise(std: 0.1)",
    "ObservationDelay(steps: 1)",
    "PermuteChannels([\"pole_angular_velocity\", \"pole_angle_sin\", \"pole_angle_cos\"])",
    "ScaleChannels({\"pole_angular_velocity\": 0})",
    "DropChannels([\"pole_angular_velocity\"])",
    "RenameChannels({\"pole_angle_sin\": \"pole_angle_cos\", \"pole_angle_cos\": \"pole_angle_sin\"})",
    "FrameStack(frames: 2)",
    "ActionDelay(steps: 3)",
    "ActionNoise(std: 0.2)",
    "ActionScale(factor: 0.5)",
    "ActionReversed",
    "BrokenAction(action: \"torque\")",
    "RewardScale(factor: 10)",
    "ShowParameters({\"gravity\": Uniform(1, 20)})",
    "Trial(episodes: 2)",
];

fn spec(text: &str) -> Result<Spec> {
    Spec::from_ron(&Registry::standard(), "test.ron", text)
}

fn wrapped(base: &str, wrappers: &[&str]) -> Result<Spec> {
    spec(&format!("(extends: \"{base}\", wrappers: [{}])", wrappers.join(", ")))
}

fn maker(spec: &Spec) -> MakeEnv {
    let (registry, spec) = (Registry::standard(), spec.clone());
    Arc::new(move || registry.build(&spec))
}

fn shipped() -> Vec<Spec> {
    let registry = Registry::standard();
    registry.names().iter().map(|name| registry.resolve(name).unwrap()).collect()
}

/// Those that are not one of a family: the off-dynamics targets are their sources with other numbers.
fn alone() -> Vec<Spec> {
    let registry = Registry::standard();
    shipped().into_iter().filter(|spec| registry.family(&spec.name).is_none()).collect()
}

#[track_caller]
fn keeps_the_contract(what: &str, spec: &Spec) {
    let make = maker(spec);
    let broken: Vec<String> =
        check(&*make).unwrap().into_iter().filter_map(|finding| Some(format!("{}: {}", finding.promise, finding.broken?))).collect();
    assert!(broken.is_empty(), "{what}: {broken:?}");
}

/// What every environment of a vector shows after each of `steps` steps under given actions: environment `k` does the same in every
/// vector.
fn stream(make: &MakeEnv, count: usize, steps: usize) -> Vec<Vec<u64>> {
    let mut environments = Environments::start(make, 0..count, 3, Stream::Env).unwrap();
    let mut choosers: Vec<Rng> = (0..count).map(|k| Stream::ActionNoise(k as u64).under(0)).collect();
    let space = environments.spaces().action.clone();
    let mut values = vec![0.0; space.size()];
    let mut seen = vec![Vec::new(); count];
    for _ in 0..steps {
        for (index, seen) in seen.iter_mut().enumerate() {
            let step = environments.step(index, random_action(&space, &mut choosers[index], &mut values)).unwrap();
            seen.push(step.unwrap().reward.to_bits());
            seen.extend(environments.observation(index).iter().map(|value| value.to_bits()));
        }
    }
    seen
}

#[test]
fn every_environment_that_ships_keeps_the_contract() {
    let shipped = shipped();
    assert!(shipped.len() >= 24, "{} environments", shipped.len());
    for spec in &shipped {
        keeps_the_contract(&spec.name, spec);
    }
}

#[test]
fn every_wrapper_keeps_the_contract_alone_and_around_every_other() {
    for (base, wrappers) in [("cartpole", AROUND_CARTPOLE), ("pendulum", AROUND_PENDULUM)] {
        let mut built = 0;
        for inner in wrappers {
            let alone = wrapped(base, &[inner]).unwrap();
            if Registry::standard().build(&alone).is_err() {
                assert_eq!((base, inner), ("cartpole", "ActionScale(factor: 0.5)"), "only discrete actions cannot be scaled");
                continue;
            }
            keeps_the_contract(inner, &alone);
            for outer in wrappers {
                let pair = wrapped(base, &[inner, outer]).unwrap();
                // Some do not fit around others: a channel that was dropped cannot be scaled.
                if Registry::standard().build(&pair).is_ok() {
                    keeps_the_contract(&format!("{outer} around {inner}"), &pair);
                    built += 1;
                }
            }
        }
        assert!(built > 110, "only {built} pairs of wrappers fit around {base}");
    }
}

#[test]
fn deep_stacks_around_drawn_bodies_keep_the_contract() {
    for base in ["cartpole_randomized", "acrobot_randomized", "mountain_car_randomized"] {
        let wrappers = [
            "ObservationNoise(std: 0.01)",
            "ObservationDelay(steps: 2)",
            "FrameStack(frames: 2)",
            "ActionReversed",
            "ActionNoise(std: 0.1)",
            "ActionDelay(steps: 2)",
            "RewardScale(factor: 0.1)",
        ];
        keeps_the_contract(base, &wrapped(base, &wrappers).unwrap());
    }
    let wrappers = ["ActionScale(factor: 0.5)", "ActionNoise(std: 0.1)", "ActionDelay(steps: 2)", "ObservationDelay(steps: 1)"];
    keeps_the_contract("pendulum_randomized", &wrapped("pendulum_randomized", &wrappers).unwrap());
}

#[test]
fn no_wrapper_is_left_out_here() {
    let hint = spec("(extends: \"cartpole\", wrappers: [Nothing])").unwrap_err().remedy().unwrap().to_owned();
    let all: BTreeSet<&str> = hint.split_once("here are: ").unwrap().1.split(", ").collect();
    for wrappers in [AROUND_CARTPOLE, AROUND_PENDULUM] {
        let tried: BTreeSet<&str> = wrappers.iter().map(|text| text.split('(').next().unwrap()).collect();
        assert_eq!(tried, all);
    }
    let named = |text: &str| spec(&format!("(extends: \"cartpole\", wrappers: [{text}])")).unwrap().wrappers[0].name();
    assert!(AROUND_CARTPOLE.iter().all(|text| text.starts_with(named(text))), "Wrapper::name is the name in RON");
}

#[test]
fn given_actions_a_ninth_environment_leaves_the_first_eight_unchanged() {
    for spec in alone() {
        let make = maker(&spec);
        let (eight, nine) = (stream(&make, 8, 300), stream(&make, 9, 300));
        assert!(eight == nine[..8], "{}", spec.name);
        assert_ne!(nine[8], nine[7], "{}", spec.name);
    }
}

#[test]
fn a_thousand_seeds_give_a_thousand_starts() {
    // What the benchmarks of meta-learning draw, if anything, is hidden: all their episodes look alike at the start.
    for spec in alone().iter().filter(|spec| !spec.simulator.starts_with("tasks/")) {
        let mut env = maker(spec)().unwrap();
        let mut observation = vec![0.0; env.spaces().observation.len()];
        let starts: BTreeSet<Vec<u64>> = (0..1000)
            .map(|seed| {
                env.reset(&mut Stream::Env(0).under(seed), &mut observation).unwrap();
                observation.iter().map(|value| value.to_bits()).collect()
            })
            .collect();
        assert_eq!(starts.len(), 1000, "{}", spec.name);
    }
}

/// The digest of 100 starts in a row of every environment that ships.
fn hundred_resets() -> String {
    let mut bytes = Vec::new();
    for spec in shipped() {
        let mut env = maker(&spec)().unwrap();
        let mut observation = vec![0.0; env.spaces().observation.len()];
        let mut rng = Stream::Env(0).under(42);
        for _ in 0..100 {
            env.reset(&mut rng, &mut observation).unwrap();
            bytes.extend(observation.iter().flat_map(|value| value.to_le_bytes()));
        }
    }
    digest::of_bytes(&bytes)
}

#[test]
#[ignore = "runs in a process of its own, started by the next test"]
fn another_process_resets() {
    println!("resets {}", hundred_resets());
}

#[test]
fn a_hundred_resets_are_the_same_in_another_instance_and_in_another_process() {
    let here = hundred_resets();
    assert_eq!(here, hundred_resets());
    let mut other = std::process::Command::new(std::env::current_exe().unwrap());
    let output = other.args(["--exact", "another_process_resets", "--ignored", "--nocapture"]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains(&format!("resets {here}")), "{output}");
}

#[test]
fn the_end_of_the_task_outranks_the_end_of_the_time() {
    let ends_after = |limit: usize| -> (usize, Step) {
        let mut env = maker(&spec(&format!("(extends: \"cartpole\", max_episode_steps: {limit})")).unwrap())().unwrap();
        let (mut rng, mut observation) = (Stream::Env(0).under(0), [0.0; 4]);
        env.reset(&mut rng, &mut observation).unwrap();
        // Always to the right: the pole falls.
        (1..1000)
            .map(|index| (index, env.step(Action::Discrete(1), &mut rng, &mut observation).unwrap()))
            .find(|(_, step)| step.ended())
            .unwrap()
    };
    let (fall, step) = ends_after(500);
    assert!(fall > 5 && step.terminated && !step.truncated);
    assert_eq!(ends_after(fall), (fall, step), "falling at the limit is falling");
    let (limit, step) = ends_after(fall - 1);
    assert!(limit == fall - 1 && step.truncated && !step.terminated);
}

#[test]
fn files_say_what_they_are_and_survive_being_written_out() {
    let registry = Registry::standard();
    for spec in shipped() {
        let again = Spec::from_ron(&registry, "again", &spec.to_ron()).unwrap();
        assert_eq!(spec.differences(&again), [], "{}", spec.name);
        assert_eq!((spec.digest(), &spec.about), (again.digest(), &again.about), "{}", spec.name);
        assert!(spec.about.len() > 30 && !spec.about.ends_with('.'), "{} says too little: {}", spec.name, spec.about);
        // A target is named after what it changes; a trial after whose tasks it is made of.
        if let Some(base) = spec.extends.first() {
            let stem = base.strip_suffix("_tasks").unwrap_or(base);
            assert!(spec.name.starts_with(&format!("{stem}_")), "{} extends {base}", spec.name);
            assert_ne!(spec.differences(&registry.resolve(base).unwrap()), [], "{} changes nothing", spec.name);
        }
    }
}

#[test]
fn a_snapshot_of_another_environment_is_refused() {
    let registry = Registry::standard();
    let build = |name: &str| registry.build(&registry.resolve(name).unwrap()).unwrap();
    for (from, into) in [
        ("cartpole", "pendulum"),
        ("pendulum", "cartpole"),
        ("cartpole", "cartpole_delayed"),
        ("cartpole_noisy", "mountain_car_continuous"),
    ] {
        let mut snapshot = Snapshot::default();
        build(from).snapshot(&mut snapshot);
        let mut snapshot = Snapshot::from_numbers(snapshot.numbers().to_vec());
        let restored = build(into).restore(&mut snapshot).and_then(|()| snapshot.finish());
        assert!(restored.is_err(), "{from} into {into}");
    }
}

/// Nothing but a counter: what a user's own simulator looks like to an environment file.
struct Clock(Spaces, f64);

impl Env for Clock {
    fn spaces(&self) -> &Spaces {
        &self.0
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.1 = rng.unit();
        observation[0] = self.1;
        Ok(())
    }
    fn step(&mut self, _action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.1 += 1.0;
        observation[0] = self.1;
        Ok(Step { reward: 1.0, terminated: self.1 > 9.0, truncated: false })
    }
    fn snapshot(&self, into: &mut Snapshot) {
        into.put(self.1);
    }
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.1 = from.take()?;
        Ok(())
    }
    fn scene(&self) -> Scene {
        Scene::default()
    }
}

fn with_clock() -> Registry {
    let mut clock = Simulator::new("clock", "Counts", |_, _| {
        let action = heirloom::env::ActionSpace::Discrete(vec!["wait".into()]);
        Ok(Clock(Spaces { observation: vec![Channel::unbounded("time")], action }, 0.0))
    });
    clock.context = vec![Parameter::new("pace", 1.0, [0.5, 2.0], "1/s", "how fast it counts")];
    let mut registry = Registry::standard();
    registry.add(clock);
    registry
}

#[test]
fn a_simulator_that_is_added_is_an_environment_and_can_be_extended() {
    let registry = with_clock();
    assert!(registry.names().contains(&"clock".to_owned()));
    let spec = Spec::from_ron(&registry, "slow", "(extends: \"clock\", context: (pace: 0.5), max_episode_steps: 5)").unwrap();
    assert_eq!((spec.simulator.as_str(), spec.extends.as_slice()), ("clock", ["clock".to_owned()].as_slice()));
    let findings = check(&|| registry.build(&spec)).unwrap();
    assert!(findings.iter().all(|finding| finding.broken.is_none()), "{findings:?}");
}

/// Writes files into a folder, resolves and builds the first of them, and tells what was said about it.
#[expect(clippy::disallowed_methods, reason = "a folder that is gone after the test")]
fn said_about(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(format!("{name}.ron")), text).unwrap();
    }
    let first = folder.path().join(format!("{}.ron", files[0].0));
    let registry = with_clock();
    let error = registry.resolve(first.to_str().unwrap()).and_then(|spec| registry.build(&spec).map(|_| ())).unwrap_err();
    let hint = error.remedy().map_or_else(String::new, |hint| format!("\nhint: {hint}"));
    // The list of all environments grows, and gym-rs is a feature; what is said before it is what matters.
    let hint = hint.replace(", gym_rs/cartpole, gym_rs/mountain_car", "");
    let hint = hint.split_once("? There are: acrobot").map_or(hint.clone(), |(near, _)| format!("{near}? There are: acrobot, ..."));
    format!("exit {}: {error}{hint}", error.kind() as i32).replace(&format!("{}/", folder.path().display()), "")
}

#[test]
fn what_is_wrong_in_a_file_is_found_placed_and_remedied() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        ("a field that does not exist", &[("a", "(\n  extends: \"cartpole\",\n  contxt: (gravity: 3),\n)")]),
        ("a parameter that does not exist", &[("a", "(\n  extends: \"cartpole\",\n  context: (gravty: 3),\n)")]),
        ("a value out of range", &[("a", "(\n  extends: \"cartpole\",\n  context: (force: 2, gravity: -3),\n)")]),
        ("a value that is not finite", &[("a", "(extends: \"cartpole\", context: (gravity: inf))")]),
        ("a law that does not exist", &[("a", "(\n  extends: \"cartpole\",\n  context: (gravity: Unifrm(3, 4)),\n)")]),
        ("a law with its ends swapped", &[("a", "(extends: \"cartpole\", context: (gravity: Uniform(4, 3)))")]),
        ("a law that lacks a number", &[("a", "(extends: \"cartpole\", context: (gravity: Uniform(4)))")]),
        ("a word where a number belongs", &[("a", "(extends: \"cartpole\", context: (gravity: \"strong\"))")]),
        ("a parameter that stands twice", &[("a", "(extends: \"cartpole\",\n context: (gravity: 3, gravity: 4))")]),
        ("values that exclude each other", &[("a", "(extends: \"mountain_car\", objective: (start_low: -0.3))")]),
        ("a wrapper that does not exist", &[("a", "(\n  extends: \"cartpole\",\n  wrappers: [ActionReverse],\n)")]),
        ("a wrapper's field that does not exist", &[("a", "(extends: \"cartpole\", wrappers: [ObservationNoise(sd: 1)])")]),
        ("a wrapper's value out of range", &[("a", "(extends: \"cartpole\",\n wrappers: [ActionDelay(steps: 1), ActionDelay(steps: 0)])")]),
        (
            "a channel that does not exist",
            &[("a", "(extends: \"cartpole\",\n wrappers: [ActionReversed, DropChannels([\"pole_angel\"])])")],
        ),
        (
            "a wrapper of the extended file that does not fit",
            &[("a", "(extends: \"b\")"), ("b", "(extends: \"cartpole\",\n wrappers: [ActionScale(factor: 2)])")],
        ),
        ("channels of one name", &[("a", "(extends: \"cartpole\", wrappers: [FrameStack(frames: 2), FrameStack(frames: 2)])")]),
        (
            "memory without end",
            &[("a", "(extends: \"cartpole\", wrappers: [FrameStack(frames: 1000), ObservationDelay(steps: 1), FrameStack(frames: 1000)])")],
        ),
        ("an environment that does not exist", &[("a", "(\n  extends: \"cartpol\",\n)")]),
        ("a path where a name belongs", &[("a", "(extends: \"../cartpole.ron\")")]),
        ("a circle", &[("a", "(extends: \"b\")"), ("b", "(extends: \"c\")"), ("c", "(\n  extends: \"a\",\n)")]),
        ("a file that extends itself", &[("a", "(extends: \"a\")")]),
        ("nothing to stand on", &[("a", "(context: (gravity: 3))")]),
        ("a simulator that does not exist", &[("a", "(\n  simulator: \"classic/cart_pole\",\n)")]),
        ("two things to stand on", &[("a", "(extends: \"cartpole\",\n simulator: \"classic/cartpole\")")]),
        ("an episode without steps", &[("a", "(extends: \"cartpole\", max_episode_steps: 0)")]),
        ("a negative number of steps", &[("a", "(extends: \"cartpole\", max_episode_steps: -1)")]),
        ("a bracket that is missing", &[("a", "(\n  extends: \"cartpole\",\n")]),
        ("another kind of text", &[("a", "extends = cartpole")]),
        ("a value of a user's own simulator", &[("a", "(extends: \"clock\", context: (pace: 3))")]),
    ];
    let mut text = String::new();
    for (what, files) in cases {
        writeln!(text, "{what}\n{}\n", said_about(files)).unwrap();
    }
    insta::assert_snapshot!(text);
}

#[test]
fn an_environment_that_does_not_exist_is_met_with_the_nearest() {
    let error = Registry::standard().resolve("mountain_car_reverse").unwrap_err();
    assert_eq!(error.to_string(), "there is no environment `mountain_car_reverse`");
    assert!(error.remedy().unwrap().starts_with("did you mean `mountain_car_reversed`"), "{error:?}");
    let error = Registry::standard().resolve("nowhere/cartpole.ron").unwrap_err();
    assert_eq!(error.to_string(), "there is no environment file `nowhere/cartpole.ron`");
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a file that is gone after the test")]
fn hostile_files_are_errors_within_little_memory() {
    let many = format!("(extends: \"cartpole\", wrappers: [{}])", "ObservationDelay(steps: 1000), ".repeat(5000));
    let deep = format!("(extends: \"cartpole\", about: {}1{})", "[".repeat(10_000), "]".repeat(10_000));
    let long = format!("(about: \"{}\")", "x".repeat(300_000));
    for text in [many.as_str(), &deep, &long, "", "\u{0}", "(wrappers: [BrokenAction(action: \"\u{1b}[31m\")], extends: \"cartpole\")"] {
        let error = spec(text).and_then(|spec| Registry::standard().build(&spec).map(|_| ())).unwrap_err();
        assert_eq!(error.kind(), heirloom::error::Kind::Usage, "{error}");
    }
    let bytes = tempfile::NamedTempFile::with_suffix(".ron").unwrap();
    std::fs::write(bytes.path(), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(Registry::standard().resolve(bytes.path().to_str().unwrap()).unwrap_err().kind(), heirloom::error::Kind::Usage);
}

/// `Wrapper` is part of the library: a program puts one around an environment of its own.
#[test]
fn a_wrapper_goes_around_any_environment() {
    let registry = with_clock();
    let env = registry.build(&registry.resolve("clock").unwrap()).unwrap();
    let mut env = Wrapper::RewardScale { factor: 3.0 }.around(env).unwrap();
    let (mut rng, mut observation) = (Stream::Env(0).under(0), [0.0]);
    env.reset(&mut rng, &mut observation).unwrap();
    assert!((env.step(Action::Discrete(0), &mut rng, &mut observation).unwrap().reward - 3.0).abs() < 1e-12);
}
