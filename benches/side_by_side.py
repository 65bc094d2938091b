#!/usr/bin/env python3
"""Heirloom and its peers on the same work, in turn, on this machine: medians and ratios.

    python3 benches/side_by_side.py [--reps 5] [--only ppo-a] [--out FILE.jsonl]

Needs the peers' virtual environments (benches/peers/setup.sh, some 12 GB; HEIRLOOM_PEERS says where) and `cargo bench --no-run`. Repetitions
run configuration by configuration, so that a change of the machine's load meets all alike; every line is kept in --out.
"""
import argparse, json, os, statistics, subprocess, sys, time

here = os.path.dirname(os.path.abspath(__file__))
peers = os.environ.get("HEIRLOOM_PEERS", os.path.expanduser("~/.cache/heirloom-peers"))
options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
options.add_argument("--reps", type=int, default=5)
options.add_argument("--only", default="")
options.add_argument("--out", default="side-by-side.jsonl")
options = options.parse_args()


def ours():
    """The path of the compiled bench, from cargo itself."""
    lines = subprocess.run(["cargo", "bench", "--no-run", "--bench", "speed", "--message-format=json"], cwd=os.path.dirname(here), capture_output=True, text=True, check=True).stdout
    return next(m["executable"] for m in map(json.loads, lines.splitlines()) if m.get("executable") and m["target"]["name"] == "speed")


HEIRLOOM = ours()
TORCH, JAX, IMITATION = (os.path.join(peers, v, "bin", "python") for v in ("torch", "jax", "imitation"))
speed = lambda text: [HEIRLOOM, *text.split()]
peer = lambda python, text: [python, os.path.join(here, "peers", text.split()[0]), *text.split()[1:]]
# name of the work -> [(who, command), ...]; ours first. The figure compared is steps per second unless `key` says otherwise.
WORK = {
    "env-step": ("steps_per_second", [
        ("heirloom 2 threads", speed("env-step --steps 60000000 --threads 2")), ("heirloom 1 thread", speed("env-step --steps 30000000 --threads 1")),
        ("bare loop", speed("bare-loop --steps 40000000 --threads 1")), ("gymnax jitted", peer(JAX, "env_step.py --peer gymnax --task CartPole-v1 --envs 1024 --steps 3000000 --threads 2")),
        ("EnvPool", peer(TORCH, "env_step.py --peer envpool --task CartPole-v1 --envs 2048 --steps 2000000 --threads 2")),
        ("Gymnasium", peer(TORCH, "env_step.py --peer gymnasium-single --task CartPole-v1 --steps 100000"))]),
    "ppo-a": ("steps_per_second", [
        ("heirloom 2 threads", speed("ppo --setting a --steps 1500000 --threads 2")), ("heirloom 1 thread", speed("ppo --setting a --steps 1000000 --threads 1")),
        ("JAX", peer(JAX, "jax_ppo.py --setting a --steps 400000 --threads 2")), ("PyTorch loop", peer(TORCH, "torch_ppo.py --backend envpool --steps 60000")),
        ("Stable-Baselines3", peer(TORCH, "sb3_rl.py --steps 40000")), ("SBX", peer(JAX, "sb3_rl.py --lib sbx --steps 40000"))]),
    "ppo-b": ("steps_per_second", [
        ("heirloom 2 threads", speed("ppo --setting b --steps 6000000 --threads 2")), ("heirloom 1 thread", speed("ppo --setting b --steps 4000000 --threads 1")),
        ("JAX", peer(JAX, "jax_ppo.py --setting b --steps 2000000 --threads 2")), ("PyTorch loop + EnvPool", peer(TORCH, "torch_ppo.py --setting b --steps 1000000 --threads 2")),
        ("Stable-Baselines3", peer(TORCH, "sb3_rl.py --setting b --steps 200000 --threads 2"))]),
    "time-to-475": ("seconds_to_target", [
        ("heirloom 2 threads", speed("ppo --setting a --steps 2000000 --target 475 --threads 2")), ("JAX without compilation", peer(JAX, "jax_ppo.py --setting a --steps 400000 --target 475 --threads 2")),
        ("PyTorch loop", peer(TORCH, "torch_ppo.py --backend gym --steps 600000 --target 475"))]),
    "infer-1": ("p50_us", [
        ("heirloom", speed("infer --envs 1 --steps 200000 --threads 1")), ("NumPy", peer(TORCH, "infer.py --lib numpy --envs 1 --steps 10000")),
        ("ONNX Runtime", peer(TORCH, "infer.py --lib onnxruntime --envs 1 --steps 10000"))]),
    "infer-256": ("p50_us", [
        ("heirloom", speed("infer --envs 256 --steps 20000 --threads 1")), ("ONNX Runtime", peer(TORCH, "infer.py --lib onnxruntime --envs 256 --steps 10000")),
        ("NumPy", peer(TORCH, "infer.py --lib numpy --envs 256 --steps 5000"))]),
    "bc": ("steps_per_second", [
        ("heirloom 2 threads", speed("cloning --steps 3000000 --threads 2")), ("heirloom 1 thread", speed("cloning --steps 2000000 --threads 1")),
        ("PyTorch loop", peer(TORCH, "bc.py --steps 768000 --threads 1")), ("PyTorch loop, 2 threads", peer(TORCH, "bc.py --steps 768000 --threads 2")),
        ("imitation", peer(IMITATION, "bc.py --lib imitation --steps 128000 --threads 1"))]),
    "demo-load": ("median_seconds", [
        ("heirloom 2 threads", speed("demo-load --threads 2")), ("pyarrow, 2 threads", peer(TORCH, "read_table.py --threads 2")),
        ("heirloom 1 thread", speed("demo-load --threads 1")), ("pyarrow, 1 thread", peer(TORCH, "read_table.py --threads 1"))]),
    "demo-record": ("recording", [
        (f"heirloom {task}, {threads} thread(s)", speed(f"demo-record --setting {task} --threads {threads} --steps 1000000")) for task in ("cartpole", "pendulum") for threads in (1, 2)]),
    "maml": ("steps_per_second", [
        ("heirloom 2 threads", speed("maml --steps 20 --threads 2")), ("heirloom 1 thread", speed("maml --steps 10 --threads 1")),
        ("JAX", peer(JAX, "maml.py --lib jax --steps 4 --threads 2")), ("torch.func, 2 threads", peer(TORCH, "maml.py --lib func --steps 3 --threads 2")),
        ("torch.func, 1 thread", peer(TORCH, "maml.py --lib func --steps 3 --threads 1"))]),
    **{f"robots-{name}": ("steps_per_second", [
        ("heirloom 1 thread", speed(f"env-step --env {name} --envs 64 --steps {steps} --threads 1")),
        ("plain mj_step loop", peer(TORCH, f"env_step.py --peer mjstep --task {task}-v5 --steps {steps} --threads 1")),
        ("EnvPool, 1 thread", peer(TORCH, f"env_step.py --peer envpool --task {task}-v4 --envs 64 --steps {steps} --threads 1")),
        ("heirloom 2 threads", speed(f"env-step --env {name} --envs 64 --steps {2 * steps} --threads 2")),
        ("EnvPool, 2 threads", peer(TORCH, f"env_step.py --peer envpool --task {task}-v4 --envs 64 --steps {2 * steps} --threads 2")),
        ("Gymnasium", peer(TORCH, f"env_step.py --peer gymnasium-single --task {task}-v5 --steps {steps // 2}"))])
        for name, task, steps in (("half_cheetah", "HalfCheetah", 128000), ("hopper", "Hopper", 64000), ("walker2d", "Walker2d", 48000), ("ant", "Ant", 24000))},
    "robot-ppo-a": ("steps_per_second", [
        ("heirloom 2 threads", speed("ppo --env half_cheetah --setting a --steps 100000 --threads 2")), ("heirloom 1 thread", speed("ppo --env half_cheetah --setting a --steps 60000 --threads 1")),
        ("PyTorch loop", peer(TORCH, "torch_ppo.py --task halfcheetah-ppo --setting a --backend gym --steps 12000 --threads 1")),
        ("Stable-Baselines3", peer(TORCH, "sb3_rl.py --task halfcheetah-ppo --setting a --steps 10000")), ("SBX", peer(JAX, "sb3_rl.py --lib sbx --task halfcheetah-ppo --setting a --steps 10000"))]),
    "robot-ppo-b": ("steps_per_second", [
        ("heirloom 2 threads", speed("ppo --env half_cheetah --setting b --steps 500000 --threads 2")), ("heirloom 1 thread", speed("ppo --env half_cheetah --setting b --steps 250000 --threads 1")),
        ("PyTorch loop + EnvPool", peer(TORCH, "torch_ppo.py --task halfcheetah-ppo --setting b --steps 150000 --threads 2")),
        ("Stable-Baselines3", peer(TORCH, "sb3_rl.py --task halfcheetah-ppo --setting b --steps 80000 --threads 2")), ("SBX", peer(JAX, "sb3_rl.py --lib sbx --task halfcheetah-ppo --setting b --steps 80000"))]),
    "robot-sac": ("steps_per_second", [
        ("heirloom 2 threads", speed("sac --env half_cheetah --steps 2000 --threads 2")), ("heirloom 1 thread", speed("sac --env half_cheetah --steps 1500 --threads 1")),
        ("PyTorch loop, 1 thread", peer(TORCH, "torch_sac.py --steps 800 --threads 1")), ("PyTorch loop, 2 threads", peer(TORCH, "torch_sac.py --steps 800 --threads 2")),
        ("SBX, both cores", peer(JAX, "sb3_rl.py --lib sbx --task halfcheetah-sac --steps 1500 --threads 2")),
        ("Stable-Baselines3", peer(TORCH, "sb3_rl.py --task halfcheetah-sac --steps 600"))]),
    "limits": ("sgemm_1024_gflops", [("sgemm, one core", peer(TORCH, "limits.py --threads 1"))]),
    "memory": ("bytes_per_100k_steps", [("heirloom", speed("memory --steps 1000000"))]),
}
environment = dict(os.environ, PYTHONWARNINGS="ignore", PYTHONDONTWRITEBYTECODE="1", OMP_WAIT_POLICY="passive")
found = {}
for repetition in range(options.reps):
    for work, (key, rows) in WORK.items():
        if options.only not in work or work in ("limits", "memory") and repetition >= 3:
            continue
        for who, command in rows:
            began = time.time()
            ran = subprocess.run([*command, "--seed", str(repetition + 1)], env=environment, capture_output=True, text=True, timeout=600)
            lines = [line for line in ran.stdout.splitlines() if line.startswith("{")]
            if not lines:
                print("FAILED", work, who, ran.stderr[-300:], file=sys.stderr)
                continue
            line = dict(json.loads(lines[-1]), work=work, who=who, repetition=repetition)
            with open(options.out, "a") as out:
                out.write(json.dumps(line) + "\n")
            found.setdefault((work, who), []).append(line)
            print(f"{repetition} {time.time() - began:6.1f} s  {work:12s} {who:26s} {line.get(key)}", file=sys.stderr, flush=True)

median = lambda lines, key: statistics.median([line[key] for line in lines if line.get(key) is not None] or [float("nan")])
print(f"| work | who | {'median':>12} | ratio of ours | per CPU second |\n|---|---|---|---|---|")
for work, (key, rows) in WORK.items():
    first = None
    for who, _ in rows:
        lines = found.get((work, who))
        if not lines:
            continue
        value = median(lines, key)
        first = value if first is None else first
        ratio = first / value if key == "steps_per_second" else value / first
        cpu = statistics.median([line["steps"] / line["cpu_seconds"] for line in lines if line.get("cpu_seconds")] or [float("nan")])
        print(f"| {work} | {who} | {value:12.5g} | {ratio:.2f} | {cpu:.4g} |")
    if work == "demo-record" and any((work, who) in found for who, _ in rows):
        for who, _ in rows:
            acting, cost = (median(found.get((work, who), []), key) for key in ("acting", "cost"))
            print(f"| recording, what it costs | {who} | {cost:12.1%} | of {acting:.4g} steps/s of acting alone | |")
    if work == "ppo-b" and (work, "heirloom 1 thread") in found and ("limits", "sgemm, one core") in found:
        gflops, limit = median(found[(work, "heirloom 1 thread")], "update_gflops"), median(found[("limits", "sgemm, one core")], "sgemm_1024_gflops")
        print(f"| PPO update, share of sgemm | one core | {gflops:.1f} of {limit:.1f} GFLOP/s | {gflops / limit:.2f} | |")
