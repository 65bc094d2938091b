//! Demonstrations that a shipped policy records through the library, and jobs that learn from them.

#![allow(dead_code, reason = "each test file uses its part")]

use heirloom::choose::{Configuration, Job, Lessons, Method, Role, Source};
use heirloom::demo::record::{Ask, info, record};
use heirloom::demo::{Header, Recorder, Recording};
use heirloom::env::{Registry, Spec};
use heirloom::imitate::Selection;
use heirloom::learn::ppo::{Config, defaults};
use heirloom::nn::Activation;
use heirloom::parallel::Pool;
use heirloom::policy::Policy;
use heirloom::rollout::MakeEnv;
use heirloom::rollout::collect::Choice;
use heirloom::stop::Stop;
use std::path::Path;
use std::sync::Arc;

/// Records a policy's episodes into a folder.
pub(crate) fn record_into(path: &Path, policy: &str, spec: &Spec, episodes: u64) {
    record_policy(path, &Source::load(policy).unwrap().policy, policy, spec, episodes, Choice::Mode);
}

fn record_policy(path: &Path, expert: &Policy, policy: &str, spec: &Spec, episodes: u64, choice: Choice) {
    let (registry, built) = (Registry::standard(), spec.clone());
    let make: MakeEnv = Arc::new(move || registry.build(&built));
    let spaces = make().unwrap().spaces().clone();
    let recorder =
        Recorder::Policy { name: policy.into(), digest: String::new(), stochastic: choice != Choice::Mode, seed: 0, min_return: None };
    let mut recording = Recording::create(path, Header::new(spec, &spaces, info(choice), recorder)).unwrap();
    let ask = Ask { episodes, choice, seed: 0, min_return: None };
    record(expert, &make, &ask, &mut recording, &Pool::inline(), &Stop::new(), |_| {}).unwrap();
    recording.finish().unwrap();
}

/// Episodes of the shipped policy of an environment, one of `every` steps of each.
pub(crate) fn lessons(environment: &str, episodes: u64, every: u32) -> Lessons {
    lessons_in(&Registry::standard().resolve(environment).unwrap(), environment, episodes, every)
}

/// Three episodes of CartPole, cut off after 60 steps.
pub(crate) fn short_lessons() -> Lessons {
    let mut spec = Registry::standard().resolve("cartpole").unwrap();
    spec.max_episode_steps = Some(60);
    lessons_in(&spec, "cartpole", 3, 2)
}

/// Episodes of the shipped policy of an environment whose actions have this standard deviation, in units of their bounds.
pub(crate) fn noisy_lessons(environment: &str, episodes: u64, deviation: f32) -> Lessons {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demos");
    let mut expert = Source::load(environment).unwrap().policy;
    expert.params.tensor_mut(heirloom::nn::actor_critic::LOG_STD).fill(deviation.ln());
    record_policy(&path, &expert, environment, &Registry::standard().resolve(environment).unwrap(), episodes, Choice::Sample);
    Lessons::read(&path, Selection::default(), Role::Start, &Pool::inline()).unwrap()
}

/// Three episodes of Pendulum, cut off after 60 steps: every step of them, with its reward.
fn rewarded_lessons() -> Lessons {
    let mut spec = Registry::standard().resolve("pendulum").unwrap();
    spec.max_episode_steps = Some(60);
    lessons_in(&spec, "pendulum", 3, 1)
}

/// What learns off policy from demonstrations, small: alone at first, then acting too.
fn replaying_jobs() -> Vec<(&'static str, Job)> {
    let lessons = rewarded_lessons();
    let small = |method: Method, change: &dyn Fn(&mut Configuration)| {
        let mut job = job("pendulum", method, Some(lessons.clone()), 1200, 5);
        change(&mut job.configuration);
        Job { evaluations: 3, evaluation_episodes: 2, checkpoint_every: Some(1), ..job }
    };
    vec![
        (
            "iql",
            small(Method::Iql, &|configuration| {
                let iql = configuration.iql.as_mut().unwrap();
                (iql.online_after, iql.minibatch, iql.buffer) = (Some(300), 200, 500);
                (iql.actor, iql.value, iql.critic) = (vec![16, 16], vec![16], vec![24]);
            }),
        ),
        (
            "td3+bc",
            small(Method::Td3Bc, &|configuration| {
                configuration.td3_bc.as_mut().unwrap().online_after = Some(300);
                let td3 = configuration.td3.as_mut().unwrap();
                (td3.minibatch, td3.buffer, td3.actor, td3.critic) = (200, 500, vec![16], vec![24, 8]);
            }),
        ),
        (
            "rlpd",
            small(Method::Rlpd, &|configuration| {
                let sac = configuration.sac.as_mut().unwrap();
                (sac.minibatch, sac.buffer, sac.updates, sac.warm_up) = (200, 500, 2, 150);
                (sac.actor, sac.critic) = (vec![16], vec![24, 8]);
            }),
        ),
    ]
}

fn lessons_in(spec: &Spec, policy: &str, episodes: u64, every: u32) -> Lessons {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demos");
    record_into(&path, policy, spec, episodes);
    Lessons::read(&path, Selection { episodes: None, every: Some(every) }, Role::Start, &Pool::inline()).unwrap()
}

/// A job with the defaults of its environment.
pub(crate) fn job(environment: &str, method: Method, lessons: Option<Lessons>, steps: u64, seed: u64) -> Job {
    let environment = Registry::standard().resolve(environment).unwrap();
    let known = defaults::for_environment(&environment.simulator);
    let configuration = method.configuration(known.config, None);
    Job { lessons, evaluations: 1, evaluation_episodes: 100, ..Job::new(environment, method, configuration, steps, seed) }
}

/// One small job of every method that learns from demonstrations, and of what else goes another way: between them they use everything a
/// state must hold.
pub(crate) fn small_jobs(ppo: &Config, steps: u64) -> Vec<(&'static str, Job)> {
    let lessons = short_lessons();
    let small = |method: Method, change: &dyn Fn(&mut Configuration)| {
        let mut configuration = method.configuration(ppo.clone(), None);
        if let Some(bc) = &mut configuration.bc {
            (bc.minibatch, bc.patience) = (16, 1000);
        }
        if let Some(dagger) = &mut configuration.dagger {
            (dagger.environments, dagger.steps, dagger.updates) = (3, 30, 20);
        }
        if let Some(adversarial) = &mut configuration.adversarial {
            (adversarial.updates, adversarial.discriminator.minibatch, adversarial.discriminator.hidden) = (3, 16, vec![8]);
        }
        if let Some(after) = &mut configuration.after_cloning {
            (after.cloning_steps, after.critic_warm_up) = (100, 300);
        }
        change(&mut configuration);
        let steps = if method == Method::Bc { 100_000 } else { steps };
        Job {
            configuration,
            evaluations: 3,
            evaluation_episodes: 2,
            checkpoint_every: Some(1),
            ..job("cartpole", method, Some(lessons.clone()), steps, 5)
        }
    };
    let plain = |_: &mut Configuration| {};
    let mut jobs = vec![
        ("bc", small(Method::Bc, &plain)),
        ("bc through libtorch", small(Method::Bc, &|configuration| configuration.ppo.activation = Activation::Silu)),
        ("bc in shards", small(Method::Bc, &|configuration| configuration.bc.as_mut().unwrap().minibatch = 1024)),
        ("dagger", Job { source: Some(Source::load("cartpole").unwrap()), ..small(Method::Dagger, &plain) }),
        ("gail", small(Method::Gail, &plain)),
        ("airl", small(Method::Airl, &plain)),
        ("dapg", small(Method::Dapg, &plain)),
        ("behaviour-regularised", small(Method::BehaviourRegularised, &plain)),
    ];
    jobs.extend(replaying_jobs());
    jobs
}
