//! Films of recorded episodes, for watching: what was recorded, with the scene from doing it again; and what comes of it elsewhere.

use super::dataset::Demonstrations;
use super::drift::elsewhere;
use super::episode::Episode;
use super::numbers::Numbers;
use super::stage::Stage;
use crate::env::Scene;
use crate::error::Result;
use crate::rollout::Film;
use crate::rollout::film::{self, Frame};
use std::ops::ControlFlow;

/// Most episodes of a film that goes on a page.
pub const MOST_EPISODES: u64 = 20;
/// Most frames of it in all; with those of a second film a page stays below a few MB.
pub const MOST_FRAMES: usize = 12_000;

/// The first of the selected episodes, as many as a page holds; an episode that alone is too long ends early.
///
/// # Errors
/// When the set is damaged.
pub fn first(set: &Demonstrations, selection: &Numbers) -> Result<Vec<(u64, Episode)>> {
    let (mut taken, mut frames) = (Vec::new(), 0);
    for episode in selection.of(set) {
        let (number, mut episode) = episode?;
        if taken.is_empty() && episode.len() >= MOST_FRAMES {
            episode = beginning(&episode, MOST_FRAMES - 1);
        }
        frames += episode.len() + 1;
        if frames > MOST_FRAMES || taken.len() as u64 == MOST_EPISODES {
            break;
        }
        taken.push((number, episode));
    }
    Ok(taken)
}

/// The first steps of an episode, broken off.
fn beginning(episode: &Episode, steps: usize) -> Episode {
    let rows = |values: &[f64], from: usize, to: usize| values.chunks_exact(from).flat_map(|channel| channel[..to].to_vec()).collect();
    Episode {
        start: episode.start.clone(),
        observations: rows(&episode.observations, episode.len() + 1, steps + 1),
        actions: rows(&episode.actions, episode.len(), steps),
        rewards: episode.rewards[..steps].to_vec(),
        info: rows(&episode.info, episode.len(), steps),
        terminated: false,
        truncated: false,
    }
}

/// What was recorded. The scene is that of doing it again; where the start is not known there is none.
///
/// # Errors
/// When an environment fails.
pub fn as_recorded(stage: &Stage<'_>, episodes: &[(u64, Episode)]) -> Result<Film> {
    let filmed = episodes.iter().map(|(number, episode)| {
        let mut scenes = Vec::with_capacity(episode.len() + 1);
        if let Some(mut begun) = stage.as_recorded(*number, episode)? {
            scenes.push(begun.scene());
            begun.perform(episode, &stage.spaces().action, |_, _, _, env| {
                scenes.push(env.scene());
                ControlFlow::Continue(())
            })?;
        }
        Ok(filmed(*number, episode, scenes))
    });
    Ok(Film { spaces: stage.spaces().clone(), episodes: filmed.collect::<Result<_>>()? })
}

/// What comes of the same actions in the other environment.
///
/// # Errors
/// When an environment fails.
pub fn in_the_other(stage: &Stage<'_>, episodes: &[(u64, Episode)]) -> Result<Film> {
    let filmed = episodes.iter().map(|(number, episode)| {
        let mut begun = stage.elsewhere_at(*number, episode)?;
        let mut scenes = vec![begun.scene()];
        begun.perform(episode, &stage.spaces().action, |_, _, _, env| {
            scenes.push(env.scene());
            ControlFlow::Continue(())
        })?;
        let (_, replayed, _) = elsewhere(stage, *number, episode)?;
        Ok(self::filmed(*number, &replayed, scenes))
    });
    Ok(Film { spaces: stage.played().clone(), episodes: filmed.collect::<Result<_>>()? })
}

/// Scenes that are missing stand still.
fn filmed(number: u64, episode: &Episode, scenes: Vec<Scene>) -> film::Episode {
    let last = scenes.last().cloned().unwrap_or_default();
    let width = episode.observations.len() / (episode.len() + 1);
    let scenes = scenes.into_iter().chain(std::iter::repeat(last)).take(episode.len() + 1);
    let frame = |(step, scene): (usize, Scene)| {
        let mut observation = vec![0.0; width];
        episode.observation(step, &mut observation);
        Frame { scene, observation }
    };
    let action = |step: usize| episode.actions.chunks_exact(episode.len()).map(|channel| channel[step]).collect();
    film::Episode {
        number,
        frames: scenes.enumerate().map(frame).collect(),
        actions: (0..episode.len()).map(action).collect(),
        rewards: episode.rewards.clone(),
        terminated: episode.terminated,
        truncated: episode.truncated,
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay::tests::{header, random_episode};
    use super::*;
    use crate::env::Registry;

    #[test]
    fn a_film_is_what_was_recorded_and_long_ones_are_cut() {
        let registry = Registry::standard();
        let spec = registry.resolve("pendulum").unwrap();
        let header = header(&registry, &spec);
        let stage = Stage::new(&registry, &header, None).unwrap();
        let episode = random_episode(&registry, &spec, 0);
        let film = as_recorded(&stage, &[(3, episode.clone())]).unwrap();
        let filmed = &film.episodes[0];
        assert_eq!((filmed.number, filmed.frames.len(), filmed.actions.len()), (3, episode.len() + 1, episode.len()));
        assert!(filmed.frames.iter().all(|frame| !frame.scene.parts.is_empty()));
        assert_eq!(filmed.frames[2].observation, [0, 1, 2].map(|channel| episode.channel(channel)[2]));
        assert_eq!(filmed.actions[5], [episode.actions[5]]);

        let cut = beginning(&episode, 10);
        cut.check(stage.spaces(), &[]).unwrap();
        assert_eq!((cut.len(), cut.channel(2)), (10, &episode.channel(2)[..11]));
        // Without a start there is nothing to draw, but everything to plot.
        let film = as_recorded(&stage, &[(0, Episode { start: None, ..episode })]).unwrap();
        assert!(film.episodes[0].frames.iter().all(|frame| frame.scene.parts.is_empty() && frame.observation.len() == 3));
    }
}
