//! The adversarial loop of GAIL and AIRL: the policy acts, the discriminator learns to tell it from the demonstrations, and PPO improves the
//! policy on the discriminator's reward. With the discriminator held still it is reinforcement learning on a reward that was recovered.

use super::discriminator::{self, Discriminator, RewardSign, Seen, Transitions};
use super::pairs::{Pair, Pairs};
use crate::error::{Error, Result};
use crate::file::Array;
use crate::file::tensors::take_f64;
use crate::learn::ppo::Ppo;
use crate::learn::{Learner, Progress, State};
use crate::nn::kernel::CHUNK;
use crate::nn::{Moments, Network, Normalizer, Workspace};
use crate::policy::Policy;
use crate::rollout::Rollout;
use crate::seed::Rng;
use crate::stop::Stop;
use serde::{Deserialize, Serialize};

/// Hyper-parameters of the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "adversarial", deny_unknown_fields, default)]
pub struct Config {
    /// The network.
    pub discriminator: discriminator::Config,
    /// Its gradient steps in every iteration.
    pub updates: usize,
    /// The policy's reward; by how the demonstrations end where absent: `Negative` where the task ended most of them, `Positive` where
    /// time did. AIRL's paper takes `Both`, which presumes that all episodes have one length: a reward that is negative on the whole
    /// pays for ending an episode, whatever is demonstrated.
    pub reward: Option<RewardSign>,
    /// AIRL: whether the reward looks at the state alone.
    pub state_only: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { discriminator: discriminator::Config::default(), updates: 4, reward: None, state_only: true }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let network = &self.discriminator;
        let bad = |name: &str, range: &str| Err(Error::usage(format!("`{name}` is out of range")).hint(format!("it lies between {range}")));
        match () {
            () if !(1..=1 << 16).contains(&network.minibatch) => bad("minibatch", "1 and 65536"),
            () if network.hidden.len() > 16 || network.hidden.iter().any(|size| !(1..=1 << 12).contains(size)) => {
                bad("hidden", "1 and 4096")
            }
            () if !(network.learning_rate.is_finite() && (0.0..=10.0).contains(&network.learning_rate)) => bad("learning_rate", "0 and 10"),
            () if !(network.gradient_penalty.is_finite() && (0.0..=1e6).contains(&network.gradient_penalty)) => {
                bad("gradient_penalty", "0 and 1e6")
            }
            () if !(1..=10_000).contains(&self.updates) => bad("updates", "1 and 10000"),
            () => Ok(()),
        }
    }

    /// The policy's reward, by how demonstrations end unless the configuration says.
    #[must_use]
    pub fn sign(&self, share_terminated: f64) -> RewardSign {
        self.reward.unwrap_or(if share_terminated > 0.5 { RewardSign::Negative } else { RewardSign::Positive })
    }
}

/// What the policy's reward is.
pub enum Task {
    /// To be taken for the demonstrations.
    Imitate {
        /// They.
        pairs: Pairs,
        /// What follows from a logit.
        sign: RewardSign,
    },
    /// What a discriminator recovered before.
    Recovered {
        /// The same.
        sign: RewardSign,
    },
}

/// The learner.
pub struct Adversarial {
    ppo: Ppo,
    discriminator: Discriminator,
    updates: usize,
    task: Task,
    discount: f64,
    scale: Option<Scale>,
}

/// Rewards are divided by the standard deviation of the discounted return, as PPO does with the environment's.
struct Scale {
    moments: Moments,
    /// Of each environment's running episode, shard by shard.
    discounted: Vec<Vec<f64>>,
}

impl Adversarial {
    /// Around a PPO that does not scale rewards itself; `scaled` says whether they are scaled here.
    #[must_use]
    pub fn new(mut ppo: Ppo, discriminator: Discriminator, updates: usize, task: Task, discount: f64, scaled: bool) -> Self {
        ppo.keep_next_observations();
        let environments = ppo.environments_per_shard();
        let scale =
            scaled.then(|| Scale { moments: Moments::new(1), discounted: environments.iter().map(|count| vec![0.0; *count]).collect() });
        Self { ppo, discriminator, updates, task, discount, scale }
    }

    /// The discriminator.
    pub const fn discriminator_mut(&mut self) -> &mut Discriminator {
        &mut self.discriminator
    }

    /// Steps of the discriminator on demonstrated rows and on rows of the last rollout.
    fn discriminate(&mut self, stop: &Stop) -> Result<Seen> {
        let Task::Imitate { pairs, .. } = &self.task else { return Ok(Seen::default()) };
        let policy = self.ppo.policy();
        let acting = Network::new(&policy.shape, &policy.params);
        // The one that the rollouts were gathered with: PPO's moves on after its update.
        let normalizer = policy.normalizer.as_ref();
        let rollouts: Vec<&Rollout> = self.ppo.rollouts().map(|rollout| &*rollout).collect();
        let mut states = Vec::new();
        for rollout in &rollouts {
            states.clear();
            show(&rollout.observation, normalizer, &mut states);
            self.discriminator.observe(&states);
        }
        let size = self.discriminator.minibatch();
        let mut sum = Seen::default();
        #[expect(clippy::cast_precision_loss, reason = "a mean")]
        let share = 1.0 / self.updates as f64;
        let mut workspace = Workspace::new(&policy.shape);
        let mut own = Own { policy: &policy, acting: &acting, workspace: Workspace::new(&policy.shape) };
        for _ in 0..self.updates {
            stop.check()?;
            let expert = demonstrated(pairs, size, &policy, &acting, &mut workspace, self.discriminator.rng());
            self.discriminator.observe(&expert.state);
            let acted = own.drawn(&rollouts, size, self.discriminator.rng());
            let seen = self.discriminator.step(&expert, &acted)?;
            sum.loss += share * seen.loss;
            sum.expert_accuracy += share * seen.expert_accuracy;
            sum.policy_accuracy += share * seen.policy_accuracy;
        }
        Ok(sum)
    }

    /// Writes the discriminator's rewards over the environment's; gives their mean.
    fn reward(&mut self) -> Result<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        let policy = self.ppo.policy();
        let acting = Network::new(&policy.shape, &policy.params);
        let mut own = Own { policy: &policy, acting: &acting, workspace: Workspace::new(&policy.shape) };
        for (shard, rollout) in self.ppo.rollouts().enumerate() {
            let rows = own.whole(rollout);
            let rewards = match &self.task {
                Task::Imitate { sign, .. } => self.discriminator.rewards(&rows, *sign),
                Task::Recovered { sign } => self.discriminator.recovered(&rows, *sign),
            };
            if let Some(reward) = rewards.iter().find(|reward| !reward.is_finite()) {
                return Err(Error::diverged(format!("is {reward}")).at("the discriminator's reward"));
            }
            rollout.reward.copy_from_slice(&rewards);
            sum += rewards.iter().copied().map(f64::from).sum::<f64>();
            #[expect(clippy::cast_precision_loss, reason = "a mean")]
            let rows = rewards.len() as f64;
            count += rows;
            if let Some(scale) = &mut self.scale {
                scale.observe(shard, rollout, self.discount);
            }
        }
        if let Some(scale) = &self.scale {
            scale.moments.check_finite("moments of the discriminator's return")?;
            self.ppo.rollouts().for_each(|rollout| scale.apply(rollout));
        }
        Ok(sum / count)
    }
}

impl Scale {
    fn observe(&mut self, shard: usize, rollout: &Rollout, discount: f64) {
        let discounted = &mut self.discounted[shard];
        for (step, rewards) in rollout.reward.chunks_exact(discounted.len()).enumerate() {
            for (index, reward) in rewards.iter().enumerate() {
                discounted[index] = discounted[index] * discount + f64::from(*reward);
                self.moments.push(&discounted[index..=index]);
                if rollout.ended[step * rewards.len() + index] {
                    discounted[index] = 0.0;
                }
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "learning is f32")]
    fn apply(&self, rollout: &mut Rollout) {
        let scale = 1.0 / (self.moments.variance(0) + 1e-8).sqrt();
        rollout.reward.iter_mut().for_each(|reward| *reward = (f64::from(*reward) * scale).clamp(-10.0, 10.0) as f32);
    }
}

/// Demonstrated rows, drawn with replacement, with the log-probabilities that the policy gives them now.
#[expect(clippy::cast_possible_truncation, reason = "networks see f32")]
fn demonstrated(pairs: &Pairs, count: usize, policy: &Policy, acting: &Network, workspace: &mut Workspace, rng: &mut Rng) -> Transitions {
    let mut rows = Transitions::default();
    let drawn: Vec<Pair> = (0..count).map(|_| pairs.pairs[rng.below(pairs.pairs.len())]).collect();
    for pair in &drawn {
        rows.state.extend(pairs.observation(pair.row).iter().map(|value| *value as f32));
        rows.next.extend(pairs.observation(pair.row + 1).iter().map(|value| *value as f32));
        rows.action.extend_from_slice(pairs.action(pair.row));
        rows.goes_on.push(f32::from(u8::from(!pair.terminated)));
    }
    for chunk in drawn.chunks(CHUNK) {
        for (row, pair) in chunk.iter().enumerate() {
            let channels = workspace.input_row(row).iter_mut().zip(pairs.observation(pair.row)).enumerate();
            channels.for_each(|(channel, (to, value))| {
                *to = policy.normalizer.as_ref().map_or(*value as f32, |normalizer| normalizer.normalize(channel, *value));
            });
        }
        acting.forward_actor(chunk.len(), workspace);
        for (row, pair) in chunk.iter().enumerate() {
            let evaluated = policy.shape.head.evaluate(workspace.outputs(row), acting.log_std(), pairs.action(pair.row));
            rows.log_prob.push(evaluated.log_prob);
        }
    }
    rows
}

/// Adds what environments showed, given what the policy made of it: a reward that hung on one policy's normaliser would be another one for
/// every other.
#[expect(clippy::cast_possible_truncation, reason = "networks see f32")]
fn show(seen: &[f32], normalizer: Option<&Normalizer>, into: &mut Vec<f32>) {
    let Some(normalizer) = normalizer else { return into.extend_from_slice(seen) };
    let channels = normalizer.moments.channels();
    into.extend(seen.iter().enumerate().map(|(at, value)| normalizer.raw(at % channels, *value) as f32));
}

/// The policy's own rows, with what the environment got of its actions: demonstrations end at the bounds, and what a Gaussian draws beyond
/// them would give it away.
struct Own<'a> {
    policy: &'a Policy,
    acting: &'a Network,
    workspace: Workspace,
}

impl Own<'_> {
    /// Rows drawn with replacement.
    fn drawn(&mut self, rollouts: &[&Rollout], count: usize, rng: &mut Rng) -> Transitions {
        let mut rows = Transitions::default();
        let total: usize = rollouts.iter().map(|rollout| rollout.rows()).sum();
        for _ in 0..count {
            let mut at = rng.below(total);
            let mut shards = rollouts.iter();
            let rollout = loop {
                let rollout = shards.next().expect("a row of one of the shards");
                if at < rollout.rows() {
                    break rollout;
                }
                at -= rollout.rows();
            };
            self.put(rollout, at, &mut rows);
        }
        rows
    }

    /// All rows of a rollout.
    fn whole(&mut self, rollout: &Rollout) -> Transitions {
        let mut rows = Transitions::default();
        (0..rollout.rows()).for_each(|at| self.put(rollout, at, &mut rows));
        rows
    }

    fn put(&mut self, rollout: &Rollout, at: usize, rows: &mut Transitions) {
        let (head, normalizer) = (&self.policy.shape.head, self.policy.normalizer.as_ref());
        show(rollout.observation_row(at), normalizer, &mut rows.state);
        show(rollout.next_observation_row(at), normalizer, &mut rows.next);
        let start = rows.action.len();
        rows.action.extend_from_slice(rollout.action_row(at));
        let action = &mut rows.action[start..];
        rows.log_prob.push(if head.cut(action, &self.policy.spaces.action) {
            self.workspace.input_row(0).copy_from_slice(rollout.observation_row(at));
            self.acting.forward_actor(1, &mut self.workspace);
            head.evaluate(self.workspace.outputs(0), self.acting.log_std(), action).log_prob
        } else {
            rollout.log_prob[at]
        });
        rows.goes_on.push(f32::from(u8::from(!rollout.terminated[at])));
    }
}

impl Learner for Adversarial {
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        self.ppo.collect(stop)?;
        let seen = self.discriminate(stop)?;
        let reward = self.reward()?;
        let mut progress = self.ppo.update(stop)?;
        progress.metrics.extend([
            ("discriminator_loss", seen.loss),
            ("discriminator_expert_accuracy", seen.expert_accuracy),
            ("discriminator_policy_accuracy", seen.policy_accuracy),
            ("discriminator_reward", reward),
        ]);
        Ok(progress)
    }

    fn steps(&self) -> u64 {
        self.ppo.steps()
    }

    fn state(&self) -> State {
        let mut state = self.ppo.state();
        self.discriminator.save(&mut state.tensors);
        if let Some(scale) = &self.scale {
            scale.moments.save("discriminator.return", &mut state.tensors);
            let discounted = scale.discounted.concat();
            state.tensors.insert("discriminator.discounted".into(), Array::f64(&[discounted.len()], discounted));
        }
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let (own, ppo): (crate::file::Tensors, _) = state.to_take().into_iter().partition(|(name, _)| name.starts_with("discriminator."));
        let mut left = own;
        self.ppo.restore(&State { tensors: ppo, ..State::default() })?;
        if let Some(scale) = &mut self.scale {
            scale.moments = Moments::load(1, "discriminator.return", &mut left)?;
            let total = scale.discounted.iter().map(Vec::len).sum();
            let discounted = take_f64(&mut left, "discriminator.discounted", &[total])?;
            let mut rest = &discounted[..];
            for shard in &mut scale.discounted {
                let (here, after) = rest.split_at(shard.len());
                shard.copy_from_slice(here);
                rest = after;
            }
        }
        self.discriminator.load(&mut left)?;
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        self.ppo.policy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reward_has_the_sign_of_how_demonstrations_end() {
        let config = Config::default();
        assert_eq!(config.sign(1.0), RewardSign::Negative, "the task ends them: every step costs");
        assert_eq!(config.sign(0.0), RewardSign::Positive, "time ends them: every step is worth something");
        assert_eq!(config.sign(0.5), RewardSign::Positive);
        assert_eq!(Config { reward: Some(RewardSign::Both), ..config }.sign(1.0), RewardSign::Both);
    }

    #[test]
    fn what_was_shown_comes_back_from_what_was_seen() {
        let mut moments = Moments::new(2);
        (0..10).for_each(|step| moments.push(&[f64::from(step), 100.0 + f64::from(step * step)]));
        let normalizer = Normalizer::new(moments);
        let raw = [3.5_f32, 120.0, -1.0, 181.0];
        let seen: Vec<f32> = raw.iter().enumerate().map(|(at, value)| normalizer.normalize(at % 2, f64::from(*value))).collect();
        let mut back = Vec::new();
        show(&seen, Some(&normalizer), &mut back);
        for (shown, raw) in back.iter().zip(raw) {
            assert!((shown - raw).abs() < 1e-4, "{shown} {raw}");
        }
        back.clear();
        show(&raw, None, &mut back);
        assert_eq!(back, raw);
    }
}
