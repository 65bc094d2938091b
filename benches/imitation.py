#!/usr/bin/env python3
"""Does it learn from demonstrations? The figures of the demonstrations issue, ten seeds each, t-intervals over seeds.

    python3 benches/imitation.py [PART ...] [--seeds 10] [--out runs/imitation] [--jobs 2]

Parts: bc gail dagger airl dapg; all of them where none is named; and robots, which takes hours (--seeds 3). Every cell is one `heirloom imitate` or `pretrain`; a finished cell is only read.
Experts are the shipped policies. Shares are (return - random) / (expert - random).
"""
import argparse, concurrent.futures, csv, json, math, os, subprocess, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("parts", nargs="*", default=[])
options.add_argument("--seeds", type=int, default=10)
options.add_argument("--out", default="runs/imitation")
options.add_argument("--jobs", type=int, default=os.cpu_count())
options.add_argument("--heirloom", default=os.path.join(root, "target/release/heirloom"))
options = options.parse_args()
RANDOM = {"cartpole": 22.0, "acrobot": -500.0, "mountain_car": -200.0, "pendulum": -1230.0, "mountain_car_continuous": -34.0}
T95 = {1: 12.71, 2: 4.30, 3: 3.18, 4: 2.78, 5: 2.57, 6: 2.45, 7: 2.36, 8: 2.31, 9: 2.26, 19: 2.09}


def heirloom(*words):
    ran = subprocess.run([options.heirloom, *map(str, words)], capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"heirloom {' '.join(map(str, words))}\n{ran.stderr}")
    return ran.stdout


def cell(name, *words):
    """The last policy's mean return over 100 episodes, and the run's folder."""
    out = os.path.join(options.out, name)
    resume = ["--resume"] if os.path.exists(os.path.join(out, "run.ron")) else []
    result = json.loads(heirloom(*words, "--threads", 1, "--json", "--episodes", 100, "--out", out, *resume))
    return result["mean"], out


def demonstrations(task, episodes=40):
    path = os.path.join(options.out, "demos", task)
    if not os.path.exists(os.path.join(path, "demonstrations.ron")):
        heirloom("demo", "record", task, task, "--episodes", episodes, "--out", path, "--json")
    return path


def expert(task):
    return json.loads(heirloom("evaluate", task, task, "--episodes", 100, "--seed", 77, "--json"))["mean"]


def together(calls):
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        return list(pool.map(lambda call: cell(*call), calls))


def interval(values):
    mean, n = sum(values) / len(values), len(values)
    if n < 2:
        return f"{mean:.1f}"
    half = T95.get(n - 1, 2.0) * math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1) / n)
    return f"{mean:.1f} [{mean - half:.1f}, {mean + half:.1f}]"


def curve(folder):
    with open(os.path.join(folder, "evaluations.csv")) as file:
        return [(int(row["steps"]), float(row["mean"])) for row in csv.DictReader(file)]


def first_at(folder, level):
    return next((steps for steps, mean in curve(folder) if mean >= level), None)


def bc():
    print("\nBC from 10 expert episodes (asked: 90 % of the expert)\n| task | expert | BC | share | least seed |\n|---|---|---|---|---|")
    for task in ["cartpole", "acrobot", "mountain_car", "pendulum"]:
        top, path = expert(task), demonstrations(task)
        calls = [(f"bc-{task}-{seed}", "imitate", path, task, "--method", "bc", "--demo-episodes", 10, "--seed", seed) for seed in range(options.seeds)]
        values = [mean for mean, _ in together(calls)]
        share = (sum(values) / len(values) - RANDOM[task]) / (top - RANDOM[task])
        print(f"| {task} | {top:.1f} | {interval(values)} | {share:.3f} | {min(values):.1f} |", flush=True)


def gail():
    print("\nGAIL and BC from sub-sampled episodes (asked: GAIL above BC)\n| task | episodes | BC | GAIL | share of BC, of GAIL |\n|---|---|---|---|---|")
    for task, every, steps in [("cartpole", 10, 150_000), ("mountain_car", 5, 400_000), ("acrobot", 5, 400_000)]:
        top, path = expert(task), demonstrations(task)
        for episodes in [1, 3]:
            rows = {}
            for method, budget in [("bc", 20_000), ("gail", steps)]:
                calls = [(f"{method}-{task}-{episodes}of-{seed}", "imitate", path, task, "--method", method, "--demo-episodes", episodes, "--every", every, "--steps", budget, "--seed", seed, "--evaluations", 4) for seed in range(options.seeds)]
                rows[method] = [mean for mean, _ in together(calls)]
            share = lambda values: (sum(values) / len(values) - RANDOM[task]) / (top - RANDOM[task])
            print(f"| {task} | {episodes} | {interval(rows['bc'])} | {interval(rows['gail'])} | {share(rows['bc']):.2f}, {share(rows['gail']):.2f} |", flush=True)


def dagger():
    print("\nExpert labels until 95 % of the expert (share), DAgger from one episode, BC from more and more\n| task | DAgger: labels, median (seeds that get there) | BC: labels, median (seeds that get there) |\n|---|---|---|")
    for task in ["mountain_car", "acrobot", "pendulum"]:
        top, path = expert(task), demonstrations(task)
        level = RANDOM[task] + 0.95 * (top - RANDOM[task])
        lengths = json.loads(heirloom("demo", "inspect", path, "--json"))["lengths"]
        calls = [(f"dagger-{task}-{seed}", "imitate", path, task, "--method", "dagger", "--expert", task, "--demo-episodes", 1, "--seed", seed, "--steps", 5120, "--evaluations", 40) for seed in range(options.seeds)]
        asked = [first_at(folder, level) for _, folder in together(calls)]
        asked = [None if labels is None else labels + int(lengths[0]) for labels in asked]
        needed = [None] * options.seeds
        for episodes in [1, 2, 3, 5, 10, 20, 40]:
            left = [seed for seed in range(options.seeds) if needed[seed] is None]
            calls = [(f"bc-{task}-{episodes}ep-{seed}", "imitate", path, task, "--method", "bc", "--demo-episodes", episodes, "--seed", seed) for seed in left]
            for seed, (mean, _) in zip(left, together(calls)):
                if mean >= level:
                    needed[seed] = int(sum(lengths[:episodes]))
        middle = lambda values: sorted(value if value is not None else math.inf for value in values)[len(values) // 2]
        there = lambda values: sum(value is not None for value in values)
        print(f"| {task} | {middle(asked)} ({there(asked)} of {options.seeds}) | {middle(needed)} ({there(needed)} of {options.seeds}) |", flush=True)


def airl():
    print("\nA recovered reward in changed dynamics: PPO from nothing on the reward of AIRL, of GAIL\n| recovered in | learned again in | on AIRL's | on GAIL's | on the true reward |\n|---|---|---|---|---|")
    for task, others, steps in [("pendulum", ["pendulum_heavy", "pendulum_weak_motor", "pendulum_reversed"], 100_000), ("mountain_car", ["mountain_car_reversed"], 400_000)]:
        path = demonstrations(task)
        rewards = {}
        for method in ["airl", "gail"]:
            calls = [(f"{method}-reward-{task}-{seed}", "imitate", path, task, "--method", method, "--demo-episodes", 20, "--seed", seed, "--steps", 2 * steps, "--evaluations", 4) for seed in range(options.seeds)]
            rewards[method] = together(calls)
            print(f"| ({method} itself) | {task} | {interval([mean for mean, _ in rewards[method]])} | | |", flush=True)
        for other in others:
            rows = {}
            for method in ["airl", "gail"]:
                calls = [(f"{other}-on-{method}-{seed}", "imitate", other, "--method", "learned-reward", "--reward", rewards[method][seed][1], "--seed", seed, "--steps", steps, "--evaluations", 4) for seed in range(options.seeds)]
                rows[method] = [mean for mean, _ in together(calls)]
            calls = [(f"{other}-true-{seed}", "pretrain", other, "--seed", seed, "--steps", steps, "--evaluations", 4) for seed in range(options.seeds)]
            truth = [mean for mean, _ in together(calls)]
            print(f"| {task} | {other} | {interval(rows['airl'])} | {interval(rows['gail'])} | {interval(truth)} |", flush=True)


def dapg():
    print("\nSteps until 90 on MountainCarContinuous (asked: less than half of PPO's)\n| learner | median steps | every seed |\n|---|---|---|")
    task = "mountain_car_continuous"
    path = demonstrations(task)
    ways = {
        "ppo": ["pretrain", task],
        "dapg, 1 demonstration": ["imitate", path, task, "--method", "dapg", "--demo-episodes", 1],
        "dapg, 1 demonstration, every 10th step": ["imitate", path, task, "--method", "dapg", "--demo-episodes", 1, "--every", 10],
        "behaviour-regularised, 1 demonstration, every 10th step": ["imitate", path, task, "--method", "behaviour-regularised", "--demo-episodes", 1, "--every", 10],
    }
    for name, words in ways.items():
        calls = [(f"{name.replace(', ', '-').replace(' ', '_')}-{seed}", *words, "--seed", seed, "--steps", 100_000, "--evaluations", 48) for seed in range(options.seeds)]
        steps = [first_at(folder, 90) for _, folder in together(calls)]
        order = sorted(value if value is not None else math.inf for value in steps)
        print(f"| {name} | {order[len(order) // 2]} | {' '.join(str(value) for value in order)} |", flush=True)


def robots():
    print("\nTen episodes of an expert, on robots\n| task | expert | learner | steps | return | every seed | on the way (seed 0) |\n|---|---|---|---|---|---|---|")
    ways = {"hopper": [("sac", 20_000), ("rlpd", 20_000)], "half_cheetah": [("bc", 20_000), ("gail", 1_000_000), ("sac", 20_000), ("rlpd", 20_000)]}
    for task, learners in ways.items():
        top, path = expert(task), demonstrations(task, 10)
        for method, steps in learners:
            words = ["pretrain", task] if method == "sac" else ["imitate", path, task]
            calls = [(f"{method}-{task}-{seed}", *words, "--method", method, "--seed", seed, "--steps", steps, "--evaluations", 4) for seed in range(options.seeds)]
            results = together(calls)
            values, way = [mean for mean, _ in results], [round(mean) for _, mean in curve(results[0][1])[1:]]
            print(f"| {task} | {top:.0f} | {method} | {steps:,} | {interval(values)} | {' '.join(f'{value:.0f}' for value in values)} | {way} |", flush=True)


PARTS = {"bc": bc, "gail": gail, "dagger": dagger, "airl": airl, "dapg": dapg, "robots": robots}
for part in options.parts or [part for part in PARTS if part != "robots"]:
    PARTS[part]()
