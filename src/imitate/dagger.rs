//! Dataset aggregation (Ross et al. 2011, algorithm 3.1): the learner acts, the expert says what it would have done, and the policy is
//! cloned from all that was ever said. In round `i` the expert itself acts with probability `beta_i`, which falls in a straight line.

use super::cloning::{Cloning, Lesson, Losses};
use super::pairs::Pairs;
use super::{bc, cloning};
use crate::error::{Error, Result};
use crate::file::Array;
use crate::file::tensors::{take_f32, take_f64};
use crate::learn::{Learner, Progress, State};
use crate::nn::{Moments, Normalizer, Workspace};
use crate::parallel::Pool;
use crate::policy::{Binding, Policy};
use crate::rollout::episodes::Bound;
use crate::rollout::{Environments, MakeEnv, Memories};
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What can be set; how the policy is fitted stands under `bc`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "dagger", deny_unknown_fields, default)]
pub struct Config {
    /// Environments acted in side by side.
    pub environments: usize,
    /// Steps in all of them that the expert labels in a round.
    pub steps: usize,
    /// Rounds until the learner acts alone, what was given counted as the first (15 in `imitation`, whose rounds are longer): a label is
    /// worth most where the learner goes.
    pub beta_rounds: u64,
    /// Gradient steps on all labels after each round.
    pub updates: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { environments: 8, steps: 128, beta_rounds: 1, updates: 1000 }
    }
}

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let counts = [("environments", self.environments, 1 << 12), ("steps", self.steps, 1 << 20), ("updates", self.updates, 1 << 20)];
        match counts.into_iter().find(|(_, value, most)| !(1..=*most).contains(value)) {
            Some((name, value, most)) => {
                Err(Error::usage(format!("`{name}` cannot be {value}")).hint(format!("it lies between 1 and {most}")))
            }
            None => Ok(()),
        }
    }
}

/// The learner: its steps are labels of the expert.
pub struct Dagger {
    config: Config,
    cloning: Cloning,
    expert: Policy,
    /// From the environments to the learner's channels, and from the expert's actions to the learner's.
    binding: Binding,
    environments: Environments,
    pairs: Pairs,
    /// Labels that were there from the beginning.
    given: usize,
    mixture: Rng,
    order: Rng,
    rounds: u64,
    steps: u64,
    pool: Arc<Pool>,
}

impl Dagger {
    /// Ready for the first round. `pairs` are demonstrations to begin with; their moments normalise what the policy sees where `bc` says so.
    ///
    /// # Errors
    /// When a configuration is impossible, the expert does not fit, or an environment cannot be built.
    #[expect(clippy::too_many_arguments, reason = "learner and expert, where and from what")]
    pub fn new(
        config: Config,
        bc: &bc::Config,
        mut policy: Policy,
        rates: &[f32],
        expert: Policy,
        pairs: Pairs,
        make: &MakeEnv,
        seed: u64,
        pool: Arc<Pool>,
        stop: &Stop,
    ) -> Result<Self> {
        config.check()?;
        bc.check()?;
        expert.shape.check_memoryless("`dagger` as its expert")?;
        let environments = Environments::start(make, 0..config.environments, seed, Stream::Env)?;
        let binding = Binding::new(&policy.spaces, environments.spaces())?;
        Bound::new(&expert, environments.spaces()).map_err(|error| error.at("expert"))?;
        if bc.normalize_observations {
            policy.normalizer = Some(Normalizer::new(pairs.moments()));
        }
        let weights = cloning::Weights { entropy: bc.entropy_coefficient, l2: bc.l2_coefficient };
        let given = pairs.pairs.len();
        let mut dagger = Self {
            cloning: Cloning::new(policy, rates, bc.minibatch, bc.learning_rate, weights),
            config,
            expert,
            binding,
            environments,
            pairs,
            given,
            mixture: Stream::Mixture.under(seed),
            order: Stream::Minibatch.under(seed),
            rounds: 0,
            steps: 0,
            pool,
        };
        // Round 0: what was given.
        dagger.fit(stop)?;
        Ok(dagger)
    }

    /// Acts by the mixture; every state is labelled with what the expert does there.
    fn gather(&mut self, beta: f64, stop: &Stop) -> Result<()> {
        let policy = self.cloning.policy().clone();
        let expert_policy = self.expert.clone();
        let (learner, expert) = (Bound::new(&policy, self.environments.spaces())?, Bound::new(&expert_policy, self.environments.spaces())?);
        let expert_binding = Binding::new(&expert_policy.spaces, self.environments.spaces())?;
        let (mut rooms, mut chosen) = ([Workspace::new(&policy.shape), Workspace::new(&expert_policy.shape)], (Vec::new(), Vec::new()));
        let mut memories = [&policy, &expert_policy].map(|policy| Memories::new(&policy.shape, self.environments.len()));
        let head = &policy.shape.head;
        chosen.0.resize(head.action_width(policy.shape.outputs), 0.0);
        chosen.1.resize(expert_policy.shape.head.action_width(expert_policy.shape.outputs), 0.0);
        let (mut room, mut expert_room) = (self.binding.action_room(), expert_binding.action_room());
        let mut gathered = vec![0.0; policy.shape.inputs];
        let mut label = vec![0.0; chosen.0.len()];
        let all: Vec<usize> = (0..self.environments.len()).collect();
        for _ in 0..self.config.steps.div_ceil(self.environments.len()) {
            stop.check()?;
            for chunk in all.chunks(crate::nn::kernel::CHUNK) {
                learner.see(&self.environments, chunk, &mut memories[0], &mut rooms[0]);
                expert.see(&self.environments, chunk, &mut memories[1], &mut rooms[1]);
                for (row, index) in chunk.iter().enumerate() {
                    expert_policy.shape.head.mode(rooms[1].outputs(row), &mut chosen.1);
                    let wise = expert_binding.act(&expert_policy.shape.head, &chosen.1, &mut expert_room);
                    self.binding.unact(head, wise, &mut label);
                    self.binding.gather(self.environments.observation(*index), &mut gathered);
                    self.pairs.add(&gathered, &label, u32::MAX);
                    self.steps += 1;
                    let outcome = if self.mixture.unit() < beta {
                        self.environments.step(*index, wise)?
                    } else {
                        head.mode(rooms[0].outputs(row), &mut chosen.0);
                        self.environments.step(*index, self.binding.act(head, &chosen.0, &mut room))?
                    };
                    if outcome.is_none_or(|step| step.ended()) {
                        for memories in &mut memories {
                            memories.forget(*index);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn fit(&mut self, stop: &Stop) -> Result<Losses> {
        let seen = self.pairs.seen(self.cloning.policy().normalizer.as_ref());
        let lesson = Lesson { pairs: &self.pairs, seen: &seen };
        let mut rows = self.pairs.pairs.clone();
        let mut losses = Losses::default();
        let per_epoch = rows.len().div_ceil(self.cloning.minibatch());
        for _ in 0..self.config.updates.div_ceil(per_epoch) {
            losses = self.cloning.epoch(&lesson, &mut rows, &mut self.order, &self.pool, stop)?;
        }
        Ok(losses)
    }
}

/// The expert's share of actions in a round: what was given counts as one in which the expert acted alone.
#[expect(clippy::cast_precision_loss, reason = "rounds stay below 2^53")]
fn beta(round: u64, beta_rounds: u64) -> f64 {
    (1.0 - (round as f64 + 1.0) / beta_rounds.max(1) as f64).max(0.0)
}

impl Learner for Dagger {
    /// One round: gather, aggregate, fit.
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let beta = beta(self.rounds, self.config.beta_rounds);
        self.gather(beta, stop)?;
        let losses = self.fit(stop)?;
        self.rounds += 1;
        let metrics = vec![("nll", losses.nll), ("agreement", losses.agreement), ("entropy", losses.entropy), ("beta", beta)];
        Ok(Progress { metrics, episodes: std::mem::take(&mut self.environments.finished) })
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn state(&self) -> State {
        let mut state = State::default();
        let (params, adam) = self.cloning.optimiser();
        params.save("params.", &mut state.tensors);
        adam.save(&mut state.tensors);
        self.environments.save("environments.", &mut state.tensors);
        if let Some(normalizer) = &self.cloning.policy().normalizer {
            normalizer.moments.save("normalizer.observation", &mut state.tensors);
        }
        // What was labelled on the way; what was given is given again.
        let new = &self.pairs.pairs[self.given..];
        let states: Vec<f64> = new.iter().flat_map(|pair| self.pairs.observation(pair.row).iter().copied()).collect();
        let actions: Vec<f32> = new.iter().flat_map(|pair| self.pairs.action(pair.row).iter().copied()).collect();
        state.tensors.insert("labelled.states".into(), Array::f64(&[new.len(), self.pairs.inputs()], states));
        state.tensors.insert("labelled.actions".into(), Array::f32(&[new.len(), self.pairs.width()], actions));
        state.put_counters("counters", &[self.steps, self.rounds, new.len() as u64, self.mixture.position(), self.order.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        let (params, adam) = self.cloning.optimiser_mut();
        params.load("params.", &mut left)?;
        adam.load(&mut left)?;
        self.environments.load("environments.", &mut left)?;
        if let Some(normalizer) = &self.cloning.policy().normalizer {
            // The demonstrations that were given make it; a run that began with others is another run.
            if Moments::load(self.pairs.inputs(), "normalizer.observation", &mut left)? != normalizer.moments {
                return Err(Error::artefact("the run began with other demonstrations"));
            }
        }
        let [steps, rounds, labelled, mixture, order] = State::take_counters(&mut left, "counters")?;
        let labelled = usize::try_from(labelled).unwrap_or(usize::MAX);
        let (inputs, width) = (self.pairs.inputs(), self.pairs.width());
        let states = take_f64(&mut left, "labelled.states", &[labelled, inputs])?;
        let actions = take_f32(&mut left, "labelled.actions", &[labelled, width])?;
        self.pairs.keep_first(self.given);
        for (state, action) in states.chunks_exact(inputs).zip(actions.chunks_exact(width)) {
            self.pairs.add(state, action, u32::MAX);
        }
        (self.steps, self.rounds) = (steps, rounds);
        self.mixture.seek(mixture);
        self.order.seek(order);
        self.cloning.refresh();
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        self.cloning.policy().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::beta;

    #[test]
    fn the_experts_share_falls_in_a_straight_line_to_nothing() {
        let shares: Vec<f64> = (0..6).map(|round| beta(round, 5)).collect();
        for (share, expected) in shares.iter().zip([0.8, 0.6, 0.4, 0.2, 0.0, 0.0]) {
            assert!((share - expected).abs() < 1e-12, "{shares:?}");
        }
        assert_eq!([beta(0, 0), beta(0, 1), beta(u64::MAX, 5)], [0.0; 3]);
    }
}
