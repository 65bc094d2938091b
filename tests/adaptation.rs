//! What a start is worth in tasks that it was not trained on: the page of a run, and of several runs beside each other; and what cannot be compared.

mod program;

use program::Program;

/// Small worlds, for whoever learns.
const LITTLE: &str =
    "--steps 1 --episodes 3 --evaluations 1 --test-tasks 3 --set meta.tasks=4 --set meta.episodes=4 --set meta.hidden=[16]";

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

fn page(program: &Program, path: &str) -> String {
    String::from_utf8(program.read(path)).unwrap()
}

#[test]
fn a_run_ends_with_a_page_that_draws_paths_where_tasks_are_places() {
    let program = Program::new();
    let said = program.ok(&format!("meta navigation_tasks {LITTLE} --updates 2 --out places"));
    assert!(said.contains("page: places/adaptation.html"), "{said}");
    let places = page(&program, "places/adaptation.html");
    assert!(["tasks of extrapolation", "Before and after one update", "paths-2-after"].iter().all(|part| places.contains(part)));
    assert!(!places.contains("NaN") && !places.contains("http-equiv=\"refresh\""));
    // The page does not stand in the way of going on.
    program.ok("meta navigation_tasks --steps 2 --test-tasks 3 --updates 0 --out places --resume");
    assert!(!page(&program, "places/adaptation.html").contains("Before and after one update"));
    program.ok(&format!("meta cartpole_tasks {LITTLE} --updates 1 --out bodies"));
    assert!(!page(&program, "bodies/adaptation.html").contains("Before and after one update"));
}

#[test]
fn starts_are_compared_in_the_same_tasks() {
    let program = Program::new();
    program.ok(&format!("meta navigation_tasks {LITTLE} --method maml --out maml"));
    program.ok(&format!("meta navigation_tasks {LITTLE} --method pooled --out pooled"));
    let compare = "meta compare maml pooled --test-tasks 3 --updates 2 --json";
    let found = json(&program.ok(&format!("{compare} --threads 1")));
    assert_eq!(found, json(&program.ok(&format!("{compare} --threads 2"))));
    let names: Vec<&str> = found["starts"].as_array().unwrap().iter().map(|start| start["name"].as_str().unwrap()).collect();
    assert_eq!((names, &found["reference"]), (vec!["maml", "pooled", "scratch"], &serde_json::json!("pooled")));
    let mean = |start: usize, update: usize| found["starts"][start]["returns"]["test"]["means"][update].as_f64().unwrap();
    for update in 0..3 {
        let difference = found["starts"][0]["more_than_reference"]["test"][update]["mean"].as_f64().unwrap();
        assert!((mean(0, update) - mean(1, update) - difference).abs() < 1e-9);
    }
    assert!(page(&program, "runs/navigation_tasks-adaptation.html").contains("More than pooled"));
    // What a run measured of itself, under the same seed, is what it is compared with.
    let own = json(&program.ok("meta navigation_tasks --out maml --resume --json --test-tasks 3 --updates 2"));
    assert_eq!(own["test"]["means"][1].as_f64().unwrap(), mean(0, 1));
    // Two of one method have the names of their folders, beside a start from nothing.
    program.ok(&format!("meta navigation_tasks {LITTLE} --method maml --seed 1 --out another"));
    let twins = json(&program.ok("meta compare maml another --test-tasks 2 --updates 1 --json --out twins.html"));
    assert_eq!((&twins["starts"][1]["name"], &twins["reference"]), (&"maml (another)".into(), &"scratch".into()));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let program = Program::new();
    let run = |tasks: &str, more: &str, out: &str| program.ok(&format!("meta {tasks} {LITTLE} {more} --out {out}"));
    run("navigation_tasks", "", "first");
    run("pendulum_tasks", "", "pendulum");
    run("navigation_tasks", "--set meta.splits.extrapolate=0", "whole");
    run("navigation_tasks", "--set meta.episodes=5", "five");
    program.run("meta compare first pendulum").refused(2, &["pendulum: has learned other tasks than `first`", "simulator"]);
    program.run("meta compare first whole").refused(2, &["whole: divides its tasks otherwise", "meta.splits"]);
    program.run("meta compare first five").refused(2, &["adapts by 5 episodes an update, `first` by 4"]);
    program.run("meta compare first cartpole").refused(2, &["cartpole: was not meta-learned"]);
    program.run("meta compare first nobody").refused(2, &["there is no policy `nobody`"]);
    program.run("meta compare").refused(2, &["RUN"]);
    program.run("meta compare first --out first").refused(2, &["is not the name of a page"]);
    program.run("meta compare first --test-tasks 1").refused(2, &["--test-tasks"]);
    program.run("meta navigation_tasks --test-tasks 0").refused(2, &["--test-tasks"]);
    assert!(!program.path("runs").exists());
}

/// A study's `adapt` starts from a meta-learned policy, on the same budget of environment steps as every other method, and gets a verdict.
#[test]
fn a_study_judges_a_meta_learned_start_beside_other_methods() {
    let program = Program::new();
    let learn = "--steps 10 --episodes 3 --evaluations 1 --test-tasks 2 --set meta.splits.extrapolate=0";
    program.ok(&format!("meta navigation_tasks {learn} --method maml --out maml"));
    program.ok(&format!("meta navigation_tasks {learn} --method pooled --out pooled"));
    let study = |pair: &str, methods: &str| {
        let text = format!(
            "(about: \"\", pairs: [(name: \"goal\", source: Policy(\"pooled\"), target: \"navigation\", steps: 8192{pair})], methods: [{methods}], \
             seeds: 3, evaluations: 4, episodes: 5, tuning: (learning_rates: [1]), reference: (steps: Some(16384), seeds: 1), control: false)"
        );
        program.write("study.ron", &text);
    };
    study(", adapt_from: Some(\"maml\")", "\"adapt\", \"fine-tune\"");
    let compare = "compare study.ron --json --out judged";
    let found = json(&program.ok(&format!("{compare} --threads 1")));
    let arm = |method: &str| {
        let arms = found["pairs"][0]["arms"].as_array().unwrap();
        arms.iter().find(|arm| arm["method"] == method).unwrap_or_else(|| panic!("{method}: {found}")).clone()
    };
    let steps =
        |arm: &serde_json::Value| arm["curve"].as_array().unwrap().iter().map(|point| point[0].as_u64().unwrap()).collect::<Vec<_>>();
    let (adapt, scratch) = (arm("adapt"), arm("scratch"));
    assert_eq!(steps(&adapt), steps(&scratch), "one budget, read at the same times");
    // 400 episodes of up to 100 steps are more than the budget: a handful of updates of 20 episodes fit into it.
    assert!(adapt["curve"][0][1] != adapt["curve"][4][1], "{adapt}");
    study(", adapt_from: Some(\"maml\")", "\"fine-tune\"");
    program.run(compare).refused(2, &["study.ron", "`adapt` is not among the methods"]);
    study(", adapt_from: Some(\"cartpole\")", "\"adapt\"");
    program.run(compare).refused(3, &["pooled → navigation by adapt", "does not fit"]);
    let text = String::from_utf8(program.read("judged/report.html")).unwrap();
    assert!(text.contains("Adapting by inner steps of the policy maml in navigation"));
    study(", adapt_from: Some(\"maml\"), measure: Some(Mean)", "\"adapt\"");
    let little = std::str::from_utf8(&program.read("study.ron")).unwrap().replace("steps: 8192", "steps: 100");
    program.write("study.ron", &little);
    program.run(compare).refused(2, &["less than one update"]);
}
