//! A recording is the same set for any number of threads and after any kill; what was acknowledged is never lost, and nothing is left over.
//!
//! `HEIRLOOM_KILLS` sets how many times a recording is killed (20; the long form 1,000).

mod program;

use heirloom::demo::Demonstrations;
use heirloom::seed::Stream;
use program::{Ended, Program};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Some ten steps an episode: the cart is steered the wrong way.
const SHORT: &str = "demo record cartpole cartpole_reversed --seed 5 --json";
/// A fifth of the episodes is left out.
const SMALL: &str = "--stochastic --min-return 9.5 --episodes 3000";
/// Several parts.
const LARGE: &str = "--episodes 60000";

/// Every file of a set but the lock, with its bytes.
fn files(set: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(set).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| !file.ends_with("lock"));
    files.into_iter().map(|file| (file.strip_prefix(set).unwrap().to_owned(), std::fs::read(&file).unwrap())).collect()
}

/// Names and digests: what two sets are told apart by when they should be one.
fn told(files: &[(PathBuf, Vec<u8>)]) -> Vec<String> {
    files.iter().map(|(name, bytes)| format!("{} {}", name.display(), heirloom::file::digest::of_bytes(bytes))).collect()
}

/// The episodes that a set shows, by the stream that each was drawn from; every byte of them is checked.
fn shown(set: &Path) -> BTreeSet<u64> {
    let set = Demonstrations::open(set).unwrap();
    set.verify().unwrap();
    let streams: Vec<u64> = set.episodes().map(|episode| episode.unwrap().1.start.unwrap().stream).collect();
    let apart: BTreeSet<u64> = streams.iter().copied().collect();
    assert_eq!(apart.len(), streams.len(), "an episode stands twice");
    apart
}

/// How long the files of a set are.
fn lengths(set: &Path) -> Vec<u64> {
    let entries = std::fs::read_dir(set).into_iter().flatten().flatten();
    entries.map(|entry| entry.metadata().map_or(0, |found| found.len())).collect()
}

fn spawn(program: &Program, line: &str) -> Child {
    program.command(line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Starts a long recording and waits until an episode of it is safe.
fn begun(program: &Program) -> Child {
    let child = spawn(program, &format!("{SHORT} --episodes 1000000000 --out set"));
    let began = Instant::now();
    while std::fs::metadata(program.path("set/journal")).map_or(0, |found| found.len()) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60));
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

#[test]
fn any_number_of_threads_records_the_same_bytes() {
    let program = Program::new();
    let record = |threads: usize| {
        program.ok(&format!(
            "demo record cartpole cartpole_noisy --episodes 150 --stochastic --min-return 100 --threads {threads} --out t{threads} --json"
        ));
        files(&program.path(&format!("t{threads}")))
    };
    let one = record(1);
    assert!(one.len() >= 2);
    for threads in [2, 3, 8] {
        assert_eq!(told(&record(threads)), told(&one), "{threads} threads");
    }
}

#[test]
fn no_acknowledged_episode_is_lost() {
    let kills: usize = std::env::var("HEIRLOOM_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    for (name, size, latest) in [("small", SMALL, 200), ("large", LARGE, 600)] {
        let program = Program::new();
        program.ok(&format!("{SHORT} {size} --out straight"));
        let (straight, belonging) = (files(&program.path("straight")), shown(&program.path("straight")));
        let mut rng = Stream::Bootstrap(4).under(2);
        let (set, mut acknowledged, mut working, mut whole) = (program.path("set"), BTreeSet::new(), 0, 0);
        for kill in 0..kills.div_ceil(2) {
            let resume = if set.join("demonstrations.ron").exists() { "--resume" } else { "" };
            let before = lengths(&set);
            let mut child = spawn(&program, &format!("{SHORT} {size} --out set {resume} --threads {}", 1 + kill % 3));
            // Most kills meet it at work, some at its start.
            while kill % 4 != 0 && lengths(&set) == before && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(Duration::from_millis(rng.below(latest) as u64));
            let ended = child.try_wait().unwrap();
            child.kill().unwrap();
            child.wait().unwrap();
            working += usize::from(ended.is_none());
            if let Some(ended) = ended {
                assert_eq!(ended.code(), Some(0), "{name}, kill {kill}");
            }
            if !set.join("demonstrations.ron").exists() {
                continue;
            }
            // Of episodes that end side by side, more may be kept than are asked for; the last ones are then left out.
            let now: BTreeSet<u64> = shown(&set).into_iter().filter(|stream| Some(stream) <= belonging.last()).collect();
            assert!(now.is_subset(&belonging), "{name}, kill {kill}");
            let lost: Vec<&u64> = acknowledged.difference(&now).take(5).collect();
            assert!(lost.is_empty(), "{name}, kill {kill}: lost {lost:?}");
            acknowledged = now;
            if Demonstrations::open(&set).unwrap().is_finished() {
                finish(&program, size);
                assert_eq!(told(&files(&set)), told(&straight), "{name}, kill {kill}");
                std::fs::remove_dir_all(&set).unwrap();
                (acknowledged, whole) = (BTreeSet::new(), whole + 1);
            }
        }
        println!("{name}: {working} of {} kills met a working process, {whole} sets were finished on the way", kills.div_ceil(2));
        finish(&program, size);
        assert_eq!(told(&files(&set)), told(&straight), "{name}");
        assert!(acknowledged.is_subset(&shown(&set)));
    }
}

/// Records to the end, from where a kill left it; of what a kill left behind the end, only the traces are removed.
fn finish(program: &Program, size: &str) {
    let resume = if program.path("set/demonstrations.ron").exists() { "--resume" } else { "" };
    let ended = program.run(&format!("{SHORT} {size} --out set {resume}"));
    if ended.code != Some(0) {
        ended.refused(2, &["the recording is finished"]);
    }
}

#[test]
fn signals_end_it_soon_and_others_are_kept_out() {
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let program = Program::new();
        let mut child = begun(&program);
        program.run(&format!("{SHORT} --episodes 1000000000 --out set --resume")).refused(7, &["another process"]);
        program.run(&format!("{SHORT} --episodes 5 --out set")).refused(2, &["there are demonstrations already", "--resume"]);
        let before = shown(&program.path("set"));
        let asked = Instant::now();
        assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        assert!(asked.elapsed() < Duration::from_secs(5));
        assert!(before.is_subset(&shown(&program.path("set"))));
        let kept = files(&program.path("set"));
        for (line, part) in [
            ("demo record mountain_car mountain_car --seed 5", "another environment"),
            ("demo record cartpole cartpole --seed 5", "another environment"),
            ("demo record cartpole cartpole_reversed --seed 6", "another recorder"),
            ("demo record cartpole cartpole_reversed --seed 5 --stochastic", "another recorder"),
            ("demo record cartpole cartpole_reversed --seed 5 --min-return 3", "another recorder"),
        ] {
            program.run(&format!("{line} --out set --resume")).refused(2, &[part, "hint"]);
        }
        assert!(files(&program.path("set")) == kept);
    }
    Program::new().run(&format!("{SHORT} --out nothing --resume")).refused(2, &["there are no demonstrations"]);
}

/// A disk that takes so much and no more, as a limit on the length of files sees it.
#[test]
fn a_full_disk_loses_nothing_that_was_acknowledged() {
    let program = Program::new();
    program.ok(&format!("{SHORT} {LARGE} --out straight"));
    let limited = |blocks: u32, line: &str| {
        let ours = program.command(line);
        let arguments: Vec<String> = ours.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec {} {}", ours.get_program().to_string_lossy(), arguments.join(" "));
        let output = Command::new("sh").args(["-c", &script]).current_dir(program.folder()).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    };
    // In units of 512 bytes: within the journal's first frames, within a part's journal, behind it and within the part itself.
    let mut acknowledged = BTreeSet::new();
    for blocks in [8, 64, 4096, 6000] {
        let resume = if program.path("set/demonstrations.ron").exists() { "--resume" } else { "" };
        limited(blocks, &format!("{SHORT} {LARGE} --out set {resume}")).refused(6, &["set/", "cannot"]);
        let now = shown(&program.path("set"));
        assert!(acknowledged.is_subset(&now) && now.len() > acknowledged.len().min(50), "{blocks} blocks: {}", now.len());
        acknowledged = now;
    }
    program.ok(&format!("{SHORT} {LARGE} --out set --resume"));
    assert_eq!(told(&files(&program.path("set"))), told(&files(&program.path("straight"))));
}
