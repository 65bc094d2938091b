//! A shard acts: environments, streams and buffers of its own, nothing shared but the weights.

use super::environments::{Environments, Finished};
use super::gae::gae;
use super::{MakeEnv, Rollout};
use crate::env::Step;
use crate::error::{Error, Result};
use crate::file::tensors::{Array, Tensors, take_f64, take_u64};
use crate::nn::kernel::CHUNK;
use crate::nn::{Head, Moments, Network, Normalizer, Workspace};
use crate::policy::Binding;
use crate::policy::channels::ActionRoom;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use std::ops::Range;

/// What all shards act with: read, never written, while they do.
#[derive(Clone, Copy)]
pub struct Actor<'a> {
    /// The weights.
    pub network: &'a Network,
    /// Frozen until the next update is over: new statistics would make old log-probabilities belong to another policy.
    pub normalizer: Option<&'a Normalizer>,
    /// How the policy's channels are found in the environments'.
    pub binding: &'a Binding,
}

/// Some environments of a learner, and everything that acting in them needs.
pub struct Shard {
    environments: Environments,
    noise: Rng,
    workspace: Workspace,
    action_room: ActionRoom,
    /// What the last [`Shard::collect`] saw.
    pub rollout: Rollout,
    /// Observations `[O]` that a truncation cut off, by row; their values are asked for when the rollout is over.
    cut_off: Vec<(usize, Vec<f32>)>,
    gathered: Vec<f64>,
    /// Raw observations since the last update; `None` where they are not normalised.
    pub seen: Option<Moments>,
    /// The discounted return of each environment's running episode, and their moments since the last update; `None` where rewards are
    /// not scaled.
    pub discounted: Option<(Vec<f64>, Moments)>,
    steps: usize,
}

impl Shard {
    /// Builds the environments of `range` and room for `steps` steps of each.
    ///
    /// # Errors
    /// When an environment cannot be built or reset.
    pub fn start(make: &MakeEnv, index: usize, range: Range<usize>, steps: usize, seed: u64, actor: Actor<'_>) -> Result<Self> {
        let environments = Environments::start(make, range, seed, Stream::Env)?;
        let shape = actor.network.shape();
        Ok(Self {
            noise: Stream::ActionNoise(index as u64).under(seed),
            workspace: Workspace::new(shape),
            action_room: actor.binding.action_room(),
            rollout: Rollout::new(steps * environments.len(), shape.inputs, shape.head.action_width(shape.outputs)),
            cut_off: Vec::new(),
            gathered: vec![0.0; shape.inputs],
            seen: None,
            discounted: None,
            steps,
            environments,
        })
    }

    /// From now on keeps what was seen after each step.
    pub fn keep_next_observations(&mut self) {
        self.rollout.next_observation = vec![0.0; self.rollout.observation.len()];
    }

    /// How many environments.
    #[must_use]
    pub fn environments(&self) -> usize {
        self.environments.len()
    }

    /// From now on gathers the moments of observations, for a normaliser.
    pub fn gather_observations(&mut self) {
        self.seen = Some(Moments::new(self.gathered.len()));
    }

    /// From now on gathers the moments of discounted returns, for the scale of rewards.
    pub fn gather_returns(&mut self) {
        self.discounted = Some((vec![0.0; self.environments.len()], Moments::new(1)));
    }

    /// Transitions of one rollout.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rollout.rows()
    }

    /// Episodes that ended since this was last asked.
    pub fn take_finished(&mut self) -> Vec<Finished> {
        std::mem::take(&mut self.environments.finished)
    }

    /// Acts for a whole rollout: fills observations, actions, log-probabilities, values, rewards and ends.
    ///
    /// # Errors
    /// When an environment fails, the network gives something that is not finite, or it is broken off.
    pub fn collect(&mut self, actor: Actor<'_>, discount: f64, stop: &Stop) -> Result<()> {
        let count = self.environments.len();
        self.cut_off.clear();
        for step in 0..self.steps {
            stop.check()?;
            for start in (0..count).step_by(CHUNK) {
                let rows = CHUNK.min(count - start);
                for row in 0..rows {
                    self.see(actor, start + row, row);
                }
                actor.network.forward(rows, &mut self.workspace);
                let at = step * count + start;
                for row in 0..rows {
                    self.choose(actor, start + row, row, at + row)?;
                }
                if self.environments.listening() {
                    self.announce(actor, start..start + rows, at);
                }
                for row in 0..rows {
                    self.act(actor, start + row, at + row, discount)?;
                }
            }
        }
        Ok(())
    }

    /// Shows a row of the workspace what environment `index` shows.
    fn see(&mut self, actor: Actor<'_>, index: usize, row: usize) {
        let observation = self.environments.observation(index);
        actor.binding.see(actor.normalizer, observation, self.workspace.input_row(row));
        if let Some(seen) = &mut self.seen {
            actor.binding.gather(observation, &mut self.gathered);
            seen.push(&self.gathered);
        }
    }

    /// Draws environment `index`'s action from a row of the workspace, and keeps it with what it was drawn from.
    fn choose(&mut self, actor: Actor<'_>, index: usize, row: usize, at: usize) -> Result<()> {
        let head = &actor.network.shape().head;
        let Rollout { observation, action, log_prob, value, reward, .. } = &mut self.rollout;
        let (inputs, width) = (self.gathered.len(), action.len() / reward.len());
        observation[at * inputs..][..inputs].copy_from_slice(self.workspace.input_row(row));
        let action = &mut action[at * width..][..width];
        log_prob[at] = head.sample(self.workspace.outputs(row), actor.network.log_std(), &mut self.noise, action);
        value[at] = self.workspace.value(row);
        if !(log_prob[at].is_finite() && value[at].is_finite()) {
            let message = format!("the policy gives log-probability {} and value {}", log_prob[at], value[at]);
            return Err(Error::diverged(message).at(self.environments.name(index)));
        }
        Ok(())
    }

    /// Tells environments the actions that were drawn for them.
    fn announce(&mut self, actor: Actor<'_>, indices: Range<usize>, at: usize) {
        let head = &actor.network.shape().head;
        let width = self.rollout.action.len() / self.rollout.reward.len();
        for (row, index) in indices.enumerate() {
            let action = &self.rollout.action[(at + row) * width..][..width];
            self.environments.announce(index, actor.binding.act(head, action, &mut self.action_room));
        }
    }

    /// Steps environment `index` with the action that was drawn, and keeps what came of it.
    #[expect(clippy::cast_possible_truncation, reason = "rewards are learned from in f32")]
    fn act(&mut self, actor: Actor<'_>, index: usize, at: usize, discount: f64) -> Result<()> {
        let head = &actor.network.shape().head;
        let Rollout { action, reward, next_value, terminated, ended, .. } = &mut self.rollout;
        let (inputs, width) = (self.gathered.len(), action.len() / reward.len());
        let action = &action[at * width..][..width];
        // A rollout has a row for every step: where an episode is lost, one in which time was up.
        let lost = Step { reward: 0.0, terminated: false, truncated: true };
        let step = self.environments.step(index, actor.binding.act(head, action, &mut self.action_room))?.unwrap_or(lost);
        reward[at] = step.reward as f32;
        terminated[at] = step.terminated;
        ended[at] = step.ended();
        next_value[at] = 0.0;
        if !self.rollout.next_observation.is_empty() {
            let shown = if step.ended() { self.environments.ended_observation() } else { self.environments.observation(index) };
            actor.binding.see(actor.normalizer, shown, &mut self.rollout.next_observation[at * inputs..][..inputs]);
        }
        if step.truncated {
            let mut seen = vec![0.0; inputs];
            actor.binding.see(actor.normalizer, self.environments.ended_observation(), &mut seen);
            self.cut_off.push((at, seen));
        }
        if let Some((discounted, moments)) = &mut self.discounted {
            discounted[index] = discounted[index] * discount + step.reward;
            moments.push(&discounted[index..=index]);
            if step.ended() {
                discounted[index] = 0.0;
            }
        }
        Ok(())
    }

    /// Completes the rollout: scales rewards by `reward_scale`, asks for the values of what follows, and computes advantages and returns.
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    pub fn finish(&mut self, actor: Actor<'_>, discount: f64, lambda: f64, reward_scale: Option<f64>) {
        self.scale_rewards(reward_scale);
        self.value_what_follows(actor);
        let count = self.environments.len();
        let Rollout { value, reward, next_value, terminated, ended, advantage, returns, .. } = &mut self.rollout;
        gae(reward, value, next_value, terminated, ended, count, discount as f32, lambda as f32, advantage);
        for ((returns, advantage), value) in returns.iter_mut().zip(advantage.iter()).zip(value.iter()) {
            *returns = advantage + value;
        }
    }

    /// Divides rewards by the standard deviation of discounted returns and clips them to +-10 (details 30 and 31 of "The 37
    /// Implementation Details of PPO").
    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn scale_rewards(&mut self, reward_scale: Option<f64>) {
        if let Some(scale) = reward_scale {
            self.rollout.reward.iter_mut().for_each(|reward| *reward = (f64::from(*reward) * scale).clamp(-10.0, 10.0) as f32);
        }
    }

    /// Fills `next_value`: the next step's value, that of what a truncation cut off, and of what the environments show now.
    fn value_what_follows(&mut self, actor: Actor<'_>) {
        let (count, rows) = (self.environments.len(), self.rollout.rows());
        for at in 0..rows - count {
            if !self.rollout.ended[at] {
                self.rollout.next_value[at] = self.rollout.value[at + count];
            }
        }
        let mut asked: Vec<usize> = Vec::with_capacity(CHUNK);
        for index in 0..count {
            let at = rows - count + index;
            if !self.rollout.ended[at] {
                let observation = self.environments.observation(index);
                actor.binding.see(actor.normalizer, observation, self.workspace.input_row(asked.len()));
                asked.push(at);
                if asked.len() == CHUNK {
                    self.answer(actor, &mut asked);
                }
            }
        }
        for (at, seen) in std::mem::take(&mut self.cut_off) {
            self.workspace.input_row(asked.len()).copy_from_slice(&seen);
            asked.push(at);
            if asked.len() == CHUNK {
                self.answer(actor, &mut asked);
            }
        }
        self.answer(actor, &mut asked);
    }

    fn answer(&mut self, actor: Actor<'_>, asked: &mut Vec<usize>) {
        if !asked.is_empty() {
            actor.network.forward(asked.len(), &mut self.workspace);
            for (row, at) in asked.drain(..).enumerate() {
                self.rollout.next_value[at] = self.workspace.value(row);
            }
        }
    }

    /// Adds everything that the future depends on to a set that goes to disk.
    pub fn save(&self, prefix: &str, into: &mut Tensors) {
        self.environments.save(prefix, into);
        into.insert(format!("{prefix}noise"), Array::u64(vec![self.noise.position()]));
        if let Some((discounted, _)) = &self.discounted {
            into.insert(format!("{prefix}discounted"), Array::f64(&[discounted.len()], discounted.clone()));
        }
    }

    /// Continues from what [`Shard::save`] wrote, bit for bit.
    ///
    /// # Errors
    /// Exit 3 when it belongs to another shard.
    pub fn load(&mut self, prefix: &str, from: &mut Tensors) -> Result<()> {
        self.environments.load(prefix, from)?;
        self.noise.seek(take_u64(from, &format!("{prefix}noise"), 1)?[0]);
        if let Some((discounted, _)) = &mut self.discounted {
            *discounted = take_f64(from, &format!("{prefix}discounted"), &[discounted.len()])?;
        }
        Ok(())
    }
}

/// Which action of a distribution is taken when a policy is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// The most probable one.
    Mode,
    /// One drawn from the distribution.
    Sample,
}

impl Choice {
    /// Writes the chosen action and gives the log-probability of one that was drawn; of the most probable one, 0.
    pub(super) fn choose(self, head: &Head, outputs: &[f32], log_std: &[f32], rng: &mut Rng, action: &mut [f32]) -> f32 {
        match self {
            Self::Mode => {
                head.mode(outputs, action);
                0.0
            }
            Self::Sample => head.sample(outputs, log_std, rng, action),
        }
    }
}
