//! What a transfer promises: channels matched by name, behaviour unchanged at step 0, frozen parts unchanged for ever.

use heirloom::choose::{Configuration, Job, Method, Source};
use heirloom::env::{Registry, Spec};
use heirloom::learn::{Learner, ppo};
use heirloom::nn::{Activation, actor_critic};
use heirloom::parallel::Pool;
use heirloom::policy::{Card, Policy, Provenance};
use heirloom::rollout::collect::Choice;
use heirloom::rollout::evaluate;
use heirloom::stop::Stop;
use std::sync::Arc;

fn spec(text: &str) -> Spec {
    Spec::from_ron(&Registry::standard(), "target", text).unwrap()
}

fn cartpole(wrappers: &str) -> Spec {
    spec(&format!("(simulator: \"classic/cartpole\", wrappers: [{wrappers}])"))
}

fn job(environment: Spec, method: Method, configuration: Configuration, source: Option<&Policy>) -> Job {
    let source = source.map(|policy| Source {
        path: "source".into(),
        policy: policy.clone(),
        card: Card::new(policy, Provenance::default(), Vec::new()),
    });
    Job { source, evaluations: 1, evaluation_episodes: 1, evaluation_seed: 0, ..Job::new(environment, method, configuration, 4096, 2) }
}

fn config(activation: Activation) -> ppo::Config {
    ppo::Config {
        activation,
        actor: vec![16, 16],
        critic: vec![16],
        steps: 32,
        minibatch: 64,
        normalize_observations: true,
        normalize_returns: true,
        ..ppo::Config::default()
    }
}

fn learner(job: &Job) -> Box<dyn Learner> {
    heirloom::nn::autograd::use_one_thread();
    job.learner(&Registry::standard(), &Arc::new(Pool::inline()), &Stop::new()).unwrap()
}

/// A policy after some updates in plain CartPole.
fn source(activation: Activation) -> Policy {
    let mut learner = learner(&job(cartpole(""), Method::Scratch, Method::Scratch.configuration(config(activation), None), None));
    for _ in 0..8 {
        learner.advance(&Stop::new()).unwrap();
    }
    learner.policy()
}

fn transferred(method: Method, target: Spec, source: &Policy) -> Box<dyn Learner> {
    learner(&job(target, method, method.configuration(config(source.shape.activation), None), Some(source)))
}

fn returns(policy: &Policy, environment: &Spec) -> Vec<u64> {
    let (registry, spec) = (Registry::standard(), environment.clone());
    let make: heirloom::rollout::MakeEnv = Arc::new(move || registry.build(&spec));
    // Sampled actions: a single differing bit in a probability shows sooner or later.
    let episodes = evaluate(policy, &make, 30, Choice::Sample, 7, &Pool::inline(), &Stop::new()).unwrap();
    episodes.iter().map(|episode| episode.total.to_bits()).collect()
}

#[test]
fn permuted_and_extra_channels_change_no_bit_of_behaviour() {
    for activation in [Activation::Tanh, Activation::Elu] {
        let source = source(activation);
        let expected = returns(&source, &cartpole(""));
        let permuted = cartpole("PermuteChannels([\"pole_angular_velocity\", \"cart_position\", \"pole_angle\", \"cart_velocity\"])");
        let stacked = cartpole(
            "FrameStack(frames: 3), PermuteChannels([\"pole_angle@1\", \"pole_angle\", \"cart_velocity@2\", \"cart_position\", \"cart_velocity@1\", \"pole_angular_velocity\", \"cart_position@1\", \"cart_position@2\", \"cart_velocity\", \"pole_angular_velocity@1\", \"pole_angular_velocity@2\", \"pole_angle@2\"])",
        );
        for target in [permuted, stacked] {
            for method in [Method::ZeroShot, Method::FineTune] {
                let policy = transferred(method, target.clone(), &source).policy();
                assert_eq!(returns(&policy, &target), expected, "{activation:?} {}", method.name());
            }
        }
    }
}

#[test]
fn new_channels_are_learned_from() {
    let source = source(Activation::Tanh);
    let mut learner = transferred(Method::FineTune, cartpole("FrameStack(frames: 2)"), &source);
    let start = learner.policy();
    assert_eq!((start.shape.inputs, start.shape.joined), (8, 4));
    for _ in 0..20 {
        learner.advance(&Stop::new()).unwrap();
    }
    let weight = learner.policy().params.tensor("actor.0.weight").to_vec();
    assert!(weight.chunks_exact(8).all(|row| row[4..].iter().any(|value| *value != 0.0)));
}

#[test]
fn what_cannot_be_matched_is_refused_channel_by_channel() {
    let source = source(Activation::Tanh);
    let refused = |target: Spec, method: Method| {
        let job = job(target, method, method.configuration(config(Activation::Tanh), None), Some(&source));
        let error = job.learner(&Registry::standard(), &Arc::new(Pool::inline()), &Stop::new()).map(drop).unwrap_err();
        assert_eq!(error.kind(), heirloom::error::Kind::Artefact);
        error.to_string()
    };
    let renamed = cartpole("RenameChannels({\"pole_angle\": \"lean\", \"cart_velocity\": \"speed\"})");
    for method in [Method::ZeroShot, Method::FineTune, Method::ResetHead, Method::FeatureExtraction] {
        let message = refused(renamed.clone(), method);
        assert!(message.contains("`cart_velocity`, `pole_angle`"), "{message}");
    }
    let continuous = spec("(simulator: \"classic/cartpole_continuous\")");
    assert!(refused(continuous.clone(), Method::FineTune).contains("actions are `left`, `right`"));
    // New heads may give other actions.
    let mut learner = transferred(Method::ResetHead, continuous, &source);
    learner.advance(&Stop::new()).unwrap();
    assert_eq!(learner.policy().spaces.action.names(), ["force"]);
}

#[test]
fn feature_extraction_leaves_trunk_and_normaliser_as_they_were() {
    for activation in [Activation::Tanh, Activation::Silu] {
        let source = source(activation);
        let mut learner = transferred(Method::FeatureExtraction, cartpole("ActionReversed"), &source);
        for _ in 0..6 {
            learner.advance(&Stop::new()).unwrap();
        }
        let after = learner.policy();
        assert_eq!(after.normalizer, source.normalizer);
        let mut heads_moved = 0;
        for entry in source.params.layout().entries() {
            let (before, after) = (source.params.tensor(&entry.name), after.params.tensor(&entry.name));
            let same = before.iter().zip(after).all(|(before, after)| before.to_bits() == after.to_bits());
            assert!(same || actor_critic::is_head(&entry.name), "{} moved", entry.name);
            heads_moved += usize::from(!same);
        }
        assert!(heads_moved >= 4);
    }
}

#[test]
fn the_critic_warms_up_before_the_actor_moves() {
    let source = source(Activation::Tanh);
    let mut configuration = Method::FineTune.configuration(config(Activation::Tanh), None);
    configuration.fine_tune.as_mut().unwrap().critic_warm_up = 512;
    let mut learner = learner(&job(cartpole("ActionReversed"), Method::FineTune, configuration, Some(&source)));
    let moved = |learner: &dyn Learner, name: &str| learner.policy().params.tensor(name) != source.params.tensor(name);
    for _ in 0..2 {
        learner.advance(&Stop::new()).unwrap();
    }
    assert!(
        !moved(learner.as_ref(), "actor.0.weight")
            && !moved(learner.as_ref(), "actor.head.bias")
            && moved(learner.as_ref(), "critic.0.weight")
    );
    learner.advance(&Stop::new()).unwrap();
    assert!(moved(learner.as_ref(), "actor.0.weight"));
}

#[test]
fn zero_shot_is_the_source_in_every_bit() {
    let source = source(Activation::Tanh);
    assert_eq!(transferred(Method::ZeroShot, cartpole(""), &source).policy().digest(), source.digest());
    assert_eq!(
        job(cartpole(""), Method::ZeroShot, Method::ZeroShot.configuration(config(Activation::Tanh), None), Some(&source)).plan().steps,
        0
    );
}

#[test]
fn reset_head_keeps_the_trunk_and_starts_the_heads_anew() {
    let source = source(Activation::Tanh);
    let start = transferred(Method::ResetHead, cartpole(""), &source).policy();
    assert_eq!(start.params.tensor("actor.1.weight"), source.params.tensor("actor.1.weight"));
    assert_ne!(start.params.tensor("actor.head.weight"), source.params.tensor("actor.head.weight"));
    assert!(start.params.tensor("critic.head.bias").iter().all(|value| *value == 0.0));
    assert_eq!(start.normalizer, source.normalizer);
}
