//! A time limit is not death: reward 1 at every step, discount 0.98, eight steps. Truncated, the value of the start is that of going on
//! for ever, 1 / (1 - 0.98) = 50; terminated, (1 - 0.98^8) / (1 - 0.98) = 7.46.

use heirloom::Result;
use heirloom::env::{Action, ActionSpace, Channel, Env, Scene, Snapshot, Spaces, Step};
use heirloom::learn::Learner;
use heirloom::learn::dqn::{self, Dqn};
use heirloom::learn::ppo::{Config, Ppo, Start};
use heirloom::learn::sac::{self, Sac};
use heirloom::learn::td3::{self, Td3};
use heirloom::nn::{Network, Workspace};
use heirloom::parallel::Pool;
use heirloom::policy::Policy;
use heirloom::rollout::collect::Choice;
use heirloom::rollout::{MakeEnv, evaluate};
use heirloom::seed::Rng;
use heirloom::stop::Stop;
use std::sync::Arc;

/// Shows how much of its eight steps is over where that matters: where time is no part of the task, it is not seen, and the state that a
/// truncation cuts off is one that the critic knows.
struct Corridor {
    spaces: Spaces,
    steps: usize,
    length: usize,
    terminates: bool,
}

impl Corridor {
    fn new(length: usize, terminates: bool) -> Self {
        Self::with_actions(ActionSpace::Discrete(vec!["wait".into(), "stay".into()]), length, terminates)
    }

    fn with_actions(action: ActionSpace, length: usize, terminates: bool) -> Self {
        let spaces = Spaces { observation: vec![Channel::new("share_over", 0.0, 1.0)], action };
        Self { spaces, steps: 0, length, terminates }
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 8")]
fn reading(steps: usize) -> f64 {
    steps as f64 / 8.0
}

impl Env for Corridor {
    fn spaces(&self) -> &Spaces {
        &self.spaces
    }
    fn reset(&mut self, _rng: &mut Rng, observation: &mut [f64]) -> Result<()> {
        self.steps = 0;
        observation[0] = 0.0;
        Ok(())
    }
    fn step(&mut self, _action: Action<'_>, _rng: &mut Rng, observation: &mut [f64]) -> Result<Step> {
        self.steps += 1;
        observation[0] = if self.terminates { reading(self.steps) } else { 0.0 };
        let over = self.steps == self.length;
        Ok(Step { reward: 1.0, terminated: over && self.terminates, truncated: over && !self.terminates })
    }
    fn snapshot(&self, into: &mut Snapshot) {
        into.put_count(self.steps);
    }
    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        self.steps = from.take_count()?;
        Ok(())
    }
    fn scene(&self) -> Scene {
        Scene::default()
    }
}

/// The critic's value of the start after training.
fn value_of_the_start(terminates: bool) -> f32 {
    heirloom::nn::autograd::use_one_thread();
    let make: MakeEnv = Arc::new(move || Ok(Box::new(Corridor::new(8, terminates)) as Box<dyn Env>));
    let config = Config {
        discount: 0.98,
        gae_lambda: 0.9,
        learning_rate: 1e-2,
        steps: 64,
        minibatch: 128,
        epochs: 10,
        max_grad_norm: 10.0,
        ..Config::default()
    };
    let start = Start::fresh(&config, make().unwrap().spaces(), 1).unwrap();
    let updates = 800;
    let mut learner = Ppo::new(config, start, &make, &[], updates * 512, 1, Arc::new(Pool::inline())).unwrap();
    for _ in 0..updates {
        learner.advance(&Stop::new()).unwrap();
    }
    let policy = learner.policy();
    let network = Network::new(&policy.shape, &policy.params);
    let mut workspace = Workspace::new(&policy.shape);
    workspace.input_row(0)[0] = 0.0;
    network.forward(1, &mut workspace);
    workspace.value(0)
}

#[test]
fn ppo_bootstraps_at_truncation_and_not_at_termination() {
    let truncated = value_of_the_start(false);
    assert!((truncated - 50.0).abs() <= 1.0, "{truncated}");
    let terminated = value_of_the_start(true);
    assert!((terminated - 7.46).abs() <= 0.15, "{terminated}");
}

/// Of a learner that replays, the value of the start after so many iterations; its discount is 0.98.
fn replayed<L: Learner>(learner: Result<L>, iterations: usize, value: impl Fn(&L, &[f32]) -> f32) -> f32 {
    let mut learner = learner.unwrap();
    for _ in 0..iterations {
        learner.advance(&Stop::new()).unwrap();
    }
    value(&learner, &[0.0])
}

fn corridor(action: &ActionSpace, terminates: bool) -> MakeEnv {
    let action = action.clone();
    Arc::new(move || Ok(Box::new(Corridor::with_actions(action.clone(), 8, terminates)) as Box<dyn Env>))
}

/// One step ahead and three.
fn bootstraps(value_of_the_start: impl Fn(bool, usize) -> f32) {
    for n_step in [1, 3] {
        let truncated = value_of_the_start(false, n_step);
        assert!((truncated - 50.0).abs() <= 1.0, "{n_step} steps: {truncated}");
        let terminated = value_of_the_start(true, n_step);
        assert!((terminated - 7.46).abs() <= 0.15, "{n_step} steps: {terminated}");
    }
}

/// Without a reward for entropy, which would be part of the value.
#[test]
fn sac_bootstraps_at_truncation_and_not_at_termination() {
    let action = ActionSpace::Continuous(vec![Channel::new("push", -1.0, 1.0)]);
    bootstraps(|terminates, n_step| {
        let config = sac::Config {
            discount: 0.98,
            n_step,
            temperature: sac::Temperature::Fixed(0.0),
            target_rate: 0.05,
            learning_rate: 1e-3,
            actor: vec![32],
            critic: vec![32, 32],
            ..sac::Config::default()
        };
        let learner = Sac::new(config, None, &corridor(&action, terminates), 1, Arc::new(Pool::inline()));
        replayed(learner, 120, Sac::value)
    });
}

#[test]
fn td3_bootstraps_at_truncation_and_not_at_termination() {
    let action = ActionSpace::Continuous(vec![Channel::new("push", -1.0, 1.0)]);
    bootstraps(|terminates, n_step| {
        let config =
            td3::Config { discount: 0.98, n_step, target_rate: 0.1, actor: vec![32], critic: vec![32, 32], ..td3::Config::default() };
        let learner = Td3::new(config, None, &corridor(&action, terminates), 1, Arc::new(Pool::inline()));
        replayed(learner, 120, Td3::value)
    });
}

#[test]
fn dqn_bootstraps_at_truncation_and_not_at_termination() {
    let action = ActionSpace::Discrete(vec!["wait".into(), "stay".into()]);
    for (double, dueling) in [(false, false), (true, true)] {
        bootstraps(|terminates, n_step| {
            let config = dqn::Config {
                discount: 0.98,
                n_step,
                double,
                dueling,
                train_every: 1,
                target_every: 25,
                minibatch: 128,
                learning_rate: 1e-3,
                layers: vec![32, 32],
                ..dqn::Config::default()
            };
            let learner = Dqn::new(config, &corridor(&action, terminates), 12_000, 1, Arc::new(Pool::inline()));
            replayed(learner, 120, Dqn::value)
        });
    }
}

/// Nobody waits for an episode that never ends: it is measured as if a time limit cut it off.
#[test]
fn an_endless_episode_is_cut_off() {
    let make: MakeEnv = Arc::new(|| Ok(Box::new(Corridor::new(usize::MAX, false)) as Box<dyn Env>));
    let start = Start::fresh(&Config::default(), make().unwrap().spaces(), 1).unwrap();
    let learner = Ppo::new(Config::default(), start, &make, &[], 2048, 1, Arc::new(Pool::inline())).unwrap();
    let policy: Policy = learner.policy();
    let episodes = evaluate(&policy, &make, 2, Choice::Mode, 0, &Pool::inline(), &Stop::new()).unwrap();
    assert!(episodes.iter().all(|episode| episode.length == 1_000_000 && episode.total == 1e6), "{episodes:?}");
}
