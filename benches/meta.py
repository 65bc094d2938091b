#!/usr/bin/env python3
"""Does it learn to adapt? The figures of the meta-learning issue, t-intervals over training seeds.

    python3 benches/meta.py [PART ...] [--seeds 10] [--others 3] [--iterations 100] [--out runs/meta] [--jobs 2]

Parts: navigation families; both where none is named. Every cell is one `heirloom meta`; a finished cell is only read. MAML and ProMP have
--seeds seeds, the other methods --others. A seed's figure is the mean over its test tasks (--tasks, 20 episodes each), by number of updates. A method is
helped, hurt or equivalent where it stands beside pooled training by the rule of `heirloom compare`.
The sinusoid is `heirloom bench sinusoid`.
"""
import argparse, concurrent.futures, json, math, os, subprocess, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("parts", nargs="*", default=[])
options.add_argument("--seeds", type=int, default=10)
options.add_argument("--others", type=int, default=3)
options.add_argument("--iterations", type=int, default=100)
options.add_argument("--tasks", type=int, default=100)
options.add_argument("--out", default="runs/meta")
options.add_argument("--jobs", type=int, default=os.cpu_count())
options.add_argument("--heirloom", default=os.path.join(root, "target/release/heirloom"))
options = options.parse_args()
METHODS = ["maml", "promp", "fomaml", "anil", "meta-sgd", "reptile", "pooled", "domain-randomization", "oracle"]
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26}


def cell(tasks, method, seed, *more):
    out = os.path.join(options.out, f"{tasks}-{method}-{seed}")
    kept = out + ".json"
    if os.path.exists(kept):
        return json.load(open(kept))
    command = [options.heirloom, "meta", tasks, "--method", method, "--seed", seed, "--steps", options.iterations, "--threads", 1, "--evaluations", 1, "--test-tasks", options.tasks, "--updates", 3, "--json", "--out", out, *more]
    ran = subprocess.run([*map(str, command), *(["--resume"] if os.path.exists(os.path.join(out, "run.ron")) else [])], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(" ".join(map(str, command)) + "\n" + ran.stderr)
    found = json.loads(ran.stdout)
    json.dump(found, open(kept, "w"))
    return found


def interval(values):
    mean, n = sum(values) / len(values), len(values)
    half = T95.get(n - 1, 2.0) * math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n) if n > 1 else float("nan")
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


# After so many updates; what does not adapt stays where it is.
at = lambda means, update: means[min(update, len(means) - 1)]
# Returns of actions drawn at random: with the best method they give the range of which the verdict's margin is a part.
RANDOM = {"navigation_tasks": -40.0, "cartpole_tasks": 22.0, "pendulum_tasks": -1230.0}


def verdicts(tasks, found, split):
    """Each method against pooled after 1 and 3 updates, by the rule of `heirloom compare`: Welch's t over training seeds, Holm over all of these."""
    values = lambda method, update: [at(one[split]["means"], update) for one in found[method]]
    best = max(sum(values(method, update)) / len(values(method, update)) for method in METHODS for update in (1, 3))
    asked = [(method, update) for method in METHODS if method != "pooled" for update in (1, 3)]
    cases = [dict(arm=values(method, update), scratch=values("pooled", update), random=RANDOM[tasks], reference=best) for method, update in asked]
    ran = subprocess.run([options.heirloom, "probe", "verdict"], input=json.dumps({"comparisons": cases}), capture_output=True, text=True, check=True)
    return {key: answer["verdict"] for key, answer in zip(asked, json.loads(ran.stdout)["comparisons"])}


def table(tasks, splits, *more):
    found = {}
    for method in METHODS:
        seeds = range(options.seeds if method in ("maml", "promp") and tasks == "navigation_tasks" else options.others)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            found[method] = list(pool.map(lambda seed: cell(tasks, method, seed, *more), seeds))
    for split in splits:
        judged = verdicts(tasks, found, split)
        print(f"\n{tasks}, {split} tasks, {options.iterations} iterations\n| method | seeds | before | after 1 | after 2 | after 3 | beside pooled after 1, 3 | s per iteration |\n|---|---|---|---|---|---|---|---|", flush=True)
        for method in METHODS:
            # What does not adapt has one figure.
            columns = [interval([at(one[split]["means"], update) for one in found[method]]) for update in range(4)]
            seconds = sorted(one["seconds"] for one in found[method])[len(found[method]) // 2] / options.iterations
            words = ", ".join(str(judged.get((method, update), "-")) for update in (1, 3))
            print(f"| {method} | {len(found[method])} | {' | '.join(columns)} | {words} | {seconds:.2f} |", flush=True)


os.makedirs(options.out, exist_ok=True)
for part in options.parts or ["navigation", "families"]:
    if part == "navigation":
        table("navigation_tasks", ["test"], "--set", "meta.splits.extrapolate=0")
    else:
        for tasks in ["cartpole_tasks", "pendulum_tasks"]:
            table(tasks, ["test", "extrapolation"], "--set", "meta.episodes=5", "--set", "meta.tasks=10")
