"""What Stable-Baselines3 (PPO, rl-baselines3-zoo's settings) and SBX (SAC, the settings of ours) learn on MuJoCo's v5 robots: the last policy over 100 episodes,
and the mean over 20 at every mark.

    python sb3_learn.py --robot hopper --seed 0                                  # PPO, a million steps
    python sb3_learn.py --algo sac --robot half_cheetah --steps 200000 --seed 0   # SBX's SAC
"""
import argparse, json, os, time, numpy as np

p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
p.add_argument("--algo", default="ppo", choices=["ppo", "sac"])
p.add_argument("--robot", default="half_cheetah", choices=["half_cheetah", "hopper", "walker2d", "ant"])
p.add_argument("--steps", type=int, default=1_000_000)
p.add_argument("--marks", type=int, nargs="*", default=[50_000, 100_000, 200_000, 500_000])
p.add_argument("--seed", type=int, default=0)
a = p.parse_args()
import torch, gymnasium as gym
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

torch.set_num_threads(1)
NAME = {"half_cheetah": "HalfCheetah-v5", "hopper": "Hopper-v5", "walker2d": "Walker2d-v5", "ant": "Ant-v5"}[a.robot]
WIDE = dict(log_std_init=-2, ortho_init=False, activation_fn=torch.nn.ReLU, net_arch=dict(pi=[256, 256], vf=[256, 256]))
# rl-baselines3-zoo's ppo.yml; all with normalised observations and rewards and one environment. Its tuned block for Ant is commented out there.
ZOO = {
    "half_cheetah": dict(batch_size=64, n_steps=512, gamma=.98, learning_rate=2.0633e-5, ent_coef=.000401762, clip_range=.1, n_epochs=20, gae_lambda=.92, max_grad_norm=.8, vf_coef=.58096, policy_kwargs=WIDE),
    "hopper": dict(batch_size=32, n_steps=512, gamma=.999, learning_rate=9.80828e-5, ent_coef=.00229519, clip_range=.2, n_epochs=5, gae_lambda=.99, max_grad_norm=.7, vf_coef=.835671, policy_kwargs=WIDE),
    "walker2d": dict(batch_size=32, n_steps=512, gamma=.99, learning_rate=5.05041e-5, ent_coef=.000585045, clip_range=.1, n_epochs=20, gae_lambda=.95, max_grad_norm=1, vf_coef=.871923),
    "ant": {},
}
env = VecMonitor(DummyVecEnv([lambda: gym.make(NAME)]))
if a.algo == "ppo":
    from stable_baselines3 import PPO
    env = VecNormalize(env, gamma=ZOO[a.robot].get("gamma", .99))
    model = PPO("MlpPolicy", env, seed=a.seed, device="cpu", **ZOO[a.robot])
else:
    from sbx import SAC
    model = SAC("MlpPolicy", env, learning_starts=10_000, seed=a.seed)


def measure(episodes, seed=1_000_000):
    """Mean return of the deterministic policy, with what normalises observations left as it is."""
    other, totals = gym.make(NAME), []
    for episode in range(episodes):
        observation, over, total = other.reset(seed=seed + episode)[0], False, 0.0
        while not over:
            seen = env.normalize_obs(observation) if a.algo == "ppo" else observation
            observation, reward, terminated, truncated, _ = other.step(model.predict(seen, deterministic=True)[0])
            total, over = total + reward, terminated or truncated
        totals.append(total)
    return float(np.mean(totals))


class Marks(BaseCallback):
    def __init__(self):
        super().__init__()
        self.left, self.curve = sorted(a.marks), []

    def _on_step(self):
        if self.left and self.num_timesteps >= self.left[0]:
            self.left.pop(0)
            self.curve.append([self.num_timesteps, round(measure(20), 1)])
            print(json.dumps({"robot": a.robot, "seed": a.seed, "curve": self.curve}), flush=True)
        return True


began, marks = time.time(), Marks()
model.learn(a.steps, callback=marks)
print(json.dumps({"peer": "sb3" if a.algo == "ppo" else "sbx", "algo": a.algo, "robot": a.robot, "seed": a.seed, "steps": a.steps, "mean": round(measure(100), 1), "curve": marks.curve, "seconds": round(time.time() - began)}))
