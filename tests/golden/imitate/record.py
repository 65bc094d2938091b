"""Records what learning from demonstrations computes, from PyTorch: `python record.py` with torch==2.13.0 and numpy==2.4.6.

Inputs are not stored: both sides draw them from the same stream (`../ppo/record.py`), in the order written here (`tests/imitate_parity.rs` is
the other side). Outputs are little-endian doubles: cloning.f64, discriminator.f64, terms.f64.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "ppo"))
import numpy as np
import torch
from record import Stream, forward, mlp

CLONING, DISCRIMINATOR, TERMS = 120, 60, 60


def flat(loss, leaves):
    return torch.cat([g.reshape(-1) for g in torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)]).tolist()


def law(head, outputs, log_std, action):
    """Log-probabilities and entropies of rows; of a squashed Gaussian the action is given before squashing, the entropy too."""
    if head == 0:
        categorical = torch.distributions.Categorical(logits=outputs)
        return categorical.log_prob(action), categorical.entropy()
    normal = torch.distributions.Normal(outputs, log_std.exp())
    log_prob, entropy = normal.log_prob(action), normal.entropy()
    if head == 2:
        log_prob = log_prob - torch.distributions.transforms.TanhTransform().log_abs_det_jacobian(action, torch.tanh(action))
    return log_prob.sum(-1), entropy.sum(-1)


def policy(s, inputs, outputs, hidden, head):
    actor, critic = mlp(s, [inputs, *hidden, outputs]), mlp(s, [inputs, *hidden, 1])
    log_std = s.tensor(outputs).requires_grad_() if head else None
    return actor, log_std, actor + critic + ([log_std] if head else [])


def actions(s, rows, outputs, head):
    return s.tensor(rows, outputs) * 2.0 if head else torch.tensor([s.below(outputs) for _ in range(rows)])


def cloning():
    out = []
    for case in range(CLONING):
        s = Stream(case)
        inputs, outputs, rows = 1 + s.below(6), 1 + s.below(4), 2 + s.below(150)
        hidden = [[], [5], [17, 8], [16]][s.below(4)]
        activation = [torch.tanh, torch.relu, torch.nn.functional.silu][s.below(3)]
        head = s.below(3)
        entropy_weight, l2 = [0.0, 0.01, 0.5][s.below(3)], [0.0, 0.1][s.below(2)]
        actor, log_std, leaves = policy(s, inputs, outputs, hidden, head)
        x, action = s.tensor(rows, inputs), actions(s, rows, outputs, head)
        y = forward(actor, activation, x)
        log_prob, entropy = law(head, y, log_std, action)
        nll, entropy = -log_prob.mean(), entropy.mean()
        agreement = (y - action).norm(dim=-1).mean() if head else (y.argmax(-1) == action).double().mean()
        whole = nll - entropy_weight * entropy + 0.5 * l2 * sum((leaf**2).sum() for leaf in leaves)
        out += [nll.item(), entropy.item(), agreement.item(), *flat(whole, leaves)]
    return out


def discriminator():
    out = []
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    for case in range(DISCRIMINATOR):
        s = Stream(case)
        inputs, width, rows = 1 + s.below(5), 1 + s.below(3), 2 + s.below(20)
        hidden = [[5], [8, 4]][s.below(2)]
        form = s.below(3)  # GAIL, AIRL of the state alone, AIRL
        if form == 0:
            logit = mlp(s, [inputs + width, *hidden, 1])
            leaves = logit
        else:
            reward = mlp(s, [inputs + (width if form == 2 else 0), *hidden, 1])
            potential = mlp(s, [inputs, *hidden, 1])
            leaves = reward + potential

        def net(leaves, *parts):
            return forward(leaves, torch.tanh, torch.cat(parts, 1)).squeeze(-1)

        def g(state, action):
            return net(reward, state, action) if form == 2 else net(reward, state)

        def f(state, action, following, goes_on):
            return g(state, action) + 0.9 * goes_on * net(potential, following) - net(potential, state)

        def draw():
            state, action, following = s.tensor(rows, inputs), s.tensor(rows, width), s.tensor(rows, inputs)
            goes_on = torch.tensor([float(s.below(2)) for _ in range(rows)], dtype=torch.float64)
            return state, action, following, goes_on, s.tensor(rows)

        def odds(state, action, following, goes_on, log_prob):
            """The discriminator of Fu et al. 2018, section 4, written out: D = exp f / (exp f + pi)."""
            if form == 0:
                return net(logit, state, action)
            numerator = f(state, action, following, goes_on).exp()
            d = numerator / (numerator + log_prob.exp())
            return torch.log(d / (1 - d))

        expert, own = draw(), draw()
        along = torch.tensor([abs(s.number()) for _ in range(rows)], dtype=torch.float64).unsqueeze(-1)
        expert_logit, own_logit = odds(*expert), odds(*own)
        cross_entropy = bce(expert_logit, torch.ones_like(expert_logit)) + bce(own_logit, torch.zeros_like(own_logit))
        between = [(a * along + b * (1 - along)).detach().requires_grad_() for a, b in zip(expert[:3], own[:3])]
        value = net(logit, *between[:2]) if form == 0 else f(*between, torch.ones_like(expert_logit))
        gradient = torch.autograd.grad(value.sum(), between, create_graph=True, allow_unused=True, materialize_grads=True)
        penalty = ((torch.cat(gradient, 1).norm(dim=1) - 1) ** 2).mean()
        d = torch.sigmoid(own_logit)
        rewards = [-torch.log(1 - d), torch.log(d), torch.log(d) - torch.log(1 - d)]
        recovered = own_logit if form == 0 else g(*own[:2])
        for values in (expert_logit, own_logit, *rewards, recovered):
            out += values.tolist()
        out += [cross_entropy.item(), penalty.item(), *flat(cross_entropy, leaves), *flat(penalty, leaves)]
    return out


def terms():
    """DAPG's term (eq. 5) in iteration 3 of 10, and the divergence from a clone a quarter of the way through a run."""
    out = []
    for case in range(TERMS):
        s = Stream(case)
        inputs, outputs, rows, shown = 1 + s.below(6), 1 + s.below(4), 2 + s.below(20), 1 + s.below(40)
        hidden = [[], [5], [17, 8]][s.below(3)]
        head = s.below(3)
        actor, log_std, leaves = policy(s, inputs, outputs, hidden, head)
        clone, clone_log_std, _ = policy(s, inputs, outputs, hidden, head)
        x, advantage = s.tensor(rows, inputs), s.tensor(rows)
        demonstrated, action = s.tensor(shown, inputs), actions(s, shown, outputs, head)
        log_prob, _ = law(head, forward(actor, torch.tanh, demonstrated), log_std, action)
        dapg = -0.1 * 0.95**3 * max(advantage.max().item(), 0.0) * log_prob.mean()
        y, target = forward(actor, torch.tanh, x), forward(clone, torch.tanh, x).detach()
        if head:
            apart = torch.distributions.kl_divergence(
                torch.distributions.Normal(target, clone_log_std.detach().exp()), torch.distributions.Normal(y, log_std.exp())).sum(-1)
        else:
            apart = torch.distributions.kl_divergence(torch.distributions.Categorical(logits=target), torch.distributions.Categorical(logits=y))
        near = 2.0 * 0.75 * apart.mean()
        out += [dapg.item(), *flat(dapg, leaves), near.item(), *flat(near, leaves)]
    return out


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "."
    for record in (cloning, discriminator, terms):
        np.array(record(), dtype="<f8").tofile(f"{folder}/{record.__name__}.f64")
