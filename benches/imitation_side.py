#!/usr/bin/env python3
"""Heirloom beside the `imitation` package: the same demonstrations, the same environment steps, seeds in turn; a table.

    python3 benches/imitation_side.py [--seeds 3] [--only cartpole-gail] [--out FILE.jsonl]

Needs `cargo build --release` and the peers' environments (benches/peers/setup.sh). Both sides compute with one thread, each with its own
defaults (`benches/peers/imitation_side.py` says which); the mean return is that of 20 episodes of the last policy. Times are CPU seconds, theirs
without starting Python: so a busy machine tells the same.
"""
import argparse, json, os, resource, statistics, subprocess, sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--seeds", type=int, default=3)
options.add_argument("--only", default="")
options.add_argument("--out", default=os.path.join(root, "target/imitation-side/side.jsonl"))
options = options.parse_args()

HEIRLOOM = os.path.join(root, "target/release/heirloom")
PYTHON = os.path.join(os.environ.get("HEIRLOOM_PEERS", os.path.expanduser("~/.cache/heirloom-peers")), "imitation/bin/python")
# Ours and theirs: environment, theirs; per method our steps (None: until nothing improves) and theirs (of bc: epochs, enough for its own return).
ENVIRONMENTS = {"cartpole": "CartPole-v1", "pendulum": "Pendulum-v1"}
METHODS = {"bc": (None, {"cartpole": 10, "pendulum": 100}), "dagger": (4000, 4000), "gail": (100_000, 100_000), "airl": (100_000, 100_000)}
QUANTILE = {2: 12.71, 3: 4.303, 4: 3.182, 5: 2.776, 6: 2.571, 7: 2.447, 8: 2.365, 9: 2.306, 10: 2.262}
folder = os.path.join(root, "target/imitation-side")
os.makedirs(folder, exist_ok=True)


def run(command, **more):
    environment = dict(os.environ, PYTHONWARNINGS="ignore", PYTHONDONTWRITEBYTECODE="1")
    ran = subprocess.run(["nice", *map(str, command)], capture_output=True, text=True, env=environment, cwd=root, timeout=3600, **more)
    if ran.returncode:
        raise RuntimeError(" ".join(map(str, command)) + ran.stderr[-500:])
    return ran.stdout


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(task, method, seed):
    out = os.path.join(folder, f"run-{task}-{method}-{seed}")
    subprocess.run(["rm", "-rf", out], check=True)
    steps = METHODS[method][0]
    more = (["--steps", steps] if steps else []) + (["--expert", task] if method == "dagger" else [])
    before = cpu_seconds()
    said = json.loads(run([HEIRLOOM, "imitate", os.path.join(folder, task), task, "--method", method, "--seed", seed, "--threads", 1, "--out", out, "--json", *more]))
    seconds = cpu_seconds() - before
    measured = json.loads(run([HEIRLOOM, "evaluate", out, task, "--episodes", 20, "--seed", 1000 + seed, "--json"]))
    return dict(mean=measured["mean"], seconds=seconds, steps=said["steps"])


def theirs(task, method, seed):
    script = os.path.join(here, "peers/imitation_side.py")
    steps = METHODS[method][1]
    command = [PYTHON, script, "--method", method, "--set", os.path.join(folder, task), "--env", ENVIRONMENTS[task], "--expert", os.path.join(root, "policies", task), "--steps", steps[task] if method == "bc" else steps, "--seed", seed]
    line = json.loads([line for line in run(command).splitlines() if line.startswith("{")][-1])
    return dict(mean=line["final_return"], seconds=line["cpu_seconds"], steps=line["steps"])


found = {}
for task in ENVIRONMENTS:
    if not os.path.exists(os.path.join(folder, task)):
        run([HEIRLOOM, "demo", "record", task, task, "--episodes", 10, "--out", os.path.join(folder, task)])
for seed in range(1, options.seeds + 1):
    for task in ENVIRONMENTS:
        for method in METHODS:
            if options.only not in f"{task}-{method}":
                continue
            for who, side in (("heirloom", ours), ("imitation", theirs)):
                line = dict(side(task, method, seed), work=f"{task}-{method}", who=who, seed=seed, load=os.getloadavg()[0])
                found.setdefault((line["work"], who), []).append(line)
                with open(options.out, "a") as out:
                    out.write(json.dumps(line) + "\n")
                print(json.dumps(line), file=sys.stderr, flush=True)


def interval(values):
    mean = statistics.mean(values)
    half = QUANTILE[len(values)] * statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("inf")
    return mean, mean - half, mean + half


print("| work | seeds | Heirloom | imitation | ours against their interval | CPU seconds, ours and theirs | times faster |\n|---|---|---|---|---|---|---|")
for work in dict.fromkeys(work for work, _ in found):
    lines = [found[(work, who)] for who in ("heirloom", "imitation")]
    (mine, *own), (their, low, high) = (interval([line["mean"] for line in side]) for side in lines)
    place = "above" if mine > high else "below" if mine < low else "inside"
    seconds = [statistics.median(line["seconds"] for line in side) for side in lines]
    print(f"| {work} | {len(lines[0])} | {mine:.1f} [{own[0]:.1f}, {own[1]:.1f}] | {their:.1f} [{low:.1f}, {high:.1f}] | {place} | {seconds[0]:.1f}, {seconds[1]:.1f} | {seconds[1] / seconds[0]:.1f} |")
