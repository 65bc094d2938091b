"""Environments that show their state as it is: what can be compared bit for bit. CartPole-v1 shows it in f64, where Gymnasium's rounds it to f32."""

import gymnasium
import numpy
from gymnasium.envs.classic_control.cartpole import CartPoleEnv


class Exact(CartPoleEnv):
    def __init__(self):
        super().__init__()
        high = self.observation_space.high.astype(numpy.float64)
        self.observation_space = gymnasium.spaces.Box(-high, high, dtype=numpy.float64)

    def reset(self, seed=None, options=None):
        super().reset(seed=seed, options=options)
        return numpy.array(self.state, dtype=numpy.float64), {}

    def step(self, action):
        _, reward, terminated, truncated, info = super().step(action)
        return numpy.array(self.state, dtype=numpy.float64), reward, terminated, truncated, info


gymnasium.register("ExactCartPole-v1", entry_point=Exact, max_episode_steps=500)


def shows_its_state(robot):
    """A robot that shows MuJoCo's whole state behind what it usually shows, and where it is: what an episode of ours can begin with."""
    import mujoco

    class Shown(robot):
        def __init__(self, **arguments):
            super().__init__(**arguments)
            self.size = mujoco.mj_stateSize(self.model, mujoco.mjtState.mjSTATE_INTEGRATION)
            shown = self.observation_space.shape[0] + self.size + 2
            self.observation_space = gymnasium.spaces.Box(-numpy.inf, numpy.inf, (shown,), numpy.float64)

        def whole(self, observation):
            state = numpy.zeros(self.size)
            mujoco.mj_getState(self.model, self.data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
            return numpy.concatenate([observation, state, [self.data.qpos[0], 0.0]])

        def reset(self, **arguments):
            observation, info = super().reset(**arguments)
            return self.whole(observation), info

        def step(self, action):
            observation, *rest = super().step(action)
            return self.whole(observation), *rest

    return Shown


def register_robots():
    from gymnasium.envs.mujoco.half_cheetah_v5 import HalfCheetahEnv
    from gymnasium.envs.mujoco.hopper_v5 import HopperEnv
    from gymnasium.envs.mujoco.walker2d_v5 import Walker2dEnv

    for name, robot in [("HalfCheetah", HalfCheetahEnv), ("Hopper", HopperEnv), ("Walker2d", Walker2dEnv)]:
        gymnasium.register(f"Exact{name}-v5", entry_point=shows_its_state(robot), max_episode_steps=1000)


register_robots()
