//! Hyper-parameters for environments that are known: rl-baselines3-zoo's `dqn.yml` (Raffin 2020); what differs from it says why.

use super::Config;
use crate::learn::Schedule;

/// What is known to work in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The configuration.
    pub config: Config,
    /// Environment steps after which it has learned.
    pub steps: u64,
}

/// The configuration for a simulator, by the task in its name; for one that is not known, zoo's for LunarLander.
#[must_use]
pub fn for_environment(simulator: &str) -> Known {
    match simulator.rsplit('/').next().unwrap_or_default() {
        "cartpole" => Known { config: cartpole(), steps: 50_000 },
        "mountain_car" => Known { config: mountain_car(), steps: 120_000 },
        "acrobot" => Known { config: Config { final_epsilon: 0.1, ..unknown() }, steps: 100_000 },
        _ => Known { config: unknown(), steps: 100_000 },
    }
}

/// Zoo's, but for double Q-learning, a learning rate that falls, and five steps. The target becomes what was learned some 190 times in the whole run, and
/// each time sees what comes one step further ahead: with single steps, what leads to a fall a hundred steps later is hardly learned, and
/// the last policy is a matter of luck (70 to 500).
fn cartpole() -> Config {
    Config {
        double: true,
        n_step: 5,
        learning_rate_schedule: Schedule::Linear,
        steps: 500,
        warm_up: 1_000,
        train_every: 256,
        updates: 128,
        target_every: 10,
        buffer: 100_000,
        minibatch: 64,
        learning_rate: 2.3e-3,
        exploration_fraction: 0.16,
        final_epsilon: 0.04,
        ..Config::default()
    }
}

/// Zoo's, with the same three differences, for the same reason: the target changes 200 times, and the flag is a hundred steps away.
fn mountain_car() -> Config {
    Config {
        double: true,
        n_step: 5,
        learning_rate_schedule: Schedule::Linear,
        warm_up: 1_000,
        train_every: 16,
        updates: 8,
        target_every: 600,
        buffer: 10_000,
        minibatch: 128,
        learning_rate: 4e-3,
        discount: 0.98,
        exploration_fraction: 0.2,
        final_epsilon: 0.07,
        ..Config::default()
    }
}

/// Zoo's.
fn unknown() -> Config {
    Config {
        warm_up: 128,
        train_every: 4,
        updates: 4,
        target_every: 250,
        buffer: 50_000,
        minibatch: 128,
        learning_rate: 6.3e-4,
        exploration_fraction: 0.12,
        final_epsilon: 0.1,
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_is_possible() {
        for task in ["cartpole", "mountain_car", "acrobot", "lander"] {
            for_environment(&format!("classic/{task}")).config.check().unwrap();
        }
    }
}
