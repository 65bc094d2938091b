"""Records data sets with the real packages, for tests/demo_exchange.rs.

usage: record.py

Needs minari 0.5.4 with h5py 3.16.0 and pillow, gymnasium 1.4.0 and numpy 2.4.6:
`pip install "minari[hdf5]==0.5.4" "gymnasium[mujoco]==1.4.0" mujoco==3.17.0 numpy==2.4.6`. Rewrites data/ beside this script:

    minari/cartpole/random-v0    two episodes of CartPole-v1 with `infos` of the reset and of each step, two numbers at once among them
    minari/pendulum/random-v0    one episode of Pendulum-v1, cut by time, without `infos`
    minari/half_cheetah, hopper  what Minari's `mujoco/*` sets are made of: HalfCheetah-v5 cut after 50 steps, three falls of Hopper-v5
    cartpole.npz                 the same two episodes, flat, as D4RL writes them: float32, terminals, timeouts, next_observations
    starts.npz                   the same under the short names of imitation: obs, acts, rews, dones, episode_starts; in Fortran's order
    expected.json                steps, returns, ends, and the sums of all numbers, each as float.hex
"""

import json
import os
import pathlib
import shutil
import tempfile
import warnings

import gymnasium
import h5py
import minari
import numpy as np
from minari.data_collector import EpisodeBuffer

PINNED = {
    "minari": ("0.5.4", minari.__version__),
    "h5py": ("3.16.0", h5py.__version__),
    "gymnasium": ("1.4.0", gymnasium.__version__),
    "numpy": ("2.4.6", np.__version__),
}


def episode(env, number, rng):
    observation, _ = env.reset(seed=100 + number)
    observations, actions, rewards, terminations, truncations, noise = [observation], [], [], [], [], [0.0]
    while not (terminations and (terminations[-1] or truncations[-1])):
        if isinstance(env.action_space, gymnasium.spaces.Discrete):
            action = int(rng.integers(env.action_space.n))
        else:
            action = rng.uniform(env.action_space.low, env.action_space.high).astype(np.float32)
        observation, reward, terminated, truncated, _ = env.step(action)
        observations.append(observation)
        actions.append(action)
        rewards.append(float(reward))
        terminations.append(bool(terminated))
        truncations.append(bool(truncated))
        noise.append(float(rng.normal()))
    infos = {"noise": np.array(noise), "pair": np.zeros((len(noise), 2))}
    if env.spec.id == "Pendulum-v1":
        infos = None
    return EpisodeBuffer(id=number, seed=100 + number, observations=observations, actions=actions, rewards=rewards,
                         terminations=terminations, truncations=truncations, infos=infos)


def expected(buffers):
    total = lambda values: float(np.asarray(values, dtype=np.float64).sum()).hex()
    return [{
        "steps": len(buffer),
        "return": total(buffer.rewards),
        "terminated": buffer.terminations[-1],
        "truncated": buffer.truncations[-1],
        "first": [float(value).hex() for value in buffer.observations[0]],
        "last": [float(value).hex() for value in buffer.observations[-1]],
        "actions": total(buffer.actions),
        "observations": total(buffer.observations),
        "noise": total(buffer.infos["noise"][1:]) if buffer.infos else None,
    } for buffer in buffers]


def main():
    for name, (wanted, found) in PINNED.items():
        assert wanted == found, f"{name} {wanted} is pinned, {found} is here"
    warnings.simplefilter("ignore")
    data = pathlib.Path(__file__).parent / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir()
    rng = np.random.default_rng(7)
    told = {}
    with tempfile.TemporaryDirectory() as root:
        os.environ["MINARI_DATASETS_PATH"] = root
        sets = [("CartPole-v1", "cartpole", 2), ("Pendulum-v1", "pendulum", 1), ("HalfCheetah-v5", "half_cheetah", 2), ("Hopper-v5", "hopper", 3)]
        for id, name, count in sets:
            env = gymnasium.make(id, max_episode_steps=50) if name == "half_cheetah" else gymnasium.make(id)
            buffers = [episode(env, number, rng) for number in range(count)]
            minari.create_dataset_from_buffers(f"{name}/random-v0", buffers, env=env, algorithm_name="random", author="heirloom",
                                               author_email="none", code_permalink="tests/golden/minari/record.py", description="golden")
            told[name] = expected(buffers)
            if name == "cartpole":
                flat = buffers
        for _, name, _ in sets:
            shutil.copytree(pathlib.Path(root) / name / "random-v0", data / "minari" / name / "random-v0")
    rows = lambda of: np.concatenate([np.asarray(of(buffer)) for buffer in flat])
    observations, after = rows(lambda b: b.observations[:-1]), rows(lambda b: b.observations[1:])
    actions, rewards = rows(lambda b: b.actions), rows(lambda b: b.rewards)
    terminals, timeouts = rows(lambda b: b.terminations), rows(lambda b: b.truncations)
    starts = rows(lambda b: [True] + [False] * (len(b) - 1))
    np.savez_compressed(data / "cartpole.npz", observations=observations, actions=actions, rewards=rewards.astype(np.float32),
                        terminals=terminals, timeouts=timeouts, next_observations=after, **{"infos/noise": rows(lambda b: b.infos["noise"][1:])})
    np.savez(data / "starts.npz", obs=np.asfortranarray(observations), acts=actions[:, None].astype(np.int8), rews=rewards,
             dones=terminals | timeouts, episode_starts=starts, note=np.array("text"))
    json.dump(told, open(data / "expected.json", "w"), indent=1)


if __name__ == "__main__":
    main()
