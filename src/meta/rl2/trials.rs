//! A shard of trials: acted out side by side, valued, and learned from as a whole.

use super::Config;
use crate::env::{Action, Step};
use crate::error::{Error, Result};
use crate::learn::ppo::loss::{Terms, Weights};
use crate::learn::ppo::{Sample, add_sample_gradient};
use crate::nn::kernel::CHUNK;
use crate::nn::unroll::Place;
use crate::nn::{ActorCritic, Network, Unroll, Workspace, actor_critic};
use crate::rollout::collect::Choice;
use crate::rollout::environments::Finished;
use crate::rollout::episodes::{Bound, Noise, Witness, run_episodes};
use crate::rollout::gae::gae;
use crate::rollout::{Environments, MakeEnv};
use crate::seed::Stream;
use crate::stop::Stop;
use std::ops::Range;

/// What is kept of every step until the trial is learned from: a longer one would not fit into memory.
const MOST_STEPS: usize = 10_000;

/// One trial, step by step.
#[derive(Debug, Clone, Default)]
struct Trial {
    /// `[T, W]`, as the head gives them.
    actions: Vec<f32>,
    log_probs: Vec<f32>,
    rewards: Vec<f32>,
    values: Vec<f32>,
    advantages: Vec<f32>,
}

impl Trial {
    /// Nothing was done in it yet.
    fn forget(&mut self) {
        self.actions.clear();
        self.log_probs.clear();
        self.rewards.clear();
    }
}

/// At most a chunk of trials, and what learning from them needs.
pub(super) struct Trials {
    each: Vec<Trial>,
    unroll: Unroll,
    /// How they ended, in their order.
    pub(super) finished: Vec<Finished>,
    gradient: Vec<f32>,
    log_std_gradient: Vec<f32>,
    places: Vec<Place>,
}

impl Trials {
    /// Room for so many.
    pub(super) fn new(shape: &ActorCritic, count: usize) -> Self {
        let layout = shape.layout();
        let log_stds = layout.range(actor_critic::LOG_STD).map_or(0, |range| range.len());
        Self {
            each: vec![Trial::default(); count],
            unroll: Unroll::new(shape),
            finished: Vec::new(),
            gradient: vec![0.0; layout.len()],
            log_std_gradient: vec![0.0; log_stds],
            places: Vec::new(),
        }
    }

    /// Acts out the trials of these numbers, with actions drawn from the policy, and computes their advantages.
    pub(super) fn gather(
        &mut self,
        config: &Config,
        bound: &Bound<'_>,
        make: &MakeEnv,
        numbers: Range<usize>,
        seed: u64,
        stop: &Stop,
    ) -> Result<()> {
        let environments = Environments::start(make, numbers, seed, Stream::Env)?;
        self.each.iter_mut().for_each(Trial::forget);
        let noise = Noise { seed, stream: Stream::ActionNoise };
        let mut record = Record { each: &mut self.each, unroll: &mut self.unroll };
        self.finished = run_episodes(bound, environments, Choice::Sample, noise, stop, &mut record)?;
        let lengths = self.each.iter().map(|trial| trial.rewards.len()).enumerate();
        self.places = lengths.flat_map(|(row, length)| (0..length).map(move |step| (step, row))).collect();
        self.value(bound.network(), config);
        Ok(())
    }

    /// Steps in all trials.
    pub(super) fn steps(&self) -> usize {
        self.places.len()
    }

    /// The longest trial's steps.
    fn longest(&self) -> usize {
        self.each.iter().map(|trial| trial.rewards.len()).max().unwrap_or(0)
    }

    /// The critic's values, and the advantages that follow. Behind a trial comes nothing, whatever ended it.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn value(&mut self, network: &Network, config: &Config) {
        let (longest, rows) = (self.longest(), self.each.len());
        self.each.iter_mut().for_each(|trial| trial.values.clear());
        network.remember(longest, rows, &mut self.unroll);
        for places in self.places.chunks(CHUNK) {
            network.look(places, &mut self.unroll);
            for (at, (_, row)) in places.iter().enumerate() {
                self.each[*row].values.push(self.unroll.workspace.value(at));
            }
        }
        for Trial { rewards, values, advantages, .. } in &mut self.each {
            let length = rewards.len();
            let mut next_values = vec![0.0; length];
            next_values[..length - 1].copy_from_slice(&values[1..]);
            let mut ends = vec![false; length];
            ends[length - 1] = true;
            advantages.resize(length, 0.0);
            gae(rewards, values, &next_values, &ends, &ends, 1, config.discount as f32, config.gae_lambda as f32, advantages);
        }
    }

    /// All advantages.
    pub(super) fn advantages(&self) -> impl Iterator<Item = f64> {
        self.each.iter().flat_map(|trial| trial.advantages.iter().copied().map(f64::from))
    }

    /// The critic's values beside what came.
    pub(super) fn value_pairs(&self) -> impl Iterator<Item = (f32, f32)> + Clone {
        self.each.iter().flat_map(|trial| trial.values.iter().zip(&trial.advantages).map(|(value, advantage)| (*value, value + advantage)))
    }

    /// The gradient of PPO's loss, as the part of a minibatch in which each step has this share, through the whole of each trial;
    /// advantages are `(advantage - mean) scale`.
    pub(super) fn gradient(&mut self, network: &Network, weights: &Weights, share: f32, [mean, scale]: [f32; 2]) -> (Terms, &[f32]) {
        let (longest, rows) = (self.longest(), self.each.len());
        let mut terms = Terms::default();
        network.remember(longest, rows, &mut self.unroll);
        for places in self.places.chunks(CHUNK) {
            network.look(places, &mut self.unroll);
            for (at, (step, row)) in places.iter().enumerate() {
                let trial = &self.each[*row];
                let width = trial.actions.len() / trial.rewards.len();
                let sample = Sample {
                    action: &trial.actions[step * width..][..width],
                    log_prob: trial.log_probs[*step],
                    value: trial.values[*step],
                    returns: trial.values[*step] + trial.advantages[*step],
                    advantage: (trial.advantages[*step] - mean) * scale,
                    share,
                };
                add_sample_gradient(network, weights, &sample, at, &mut self.unroll.workspace, &mut self.log_std_gradient, &mut terms);
            }
            network.look_back(places, &mut self.unroll);
        }
        network.remember_back(longest, rows, &mut self.unroll);
        self.gradient.fill(0.0);
        self.unroll.take_gradient(&mut self.gradient);
        let log_std = self.gradient.len() - self.log_std_gradient.len();
        self.gradient[log_std..].copy_from_slice(&self.log_std_gradient);
        self.log_std_gradient.fill(0.0);
        (terms, &self.gradient)
    }
}

/// Writes down what the policy sees and does.
struct Record<'a> {
    each: &'a mut [Trial],
    unroll: &'a mut Unroll,
}

impl Witness for Record<'_> {
    fn sees(&mut self, _bound: &Bound<'_>, _environments: &Environments, chunk: &[usize], workspace: &Workspace) {
        for (row, index) in chunk.iter().enumerate() {
            let step = self.each[*index].rewards.len();
            self.unroll.steps.make_room(step + 1);
            self.unroll.steps.input_row(step, *index).copy_from_slice(workspace.input(row));
        }
    }

    fn chooses(&mut self, index: usize, action: &[f32]) {
        self.each[index].actions.extend_from_slice(action);
    }

    #[expect(clippy::cast_possible_truncation, reason = "rewards are learned from in f32")]
    fn acts(&mut self, index: usize, _action: Action<'_>, log_prob: f32, step: Step, _seen: &[f64]) -> Result<()> {
        let trial = &mut self.each[index];
        if !log_prob.is_finite() {
            return Err(Error::diverged(format!("the policy gives log-probability {log_prob}")));
        }
        trial.log_probs.push(log_prob);
        trial.rewards.push(step.reward as f32);
        if trial.rewards.len() == MOST_STEPS && !step.ended() {
            return Err(Error::usage(format!("a trial does not end within {MOST_STEPS} steps"))
                .hint("give the environment `max_episode_steps`, or the trial fewer episodes"));
        }
        Ok(())
    }

    fn loses(&mut self, index: usize) {
        self.each[index].forget();
    }
}
