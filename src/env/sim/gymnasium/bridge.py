"""The Python half of Heirloom's Gymnasium bridge: makes environments, resets and steps them on command.

File descriptor 0 is the memory that both halves see, 1 the wire on which commands come and answers go, one at a time. A message is
sequence (u64), kind or status (u32), length (u32), little-endian, and so many bytes. The memory holds f64: for every seat its action and
the seed of the episode that follows this one, then for every seat reward, terminated, truncated, whether that episode has begun, and what it
shows; then for every seat what the begun episode shows. `process.rs` and `vector.rs` are the other half.
"""

import json
import os
import select
import struct
import sys
import time

HEADER, ANSWER = struct.Struct("<QIII"), struct.Struct("<QII")
HELLO, DESCRIBE, MAKE, RESET, STEP, CLOSE = range(1, 7)
FINE, FAILED, SOME_FAILED = range(3)
MOST_CHANNELS = 100_000
MOST_ACTIONS = 256


class Refused(Exception):
    """What the bridge cannot carry, in a sentence."""


def die_with(parent):
    """The kernel ends this process when the one that started it ends, however that comes; a Ctrl-C is for that one alone."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import ctypes

        ctypes.CDLL(None).prctl(1, int(signal.SIGKILL), 0, 0, 0)
    except (ImportError, AttributeError, OSError):
        pass  # the end of the wire is then what ends it
    if os.getppid() != parent:
        os._exit(1)


def in_words(error):
    """An exception in one line: its kind, what it says, and where it comes from."""
    if isinstance(error, Refused):
        return str(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f" ({os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno})"
    return f"{type(error).__name__}: {error}{where}"[:4000]


# Spaces: which channels there are, and how a value is written into them.


def parts_of(space, name, ignore):
    """Every part of an observation that is no Dict or Tuple: how to reach it, its name, its space."""
    from gymnasium import spaces

    if isinstance(space, spaces.Dict):
        inner = [(key, str(key), part) for key, part in space.spaces.items()]
    elif isinstance(space, spaces.Tuple):
        inner = [(index, f"{name or 'observation'}_{index}", part) for index, part in enumerate(space.spaces)]
    else:
        return [((), name or "observation", space)]
    found = []
    for key, inner_name, part in inner:
        whole = f"{name}_{inner_name}" if name and isinstance(space, spaces.Dict) else inner_name
        if whole not in ignore:
            found += [((key, *path), part_name, leaf) for path, part_name, leaf in parts_of(part, whole, ignore)]
    return found


def channels_of(space, name):
    """Name, low and high of every channel of a part; None where there is no bound."""
    from gymnasium import spaces

    if isinstance(space, spaces.Box):
        if space.dtype.kind not in "biuf":
            raise Refused(f"`{name}` is a Box of {space.dtype}, which cannot be written as numbers")
        bound = lambda value: float(value) if abs(float(value)) < 1e30 else None  # the greatest f32 is none
        lows, highs = space.low.reshape(-1).tolist(), space.high.reshape(-1).tolist()
        return [(label, bound(low), bound(high)) for label, low, high in zip(labels(name, space.shape), lows, highs)]
    if isinstance(space, spaces.Discrete):
        return [(f"{name}_{int(space.start) + index}", 0.0, 1.0) for index in range(int(space.n))]
    if isinstance(space, spaces.MultiDiscrete):
        sizes = [int(size) for size in space.nvec.reshape(-1)]
        return [(f"{label}_{value}", 0.0, 1.0) for label, size in zip(labels(name, space.nvec.shape), sizes) for value in range(size)]
    if isinstance(space, spaces.MultiBinary):
        return [(label, 0.0, 1.0) for label in labels(name, space.shape)]
    raise Refused(f"`{name}` is a {type(space).__name__}, which is not supported; `ignore: [\"{name}\"]` in its RON leaves it out")


def labels(name, shape):
    """`name_0_1` for every index of a shape, the name alone where there is one number."""
    indices = [""]
    for size in shape:
        indices = [f"{index}_{position}" for index in indices for position in range(size)]
    return [f"{name}{index}" for index in indices] if len(indices) != 1 else [name]


def sound(value, shape, dtype, name):
    """A value as an array of this shape and type, or what is wrong with it."""
    import numpy

    array = numpy.asarray(value)
    if array.dtype.kind not in ("biu" if dtype.kind in "biu" else "biuf"):
        raise Refused(f"`{name}` is of type {array.dtype}, its space says {dtype}")
    if tuple(array.shape) != tuple(shape):
        raise Refused(f"`{name}` has shape {tuple(array.shape)}, its space says {tuple(shape)}")
    return array.astype(dtype)


def writer(space, name, row):
    """A function that writes a value of a part into its channels."""
    from gymnasium import spaces

    if isinstance(space, (spaces.Box, spaces.MultiBinary)):
        shape, dtype, target = space.shape, space.dtype, row.reshape(space.shape)

        def write_box(value):
            try:
                fits = value.dtype is dtype and value.shape == shape
            except AttributeError:
                fits = False
            target[...] = value if fits else sound(value, shape, dtype, name)

        return write_box
    if isinstance(space, spaces.Discrete):
        start, size = int(space.start), int(space.n)

        def write_discrete(value):
            index = whole(value, name) - start
            if not 0 <= index < size:
                raise Refused(f"`{name}` is {value}, its space says {start} to {start + size - 1}")
            row[:] = 0.0
            row[index] = 1.0

        return write_discrete
    sizes = [int(size) for size in space.nvec.reshape(-1)]

    def write_multi_discrete(value):
        row[:] = 0.0
        at = 0
        for part, size in zip(sound(value, space.shape, space.dtype, name).reshape(-1).tolist(), sizes):
            if not 0 <= part < size:
                raise Refused(f"`{name}` holds {part}, its space says 0 to {size - 1}")
            row[at + part] = 1.0
            at += size

    return write_multi_discrete


def whole(value, name):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise Refused(f"`{name}` is {value!r}, which is no whole number")
    return value.__index__()


def product(sizes):
    """All combinations of so many choices each, the last one turning fastest."""
    combinations = [()]
    for size in sizes:
        combinations = [(*before, choice) for before in combinations for choice in range(size)]
        if len(combinations) > MOST_ACTIONS:
            raise Refused(f"its action is a combination of choices, more than {MOST_ACTIONS} in all, which is not supported")
    return combinations


def actions_of(space):
    """What an action is: names of discrete ones, or name, low and high of every channel."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return {"discrete": [f"action_{int(space.start) + index}" for index in range(int(space.n))]}
    if isinstance(space, spaces.Box):
        if space.dtype.kind != "f":
            raise Refused(f"its action is a Box of {space.dtype}, which is not supported: a Box of floats is")
        return {"continuous": channels_of(space, "action")}
    if isinstance(space, (spaces.MultiDiscrete, spaces.MultiBinary)):
        return {"discrete": ["action_" + "_".join(map(str, combination)) for combination in product(choices(space))]}
    raise Refused(f"its action is a {type(space).__name__}, which is not supported: Discrete, Box, MultiDiscrete and MultiBinary are")


def choices(space):
    sizes = getattr(space, "nvec", None)
    if sizes is not None:
        return [int(size) for size in sizes.reshape(-1)]
    count = 1
    for size in space.shape:
        count *= size
    return [2] * count


def reader(space, scalars, at, width, row):
    """A function that gives the action that stands in the memory as the space has it."""
    import numpy
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        start = int(space.start)
        return lambda: start + int(scalars[at])
    if isinstance(space, spaces.Box):
        shape, dtype = space.shape, space.dtype
        if shape == (width,):
            return lambda: row.astype(dtype)
        return lambda: row.astype(dtype).reshape(shape)
    table = [numpy.asarray(combination, dtype=space.dtype).reshape(space.shape) for combination in product(choices(space))]
    return lambda: table[int(scalars[at])].copy()


# Parameters: constructor arguments and attributes.


def steps_of(path):
    """`model.opt.gravity[2]` as `["model", "opt", "gravity", 2]`."""
    import re

    words = re.findall(r"\[-?\d+\]|\[\"[^\"]*\"\]|\w+", path)
    return [json.loads(word[1:-1]) if word[0] == "[" else word for word in words]


def get(holder, step):
    return getattr(holder, step) if isinstance(step, str) and not isinstance(holder, dict) else holder[step]


def set_attribute(env, path, value):
    *before, last = steps_of(path)
    holder = env.unwrapped
    for step in before:
        holder = get(holder, step)
    old = get(holder, last)  # what is not there is a typo, not a new attribute
    if isinstance(old, int) and not isinstance(old, bool) and float(value).is_integer():
        value = int(value)
    if isinstance(last, str) and not isinstance(holder, dict):
        setattr(holder, last, value)
    else:
        holder[last] = value


def without_order(env):
    """An environment without Gymnasium's check that nobody steps before a reset: the rules of an episode are the other half's."""
    import gymnasium

    order = getattr(getattr(gymnasium, "wrappers", None), "OrderEnforcing", None)
    outer = env
    while order is not None and isinstance(outer, gymnasium.Wrapper):
        if type(outer.env) is order:
            outer.env = outer.env.env
        outer = outer.env
    return env


class Seat:
    """One environment, and how its actions and observations are found in the memory."""

    def __init__(self, order, values, memory):
        self.order, self.values = order, values
        self.build()
        if memory is not None:
            self.sit(*memory)

    def build(self):
        import gymnasium

        arguments = dict(self.order["arguments"])
        for name, target in self.order["context"].items():
            if name in self.values and "Argument" in target:
                key, value = target["Argument"], self.values[name]
                counts = isinstance(arguments.get(key), int) and float(value).is_integer()
                arguments[key] = int(value) if counts else value
        limit = {"max_episode_steps": -1} if self.order["own_limit"] else {}
        self.env = without_order(gymnasium.make(self.order["id"], disable_env_checker=True, **limit, **arguments))
        self.parts = parts_of(self.env.observation_space, "", self.order["ignore"])
        self.set_attributes()

    def set_attributes(self):
        for name, target in self.order["context"].items():
            if name in self.values and "Attribute" in target:
                set_attribute(self.env, target["Attribute"], self.values[name])

    def describe(self):
        channels = [channel for _, name, space in self.parts for channel in channels_of(space, name)]
        if len(channels) > MOST_CHANNELS:
            raise Refused(f"its observation has {len(channels)} numbers, more than {MOST_CHANNELS}")
        return {"observation": channels, "action": actions_of(self.env.action_space)}

    def sit(self, scalars, actions, results, following, index):
        """Takes the place in the memory: `actions` [N, A + 1], `results` [N, 4 + O] and `following` [N, O], which `scalars` show number by number."""
        self.place = (scalars, actions, results, following, index)
        seats, width, size = len(actions), actions.shape[1], results.shape[1]
        self.action = reader(self.env.action_space, scalars, index * width, width - 1, actions[index][: width - 1])
        self.seed_at, self.at = (index + 1) * width - 1, seats * width + index * size
        self.scalars = scalars
        self.write, self.write_following = self.writer_into(results[index][4:]), self.writer_into(following[index])

    def writer_into(self, row):
        """A function that writes an observation into a row."""
        at, writers = 0, []
        for path, name, space in self.parts:
            count = len(channels_of(space, name))
            if at + count <= len(row):
                writers.append((path, writer(space, name, row[at : at + count])))
            at += count
        if at != len(row):
            raise Refused(f"its observation has {at} numbers now and had {len(row)} before: a parameter changed its space")
        if len(writers) == 1 and not writers[0][0]:
            return writers[0][1]

        def write(observation):
            for path, write_part in writers:
                value = observation
                for key in path:
                    value = value[key]
                write_part(value)

        return write

    def reset(self, seed, values):
        if values != self.values:
            rebuilt = any(
                "Argument" in target and values.get(name) != self.values.get(name) for name, target in self.order["context"].items()
            )
            self.values = values
            if rebuilt:
                self.env.close()
                self.build()
                self.sit(*self.place)
        self.set_attributes()
        observation, _ = self.env.reset(seed=seed)
        self.write(observation)

    def advancer(self):
        """A function that does one step: everything it needs is looked up once."""
        step, action, write, scalars, at = self.env.step, self.action, self.write, self.scalars, self.at
        terminated_at, truncated_at, begin_following = at + 1, at + 2, self.begin_following

        def advance():
            observation, reward, terminated, truncated, _ = step(action())
            write(observation)
            scalars[at] = reward
            scalars[terminated_at] = terminated
            scalars[truncated_at] = truncated
            if terminated or truncated:
                begin_following()

        return advance

    def begin_following(self):
        """Begins the next episode with the end of this one, if its seed is known: that saves a message of its own."""
        seed = self.scalars[self.seed_at]
        begun = False
        if seed >= 0.0:
            try:
                self.set_attributes()
                observation, _ = self.env.reset(seed=int(seed))
                self.write_following(observation)
                begun = True
            except BaseException:  # noqa: BLE001: it is told when this reset is asked for
                pass
        self.scalars[self.at + 3] = begun


class Bridge:
    def __init__(self, memory):
        self.memory, self.seats, self.groups = memory, [], {}

    def hello(self, _body):
        import gymnasium
        import numpy

        versions = {"python": sys.version.split()[0], "gymnasium": gymnasium.__version__, "numpy": numpy.__version__}
        return json.dumps(versions).encode()

    def describe(self, body):
        self.leave()
        order = json.loads(body)
        seat = Seat(order, order["seats"][0], None)
        described = json.dumps(seat.describe()).encode()
        seat.env.close()
        return described

    def make(self, body):
        import mmap

        import numpy

        self.leave()
        order = json.loads(body)
        count, width, size = len(order["seats"]), order["width"] + 1, order["size"]
        mapped = mmap.mmap(self.memory, 8 * count * (width + 4 + size + size))
        scalars, before = memoryview(mapped).cast("d"), 0
        tables = []
        for columns in (width, 4 + size, size):
            table = numpy.frombuffer(mapped, dtype=numpy.float64, count=count * columns, offset=8 * before)
            tables.append(table.reshape((count, columns)))
            before += count * columns
        for index, values in enumerate(order["seats"]):
            self.seats.append(Seat(order, values, (scalars, *tables, index)))
        return b""

    def reset(self, body):
        index, seed = struct.unpack_from("<IQ", body)
        seat, env = self.seats[index], self.seats[index].env
        seat.reset(seed, json.loads(body[12:]) if len(body) > 12 else seat.values)
        if seat.env is not env:
            self.groups = {}  # it was made anew: what steps it must be too
        return b""

    def leave(self):
        left, self.seats, self.groups = self.seats, [], {}
        for seat in left:
            seat.env.close()

    def group(self, mask):
        group = self.groups[mask] = [(index, self.seats[index].advancer()) for index, wanted in enumerate(mask) if wanted]
        return group

    def close(self, _body):
        self.leave()
        return b""


def received(wire, ready, awake):
    """The next message, or its beginning, which is looked for awake for so many microseconds: to sleep and be woken takes as long as several
    steps of a small environment."""
    until = time.perf_counter() + 1e-6 * awake
    while not ready(0) and time.perf_counter() < until:
        os.sched_yield()
    return os.read(wire, 65536)


def exactly(wire, data, count):
    while len(data) < count:
        more = os.read(wire, count - len(data))
        if not more:
            os._exit(0)  # nobody commands any more
        data += more
    return data


def main():
    die_with(int(sys.argv[1]))
    # The two leave the numbers that libraries print to.
    memory, wire = os.dup(0), os.dup(1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    bridge = Bridge(memory)
    commands = {HELLO: bridge.hello, DESCRIBE: bridge.describe, MAKE: bridge.make, RESET: bridge.reset, CLOSE: bridge.close}
    write, unpack, pack = os.write, HEADER.unpack_from, ANSWER.pack
    poller = select.poll()
    poller.register(wire, select.POLLIN)
    awake = 0
    while True:
        data = exactly(wire, received(wire, poller.poll, awake), HEADER.size)
        sequence, kind, length, awake = unpack(data)
        if length:
            data = exactly(wire, data, HEADER.size + length)
        if kind == STEP:
            mask = data[HEADER.size :]
            failures = []
            for index, advance in bridge.groups.get(mask) or bridge.group(mask):
                try:
                    advance()
                except BaseException as error:  # noqa: BLE001: whatever an environment raises is its message
                    failures.append((index, in_words(error)))
            if not failures:
                write(wire, pack(sequence, FINE, 0))
                continue
            status, body = SOME_FAILED, json.dumps(failures).encode()
        else:
            try:
                status, body = FINE, commands[kind](data[HEADER.size :])
            except BaseException as error:  # noqa: BLE001
                missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
                status, body = FAILED, json.dumps([in_words(error), missing]).encode()
        message = pack(sequence, status, len(body)) + body
        while message:
            message = message[write(wire, message) :]
        if kind == CLOSE:
            os._exit(0)


main()
