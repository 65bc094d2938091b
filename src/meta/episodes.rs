//! A task's episodes, and what learning needs of them.

use super::baseline::{Track, advantages};
use crate::env::{Action, Step};
use crate::error::Result;
use crate::nn::kernel::Real;
use crate::nn::{Head, Workspace};
use crate::policy::Policy;
use crate::rollout::collect::Choice;
use crate::rollout::environments::Finished;
use crate::rollout::episodes::{Bound, Noise, Witness, run_episodes};
use crate::rollout::{Environments, MakeEnv};
use crate::seed::Stream;
use crate::stats::mean;
use crate::stop::Stop;
use std::ops::Range;

/// Rows of whole episodes, one episode behind the other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Batch<T> {
    /// `[rows, O]`, as the network sees them.
    pub inputs: Vec<T>,
    /// `[rows, W]`, as the head gives them.
    pub actions: Vec<T>,
    /// `[rows]`.
    pub advantages: Vec<T>,
    /// Log-probability of each action when it was taken, `[rows]`.
    pub log_probs: Vec<T>,
    /// The network's outputs when the action was taken, `[rows, A]`.
    pub outputs: Vec<T>,
    /// The log-std when the actions were taken.
    pub old_log_std: Vec<T>,
}

impl<T: Real> Batch<T> {
    /// How many rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.advantages.len()
    }

    /// A row's part of a mean.
    #[must_use]
    pub fn share(&self) -> T {
        #[expect(clippy::cast_precision_loss, reason = "rows of a batch")]
        T::of(1.0 / self.rows() as f64)
    }

    /// A row's action.
    #[inline]
    #[must_use]
    pub fn action(&self, row: usize) -> &[T] {
        let width = self.actions.len() / self.rows();
        &self.actions[row * width..][..width]
    }

    /// A row's outputs when its action was taken.
    #[inline]
    #[must_use]
    pub fn old_outputs(&self, row: usize) -> &[T] {
        let width = self.outputs.len() / self.rows();
        &self.outputs[row * width..][..width]
    }

    /// Log-probability of each action under the policy that took it, as the losses compute it: a squashed action's without its volume, so
    /// that ratios begin at 1.
    #[must_use]
    pub fn scores(&self, head: Head) -> Vec<T> {
        let outputs = self.outputs.len() / self.rows().max(1);
        let (mut gradient, mut log_std_gradient) = (vec![T::zero(); outputs], vec![T::zero(); self.old_log_std.len()]);
        let mut score =
            |row| head.score([self.old_outputs(row), &self.old_log_std], self.action(row), [&mut gradient, &mut log_std_gradient]);
        (0..self.rows()).map(&mut score).collect()
    }

    /// The same in another precision.
    #[must_use]
    pub fn as_real<R: Real>(&self) -> Batch<R> {
        let convert = |values: &[T]| values.iter().map(|value| R::of(value.wide())).collect();
        Batch {
            inputs: convert(&self.inputs),
            actions: convert(&self.actions),
            advantages: convert(&self.advantages),
            log_probs: convert(&self.log_probs),
            outputs: convert(&self.outputs),
            old_log_std: convert(&self.old_log_std),
        }
    }
}

/// What acting in a task brought.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gathered {
    /// To learn from.
    pub batch: Batch<f32>,
    /// The episodes, in order.
    pub finished: Vec<Finished>,
}

/// How episodes are acted out.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Of the task's episodes, which: each has streams of its own.
    pub first: usize,
    /// How many.
    pub episodes: usize,
    /// The task's seed.
    pub seed: u64,
    /// Discount, gamma.
    pub discount: f64,
    /// Of generalized advantages.
    pub lambda: f64,
}

/// Acts out whole episodes with actions drawn from the policy.
///
/// # Errors
/// When the policy does not fit, an environment fails, or it is broken off.
pub fn gather(policy: &Policy, make: &MakeEnv, ask: &Ask, stop: &Stop) -> Result<Gathered> {
    let range: Range<usize> = ask.first..ask.first + ask.episodes;
    let environments = Environments::start(make, range, ask.seed, Stream::Env)?;
    let bound = Bound::new(policy, environments.spaces())?;
    let mut tracks = Tracks { each: (0..ask.episodes).map(|_| Episode::default()).collect() };
    let noise = Noise { seed: ask.seed, stream: Stream::ActionNoise };
    let finished = run_episodes(&bound, environments, Choice::Sample, noise, stop, &mut tracks)?;
    let views: Vec<Track<'_>> = tracks.each.iter().map(|episode| Track { inputs: &episode.inputs, rewards: &episode.rewards }).collect();
    let advantages = advantages(&views, ask.discount, ask.lambda);
    let join = |part: fn(&Episode) -> &Vec<f32>| tracks.each.iter().flat_map(|episode| part(episode).iter().copied()).collect();
    let mut batch = Batch {
        inputs: join(|episode| &episode.inputs),
        actions: join(|episode| &episode.actions),
        advantages,
        log_probs: Vec::new(),
        outputs: join(|episode| &episode.outputs),
        old_log_std: bound.network().log_std().to_vec(),
    };
    batch.log_probs = batch.scores(policy.shape.head);
    Ok(Gathered { batch, finished })
}

impl Gathered {
    /// Mean return.
    #[must_use]
    pub fn total(&self) -> f64 {
        mean(&self.finished.iter().map(|episode| episode.total).collect::<Vec<_>>())
    }

    /// Mean length.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "lengths stay below 2^53")]
    pub fn length(&self) -> f64 {
        mean(&self.finished.iter().map(|episode| episode.length as f64).collect::<Vec<_>>())
    }
}

#[derive(Default)]
struct Episode {
    inputs: Vec<f32>,
    outputs: Vec<f32>,
    actions: Vec<f32>,
    rewards: Vec<f64>,
}

struct Tracks {
    each: Vec<Episode>,
}

impl Witness for Tracks {
    fn sees(&mut self, _bound: &Bound<'_>, _environments: &Environments, chunk: &[usize], workspace: &Workspace) {
        for (row, index) in chunk.iter().enumerate() {
            self.each[*index].inputs.extend_from_slice(workspace.input(row));
            self.each[*index].outputs.extend_from_slice(workspace.outputs(row));
        }
    }

    fn chooses(&mut self, index: usize, action: &[f32]) {
        self.each[index].actions.extend_from_slice(action);
    }

    fn acts(&mut self, index: usize, _action: Action<'_>, _log_prob: f32, step: Step, _seen: &[f64]) -> Result<()> {
        self.each[index].rewards.push(step.reward);
        Ok(())
    }

    fn loses(&mut self, index: usize) {
        self.each[index] = Episode::default();
    }
}
