//! Demonstrations as a learner sees them: observations in the policy's channels, actions in the units of its head.

use crate::demo::{Demonstrations, Episode};
use crate::env::ActionSpace;
use crate::error::{Error, Result};
use crate::nn::{Head, Moments, Normalizer};
use crate::parallel::Pool;
use crate::policy::Binding;
use crate::seed::Stream;
use serde::{Deserialize, Serialize};

/// Which part of a set is learned from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Selection {
    /// The first so many episodes; all where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episodes: Option<u64>,
    /// One of so many steps of each episode, from a random one on (Ho & Ermon 2016); every step where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<u32>,
}

/// The chosen episodes of a set.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// The set's spaces.
    pub spaces: crate::env::Spaces,
    /// Its episodes.
    pub episodes: Vec<Episode>,
    /// One of so many steps is learned from.
    pub every: usize,
}

impl Chosen {
    /// Reads what is chosen of a set.
    ///
    /// # Errors
    /// Exit 2 when there is less than that, 3 when the set is damaged.
    pub fn read(set: &Demonstrations, selection: Selection, pool: &Pool) -> Result<Self> {
        let episodes = match selection.episodes {
            Some(count) if count < set.len() => set.first(count)?,
            Some(count) if count > set.len() => {
                let message = format!("has {} episodes, {count} are to be learned from", set.len());
                return Err(Error::usage(message).at(set.path().display()).hint("record more, or ask for fewer with --demo-episodes"));
            }
            _ => set.load(pool)?,
        };
        if episodes.is_empty() {
            return Err(Error::artefact("holds no episodes").at(set.path().display()));
        }
        Ok(Self { spaces: set.header().spaces.clone(), episodes, every: selection.every.map_or(1, |every| every.max(1) as usize) })
    }

    /// Share of episodes that the task ended, and not the time.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share")]
    pub fn share_terminated(&self) -> f64 {
        self.episodes.iter().filter(|episode| episode.terminated).count() as f64 / self.episodes.len() as f64
    }
}

/// A step that is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// Its row; what was seen next is the row behind it.
    pub row: u32,
    /// Its episode.
    pub episode: u32,
    /// The task was over with it.
    pub terminated: bool,
}

/// State-action pairs.
#[derive(Debug, Clone)]
pub struct Pairs {
    inputs: usize,
    width: usize,
    /// `[R, O]`, raw: all rows of all episodes, the last of each included.
    observation: Vec<f64>,
    /// `[R, W]`; nothing in the last row of an episode.
    action: Vec<f32>,
    /// What is learned from.
    pub pairs: Vec<Pair>,
}

impl Pairs {
    /// The chosen episodes in a policy's channels and actions.
    ///
    /// # Errors
    /// Exit 3 with every channel and action that cannot be matched by name.
    pub fn new(chosen: &Chosen, policy: &crate::env::Spaces, head: &Head, seed: u64) -> Result<Self> {
        let binding = Binding::to_demonstrations(policy, &chosen.spaces)?;
        let (inputs, width) = (policy.observation.len(), head.action_width(policy.action.size()));
        let mut pairs = Self { inputs, width, observation: Vec::new(), action: Vec::new(), pairs: Vec::new() };
        let mut offset = Stream::Subsample.under(seed);
        let mut shown = vec![0.0; chosen.spaces.observation.len()];
        let (mut gathered, mut room) = (vec![0.0; inputs], Vec::new());
        let mut taken = vec![0.0; width];
        for (number, episode) in (0..).zip(&chosen.episodes) {
            let first = offset.below(chosen.every);
            for step in 0..=episode.len() {
                episode.observation(step, &mut shown);
                binding.gather(&shown, &mut gathered);
                let last = step == episode.len();
                if last {
                    taken.fill(0.0);
                } else {
                    binding.unact(head, episode.action(step, &chosen.spaces.action, &mut room), &mut taken);
                }
                if !last && step % chosen.every == first % chosen.every {
                    let row =
                        u32::try_from(pairs.action.len() / width).map_err(|_| Error::usage("more than 4 billion steps are too many"))?;
                    pairs.pairs.push(Pair { row, episode: number, terminated: episode.terminated && step + 1 == episode.len() });
                }
                pairs.push(&gathered, &taken);
            }
        }
        if pairs.pairs.is_empty() {
            return Err(Error::usage("no step is left to learn from").hint("keep more steps of each episode with a smaller --every"));
        }
        Ok(pairs)
    }

    /// Of nothing yet.
    #[must_use]
    pub const fn empty(inputs: usize, width: usize) -> Self {
        Self { inputs, width, observation: Vec::new(), action: Vec::new(), pairs: Vec::new() }
    }

    fn push(&mut self, observation: &[f64], action: &[f32]) {
        self.observation.extend_from_slice(observation);
        self.action.extend_from_slice(action);
    }

    /// Adds a labelled observation, `[O]` and `[W]`, as a pair of its own.
    pub fn add(&mut self, observation: &[f64], action: &[f32], episode: u32) {
        let row = u32::try_from(self.rows()).unwrap_or(u32::MAX);
        self.pairs.push(Pair { row, episode, terminated: false });
        self.push(observation, action);
    }

    /// Forgets what was added behind the first so many pairs.
    pub fn keep_first(&mut self, pairs: usize) {
        if let Some(forgotten) = self.pairs.get(pairs) {
            let rows = forgotten.row as usize;
            self.observation.truncate(rows * self.inputs);
            self.action.truncate(rows * self.width);
            self.pairs.truncate(pairs);
        }
    }

    fn rows(&self) -> usize {
        self.observation.len() / self.inputs
    }

    /// Observation channels, `O`.
    #[must_use]
    pub const fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers of an action, `W`.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// A row's raw observation, `[O]`.
    #[must_use]
    pub fn observation(&self, row: u32) -> &[f64] {
        &self.observation[row as usize * self.inputs..][..self.inputs]
    }

    /// A row's action, `[W]`, in the head's units.
    #[inline]
    #[must_use]
    pub fn action(&self, row: u32) -> &[f32] {
        &self.action[row as usize * self.width..][..self.width]
    }

    /// Moments of the observations that are learned from.
    #[must_use]
    pub fn moments(&self) -> Moments {
        let mut moments = Moments::new(self.inputs);
        self.pairs.iter().for_each(|pair| moments.push(self.observation(pair.row)));
        moments
    }

    /// All rows as a network sees them, `[R, O]`.
    #[must_use]
    pub fn seen(&self, normalizer: Option<&Normalizer>) -> Vec<f32> {
        let mut seen = Vec::with_capacity(self.observation.len());
        for row in self.observation.chunks_exact(self.inputs) {
            for (channel, value) in row.iter().enumerate() {
                #[expect(clippy::cast_possible_truncation, reason = "networks see f32")]
                seen.push(normalizer.map_or(*value as f32, |normalizer| normalizer.normalize(channel, *value)));
            }
        }
        seen
    }

    /// Everything, for a set that goes to disk and is grown while learning.
    #[must_use]
    pub fn parts(&self) -> (&[f64], &[f32]) {
        (&self.observation, &self.action)
    }
}

/// How many classes an action has where it is an index.
#[must_use]
pub fn classes(space: &ActionSpace) -> Option<usize> {
    match space {
        ActionSpace::Discrete(names) => Some(names.len()),
        ActionSpace::Continuous(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::episode::Growing;
    use crate::env::{Action, Channel, Spaces};

    fn spaces(channels: &[&str]) -> Spaces {
        let observation = channels.iter().map(|name| Channel { name: (*name).to_owned(), low: -1e9, high: 1e9 }).collect();
        Spaces { observation, action: ActionSpace::Discrete(vec!["left".into(), "right".into()]) }
    }

    /// Episodes whose first channel counts steps and whose second one is their number; the action is whether the step is odd.
    fn chosen(lengths: &[u32], every: usize) -> Chosen {
        let episode = |(number, length): (u32, &u32)| {
            let mut growing = Growing::new(None, &[0.0, f64::from(number)]);
            for step in 0..*length {
                growing.push(Action::Discrete(step as usize % 2), 1.0, &[f64::from(step + 1), f64::from(number)], &[]);
            }
            growing.finish(number % 2 == 0, number % 2 == 1)
        };
        Chosen { spaces: spaces(&["step", "episode"]), episodes: (0..).zip(lengths).map(episode).collect(), every }
    }

    /// For each pair: its step, its episode, what was done, what came next, and whether that was the end.
    fn seen(pairs: &Pairs) -> Vec<[f64; 5]> {
        let of = |pair: &Pair| {
            let (here, next) = (pairs.observation(pair.row), pairs.observation(pair.row + 1));
            assert_eq!(here[0], f64::from(pair.episode));
            [here[1], here[0], f64::from(pairs.action(pair.row)[0]), next[1], f64::from(u8::from(pair.terminated))]
        };
        pairs.pairs.iter().map(of).collect()
    }

    fn pairs(lengths: &[u32], every: usize, seed: u64) -> Pairs {
        // The policy has its channels in another order.
        Pairs::new(&chosen(lengths, every), &spaces(&["episode", "step"]), &Head::Categorical, seed).unwrap()
    }

    #[test]
    fn every_step_is_kept_with_what_came_next_and_only_a_task_that_is_over_terminates() {
        assert_eq!(
            seen(&pairs(&[3, 2], 1, 0)),
            [
                [0.0, 0.0, 0.0, 1.0, 0.0],
                [1.0, 0.0, 1.0, 2.0, 0.0],
                [2.0, 0.0, 0.0, 3.0, 1.0],
                [0.0, 1.0, 0.0, 1.0, 0.0],
                [1.0, 1.0, 1.0, 2.0, 0.0]
            ]
        );
    }

    #[test]
    fn one_of_every_k_steps_is_kept_from_a_random_one_on() {
        let mut offsets = std::collections::BTreeSet::new();
        for seed in 0..40 {
            let kept = seen(&pairs(&[50, 50], 20, seed));
            for episode in [0.0, 1.0] {
                let steps: Vec<f64> = kept.iter().filter(|row| row[1] == episode).map(|row| row[0]).collect();
                assert!(steps[0] < 20.0 && steps.windows(2).all(|two| two[1] - two[0] == 20.0) && steps.last().unwrap() + 20.0 >= 50.0);
                offsets.insert(steps[0].to_bits());
            }
            assert!(kept.iter().all(|row| row[3] == row[0] + 1.0), "what came next is the next step, not the next one that is kept");
        }
        assert!(offsets.len() > 15, "{offsets:?}");
    }

    #[test]
    fn too_few_steps_are_an_error_with_a_remedy() {
        let refused = (0..10).find_map(|seed| Pairs::new(&chosen(&[1], 1000), &spaces(&["step"]), &Head::Categorical, seed).err()).unwrap();
        assert!(refused.remedy().unwrap().contains("--every"));
    }
}
