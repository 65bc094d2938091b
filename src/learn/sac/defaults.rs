//! Hyper-parameters for environments that are known: rl-baselines3-zoo's `sac.yml` (Raffin 2020); what differs from it says why.

use super::Config;

/// What is known to work in an environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The configuration.
    pub config: Config,
    /// Environment steps after which it has learned.
    pub steps: u64,
}

/// The configuration for a simulator, by the task in its name; for one that is not known, zoo's for MuJoCo.
#[must_use]
pub fn for_environment(simulator: &str) -> Known {
    match simulator.rsplit('/').next().unwrap_or_default() {
        "pendulum" => Known { config: pendulum(), steps: 20_000 },
        "mountain_car_continuous" => Known { config: mountain_car_continuous(), steps: 50_000 },
        _ => Known { config: Config { warm_up: 10_000, ..Config::default() }, steps: 1_000_000 },
    }
}

/// Zoo's.
fn pendulum() -> Config {
    Config { learning_rate: 1e-3, ..Config::default() }
}

/// Zoo's, but for its state-dependent exploration (gSDE): noise that is held for 16 steps takes its place.
fn mountain_car_continuous() -> Config {
    Config {
        warm_up: 1_000,
        train_every: 32,
        updates: 32,
        buffer: 50_000,
        minibatch: 512,
        discount: 0.9999,
        target_rate: 0.01,
        temperature: super::Temperature::Fixed(0.1),
        actor: vec![64, 64],
        critic: vec![64, 64],
        hold_noise: 16,
        ..Config::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_is_possible() {
        for task in ["pendulum", "mountain_car_continuous", "half_cheetah"] {
            for_environment(&format!("classic/{task}")).config.check().unwrap();
        }
    }
}
