"""Records Gymnasium's v5 robots for tests/mujoco.rs: 1,000 steps each, episode after episode.

    python3 -m venv venv && venv/bin/pip install 'gymnasium[mujoco]==1.4.0' mujoco==3.17.0 numpy==2.4.6
    venv/bin/python record.py

data/NAME.f64 holds little-endian doubles: E, the number of episodes; of each its number of steps, its start (mjSTATE_INTEGRATION) and
where the robot was (x, y); then of each step reward, terminated and 48 bits of a hash of its observation's bytes (FNV-1a); then the
observations of the first 3 steps of the first 8 episodes. Actions are drawn from splitmix64, uniform between the bounds.
"""

import pathlib

import gymnasium
import mujoco
import numpy as np
from gymnasium.envs.mujoco.humanoid_v5 import mass_center

assert (gymnasium.__version__, mujoco.__version__) == ("1.4.0", "3.17.0")

STEPS, SHOWN_EPISODES, SHOWN_STEPS = 1000, 8, 3
ENVIRONMENTS = {
    "half_cheetah": "HalfCheetah-v5",
    "hopper": "Hopper-v5",
    "walker2d": "Walker2d-v5",
    "ant": "Ant-v5",
    "swimmer": "Swimmer-v5",
    "humanoid": "Humanoid-v5",
    "inverted_pendulum": "InvertedPendulum-v5",
    "inverted_double_pendulum": "InvertedDoublePendulum-v5",
    "reacher": "Reacher-v5",
    "pusher": "Pusher-v5",
}
MASK = (1 << 64) - 1


class Stream:
    """splitmix64, as tests/golden/mod.rs has it."""

    def __init__(self, seed):
        self.state = seed

    def number(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        return np.float32((z >> 11) * 2.0**-53 * 2.0 - 1.0)


def fingerprint(observation):
    value = 0xCBF29CE484222325
    for byte in observation.astype("<f8").tobytes():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return float(value & ((1 << 48) - 1))


def place(name, env):
    if name == "ant":
        return list(env.data.body(1).xpos[:2])
    if name == "humanoid":
        return list(mass_center(env.model, env.data))
    if name == "swimmer":
        return list(env.data.qpos[:2])
    if name in ("half_cheetah", "hopper", "walker2d"):
        return [env.data.qpos[0], 0.0]
    return [0.0, 0.0]


for name, gymnasium_id in ENVIRONMENTS.items():
    env = gymnasium.make(gymnasium_id)
    inner, limit = env.unwrapped, env.spec.max_episode_steps
    stream = Stream(len(name))
    size = mujoco.mj_stateSize(inner.model, mujoco.mjtState.mjSTATE_INTEGRATION)
    episodes, rows, shown, done = [], [], [], True
    for _ in range(STEPS):
        if done:
            observation, _ = env.reset(seed=len(episodes))
            state = np.empty(size)
            mujoco.mj_getState(inner.model, inner.data, state, mujoco.mjtState.mjSTATE_INTEGRATION)
            episodes.append([0, *state, *place(name, inner)])
        low, high = env.action_space.low, env.action_space.high
        action = np.array([stream.number() for _ in low], dtype=np.float32) * high
        observation, reward, terminated, truncated, _ = env.step(action)
        done = terminated or truncated
        episodes[-1][0] += 1
        rows.append([reward, terminated, fingerprint(observation)])
        if len(episodes) <= SHOWN_EPISODES and episodes[-1][0] <= SHOWN_STEPS:
            shown.append(observation)
    numbers = [[len(episodes)], *episodes, *rows, *shown]
    data = np.concatenate([np.asarray(part, dtype="<f8") for part in numbers])
    (pathlib.Path(__file__).parent / "data" / f"{name}.f64").write_bytes(data.tobytes())
    print(f"{name}: {len(episodes)} episodes, {observation.size} channels, {8 * data.size} bytes")
