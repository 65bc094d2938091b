//! Measuring a policy: so many whole episodes, each from its own stream, normaliser frozen, raw reward.
//!
//! Episode `e` depends on the seed and on `e` alone: policies that are compared start from the same states, and neither the number of
//! episodes nor of threads changes one of them.

use super::collect::Choice;
use super::environments::{Environments, Finished};
use super::{MakeEnv, default_shards, shard_range};
use crate::error::Result;
use crate::nn::kernel::CHUNK;
use crate::nn::{Network, Workspace};
use crate::parallel::Pool;
use crate::policy::{Binding, Policy};
use crate::seed::Stream;
use crate::stop::Stop;

/// An episode is measured for at most so long, as if a time limit cut it off: where there is none, a policy that balances for ever
/// would never be measured at all.
const LONGEST_EPISODE: usize = 1_000_000;

/// Runs `episodes` episodes; results in the order of episodes.
///
/// # Errors
/// When the policy does not fit the environment, or an environment fails.
pub fn evaluate(
    policy: &Policy,
    make: &MakeEnv,
    episodes: usize,
    choice: Choice,
    seed: u64,
    pool: &Pool,
    stop: &Stop,
) -> Result<Vec<Finished>> {
    let network = Network::new(&policy.shape, &policy.params);
    let binding = Binding::new(&policy.spaces, make()?.spaces())?;
    let count = default_shards(episodes);
    let mut shards: Vec<usize> = (0..count).collect();
    let results = pool.map(&mut shards, |index, _| {
        let range = shard_range(episodes, count, index);
        let environments = Environments::start(make, range, seed, Stream::EvaluationEnv)?;
        run_shard(policy, &network, &binding, environments, choice, seed, stop)
    });
    let shards: Vec<Vec<Finished>> = results.into_iter().collect::<Result<_>>()?;
    Ok(shards.concat())
}

/// One episode of each environment, all acting together until each has ended.
fn run_shard(
    policy: &Policy,
    network: &Network,
    binding: &Binding,
    mut environments: Environments,
    choice: Choice,
    seed: u64,
    stop: &Stop,
) -> Result<Vec<Finished>> {
    let head = &policy.shape.head;
    let mut workspace = Workspace::new(&policy.shape);
    let mut room = binding.action_room();
    let mut action = vec![0.0; head.action_width(policy.shape.outputs)];
    let first = environments.first();
    let episode = |index: usize| (first + index) as u64;
    let mut noise: Vec<_> = (0..environments.len()).map(|index| Stream::EvaluationNoise(episode(index)).under(seed)).collect();
    let mut results = vec![None; environments.len()];
    let mut running: Vec<usize> = (0..environments.len()).collect();
    let mut steps = 0;
    while !running.is_empty() {
        stop.check_unarmed()?;
        if steps == LONGEST_EPISODE {
            for index in running {
                results[index] = Some(environments.running(index));
            }
            break;
        }
        steps += 1;
        for chunk in running.chunks(CHUNK) {
            for (row, index) in chunk.iter().enumerate() {
                binding.see(policy.normalizer.as_ref(), environments.observation(*index), workspace.input_row(row));
            }
            network.forward_actor(chunk.len(), &mut workspace);
            for (row, index) in chunk.iter().enumerate() {
                choice.choose(head, workspace.outputs(row), network.log_std(), &mut noise[*index], &mut action);
                environments.step(*index, binding.act(head, &action, &mut room))?;
                if let Some(finished) = environments.finished.pop() {
                    results[*index] = Some(finished);
                }
            }
        }
        running.retain(|index| results[*index].is_none());
    }
    Ok(results.into_iter().flatten().collect())
}
