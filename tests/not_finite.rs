//! A number that is not finite, wherever it comes from, ends the run in the same update, is named, and never reaches a checkpoint.

use heirloom::Result;
use heirloom::env::{Action, Env, Registry, Scene, Snapshot, Spaces, Step};
use heirloom::error::Kind;
use heirloom::learn::Learner;
use heirloom::learn::dqn::{self, Dqn};
use heirloom::learn::ppo::{Config, Ppo, Start};
use heirloom::learn::sac::{self, Sac};
use heirloom::learn::td3::{self, Td3};
use heirloom::nn::Activation;
use heirloom::parallel::Pool;
use heirloom::rollout::MakeEnv;
use heirloom::seed::Rng;
use heirloom::stop::Stop;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An environment that shows or pays `value` once, at its 300th step.
struct Poisoned {
    inner: Box<dyn Env>,
    count: Arc<AtomicU64>,
    value: f64,
    in_reward: bool,
}

impl Env for Poisoned {
    fn spaces(&self) -> &Spaces {
        self.inner.spaces()
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.inner.reset(rng, observation)
    }
    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let mut step = self.inner.step(action, rng, observation)?;
        if self.count.fetch_add(1, Ordering::Relaxed) == 300 {
            if self.in_reward {
                step.reward = self.value;
            } else {
                observation[1] = self.value;
            }
        }
        Ok(step)
    }
    fn snapshot(&self, into: &mut Snapshot) {
        self.inner.snapshot(into);
    }
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.inner.restore(from)
    }
    fn scene(&self) -> Scene {
        self.inner.scene()
    }
}

fn poisoned(environment: &str, value: f64, in_reward: bool) -> MakeEnv {
    let registry = Registry::standard();
    let spec = registry.resolve(environment).unwrap();
    let count = Arc::new(AtomicU64::new(0));
    Arc::new(move || Ok(Box::new(Poisoned { inner: registry.build(&spec)?, count: Arc::clone(&count), value, in_reward }) as Box<dyn Env>))
}

fn learner(config: &Config, value: f64, in_reward: bool) -> Ppo {
    heirloom::nn::autograd::use_one_thread();
    let make = poisoned("cartpole", value, in_reward);
    let start = Start::fresh(config, make().unwrap().spaces(), 0).unwrap();
    Ppo::new(config.clone(), start, &make, &[], 10_000, 0, Arc::new(Pool::inline())).unwrap()
}

/// Two updates of 256 steps: the poison falls into the second.
fn outcome(config: &Config, value: f64, in_reward: bool) -> Result<()> {
    let mut learner = learner(config, value, in_reward);
    learner.advance(&Stop::new()).expect("before the poison");
    learner.advance(&Stop::new())?;
    learner.policy().params.check_finite().expect("an update that succeeds leaves finite weights");
    learner.advance(&Stop::new()).map(drop)
}

fn configurations() -> Vec<Config> {
    let base = Config { environments: 4, steps: 64, minibatch: 64, ..Config::default() };
    let normalised = Config { normalize_observations: true, normalize_returns: true, ..base.clone() };
    vec![base.clone(), normalised, Config { activation: Activation::Gelu, ..base }]
}

#[test]
fn what_an_environment_shows_or_pays() {
    for config in configurations() {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300] {
            for in_reward in [false, true] {
                match outcome(&config, value, in_reward) {
                    Err(error) => {
                        assert!([Kind::Environment, Kind::Diverged].contains(&error.kind()), "{value} {in_reward}: {error}");
                        assert!(error.place().is_some(), "{value} {in_reward}: {error}");
                    }
                    // 1e300 is a number; a normaliser that clips may make something of it, but never a NaN (checked above).
                    Ok(()) => assert!(value == 1e300, "{value} {in_reward} went through"),
                }
            }
        }
        // A denormal is a number like any other.
        outcome(&config, 1e-310, false).unwrap();
        outcome(&config, 1e-310, true).unwrap();
    }
}

/// Weights, moments and statistics of a learner, poisoned one by one.
#[test]
fn what_a_learner_holds() {
    for config in configurations() {
        let state = learner(&config, 0.0, true).state();
        let names: Vec<String> = state
            .tensors
            .keys()
            .filter(|name| name.starts_with("params.") || name.starts_with("adam.") && *name != "adam.steps")
            .cloned()
            .collect();
        assert!(names.len() >= 24);
        for name in names {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut poisoned = state.clone();
                if let heirloom::file::tensors::Data::F32(values) = &mut poisoned.tensors.get_mut(&name).unwrap().data {
                    values[0] = value;
                }
                let mut learner = learner(&config, 0.0, true);
                learner.restore(&poisoned).unwrap();
                let error = learner.advance(&Stop::new()).map(drop).expect_err(&name);
                assert!([Kind::Diverged, Kind::Environment].contains(&error.kind()), "{name} {value}: {error}");
                assert!(error.place().is_some(), "{name} {value}: {error}");
            }
        }
    }
}

/// Learners that replay: their 301st step falls into the fourth iteration.
fn replaying(value: f64, in_reward: bool) -> Vec<(&'static str, Box<dyn Learner>)> {
    let pool = || Arc::new(Pool::inline());
    let sac = sac::Config { actor: vec![8, 8], critic: vec![8, 8], layer_norm: true, ..sac::Config::default() };
    let td3 = td3::Config { actor: vec![8, 8], critic: vec![8, 8], ..td3::Config::default() };
    let dqn = dqn::Config { layers: vec![8, 8], ..dqn::Config::default() };
    vec![
        ("sac", Box::new(Sac::new(sac, None, &poisoned("pendulum", value, in_reward), 0, pool()).unwrap())),
        ("td3", Box::new(Td3::new(td3, None, &poisoned("pendulum", value, in_reward), 0, pool()).unwrap())),
        ("dqn", Box::new(Dqn::new(dqn, &poisoned("cartpole", value, in_reward), 10_000, 0, pool()).unwrap())),
    ]
}

#[test]
fn what_an_environment_shows_or_pays_to_a_learner_that_replays() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e300, 1e30] {
        for in_reward in [false, true] {
            for (name, mut learner) in replaying(value, in_reward) {
                // What 32 bits hold is met when it is drawn, or when its square overflows.
                let outcome = (0..40).find_map(|iteration| learner.advance(&Stop::new()).err().map(|error| (iteration, error)));
                let Some((iteration, error)) = outcome else {
                    assert!(value == 1e30, "{name} {value} {in_reward} went through");
                    continue;
                };
                assert!(iteration >= 3 && (iteration == 3 || value == 1e30), "{name} {value} {in_reward}: {iteration}");
                assert!([Kind::Environment, Kind::Diverged].contains(&error.kind()), "{name} {value} {in_reward}: {error}");
                assert!(error.place().is_some(), "{name} {value} {in_reward}: {error}");
            }
        }
    }
}

/// Weights, moments and targets of a learner that replays, poisoned one by one.
#[test]
fn what_a_learner_that_replays_holds() {
    let mut learners = replaying(0.0, true);
    for (_, learner) in &mut learners {
        (0..3).for_each(|_| drop(learner.advance(&Stop::new()).unwrap()));
    }
    let states: Vec<_> = learners.iter().map(|(_, learner)| learner.state()).collect();
    for (which, state) in states.iter().enumerate() {
        let held = |name: &&String| ["params.", "adam.first", "adam.second", "target"].iter().any(|part| name.starts_with(part));
        let names: Vec<String> = state.tensors.keys().filter(held).cloned().collect();
        assert!(names.len() > 12);
        for name in names {
            for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let mut poisoned = state.clone();
                if let heirloom::file::tensors::Data::F32(values) = &mut poisoned.tensors.get_mut(&name).unwrap().data {
                    values[0] = value;
                }
                let (learner_name, mut learner) = replaying(0.0, true).swap_remove(which);
                let outcome = learner.restore(&poisoned).and_then(|()| learner.advance(&Stop::new()));
                let error = outcome.map(drop).expect_err(&name);
                assert_eq!(error.kind(), Kind::Diverged, "{learner_name} {name} {value}: {error}");
                assert!(error.place().is_some(), "{learner_name} {name} {value}: {error}");
            }
        }
    }
}
