//! The robots do what Gymnasium 1.4.0's do on MuJoCo 3.17.0, bit for bit; and what only they have: contexts, exact snapshots, a bad state
//! that is an error.
//!
//! Golden data and the script that records it lie in `golden/mujoco`.

mod golden;
mod program;

use golden::{Golden, Stream as Draws};
use heirloom::env::tasks::{Split, Splits, Tasks};
use heirloom::env::{Action, ActionSpace, Env, Part, Registry, Snapshot, Spec};
use heirloom::seed::Stream;
use program::Program;
use std::collections::BTreeSet;

const ROBOTS: [&str; 10] = [
    "half_cheetah",
    "hopper",
    "walker2d",
    "ant",
    "swimmer",
    "humanoid",
    "inverted_pendulum",
    "inverted_double_pendulum",
    "reacher",
    "pusher",
];
const STEPS: usize = 1000;

fn build(name: &str) -> Box<dyn Env> {
    let registry = Registry::standard();
    registry.build(&registry.resolve(name).unwrap()).unwrap()
}

fn with(text: &str) -> Box<dyn Env> {
    let registry = Registry::standard();
    let spec = Spec::from_ron(&registry, "test", text).unwrap();
    registry.build(&spec).unwrap()
}

/// FNV-1a over the bytes, its lower 48 bits.
#[expect(clippy::cast_precision_loss, reason = "48 bits fit")]
fn fingerprint(observation: &[f64]) -> f64 {
    let bytes = observation.iter().flat_map(|value| value.to_le_bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (hash & ((1 << 48) - 1)) as f64
}

fn bounds(env: &dyn Env) -> Vec<f64> {
    match &env.spaces().action {
        ActionSpace::Continuous(channels) => channels.iter().map(|channel| channel.high).collect(),
        ActionSpace::Discrete(_) => panic!("robots have continuous actions"),
    }
}

/// Libraries of mathematics take other instructions on other processors, and then round otherwise in the last place.
fn is_comparable() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("fma")
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        false
    }
}

/// How many of the recorded observations and rewards have other bits, and the largest error of those that are recorded in full.
fn differences(name: &str) -> (usize, usize, f64) {
    let mut golden = Golden::read(&format!("mujoco/data/{name}.f64"));
    let mut env = build(name);
    let high = bounds(env.as_ref());
    let mut observation = vec![0.0; env.spaces().observation.len()];
    env.reset(&mut Stream::Env(0).under(0), &mut observation).unwrap();
    let mut snapshot = Snapshot::default();
    env.snapshot(&mut snapshot);
    // In front of the robot's own numbers stand the episode's two: steps so far, and that it runs.
    let state = snapshot.numbers().len() - 2;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "recorded as a count")]
    let count = |golden: &mut Golden| golden.take(1)[0] as usize;
    let episodes = count(&mut golden);
    let episodes: Vec<(usize, Vec<f64>)> = (0..episodes).map(|_| (count(&mut golden), golden.take(state))).collect();
    let rows: Vec<Vec<f64>> = (0..STEPS).map(|_| golden.take(3)).collect();
    let mut draws = Draws(name.len() as u64);
    let (mut observations, mut rewards, mut largest) = (0, 0, 0.0_f64);
    let mut rows = rows.iter();
    for (episode, (length, state)) in episodes.iter().enumerate() {
        env.restore(&mut Snapshot::from_numbers([&[0.0, 1.0], state.as_slice()].concat())).unwrap();
        for index in 0..*length {
            let action: Vec<f64> = high.iter().map(|high| draw(&mut draws, *high)).collect();
            let step = env.step(Action::Continuous(&action), &mut Stream::Env(0).under(0), &mut observation).unwrap();
            let row = rows.next().unwrap();
            rewards += usize::from(step.reward.to_bits() != row[0].to_bits());
            largest = largest.max((step.reward - row[0]).abs());
            assert_eq!(step.terminated, row[1] == 1.0, "{name}, episode {episode}, step {index}: reward {} and {}", step.reward, row[0]);
            observations += usize::from(fingerprint(&observation) != row[2]);
            if episode < 8 && index < 3 {
                let recorded = golden.take(observation.len());
                let error = observation.iter().zip(&recorded).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f64::max);
                largest = largest.max(error);
            }
        }
    }
    golden.finish();
    (observations, rewards, largest)
}

#[expect(clippy::cast_possible_truncation, reason = "an action is a float32 there")]
fn draw(draws: &mut Draws, high: f64) -> f64 {
    f64::from(draws.number() * high as f32)
}

#[test]
fn a_thousand_steps_have_gymnasiums_bits() {
    for name in ROBOTS {
        let (observations, rewards, largest) = differences(name);
        println!("{name}: {observations} observations and {rewards} rewards of {STEPS} have other bits; largest error {largest:e}");
        if is_comparable() {
            assert_eq!((observations, rewards), (0, 0), "{name}: {largest:e}");
        } else {
            println!("not comparable bit for bit: recorded on a processor with AVX-512");
            assert!(largest < 1e-6, "{name}: {largest:e}");
        }
    }
}

/// Rewards and the bits of every observation over some steps of drawn actions, episode after episode, from starts that are always the same.
fn run(env: Box<dyn Env>, steps: usize) -> (Vec<f64>, Vec<u64>) {
    let mut draws = Draws(7);
    run_with(env, steps, |_, high| draw(&mut draws, high))
}

fn run_with(mut env: Box<dyn Env>, steps: usize, mut action: impl FnMut(usize, f64) -> f64) -> (Vec<f64>, Vec<u64>) {
    let (high, mut rng) = (bounds(env.as_ref()), Stream::Env(0).under(7));
    let mut observation = vec![0.0; env.spaces().observation.len()];
    env.reset(&mut rng, &mut observation).unwrap();
    let (mut rewards, mut seen) = (Vec::new(), Vec::new());
    for index in 0..steps {
        let action: Vec<f64> = high.iter().map(|high| action(index, *high)).collect();
        let step = env.step(Action::Continuous(&action), &mut rng, &mut observation).unwrap();
        rewards.push(step.reward);
        seen.extend(observation.iter().map(|value| value.to_bits()));
        if step.ended() {
            env.reset(&mut rng, &mut observation).unwrap();
        }
    }
    (rewards, seen)
}

#[test]
fn every_off_dynamics_target_moves_otherwise_than_its_source() {
    let registry = Registry::standard();
    let names: Vec<String> = registry.names().into_iter().filter(|name| registry.family(name) == Some("off_dynamics")).collect();
    assert_eq!(names.len(), 60);
    for name in names {
        let source = registry.resolve(&name).unwrap().extends[0].clone();
        // A narrower range shows when a joint is driven to its end, a friction when a foot slips.
        let driven = |name: &str| run_with(build(name), 200, |step, high| if step % 60 < 30 { high } else { -high }).1;
        assert_ne!(driven(&name), driven(&source), "{name}");
    }
}

#[test]
fn every_parameter_of_the_context_acts_and_its_default_is_the_models_own() {
    let registry = Registry::standard();
    for robot in ["half_cheetah", "swimmer", "ant"] {
        let spec = registry.resolve(robot).unwrap();
        let own = run(registry.build(&spec).unwrap(), 200).1;
        let simulator = registry.simulator(&spec.simulator).unwrap();
        for parameter in &simulator.context {
            let said = format!("(simulator: \"mujoco/{robot}\", context: ({}: {:?}))", parameter.name, parameter.default);
            assert_eq!(run(with(&said), 200).1, own, "{robot}: {said}");
            if parameter.name == "wind" && spec.context.0["density"].least() == 0.0 {
                continue; // nothing blows where there is no air
            }
            if robot == "swimmer" && ["gravity", "friction", "damping"].contains(&parameter.name) {
                continue; // it lies in a plane, touches nothing, and its joints are free
            }
            let other = if parameter.default == 0.0 { 1.5 } else { parameter.default * 0.4 };
            let said = format!("(simulator: \"mujoco/{robot}\", context: ({}: {other:?}))", parameter.name);
            assert_ne!(run(with(&said), 200).1, own, "{robot}: {said}");
        }
    }
}

#[test]
fn a_half_as_long_thigh_is_half_as_long_and_carries_its_shin_along() {
    let capsules = |env: &mut dyn Env| -> Vec<f64> {
        env.reset(&mut Stream::Env(0).under(0), &mut [0.0; 17]).unwrap();
        let of = |part: &Part| match part {
            Part::Capsule { from, to, .. } => Some((from[0] - to[0]).hypot(from[1] - to[1])),
            _ => None,
        };
        let mut lengths: Vec<f64> = env.scene().parts.iter().filter_map(of).collect();
        lengths.sort_by(f64::total_cmp);
        lengths
    };
    let near =
        |found: &[f64], expected: &[f64]| found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9);
    // Twice the half-lengths in half_cheetah.xml: feet, shins, thighs, head, trunk.
    let whole = [0.14, 0.188, 0.212, 0.266, 0.29, 0.3, 0.3, 1.0];
    assert!(near(&capsules(build("half_cheetah").as_mut()), &whole));
    let half = [0.133, 0.14, 0.145, 0.188, 0.212, 0.3, 0.3, 1.0];
    let text = "(simulator: \"mujoco/half_cheetah\", context: (thigh_length: 0.5))";
    assert!(near(&capsules(with(text).as_mut()), &half));
}

#[test]
fn objectives_are_backwards_a_speed_a_direction_and_a_place() {
    let rewards = |robot: &str, objective: &str| run(with(&format!("(simulator: \"mujoco/{robot}\", objective: ({objective}))")), 30).0;
    let cheetah = |objective: &str| rewards("half_cheetah", &format!("ctrl_cost_weight: 0, {objective}"));
    let ant = |objective: &str| rewards("ant", &format!("ctrl_cost_weight: 0, contact_cost_weight: 0, healthy_reward: 0, {objective}"));
    let forwards = cheetah("");
    assert!(forwards.iter().zip(cheetah("forward_reward_weight: -1")).all(|(one, two)| *one == -two));
    let speed = cheetah("forward_reward_weight: 0, velocity_weight: 2, target_velocity: 1.5");
    assert!(forwards.iter().zip(speed).all(|(v, reward)| (reward + 2.0 * (v - 1.5).abs()).abs() < 1e-12));
    let (along, across) = (ant(""), ant("direction: 1.5707963267948966"));
    let aslant = ant("direction: 0.5");
    for ((x, y), reward) in along.iter().zip(&across).zip(aslant) {
        assert!((x * 0.5_f64.cos() + y * 0.5_f64.sin() - reward).abs() < 1e-9);
    }
    // What the robot came nearer in each direction, from where it stood, is how far it is at the end.
    let goal = ant("forward_reward_weight: 0, goal_weight: 1, goal_x: 100, goal_y: 0");
    assert!((goal[29] - goal[0] - 0.05 * along[1..].iter().sum::<f64>()).abs() < 0.05, "100 m away, a step along x is a step nearer");
}

/// The first tasks of training of a family: what was drawn, and rewards and observations of 200 given steps.
fn tasks(family: &str, count: usize) -> Vec<(Vec<f64>, Vec<f64>, Vec<u64>)> {
    let registry = Registry::standard();
    let tasks = Tasks::new(&registry.resolve(family).unwrap(), &Splits::default(), 0).unwrap();
    let each = tasks.first(Split::Train, count).unwrap().into_iter().map(|task| {
        assert_eq!(task.spec.max_episode_steps, Some(200));
        let (rewards, seen) = run(registry.build(&task.spec).unwrap(), 200);
        (task.values.into_iter().map(|(_, value)| value).collect(), rewards, seen)
    });
    each.collect()
}

/// What was drawn for a task of a robot is what its rewards, or its physics, are made of.
#[test]
fn a_task_of_a_robot_does_what_was_drawn_for_it() {
    let rewards = |text: &str| run(with(text), 200).0;
    let velocity = rewards("(extends: \"half_cheetah\", objective: (ctrl_cost_weight: 0))");
    let cost = rewards("(extends: \"half_cheetah\", objective: (forward_reward_weight: 0, ctrl_cost_weight: 0.05))");
    let moves = run(build("half_cheetah"), 200).1;
    let agrees = |family: &str, reward: fn(f64, f64) -> f64| {
        let tasks = tasks(family, 12);
        for (drawn, rewards, seen) in &tasks {
            assert_eq!(*seen, moves, "{family}: the goal cannot be seen, and does not move the robot");
            for (found, (velocity, cost)) in rewards.iter().zip(velocity.iter().zip(&cost)) {
                assert!((found - reward(*velocity, drawn[0]) - cost).abs() < 1e-12, "{family} {drawn:?}");
            }
        }
        tasks.into_iter().map(|(drawn, ..)| drawn[0].to_bits()).collect::<BTreeSet<u64>>().len()
    };
    assert_eq!(agrees("half_cheetah_direction_tasks", |velocity, direction| direction * velocity), 2);
    assert_eq!(agrees("half_cheetah_velocity_tasks", |velocity, goal| -(velocity - goal).abs()), 12);

    let rest = rewards("(extends: \"ant\", objective: (forward_reward_weight: 0))");
    let [along, across] = ["0", "1.5707963267948966"]
        .map(|direction| rewards(&format!("(extends: \"ant\", objective: (direction: {direction}))")))
        .map(|rewards| rewards.iter().zip(&rest).map(|(reward, rest)| reward - rest).collect::<Vec<f64>>());
    for (drawn, rewards, _) in tasks("ant_direction_tasks", 6) {
        for (step, found) in rewards.iter().enumerate() {
            let expected = drawn[0].cos() * along[step] + drawn[0].sin() * across[step] + rest[step];
            assert!((found - expected).abs() < 1e-9, "{drawn:?}");
        }
    }

    let own = run(build("walker2d"), 200).1;
    for (drawn, _, seen) in tasks("walker2d_parameter_tasks", 6) {
        let [damping, friction, mass] = drawn[..] else { panic!("{drawn:?}") };
        let context = format!("damping: {damping:?}, friction: {friction:?}, mass: {mass:?}");
        assert_eq!(seen, run(with(&format!("(extends: \"walker2d\", context: ({context}))")), 200).1, "{context}");
        for one in context.split(", ") {
            assert_ne!(own, run(with(&format!("(extends: \"walker2d\", context: ({one}))")), 200).1, "{one}");
        }
    }
}

#[test]
fn physics_that_blows_up_is_an_error_that_says_when() {
    let mut env = with("(simulator: \"mujoco/ant\", context: (time_step: 1, strength: 100))");
    let mut rng = Stream::Env(0).under(0);
    let mut observation = vec![0.0; env.spaces().observation.len()];
    env.reset(&mut rng, &mut observation).unwrap();
    let error = (0..100).find_map(|_| env.step(Action::Continuous(&[1.0; 8]), &mut rng, &mut observation).err()).unwrap();
    assert_eq!(error.kind(), heirloom::error::Kind::Environment);
    assert!(error.message().starts_with("MuJoCo warns after "), "{error}");
    // And the next episode begins as if nothing had been.
    env.reset(&mut rng, &mut observation).unwrap();
    env.step(Action::Continuous(&[0.0; 8]), &mut rng, &mut observation).unwrap();
    assert!(!std::path::Path::new("MUJOCO_LOG.TXT").exists());
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a scratch file")]
fn a_library_that_is_missing_or_another_is_a_sentence_and_all_else_works() {
    let program = Program::new();
    std::fs::write(program.path("text.so"), "no library").unwrap();
    let said = |library: &str| {
        let ended = program.command("envs show hopper").env("MUJOCO_LIBRARY", library).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    for (library, words) in
        [("absent.so", "cannot be loaded"), ("text.so", "cannot be loaded"), ("libm.so.6", "is not MuJoCo 3.17.0's library")]
    {
        let (code, stderr) = said(library);
        assert_eq!(code, Some(4), "{stderr}");
        assert!(stderr.contains(words) && stderr.contains("cargo xtask setup"), "{stderr}");
    }
    let other = program.command("envs check cartpole").env("MUJOCO_LIBRARY", "absent.so").output().unwrap();
    assert!(other.status.success());
    assert!(program.command("envs").env("MUJOCO_LIBRARY", "absent.so").output().unwrap().status.success());
}
