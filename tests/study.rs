//! A study as its user meets it: the same answer for any number of threads and after any stop, what is damaged is run again, what is doubtful is
//! marked, and nothing vanishes.

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod program;

use program::Program;
use serde_json::Value;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const STUDY: &str = "(
    about: \"small\",
    pairs: [
        (name: \"moon\", source: Environment(name: \"cartpole\", steps: 2000), target: \"cartpole_moon\", steps: 1500),
        (name: \"back\", source: Environment(name: \"cartpole\", steps: 2000), target: \"cartpole_reversed\", steps: 1500, measure: Final),
    ],
    methods: [\"zero-shot\", \"fine-tune\"],
    seeds: 4,
    episodes: 3,
    evaluations: 5,
    tuning: (learning_rates: [0.3, 1], seeds: 2),
    reference: (steps: 3000, seeds: 2),
)";

fn with_study() -> Program {
    let program = Program::new();
    program.write("small.ron", STUDY);
    program
}

/// The answer without the paths that it was written to.
fn answer(program: &Program, line: &str) -> Value {
    let mut json: Value = serde_json::from_str(&program.ok(&format!("compare small.ron --json {line}"))).unwrap();
    for path in ["report", "picture"] {
        json.as_object_mut().unwrap().remove(path);
    }
    json
}

fn cells(program: &Program, out: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(program.path(out).join("cells")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn one_answer_for_any_number_of_threads_and_after_any_stop() {
    let program = with_study();
    let straight = answer(&program, "--threads 1 --out straight");
    std::fs::remove_dir_all(program.path("cache")).unwrap();
    assert_eq!(answer(&program, "--threads 3 --out wide"), straight);
    std::fs::remove_dir_all(program.path("cache")).unwrap();
    let count = cells(&program, "straight").len();
    let mut stopped = 0;
    for _ in 0..20 {
        let mut child = program.command("compare small.ron --json --out killed --threads 2").spawn().unwrap();
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1200) && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
        }
        stopped += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(stopped > 0, "no run was killed");
    assert_eq!(answer(&program, "--out killed"), straight);
    assert_eq!(cells(&program, "killed").len(), count);
    let page = |out: &str| program.read(&format!("{out}/report.html"));
    assert!(page("killed") == page("straight") && page("wide") == page("straight"), "the pages are the same bytes");
}

#[test]
fn what_is_damaged_is_run_again_and_strangers_are_left_alone() {
    let program = with_study();
    let before = answer(&program, "--out study");
    std::fs::remove_dir_all(program.path("cache")).unwrap();
    let all = cells(&program, "study");
    for (index, path) in all.iter().enumerate() {
        match index % 4 {
            0 => std::fs::write(path, b"(format: 2, cell: \"x\"").unwrap(),
            1 => {
                let text = std::fs::read_to_string(path).unwrap().replacen("mean: ", "mean: 1", 1);
                std::fs::write(path, text).unwrap();
            }
            2 => std::fs::remove_file(path).unwrap(),
            _ => {}
        }
    }
    for source in std::fs::read_dir(program.path("study/sources")).unwrap().flatten().take(2) {
        std::fs::write(source.path().join("weights.safetensors"), b"nothing").unwrap();
    }
    std::fs::write(program.path("study/cells/another.ron"), b"()").unwrap();
    let line = "compare small.ron --json --out study";
    let ended = program.run(line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("1 results in this folder are not part of the study"), "{}", ended.stderr);
    let mut after: Value = serde_json::from_str(&ended.stdout).unwrap();
    for path in ["report", "picture"] {
        after.as_object_mut().unwrap().remove(path);
    }
    assert_eq!(after, before);
    std::fs::write(program.path("study/looks.ron"), b"(format: 1, looks: [").unwrap();
    program.run(line).refused(3, &["looks.ron"]);
}

#[test]
fn a_second_look_is_exploratory_and_few_seeds_are_warned_of() {
    let program = with_study();
    assert_eq!(answer(&program, "--out study --seeds 3")["exploratory"], Value::Null);
    assert_eq!(answer(&program, "--out study --seeds 3")["exploratory"], Value::Null, "the same look again");
    let more = answer(&program, "--out study");
    assert!(more["exploratory"].as_str().unwrap().contains("seeds 0 to 2"), "{more}");
    let other = answer(&program, "--out study --seeds 3 --steps 1200");
    assert!(other["exploratory"].as_str().is_some());
    let page = String::from_utf8(program.read("study/report.html")).unwrap();
    assert!(page.contains("Exploratory. ") && page.contains("below 10"));
    let two = answer(&program, "--out two --seeds 2");
    let arm = &two["pairs"][0]["arms"][2];
    assert_eq!((&arm["verdict"], &arm["mean"]["interval"]), (&Value::Null, &Value::Null), "two seeds, no interval");
}

#[test]
fn a_run_that_diverges_stops_the_study_or_counts_as_the_worst() {
    let program = with_study();
    // Squares of such rewards are beyond f32.
    let hot = "RewardScale(factor: 1e6), ".repeat(4);
    program.write("hot.ron", &format!("(extends: \"cartpole\", about: \"hot\", wrappers: [{hot}])"));
    let study = STUDY.replace("target: \"cartpole_moon\"", "target: \"hot.ron\"");
    program.write("small.ron", &study);
    let line = "compare small.ron --json --out study --pair moon --set ppo.normalize_returns=false";
    program.run(line).refused(5, &["seed", "hot"]);
    program.write("small.ron", &study.replace("seeds: 4,", "seeds: 4, failures: Worst,"));
    let ended = program.run(line);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let json: Value = serde_json::from_str(&ended.stdout).unwrap();
    let scratch = &json["pairs"][0]["arms"][0];
    assert_eq!(scratch["failed_seeds"].as_array().unwrap().len(), 4);
    let page = String::from_utf8(program.read("study/report.html")).unwrap();
    assert!(page.contains("counts there as the worst return of all"));
}

#[test]
fn judge_plans_runs_and_continues() {
    let program = with_study();
    program.ok("pretrain cartpole --steps 2000 --out mine --json");
    let judge = "judge --policy mine --target cartpole_moon --minutes 0.001 --no-open";
    let ended = program.run(judge);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("verdict") && ended.stderr.contains("planned:"), "{}{}", ended.stdout, ended.stderr);
    let plan = program.read("runs/judge-mine_to_cartpole_moon/study.ron");
    let again = program.run(&format!("{judge} --json"));
    assert!(again.stderr.contains("continuing"), "{}", again.stderr);
    assert!(program.read("runs/judge-mine_to_cartpole_moon/study.ron") == plan);
    program.run("judge --policy mine --target cartpole --out runs/judge-mine_to_cartpole_moon").refused(2, &["another question", "--out"]);
    let text = program.ok("study new --source cartpole --target cartpole_moon");
    program.write("new.ron", &text);
    assert!(program.ok("compare new.ron --dry-run").contains("cells"));
}
