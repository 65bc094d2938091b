//! What a rollout holds: `T` steps of a shard's `N` environments, flat, row `t * N + n`.

/// A shard's part of a rollout; every list has one entry, or one row, per transition.
#[derive(Debug, Clone, Default)]
pub struct Rollout {
    /// `[rows, O]`, as the network sees it: gathered and normalised.
    pub observation: Vec<f32>,
    /// `[rows, O]`: what was seen next, the end of an episode included; empty where nobody asked for it.
    pub next_observation: Vec<f32>,
    /// `[rows, W]`, as the head gives it.
    pub action: Vec<f32>,
    /// Log-probability of the action when it was taken.
    pub log_prob: Vec<f32>,
    /// The critic's value when the action was taken.
    pub value: Vec<f32>,
    /// Raw, then scaled where returns are normalised.
    pub reward: Vec<f32>,
    /// The value of what follows; of what was cut off, where a step was truncated.
    pub next_value: Vec<f32>,
    /// The task was over.
    pub terminated: Vec<bool>,
    /// The episode was over, for either reason.
    pub ended: Vec<bool>,
    /// GAE.
    pub advantage: Vec<f32>,
    /// Advantage plus value: what the critic learns.
    pub returns: Vec<f32>,
    observation_size: usize,
    action_width: usize,
}

impl Rollout {
    /// Room for `rows` transitions.
    #[must_use]
    pub fn new(rows: usize, observation_size: usize, action_width: usize) -> Self {
        let zeros = || vec![0.0; rows];
        Self {
            observation: vec![0.0; rows * observation_size],
            next_observation: Vec::new(),
            action: vec![0.0; rows * action_width],
            log_prob: zeros(),
            value: zeros(),
            reward: zeros(),
            next_value: zeros(),
            terminated: vec![false; rows],
            ended: vec![false; rows],
            advantage: zeros(),
            returns: zeros(),
            observation_size,
            action_width,
        }
    }

    /// How many transitions.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.reward.len()
    }

    /// Observation of a row, `[O]`.
    #[inline]
    #[must_use]
    pub fn observation_row(&self, row: usize) -> &[f32] {
        &self.observation[row * self.observation_size..][..self.observation_size]
    }

    /// What was seen after a row, `[O]`.
    #[inline]
    #[must_use]
    pub fn next_observation_row(&self, row: usize) -> &[f32] {
        &self.next_observation[row * self.observation_size..][..self.observation_size]
    }

    /// Action of a row, `[W]`.
    #[inline]
    #[must_use]
    pub fn action_row(&self, row: usize) -> &[f32] {
        &self.action[row * self.action_width..][..self.action_width]
    }
}
