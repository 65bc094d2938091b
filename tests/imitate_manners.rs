//! What users of `heirloom imitate` do that nobody planned: each ends well, or in one sentence that helps.

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

mod lessons;
mod program;

use heirloom::choose::{Lessons, Role};
use heirloom::demo::{Demonstrations, Recording};
use heirloom::imitate::Selection;
use heirloom::parallel::Pool;
use heirloom::policy::store;
use program::Program;

/// A program with two demonstrations of CartPole, cut off after 60 steps, in `demos`.
fn with_demonstrations() -> Program {
    let program = Program::new();
    program.write("short.ron", "(extends: \"cartpole\", about: \"short\", max_episode_steps: Some(60))");
    program.ok("demo record cartpole short.ron --episodes 2 --out demos --json");
    program
}

/// Little work for whoever learns.
const LITTLE: &str = "--json --episodes 2 --evaluations 2 --checkpoint-every 1";

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn what_is_not_there_or_does_not_fit_is_named() {
    let program = with_demonstrations();
    program.run("imitate nothing cartpole").refused(2, &["there are no demonstrations", "nothing", "demo record"]);
    program.run("imitate cartpole cartpole").refused(2, &["there are no demonstrations"]);
    program.run("imitate demos cartpol").refused(2, &["cartpol", "did you mean `cartpole`"]);
    program.run("imitate demos").refused(2, &["demonstrations and an environment", "heirloom imitate DEMOS ENV"]);
    program
        .run("imitate demos pendulum")
        .refused(3, &["demos", "the demonstrations do not fit", "no channel `pole_angle_cos`", "discrete in the demonstrations"]);
    program.run("imitate demos cartpole --demo-episodes 5").refused(2, &["demos", "has 2 episodes, 5 are to be", "--demo-episodes"]);
    program.run("imitate demos cartpole --demo-episodes 0").refused(2, &["--demo-episodes", "begin at 1"]);
    program.run("imitate demos cartpole --every 0").refused(2, &["--every", "begin at 1"]);
    program.run("imitate demos cartpole --every 1000 --demo-episodes 1 --seed 1").refused(2, &["no step is left", "--every"]);
    program.run("imitate demos cartpole --steps 0").refused(2, &["--steps"]);
    std::fs::create_dir(program.path("empty")).unwrap();
    program.run("imitate empty cartpole").refused(2, &["empty"]);
    assert!(!program.path("runs").exists(), "what cannot begin leaves no folder");
}

#[test]
fn expert_and_reward_belong_to_their_methods() {
    let program = with_demonstrations();
    program.run("imitate demos cartpole --method dagger").refused(2, &["`--method dagger` needs `--expert`"]);
    program.run("imitate demos cartpole --method gail --expert cartpole").refused(2, &["`--expert` belongs to `--method dagger`"]);
    program.run("imitate demos cartpole --method dagger --expert nobody").refused(2, &["there is no policy `nobody`"]);
    program.run("imitate demos cartpole --method dagger --expert pendulum").refused(3, &["expert", "there is no channel"]);
    program.run("imitate cartpole --method learned-reward").refused(2, &["needs `--reward`"]);
    program.run("imitate demos cartpole --reward demos").refused(2, &["`--reward` belongs to `--method learned-reward`"]);
    program.ok(&format!("imitate demos cartpole --steps 100 --out clone {LITTLE}"));
    program.run("imitate cartpole --method learned-reward --reward clone").refused(2, &["is a run of `bc`", "recovers no reward", "airl"]);
    program.run("imitate cartpole --method learned-reward --reward nothing").refused(2, &["nothing"]);
    program.run("imitate demos cartpole --method learned-reward --reward clone").refused(2, &["not from demonstrations"]);
}

#[test]
fn a_method_of_the_other_command_leads_to_it() {
    let program = with_demonstrations();
    program
        .run("imitate demos cartpole --method fine-tune")
        .refused(2, &["`fine-tune` is a method of another command", "heirloom transfer"]);
    program.run("transfer cartpole cartpole_moon --method gail").refused(2, &["`gail` is a method of another command", "heirloom imitate"]);
    program.run("imitate demos cartpole --method gial").refused(2, &["there is no method `gial`", "did you mean `gail`"]);
    program.run("transfer cartpole cartpole --demos demos --demos-as nonsense").refused(2, &["cannot be a `nonsense`", "start", "term"]);
    program.run("transfer cartpole cartpole --demos-as term").refused(2, &["--demos"]);
    program.run("transfer cartpole cartpole --method zero-shot --demos demos").refused(2, &["zero-shot", "learns nothing"]);
}

#[test]
fn what_learns_from_rewards_needs_every_step_and_actions_with_bounds() {
    let program = with_demonstrations();
    program.run("imitate demos cartpole --method iql").refused(2, &["`iql` needs continuous actions with bounds", "dagger"]);
    program.run("imitate demos cartpole --method rlpd").refused(2, &["`rlpd` needs continuous actions", "dagger"]);
    program.ok("demo record pendulum pendulum --episodes 2 --out swings --json");
    program.run("imitate swings pendulum --method td3+bc --every 5").refused(2, &["swings", "one of 5 steps", "leave out `--every`"]);
    program.run("imitate swings pendulum --method iql --set iql.expectile=2").refused(2, &["`expectile`"]);
    program.run("imitate swings pendulum --method rlpd --set td3_bc.alpha=1").refused(2, &["`rlpd` has no section `td3_bc`", "sac"]);
    let small = "--set td3.actor=[8] --set td3.critic=[8] --set td3.minibatch=16";
    let run = format!("imitate swings pendulum --method td3+bc --set td3_bc.online_after=200 --steps 500 {small} --out run {LITTLE}");
    program.ok(&run);
    let (_, card) = heirloom::policy::store::load(&program.path("run/best")).unwrap();
    assert!(card.provenance.steps.unwrap() <= 300, "200 updates were made without a step: {:?}", card.provenance.steps);
    program.ok(&format!("{run} --resume"));
}

#[test]
fn no_setting_is_ignored() {
    let program = with_demonstrations();
    program.run("imitate demos cartpole --set dagger.steps=10").refused(2, &["`bc` has no section `dagger`", "it has: ppo, bc"]);
    program.run("imitate demos cartpole --set bc.minibach=10").refused(2, &["minibach", "did you mean `minibatch`"]);
    program.run("imitate demos cartpole --set bc.patience=0").refused(2, &["`patience` cannot be 0"]);
    program.run("imitate demos cartpole --set bc.validation=1").refused(2, &["`validation` cannot be 1"]);
    program.run("imitate demos cartpole --method gail --set adversarial.updates=0").refused(2, &["`updates`", "1 and 10000"]);
    program
        .run("imitate demos cartpole --method gail --set adversarial.discriminator.minibatch=0")
        .refused(2, &["`minibatch`", "--set adversarial.discriminator.minibatch=0"]);
    program.run("imitate demos cartpole --method dapg --set dapg.decay=2").refused(2, &["`decay` cannot be 2"]);
    let run = format!("imitate demos cartpole --steps 200 --out run {LITTLE}");
    program.ok(&run);
    program.ok(&format!("{run} --resume"));
    program
        .run("imitate demos cartpole --out run --resume --demo-episodes 1")
        .refused(2, &["run", "another number of demonstrated episodes"]);
    program.run("imitate demos cartpole --out run --resume --every 2").refused(2, &["run", "another interval of demonstrated steps"]);
    program.run("imitate demos cartpole --out run --resume --method gail").refused(2, &["another method"]);
}

/// Where fewer were chosen than there are, their number need not be said again.
#[test]
fn a_run_goes_on_with_some_of_a_set_wherever_it_lies_now() {
    let program = with_demonstrations();
    let run = |demos: &str| format!("imitate {demos} cartpole --method gail --steps 4096 --out run {LITTLE}");
    program.ok(&format!("{} --demo-episodes 1 --stop-after-updates 1", run("demos")));
    std::fs::rename(program.path("demos"), program.path("moved")).unwrap();
    program.ok("demo record cartpole short.ron --episodes 2 --seed 9 --out others --json");
    program.run(&format!("{} --resume", run("others"))).refused(2, &["another set of demonstrations"]);
    program.ok(&format!("{} --resume", run("moved")));
}

#[test]
fn demonstrations_of_another_environment_are_taken_and_what_differs_is_listed() {
    let program = with_demonstrations();
    let ended = program.run(&format!("imitate demos cartpole_moon --steps 100 --out moon {LITTLE}"));
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("recorded in another environment: gravity 9.8 there, 1.62 here"), "{}", ended.stderr);
    let ended = program.run(&format!("imitate demos short.ron --steps 100 --out same {LITTLE}"));
    assert!(ended.code == Some(0) && !ended.stderr.contains("another environment"), "{}", ended.stderr);
}

#[test]
fn a_run_that_diverges_says_so_and_loses_nothing() {
    let program = with_demonstrations();
    program.ok("demo record pendulum pendulum --episodes 1 --out swings --json");
    let deep = "--set ppo.activation=Relu --set ppo.actor=[64,64,64,64,64,64]";
    let bc = format!("imitate swings pendulum {deep} --set bc.learning_rate=10 --out bc {LITTLE}");
    program.run(&bc).refused(5, &["update 1", "lower `bc.learning_rate`"]);
    let gail = format!("imitate swings pendulum --method gail --steps 20000 {deep} --set ppo.learning_rate=10 --out gail {LITTLE}");
    program.run(&gail).refused(5, &["update "]);
    for run in ["bc", "gail"] {
        program.ok(&format!("fsck {run}"));
        let (policy, _) = store::load(&program.path(&format!("{run}/best"))).unwrap();
        policy.params.check_finite().unwrap();
    }
}

#[test]
fn demonstrations_that_are_not_finished_can_be_learned_from() {
    let program = with_demonstrations();
    let set = Demonstrations::open(&program.path("demos")).unwrap();
    let mut recording = Recording::create(&program.path("unfinished"), set.header().clone()).unwrap();
    for (number, episode) in (0..).zip(set.episodes()) {
        recording.push(number, Some(episode.unwrap().1)).unwrap();
    }
    // As if it had been killed.
    drop(recording);
    let said = json(&program.ok(&format!("imitate unfinished cartpole --steps 200 --out clone {LITTLE}")));
    assert_eq!(said["digest"], json(&program.ok(&format!("imitate demos cartpole --steps 200 --out same {LITTLE}")))["digest"]);
}

#[test]
fn a_run_goes_on_with_the_demonstrations_that_it_began_with_or_not_at_all() {
    let program = with_demonstrations();
    for (method, more) in
        [("bc", "--steps 2000"), ("gail", "--steps 1500"), ("dagger", "--expert cartpole --steps 600 --set dagger.steps=100")]
    {
        let run = format!("imitate demos cartpole --method {method} {more} {LITTLE}");
        program.ok(&format!("{run} --out straight-{method}"));
        program.ok(&format!("{run} --out {method} --threads 1 --stop-after-updates 2"));
        program.ok(&format!("{run} --out {method} --threads 3 --resume --stop-after-updates 1"));
        program.ok(&format!("{run} --out {method} --threads 2 --resume"));
        assert_eq!(program.ok(&format!("digest {method}")), program.ok(&format!("digest straight-{method}")), "{method}");
        for log in ["metrics.csv", "evaluations.csv"] {
            assert!(program.read(&format!("{method}/{log}")) == program.read(&format!("straight-{method}/{log}")), "{method}: {log}");
        }
        program.ok(&format!("fsck {method}"));
    }
    let run = format!("imitate demos cartpole --steps 2000 --out torn {LITTLE}");
    program.ok(&format!("{run} --stop-after-updates 1"));
    std::fs::rename(program.path("demos"), program.path("elsewhere")).unwrap();
    program.run(&format!("{run} --resume")).refused(2, &["there are no demonstrations", "demos"]);
    program.ok("demo record cartpole short.ron --episodes 2 --seed 9 --out demos --json");
    program
        .run(&format!("{run} --resume"))
        .refused(3, &["demos", "not the demonstrations that the run began with", "wherever they lie now"]);
    // The same set elsewhere is the same set.
    program.ok(&format!("{} --resume", run.replace("imitate demos", "imitate elsewhere")));
}

#[test]
fn what_was_learned_is_a_run_and_a_policy_like_any_other() {
    let program = with_demonstrations();
    program.ok(&format!("imitate demos cartpole --every 3 --steps 300 --out clone {LITTLE}"));
    program.ok(&format!("imitate demos cartpole --method gail --steps 600 --out gail {LITTLE}"));
    let (_, card) = store::load(&program.path("clone/best")).unwrap();
    assert_eq!(card.provenance.steps, Some(0), "cloning takes no step in the environment");
    let demonstrated = card.provenance.demonstrations.unwrap();
    assert_eq!((demonstrated.episodes, demonstrated.every, demonstrated.role), (2, 3, None));
    let lessons = Lessons::read(&program.path("demos"), Selection::default(), Role::Start, &Pool::inline()).unwrap();
    assert_eq!(demonstrated.digest, lessons.digest);
    assert_eq!(
        card.provenance.command,
        "heirloom imitate demos cartpole --method bc --every 3 --steps 300 --seed 0 --evaluations 2 --episodes 2 --checkpoint-every 1"
    );
    let (_, card) = store::load(&program.path("gail/best")).unwrap();
    assert!(card.provenance.demonstrations.is_some());
    for run in ["clone", "gail"] {
        program.ok(&format!("evaluate {run} cartpole --episodes 2 --json"));
        program.ok(&format!("watch {run} cartpole --out {run}.html"));
        program.ok(&format!("transfer {run} cartpole_moon --steps 300 --out {run}-moved --json --episodes 2"));
        assert_eq!(program.ok(&format!("digest {run}")).trim().len(), 64);
        program.ok(&format!("policies save {run} policies/{run}"));
        assert!(program.ok(&format!("policies show {run}")).contains("demonstrations"), "{}", program.ok(&format!("policies show {run}")));
        program.ok(&format!("fsck {run}"));
    }
    let said = program.ok("imitate demos cartpole --steps 300 --out shown --episodes 2");
    assert!(said.contains("gradient steps"), "{said}");
}
