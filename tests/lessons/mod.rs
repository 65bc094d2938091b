//! Demonstrations that a shipped policy records through the library, and jobs that learn from them.

#![allow(dead_code, reason = "each test file uses its part")]

use heirloom::choose::{Configuration, Job, Lessons, Method, Role, Source};
use heirloom::demo::record::{Ask, record};
use heirloom::demo::{Header, Recorder, Recording};
use heirloom::env::{Registry, Spec};
use heirloom::imitate::Selection;
use heirloom::learn::ppo::{Config, defaults};
use heirloom::nn::Activation;
use heirloom::parallel::Pool;
use heirloom::rollout::MakeEnv;
use heirloom::rollout::collect::Choice;
use heirloom::stop::Stop;
use std::path::Path;
use std::sync::Arc;

/// Records a policy's episodes into a folder.
pub(crate) fn record_into(path: &Path, policy: &str, spec: &Spec, episodes: u64) {
    let (registry, built) = (Registry::standard(), spec.clone());
    let expert = Source::load(policy).unwrap();
    let make: MakeEnv = Arc::new(move || registry.build(&built));
    let spaces = make().unwrap().spaces().clone();
    let recorder = Recorder::Policy { name: policy.into(), digest: String::new(), stochastic: false, seed: 0, min_return: None };
    let mut recording = Recording::create(path, Header::new(spec, &spaces, Vec::new(), recorder)).unwrap();
    let ask = Ask { episodes, choice: Choice::Mode, seed: 0, min_return: None };
    record(&expert.policy, &make, &ask, &mut recording, &Pool::inline(), &Stop::new(), |_| {}).unwrap();
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
    vec![
        ("bc", small(Method::Bc, &plain)),
        ("bc through libtorch", small(Method::Bc, &|configuration| configuration.ppo.activation = Activation::Silu)),
        ("bc in shards", small(Method::Bc, &|configuration| configuration.bc.as_mut().unwrap().minibatch = 1024)),
        ("dagger", Job { source: Some(Source::load("cartpole").unwrap()), ..small(Method::Dagger, &plain) }),
        ("gail", small(Method::Gail, &plain)),
        ("airl", small(Method::Airl, &plain)),
        ("dapg", small(Method::Dapg, &plain)),
        ("behaviour-regularised", small(Method::BehaviourRegularised, &plain)),
    ]
}
