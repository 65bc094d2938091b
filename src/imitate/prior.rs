//! Demonstrations as the transitions of a learner off policy: what was seen, done and paid, and what came next.

use super::Chosen;
use crate::demo::Episode;
use crate::env::Spaces;
use crate::error::{Error, Result};
use crate::learn::replay::{MOST_ENTRIES, Replay, Size};
use crate::learn::{Prior, Share};
use crate::nn::{Head, Moments, Normalizer};
use crate::policy::Binding;
use crate::seed::Stream;

/// How what was demonstrated is scaled, and how it stands beside what comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// Of a batch.
    pub share: Share,
    /// Observations by their moments.
    pub observations: bool,
    /// Rewards to a mean size of 1.
    pub rewards: bool,
}

/// The chosen episodes in a policy's channels and actions; the first `alone` updates are made from them alone.
///
/// # Errors
/// Exit 2 when steps were left out or there are too many, 3 with every channel and action that cannot be matched by name, or where a number does
/// not fit into 32 bits.
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "learning is f32, counts stay below 2^53")]
pub fn prior(chosen: &Chosen, policy: &Spaces, scaling: Scaling, alone: u64, seed: u64) -> Result<Prior> {
    if chosen.every > 1 {
        let message = format!("one of {} steps is kept, but a transition needs the one behind it", chosen.every);
        return Err(Error::usage(message).hint("leave out `--every`; `--demo-episodes` takes fewer episodes"));
    }
    // An episode that time cut off has an entry more.
    let entries = chosen.episodes.iter().map(|episode| episode.len() + 1).sum::<usize>();
    if entries > MOST_ENTRIES {
        let message = format!("{entries} steps; a replay buffer holds {MOST_ENTRIES}");
        return Err(Error::usage(message).hint("take fewer episodes with `--demo-episodes`"));
    }
    let binding = Binding::to_demonstrations(policy, &chosen.spaces)?;
    let normalizer = scaling.observations.then(|| Normalizer::new(moments(chosen, &binding)));
    let paid = chosen.episodes.iter().flat_map(|episode| &episode.rewards).map(|reward| reward.abs()).sum::<f64>();
    let count = chosen.episodes.iter().map(Episode::len).sum::<usize>();
    let reward_scale = if scaling.rewards && paid > 0.0 { (count as f64 / paid) as f32 } else { 1.0 };

    let head = Head::of_space(&policy.action, 0.0);
    let size = Size { observation: binding.inputs(), action: policy.action.width(), capacity: entries.max(4), environments: 1 };
    let mut replay = Replay::new(size, Stream::DemonstrationOrder.under(seed));
    let (mut shown, mut room) = (vec![0.0; chosen.spaces.observation.len()], Vec::new());
    let (mut now, mut action) = (vec![0.0; size.observation], vec![0.0; size.action]);
    for (number, episode) in chosen.episodes.iter().enumerate() {
        let mut look = |step: usize, into: &mut [f32]| {
            episode.observation(step, &mut shown);
            binding.see(normalizer.as_ref(), &shown, into);
            check_finite(into).map_err(|error| error.at(format!("step {step} of episode {number}")))
        };
        look(0, &mut now)?;
        for step in 0..episode.len() {
            replay.shows(0, &now);
            binding.unact(&head, episode.action(step, &chosen.spaces.action, &mut room), &mut action);
            let reward = episode.rewards[step] as f32 * reward_scale;
            check_finite(&[reward])
                .and_then(|()| check_finite(&action))
                .map_err(|error| error.at(format!("step {step} of episode {number}")))?;
            look(step + 1, &mut now)?;
            if step + 1 < episode.len() {
                replay.goes_on(0, &action, reward);
            } else if episode.terminated {
                replay.terminates(0, &action, reward);
            } else {
                // Where a recording was broken off, too, something would have come.
                replay.is_cut_off(0, &action, reward, &now);
            }
        }
    }
    Ok(Prior::new(replay, normalizer, reward_scale, scaling.share, alone))
}

fn moments(chosen: &Chosen, binding: &Binding) -> Moments {
    let (mut shown, mut gathered) = (vec![0.0; chosen.spaces.observation.len()], vec![0.0; binding.inputs()]);
    let mut moments = Moments::new(gathered.len());
    for episode in &chosen.episodes {
        for step in 0..episode.len() {
            episode.observation(step, &mut shown);
            binding.gather(&shown, &mut gathered);
            moments.push(&gathered);
        }
    }
    moments
}

fn check_finite(numbers: &[f32]) -> Result<()> {
    match numbers.iter().find(|number| !number.is_finite()) {
        Some(number) => Err(Error::artefact(format!("{number} is nothing to learn from"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::episode::Growing;
    use crate::env::{Action, ActionSpace, Channel};
    use crate::learn::replay::Batch;

    fn chosen(every: usize) -> Chosen {
        let spaces = Spaces {
            observation: vec![Channel::new("step", -1e9, 1e9), Channel::new("episode", -1e9, 1e9)],
            action: ActionSpace::Continuous(vec![Channel::new("push", -2.0, 6.0)]),
        };
        let episode = |number: u32| {
            let mut growing = Growing::new(None, &[0.0, f64::from(number)]);
            for step in 1..=3 {
                growing.push(Action::Continuous(&[f64::from(step)]), -f64::from(step), &[f64::from(step), f64::from(number)], &[]);
            }
            growing.finish(number == 0, number == 1)
        };
        Chosen { spaces, episodes: (0..3).map(episode).collect(), every }
    }

    /// Before the first step.
    fn draw(prior: &mut Prior, discount: f64, batch: &mut Batch) {
        let size = Size { observation: 2, action: 1, capacity: 4, environments: 1 };
        prior.draw(&mut Replay::new(size, Stream::Replay.under(0)), 0, discount, 1, batch);
    }

    /// Policies may have their channels in another order; actions are in units of their bounds.
    #[test]
    fn every_step_is_a_transition_and_only_a_task_that_is_over_ends() {
        let chosen = chosen(1);
        let mut policy = chosen.spaces.clone();
        policy.observation.reverse();
        let mut prior = prior(&chosen, &policy, Scaling { share: Share::Half, observations: false, rewards: true }, 5, 0).unwrap();
        let mut batch = Batch::zeros(400, 2, 1);
        draw(&mut prior, 0.5, &mut batch);
        let mut rows: Vec<[f32; 7]> = (0..400)
            .map(|row| {
                let (here, next) = (batch.observation(row), batch.next_observation(row));
                let end = if batch.discount[row] == 0.0 { 0.0 } else { next[1] };
                [here[0], here[1], batch.action[row], batch.reward[row], batch.discount[row], end, next[0]]
            })
            .collect();
        rows.sort_by(|a, b| a.partial_cmp(b).unwrap());
        rows.dedup_by(|a, b| a[..6] == b[..6]);
        // Rewards are 2 on average in size; bounds lie 4 around 2.
        let expected: Vec<[f32; 6]> = [0.0, 1.0, 2.0]
            .iter()
            .flat_map(|episode| [1.0_f32, 2.0, 3.0].map(|step| (*episode, step)))
            .map(|(episode, step)| {
                let over = episode == 0.0 && step == 3.0;
                [episode, step - 1.0, (step - 2.0) / 4.0, -step / 2.0, if over { 0.0 } else { 0.5 }, if over { 0.0 } else { step }]
            })
            .collect();
        let found: Vec<[f32; 6]> = rows.iter().map(|row| std::array::from_fn(|at| row[at])).collect();
        assert_eq!(found, expected);
        assert!(prior.is_alone() && prior.made() == 0);
    }

    #[test]
    fn left_out_steps_are_refused_with_a_remedy() {
        let chosen = chosen(2);
        let error = prior(&chosen, &chosen.spaces, Scaling { share: Share::Half, observations: false, rewards: false }, 0, 0).unwrap_err();
        assert!(error.remedy().unwrap().contains("--every"));
    }

    #[test]
    fn observations_are_scaled_by_what_was_seen() {
        let chosen = chosen(1);
        let mut prior = prior(&chosen, &chosen.spaces, Scaling { share: Share::Half, observations: true, rewards: false }, 0, 0).unwrap();
        let mut batch = Batch::zeros(3000, 2, 1);
        draw(&mut prior, 0.99, &mut batch);
        let mean = batch.observation.chunks(2).map(|row| row[0]).sum::<f32>() / 3000.0;
        let square = batch.observation.chunks(2).map(|row| row[0] * row[0]).sum::<f32>() / 3000.0;
        assert!(mean.abs() < 0.1 && (square - 1.0).abs() < 0.1, "{mean} {square}");
    }
}
