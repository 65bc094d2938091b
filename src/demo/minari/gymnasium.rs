//! Which of our environments are Gymnasium's, unchanged.

use crate::env::{Registry, Spec};

/// A task of Gymnasium 1.4.0 that we have, as `gymnasium.spec(id)` describes it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Task {
    pub(super) id: &'static str,
    /// Our short name.
    pub(super) environment: &'static str,
    simulator: &'static str,
    module: &'static str,
    class: &'static str,
    vector_class: Option<&'static str>,
    reward_threshold: Option<f64>,
    limit: usize,
}

const TASKS: [Task; 6] = [
    Task { id: "CartPole-v1", environment: "cartpole", reward_threshold: Some(475.0), limit: 500, ..CARTPOLE },
    CARTPOLE,
    Task {
        id: "Acrobot-v1",
        environment: "acrobot",
        simulator: "classic/acrobot",
        module: "acrobot",
        class: "AcrobotEnv",
        vector_class: None,
        reward_threshold: Some(-100.0),
        limit: 500,
    },
    Task {
        id: "MountainCar-v0",
        environment: "mountain_car",
        simulator: "classic/mountain_car",
        module: "mountain_car",
        class: "MountainCarEnv",
        vector_class: None,
        reward_threshold: Some(-110.0),
        limit: 200,
    },
    Task {
        id: "MountainCarContinuous-v0",
        environment: "mountain_car_continuous",
        simulator: "classic/mountain_car_continuous",
        module: "continuous_mountain_car",
        class: "Continuous_MountainCarEnv",
        vector_class: None,
        reward_threshold: Some(90.0),
        limit: 999,
    },
    Task {
        id: "Pendulum-v1",
        environment: "pendulum",
        simulator: "classic/pendulum",
        module: "pendulum",
        class: "PendulumEnv",
        vector_class: None,
        reward_threshold: None,
        limit: 200,
    },
];

const CARTPOLE: Task = Task {
    id: "CartPole-v0",
    environment: "cartpole_v0",
    simulator: "classic/cartpole",
    module: "cartpole",
    class: "CartPoleEnv",
    vector_class: Some("CartPoleVectorEnv"),
    reward_threshold: Some(195.0),
    limit: 200,
};

impl Task {
    /// The task of this id.
    pub(super) fn named(id: &str) -> Option<Self> {
        TASKS.into_iter().find(|task| task.id == id)
    }

    /// The task that an environment is, if it is one unchanged.
    pub(super) fn of(registry: &Registry, spec: &Spec) -> Option<Self> {
        TASKS.into_iter().find(|task| task.is(registry, spec))
    }

    /// Whether an environment is this task, unchanged, under whatever name.
    pub(super) fn is(&self, registry: &Registry, spec: &Spec) -> bool {
        let plain = registry.simulator(self.simulator).map(|simulator| Spec::of_simulator(simulator));
        plain.is_ok_and(|plain| Spec { max_episode_steps: Some(self.limit), ..plain }.digest() == spec.digest())
    }

    /// What `gymnasium.spec(id).to_json()` gives.
    pub(super) fn to_json(self) -> String {
        let class = |class: &str| format!("gymnasium.envs.classic_control.{}:{class}", self.module);
        let json = serde_json::json!({
            "id": self.id,
            "entry_point": class(self.class),
            "reward_threshold": self.reward_threshold,
            "nondeterministic": false,
            "max_episode_steps": self.limit,
            "order_enforce": true,
            "disable_env_checker": false,
            "kwargs": {},
            "additional_wrappers": [],
            "vector_entry_point": self.vector_class.map(class),
        });
        json.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_gymnasiums_until_something_is_changed() {
        let registry = Registry::standard();
        for task in TASKS {
            let mut spec = registry.resolve(task.environment).unwrap();
            assert_eq!(Task::of(&registry, &spec), Some(task));
            spec.max_episode_steps = Some(77);
            assert_eq!(Task::of(&registry, &spec), None);
        }
        for changed in ["cartpole_moon", "pendulum_heavy", "cartpole_no_velocities", "gym_rs_cartpole"] {
            assert_eq!(Task::of(&registry, &registry.resolve(changed).unwrap()), None, "{changed}");
        }
    }
}
