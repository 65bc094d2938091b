//! Measuring a policy: so many whole episodes, each from its own stream, normaliser frozen, raw reward.
//!
//! Episode `e` depends on the seed and on `e` alone: policies that are compared start from the same states, and neither the number of
//! episodes nor of threads changes one of them.

use super::collect::Choice;
use super::environments::{Environments, Finished};
use super::episodes::{Bound, LONGEST_EPISODE, Noise, Witness, run_episodes};
use super::memory::Memories;
use super::{MakeEnv, default_shards, shard_range};
use crate::env::check::random_action;
use crate::error::Result;
use crate::nn::Workspace;
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::seed::Stream;
use crate::stop::Stop;
use std::ops::Range;

/// Where actions of an evaluation are drawn from.
const fn noise(seed: u64) -> Noise {
    Noise { seed, stream: Stream::EvaluationNoise }
}

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
    let bound = Bound::new(policy, make()?.spaces())?;
    let shards = in_shards(episodes, pool, |range| {
        let environments = Environments::start(make, range, seed, Stream::EvaluationEnv)?;
        run_episodes(&bound, environments, choice, noise(seed), stop, &mut ())
    })?;
    Ok(shards.concat())
}

/// What a policy did when its actions were drawn, and how sure it was of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampled {
    /// The episodes, in order.
    pub finished: Vec<Finished>,
    /// Mean entropy of its distribution over the states it met, in nats.
    pub entropy: f64,
    /// Mean Kullback-Leibler divergence from it to another policy over the same states, in nats.
    pub divergence: Option<f64>,
}

/// Runs `episodes` episodes with actions drawn from the policy, and looks in every state at its entropy and at how far it is from
/// `other`; the latter stays open where the two do not choose among the same actions.
///
/// # Errors
/// As [`evaluate`].
pub fn sampled(
    policy: &Policy,
    other: Option<&Policy>,
    make: &MakeEnv,
    episodes: usize,
    seed: u64,
    pool: &Pool,
    stop: &Stop,
) -> Result<Sampled> {
    let spaces = make()?.spaces().clone();
    let bound = Bound::new(policy, &spaces)?;
    let other = other.filter(|other| comparable(policy, other)).map(|other| Bound::new(other, &spaces)).transpose()?;
    let shards = in_shards(episodes, pool, |range| {
        let environments = Environments::start(make, range, seed, Stream::EvaluationEnv)?;
        let mut look = Look::new(other.as_ref(), environments.len());
        let finished = run_episodes(&bound, environments, Choice::Sample, noise(seed), stop, &mut look)?;
        Ok((finished, look.states, look.entropy, look.divergence))
    })?;
    let total = |part: fn(&(Vec<Finished>, f64, f64, f64)) -> f64| shards.iter().map(part).sum::<f64>();
    let states = total(|(_, states, _, _)| *states);
    let (entropy, divergence) = (total(|(_, _, entropy, _)| *entropy), total(|(.., divergence)| *divergence));
    let divergence = other.is_some().then_some(divergence / states);
    Ok(Sampled { finished: shards.into_iter().flat_map(|(finished, ..)| finished).collect(), entropy: entropy / states, divergence })
}

/// Whether two policies choose among the same actions by distributions of one kind.
fn comparable(policy: &Policy, other: &Policy) -> bool {
    std::mem::discriminant(&policy.shape.head) == std::mem::discriminant(&other.shape.head) && policy.spaces.action == other.spaces.action
}

/// Cuts episodes into shards that run side by side; results in shard order.
fn in_shards<R: Send>(episodes: usize, pool: &Pool, run: impl Fn(Range<usize>) -> Result<R> + Sync) -> Result<Vec<R>> {
    let count = default_shards(episodes);
    let mut shards: Vec<usize> = (0..count).collect();
    pool.map(&mut shards, |index, _| run(shard_range(episodes, count, index))).into_iter().collect()
}

/// Sums over the states that a shard meets.
struct Look<'a> {
    other: Option<(&'a Bound<'a>, Memories, Workspace)>,
    states: f64,
    entropy: f64,
    divergence: f64,
}

impl<'a> Look<'a> {
    fn new(other: Option<&'a Bound<'a>>, environments: usize) -> Self {
        let room = |other: &'a Bound<'a>| {
            let shape = &other.policy().shape;
            (other, Memories::new(shape, environments), Workspace::new(shape))
        };
        Self { other: other.map(room), states: 0.0, entropy: 0.0, divergence: 0.0 }
    }
}

impl Witness for Look<'_> {
    fn loses(&mut self, index: usize) {
        if let Some((_, memories, _)) = &mut self.other {
            memories.forget(index);
        }
    }

    fn sees(&mut self, bound: &Bound<'_>, environments: &Environments, chunk: &[usize], workspace: &Workspace) {
        let head = &bound.policy().shape.head;
        for row in 0..chunk.len() {
            self.states += 1.0;
            self.entropy += f64::from(head.entropy(workspace.outputs(row), bound.network().log_std()));
        }
        if let Some((other, memories, room)) = &mut self.other {
            other.see(environments, chunk, memories, room);
            for row in 0..chunk.len() {
                let distributions = [[workspace.outputs(row), bound.network().log_std()], [room.outputs(row), other.network().log_std()]];
                self.divergence += f64::from(head.divergence(distributions[0], distributions[1]));
            }
        }
    }
}

/// Runs `episodes` episodes of an agent that chooses uniformly among all actions: what nobody has to learn.
///
/// # Errors
/// When an environment fails.
pub fn random_returns(make: &MakeEnv, episodes: usize, seed: u64, pool: &Pool, stop: &Stop) -> Result<Vec<f64>> {
    let shards = in_shards(episodes, pool, |range| {
        let mut environments = Environments::start(make, range.clone(), seed, Stream::EvaluationEnv)?;
        let action = environments.spaces().action.clone();
        let mut values = vec![0.0; action.size()];
        let mut returns = Vec::new();
        for (index, episode) in range.enumerate() {
            let mut noise = Stream::EvaluationNoise(episode as u64).under(seed);
            let mut steps = 0;
            let finished = loop {
                stop.check_unarmed()?;
                if environments.step(index, random_action(&action, &mut noise, &mut values))?.is_none() {
                    environments.become_another(index, episode as u64)?;
                    (noise, steps) = (Stream::EvaluationNoise(episode as u64).under(seed), 0);
                    continue;
                }
                steps += 1;
                match environments.finished.pop() {
                    Some(finished) => break finished,
                    None if steps == LONGEST_EPISODE => break environments.running(index),
                    None => {}
                }
            };
            returns.push(finished.total);
        }
        Ok(returns)
    })?;
    Ok(shards.concat())
}
