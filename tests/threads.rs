//! Whole training runs give the same bits for any number of threads, however long each shard takes.
//!
//! `HEIRLOOM_THREADS` adds one more number of threads (16 in the long form).

mod lessons;

use heirloom::env::{Action, Env, Registry, Scene, Snapshot, Spaces, Step};
use heirloom::learn::ppo::{Config, Ppo, Start};
use heirloom::learn::{Learner, Schedule};
use heirloom::parallel::Pool;
use heirloom::rollout::MakeEnv;
use heirloom::seed::{Rng, Stream};
use heirloom::stop::Stop;
use heirloom::{Result, nn};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An environment that takes its time: 0 to 2 ms more at every 40th step, other ones in every run.
struct Jittered(Box<dyn Env>, Arc<AtomicU64>);

impl Env for Jittered {
    fn spaces(&self) -> &Spaces {
        self.0.spaces()
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.0.reset(rng, observation)
    }
    fn step(&mut self, action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        let count = self.1.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(40) {
            std::thread::sleep(Duration::from_micros(Stream::Bootstrap(count).seed_under(count) % 2000));
        }
        self.0.step(action, rng, observation)
    }
    fn snapshot(&self, into: &mut Snapshot) {
        self.0.snapshot(into);
    }
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.0.restore(from)
    }
    fn scene(&self) -> Scene {
        self.0.scene()
    }
}

fn digest(environment: &str, config: &Config, threads: usize, jitter: bool) -> String {
    heirloom::nn::autograd::use_one_thread();
    let registry = Registry::standard();
    let spec = registry.resolve(environment).unwrap();
    let count = Arc::new(AtomicU64::new(threads as u64 * 1_000_003));
    let make: MakeEnv = Arc::new(move || {
        let env = registry.build(&spec)?;
        Ok(if jitter { Box::new(Jittered(env, Arc::clone(&count))) } else { env })
    });
    let pool = Arc::new(Pool::new(threads, nn::autograd::use_one_thread).unwrap());
    let start = Start::fresh(config, make().unwrap().spaces(), 3).unwrap();
    let mut learner = Ppo::new(config.clone(), start, &make, &[], 20_000, 3, pool).unwrap();
    for _ in 0..6 {
        learner.advance(&Stop::new()).unwrap();
    }
    learner.state().digest()
}

fn configurations() -> Vec<(&'static str, Config)> {
    let base = Config { environments: 18, steps: 40, minibatch: 300, shards: Some(5), ..Config::default() };
    vec![
        ("cartpole", base.clone()),
        (
            "cartpole",
            Config { normalize_observations: true, normalize_returns: true, learning_rate_schedule: Schedule::Linear, ..base.clone() },
        ),
        ("classic/cartpole_continuous", Config { normalize_returns: true, ..base.clone() }),
        ("cartpole", Config { activation: nn::Activation::Gelu, environments: 8, shards: None, ..base }),
    ]
}

#[test]
fn one_two_three_and_eight_threads_give_the_same_digest() {
    for (environment, config) in configurations() {
        let expected = digest(environment, &config, 1, false);
        let more = std::env::var("HEIRLOOM_THREADS").ok().and_then(|text| text.parse().ok());
        for threads in [2, 3, 8].into_iter().chain(more) {
            assert_eq!(digest(environment, &config, threads, false), expected, "{environment} on {threads} threads");
        }
        assert_eq!(digest(environment, &config, 4, true), expected, "{environment} with jitter");
    }
}

/// Whatever learns from demonstrations, as far as five iterations.
#[test]
fn learning_from_demonstrations_gives_the_same_digest_on_any_number_of_threads() {
    let ppo = Config { environments: 6, steps: 24, minibatch: 50, shards: Some(3), normalize_observations: true, ..Config::default() };
    for (name, job) in lessons::small_jobs(&ppo, 144 * 5) {
        let digest = |threads: usize| {
            nn::autograd::use_one_thread();
            let pool = Arc::new(Pool::new(threads, nn::autograd::use_one_thread).unwrap());
            let mut learner = job.learner(&Registry::standard(), &pool, &Stop::new()).unwrap();
            for _ in 0..5 {
                learner.advance(&Stop::new()).unwrap();
            }
            learner.state().digest()
        };
        let expected = digest(1);
        for threads in [2, 3, 8] {
            assert_eq!(digest(threads), expected, "{name} on {threads} threads");
        }
    }
}

/// The shards are part of the result's definition, the threads are not: other shards, other bits.
#[test]
fn shards_are_configuration() {
    let (environment, config) = configurations().remove(0);
    let other = Config { shards: Some(2), ..config.clone() };
    assert_ne!(digest(environment, &config, 1, false), digest(environment, &other, 1, false));
}
