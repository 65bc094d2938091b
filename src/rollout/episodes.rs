//! Whole episodes of a policy, side by side, each on its own streams: what evaluation measures and what recording keeps.

use super::collect::Choice;
use super::environments::{Environments, Finished};
use super::memory::Memories;
use crate::env::{Action, Spaces, Step};
use crate::error::Result;
use crate::nn::kernel::CHUNK;
use crate::nn::{Network, Workspace};
use crate::policy::{Binding, Policy};
use crate::seed::Stream;
use crate::stop::Stop;

/// An episode runs for at most so long, as if a time limit cut it off: where there is none, a policy that balances for ever would
/// never come to an end.
pub const LONGEST_EPISODE: usize = 1_000_000;

/// A policy in an environment's channels.
pub struct Bound<'a> {
    policy: &'a Policy,
    network: Network,
    binding: Binding,
}

impl<'a> Bound<'a> {
    /// Matches a policy with an environment's spaces.
    ///
    /// # Errors
    /// Exit 3 with every channel and action that does not match.
    pub fn new(policy: &'a Policy, spaces: &Spaces) -> Result<Self> {
        Ok(Self { policy, network: Network::new(&policy.shape, &policy.params), binding: Binding::new(&policy.spaces, spaces)? })
    }

    /// The policy.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        self.policy
    }

    /// Which channel and action is which.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Its network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// Puts what the environments of `chunk` show into the first rows of a workspace, and computes the actor's outputs from that and from what is
    /// remembered of them.
    pub fn see(&self, environments: &Environments, chunk: &[usize], memories: &mut Memories, workspace: &mut Workspace) {
        for (row, index) in chunk.iter().enumerate() {
            self.binding.see(self.policy.normalizer.as_ref(), environments.observation(*index), workspace.input_row(row));
        }
        memories.recall(chunk, workspace);
        self.network.forward_actor(chunk.len(), workspace);
        memories.keep(chunk, workspace);
    }
}

/// Where each environment draws its actions from: the stream of its own index under a seed.
#[derive(Clone, Copy)]
pub struct Noise {
    /// The seed.
    pub seed: u64,
    /// The consumer.
    pub stream: fn(u64) -> Stream,
}

/// Who looks on.
pub trait Witness {
    /// The policy looks at the environments of `chunk`; the workspace holds what it makes of them, row by row.
    fn sees(&mut self, _bound: &Bound<'_>, _environments: &Environments, _chunk: &[usize], _workspace: &Workspace) {}

    /// The policy chose an action for environment `index`, as its head gives it.
    fn chooses(&mut self, _index: usize, _action: &[f32]) {}

    /// Environment `index` was acted in. `seen` is what it shows now; at the end of its episode, what that ended with.
    ///
    /// # Errors
    /// What the episodes cannot go on without.
    fn acts(&mut self, _index: usize, _action: Action<'_>, _log_prob: f32, _step: Step, _seen: &[f64]) -> Result<()> {
        Ok(())
    }

    /// The episode of environment `index` is lost, and done again from its start: what was kept of it is to be forgotten.
    fn loses(&mut self, _index: usize) {}

    /// The episode of environment `index` is over: which environment of the whole vector it is to become, for another one.
    fn follows(&mut self, _index: usize) -> Option<u64> {
        None
    }

    /// Environment `index` has become another one, or itself again, and stands at the start of its episode.
    fn begins(&mut self, _index: usize, _environments: &Environments) {}
}

/// Nobody.
impl Witness for () {}

/// One episode of each environment, or as many as the witness says, all acting together until each has ended; results (of the last episode)
/// in the order of environments.
///
/// # Errors
/// When an environment fails, the witness does, or it is broken off.
pub fn run_episodes(
    bound: &Bound<'_>,
    mut environments: Environments,
    choice: Choice,
    noise: Noise,
    stop: &Stop,
    witness: &mut impl Witness,
) -> Result<Vec<Finished>> {
    let Bound { policy, network, binding } = bound;
    let head = &policy.shape.head;
    let mut workspace = Workspace::new(&policy.shape);
    let mut memories = Memories::new(&policy.shape, environments.len());
    let mut room = binding.action_room();
    let width = head.action_width(policy.shape.outputs);
    let (mut actions, mut log_probs) = (vec![0.0; CHUNK * width], [0.0; CHUNK]);
    let stream = |index: u64| (noise.stream)(index).under(noise.seed);
    let mut noise: Vec<_> = environments.indices().map(stream).collect();
    let mut results = vec![None; environments.len()];
    let mut running: Vec<usize> = (0..environments.len()).collect();
    while !running.is_empty() {
        stop.check_unarmed()?;
        for chunk in running.chunks(CHUNK) {
            bound.see(&environments, chunk, &mut memories, &mut workspace);
            witness.sees(bound, &environments, chunk, &workspace);
            for (row, index) in chunk.iter().enumerate() {
                let action = &mut actions[row * width..][..width];
                log_probs[row] = choice.choose(head, workspace.outputs(row), network.log_std(), &mut noise[*index], action);
                if environments.listening() {
                    environments.announce(*index, binding.act(head, action, &mut room));
                }
            }
            for (row, index) in chunk.iter().enumerate() {
                let (action, log_prob) = (&actions[row * width..][..width], log_probs[row]);
                witness.chooses(*index, action);
                let action = binding.act(head, action, &mut room);
                let stepped = environments.step(*index, action)?;
                let another = if let Some(mut outcome) = stepped {
                    let finished = environments.finished.pop();
                    let seen = if finished.is_some() { environments.ended_observation() } else { environments.observation(*index) };
                    let so_far = environments.running(*index);
                    let cut_off = finished.is_none() && so_far.length == LONGEST_EPISODE as u64;
                    outcome.truncated |= cut_off;
                    witness.acts(*index, action, log_prob, outcome, seen)?;
                    let Some(finished) = finished.or_else(|| cut_off.then_some(so_far)) else { continue };
                    let Some(another) = witness.follows(*index) else {
                        results[*index] = Some(finished);
                        continue;
                    };
                    another
                } else {
                    witness.loses(*index);
                    environments.index(*index)
                };
                environments.become_another(*index, another)?;
                memories.forget(*index);
                noise[*index] = stream(another);
                witness.begins(*index, &environments);
            }
        }
        running.retain(|index| results[*index].is_none());
    }
    Ok(results.into_iter().flatten().collect())
}
