//! Behaviour cloning (Pomerleau 1989): maximum likelihood of the demonstrated actions, `min E[-log pi(a|s)] - alpha H + lambda/2 |theta|^2`,
//! stopped early on episodes that were held out. No environment is stepped.

use super::cloning::{Cloning, Lesson, Losses, Weights};
use super::pairs::{Pair, Pairs};
use crate::error::{Error, Result};
use crate::file::tensors::take_u64;
use crate::learn::{Learner, Progress, State};
use crate::nn::{Head, Normalizer, Params};
use crate::parallel::Pool;
use crate::policy::Policy;
use crate::seed::{Rng, Stream};
use crate::stop::Stop;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Hyper-parameters; the networks have the shape that `ppo` says, so that what is cloned can be trained on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename = "bc", deny_unknown_fields, default)]
pub struct Config {
    /// Rows per gradient step (32 in `imitation`; 64 costs the same time here and is smoother).
    pub minibatch: usize,
    /// Adam's step size (`imitation`).
    pub learning_rate: f64,
    /// Weight of the entropy bonus (`imitation`).
    pub entropy_coefficient: f64,
    /// Weight of half the squared norm of the parameters.
    pub l2_coefficient: f64,
    /// Share of the demonstrations that is held out: whole episodes where there are five or more, steps where there are fewer.
    pub validation: f64,
    /// Learning ends when the loss of what is held out (likelihood of an index, distance of numbers) has not improved for so many gradient
    /// steps; the best policy is kept.
    pub patience: u64,
    /// Whether observations are shifted and scaled by the moments of the demonstrations.
    pub normalize_observations: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            minibatch: 64,
            learning_rate: 1e-3,
            entropy_coefficient: 1e-3,
            l2_coefficient: 0.0,
            validation: 0.1,
            patience: 2000,
            normalize_observations: true,
        }
    }
}

/// Gradient steps between two looks at what was held out, at least.
const STEPS_PER_LOOK: usize = 50;

impl Config {
    /// Fails where a value makes no sense.
    ///
    /// # Errors
    /// Exit 2; names the field and its range.
    pub fn check(&self) -> Result<()> {
        let number = |name: &str, value: f64, least: f64, most: f64| {
            let inside = value.is_finite() && (least..=most).contains(&value);
            if inside {
                Ok(())
            } else {
                Err(Error::usage(format!("`{name}` cannot be {value}")).hint(format!("it lies between {least} and {most}")))
            }
        };
        #[expect(clippy::cast_precision_loss, reason = "checked below 2^53")]
        number("minibatch", self.minibatch as f64, 1.0, 1e6)?;
        number("learning_rate", self.learning_rate, 0.0, 10.0)?;
        number("entropy_coefficient", self.entropy_coefficient, -1e6, 1e6)?;
        number("l2_coefficient", self.l2_coefficient, 0.0, 1e6)?;
        number("validation", self.validation, 0.0, 0.9)?;
        #[expect(clippy::cast_precision_loss, reason = "checked below 2^53")]
        number("patience", self.patience as f64, 1.0, 1e15)
    }

    fn weights(&self) -> Weights {
        Weights { entropy: self.entropy_coefficient, l2: self.l2_coefficient }
    }
}

/// The learner: its steps are gradient steps.
pub struct Bc {
    config: Config,
    cloning: Cloning,
    pairs: Pairs,
    /// `[R, O]`, as the network sees them.
    seen: Vec<f32>,
    /// In the order of the last epoch.
    training: Vec<Pair>,
    validation: Vec<Pair>,
    rng: Rng,
    steps: u64,
    best: Params,
    best_loss: f64,
    best_at: u64,
    pool: Arc<Pool>,
}

impl Bc {
    /// Ready for the first [`Learner::advance`]. `rates` holds one factor per tensor of the policy.
    ///
    /// # Errors
    /// Exit 2 when the configuration is impossible.
    pub fn new(config: Config, mut policy: Policy, rates: &[f32], pairs: Pairs, seed: u64, pool: Arc<Pool>) -> Result<Self> {
        config.check()?;
        if config.normalize_observations {
            policy.normalizer = Some(Normalizer::new(pairs.moments()));
        }
        let (training, validation) = split(&pairs.pairs, config.validation, seed);
        let shown = pairs.seen(policy.normalizer.as_ref());
        Ok(Self {
            best: policy.params.clone(),
            best_loss: f64::INFINITY,
            best_at: 0,
            cloning: Cloning::new(policy, rates, config.minibatch, config.learning_rate, config.weights()),
            rng: Stream::Minibatch.under(seed),
            config,
            pairs,
            seen: shown,
            training,
            validation,
            steps: 0,
            pool,
        })
    }

    /// Learns to the end: for whoever begins with it.
    ///
    /// # Errors
    /// As [`Learner::advance`].
    pub fn run(&mut self, steps: u64, stop: &Stop) -> Result<()> {
        while self.steps < steps && !self.finished() {
            stop.check_unarmed()?;
            self.advance(stop)?;
        }
        Ok(())
    }

    fn look(&mut self, training: &Losses) -> Result<Losses> {
        let lesson = Lesson { pairs: &self.pairs, seen: &self.seen };
        let held_out = if self.validation.is_empty() { *training } else { self.cloning.losses(&lesson, &self.validation, &self.pool)? };
        // Of a Gaussian, whose deviations fit what it is trained on, the likelihood of a single miss says nothing of the rest.
        let discrete = matches!(self.cloning.policy().shape.head, Head::Categorical);
        let loss = if discrete { held_out.nll } else { held_out.agreement };
        if loss < self.best_loss {
            (self.best_loss, self.best_at) = (loss, self.steps);
            self.best.clone_from(&self.cloning.policy().params);
        }
        Ok(held_out)
    }
}

/// What is learned from and what is held out.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a share of a count")]
fn split(pairs: &[Pair], share: f64, seed: u64) -> (Vec<Pair>, Vec<Pair>) {
    let mut rng = Stream::Validation.under(seed);
    let episodes: BTreeSet<u32> = pairs.iter().map(|pair| pair.episode).collect();
    let by_episode = episodes.len() >= 5;
    let mut units: Vec<u32> = if by_episode { episodes.into_iter().collect() } else { (0..pairs.len() as u32).collect() };
    rng.shuffle(&mut units);
    // At least one of each, where anything is to be held out and there is more than one.
    let held = if share > 0.0 && units.len() > 1 { ((units.len() as f64 * share).round() as usize).clamp(1, units.len() - 1) } else { 0 };
    let held: BTreeSet<u32> = units.into_iter().take(held).collect();
    let is_held = |(index, pair): &(u32, &Pair)| held.contains(if by_episode { &pair.episode } else { index });
    let (validation, training): (Vec<_>, Vec<_>) = (0..).zip(pairs).partition(is_held);
    let pairs = |side: Vec<(u32, &Pair)>| side.into_iter().map(|(_, pair)| *pair).collect();
    (pairs(training), pairs(validation))
}

impl Learner for Bc {
    /// Passes over the demonstrations, then a look at what was held out.
    fn advance(&mut self, stop: &Stop) -> Result<Progress> {
        let per_epoch = self.training.len().div_ceil(self.config.minibatch);
        let epochs = STEPS_PER_LOOK.div_ceil(per_epoch);
        let mut training = Losses::default();
        for _ in 0..epochs {
            let lesson = Lesson { pairs: &self.pairs, seen: &self.seen };
            training = self.cloning.epoch(&lesson, &mut self.training, &mut self.rng, &self.pool, stop)?;
        }
        self.steps += (epochs * per_epoch) as u64;
        let held_out = self.look(&training)?;
        let agreement = if matches!(self.cloning.policy().shape.head, Head::Categorical) { "accuracy" } else { "distance" };
        let metrics = vec![
            ("nll", training.nll),
            ("validation_nll", held_out.nll),
            (agreement, held_out.agreement),
            ("entropy", training.entropy),
            ("best_validation_loss", self.best_loss),
        ];
        Ok(Progress { metrics, episodes: Vec::new() })
    }

    fn steps(&self) -> u64 {
        self.steps
    }

    fn environment_steps(&self) -> u64 {
        0
    }

    fn finished(&self) -> bool {
        self.steps >= self.best_at + self.config.patience
    }

    fn state(&self) -> State {
        let mut state = State::default();
        let (params, adam) = self.cloning.optimiser();
        params.save("params.", &mut state.tensors);
        adam.save(&mut state.tensors);
        self.best.save("best.", &mut state.tensors);
        let order = self.training.iter().map(|pair| u64::from(pair.row)).collect::<Vec<_>>();
        state.put_counters("order", &order);
        state.put_counters("counters", &[self.steps, self.best_at, self.best_loss.to_bits(), self.rng.position()]);
        state
    }

    fn restore(&mut self, state: &State) -> Result<()> {
        let mut left = state.to_take();
        let (params, adam) = self.cloning.optimiser_mut();
        params.load("params.", &mut left)?;
        adam.load(&mut left)?;
        self.cloning.refresh();
        self.best.load("best.", &mut left)?;
        let order = take_u64(&mut left, "order", self.training.len())?;
        let by_row: std::collections::BTreeMap<u64, Pair> = self.training.iter().map(|pair| (u64::from(pair.row), *pair)).collect();
        let pair = |row: &u64| by_row.get(row).copied().ok_or_else(|| Error::artefact("names a row that does not exist").at("order"));
        self.training = order.iter().map(pair).collect::<Result<_>>()?;
        let [steps, best_at, best_loss, position] = State::take_counters(&mut left, "counters")?;
        (self.steps, self.best_at, self.best_loss) = (steps, best_at, f64::from_bits(best_loss));
        self.rng.seek(position);
        State::finish(&left)
    }

    fn policy(&self) -> Policy {
        Policy { params: self.best.clone(), ..self.cloning.policy().clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Episodes of so many pairs; rows as they lie, each episode with a last observation.
    fn pairs(lengths: &[u32]) -> Vec<Pair> {
        let mut row = 0;
        let mut pairs = Vec::new();
        for (episode, length) in (0..).zip(lengths) {
            pairs.extend((0..*length).map(|step| Pair { row: row + step, episode, terminated: false }));
            row += length + 1;
        }
        pairs
    }

    #[test]
    fn whole_episodes_are_held_out_of_five_and_steps_of_fewer() {
        let all = pairs(&[7, 1, 30, 4, 9, 2, 11]);
        for seed in 0..50 {
            for share in [0.01, 0.1, 0.3, 0.9] {
                let (training, held_out) = split(&all, share, seed);
                let episodes = |pairs: &[Pair]| pairs.iter().map(|pair| pair.episode).collect::<BTreeSet<u32>>();
                assert!(episodes(&training).is_disjoint(&episodes(&held_out)) && !training.is_empty() && !held_out.is_empty());
                assert_eq!(training.len() + held_out.len(), all.len());
            }
            let (training, held_out) = split(&pairs(&[10, 10]), 0.1, seed);
            let rows = |pairs: &[Pair]| pairs.iter().map(|pair| pair.row).collect::<BTreeSet<u32>>();
            assert!(held_out.len() == 2 && training.len() == 18 && rows(&training).is_disjoint(&rows(&held_out)));
        }
    }

    #[test]
    fn at_least_one_is_held_out_where_there_are_two_and_anything_is_to_be() {
        let held_out = |lengths: &[u32], share: f64| split(&pairs(lengths), share, 3).1.len();
        assert_eq!([held_out(&[1], 0.5), held_out(&[2], 0.01), held_out(&[2], 0.9), held_out(&[20], 0.0)], [0, 1, 1, 0]);
        // Every fifth episode is too short for a step that is kept: numbers of episodes have gaps.
        let sparse: Vec<Pair> = [3, 8, 13, 18, 23].map(|episode| Pair { row: 2 * episode, episode, terminated: false }).to_vec();
        assert!((0..50).all(|seed| split(&sparse, 0.2, seed).1.len() == 1));
    }
}
