//! What people write in RON: a typo, a slip or malice ends in exit 2 with file, line, column and a remedy, never in a panic.

mod program;

use program::Program;

const ENVIRONMENT: &str = "(\n    extends: \"cartpole\",\n    context: (gravity: 9.8),\n    wrappers: [ObservationNoise(std: 0.1)],\n)";

/// Environment files, each wrong in another way, and what the message must hold.
fn environments() -> Vec<(&'static str, String, Vec<&'static str>)> {
    let swap = |from: &str, to: &str| {
        assert!(ENVIRONMENT.contains(from));
        ENVIRONMENT.replacen(from, to, 1)
    };
    vec![
        ("nothing", String::new(), vec!["bad.ron:1:1"]),
        ("an open bracket", "(".into(), vec!["bad.ron:1:"]),
        ("text behind the end", format!("{ENVIRONMENT} x"), vec!["bad.ron:5:"]),
        ("nested a hundred thousand deep", "(".repeat(100_000), vec!["bad.ron"]),
        ("a list without end", "[".repeat(1000), vec!["bad.ron"]),
        ("a comment without end", format!("/* {ENVIRONMENT}"), vec!["bad.ron"]),
        ("long escapes", format!("(about: \"{}\")", "\\u{41}".repeat(30_000)), vec!["bad.ron"]),
        ("300 kB", format!("{ENVIRONMENT}//{}", "x".repeat(300_000)), vec!["bad.ron", "262144"]),
        ("a zero byte", "\u{0}".into(), vec!["bad.ron:1:1"]),
        ("a field that does not exist", swap("extends", "extend"), vec!["bad.ron:2:5", "did you mean `extends`"]),
        ("a field that stands twice", swap("context:", "extends: \"pendulum\", context:"), vec!["bad.ron:3:", "extends"]),
        ("a parameter that does not exist", swap("gravity", "gravty"), vec!["bad.ron:3:15", "did you mean `gravity`", "pole_length"]),
        ("a parameter that stands twice", swap("gravity: 9.8", "gravity: 9.8, gravity: 1"), vec!["bad.ron:3:", "gravity"]),
        ("a value out of range", swap("9.8", "-1"), vec!["bad.ron:3:15", "it lies between 0 and 1000 m/s²"]),
        ("not a number", swap("9.8", "NaN"), vec!["bad.ron:3:", "NaN"]),
        ("an infinite value", swap("9.8", "inf"), vec!["bad.ron:3:15"]),
        ("an overflowing value", swap("9.8", "1e999"), vec!["bad.ron:3:15"]),
        ("a text for a number", swap("9.8", "\"9.8\""), vec!["bad.ron:3:"]),
        ("a law that does not exist", swap("9.8", "Unifrm(8, 9)"), vec!["bad.ron:3:", "Uniform"]),
        ("a law turned around", swap("9.8", "Uniform(9, 8)"), vec!["bad.ron:3:15", "low < high"]),
        ("a law that never ends", swap("9.8", "TruncatedNormal(900, 0.001, 1, 2)"), vec!["bad.ron:3:15"]),
        (
            "a wrapper that does not exist",
            swap("ObservationNoise", "ObservationNois"),
            vec!["bad.ron:4:", "did you mean `ObservationNoise`"],
        ),
        ("a wrapper's field out of range", swap("0.1", "-0.1"), vec!["bad.ron:4:"]),
        (
            "a wrapper on a channel that is not there",
            swap("std: 0.1", "std: 0.1, channels: [\"pole_angl\"]"),
            vec!["bad.ron:4:", "did you mean `pole_angle`"],
        ),
        ("a delay of 2^60 steps", swap("ObservationNoise(std: 0.1)", "ObservationDelay(steps: 1152921504606846976)"), vec!["bad.ron:4:"]),
        ("a stack of stacks", swap("ObservationNoise(std: 0.1)", &"FrameStack(frames: 1000),".repeat(20)), vec!["bad.ron"]),
        ("an environment that is not there", swap("\"cartpole\"", "\"cartpol\""), vec!["bad.ron:2:", "did you mean `cartpole`"]),
        ("a path to extend", swap("\"cartpole\"", "\"../../etc/passwd\""), vec!["bad.ron:2:", "short name"]),
        ("itself to extend", swap("\"cartpole\"", "\"bad\""), vec!["bad.ron:2:", "circle"]),
        ("no simulator", "(about: \"nothing\")".into(), vec!["bad.ron", "simulator"]),
        ("a simulator that is not there", "(simulator: \"classic/cartpol\")".into(), vec!["bad.ron:1:", "did you mean `classic/cartpole`"]),
        ("no steps at all", swap("context", "max_episode_steps: 0, context"), vec!["bad.ron:3:", "max_episode_steps"]),
    ]
}

#[test]
fn environment_files() {
    let program = Program::new();
    for (name, text, parts) in environments() {
        program.write("envs/bad.ron", &text);
        let ended = program.run("envs show envs/bad.ron");
        assert!(!ended.stderr.contains("panicked"), "{name}");
        assert_eq!(ended.code, Some(2), "{name}: {}", ended.stderr);
        for part in parts {
            assert!(ended.stderr.contains(part), "{name}: `{part}` is not in {}", ended.stderr);
        }
        assert!(ended.stderr.lines().count() <= 2 && ended.stderr.len() < 4000, "{name}: {}", ended.stderr);
    }
    heirloom::file::disk::write(&program.path("envs/bad.ron"), b"(about: \"\xff\")").unwrap();
    program.run("envs show envs/bad.ron").refused(2, &["UTF-8"]);
    program.run("envs show envs/missing.ron").refused(2, &["there is no environment file"]);
    // The list goes on without it.
    let listed = program.run("envs");
    assert_eq!(listed.code, Some(0));
    assert!(listed.stdout.contains("cartpole_moon") && listed.stderr.contains("warning"));
}

#[test]
fn configurations() {
    let program = Program::new();
    let run = "pretrain cartpole --steps 1000 --out run --config config.ron";
    for (text, parts) in [
        ("(ppo: (learning_rat: 1))", vec!["config.ron:1:8", "did you mean `learning_rate`"]),
        ("(pp: (learning_rate: 1))", vec!["config.ron:1:2", "ppo"]),
        ("(ppo: (learning_rate: 100))", vec!["config.ron:1:8", "it lies between 0 and 10"]),
        ("(ppo: (learning_rate: NaN))", vec!["config.ron"]),
        ("(ppo: (minibatch: 0))", vec!["config.ron:1:8", "minibatch"]),
        ("(ppo: (environments: 65536, steps: 1048576))", vec!["environments"]),
        ("(ppo: (actor: [1000000]))", vec!["actor"]),
        ("(ppo: (head: DiagonalGaussian(initial_log_std: 0)))", vec!["Categorical"]),
        ("(ppo: (head: Diagonal))", vec!["config.ron:1:", "DiagonalGaussian"]),
        ("(fine_tune: (critic_warm_up: 5))", vec!["config.ron:1:2", "has no section"]),
        ("(ppo: (shards: 9))", vec!["shards"]),
        ("((((((((((", vec!["config.ron"]),
    ] {
        program.write("config.ron", text);
        program.run(run).refused(2, &parts);
        assert!(!program.path("run").exists(), "{text}: a run that cannot begin leaves no folder");
    }
    program.run("pretrain cartpole --config nothing.ron").refused(6, &["nothing.ron"]);
    program.run("pretrain cartpole --method pp").refused(2, &["did you mean `ppo`"]);
    program.run("pretrain cartpole --steps 0").refused(2, &["--steps"]);
    program.run("pretrain cartpole --threads 0").refused(2, &["--threads"]);
    assert_eq!(program.run("pretrain cartpole --seed -1").code, Some(2));
    assert_eq!(program.run("pretrian cartpole").code, Some(2));
}

const STUDY: &str = "(
    about: \"a\",
    pairs: [(name: \"p\", source: Policy(\"source\"), target: \"cartpole\", steps: 600)],
    methods: [\"fine-tune\"],
    seeds: 1,
    tuning: (learning_rates: [1]),
    reference: (steps: 1200, seeds: 1),
)";

#[test]
fn studies() {
    let program = Program::new();
    program.ok("pretrain cartpole --steps 300 --out source --json");
    for (from, to, parts) in [
        ("\"source\"", "\"sauce\"", vec!["study.ron:3:", "there is no policy"]),
        ("Policy(\"source\")", "Policy", vec!["study.ron:3:"]),
        ("Policy(\"source\")", "Environment(name: \"cartpol\", steps: 1)", vec!["study.ron:3:", "did you mean"]),
        ("Policy(\"source\")", "Environment(name: \"cartpole\", steps: 9999999999999)", vec!["study.ron:3:", "2^40"]),
        ("Policy(\"source\")", "Environment(name: \"pendulum\", steps: 0)", vec!["study.ron:3:", "the policy's actions are", "torque"]),
        ("\"cartpole\"", "\"cartpol\"", vec!["study.ron:3:", "did you mean"]),
        ("\"cartpole\"", "\"cartpole_continuous\"", vec!["study.ron:3:", "the policy's actions are"]),
        ("name: \"p\"", "name: \"a b\"", vec!["study.ron:3:", "cannot be called"]),
        (
            "steps: 600)],",
            "steps: 600), (name: \"p\", source: Policy(\"source\"), target: \"cartpole\", steps: 700)],",
            vec!["two pairs are called `p`"],
        ),
        ("[(name: \"p\", source: Policy(\"source\"), target: \"cartpole\", steps: 600)]", "[]", vec!["study.ron:3:", "is empty"]),
        ("fine-tune", "fine-tun", vec!["study.ron:4:", "did you mean `fine-tune`"]),
        ("\"fine-tune\"", "\"fine-tune\", \"fine-tune\"", vec!["twice"]),
        ("seeds: 1", "seeds: 0", vec!["study.ron:5:", "seeds"]),
        ("seeds: 1", "seeds: -1", vec!["study.ron:5:"]),
        ("steps: 600)]", "steps: 100)]", vec!["study.ron:3:", "less than one update"]),
        ("steps: 600)]", "stepps: 600)]", vec!["study.ron:3:", "did you mean `steps`"]),
        ("seeds: 1,", "seeds: 1, set: [\"ppo.clipp=1\"],", vec!["clipp", "did you mean `clip`"]),
        ("[1]", "[]", vec!["study.ron:6:", "learning_rates"]),
        ("[1]", "[1, -1]", vec!["study.ron:6:", "above 0"]),
        ("[1]", "[1, 3], seeds: 0", vec!["study.ron:6:", "seeds"]),
        ("[1]", "[1, 3], first_seed: 0", vec!["study.ron:6:", "overlap", "seeds of its own"]),
        ("[1]", "[1, 3], first_seed: 18446744073709551615", vec!["study.ron:6:", "no room"]),
        ("(steps: 1200, seeds: 1)", "(steps: 1199, seeds: 1)", vec!["study.ron:3:", "1199 steps are no long budget"]),
        ("(steps: 1200, seeds: 1)", "(steps: 1200, seeds: 1, first_seed: 0)", vec!["overlap"]),
        ("(steps: 1200, seeds: 1)", "(steps: 1200, seeds: 0)", vec!["between 1 and 1000"]),
        ("seeds: 1,", "seeds: 1, threshold: 1.5,", vec!["threshold"]),
        ("seeds: 1,", "seeds: 1, measure: Best,", vec!["Best", "Mean"]),
        ("seeds: 1,", "seeds: 1, episodes: 0,", vec!["episodes"]),
    ] {
        assert!(STUDY.contains(from));
        program.write("study.ron", &STUDY.replacen(from, to, 1));
        let misfit = ["pendulum", "continuous"].iter().any(|other| to.contains(other));
        program.run("compare study.ron --out study").refused(2 + i32::from(misfit), &parts);
        assert!(!program.path("study").exists());
    }
    program.run("compare nothing.ron").refused(2, &["there is no such study"]);
    program.write("study.ron", STUDY);
    program.run("compare study.ron --pair q").refused(2, &["no pair `q`", "did you mean"]);
    program.run("judge --target cartpole").refused(2, &[]);
    program.run("judge --policy source --target cartpole --minutes nan").refused(2, &["--minutes"]);
    program.run("study new --source cartpol --target cartpole").refused(2, &["did you mean"]);
    program.ok("compare study.ron --out study --threads 2");
    assert!(program.path("study/report.html").is_file());
}
