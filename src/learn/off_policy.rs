//! What the learners that replay have in common: how a batch is cut between threads, what shape their policies have, and what hidden layers may be.

use crate::env::Spaces;
use crate::error::{Error, Result, within};
use crate::nn::kernel::{Gradients, Real};
use crate::nn::{Activation, ActorCritic, Head};
use crate::rollout::shard_range;
use std::ops::Range;

/// Rows from which a batch is worth cutting once more between threads.
const ROWS_PER_SHARD: usize = 128;

/// Parts into which a batch is cut: a matter of its size, never of threads.
#[must_use]
pub fn shards(rows: usize) -> Vec<Range<usize>> {
    let count = (rows / ROWS_PER_SHARD).clamp(1, 8);
    (0..count).map(|index| shard_range(rows, count, index)).collect()
}

/// Adds a shard's gradient to a flat one and begins again from zero.
pub fn take_gradient<T: Real>(from: &mut Gradients<T>, flat: &mut [T]) {
    from.add_to(flat);
    from.clear();
}

/// One over a number of rows or of other things that are not too many to count.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
pub fn one_over<T: Real>(count: usize) -> T {
    T::one() / T::of(count as f64)
}

/// The shape of a policy whose actions are squashed into their bounds.
///
/// # Errors
/// Exit 2 when actions are discrete, or one has no bounds; `whoever` is who needs them.
pub fn squashed(whoever: &str, spaces: &Spaces, [actor, critic]: [&[usize]; 2], initial_log_std: f64) -> Result<ActorCritic> {
    let head = Head::SquashedGaussian { initial_log_std };
    head.check_space(&spaces.action).map_err(|_| {
        Error::usage(format!("`{whoever}` needs continuous actions with bounds"))
            .hint("`dqn` learns discrete actions off policy; `ppo` learns all kinds")
    })?;
    Ok(ActorCritic {
        inputs: spaces.observation.len(),
        joined: 0,
        memory: 0,
        outputs: spaces.action.size(),
        actor: actor.to_vec(),
        critic: critic.to_vec(),
        activation: Activation::Relu,
        head,
    })
}

/// Fails where hidden layers make no sense.
///
/// # Errors
/// Exit 2; names the field and its range.
pub fn check_layers(name: &str, layers: &[usize]) -> Result<()> {
    within(&format!("number of {name} layers"), layers.len().max(1), [1, 16])?;
    layers.iter().try_for_each(|size| within(name, *size, [1, 1 << 14]))?;
    let weights: usize = layers.windows(2).map(|pair| pair[0] * pair[1]).sum();
    within(&format!("number of {name} weights"), weights.max(1), [1, 1 << 26])
}
