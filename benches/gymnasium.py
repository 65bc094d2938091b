"""How fast the bridge steps Gymnasium's environments, beside Gymnasium's own vectors, in turn on the same cores.

    cargo xtask setup --gymnasium && cargo xtask bench gymnasium

Eight environments, random actions. Gymnasium's vectors are driven from Python without any learning; ours from Rust. Every episode of ours has
a seed of its own, which Gymnasium's vectors do not give theirs. The best of the rounds is told, for load of the machine only ever slows.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.argv[1]
ROUNDS, SECONDS, VECTOR = (int(sys.argv[2]) if len(sys.argv) > 2 else 5), 2.0, 8

PEER = """
import sys, time
import gymnasium, numpy
kind, id, count, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
Vector = {"SyncVectorEnv": gymnasium.vector.SyncVectorEnv, "AsyncVectorEnv": gymnasium.vector.AsyncVectorEnv}[kind]
if __name__ == "__main__":
    env = Vector([lambda: gymnasium.make(id) for _ in range(count)])
    env.reset(seed=0)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(1000)]
    steps, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        for _ in range(16):
            env.step(actions[steps // count % 1000])
            steps += count
    print(steps / (time.perf_counter() - began))
    env.close()
"""


def peer(kind, id):
    command = [PYTHON, "-W", "ignore", "-c", PEER, kind, id, str(VECTOR), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def ours(id, processes):
    command = [ROOT / "target/release/heirloom", "bench", "stepping", f"gymnasium:{id}", "--vector", str(VECTOR), "--shards", str(processes)]
    command += ["--seconds", str(SECONDS), "--json", "--python", PYTHON]
    return float(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["steps_per_second"])


def main():
    for id in ["CartPole-v1", "HalfCheetah-v5"]:
        ways = {
            "SyncVectorEnv": lambda: peer("SyncVectorEnv", id),
            "bridge, one process": lambda: ours(id, 1),
            "AsyncVectorEnv": lambda: peer("AsyncVectorEnv", id),
            "bridge, two processes": lambda: ours(id, 2),
        }
        rates = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, measure in ways.items():
                rates[name].append(measure())
        sync = max(rates["SyncVectorEnv"])
        print(f"{id}, {VECTOR} environments, best of {ROUNDS} rounds of {SECONDS} s")
        for name, all_rates in rates.items():
            best, median = max(all_rates), sorted(all_rates)[len(all_rates) // 2]
            print(f"  {name:<22} {best:>10,.0f} steps/s, {best / sync:.2f}x SyncVectorEnv (median {median:,.0f})")


main()
