"""Records what Gymnasium's classic control tasks do, for tests/gymnasium_parity.rs.

usage: record.py [--out DIR] [--rows N] [--seed N]

Needs gymnasium 1.4.0 and numpy 2.4.6 (`pip install gymnasium==1.4.0 numpy==2.4.6`). Without options it rewrites the committed files
in data/ beside this script: 2,000 single steps for each task. The long form is

    record.py --rows 200000 --out /tmp/golden
    HEIRLOOM_GOLDEN=/tmp/golden cargo test --release --test gymnasium_parity -- --nocapture

Files of a task, little-endian, row after row; manifest.json names their columns, types and digests:

    TASK.steps     single steps from states that were set: on the way of a random policy, and far from any policy's way
    TASK.episodes  an episode of each controller (ten of each in the long form): a row of step 0 is the start, every other one an
                   action and what came of it
    TASK.resets    10,000 start states, each component sorted by itself (its law is all that they are compared by)

Numbers are Gymnasium's own internal state, in the precision it has there, and not the observation, which it rounds to single precision.
A column `single` is 1 where that state was kept in single precision (MountainCarContinuous after its first step). `elapsed` is how many
steps the episode had before a single step; `truncated` is what Gymnasium's TimeLimit says, whether or not `terminated` says so too.
"""

import argparse
import hashlib
import json
import math
import pathlib
import warnings

import gymnasium
import numpy as np

PINNED = {"gymnasium": ("1.4.0", gymnasium.__version__), "numpy": ("2.4.6", np.__version__)}
RESETS = 10_000
COUNTS = {"elapsed", "single", "terminated", "truncated", "episode", "step"}
NUMPY = {"f64": "<f8", "f32": "<f4", "u16": "<u2"}


class Task:
    """A Gymnasium task whose state can be set. `limit` is the last step of an episode."""

    def __init__(self, name, id, components, limit):
        self.name, self.components, self.limit = name, components, limit
        # The passive checker refuses double-precision actions; everything else stays as `gymnasium.make` lays it.
        self.env = gymnasium.make(id, disable_env_checker=True)
        self.inner = self.env.unwrapped
        self.continuous = isinstance(self.env.action_space, gymnasium.spaces.Box)
        assert self.env.spec.max_episode_steps == limit

    def start(self, rng):
        self.env.reset(seed=int(rng.integers(2**31)))
        return self.state()

    def state(self):
        return [float(component) for component in self.inner.state]

    def is_single(self):
        return float(getattr(self.inner.state, "dtype", np.float64) == np.float32)

    def set(self, state, single=0.0, elapsed=0):
        self.env.reset(seed=0)
        self.inner.state = np.array(state, dtype=np.float32 if single else np.float64)
        self.env._elapsed_steps = elapsed  # gymnasium.make's outermost wrapper is TimeLimit

    def step(self, action):
        given = np.array([action], dtype=np.float64) if self.continuous else int(action)
        _, reward, terminated, truncated, _ = self.env.step(given)
        return [float(reward), float(terminated), float(truncated)]

    def random_action(self, rng):
        """Mostly within the bounds; of continuous ones every fifth is outside or on them."""
        if not self.continuous:
            return float(rng.integers(self.env.action_space.n))
        bound = float(self.env.action_space.high[0])
        if rng.random() < 0.8:
            return rng.uniform(-bound, bound)
        return float(rng.choice([-bound, bound, 0.0, rng.uniform(-3 * bound, 3 * bound)]))

    # What differs between tasks: states off the beaten track, and controllers for the episodes.

    def far_state(self, rng):
        x = rng.uniform
        if self.name == "cartpole":
            return [x(-2.6, 2.6), 2 * rng.normal(), x(-0.25, 0.25), 3 * rng.normal()]
        if self.name == "pendulum":
            return [x(-20, 20), x(-8, 8)]
        if self.name == "acrobot":
            return [x(-math.pi, math.pi), x(-math.pi, math.pi), x(-4 * math.pi, 4 * math.pi), x(-9 * math.pi, 9 * math.pi)]
        return [x(-1.2, 0.6), x(-0.07, 0.07)]

    def balance(self, rng):
        """Keeps the pole up, the car in the valley, the links hanging."""
        if self.name == "cartpole":
            position, velocity, angle, turning = self.state()
            return float(angle + 0.3 * turning + 0.02 * position + 0.05 * velocity + 0.01 * rng.normal() > 0)
        if self.name == "acrobot":
            return 1.0 if rng.random() < 0.9 else 1.0 - float(np.sign(self.state()[3]))
        if self.name == "mountain_car":
            return 1.0 - float(np.sign(self.state()[1])) if rng.random() < 0.5 else 1.0
        return 0.3 * rng.normal()

    def pump(self, rng):
        """Puts energy in: reaches the goal, or turns over."""
        if self.name == "acrobot":
            return 1.0 + float(np.sign(self.state()[3]))
        speed = self.state()[1]
        push = float(np.sign(speed)) if speed else 1.0
        if self.name == "mountain_car":
            return 1.0 + push
        return push * float(self.env.action_space.high[0]) * rng.uniform(0.7, 1.2) if self.continuous else float(rng.integers(2))


def single_steps(task, rows, rng):
    """Two of three rows on the way of a random policy, one far from it; the step limit is near in every tenth."""
    table, running = [], False
    while len(table) < rows:
        far = len(table) % 3 == 2
        if far:
            state = task.far_state(rng)
            single = float(task.name == "mountain_car_continuous" and rng.random() < 0.9)
            if single:
                state = [float(np.float32(component)) for component in state]
        else:
            if not running or len(table) % 3 == 0 and rng.random() < 0.02:
                walk, walk_single = task.start(rng), task.is_single()
                running = True
            state, single = walk, walk_single
        elapsed = int(rng.integers(task.limit - 3, task.limit)) if rng.random() < 0.1 else int(rng.integers(task.limit))
        task.set(state, single, elapsed)
        action = task.random_action(rng)
        outcome = task.step(action)
        table.append([elapsed, *state, single, action, *task.state(), *outcome])
        if not far:
            walk, walk_single, running = task.state(), task.is_single(), not outcome[1]
    columns = ["elapsed", *task.components, "single", "action", *(f"next_{name}" for name in task.components)]
    return columns + ["reward", "terminated", "truncated"], table


def episodes(task, repeats, rng):
    """From a reset to the end that Gymnasium gives them."""
    table = []
    for index, controller in enumerate(repeats * [task.random_action, task.balance, task.pump]):
        state = task.start(rng)
        table.append([index, 0, 0.0, *state, 0.0, 0.0, 0.0])
        for step in range(1, task.limit + 1):
            action = controller(rng)
            outcome = task.step(action)
            table.append([index, step, action, *task.state(), *outcome])
            if outcome[1] or outcome[2]:
                break
    return ["episode", "step", "action", *task.components, "reward", "terminated", "truncated"], table


def resets(task, rng):
    starts = np.array([task.start(rng) for _ in range(RESETS)])
    return list(task.components), np.sort(starts, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "data")
    parser.add_argument("--rows", type=int, default=2_000, help="single steps for each task (default: 2000)")
    parser.add_argument("--seed", type=int, default=20261125)
    arguments = parser.parse_args()
    for package, (pinned, found) in PINNED.items():
        if found != pinned:
            parser.error(f"{package} {pinned} is pinned, this is {found}")
    warnings.simplefilter("ignore")
    arguments.out.mkdir(parents=True, exist_ok=True)
    files = {}
    tasks = [
        Task("cartpole", "CartPole-v1", ["position", "velocity", "angle", "angular_velocity"], 500),
        Task("mountain_car", "MountainCar-v0", ["position", "velocity"], 200),
        Task("mountain_car_continuous", "MountainCarContinuous-v0", ["position", "velocity"], 999),
        Task("pendulum", "Pendulum-v1", ["angle", "angular_velocity"], 200),
        Task("acrobot", "Acrobot-v1", ["angle_1", "angle_2", "angular_velocity_1", "angular_velocity_2"], 500),
    ]
    for number, task in enumerate(tasks):
        parts = {
            "steps": single_steps(task, arguments.rows, np.random.default_rng([arguments.seed, number, 0])),
            "episodes": episodes(task, max(1, arguments.rows // 20_000), np.random.default_rng([arguments.seed, number, 1])),
            "resets": resets(task, np.random.default_rng([arguments.seed, number, 2])),
        }
        for part, (columns, table) in parts.items():
            types = {name: "f32" if part == "resets" else "u16" if name in COUNTS else "f64" for name in columns}
            layout = np.dtype([(name, NUMPY[type]) for name, type in types.items()])
            content = np.array([tuple(row) for row in table], dtype=layout).tobytes()
            (arguments.out / f"{task.name}.{part}").write_bytes(content)
            digest = hashlib.sha256(content).hexdigest()
            files[f"{task.name}.{part}"] = {"columns": list(types.items()), "rows": len(table), "sha256": digest}
            print(f"{task.name}.{part}: {len(table)} rows, {len(content)} bytes")
    lines = ",\n".join(f"  {json.dumps(name)}: {json.dumps(file)}" for name, file in files.items())
    header = json.dumps({"gymnasium": gymnasium.__version__, "numpy": np.__version__, "seed": arguments.seed})
    (arguments.out / "manifest.json").write_text(f'{header[:-1]}, "files": {{\n{lines}\n}}}}\n')


if __name__ == "__main__":
    main()
