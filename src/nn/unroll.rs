//! Episodes through a network with memory, side by side, and back through time.
//!
//! First [`Network::remember`] goes through all steps, then [`Network::look`] asks actor and critic about any of them and [`Network::look_back`]
//! brings their gradients to what was remembered, last [`Network::remember_back`] carries those through time.

use super::ActorCritic;
use super::kernel::{GruGradients, Steps};
use super::network::{Network, Workspace};
use std::ops::Range;

/// A step of an episode: when, and in which row.
pub type Place = (usize, usize);

/// Room for as many episodes as a chunk has rows.
pub struct Unroll {
    /// What is seen and remembered.
    pub steps: Steps,
    /// Of actor and critic, for the last [`Network::look`].
    pub workspace: Workspace,
    gradients: GruGradients,
    /// Where the memory's parameters lie.
    range: Range<usize>,
}

impl Unroll {
    /// For a network of this shape.
    ///
    /// # Panics
    /// When it has no memory.
    #[must_use]
    pub fn new(shape: &ActorCritic) -> Self {
        let gru = shape.gru().expect("a network with memory");
        let first = shape.actor_mlp().parameter_count() + shape.critic_mlp().parameter_count();
        Self {
            steps: Steps::new(gru, 0),
            workspace: Workspace::new(shape),
            gradients: GruGradients::new(gru),
            range: first..first + gru.parameter_count(),
        }
    }

    /// Adds the gradients of actor, critic and memory to a flat one and starts again from zero.
    pub fn take_gradient(&mut self, flat: &mut [f32]) {
        self.workspace.take_gradient(flat);
        self.gradients.take(&mut flat[self.range.clone()]);
    }
}

impl Network {
    /// Goes through `count` steps of the first `rows` rows, from what they see ([`Steps::input_row`]) and from having seen nothing.
    pub fn remember(&self, count: usize, rows: usize, unroll: &mut Unroll) {
        let memory = self.memory();
        (0..rows).for_each(|row| unroll.steps.hidden_row(0, row).fill(0.0));
        (0..count).for_each(|step| memory.forward(step, rows, &mut unroll.steps));
        unroll.steps.clear_gradients(count);
    }

    /// Computes outputs and values after some steps, at most a chunk of them, into the rows of the workspace.
    pub fn look(&self, places: &[Place], unroll: &mut Unroll) {
        for (row, (step, episode)) in places.iter().enumerate() {
            unroll.workspace.feature_row(row).copy_from_slice(unroll.steps.hidden(step + 1, *episode));
        }
        self.forward_heads(places.len(), &mut unroll.workspace);
    }

    /// Brings the gradients of the last [`Network::look`], as they stand in the workspace, to what was remembered.
    pub fn look_back(&self, places: &[Place], unroll: &mut Unroll) {
        self.backward(places.len(), &mut unroll.workspace);
        for (row, (step, episode)) in places.iter().enumerate() {
            let [of_actor, of_critic] = unroll.workspace.feature_gradients(row);
            let gradient = unroll.steps.gradient_row(*step, *episode).iter_mut();
            gradient.zip(of_actor.iter().zip(of_critic)).for_each(|(to, (actor, critic))| *to += actor + critic);
        }
    }

    /// Carries what [`Network::look_back`] brought through time.
    pub fn remember_back(&self, count: usize, rows: usize, unroll: &mut Unroll) {
        self.memory().backward(count, rows, &mut unroll.steps, &mut unroll.gradients);
    }
}
