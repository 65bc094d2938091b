//! What users do that nobody planned: each ends well, or in one sentence.

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod program;

use heirloom::policy::store;
use program::Program;
use std::process::{Command, Stdio};

/// A program with a tiny run called `first`.
fn with_a_run() -> Program {
    let program = Program::new();
    program.ok("pretrain cartpole --steps 600 --out first --json --evaluations 2 --episodes 2");
    program
}

#[test]
fn a_transfer_goes_on_when_its_source_learned_on_or_moved() {
    let program = with_a_run();
    program.ok("transfer first cartpole_moon --steps 2000 --out moved --json --stop-after-updates 2");
    program.ok("pretrain cartpole --out first --resume --steps 1200 --json");
    let said = program.ok("transfer first cartpole_moon --out moved --resume --json");
    let judge = serde_json::from_str::<serde_json::Value>(&said).unwrap()["judge"].as_str().unwrap().to_owned();
    // What was moved is judged, and not what its source has become.
    let line = judge.split('#').next().unwrap().trim().strip_prefix("heirloom ").unwrap().to_owned();
    program.ok(&format!("{line} --dry-run"));
    let (policy, _) = store::load(&program.path("moved/source")).unwrap();
    assert!(String::from_utf8(program.read("moved/judge.ron")).unwrap().contains("moved/source"));
    assert_ne!(program.ok("digest --policy first").trim(), policy.digest());
    program.ok("transfer first cartpole_moon --steps 2000 --out again --json --stop-after-updates 2");
    std::fs::rename(program.path("first"), program.path("elsewhere")).unwrap();
    program.ok("transfer elsewhere cartpole_moon --out again --resume --json");
    program.ok("pretrain cartpole --steps 300 --seed 5 --out other --json");
    program.run("transfer other cartpole_moon --out again --resume").refused(2, &["another policy"]);
    program.ok("fsck again");
}

#[test]
fn the_line_that_judges_never_fails_a_transfer() {
    let program = with_a_run();
    for line in ["--steps 100 --out short", "--method zero-shot --out as_it_is", "--method zero-shot --out as_it_is --resume"] {
        let said = program.ok(&format!("transfer first cartpole_moon {line} --episodes 3"));
        assert!(said.contains("heirloom compare") && said.contains("judge"), "{line}: {said}");
    }
    program.run("transfer first cartpole_moon --method zero-shot --out as_it_is --resume --steps 5000").refused(2, &["takes no steps"]);
    program.ok("transfer first cartpole_moon --method zero-shot --out as_it_is --resume");
}

#[test]
fn no_setting_is_ignored() {
    let program = with_a_run();
    let resume = "pretrain cartpole --out first --resume";
    program.run(&format!("{resume} --episodes 7")).refused(2, &["another number of episodes"]);
    program.run(&format!("{resume} --evaluations 3")).refused(2, &["another number of evaluations"]);
    program.run(&format!("{resume} --checkpoint-every 9")).refused(2, &["another interval of checkpoints"]);
    program.ok(&format!("{resume} --episodes 2 --evaluations 2 --json"));
    program.run("transfer first cartpole_moon --set ppo.actor=[32]").refused(2, &["`ppo.actor`", "carries the policy's own"]);
    program.ok("pretrain cartpole --steps 300 --out silu --json --set ppo.activation=Silu --episodes 2");
    program.run("pretrain cartpole --out none --set ppo.learning_rate=inf").refused(2, &["learning_rate", "not finite"]);
    let (_, card) = store::load(&program.path("silu/best")).unwrap();
    assert_eq!(card.provenance.command, "heirloom pretrain cartpole --steps 300 --seed 0 --set ppo.activation=Silu --episodes 2");
    program.ok("transfer silu cartpole_moon --steps 300 --out moved --json --episodes 2");
    let (_, moved) = store::load(&program.path("moved/best")).unwrap();
    assert!(moved.provenance.numerics.starts_with("libtorch"), "{}", moved.provenance.numerics);
}

#[test]
fn a_lost_log_does_not_lose_the_run() {
    let program = with_a_run();
    let digest = program.ok("digest first");
    std::fs::remove_file(program.path("first/metrics.csv")).unwrap();
    let checked = program.run("fsck first");
    assert!(checked.code == Some(3) && checked.stdout.contains("metrics.csv: holds 0 bytes"), "{}", checked.stdout);
    let ended = program.run("pretrain cartpole --out first --resume --steps 1200 --json");
    assert!(ended.code == Some(0) && ended.stderr.contains("warning") && ended.stderr.contains("metrics.csv"), "{}", ended.stderr);
    assert!(String::from_utf8(program.read("first/metrics.csv")).unwrap().starts_with("update,"));
    assert_ne!(program.ok("digest first"), digest);
    program.ok("fsck first");
}

#[test]
fn what_a_cut_beginning_left_is_no_obstacle() {
    let program = Program::new();
    std::fs::create_dir_all(program.path("run/checkpoints")).unwrap();
    for name in ["run/lock", "run/.partial-1-run.ron"] {
        std::fs::write(program.path(name), "").unwrap();
    }
    program.ok("pretrain cartpole --steps 300 --out run --json --episodes 2");
    std::fs::create_dir_all(program.path("thesis")).unwrap();
    std::fs::write(program.path("thesis/lock"), "mine").unwrap();
    program.run("pretrain cartpole --steps 300 --out thesis").refused(2, &["is not empty"]);
    // A pipe where a file should be is not waited for.
    std::fs::remove_file(program.path("run/lock")).unwrap();
    assert!(Command::new("mkfifo").arg(program.path("run/lock")).status().unwrap().success());
    program.run("pretrain cartpole --out run --resume").refused(6, &["run/lock", "cannot open"]);
}

#[test]
fn standard_output_may_be_full_closed_or_read_by_a_program() {
    let program = with_a_run();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = program.command("envs").stdout(Stdio::from(full)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(6) && said.contains("cannot print the result"), "{said}");
    let mut child = program.command("envs --json").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0), "whoever reads no further has what they want");
    for line in ["envs --json show cartpole", "envs show cartpole --json", "policies --json show first"] {
        serde_json::from_str::<serde_json::Value>(&program.ok(line)).unwrap();
    }
    let stopped = program.ok("pretrain cartpole --steps 3000 --out stopped --stop-after-updates 1 --json --episodes 2");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&stopped).unwrap()["stopped"], true);
}

#[test]
fn a_hostile_card_spoils_neither_the_list_nor_the_terminal() {
    let program = with_a_run();
    program.ok("policies save first policies/good");
    let card = String::from_utf8(program.read("policies/good/policy.ron")).unwrap();
    let (_, parsed) = store::load(&program.path("policies/good")).unwrap();
    program.write("policies/evil/policy.ron", &card.replace(&parsed.digest, "ÄÖÜ"));
    program.write("policies/red/policy.ron", &card.replace("heirloom pretrain", "\\u{1b}[31mheirloom\\u{7}"));
    std::fs::copy(program.path("policies/good/weights.safetensors"), program.path("policies/red/weights.safetensors")).unwrap();
    let listed = program.run("policies");
    assert_eq!(listed.code, Some(0), "{}", listed.stderr);
    assert!(listed.stdout.contains("good") && listed.stderr.contains("is not a SHA-256"), "{}", listed.stderr);
    let shown = program.ok("policies show red");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{shown}");
}

#[test]
fn a_policy_of_ones_own_goes_before_one_that_comes_along() {
    let program = with_a_run();
    program.ok("policies save first policies/cartpole");
    assert_eq!(program.ok("digest --policy cartpole"), program.ok("digest --policy policies/cartpole"));
}

#[test]
fn results_that_could_be_confused_are_refused() {
    let program = with_a_run();
    let pair = "(name: \"a\", source: Policy(\"first\"), target: \"cartpole\", steps: 600)";
    let study = |pairs: &str| {
        format!(
            "(about: \"a\", pairs: [{pairs}], methods: [\"zero-shot\"], seeds: 2, tuning: (learning_rates: [1]), reference: (steps: 1200, seeds: 1))"
        )
    };
    program.write("study.ron", &study(&format!("{pair}, {pair}")));
    program.run("compare study.ron").refused(2, &["two pairs are called `a`"]);
    program.write("study.ron", &study(pair));
    program.run("compare study.ron --seed 18446744073709551615").refused(2, &["leave no room"]);
}
