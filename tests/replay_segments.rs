//! Checkpoints of a replay buffer: segments are written once, kept as long as a checkpoint needs them, and never believed.

mod program;

use heirloom::file::disk;
use program::Program;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// A segment is 1,000 / 16 entries; the buffer wraps after 1,000 of 3,000 steps.
const RUN: &str = "pretrain pendulum --method sac --steps 3000 --seed 4 --json --episodes 2 --evaluations 2 --checkpoint-every 2 \
                   --set sac.buffer=1000 --set sac.actor=[8] --set sac.critic=[8] --set sac.minibatch=16 --set sac.warm_up=1000";

fn segments(program: &Program) -> Vec<PathBuf> {
    disk::list(&program.path("run/checkpoints/segments")).unwrap()
}

fn spoil(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let at = bytes.len() - 5;
    bytes[at] ^= 1;
    disk::write(path, &bytes).unwrap();
}

#[test]
fn a_killed_run_goes_on_from_its_segments_after_the_buffer_has_wrapped() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out straight --threads 2"));
    for updates in [3, 9, 17, 25] {
        program.ok(&format!("{RUN} --out run --threads 1 --stop-after-updates {updates}"));
        program.ok(&format!("{RUN} --out run --threads 2 --resume"));
        assert_eq!(program.ok("digest run"), program.ok("digest straight"));
        assert!(program.read("run/metrics.csv") == program.read("straight/metrics.csv"));
        // Three checkpoints, 200 steps apart, need a buffer and six segments more at most.
        assert!((17..=28).contains(&segments(&program).len()), "{}", segments(&program).len());
        program.ok("fsck run");
        std::fs::remove_dir_all(program.path("run")).unwrap();
    }
}

#[test]
fn a_damaged_segment_costs_the_checkpoints_that_need_it() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out straight"));
    program.ok(&format!("{RUN} --out run --stop-after-updates 20"));
    let newest = segments(&program).pop().unwrap();
    spoil(&newest);
    assert_eq!(program.run("fsck run").code, Some(3));
    let resumed = program.run(&format!("{RUN} --out run --resume"));
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    assert!(resumed.stderr.contains("is damaged: its SHA-256 is not the one that was written"), "{}", resumed.stderr);
    assert_eq!(program.ok("digest run"), program.ok("digest straight"));
    program.ok("fsck run");
    for segment in segments(&program) {
        spoil(&segment);
    }
    program.run(&format!("{RUN} --out run --resume")).refused(3, &["segments/replay.0.", "no checkpoint of this run is sound"]);
}

#[test]
fn a_missing_segment_and_names_that_lead_elsewhere_are_refused() {
    let program = Program::new();
    program.ok(&format!("{RUN} --out run --stop-after-updates 12"));
    let checkpoints = || disk::list(&program.path("run/checkpoints")).unwrap().into_iter().filter(|path| !path.ends_with("segments"));
    let manifests: Vec<PathBuf> = checkpoints().map(|folder| folder.join("checkpoint.ron")).collect();
    for (name, message) in
        [("../../../escape", "which is no segment"), (".hidden", "which is no segment"), ("replay.0.99999999", "No such file")]
    {
        let kept: Vec<Vec<u8>> = manifests.iter().map(|path| std::fs::read(path).unwrap()).collect();
        for path in &manifests {
            let text = std::fs::read_to_string(path).unwrap();
            let at = text.find("replay.0.").unwrap();
            let changed = format!("{}{name}{}", &text[..at], &text[at + "replay.0.00000000".len()..]);
            disk::write(path, changed.as_bytes()).unwrap();
        }
        program.run(&format!("{RUN} --out run --resume")).refused(3, &[message]);
        manifests.iter().zip(kept).for_each(|(path, bytes)| disk::write(path, &bytes).unwrap());
    }
    for segment in segments(&program) {
        disk::remove(&segment).unwrap();
    }
    program.run(&format!("{RUN} --out run --resume")).refused(3, &["segments/replay.0."]);
}

/// A million transitions are in the buffer when the signal comes; five seconds later the checkpoint stands.
#[test]
fn a_signal_ends_a_run_with_a_full_buffer_in_five_seconds() {
    let program = Program::new();
    let run = "pretrain pendulum --method sac --steps 100000000 --episodes 1 --evaluations 1 --checkpoint-every 100000 --out run \
               --set sac.warm_up=1000000000 --set sac.steps=1000 --json";
    let mut running = program.command(run).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    let steps = || {
        let log = std::fs::read_to_string(program.path("run/metrics.csv")).unwrap_or_default();
        log.lines().last().and_then(|line| line.split(',').nth(1)).and_then(|steps| steps.parse().ok()).unwrap_or(0_u64)
    };
    while steps() < 1_100_000 {
        assert!(began.elapsed() < Duration::from_secs(300), "{} steps", steps());
        std::thread::sleep(Duration::from_millis(50));
    }
    let asked = Instant::now();
    std::process::Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    let ended = running.wait().unwrap();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert_eq!(ended.code(), Some(130));
    program.ok("fsck run");
    // Pendulum: 3 numbers, an action, a reward, an end; 24 bytes a transition.
    assert!((24_000_000..27_000_000).contains(&disk::size(&program.path("run/checkpoints/segments"))));
}
