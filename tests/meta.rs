//! Meta-learning from outside: it learns to adapt, with the same bits for any number of threads and after any stop; and what users do wrong ends in
//! one sentence that helps.

mod program;

use program::Program;

/// Small worlds, for whoever learns.
const LITTLE: &str = "--json --episodes 3 --evaluations 2 --checkpoint-every 1 --test-tasks 3 --updates 2 \
                      --set meta.tasks=4 --set meta.episodes=4 --set meta.hidden=[16]";

const METHODS: [&str; 9] = ["maml", "fomaml", "anil", "meta-sgd", "promp", "reptile", "pooled", "domain-randomization", "oracle"];

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// On 2-D navigation, one update brings more than half of what there is to gain, in tasks that were not trained on.
#[test]
fn maml_learns_to_adapt_in_one_step() {
    let program = Program::new();
    let settings = "--set meta.splits.extrapolate=0 --test-tasks 40 --updates 2 --evaluations 1 --json";
    let found = json(&program.ok(&format!("meta navigation_tasks --method maml --steps 40 --seed 1 --out learned {settings}")));
    let means: Vec<f64> = found["test"]["means"].as_array().unwrap().iter().map(|mean| mean.as_f64().unwrap()).collect();
    assert!(means[0] < -25.0 && means[1] > -17.0 && means[2] > means[1] - 1.0, "{means:?}");
    // A goal that is named, by the command that the card makes possible.
    let adapted = json(&program.ok("adapt learned navigation --steps 1 --episodes 40 --json --out adapted"));
    assert!(adapted["mean"].as_f64().unwrap() > -22.0, "{adapted}");
}

/// Who is told the goal goes there without any update; who is told nothing and does not adapt, does not.
#[test]
fn an_oracle_needs_no_updates_and_a_randomized_policy_has_none() {
    let program = Program::new();
    let run = |method: &str| {
        let settings = "--set meta.splits.extrapolate=0 --test-tasks 40 --updates 1 --evaluations 1 --steps 40 --json";
        let found = json(&program.ok(&format!("meta navigation_tasks --method {method} --out {method} {settings}")));
        let means = found["test"]["means"].as_array().unwrap().clone();
        assert_eq!(means.len(), 1, "what is taken as it is has no updates");
        means[0].as_f64().unwrap()
    };
    let (oracle, randomized) = (run("oracle"), run("domain-randomization"));
    assert!(oracle > -20.0 && randomized < -25.0, "{oracle} {randomized}");
    program.run("adapt oracle navigation").refused(2, &["taken as it is", "adapt.rate"]);
    // What the oracle is shown is part of its environment, and beside the others its tasks are theirs.
    program.run("evaluate oracle navigation").refused(3, &["goal_x"]);
    let found = json(&program.ok("meta compare domain-randomization oracle --test-tasks 10 --updates 1 --json"));
    let mean = |start: usize, update: usize| found["starts"][start]["returns"]["test"]["means"][update].as_f64().unwrap();
    assert!(mean(1, 0) > mean(0, 0) + 5.0 && mean(1, 0) == mean(1, 1), "{found}");
    // A start from nothing is told nothing, whoever stands first.
    let turned = json(&program.ok("meta compare oracle domain-randomization --test-tasks 10 --updates 1 --json"));
    assert_eq!(found["starts"][2], turned["starts"][2]);
}

/// `tasks.csv` has every task with the digest of what was drawn: none stands in two splits, and anybody can compute them again.
#[test]
fn the_list_of_tasks_proves_that_none_to_judge_by_was_trained_on() {
    let program = Program::new();
    let list = |steps: usize, more: &str| {
        program.ok(&format!("meta navigation_tasks --steps {steps} --out run {LITTLE} {more}"));
        String::from_utf8(program.read("run/tasks.csv")).unwrap()
    };
    let text = list(2, "");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("split,number,digest,goal_x,goal_y"));
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    let count = |split: &str| rows.iter().filter(|row| row[0] == split).count();
    assert_eq!(["train", "validation", "test", "extrapolation"].map(count), [8, 3, 3, 3]);
    let digests: std::collections::BTreeSet<&str> = rows.iter().map(|row| row[2]).collect();
    assert_eq!(digests.len(), rows.len());
    for row in &rows {
        let drawn = format!("goal_x={}\ngoal_y={}\n", row[3], row[4]);
        assert_eq!(heirloom::file::digest::of_bytes(drawn.as_bytes()), row[2]);
    }
    // Longer training adds to it; what was there stays.
    let longer = list(3, "--resume");
    assert!(text.lines().all(|line| longer.contains(line)) && longer.lines().count() == rows.len() + 1 + 4);
}

#[test]
fn every_method_has_one_digest_for_any_number_of_threads_and_after_a_stop() {
    let program = Program::new();
    for method in METHODS {
        let run = |out: &str, more: &str| {
            let found = program.ok(&format!("meta navigation_tasks --method {method} --steps 3 --out {out} {LITTLE} {more}"));
            json(&found)["digest"].clone()
        };
        let whole = run(&format!("{method}-whole"), "--threads 1");
        assert_eq!(whole, run(&format!("{method}-two"), "--threads 2"), "{method}");
        let parts = format!("{method}-parts");
        program.ok(&format!("meta navigation_tasks --method {method} --steps 3 --out {parts} {LITTLE} --stop-after-updates 2"));
        assert_eq!(whole, run(&parts, "--resume"), "{method}");
    }
}

#[test]
fn discrete_actions_and_bodies_are_tasks_too() {
    let program = Program::new();
    for (tasks, task) in [("cartpole_tasks", "cartpole"), ("pendulum_tasks", "pendulum_heavy")] {
        let found = json(&program.ok(&format!("meta {tasks} --steps 2 --out {tasks} {LITTLE}")));
        assert_eq!(found["extrapolation"]["means"].as_array().unwrap().len(), 3);
        program.ok(&format!("adapt {tasks} {task} --steps 2 --episodes 3 --json --out {task}"));
    }
}

/// The same for robots: any number of threads, any stop. Where two tasks are all there are, nobody is told of others.
#[test]
fn robots_are_tasks_too() {
    let program = Program::new();
    for tasks in ["half_cheetah_direction_tasks", "half_cheetah_velocity_tasks", "ant_direction_tasks", "walker2d_parameter_tasks"] {
        let run = |out: &str, more: &str| json(&program.ok(&format!("meta {tasks} --steps 2 --out {tasks}-{out} {LITTLE} {more}")));
        let whole = run("whole", "--threads 1");
        assert_eq!(whole["digest"], run("two", "--threads 2")["digest"], "{tasks}");
        program.ok(&format!("meta {tasks} --steps 2 --out {tasks}-parts {LITTLE} --stop-after-updates 1"));
        assert_eq!(whole["digest"], run("parts", "--resume")["digest"], "{tasks}");
        assert_eq!(whole["test"]["means"].as_array().unwrap().len(), 3);
        assert_eq!(whole["extrapolation"].is_null(), tasks == "half_cheetah_direction_tasks");
    }
    let list = String::from_utf8(program.read("half_cheetah_direction_tasks-whole/tasks.csv")).unwrap();
    assert!(list.starts_with("split,number,digest,forward_reward_weight\n") && list.contains(",-1\n") && list.contains(",1\n"));
    let page = String::from_utf8(program.read("half_cheetah_direction_tasks-whole/adaptation.html")).unwrap();
    assert!(page.contains("3 draws of the 2 tasks") && page.contains("and nothing of a new one") && !page.contains("3 test tasks"));
    let said =
        program.run("meta half_cheetah_direction_tasks --resume --out half_cheetah_direction_tasks-whole --test-tasks 3 --updates 1");
    assert!(said.stdout.contains("test (3 draws of 2 tasks, all trained on)"), "{}", said.stdout);
    program.ok("adapt half_cheetah_direction_tasks-whole half_cheetah --steps 1 --episodes 3 --json --set adapt.episodes=2 --out forwards");
}

/// A policy that was not meta-learned adapts too, and is told so; what does not fit is refused.
#[test]
fn adapting_takes_any_policy_that_fits() {
    let program = Program::new();
    let said = program.run("adapt cartpole cartpole_moon --steps 1 --episodes 3 --out moon --set adapt.episodes=3");
    assert_eq!(said.code, Some(0), "{}", said.stderr);
    assert!(said.stderr.contains("was not meta-learned"), "{}", said.stderr);
    program.run("adapt cartpole pendulum --steps 1 --out no").refused(3, &["the policy does not fit the environment"]);
    program.run("adapt nobody pendulum").refused(2, &["there is no policy `nobody`"]);
    program.run("adapt cartpole cartpole --steps 0").refused(2, &["--steps"]);
    program.run("adapt cartpole cartpole --set adapt.episodes=0 --out no").refused(2, &["`episodes` cannot be 0"]);
    assert!(!program.path("no").exists());
}

/// RL²: a policy with memory is a policy like others where it is measured, watched, recorded; where that is not so yet, it is said.
#[test]
fn a_policy_that_remembers_goes_where_others_go() {
    let program = Program::new();
    let run = |out: &str, more: &str| {
        let little = "--json --episodes 20 --evaluations 2 --checkpoint-every 1 --set rl2.memory=8 --set rl2.trials=130";
        json(&program.ok(&format!("meta bandit_5_trial --method rl2 --steps 3 --out {out} {little} {more}")))["digest"].clone()
    };
    let whole = run("whole", "--threads 1");
    assert_eq!(whole, run("two", "--threads 2"));
    program.ok("meta bandit_5_trial --method rl2 --steps 3 --out parts --json --episodes 20 --evaluations 2 --checkpoint-every 1 --set rl2.memory=8 --set rl2.trials=130 --stop-after-updates 2");
    assert_eq!(whole, run("parts", "--resume"));

    let measured =
        |more: &str| json(&program.ok(&format!("evaluate whole bandit_5_trial --episodes 100 --json {more}")))["returns"].clone();
    assert_eq!(measured("--threads 1"), measured("--threads 2"));
    program.ok("watch whole bandit_5_trial --episodes 2 --out film.html");
    program.ok("demo record whole bandit_5_trial --episodes 3 --out demos");
    program.ok("demo replay demos");
    program.run("adapt whole bandit_5_trial --out no").refused(2, &["a policy with memory", "steps of adaptation"]);
    program.run("transfer whole bandit_5_trial --method fine-tune --out no").refused(2, &["a policy with memory", "`fine-tune`"]);
    program.run("meta cartpole --method rl2 --out no").refused(2, &["a task distribution without any distribution in it"]);
    program.run("meta bandit_5_trial --method rl2 --set rl2.memory=0 --out no").refused(2, &["`memory` cannot be 0"]);
    program.run("meta bandit_5_trial --method rl2 --updates 2 --out no").refused(2, &["`rl2` adapts as it acts", "--updates"]);
    program.run("meta compare whole").refused(2, &["`rl2` does not adapt by updates"]);
    program.run("meta bandit_5_trial --method rl2 --set meta.tasks=1 --out no").refused(2, &["has no section `meta`"]);
    assert!(!program.path("no").exists());
}

#[test]
fn what_cannot_be_meta_learned_is_said_before_anything_begins() {
    let program = Program::new();
    program.run("meta cartpole").refused(2, &["a task distribution without any distribution in it", "Uniform"]);
    program.run("meta navigation_task").refused(2, &["navigation_tasks"]);
    program.run("meta navigation_tasks --method malm").refused(2, &["there is no method `malm`", "maml"]);
    program.run("meta navigation_tasks --method bc").refused(2, &["heirloom imitate"]);
    program.run("meta navigation_tasks --set meta.tasks=0").refused(2, &["`tasks` cannot be 0"]);
    program.run("meta navigation_tasks --set meta.episodes=0").refused(2, &["`episodes` cannot be 0"]);
    program.run("meta navigation_tasks --set meta.activation=Gelu").refused(2, &["`activation`", "Tanh or Relu"]);
    program.run("meta navigation_tasks --set meta.splits.extrapolate=2").refused(2, &["`extrapolate` cannot be 2"]);
    program.run("meta navigation_tasks --method pooled --set meta.inner_steps=1").refused(2, &["`pooled`", "inner steps"]);
    program.run("meta navigation_tasks --set ppo.clip=0.1").refused(2, &["has no section `ppo`"]);
    let overlapping = "--set meta.splits.inside={\"goal_x\":(-0.4,0.4)} --set meta.splits.outside={\"goal_x\":(0.3,0.5)}";
    let narrow = "--set meta.splits.inside={\"cart_mass\":(0.5,0.5)}";
    program.run(&format!("meta cartpole_tasks {narrow}")).refused(2, &["cart_mass"]);
    program.run(&format!("meta navigation_tasks {overlapping}")).refused(2, &["overlap", "goal_x"]);
    assert!(!program.path("runs").exists(), "what cannot begin leaves no folder");
}

/// Inner steps that are far too long end as what they are, and what was learned before is there.
#[test]
fn inner_rates_that_diverge_are_said_to() {
    let program = Program::new();
    program.run(&format!("meta pendulum_tasks --steps 3 --out wild {LITTLE} --set meta.inner_rate=1e6")).refused(5, &["inner"]);
}

/// TRPO alone, as a plain learner.
#[test]
fn trpo_learns_to_balance() {
    let program = Program::new();
    for seed in [0, 1] {
        let found =
            json(&program.ok(&format!("pretrain cartpole --method trpo --steps 100000 --seed {seed} --evaluations 1 --json --out {seed}")));
        assert!(found["mean"].as_f64().unwrap() > 450.0, "{found}");
    }
}

/// `heirloom probe maml-grad` against central differences of its own loss.
#[test]
fn the_probe_gives_the_derivative_of_its_own_loss() {
    let program = Program::new();
    let rows = |seed: f64| {
        let value = |k: usize| ((f64::from(u16::try_from(k).unwrap()) + seed) * 12.9898).sin();
        let columns = |count: usize, shift: usize| -> Vec<Vec<f64>> {
            (0..9).map(|row| (0..count).map(|k| value(row * count + k + shift)).collect()).collect()
        };
        let advantages: Vec<f64> = (0..9).map(|row| value(row + 50)).collect();
        serde_json::json!({"inputs": columns(2, 0), "actions": columns(2, 100), "advantages": advantages, "log_probs": vec![-2.0; 9]})
    };
    let parameters: Vec<f64> = (0..2 * 3 + 3 + 3 * 2 + 2 + 2).map(|k| 0.5 * (f64::from(k) * 7.7).sin()).collect();
    let input = |parameters: &[f64]| {
        serde_json::json!({
            "sizes": [2, 3, 2], "activation": "Tanh", "discrete": false, "parameters": parameters, "rate": 0.1, "inner": "LogProb",
            "before": [rows(1.0), rows(2.0)], "after": rows(3.0),
        })
        .to_string()
    };
    let ask = |parameters: &[f64]| json(&program.run_with_input("probe maml-grad", &input(parameters)).stdout);
    let found = ask(&parameters);
    let mut apart_from_first_order = 0.0_f64;
    for index in 0..parameters.len() {
        let moved = |by: f64| {
            let mut moved = parameters.clone();
            moved[index] += by;
            ask(&moved)["loss"].as_f64().unwrap()
        };
        let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        let (second, first) = (found["second_order"][index].as_f64().unwrap(), found["first_order"][index].as_f64().unwrap());
        assert!((second - difference).abs() < 1e-7, "{index}: {second} {difference}");
        apart_from_first_order = apart_from_first_order.max((second - first).abs());
    }
    assert!(apart_from_first_order > 1e-3);
    program.run_with_input("probe maml-grad", "{}").refused(2, &["stdin", "missing field"]);
}
