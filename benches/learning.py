#!/usr/bin/env python3
"""Does it learn? Each classic task with 20 seeds: last policy, 100 episodes, IQM over seeds, every seed shown.

    python3 benches/learning.py [--off-policy | --robots] [--seeds 20] [--out runs/learning] [--jobs 2]

Every cell is a run folder of its own, made by `heirloom pretrain TASK --seed S`; a cell that was stopped is continued, one that is finished only
read. Exit code 1 when a figure is missed. With --robots three seeds of Stable-Baselines3 with rl-baselines3-zoo's settings are run beside ours
(benches/peers/setup.sh; HEIRLOOM_PEERS says where), and the figure to reach is the least of them.
"""
import argparse, concurrent.futures, json, os, subprocess, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--off-policy", action="store_true", help="SAC, TD3 and DQN instead of PPO")
options.add_argument("--robots", action="store_true", help="PPO on MuJoCo's robots, beside Stable-Baselines3")
options.add_argument("--seeds", type=int, default=20)
options.add_argument("--out", default="runs/learning")
options.add_argument("--jobs", type=int, default=os.cpu_count())
options = options.parse_args()
# task, method, steps, IQM to reach, least return of any seed
PPO = [("cartpole", "ppo", 100_000, 495, 475), ("acrobot", "ppo", 1_000_000, -76, None), ("pendulum", "ppo", 100_000, -180, None), ("mountain_car", "ppo", 1_000_000, -113, None), ("mountain_car_continuous", "ppo", 100_000, 88, None)]
# What rl-baselines3-zoo's settings give Stable-Baselines3 users.
OFF_POLICY = [("pendulum", "sac", 20_000, -157, None), ("pendulum", "td3", 20_000, -152, None), ("cartpole", "dqn", 50_000, 500, None), ("mountain_car", "dqn", 120_000, -101, None), ("mountain_car_continuous", "sac", 50_000, 94, None)]
ROBOTS = ["half_cheetah", "hopper", "walker2d", "ant"]
PEERS = os.path.join(os.environ.get("HEIRLOOM_PEERS", os.path.expanduser("~/.cache/heirloom-peers")), "torch/bin/python")


def peer(robot, seed):
    """Where Stable-Baselines3's last policy ends; what was run before is only read."""
    path = os.path.join(options.out, f"{robot}-sb3-{seed}.json")
    if not os.path.exists(path):
        os.makedirs(options.out, exist_ok=True)
        script = os.path.join(root, "benches/peers/sb3_learn.py")
        ran = subprocess.run([PEERS, script, "--robot", robot, "--seed", str(seed)], capture_output=True, text=True, check=True)
        with open(path, "w") as out:
            out.write(ran.stdout.splitlines()[-1])
    with open(path) as lines:
        return json.load(lines)["mean"]


def cell(task, method, steps, seed):
    out = os.path.join(options.out, f"{task}-{seed}" if method == "ppo" else f"{task}-{method}-{seed}")
    command = [os.path.join(root, "target/release/heirloom"), "pretrain", task, "--method", method, "--steps", str(steps), "--seed", str(seed), "--threads", "1", "--json", "--episodes", "100", "--evaluations", "5", "--out", out]
    if os.path.exists(os.path.join(out, "run.ron")):
        command.append("--resume")
    ran = subprocess.run(command, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{' '.join(command)}\n{ran.stderr}")
    result = json.loads(ran.stdout)
    return task, method, result["mean"], result["seconds"]


def interquartile_mean(values):
    values, cut = sorted(values), len(values) // 4
    middle = values[cut:len(values) - cut]
    return sum(middle) / len(middle)


with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
    if options.robots:
        theirs = list(pool.map(lambda work: (work[0], peer(*work)), [(robot, seed) for robot in ROBOTS for seed in range(3)]))
        print("| robot | Stable-Baselines3, three seeds |\n|---|---|")
        for robot in ROBOTS:
            print(f"| {robot} | {' '.join(f'{mean:.0f}' for mean in sorted(mean for name, mean in theirs if name == robot))} |")
        TASKS = [(robot, "ppo", 1_000_000, min(mean for name, mean in theirs if name == robot), None) for robot in ROBOTS]
    else:
        TASKS = OFF_POLICY if options.off_policy else PPO
    cells = list(pool.map(lambda work: cell(*work), [(*task[:3], seed) for task in TASKS for seed in range(options.seeds)]))
print("| task | method | steps | IQM | reach | least | seconds a seed | every seed |\n|---|---|---|---|---|---|---|---|")
missed = False
for task, method, steps, reach, floor in TASKS:
    returns = sorted(mean for *name, mean, _ in cells if name == [task, method])
    seconds = sorted(seconds for *name, _, seconds in cells if name == [task, method])[len(returns) // 2]
    middle = interquartile_mean(returns)
    ok = middle >= reach and (floor is None or returns[0] >= floor)
    missed |= not ok
    every = " ".join(f"{value:.0f}" for value in returns)
    print(f"| {task} | {method} | {steps:,} | {middle:.1f} | {reach}{'' if floor is None else f', none below {floor}'}{'' if ok else ' MISSED'} | {returns[0]:.1f} | {seconds:.1f} | {every} |")
sys.exit(1 if missed else 0)
