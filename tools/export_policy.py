#!/usr/bin/env python3
"""Takes a trained policy out of Stable-Baselines3, CleanRL or plain PyTorch, for `heirloom policies import`.

It runs in the Python that the policy was trained in and needs nothing but torch, numpy and, for sb3, stable-baselines3. It writes a folder:

  exported.ron          what the policy is: networks, activation, head, bounds, normaliser, where it comes from
  weights.safetensors   its networks, and the moments of its normaliser
  pairs.safetensors     1,000 raw observations, and the deterministic action that the environment is given for each

With --env the observations are those of episodes of the policy, in which one action of ten is random so that they spread; without, they are
drawn. Actions are computed in double precision by the policy's own modules and, for sb3, held against its `predict`. A state dict has no modules:
its pairs show that it came over as --map, --activation and --head say, and not that they say the right thing; compare a return as well.

What comes over: MLPs with tanh, ReLU, ELU, SiLU or GELU between the layers; actor and critic apart (PPO, A2C), or an actor alone (SAC, TD3,
DDPG, DQN); observations that are one Box, actions that are one Box or Discrete; VecNormalize as it comes, with clip_obs=10. What does not is
refused by name: CNNs, shared trunks, recurrent networks, gSDE, Dict observations.

A ZIP OF STABLE-BASELINES3 AND A PICKLE OF VECNORMALIZE CAN EXECUTE CODE WHEN THEY ARE LOADED: run this on your own files only. State dicts of
PyTorch are loaded with weights_only=True and cannot. What is written cannot execute anything, wherever it is read.

Examples:
  python export_policy.py sb3 pendulum.zip --algorithm PPO --vecnormalize vecnormalize.pkl --env Pendulum-v1 --out exported
  python export_policy.py torch ppo_continuous_action.cleanrl_model --activation tanh --head gaussian --normalizer moments.json \\
      --env HalfCheetah-v4 --out exported
  python export_policy.py torch mine.pt --map 'actor.0=pi.l1,actor.head=pi.out,critic.0=v.l1,critic.head=v.out,log_std=pi.s' \\
      --activation relu --head gaussian --low=-1,-1 --high=1,1 --out exported
"""

import argparse
import copy
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn

FORMAT = 1
ACTIVATIONS = {nn.Tanh: "Tanh", nn.ReLU: "Relu", nn.ELU: "Elu", nn.SiLU: "Silu", nn.GELU: "Gelu"}
HEADS = {"categorical": "Categorical", "gaussian": "Gaussian", "squashed": "SquashedGaussian"}
# Where a policy explores by noise of its own or not at all: that of TD3 (Fujimoto et al. 2018).
EXPLORATION_NOISE = 0.1


def refuse(message):
    sys.exit(f"error: {message}")


@dataclass
class Moments:
    """Running mean and variance, and what is added to the variance."""

    mean: np.ndarray
    variance: np.ndarray
    count: float
    epsilon: float
    clip: float = 10.0

    def normalized(self, observations):
        """As VecNormalize does it, single precision at the end."""
        scaled = (observations - self.mean) / np.sqrt(self.variance + self.epsilon)
        return np.clip(scaled, -self.clip, self.clip).astype(np.float32)


@dataclass
class Policy:
    """What was found, by whatever trained it."""

    origin: str
    algorithm: str
    actor: nn.Module  # observations as the network sees them to outputs: logits, or means before any cut or tanh
    critic: object  # the same to values, or None
    head: str
    bounds: object  # [A, 2], or None for discrete actions
    log_std: object  # seen [B, O] to [A], or None for discrete actions
    observation_space: object = None  # of Gymnasium, or None
    normalizer: object = None
    returns: object = None
    predict: object = None  # raw observations [B, O] to actions, by the program that trained it, or None

    def seen(self, observations):
        return self.normalizer.normalized(observations) if self.normalizer else observations.astype(np.float32)

    def outputs(self, observations):
        with torch.no_grad():
            return self.exact(torch.as_tensor(self.seen(observations), dtype=torch.float64)).numpy()

    def act(self, observations):
        """Deterministic actions as the environment is given them: [B, A] within bounds, or indices [B]."""
        outputs = self.outputs(observations)
        if self.bounds is None:
            return outputs.argmax(axis=1)
        low, high = self.bounds[:, 0], self.bounds[:, 1]
        if self.head == "SquashedGaussian":
            return low + 0.5 * (np.tanh(outputs) + 1.0) * (high - low)
        return np.clip(outputs, low, high)

    def __post_init__(self):
        self.exact = copy.deepcopy(self.actor).double()


def layers(network, what):
    """Weights and biases of an MLP, and the name of its activation (None without hidden layers)."""
    leaves = [module for module in network.modules() if not list(module.children())]
    leaves = [module for module in leaves if not isinstance(module, (nn.Flatten, nn.Identity))]
    linear, between = leaves[0::2], leaves[1::2]
    odd = [module for module in linear if not isinstance(module, nn.Linear)] + [module for module in between if type(module) not in ACTIVATIONS]
    if odd or len(linear) != len(between) + 1:
        found = ", ".join(type(module).__name__ for module in leaves)
        refuse(f"the {what} is {found}: only linear layers with tanh, ReLU, ELU, SiLU or GELU between them come over")
    if any(module.alpha != 1.0 for module in between if isinstance(module, nn.ELU)):
        refuse(f"the {what} has an ELU whose alpha is not 1")
    if any(module.approximate != "none" for module in between if isinstance(module, nn.GELU)):
        refuse(f"the {what} has a GELU by approximation")
    names = {ACTIVATIONS[type(module)] for module in between}
    if len(names) > 1:
        refuse(f"the {what} has several activations ({', '.join(sorted(names))}): all must be the same")
    weights = [module.weight.detach().float().numpy() for module in linear]
    biases = [np.zeros(module.out_features, np.float32) if module.bias is None else module.bias.detach().float().numpy() for module in linear]
    return list(zip(weights, biases)), names.pop() if names else None


def from_sb3(arguments):
    import stable_baselines3
    from gymnasium import spaces
    from stable_baselines3.common.torch_layers import FlattenExtractor, MlpExtractor

    algorithm = arguments.algorithm.upper()
    model = getattr(stable_baselines3, algorithm).load(arguments.policy, device="cpu")
    policy, space = model.policy, model.observation_space
    if not isinstance(space, spaces.Box):
        refuse(f"observations are {type(space).__name__}: only one Box comes over (gymnasium.wrappers.FlattenObservation makes one)")
    if not isinstance(model.action_space, (spaces.Box, spaces.Discrete)):
        refuse(f"actions are {type(model.action_space).__name__}: only one Box or Discrete comes over")
    if getattr(model, "use_sde", False):
        refuse("it explores by gSDE, whose noise (of SAC: whose mean too) depends on the features; train it without `use_sde`")
    extractor = policy.features_extractor if algorithm in ("PPO", "A2C") else (policy.q_net if algorithm == "DQN" else policy.actor).features_extractor
    if type(extractor) is not FlattenExtractor:
        refuse(f"its features come from a {type(extractor).__name__}: only policies that see the observation itself (MlpPolicy) come over")
    critic, discrete = None, isinstance(model.action_space, spaces.Discrete)
    if algorithm in ("PPO", "A2C"):
        if type(policy.mlp_extractor) is not MlpExtractor:
            refuse(f"its trunk is a {type(policy.mlp_extractor).__name__}: actor and critic must have MLPs of their own")
        actor = nn.Sequential(policy.mlp_extractor.policy_net, policy.action_net)
        critic = nn.Sequential(policy.mlp_extractor.value_net, policy.value_net)
        head = "Categorical" if discrete else "Gaussian"
        log_std = None if discrete else lambda seen: policy.log_std.detach().float().numpy()
    elif algorithm == "DQN":
        actor, head, log_std = policy.q_net.q_net, "Categorical", None
    elif algorithm == "SAC":
        actor, head = nn.Sequential(policy.actor.latent_pi, policy.actor.mu), "SquashedGaussian"

        def log_std(seen):
            # It depends on the state; the mean over what was seen is its exploration here.
            with torch.no_grad():
                return policy.actor.log_std(policy.actor.latent_pi(torch.as_tensor(seen))).clamp(-20, 2).mean(0).numpy()

    else:
        if not isinstance(policy.actor.mu[-1], nn.Tanh):
            refuse("the actor does not end with tanh")
        actor, head = policy.actor.mu[:-1], "SquashedGaussian"
        log_std = lambda seen: np.full(model.action_space.shape, np.log(EXPLORATION_NOISE), np.float32)
    bounds = None
    if not discrete:
        bounds = np.stack([model.action_space.low.ravel(), model.action_space.high.ravel()], axis=1).astype(np.float64)
    normalizer, returns, wrapper = None, None, None
    if arguments.vecnormalize:
        import pickle

        with open(arguments.vecnormalize, "rb") as file:
            wrapper = pickle.load(file)
        of = lambda seen: Moments(np.ravel(seen.mean), np.ravel(seen.var), float(seen.count), float(wrapper.epsilon))
        if wrapper.norm_obs:
            normalizer = of(wrapper.obs_rms)
            normalizer.clip = float(wrapper.clip_obs)
        returns = of(wrapper.ret_rms) if wrapper.norm_reward else None

    def predict(observations):
        shaped = observations.astype(space.dtype).reshape(-1, *space.shape)
        return model.predict(wrapper.normalize_obs(shaped) if wrapper else shaped, deterministic=True)[0].reshape(len(observations), -1)

    origin = f"Stable-Baselines3 {stable_baselines3.__version__}, {Path(arguments.policy).name}"
    return Policy(origin, algorithm, actor, critic, head, bounds, log_std, space, normalizer, returns, predict)


def cleanrl_map(names):
    """The names of CleanRL's single files: PPO, DQN, and SAC, TD3 and DDPG."""
    numbered = lambda prefix: sorted({int(match[1]) for name in names if (match := re.fullmatch(rf"{prefix}\.(\d+)\.weight", name))})
    found = {}
    for ours, prefixes in [("actor", ["actor_mean", "actor", "network"]), ("critic", ["critic"])]:
        prefix = next((prefix for prefix in prefixes if numbered(prefix)), None)
        numbers = numbered(prefix) if prefix else []
        found |= {f"{ours}.{layer}": f"{prefix}.{number}" for layer, number in enumerate(numbers[:-1])}
        found |= {f"{ours}.head": f"{prefix}.{numbers[-1]}"} if numbers else {}
    last = next((name for name in ("fc_mean", "fc_mu") if f"{name}.weight" in names), None)
    if last and "fc1.weight" in names and "fc2.weight" in names:
        found |= {"actor.0": "fc1", "actor.1": "fc2", "actor.head": last}
    if "actor_logstd" in names:
        found["log_std"] = "actor_logstd"
    return found


def read_map(text):
    """A file of JSON, or `ours=theirs` with commas between."""
    if Path(text).is_file():
        return json.loads(Path(text).read_text())
    pairs = [pair.split("=", 1) for pair in text.replace("\n", ",").split(",") if pair.strip()]
    if any(len(pair) != 2 for pair in pairs):
        refuse(f"`--map {text}` is neither a file nor a list like actor.0=pi.l1,actor.head=pi.out")
    return {ours.strip(): theirs.strip() for ours, theirs in pairs}


def from_torch(arguments):
    state = torch.load(arguments.policy, weights_only=True, map_location="cpu")
    for key in arguments.key:
        state = state[int(key) if isinstance(state, (list, tuple)) else key]
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        inside = list(state) if isinstance(state, dict) else f"{len(state)} of them" if isinstance(state, (list, tuple)) else type(state).__name__
        refuse(f"this is no state dict; name the one inside with --key ({inside})")
    names = read_map(arguments.map) if arguments.map else cleanrl_map(state)

    def tensor(name):
        if name not in state:
            refuse(f"there is no tensor `{name}`; there are {', '.join(state)}")
        return state[name].float()

    def network(ours):
        hidden = [f"{ours}.{layer}" for layer in range(sum(re.fullmatch(rf"{ours}\.\d+", name) is not None for name in names))]
        if f"{ours}.head" not in names or any(layer not in names for layer in hidden):
            return None
        modules = []
        for layer in [*hidden, f"{ours}.head"]:
            weight = tensor(names[layer] + ".weight")
            linear = nn.Linear(weight.shape[1], weight.shape[0])
            linear.load_state_dict({"weight": weight, "bias": tensor(names[layer] + ".bias")})
            modules += [linear, activation()]
        return nn.Sequential(*modules[:-1])

    activation = {name.lower(): module for module, name in ACTIVATIONS.items()}[arguments.activation]
    actor, critic, head = network("actor"), network("critic"), HEADS[arguments.head]
    if actor is None:
        refuse(f"`--map` does not say which tensors the actor's are (actor.0, actor.1, ... actor.head); there are {', '.join(state)}")
    bounds = None
    if head != "Categorical":
        if arguments.low and arguments.high:
            low, high = ([float(number) for number in text.split(",")] for text in (arguments.low, arguments.high))
        elif arguments.env:
            space = make(arguments.env).action_space
            low, high = space.low.ravel(), space.high.ravel()
        elif {"action_scale", "action_bias"} <= set(state):
            scale, bias = tensor("action_scale").ravel().numpy(), tensor("action_bias").ravel().numpy()
            low, high = bias - scale, bias + scale
        else:
            refuse("the bounds of the actions are not known: name --env, or --low and --high")
        bounds = np.stack([low, high], axis=1).astype(np.float64)
    width = actor[-1].out_features
    spread = tensor(names["log_std"]).ravel().numpy() if "log_std" in names else np.full(width, np.log(EXPLORATION_NOISE), np.float32)
    log_std = None if head == "Categorical" else lambda seen: spread
    normalizer = None
    if arguments.normalizer:
        given = json.loads(Path(arguments.normalizer).read_text())
        mean, variance = (np.asarray(given[part], np.float64).ravel() for part in ("mean", "var"))
        normalizer = Moments(mean, variance, float(given["count"]), float(given.get("epsilon", 1e-8)), float(given.get("clip", 10.0)))
    origin = f"PyTorch {torch.__version__}, {Path(arguments.policy).name}"
    return Policy(origin, arguments.algorithm, actor, critic, head, bounds, log_std, normalizer=normalizer)


def make(name):
    import gymnasium

    return gymnasium.make(name)


def rolled_out(policy, name, rows, seed):
    """Observations of episodes, [rows, O], one action of ten random."""
    env = make(name)
    random = np.random.default_rng(seed)
    env.action_space.seed(seed)
    observations, (observation, _) = [], env.reset(seed=seed)
    while len(observations) < rows:
        observations.append(np.asarray(observation, np.float64).ravel())
        action = policy.act(observations[-1][None])[0]
        if policy.bounds is not None:
            action = action.reshape(env.action_space.shape).astype(env.action_space.dtype)
        action = env.action_space.sample() if random.random() < 0.1 else action
        observation, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            observation, _ = env.reset()
    return np.stack(observations)


def drawn(policy, inputs, rows, seed):
    """Observations that might be, [rows, O]: by the normaliser's moments, within bounds, or from a standard normal."""
    random = np.random.default_rng(seed)
    normal = random.standard_normal((rows, inputs))
    if policy.normalizer:
        return policy.normalizer.mean + np.sqrt(policy.normalizer.variance) * normal
    if policy.observation_space is not None:
        low, high = (np.ravel(bound).astype(np.float64) for bound in (policy.observation_space.low, policy.observation_space.high))
        bounded = (low > -1e6) & (high < 1e6)
        return np.where(bounded, random.uniform(np.where(bounded, low, 0), np.where(bounded, high, 1), (rows, inputs)), normal)
    return normal


def check_against(policy, observations, actions):
    """Ends the program where the one that trained the policy acts otherwise: something about it is of another form than it seems."""
    predicted = policy.predict(observations)
    if policy.bounds is None:
        outputs = policy.outputs(observations)
        rows = np.arange(len(actions))
        apart = (outputs[rows, actions] - outputs[rows, predicted.ravel()]) / np.maximum(1.0, np.abs(outputs[rows, actions]))
    else:
        reach = 0.5 * (policy.bounds[:, 1] - policy.bounds[:, 0])
        apart = np.abs(predicted - actions) / np.where(np.isfinite(reach), reach, 1.0)
    if not apart.max() < 1e-4:
        refuse(f"`predict` acts otherwise than the networks that were found, by up to {apart.max():.2g}: this form of policy does not come over")
    return float(apart.max())


def safetensors(tensors):
    """The bytes of a safetensors file: https://github.com/huggingface/safetensors#format."""
    kinds = {"float32": "F32", "float64": "F64", "uint64": "U64"}
    header, data = {}, []
    # What is aligned to eight bytes first.
    for name, array in sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0])):
        begin = sum(map(len, data))
        data.append(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes())
        header[name] = {"dtype": kinds[array.dtype.name], "shape": list(array.shape), "data_offsets": [begin, begin + len(data[-1])]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(data)


def ron(text):
    """A text as RON has it."""
    return '"' + "".join(f"\\u{{{ord(c):x}}}" if c in '"\\' or not c.isprintable() else c for c in text) + '"'


def write(policy, arguments):
    actor, activation = layers(policy.actor, "actor")
    critic, critic_activation = layers(policy.critic, "critic") if policy.critic is not None else (None, None)
    if activation and critic_activation and activation != critic_activation:
        refuse(f"actor and critic have different activations, {activation} and {critic_activation}")
    inputs, outputs = actor[0][0].shape[1], actor[-1][0].shape[0]
    if policy.normalizer and len(policy.normalizer.mean) != inputs:
        refuse(f"the normaliser is of {len(policy.normalizer.mean)} channels, the policy sees {inputs}")
    if policy.bounds is not None and len(policy.bounds) != outputs:
        refuse(f"there are bounds of {len(policy.bounds)} actions, the policy gives {outputs}")
    observations = (
        rolled_out(policy, arguments.env, arguments.rows, arguments.seed) if arguments.env else drawn(policy, inputs, arguments.rows, arguments.seed)
    )
    actions = policy.act(observations)
    if policy.predict:
        apart = check_against(policy, observations, actions)
        print(f"`predict` gives the same actions, in single precision: they differ by {apart:.1e} at most", file=sys.stderr)

    tensors = {}
    for network, found in [("actor", actor), ("critic", critic or [])]:
        for index, (weight, bias) in enumerate(found):
            name = f"{network}.head" if index == len(found) - 1 else f"{network}.{index}"
            tensors |= {f"{name}.weight": weight, f"{name}.bias": bias}
    if policy.log_std:
        tensors["log_std"] = policy.log_std(policy.seen(observations)).astype(np.float32).ravel()
    for name, moments in [("normalizer", policy.normalizer), ("returns", policy.returns)]:
        if moments:
            tensors |= {f"{name}.mean": moments.mean.astype(np.float64), f"{name}.variance": moments.variance.astype(np.float64)}
            tensors[f"{name}.count"] = np.array([moments.count], np.float64)
    weights = safetensors(tensors)
    pairs = safetensors({"observation": observations, "action": actions.astype(np.uint64 if policy.bounds is None else np.float64)})

    number = lambda value: {"inf": "inf", "-inf": "-inf"}.get(str(float(value)), repr(float(value)))
    hidden = lambda found: "[" + ", ".join(str(len(bias)) for _, bias in found[:-1]) + "]"
    bounds = "" if policy.bounds is None else "([" + ", ".join(f"({number(low)}, {number(high)})" for low, high in policy.bounds) + "])"
    clipped = policy.normalizer and f"(clip: {number(policy.normalizer.clip)}, epsilon: {number(policy.normalizer.epsilon)})"
    manifest = f"""(
    format: {FORMAT},
    origin: {ron(policy.origin)},
    algorithm: {ron(policy.algorithm)},
    environment: {ron(arguments.env) if arguments.env else None},
    inputs: {inputs},
    outputs: {outputs},
    actor: {hidden(actor)},
    critic: {hidden(critic) if critic else None},
    activation: {activation or critic_activation or "Tanh"},
    head: {policy.head}{bounds},
    normalizer: {clipped},
    return_epsilon: {number(policy.returns.epsilon) if policy.returns else None},
    rows: {len(observations)},
    weights: "{hashlib.sha256(weights).hexdigest()}",
    pairs: "{hashlib.sha256(pairs).hexdigest()}",
)
"""
    out = Path(arguments.out)
    out.mkdir(parents=True)
    (out / "weights.safetensors").write_bytes(weights)
    (out / "pairs.safetensors").write_bytes(pairs)
    (out / "exported.ron").write_text(manifest, encoding="utf-8")
    print(f"{out}: {policy.algorithm}, {inputs} inputs, {outputs} outputs, {len(observations)} pairs; next: heirloom policies import {out} --env ENV")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    sb3 = kinds.add_parser("sb3", help="a zip of Stable-Baselines3; it can execute code when it is loaded: your own files only")
    plain = kinds.add_parser("torch", help="a state dict of PyTorch, as CleanRL saves it; loaded with weights_only=True")
    sb3.add_argument("policy", help="the zip")
    sb3.add_argument("--algorithm", required=True, type=str.upper, choices=["PPO", "A2C", "SAC", "TD3", "DDPG", "DQN"], help="what trained it")
    sb3.add_argument("--vecnormalize", metavar="FILE", help="the pickle of VecNormalize; it can execute code: your own files only")
    plain.add_argument("policy", help="the file that torch.save wrote")
    plain.add_argument("--activation", required=True, choices=[name.lower() for name in ACTIVATIONS.values()], help="between the layers")
    plain.add_argument(
        "--head",
        required=True,
        choices=list(HEADS),
        help="what the actor gives: categorical, logits or values of actions; gaussian, means that are cut off at the bounds; squashed, means before tanh",
    )
    plain.add_argument("--map", help="a JSON file, or a list ours=theirs: actor.0=..., actor.head=..., critic.0=..., critic.head=..., log_std=...; CleanRL's names are known")
    plain.add_argument("--key", action="append", default=[], help="the state dict inside the file: a name or a position; may stand several times")
    plain.add_argument("--normalizer", metavar="FILE", help='JSON: {"mean": [...], "var": [...], "count": N, "clip": 10, "epsilon": 1e-8}')
    plain.add_argument("--low", metavar="LIST", help="least value of each action, where no --env says it: --low=-1,-1")
    plain.add_argument("--high", metavar="LIST", help="greatest value of each action")
    plain.add_argument("--algorithm", default="unknown", help="what trained it, for the card")
    for kind in (sb3, plain):
        kind.add_argument("--env", metavar="ID", help="environment of Gymnasium whose episodes give the observations; `module:Name-v0` imports the module first")
        kind.add_argument("--out", required=True, metavar="DIR", help="the new folder")
        kind.add_argument("--rows", type=int, default=1000, metavar="N", help="pairs to record, 100 to 100000")
        kind.add_argument("--seed", type=int, default=0, metavar="N", help="of the observations")
    arguments = parser.parse_args()
    if Path(arguments.out).exists():
        refuse(f"{arguments.out} exists already")
    if not 100 <= arguments.rows <= 100_000:
        refuse("--rows lies between 100 and 100000")
    write(from_sb3(arguments) if arguments.kind == "sb3" else from_torch(arguments), arguments)


if __name__ == "__main__":
    main()
