"""A pretended Gymnasium: environments that are small, and that fail in every way that a test asks for."""

import importlib
import math
import os
import random
import signal
import struct
import subprocess
import sys
import time

import numpy

from . import spaces

__version__ = "0.0.0-pretended"


def bridge():
    """The names of the bridge's loop: the wire, and the number of the message that it works on."""
    frame = sys._getframe()
    while "wire" not in frame.f_locals:
        frame = frame.f_back
    return frame.f_locals["wire"], frame.f_locals["sequence"]


def fail(how):
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(600)
    elif how == "exit":
        os._exit(0)
    elif how == "hang":
        time.sleep(600)
    elif how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif how == "half":
        wire, sequence = bridge()
        os.write(wire, struct.pack("<QI", sequence, 0))
        time.sleep(600)
    elif how == "garbage":
        os.write(bridge()[0], b"\xff" * 64)
    elif how == "length":
        wire, sequence = bridge()
        os.write(wire, struct.pack("<QII", sequence, 0, 2**32 - 1))
    elif how == "double":
        wire, sequence = bridge()
        os.write(wire, struct.pack("<QII", sequence, 0, 0))
    elif how == "late":
        wire, sequence = bridge()
        os.write(wire, struct.pack("<QII", sequence - 1, 0, 0))
    elif how == "flood":
        for _ in range(500):
            os.write(2, b"0123456789" * 10_000 + b"\n")
    elif how == "grandchild":
        wire, _ = bridge()
        os.set_inheritable(wire, True)
        subprocess.Popen(["sleep", os.environ["HEIRLOOM_MARK"]], close_fds=False)
        os._exit(0)
    elif how == "raise":
        raise ValueError("the robot\x1b[31m fell over")


def once(marker):
    """Whether nobody was here before."""
    if marker is None:
        return True
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
        return True
    except FileExistsError:
        return False


if os.environ.get("HEIRLOOM_FAIL_AT_START") and once(os.environ.get("HEIRLOOM_ONCE")):
    fail(os.environ["HEIRLOOM_FAIL_AT_START"])


class Walk:
    """A point on a line that is pushed left or right; the seed says where it begins."""

    resets = 0  # of all of them

    def __init__(self, fault=None, phase="step", at=5, marker=None, force=0.1, limit=20, forget_seed=False, after=0):
        self.fault, self.phase, self.at, self.marker, self.force, self.limit = fault, phase, at, marker, force, limit
        self.after, self.forget_seed, self.gravity, self.model = after, forget_seed, 0.0, {"mass": [1.0, 2.0]}
        self.observation_space = spaces.Box(-math.inf, math.inf, (2,))
        self.action_space = spaces.Discrete(2)
        self.calls = 0
        print("a library that prints")

    @property
    def unwrapped(self):
        return self

    def may_fail(self, phase):
        self.calls += phase == "step"
        Walk.resets += phase == "reset"
        late = {"step": self.calls == self.at, "reset": Walk.resets > self.after}.get(phase, True)
        due = phase == self.phase and late
        if self.fault and due and once(self.marker):
            fail(self.fault)
            return self.fault
        return None

    def seen(self, failed=None):
        values = [self.x, self.v]
        if failed == "shape":
            return numpy.ndarray([*values, 0.0], (3,), numpy.float32)
        if failed == "nan":
            return numpy.ndarray([math.nan, 0.0], (2,), numpy.float32)
        if failed == "type":
            return numpy.ndarray(["a", "b"], (2,), numpy.text)
        return numpy.ndarray(values, (2,), numpy.float32)

    def reset(self, seed=None):
        self.random = random.Random(None if self.forget_seed else seed)
        self.x, self.v, self.steps = self.random.uniform(-1, 1), 0.0, 0
        return self.seen(self.may_fail("reset")), {}

    def step(self, action):
        failed = self.may_fail("step")
        self.steps += 1
        self.v += (self.force if action == 1 else -self.force) - self.gravity * self.model["mass"][1] + self.random.gauss(0, 0.01)
        self.x += self.v
        return self.seen(failed), -abs(self.x), abs(self.x) > 5, self.steps >= self.limit, {}

    def close(self):
        self.may_fail("close")


class Everything:
    """Spaces of every kind."""

    def __init__(self, action="multi", text=False):
        parts = {
            "arm": spaces.Box(-1.0, 1.0, (2, 2), numpy.float64),
            "goal": spaces.Tuple([spaces.Discrete(3, start=1), spaces.MultiBinary(2)]),
            "wheel": spaces.MultiDiscrete([2, 3]),
        }
        self.observation_space = spaces.Dict({**parts, "mission": spaces.Text()} if text else parts)
        self.action_space = {
            "multi": spaces.MultiDiscrete([2, 3]),
            "binary": spaces.MultiBinary(2),
            "many": spaces.MultiDiscrete([100, 100]),
            "box": spaces.Box(-2.0, 2.0, (1, 2)),
            "text": spaces.Text(),
        }[action]
        self.unwrapped = self

    def seen(self, first):
        return {
            "arm": numpy.ndarray([first, 0.25, -0.5, 1.0], (2, 2), numpy.float64),
            "goal": (2, numpy.ndarray([1, 0], (2,), numpy.int8)),
            "wheel": numpy.ndarray([1, 2], (2,), numpy.int64),
            "mission": "go",
        }

    def reset(self, seed=None):
        return self.seen(0.0), {}

    def step(self, action):
        numbers = action.tolist()
        return self.seen(float(numbers[0])), float(numbers[1]), False, False, {}

    def close(self):
        pass


REGISTRY = {"Walk-v0": Walk, "Everything-v0": Everything}


def make(id, disable_env_checker=None, max_episode_steps=None, **arguments):
    module, _, name = id.rpartition(":")
    if module:
        importlib.import_module(module)
    if name not in REGISTRY:
        raise KeyError(f"Environment `{name}` doesn't exist")
    if max_episode_steps == -1 and name == "Walk-v0":
        arguments["limit"] = 10**9
    return REGISTRY[name](**arguments)
