//! A process that is killed at any moment loses nothing that it acknowledged, and leaves nothing behind.
//!
//! `HEIRLOOM_KILLS` sets how many times (30; the long form 1,000).

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod program;

use heirloom::run::RunFolder;
use heirloom::seed::Stream;
use program::Program;
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

const RUN: &str = "pretrain cartpole --steps 4000000 --seed 9 --json --verbose --threads 1 --episodes 1 --evaluations 100 --checkpoint-every 1 --set ppo.environments=4 --set ppo.steps=32";

/// Segments of ten entries: every update seals some.
const REPLAYING: &str = "pretrain pendulum --method sac --steps 4000000 --seed 9 --json --verbose --threads 1 --episodes 1 --evaluations 100 --checkpoint-every 1 --set sac.steps=20 --set sac.buffer=160 --set sac.actor=[8] --set sac.critic=[8] --set sac.minibatch=16";

#[test]
fn no_acknowledged_checkpoint_is_lost() {
    loses_nothing(RUN);
}

#[test]
fn no_acknowledged_replay_buffer_is_lost() {
    loses_nothing(REPLAYING);
}

fn loses_nothing(command: &str) {
    let kills = std::env::var("HEIRLOOM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let program = Program::new();
    let mut rng = Stream::Bootstrap(3).under(2);
    // Loading libtorch takes most of a start, and a busy machine longer.
    let began = std::time::Instant::now();
    program.ok("--version");
    let start = began.elapsed().mul_f64(0.9);
    let mut acknowledged = 0;
    let mut died_at_work = 0;
    for kill in 0..kills {
        // On a busy machine the first ones may be killed before there is a run.
        let resume = if RunFolder::is_run(&program.path("run")) { " --resume" } else { "" };
        let mut child =
            program.command(&format!("{command} --out run{resume}")).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        // An update takes a millisecond, its checkpoint some ten, most of it syncing: most kills fall inside one.
        std::thread::sleep(start + Duration::from_micros(rng.below(200_000) as u64));
        child.kill().unwrap();
        let mut said = String::new();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        died_at_work += usize::from(child.wait().unwrap().code().is_none());
        assert!(!said.contains("panicked") && !said.contains("error:"), "kill {kill}: {said}");
        let last =
            said.lines().filter_map(|line| line.strip_prefix("checkpoint after ")?.split(' ').next()?.parse::<u64>().ok()).next_back();
        acknowledged = acknowledged.max(last.unwrap_or(0));
        let run = program.path("run");
        if RunFolder::is_run(&run) {
            let (found, damaged) = RunFolder::last_sound(&run).unwrap();
            assert!(damaged.is_empty(), "kill {kill}: {damaged:?}");
            let steps = found.map_or(0, |(_, position)| position.steps);
            assert!(steps >= acknowledged, "kill {kill}: {acknowledged} steps were acknowledged, {steps} are there");
        }
    }
    assert!(acknowledged > 0 && died_at_work * 2 > kills, "{died_at_work} of {kills} kills met a working process");

    // The next start leaves nothing half written, and the run is still the one that was never killed.
    program.ok(&format!("{command} --out run --resume --stop-after-updates 1"));
    program.ok("fsck run");
    assert!(!left_over(&program.path("run")));
    let (found, _) = RunFolder::last_sound(&program.path("run")).unwrap();
    let updates = found.unwrap().1.updates;
    program.ok(&format!("{command} --out straight --stop-after-updates {updates}"));
    assert_eq!(program.ok("digest run"), program.ok("digest straight"));
    assert!(program.read("run/metrics.csv") == program.read("straight/metrics.csv"));
}

fn left_over(folder: &std::path::Path) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let partial = entry.file_name().to_string_lossy().starts_with(".partial");
        partial || (entry.path().is_dir() && left_over(&entry.path()))
    })
}

#[test]
fn signals_end_with_a_checkpoint_and_their_own_exit_code() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let program = Program::new();
        let mut child = program.command(&format!("{RUN} --out run")).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
        while !program.path("run/checkpoints").is_dir() || std::fs::read_dir(program.path("run/checkpoints")).unwrap().count() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        let asked = std::time::Instant::now();
        assert!(std::process::Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(asked.elapsed() < Duration::from_secs(5));
        program.ok("fsck run");
        program.ok(&format!("{RUN} --out run --resume --stop-after-updates 1"));
    }
}

/// An iteration of minutes is broken off: the checkpoint is the state at its beginning.
#[test]
fn a_long_iteration_does_not_delay_the_end() {
    let program = Program::new();
    let long = "pretrain cartpole --steps 1000000000 --json --episodes 1 --out run --set ppo.steps=500000 --set ppo.environments=16";
    let mut child = program.command(long).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    let asked = std::time::Instant::now();
    assert!(std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(asked.elapsed() < Duration::from_secs(5));
    let (found, _) = RunFolder::last_sound(&program.path("run")).unwrap();
    assert_eq!(found.unwrap().1.updates, 0);
}

#[test]
fn one_run_folder_one_process() {
    let program = Program::new();
    let mut child = program.command(&format!("{RUN} --out run")).stderr(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    while !program.path("run/checkpoints").is_dir() || std::fs::read_dir(program.path("run/checkpoints")).unwrap().count() == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    program.run(&format!("{RUN} --out run --resume")).refused(7, &["another process"]);
    child.kill().unwrap();
    child.wait().unwrap();
    program.ok(&format!("{RUN} --out run --resume --stop-after-updates 1"));
}

/// The newest checkpoint damaged in every way: found out, and the last good one is used and named.
#[test]
fn a_damaged_checkpoint_is_passed_over() {
    type Damage<'a> = (&'a str, &'a dyn Fn(&std::path::Path));
    let damages: [Damage; 6] = [
        ("a flipped bit in the weights", &|folder| flip(&folder.join("weights.safetensors"))),
        ("a flipped bit in the state", &|folder| flip(&folder.join("state.safetensors"))),
        ("a truncated state", &|folder| truncate(&folder.join("state.safetensors"))),
        ("an empty manifest", &|folder| std::fs::write(folder.join("checkpoint.ron"), "").unwrap()),
        ("a missing card", &|folder| std::fs::remove_file(folder.join("policy.ron")).unwrap()),
        ("an older checkpoint under a newer name", &|folder| {
            let older = std::fs::read_dir(folder.parent().unwrap()).unwrap().flatten().map(|entry| entry.path()).min().unwrap();
            std::fs::remove_dir_all(folder).unwrap();
            std::fs::create_dir(folder).unwrap();
            for file in std::fs::read_dir(older).unwrap().flatten() {
                std::fs::copy(file.path(), folder.join(file.file_name())).unwrap();
            }
        }),
    ];
    let program = Program::new();
    for (name, damage) in damages {
        program.ok(&format!("{RUN} --out run --stop-after-updates 4"));
        let newest = std::fs::read_dir(program.path("run/checkpoints")).unwrap().flatten().map(|entry| entry.path()).max().unwrap();
        damage(&newest);
        let number = newest.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(program.run("fsck run").code, Some(3), "{name}");
        let resumed = program.run(&format!("{RUN} --out run --resume --stop-after-updates 1"));
        assert_eq!(resumed.code, Some(0), "{name}: {}", resumed.stderr);
        assert!(
            resumed.stderr.contains("warning") && resumed.stderr.contains(&number) && resumed.stderr.contains("384"),
            "{name}: {}",
            resumed.stderr
        );
        std::fs::remove_dir_all(program.path("run")).unwrap();
    }
}

fn flip(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let last = bytes.len() - 2;
    bytes[last] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

fn truncate(path: &std::path::Path) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
}
