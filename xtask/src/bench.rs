//! `cargo xtask bench`: what takes too long, or needs too much, for every change: figures beside peers, learning over many seeds, the long forms of
//! tests, other programs that read what we write.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::child;
use crate::failure::Outcome;

/// The word to type, what it measures, and the function that does it with the arguments behind the word.
type Bench = (&'static str, &'static str, fn(&[String]) -> Outcome);

const BENCHES: [Bench; 14] = [
    ("speed", "ours and the peers' steps per second in turn, with ratios (needs benches/peers/setup.sh)", speed),
    ("learning", "each classic task with 20 seeds, IQM and every seed", learning),
    ("imitation", "learning from demonstrations, ten seeds of every figure", imitation),
    ("imitation-side", "ours and the `imitation` package on the same demonstrations (needs benches/peers/setup.sh)", imitation_side),
    ("gail-classic", "the classic tasks of the GAIL paper, own returns beside the published ones", gail_classic),
    ("verdict", "coverage, nulls and power of the verdict: 10,000 experiments, 200 real null runs", verdict),
    ("reliability", "1,000 kills, 10,000 hostile mutations, resume and threads", reliability),
    ("parity", "200,000 single steps of each task against Gymnasium (needs its Python packages)", parity),
    ("policies", "every shipped policy made again by the command on its card", policies),
    ("meta", "adaptation curves of every meta-learning method over seeds, and sine waves from five shots", meta),
    ("rl2", "RL^2 on bandits beside Gittins' index, Thompson sampling and the Bayes-optimal rule", rl2),
    ("interop", "TensorBoard, safetensors and Minari read what we write (needs their Python packages)", interop),
    ("gymnasium", "the bridge: parity, contract, speed beside Gymnasium's vectors (needs `cargo xtask setup --gymnasium`)", gymnasium),
    ("deny", "licences, bans and sources of all dependencies (needs cargo-deny)", deny),
];

/// Runs one bench with its arguments, or all of them.
pub(crate) fn run(arguments: &[String]) -> Outcome {
    let Some((word, rest)) = arguments.split_first() else {
        return BENCHES.iter().try_for_each(|(name, about, bench)| {
            child::heading(&format!("{name}: {about}"));
            bench(&[])
        });
    };
    match BENCHES.iter().find(|(name, ..)| name == word) {
        Some((.., bench)) => bench(rest),
        None => Err(format!("there is no bench `{word}`: take one of {}", BENCHES.map(|(name, ..)| name).join(", "))),
    }
}

/// What help says of them.
pub(crate) fn help() -> String {
    BENCHES.map(|(name, about, _)| format!("          {name:<16}{about}")).join("\n")
}

fn speed(arguments: &[String]) -> Outcome {
    child::cargo("bench --no-run --bench speed", &[])?;
    python("python3", "benches/side_by_side.py", arguments)
}

fn learning(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    python("python3", "benches/learning.py", arguments)
}

fn imitation(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    python("python3", "benches/imitation.py", arguments)
}

fn imitation_side(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    python("python3", "benches/imitation_side.py", arguments)
}

fn gail_classic(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    child::cargo("run --release -- bench gail-classic", arguments)
}

fn verdict(arguments: &[String]) -> Outcome {
    let mut command = child::cargo_command("test --release --test verdict --test first_study -- --nocapture --test-threads 1");
    command.args(arguments).envs([
        ("HEIRLOOM_EXPERIMENTS", "10000"),
        ("HEIRLOOM_NULL_RUNS", "200"),
        ("HEIRLOOM_POWER_RUNS", "100"),
        ("HEIRLOOM_FIRST", "1"),
    ]);
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)
}

fn reliability(arguments: &[String]) -> Outcome {
    let mut command = child::cargo_command(
        "test --release --test kill --test demo_record --test hostile_policy --test hostile_demos --test hostile_exchange --test resume --test threads",
    );
    command.args(arguments).envs([("HEIRLOOM_KILLS", "1000"), ("HEIRLOOM_MUTATIONS", "10000"), ("HEIRLOOM_THREADS", "16")]);
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)
}

fn parity(arguments: &[String]) -> Outcome {
    let folder = crate::root().join("target/golden-long");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{} cannot be made ({error})", folder.display()))?;
    let rows = ["--rows", "200000", "--out", &folder.to_string_lossy()].map(str::to_owned);
    python(&peers_python(), "tests/golden/gymnasium/record.py", &rows)?;
    let mut command = child::cargo_command("test --release --test gymnasium_parity");
    command.args(arguments).env("HEIRLOOM_GOLDEN", &folder);
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)
}

fn policies(arguments: &[String]) -> Outcome {
    let mut command = child::cargo_command("test --release --test policies");
    command.args(arguments).env("HEIRLOOM_ALL_POLICIES", "1");
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)
}

fn meta(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    python("python3", "benches/meta.py", arguments)?;
    child::cargo("run --release -- bench sinusoid", &[])
}

fn rl2(arguments: &[String]) -> Outcome {
    child::cargo("build --release", &[])?;
    python("python3", "benches/rl2.py", arguments)
}

fn interop(arguments: &[String]) -> Outcome {
    // A run and demonstrations of its own, made anew.
    for folder in ["target/interop", "target/interop-minari"] {
        let _ = std::fs::remove_dir_all(crate::root().join(folder));
    }
    child::cargo("run --release -- pretrain cartpole --steps 50000 --out target/interop", arguments)?;
    python(&peers_python(), "benches/interop.py", &["run", "target/interop"].map(str::to_owned))?;
    for (policy, environment) in [("cartpole", "cartpole"), ("pendulum", "pendulum_heavy")] {
        let (set, root, name) =
            (format!("target/interop-minari/{policy}"), format!("target/interop-minari/{policy}-minari"), "ours/drawn-v0");
        child::cargo(&format!("run --release -- demo record {policy} {environment} --episodes 50 --stochastic --out {set}"), &[])?;
        child::cargo(&format!("run --release -- demo export minari {set} --out {root} --name {name}"), &[])?;
        python(&peers_python(), "benches/interop.py", &["minari", &set, &root, name].map(str::to_owned))?;
    }
    Ok(())
}

fn gymnasium(arguments: &[String]) -> Outcome {
    let python = crate::root().join(".native/gymnasium/bin/python");
    if !python.is_file() {
        return Err("there is no Python with Gymnasium: `cargo xtask setup --gymnasium` provides one".to_owned());
    }
    let mut command = child::cargo_command("test --release --test gymnasium_real -- --nocapture --test-threads 1");
    command.env("HEIRLOOM_GYMNASIUM", &python);
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)?;
    child::cargo("build --release", &[])?;
    let arguments: Vec<String> = std::iter::once(python.to_string_lossy().into_owned()).chain(arguments.iter().cloned()).collect();
    self::python("python3", "benches/gymnasium.py", &arguments)
}

fn deny(arguments: &[String]) -> Outcome {
    child::cargo("deny check licenses bans sources", arguments)
}

fn python(python: &str, script: &str, arguments: &[String]) -> Outcome {
    let mut command = Command::new(python);
    command.arg(script).args(arguments).current_dir(crate::root());
    let running = child::spawn(&mut command)?;
    child::finish(&command, running)
}

/// The Python in which the peers' packages are; the plain one where there is none.
fn peers_python() -> String {
    let home = || env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/heirloom-peers"));
    let peers = env::var_os("HEIRLOOM_PEERS").map(PathBuf::from).or_else(home);
    let python = peers.map(|peers| peers.join("torch/bin/python")).filter(|python| python.is_file());
    python.map_or_else(|| "python3".to_owned(), |python| python.to_string_lossy().into_owned())
}
