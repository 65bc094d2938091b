//! Hyper-parameters for simulators whose tasks are known: those of MAML's own run scripts for MuJoCo (Finn et al. 2017, `cbfinn/maml_rl`,
//! `maml_examples/cluster_maml_trpo_cheetah.py` and `..._ant.py`); what differs from them says why.

use super::Config;
use crate::nn::Activation;

/// What is known to work in the tasks of a simulator.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    /// The configuration of MAML; of another method all but the number of inner steps.
    pub config: Config,
    /// Outer iterations after which it has learned.
    pub iterations: u64,
}

/// The configuration for a simulator, by the robot in its name; for one that is not known, that of 2-D navigation.
#[must_use]
pub fn for_environment(simulator: &str) -> Known {
    match simulator.rsplit('/').next().unwrap_or_default() {
        "half_cheetah" | "hopper" | "walker2d" | "swimmer" | "ant" | "humanoid" => Known { config: robot(), iterations: 200 },
        _ => Known { config: Config::default(), iterations: 500 },
    }
}

/// The scripts' networks and tasks per iteration; inner rate, episodes, discount and trust region are those of navigation. They go on for 800
/// iterations, of 320,000 steps each: a quarter of that is what one has the time for.
fn robot() -> Config {
    Config { tasks: 40, hidden: vec![100, 100], activation: Activation::Relu, ..Config::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_configuration_is_possible() {
        for simulator in ["mujoco/half_cheetah", "mujoco/ant", "tasks/navigation"] {
            for_environment(simulator).config.check().unwrap();
        }
    }
}
