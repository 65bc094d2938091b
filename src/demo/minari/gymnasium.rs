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

const TASKS: [Task; 16] = [
    Task { id: "CartPole-v1", environment: "cartpole", reward_threshold: Some(475.0), limit: 500, ..CARTPOLE },
    CARTPOLE,
    Task {
        id: "Acrobot-v1",
        environment: "acrobot",
        simulator: "classic/acrobot",
        module: "classic_control.acrobot",
        class: "AcrobotEnv",
        vector_class: None,
        reward_threshold: Some(-100.0),
        limit: 500,
    },
    Task {
        id: "MountainCar-v0",
        environment: "mountain_car",
        simulator: "classic/mountain_car",
        module: "classic_control.mountain_car",
        class: "MountainCarEnv",
        vector_class: None,
        reward_threshold: Some(-110.0),
        limit: 200,
    },
    Task {
        id: "MountainCarContinuous-v0",
        environment: "mountain_car_continuous",
        simulator: "classic/mountain_car_continuous",
        module: "classic_control.continuous_mountain_car",
        class: "Continuous_MountainCarEnv",
        vector_class: None,
        reward_threshold: Some(90.0),
        limit: 999,
    },
    Task {
        id: "Pendulum-v1",
        environment: "pendulum",
        simulator: "classic/pendulum",
        module: "classic_control.pendulum",
        class: "PendulumEnv",
        vector_class: None,
        reward_threshold: None,
        limit: 200,
    },
    robot("HalfCheetah-v5", "half_cheetah", "mujoco/half_cheetah", ["mujoco.half_cheetah_v5", "HalfCheetahEnv"], Some(4800.0), 1000),
    robot("Hopper-v5", "hopper", "mujoco/hopper", ["mujoco.hopper_v5", "HopperEnv"], Some(3800.0), 1000),
    robot("Walker2d-v5", "walker2d", "mujoco/walker2d", ["mujoco.walker2d_v5", "Walker2dEnv"], None, 1000),
    robot("Ant-v5", "ant", "mujoco/ant", ["mujoco.ant_v5", "AntEnv"], Some(6000.0), 1000),
    robot("Swimmer-v5", "swimmer", "mujoco/swimmer", ["mujoco.swimmer_v5", "SwimmerEnv"], Some(360.0), 1000),
    robot("Humanoid-v5", "humanoid", "mujoco/humanoid", ["mujoco.humanoid_v5", "HumanoidEnv"], None, 1000),
    robot(
        "InvertedPendulum-v5",
        "inverted_pendulum",
        "mujoco/inverted_pendulum",
        ["mujoco.inverted_pendulum_v5", "InvertedPendulumEnv"],
        Some(950.0),
        1000,
    ),
    robot(
        "InvertedDoublePendulum-v5",
        "inverted_double_pendulum",
        "mujoco/inverted_double_pendulum",
        ["mujoco.inverted_double_pendulum_v5", "InvertedDoublePendulumEnv"],
        Some(9100.0),
        1000,
    ),
    robot("Reacher-v5", "reacher", "mujoco/reacher", ["mujoco.reacher_v5", "ReacherEnv"], Some(-3.75), 50),
    robot("Pusher-v5", "pusher", "mujoco/pusher", ["mujoco.pusher_v5", "PusherEnv"], Some(0.0), 100),
];

const fn robot(
    id: &'static str,
    environment: &'static str,
    simulator: &'static str,
    [module, class]: [&'static str; 2],
    reward_threshold: Option<f64>,
    limit: usize,
) -> Task {
    Task { id, environment, simulator, module, class, vector_class: None, reward_threshold, limit }
}

const CARTPOLE: Task = Task {
    id: "CartPole-v0",
    environment: "cartpole_v0",
    simulator: "classic/cartpole",
    module: "classic_control.cartpole",
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
        let class = |class: &str| format!("gymnasium.envs.{}:{class}", self.module);
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
