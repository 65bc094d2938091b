//! What a policy with memory remembers in each environment, from step to step of an episode; of width 0 for one without.

use crate::nn::{ActorCritic, Workspace};

/// One memory per environment, `[N, H]`.
#[derive(Debug, Clone)]
pub struct Memories {
    width: usize,
    values: Vec<f32>,
}

impl Memories {
    /// Of so many environments at the start of their episodes: nothing was seen yet.
    #[must_use]
    pub fn new(shape: &ActorCritic, environments: usize) -> Self {
        Self { width: shape.memory, values: vec![0.0; shape.memory * environments] }
    }

    /// Puts what is remembered in the environments of `chunk` into the first rows of a workspace, before a forward pass.
    pub fn recall(&self, chunk: &[usize], workspace: &mut Workspace) {
        for (row, index) in chunk.iter().enumerate() {
            workspace.remembered(row).copy_from_slice(&self.values[index * self.width..][..self.width]);
        }
    }

    /// Keeps what the first rows of a workspace remember after a forward pass.
    pub fn keep(&mut self, chunk: &[usize], workspace: &Workspace) {
        for (row, index) in chunk.iter().enumerate() {
            self.values[index * self.width..][..self.width].copy_from_slice(workspace.remembers(row));
        }
    }

    /// Environment `index` stands at the start of an episode.
    pub fn forget(&mut self, index: usize) {
        self.values[index * self.width..][..self.width].fill(0.0);
    }
}
