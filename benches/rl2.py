#!/usr/bin/env python3
"""RL² at bandits with ten pulls (Duan et al. 2016, table 1), beside what is known about them.

    python3 benches/rl2.py [--arms 5] [--seeds 3] [--tasks 10000] [--steps N] [--out runs/rl2] [--set rl2.memory=128 ...]

Every seed is a run folder of its own, made by `heirloom meta bandit_ARMS_trial --method rl2`; one that is finished is only read. Its policy is measured
in fresh tasks with the most probable actions and with drawn ones; the first 1,000 of them stand apart, because that is what the paper takes. The
baselines are expectations over all tasks: exact, by recursion over the posteriors, but for Thompson sampling, which is simulated.
Exit code 1 when a figure is missed.
"""
import argparse, functools, json, math, os, random, subprocess, sys

root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--arms", type=int, nargs="+", default=[5])
options.add_argument("--seeds", type=int, default=3)
options.add_argument("--tasks", type=int, default=10_000)
options.add_argument("--steps", type=int)
options.add_argument("--threads", type=int, default=os.cpu_count())
options.add_argument("--out", default="runs/rl2")
options.add_argument("--set", action="append", default=[])
options = options.parse_args()
PULLS = 10
# What the paper reports, RL² and Gittins' index, where there is a figure to reach.
REPORTED = {5: (6.7, 6.6), 10: (6.7, 6.6), 50: (6.8, 6.5)}
sys.setrecursionlimit(10_000)


def posterior(arm):
    return (1 + arm[0]) / (2 + arm[0] + arm[1])


def earned(arms, choose):
    """Expected reward of a rule that sees the posteriors: `choose(arms touched, whether more are left, pulls left)` gives the arm to pull.
    Arms are (successes, failures) from a uniform prior; those that were not touched are alike."""
    @functools.lru_cache(None)
    def value(touched, left):
        if left == 0:
            return 0.0
        arm = choose(touched, len(touched) < arms, left)
        return pull(touched, arm, left, value)
    return value((), PULLS)


def pull(touched, arm, left, value):
    rest = list(touched)
    if arm in rest:
        rest.remove(arm)
    pays = posterior(arm)
    won = tuple(sorted(rest + [(arm[0] + 1, arm[1])]))
    lost = tuple(sorted(rest + [(arm[0], arm[1] + 1)]))
    return pays * (1 + value(won, left - 1)) + (1 - pays) * value(lost, left - 1)


def options_of(touched, more):
    return sorted(set(touched)) + ([(0, 0)] if more else [])


def best(arms):
    """The most that any rule can expect: dynamic programming over all posteriors."""
    @functools.lru_cache(None)
    def value(touched, left):
        if left == 0:
            return 0.0
        return max(pull(touched, arm, left, value) for arm in options_of(touched, len(touched) < arms))
    return value((), PULLS)


@functools.lru_cache(None)
def gittins(arm, left):
    """The known arm that is worth as much as this one with so many pulls left: bisection on optimal stopping."""
    low, high = posterior(arm), 1.0
    for _ in range(30):
        known = (low + high) / 2
        @functools.lru_cache(None)
        def value(wins, losses, left):
            if left == 0:
                return 0.0
            pays = (1 + wins) / (2 + wins + losses)
            return max(known * left, pays * (1 + value(wins + 1, losses, left - 1)) + (1 - pays) * value(wins, losses + 1, left - 1))
        low, high = (known, high) if value(*arm, left) > known * left + 1e-12 else (low, known)
    return low


def by_index(touched, more, left):
    return max(options_of(touched, more), key=lambda arm: gittins(arm, left))


def greedy(touched, more, left):
    return max(options_of(touched, more), key=posterior)


def ucb1(width):
    """With the posterior's mean and counts, so that not every arm has to be pulled first: the paper tunes its width too."""
    def choose(touched, more, left):
        time = math.log(PULLS - left + 1)
        return max(options_of(touched, more), key=lambda arm: posterior(arm) + width * math.sqrt(time / (2 + sum(arm))))
    return choose


def thompson(arms, trials=50_000):
    generator, total = random.Random(0), 0
    for _ in range(trials):
        means = [generator.random() for _ in range(arms)]
        seen = [[1, 1] for _ in range(arms)]
        for _ in range(PULLS):
            arm = max(range(arms), key=lambda arm: generator.betavariate(*seen[arm]))
            pays = generator.random() < means[arm]
            seen[arm][0 if pays else 1] += 1
            total += pays
    return total / trials


def ran(command):
    finished = subprocess.run([os.path.join(root, "target/release/heirloom"), *command], capture_output=True, text=True)
    if finished.returncode:
        sys.exit(f"{' '.join(command)}\n{finished.stderr}")
    return json.loads(finished.stdout)


def cell(arms, seed):
    out = os.path.join(options.out, f"bandit-{arms}-{seed}")
    environment = f"bandit_{arms}_trial"
    if not os.path.exists(os.path.join(out, "policy")):
        command = ["meta", environment, "--method", "rl2", "--seed", str(seed), "--threads", str(options.threads), "--json", "--evaluations", "5", "--episodes", "1000", "--out", out]
        command += ["--steps", str(options.steps)] if options.steps else []
        command += [part for change in options.set for part in ("--set", change)]
        command += ["--resume"] if os.path.exists(os.path.join(out, "run.ron")) else []
        seconds = ran(command)["seconds"]
    measured = [ran(["evaluate", out, environment, "--episodes", str(options.tasks), "--seed", "1000003", "--json", *how])["returns"] for how in ([], ["--stochastic"])]
    return seconds, measured


missed = False
for arms in options.arms:
    print(f"\n{arms} arms, {PULLS} pulls: expected total reward")
    print(f"  random {PULLS / 2:.3f}, Thompson {thompson(arms):.3f}, greedy {earned(arms, greedy):.3f}, UCB1 {max(earned(arms, ucb1(width / 10)) for width in range(0, 15)):.3f} (best width)")
    optimum = best(arms)
    print(f"  Gittins' index {earned(arms, by_index):.3f}, Bayes-optimal {optimum:.3f}; the paper reports RL² {REPORTED[arms][0]}, Gittins {REPORTED[arms][1]}", flush=True)
    means = []
    for seed in range(options.seeds):
        seconds, (mode, drawn) = cell(arms, seed)
        mean = lambda values: sum(values) / len(values)
        half = 1.96 * (sum((value - mean(mode)) ** 2 for value in mode) / (len(mode) - 1) / len(mode)) ** 0.5
        means.append(mean(mode))
        print(f"  RL², seed {seed}: {mean(mode):.3f} +- {half:.3f} over {len(mode):,} fresh tasks, {mean(mode[:1000]):.3f} over the first 1,000; actions drawn {mean(drawn):.3f}; {seconds:.0f} s", flush=True)
    reached = sum(means) / len(means)
    verdict = "reached" if arms != 5 or reached >= 0.98 * REPORTED[arms][0] else "MISSED"
    missed |= verdict == "MISSED"
    print(f"  RL², all seeds: {reached:.3f}, {100 * reached / optimum:.1f} % of what can be had{'; to reach: 6.7 within 2 %: ' + verdict if arms == 5 else ''}")
sys.exit(1 if missed else 0)
