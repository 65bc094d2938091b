"""CartPole-v1 whose observation is its state as it is, in f64, where Gymnasium's is rounded to f32: what can be compared bit for bit."""

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
