"""Records policies of other programs as `tools/export_policy.py` takes them out: `python record.py`, with torch==2.13.0, stable-baselines3==2.9.2 and
gymnasium==1.4.0 (pygame is not needed).

Four small policies after short training, each a folder in data/ with 200 recorded pairs: PPO with VecNormalize and SAC on Pendulum-v1, DQN on CartPole-v1,
and a state dict with the names of CleanRL's ppo_continuous_action.py for MountainCarContinuous-v0, observations drawn. `tests/import.rs` imports them.
"""
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from stable_baselines3 import DQN, PPO, SAC
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import VecNormalize
from torch import nn

HERE = Path(__file__).resolve().parent
EXPORT = HERE.parent.parent.parent / "tools" / "export_policy.py"


def export(name, *arguments):
    subprocess.run([sys.executable, EXPORT, *arguments, "--rows", "200", "--out", HERE / "data" / name], check=True)


def cleanrl():
    """CleanRL's agent, layer by layer, for two channels and one action; far from its initial values, so that something shows."""
    torch.manual_seed(0)
    network = lambda outputs: nn.Sequential(nn.Linear(2, 12), nn.Tanh(), nn.Linear(12, 10), nn.Tanh(), nn.Linear(10, outputs))
    agent = nn.Module()
    agent.critic, agent.actor_mean = network(1), network(1)
    agent.actor_logstd = nn.Parameter(torch.full((1, 1), -0.7))
    with torch.no_grad():
        agent.actor_mean[-1].weight.mul_(6.0)
    return agent.state_dict()


def main():
    torch.set_num_threads(1)
    # Anew for each: some of them write into it.
    small = lambda: {"net_arch": [16, 12]}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        env = VecNormalize(make_vec_env("Pendulum-v1", 4, seed=0))
        PPO("MlpPolicy", env, n_steps=256, batch_size=64, policy_kwargs=small(), seed=0, device="cpu").learn(8192).save(folder / "ppo.zip")
        env.save(folder / "vecnormalize.pkl")
        export("ppo", "sb3", folder / "ppo.zip", "--algorithm", "PPO", "--vecnormalize", folder / "vecnormalize.pkl", "--env", "Pendulum-v1")
        SAC("MlpPolicy", "Pendulum-v1", learning_starts=200, policy_kwargs=small(), seed=0, device="cpu").learn(1500).save(folder / "sac.zip")
        export("sac", "sb3", folder / "sac.zip", "--algorithm", "SAC", "--env", "Pendulum-v1")
        zoo = {"learning_rate": 2.3e-3, "batch_size": 64, "train_freq": 256, "gradient_steps": 128, "target_update_interval": 10, "learning_starts": 500}
        DQN("MlpPolicy", "CartPole-v1", policy_kwargs=small(), seed=0, device="cpu", **zoo).learn(8000).save(folder / "dqn.zip")
        export("dqn", "sb3", folder / "dqn.zip", "--algorithm", "DQN", "--env", "CartPole-v1")
        torch.save(cleanrl(), folder / "agent.cleanrl_model")
        moments = {"mean": [-0.5, 0.0], "var": [0.04, 0.0009], "count": 10000.0}
        (folder / "moments.json").write_text(json.dumps(moments))
        plain = ["--activation", "tanh", "--head", "gaussian", "--low=-1", "--high=1", "--normalizer", folder / "moments.json", "--algorithm", "PPO"]
        export("cleanrl", "torch", folder / "agent.cleanrl_model", *plain)


if __name__ == "__main__":
    main()
