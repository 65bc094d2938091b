"""The `imitation` package on demonstrations that Heirloom recorded: BC, DAgger, GAIL and AIRL with the settings of its tutorials.

    imitation_side.py --method gail --set target/imitation-side/cartpole --env CartPole-v1 --expert policies/cartpole --steps 100000 --seed 1

`steps` are environment steps, for bc epochs. Prints the mean return of 20 episodes of the last policy, most probable action, and the wall time.
"""
import glob, json, os, struct, tempfile, warnings
warnings.filterwarnings("ignore")
import gymnasium as gym, numpy as np, pyarrow.parquet as pq, torch
from common import parser, Clock, out
from imitation.algorithms import bc
from imitation.algorithms.adversarial.airl import AIRL
from imitation.algorithms.adversarial.gail import GAIL
from imitation.algorithms.dagger import SimpleDAggerTrainer
from imitation.data.types import Trajectory
from imitation.data.wrappers import RolloutInfoWrapper
from imitation.policies.base import NonTrainablePolicy
from imitation.rewards.reward_nets import BasicRewardNet, BasicShapedRewardNet
from imitation.util import logger
from imitation.util.networks import RunningNorm
from imitation.util.util import make_vec_env
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.ppo import MlpPolicy

p = parser(); p.add_argument("--method"); p.add_argument("--set"); p.add_argument("--env"); p.add_argument("--expert"); a = p.parse_args()
torch.set_num_threads(a.threads); rng = np.random.default_rng(a.seed)
silent = logger.configure(tempfile.mkdtemp(), [])
venv = make_vec_env(a.env, n_envs=8, rng=rng, post_wrappers=[lambda env, _: RolloutInfoWrapper(env)])
discrete = isinstance(venv.action_space, gym.spaces.Discrete)


def trajectories():
    """Our Parquet as its trajectories: a row an observation, the last one of an episode without an action."""
    found = []
    for part in sorted(glob.glob(os.path.join(a.set, "part-*.parquet"))):
        table = pq.read_table(part)
        column = lambda name: table[name].to_numpy()
        observation = np.stack([column(name) for name in table.column_names if name.startswith("observation.")], 1).astype(np.float32)
        names = [name for name in table.column_names if name == "action" or name.startswith("action.")]
        action = np.stack([column(name) for name in names], 1)
        ends = np.flatnonzero(np.isnan(column("reward")))
        for start, end in zip(np.concatenate([[0], ends[:-1] + 1]), ends):
            taken = action[start:end, 0].astype(int) if discrete else action[start:end].astype(np.float32)
            found.append(Trajectory(obs=observation[start:end + 1], acts=taken, infos=None, terminal=bool(table["terminated"][end - 1].as_py())))
    return found


class Expert(NonTrainablePolicy):
    """A policy of ours, from its safetensors: tanh layers, the most probable action, or the mean in units of the bounds."""

    def __init__(self, folder, observation_space, action_space):
        super().__init__(observation_space, action_space)
        data = open(os.path.join(folder, "weights.safetensors"), "rb").read()
        length = struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:8 + length])
        tensor = lambda name: np.frombuffer(data[8 + length:], np.float32, int(np.prod(header[name]["shape"])), header[name]["data_offsets"][0]).reshape(header[name]["shape"])
        self.layers = [(tensor(f"actor.{layer}.weight"), tensor(f"actor.{layer}.bias")) for layer in ("0", "1", "head")]

    def _choose_action(self, obs):
        for weight, bias in self.layers[:-1]:
            obs = np.tanh(weight @ obs + bias)
        output = self.layers[-1][0] @ obs + self.layers[-1][1]
        if discrete:
            return int(output.argmax())
        low, high = self.action_space.low, self.action_space.high
        return np.clip(low + (output + 1) / 2 * (high - low), low, high)


def bc_trainer(demonstrations):
    return bc.BC(observation_space=venv.observation_space, action_space=venv.action_space, demonstrations=demonstrations, rng=rng, custom_logger=silent, device="cpu")


demonstrations = trajectories()
with Clock() as clock:
    if a.method == "bc":
        trainer = bc_trainer(demonstrations)
        trainer.train(n_epochs=a.steps, progress_bar=False, log_interval=10**9)
        policy = trainer.policy
    elif a.method == "dagger":
        expert = Expert(a.expert, venv.observation_space, venv.action_space)
        trainer = SimpleDAggerTrainer(venv=venv, scratch_dir=tempfile.mkdtemp(), expert_policy=expert, bc_trainer=bc_trainer(None), rng=rng)
        # Its default on CartPole; actions that are continuous take longer to clone.
        trainer.train(a.steps, bc_train_kwargs={"n_epochs": 4 if discrete else 40, "progress_bar": False, "log_interval": 10**9})
        policy = trainer.policy
    else:
        # CartPole: tutorials 3 and 4 of its documentation. Pendulum: PPO as rl-baselines3-zoo has it. AIRL's batch is no larger than the demonstrations.
        gail = a.method == "gail"
        transitions = sum(map(len, demonstrations))
        tuned = dict(learning_rate=0.0004) if gail else dict(learning_rate=0.0005, clip_range=0.1, vf_coef=0.1)
        tuned = dict(tuned, gamma=0.95, n_epochs=5) if discrete else dict(gamma=0.9, n_epochs=10, n_steps=512, learning_rate=0.001)
        learner = PPO(env=venv, policy=MlpPolicy, batch_size=64, ent_coef=0.0, seed=a.seed, device="cpu", **tuned)
        net = (BasicRewardNet if gail else BasicShapedRewardNet)(observation_space=venv.observation_space, action_space=venv.action_space, normalize_input_layer=RunningNorm)
        trainer = (GAIL if gail else AIRL)(
            demonstrations=demonstrations, demo_batch_size=min(1024 if gail else 2048, transitions), gen_replay_buffer_capacity=512,
            n_disc_updates_per_round=8 if gail else 16, venv=venv, gen_algo=learner, reward_net=net, allow_variable_horizon=True, custom_logger=silent)
        trainer.train(a.steps)
        policy = learner.policy
mean, _ = evaluate_policy(policy, make_vec_env(a.env, n_envs=1, rng=np.random.default_rng(1000 + a.seed)), 20)
out("imitation", f"{a.method}:{a.env}", a.steps, clock, mean, seed=a.seed)
