//! A policy that is asked for one action after the other, by whoever has the environment.

use super::collect::Choice;
use super::episodes::Bound;
use super::memory::Memories;
use crate::env::Action;
use crate::error::{Error, Result};
use crate::nn::Workspace;
use crate::policy::Policy;
use crate::policy::channels::ActionRoom;
use crate::seed::{Rng, Stream};

/// A policy in one environment that is elsewhere.
pub struct Actor<'a> {
    bound: Bound<'a>,
    choice: Choice,
    memories: Memories,
    workspace: Workspace,
    noise: Rng,
    chosen: Vec<f32>,
    room: ActionRoom,
}

impl<'a> Actor<'a> {
    /// An actor at the start of an episode. `seed` is that of drawn actions.
    ///
    /// # Errors
    /// Exit 3 when the policy's own spaces are not possible.
    pub fn new(policy: &'a Policy, choice: Choice, seed: u64) -> Result<Self> {
        let bound = Bound::new(policy, &policy.spaces)?;
        Ok(Self {
            choice,
            memories: Memories::new(&policy.shape, 1),
            workspace: Workspace::new(&policy.shape),
            noise: Stream::EvaluationNoise(0).under(seed),
            chosen: vec![0.0; policy.shape.head.action_width(policy.shape.outputs)],
            room: bound.binding().action_room(),
            bound,
        })
    }

    /// Another episode begins: what a policy with memory remembers is forgotten.
    pub fn begin(&mut self) {
        self.memories.forget(0);
    }

    /// The action for an observation, `[O]` in the order of the policy's channels, in the environment's units and within its bounds.
    ///
    /// # Errors
    /// Exit 2 when the observation has another length or holds what is no number.
    pub fn act(&mut self, observation: &[f64]) -> Result<Action<'_>> {
        let policy = self.bound.policy();
        let channels = &policy.spaces.observation;
        if observation.len() != channels.len() {
            let names = channels.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("the observation has {} numbers, the policy sees {}", observation.len(), channels.len());
            return Err(Error::usage(message).hint(format!("its channels are {names}")));
        }
        if let Some((channel, value)) = channels.iter().zip(observation).find(|(_, value)| !value.is_finite()) {
            return Err(Error::usage(format!("`{}` of the observation is {value}", channel.name)));
        }
        self.bound.binding().see(policy.normalizer.as_ref(), observation, self.workspace.input_row(0));
        self.memories.recall(&[0], &mut self.workspace);
        self.bound.network().forward_actor(1, &mut self.workspace);
        self.memories.keep(&[0], &self.workspace);
        let head = &policy.shape.head;
        self.choice.choose(head, self.workspace.outputs(0), self.bound.network().log_std(), &mut self.noise, &mut self.chosen);
        Ok(self.bound.binding().act(head, &self.chosen, &mut self.room))
    }
}
