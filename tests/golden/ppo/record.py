"""Records PPO losses, their gradients, and Adam, from PyTorch: `python record.py` with torch==2.13.0 and numpy==2.4.6.

Inputs are not stored: both sides draw them from the same splitmix64 stream, rounded to f32, in the order written here
(`tests/ppo_parity.rs` is the other side). Outputs are: losses.f64 and adam.f64, little-endian doubles.
"""
import sys
import numpy as np
import torch

assert torch.__version__.split("+")[0] == "2.13.0" and np.__version__ == "2.4.6", (torch.__version__, np.__version__)
torch.set_num_threads(1)
CASES, ADAM_STEPS = 500, 1000


class Stream:
    """splitmix64; uniform in [-1, 1), rounded to f32 so that both paths see the same numbers."""

    def __init__(self, seed):
        self.state = seed

    def word(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        return z ^ (z >> 31)

    def number(self):
        return float(np.float32((self.word() >> 11) * 2.0**-53 * 2.0 - 1.0))

    def below(self, n):
        return self.word() % n

    def tensor(self, *shape):
        return torch.tensor([self.number() for _ in range(int(np.prod(shape)))], dtype=torch.float64).reshape(shape)


def mlp(stream, sizes):
    return [stream.tensor(*s).requires_grad_() for i, o in zip(sizes, sizes[1:]) for s in ((o, i), (o,))]


def forward(leaves, activation, x):
    for k in range(0, len(leaves), 2):
        x = torch.nn.functional.linear(x, leaves[k], leaves[k + 1])
        if k + 2 < len(leaves):
            x = activation(x)
    return x


def losses():
    out = []
    for case in range(CASES):
        s = Stream(case)
        inputs, outputs, rows = 1 + s.below(6), 1 + s.below(4), 2 + s.below(30)
        hidden = [[], [5], [17, 8], [16]][s.below(4)]
        activation = [torch.tanh, torch.relu][s.below(2)]
        categorical, clip_value = s.below(2) == 0, s.below(2) == 0
        actor, critic = mlp(s, [inputs, *hidden, outputs]), mlp(s, [inputs, *hidden, 1])
        leaves = actor + critic
        if not categorical:
            log_std = s.tensor(outputs).requires_grad_()
            leaves.append(log_std)
        x = s.tensor(rows, inputs)
        if categorical:
            action = torch.tensor([s.below(outputs) for _ in range(rows)])
        else:
            action = s.tensor(rows, outputs) * 2.0
        old_log_prob, old_value, returns, advantage = (s.tensor(rows) for _ in range(4))
        y, v = forward(actor, activation, x), forward(critic, activation, x).squeeze(-1)
        law = torch.distributions.Categorical(logits=y) if categorical else torch.distributions.Normal(y, log_std.exp())
        log_prob, entropy = law.log_prob(action), law.entropy()
        if not categorical:
            log_prob, entropy = log_prob.sum(-1), entropy.sum(-1)
        log_ratio = log_prob - old_log_prob
        ratio = log_ratio.exp()
        surrogate = -torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
        error = (v - returns) ** 2
        if clip_value:
            near = old_value + (v - old_value).clamp(-0.3, 0.3)
            error = torch.max(error, (near - returns) ** 2)
        value_loss = error.mean()
        total = surrogate + 0.5 * value_loss - 0.01 * entropy.mean()
        gradients = torch.autograd.grad(total, leaves)
        kl = (ratio - 1 - log_ratio).mean()
        fraction = ((ratio - 1).abs() > 0.2).double().mean()
        out += [surrogate.item(), value_loss.item(), entropy.mean().item(), kl.item(), fraction.item()]
        out += torch.cat([g.reshape(-1) for g in gradients]).tolist()
    return out


def adam():
    """For Adam and AdamW, in f64 and f32: 16 parameters after 1, 10, 100 and 1,000 steps."""
    out = []
    for kind, decay, dtype in ((k, d, t) for k, d in ((torch.optim.Adam, 0.0), (torch.optim.AdamW, 0.05)) for t in (torch.float64, torch.float32)):
        s = Stream(7)
        p = s.tensor(16).to(dtype).requires_grad_()
        optimizer = kind([p], lr=3e-3, betas=(0.9, 0.999), eps=1e-5, weight_decay=decay)
        for step in range(1, ADAM_STEPS + 1):
            p.grad = s.tensor(16).to(dtype)
            optimizer.step()
            if step in (1, 10, 100, 1000):
                out += p.double().tolist()
    return out


if __name__ == "__main__":
    folder = sys.argv[1] if len(sys.argv) > 1 else "."
    np.array(losses(), dtype="<f8").tofile(f"{folder}/losses.f64")
    np.array(adam(), dtype="<f8").tofile(f"{folder}/adam.f64")
