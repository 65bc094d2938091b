//! SAC at the sizes of `HalfCheetah`, as in `../shared/peers/torch_sac.py`: 17 observations, 6 actions, 2 x 256, batch 256; a step is one of an
//! environment, which costs nothing here, and one update.

use crate::{Arguments, Clock, pool};
use heirloom::Result;
use heirloom::env::{Action, ActionSpace, Channel, Env, Scene, Snapshot, Spaces, Step};
use heirloom::learn::Learner;
use heirloom::learn::sac::{Config, Sac};
use heirloom::rollout::MakeEnv;
use heirloom::seed::Rng;
use heirloom::stop::Stop;
use std::sync::Arc;

/// Shows noise and pays nothing.
struct Noise(Spaces);

impl Env for Noise {
    fn spaces(&self) -> &Spaces {
        &self.0
    }
    fn reset(&mut self, rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        observation.fill_with(|| rng.normal());
        Ok(())
    }
    fn step(&mut self, _action: Action<'_>, rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.reset(rng, observation)?;
        Ok(Step { reward: observation[0], terminated: false, truncated: false })
    }
    fn snapshot(&self, _into: &mut Snapshot) {}
    fn restore(&mut self, _from: &mut Snapshot) -> Result<()> {
        Ok(())
    }
    fn scene(&self) -> Scene {
        Scene::default()
    }
}

pub(crate) fn sac(arguments: &Arguments) {
    let channels = |count: usize, name: &str| (0..count).map(|index| Channel::new(format!("{name}_{index}"), -1.0, 1.0)).collect();
    let spaces = Spaces { observation: channels(17, "joint"), action: ActionSpace::Continuous(channels(6, "motor")) };
    let make: MakeEnv = Arc::new(move || Ok(Box::new(Noise(spaces.clone())) as Box<dyn Env>));
    let config = Config { warm_up: 1000, ..Config::default() };
    let mut learner = Sac::new(config, &make, arguments.seed, pool(arguments.threads)).unwrap();
    let advance = |learner: &mut Sac, steps: u64| (0..steps / 100).for_each(|_| drop(learner.advance(&Stop::new()).unwrap()));
    advance(&mut learner, 1200);
    let clock = Clock::start();
    advance(&mut learner, arguments.steps);
    clock.report(arguments, "halfcheetah-sac(update only)", arguments.steps, serde_json::json!({}));
}
