//! Adversarial inverse reinforcement learning (Fu et al. 2018): the discriminator is `exp f / (exp f + pi(a|s))` with
//! `f(s, a, s') = g(s, a) + gamma h(s') - h(s)`, so that `g` becomes the reward and `h` its shaping (eq. 4). With `g(s)` alone the reward
//! is freed of the dynamics (theorem 5.1) and can be carried to others.
//!
//! The paper's policy is paid `log D - log(1 - D)`, the logit `f - log pi` ([`RewardSign::Both`](super::discriminator::RewardSign)), whose sum is the
//! entropy-regularised return under `f` (appendix A.3). That presumes episodes of one length: `g` is known but for a constant, and where episodes
//! end early a constant that is negative on the whole pays for ending them, a positive one for going on, whatever is demonstrated. So the sign here
//! is the demonstrations', as for GAIL, unless `adversarial.reward` says otherwise: `log D` where the task ended most of them, `-log(1 - D)`
//! where time did. Both rise with the logit, so that the discriminator's optimum is the paper's; `Both` is the paper's own. What is carried
//! elsewhere is the same form of `g` alone, without shaping and without the policy (`Discriminator::recovered`).

use super::discriminator::Batch;
use crate::nn::{Activation, Layout, Mlp, autograd};
use tch::Tensor;

/// The parameters: reward `g` and potential `h`. `action` is 0 where the reward looks at the state alone.
pub(super) fn declare(inputs: usize, action: usize, hidden: &[usize], layout: &mut Layout) {
    for (name, width) in [("reward", inputs + action), ("potential", inputs)] {
        let sizes = [&[width], hidden, &[1]].concat();
        Mlp { sizes, activation: Activation::Tanh, layer_norm: false }.declare(name, layout);
    }
}

/// `g`, `[B]`.
pub(super) fn reward(leaves: &[Tensor], batch: &Batch, state_only: bool) -> Tensor {
    let leaves = &leaves[..leaves.len() / 2];
    if state_only {
        return autograd::mlp(Activation::Tanh, leaves, &batch.state).squeeze_dim(-1);
    }
    autograd::mlp(Activation::Tanh, leaves, &Tensor::cat(&[&batch.state, &batch.action], 1)).squeeze_dim(-1)
}

/// `f(s, a, s') - log pi(a|s)`, `[B]`: the log-odds of the discriminator (section 4), which `RewardSign` makes the policy's reward. Where the task is over there is no potential to come.
pub(super) fn logit(leaves: &[Tensor], batch: &Batch, state_only: bool, discount: f64) -> Tensor {
    let potential = |state: &Tensor| autograd::mlp(Activation::Tanh, &leaves[leaves.len() / 2..], state).squeeze_dim(-1);
    let shaping = potential(&batch.next) * discount * &batch.goes_on - potential(&batch.state);
    reward(leaves, batch, state_only) + shaping - &batch.log_prob
}
