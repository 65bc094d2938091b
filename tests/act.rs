//! `heirloom act`: another program asks a policy for actions, line by line.

mod program;

use heirloom::env::{Action, Registry};
use heirloom::policy::store;
use heirloom::rollout::Actor;
use heirloom::rollout::collect::Choice;
use heirloom::seed::Stream;
use program::Program;
use std::path::PathBuf;

fn shipped(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies").join(name)
}

#[test]
fn a_loop_of_ones_own_earns_what_the_policy_earns() {
    let (policy, _) = store::load(&shipped("cartpole")).unwrap();
    let registry = Registry::standard();
    let mut env = registry.build(&registry.resolve("cartpole").unwrap()).unwrap();
    let mut actor = Actor::new(&policy, Choice::Mode, 0).unwrap();
    let (mut rng, mut observation, mut total) = (Stream::Env(0).under(0), vec![0.0; 4], 0.0);
    env.reset(&mut rng, &mut observation).unwrap();
    loop {
        let Action::Discrete(action) = actor.act(&observation).unwrap() else { panic!("its actions are discrete") };
        let step = env.step(Action::Discrete(action), &mut rng, &mut observation).unwrap();
        total += step.reward;
        if step.ended() {
            break;
        }
    }
    assert_eq!(total, 500.0);
}

#[test]
fn lines_in_and_lines_out() {
    let program = Program::new();
    let ask = |policy: &str, input: &str| program.run_with_input(&format!("act {}", shipped(policy).display()), input);
    // A pole that falls to one side is pushed after.
    let answers = ask("cartpole", "[0, 0, 0.1, 0.5]\n\n{\"observation\": [0, 0, -0.1, -0.5], \"begin\": true}\n");
    assert_eq!((answers.code, answers.stdout.as_str()), (Some(0), "1\n0\n"), "{}", answers.stderr);
    let answer = ask("pendulum", "[1, 0, 0]\n");
    let torque: Vec<f64> = serde_json::from_str(&answer.stdout).unwrap();
    assert!(torque.len() == 1 && torque[0].abs() <= 2.0, "{torque:?}");
    for (input, words) in [
        ("[1, 2]\n", "line 1 of the input: the observation has 2 numbers, the policy sees 4"),
        ("[0, 0, 0, 0]\nhello\n", "line 2 of the input: is no observation"),
        ("{\"observation\": [0, 0, 0, 0], \"reset\": true}\n", "line 1 of the input: is no observation"),
        ("[0, 0, 0, 1e999]\n", "line 1 of the input: is no observation"),
    ] {
        let refused = ask("cartpole", input);
        assert_eq!(refused.code, Some(2), "{input}");
        assert!(refused.stderr.contains(words), "{input}: {}", refused.stderr);
    }
}
