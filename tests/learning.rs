//! It learns: three seeds of each classic task, from nothing, with the defaults; the last policy, never the best, over 100 episodes.
//!
//! The quick form of `benches/learning.py`, whose 20 seeds these figures stand on. Results are deterministic on one kind of machine; on another
//! one the odds below are the chance that a correct build fails.

use heirloom::choose::catalogue::known;
use heirloom::choose::{Configuration, Job, Method};
use heirloom::env::Registry;
use heirloom::error::Result;
use heirloom::learn::ppo::defaults;
use heirloom::parallel::Pool;
use heirloom::run::checkpoint::Position;
use heirloom::run::{Event, Listener, Outcome, drive};
use heirloom::stop::Stop;
use std::sync::Arc;

struct Deaf;

impl Listener for Deaf {
    fn hear(&mut self, _event: &Event<'_>) -> Result<()> {
        Ok(())
    }
}

fn final_return(task: &str, seed: u64) -> f64 {
    let registry = Registry::standard();
    let environment = registry.resolve(task).unwrap();
    let known = defaults::for_environment(&environment.simulator);
    let configuration = Method::Scratch.configuration(known.config, None);
    let job = Job { evaluations: 1, evaluation_episodes: 100, ..Job::new(environment, Method::Scratch, configuration, known.steps, seed) };
    measured(&registry, &job)
}

fn measured(registry: &Registry, job: &Job) -> f64 {
    let pool = Arc::new(Pool::inline());
    let mut learner = job.learner(registry, &pool, &Stop::new()).unwrap();
    let evaluator = job.evaluator(registry, &pool);
    let outcome = drive(learner.as_mut(), &job.plan(), &evaluator, None, Position::default(), &Stop::new(), &mut Deaf).unwrap();
    match outcome {
        Outcome::Finished(evaluation) => evaluation.interval().mean,
        Outcome::Stopped { .. } => unreachable!("nobody asks to stop"),
    }
}

/// The middle one of three seeds reaches the level, and none is worse than the floor.
fn learns(task: &str, level: f64, floor: f64) {
    let mut returns = [0, 1, 2].map(|seed| final_return(task, seed));
    returns.sort_by(f64::total_cmp);
    assert!(returns[1] >= level && returns[0] >= floor, "{task}: {returns:?}");
}

/// Of 60 seeds the worst ended at 490: below 1 in 1,000.
#[test]
fn cartpole() {
    learns("cartpole", 495.0, 475.0);
}

/// Of 20 seeds the worst ended at -167: below 1 in 10,000.
#[test]
fn pendulum() {
    learns("pendulum", -180.0, -250.0);
}

/// Of 20 seeds the worst ended at 93.1: below 1 in 10,000.
#[test]
fn mountain_car_continuous() {
    learns("mountain_car_continuous", 88.0, 80.0);
}

/// Of 20 seeds the worst ended at -105: below 1 in 10,000.
#[test]
fn mountain_car() {
    learns("mountain_car", -113.0, -125.0);
}

/// Of 20 seeds the worst ended at -79: below 1 in 1,000.
#[test]
fn acrobot() {
    learns("acrobot", -78.0, -100.0);
}

/// The same for what learns from a replay buffer, in a fraction of its usual steps.
fn replaying(task: &str, method: Method, steps: u64, seed: u64, change: impl Fn(&mut Configuration)) -> f64 {
    let registry = Registry::standard();
    let environment = registry.resolve(task).unwrap();
    let (mut configuration, _) = known(method, &environment.simulator);
    change(&mut configuration);
    measured(&registry, &Job { evaluations: 1, evaluation_episodes: 100, ..Job::new(environment, method, configuration, steps, seed) })
}

/// A quarter of the usual steps. Nothing learned is -1,250; seed 0 ended at -143, the other two were not written down: too few to name odds.
#[test]
fn pendulum_by_sac() {
    let returns = [0, 1, 2].map(|seed| replaying("pendulum", Method::Sac, 5000, seed, |_| {}));
    assert!(returns.iter().filter(|total| **total >= -300.0).count() >= 2, "{returns:?}");
}

/// The same with a warm-up of a thousand steps instead of ten thousand: on the way, and no further. Three seeds ended at -790, -542 and -398.
#[test]
fn pendulum_by_td3() {
    let soon = |configuration: &mut Configuration| configuration.td3.as_mut().unwrap().warm_up = 1000;
    let returns = [0, 1, 2].map(|seed| replaying("pendulum", Method::Td3, 5000, seed, soon));
    assert!(returns.iter().filter(|total| **total >= -900.0).count() >= 2, "{returns:?}");
}

/// A fifth of the usual steps. Nothing learned is 9; of three seeds the worst ended at 119 (30 episodes): too few to name odds.
#[test]
fn cartpole_by_dqn() {
    let returns = [0, 1, 2].map(|seed| replaying("cartpole", Method::Dqn, 10_000, seed, |_| {}));
    assert!(returns.iter().filter(|total| **total >= 90.0).count() >= 2, "{returns:?}");
}
