//! Hyper-parameters for environments that are known: rl-baselines3-zoo's `td3.yml` (Raffin 2020).

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
        _ => Known { config: Config { warm_up: 10_000, ..Config::default() }, steps: 1_000_000 },
    }
}

/// Zoo's.
fn pendulum() -> Config {
    Config { warm_up: 10_000, buffer: 200_000, discount: 0.98, ..Config::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_is_possible() {
        for task in ["pendulum", "half_cheetah"] {
            for_environment(&format!("classic/{task}")).config.check().unwrap();
        }
    }
}
