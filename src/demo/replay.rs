//! Replay: what was recorded comes again. Each episode's start is restored, its actions are done again, and every observation, reward
//! and flag is compared with the recorded one; in our own simulators not a bit may differ.

use super::dataset::Demonstrations;
use super::episode::Episode;
use super::numbers::Numbers;
use super::stage::Stage;
use crate::error::Result;
use crate::parallel::Pool;
use crate::stop::Stop;
use std::ops::ControlFlow;

/// Episodes that run side by side; those of one part are in memory anyway.
const BLOCK: usize = 64;

/// What came of an episode.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// Its number in the set.
    pub episode: u64,
    /// Its recorded steps.
    pub steps: usize,
    /// What was found.
    pub finding: Finding,
}

/// Whether an episode is what was recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Everything came again.
    Identical,
    /// Something did not; this is the first of it.
    Differs(Divergence),
    /// Its start is neither recorded nor to be seen.
    NoStart,
}

/// Where a replay leaves the recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Divergence {
    /// The row of the episode in which the recorded number stands.
    pub step: usize,
    /// `pole_angle`, `reward`, `terminated` or `truncated`.
    pub channel: String,
    /// What was recorded; of a flag 0 or 1.
    pub recorded: f64,
    /// What came.
    pub replayed: f64,
}

impl Divergence {
    /// By how much.
    #[must_use]
    pub fn size(&self) -> f64 {
        (self.recorded - self.replayed).abs()
    }
}

/// Replays the selected episodes side by side, part by part; `watch` hears of each, in order. Numbers that differ by no more than
/// `tolerance` are taken for the same; with 0, only those that have the same bits.
///
/// # Errors
/// When the set is damaged, an environment fails, or it is broken off.
pub fn replay(
    set: &Demonstrations,
    selection: &Numbers,
    stage: &Stage<'_>,
    tolerance: f64,
    (pool, stop): (&Pool, &Stop),
    mut watch: impl FnMut(&Replayed),
) -> Result<Vec<Replayed>> {
    let mut all = Vec::new();
    in_blocks(
        set,
        selection,
        pool,
        stop,
        |number, episode| check(stage, number, episode, tolerance),
        |replayed| {
            watch(&replayed);
            all.push(replayed);
        },
    )?;
    Ok(all)
}

/// Does `work` for the selected episodes side by side, a block at a time, and hands over what came of each, in their order.
pub(super) fn in_blocks<R: Send>(
    set: &Demonstrations,
    selection: &Numbers,
    pool: &Pool,
    stop: &Stop,
    work: impl Fn(u64, &Episode) -> Result<R> + Sync,
    mut take: impl FnMut(R),
) -> Result<()> {
    let mut episodes = selection.of(set);
    loop {
        stop.check_unarmed()?;
        let mut block = episodes.by_ref().take(BLOCK).collect::<Result<Vec<_>>>()?;
        if block.is_empty() {
            return Ok(());
        }
        let work =
            |_, (number, episode): &mut (u64, Episode)| work(*number, episode).map_err(|error| error.at(format!("episode {number}")));
        for outcome in pool.map(&mut block, work) {
            take(outcome?);
        }
    }
}

fn check(stage: &Stage<'_>, number: u64, episode: &Episode, tolerance: f64) -> Result<Replayed> {
    let finding = match stage.as_recorded(number, episode)? {
        None => Finding::NoStart,
        Some(mut begun) => {
            let comparison = Comparison { stage, episode, tolerance };
            let mut first = begun.observation.as_ref().and_then(|seen| comparison.observation(0, seen));
            if first.is_none() {
                let mut done = 0;
                let performed = begun.perform(episode, &stage.spaces().action, |index, step, seen, _| {
                    done = index + 1;
                    let flags = [("terminated", step.terminated, episode.terminated), ("truncated", step.truncated, episode.truncated)];
                    let flag = |(name, replayed, recorded): (&str, bool, bool)| {
                        // Flags are recorded for the last step; before it, an episode went on.
                        let recorded = recorded && index + 1 == episode.len();
                        comparison.number(index, name, f64::from(u8::from(recorded)), f64::from(u8::from(replayed)))
                    };
                    first = comparison.number(index, "reward", episode.rewards[index], step.reward);
                    first = first.take().or_else(|| comparison.observation(index + 1, seen)).or_else(|| flags.into_iter().find_map(flag));
                    if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
                match performed {
                    // What cannot be gone on with ends where the recording does not.
                    Err(error) if error.loses_episode() => first = first.or_else(|| comparison.number(done, "truncated", 0.0, 1.0)),
                    performed => performed?,
                }
            }
            first.map_or(Finding::Identical, Finding::Differs)
        }
    };
    Ok(Replayed { episode: number, steps: episode.len(), finding })
}

struct Comparison<'a> {
    stage: &'a Stage<'a>,
    episode: &'a Episode,
    tolerance: f64,
}

impl Comparison<'_> {
    fn number(&self, step: usize, channel: &str, recorded: f64, replayed: f64) -> Option<Divergence> {
        let same = recorded.to_bits() == replayed.to_bits() || (self.tolerance > 0.0 && (recorded - replayed).abs() <= self.tolerance);
        (!same).then(|| Divergence { step, channel: channel.to_owned(), recorded, replayed })
    }

    fn observation(&self, step: usize, seen: &[f64]) -> Option<Divergence> {
        let channels = self.stage.spaces().observation.iter().zip(seen).enumerate();
        channels
            .map(|(index, (channel, seen))| self.number(step, &channel.name, self.episode.channel(index)[step], *seen))
            .find_map(|found| found)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::demo::episode::{Growing, Start};
    use crate::demo::{Header, Recorder, Recording};
    use crate::env::{Action, ActionSpace, Registry, Snapshot, Spec};
    use crate::seed::Stream;

    /// An episode of random actions, recorded by hand.
    pub(in crate::demo) fn random_episode(registry: &Registry, spec: &Spec, stream: u64) -> Episode {
        let mut env = registry.build(spec).unwrap();
        let mut rng = Stream::DemonstrationEnv(stream).under(5);
        let mut noise = Stream::DemonstrationNoise(stream).under(5);
        let space = env.spaces().action.clone();
        let mut observation = vec![0.0; env.spaces().observation.len()];
        env.reset(&mut rng, &mut observation).unwrap();
        let mut snapshot = Snapshot::default();
        env.snapshot(&mut snapshot);
        let start = Start { seed: 5, stream, position: rng.position(), snapshot: snapshot.numbers().to_vec() };
        let mut growing = Growing::new(Some(start), &observation);
        loop {
            let values: Vec<f64> = match &space {
                ActionSpace::Discrete(_) => Vec::new(),
                ActionSpace::Continuous(channels) => channels.iter().map(|channel| noise.uniform(channel.low, channel.high)).collect(),
            };
            let action = match &space {
                ActionSpace::Discrete(names) => Action::Discrete(noise.below(names.len())),
                ActionSpace::Continuous(_) => Action::Continuous(&values),
            };
            let step = env.step(action, &mut rng, &mut observation).unwrap();
            growing.push(action, step.reward, &observation, &[]);
            if step.ended() || growing.len() == 120 {
                return growing.finish(step.terminated, step.truncated);
            }
        }
    }

    pub(in crate::demo) fn header(registry: &Registry, spec: &Spec) -> Header {
        let spaces = registry.build(spec).unwrap().spaces().clone();
        Header::new(spec, &spaces, Vec::new(), Recorder::Keyboard { seed: 5 })
    }

    #[test]
    fn every_environment_that_travels_with_the_program_replays_bit_for_bit() {
        let registry = Registry::standard();
        let mut specs: Vec<Spec> = registry.names().iter().map(|name| registry.resolve(name).unwrap()).collect();
        assert!(specs.len() > 35);
        let stacked = "(extends: \"cartpole_noisy\", wrappers: [FrameStack(frames: 3), ObservationDelay(steps: 2), ActionDelay(steps: 1)])";
        specs.push(Spec::from_ron(&registry, "stacked", stacked).unwrap());
        for spec in specs {
            let name = &spec.name;
            let header = header(&registry, &spec);
            let stage = Stage::new(&registry, &header, None).unwrap();
            for stream in 0..3 {
                let episode = random_episode(&registry, &spec, stream);
                let replayed = check(&stage, stream, &episode, 0.0).unwrap();
                assert_eq!(replayed.finding, Finding::Identical, "{name}");
                // The other way to begin leads to the same episode, drawn parameters, delays and noise included.
                let elsewhere = Stage::new(&registry, &header, Some(spec.clone())).unwrap();
                let mut begun = elsewhere.elsewhere_at(stream, &episode).unwrap();
                assert_eq!(begun.beginning, crate::demo::stage::Beginning::Recorded, "{name}");
                let mut seen = Growing::new(None, begun.observation.as_ref().unwrap());
                let space = &elsewhere.spaces().action;
                begun
                    .perform(&episode, space, |index, step, observation, _| {
                        seen.push(episode.action(index, space, &mut Vec::new()), step.reward, observation, &[]);
                        ControlFlow::Continue(())
                    })
                    .unwrap();
                let seen = seen.finish(episode.terminated, episode.truncated);
                assert_eq!(Episode { start: episode.start.clone(), ..seen }, episode, "{name}");
            }
        }
    }

    fn finding(change: impl FnOnce(&mut Episode), tolerance: f64) -> Finding {
        let registry = Registry::standard();
        let spec = registry.resolve("cartpole").unwrap();
        let header = header(&registry, &spec);
        let mut episode = random_episode(&registry, &spec, 0);
        change(&mut episode);
        check(&Stage::new(&registry, &header, None).unwrap(), 0, &episode, tolerance).unwrap().finding
    }

    #[test]
    fn the_first_difference_is_found_where_it_stands() {
        let found = |change: fn(&mut Episode)| match finding(change, 0.0) {
            Finding::Differs(divergence) => (divergence.step, divergence.channel.clone(), divergence.size()),
            other => panic!("{other:?}"),
        };
        // Channel 2 is the pole's angle; rows are numbered from the start.
        let (step, channel, size) = found(|episode| {
            let rows = episode.len() + 1;
            episode.observations[2 * rows + 7] += 0.5;
        });
        assert_eq!((step, channel.as_str()), (7, "pole_angle"));
        assert!((size - 0.5).abs() < 1e-12);
        assert_eq!(found(|episode| episode.observations[0] += 1.0).0, 0);
        assert_eq!(found(|episode| episode.rewards[3] = 0.0), (3, "reward".into(), 1.0));
        assert_eq!(found(|episode| episode.terminated = false).1, "terminated");
        assert_eq!(found(|episode| episode.truncated = true).1, "truncated");
        // Another action shows in what was seen after it.
        assert_eq!(found(|episode| episode.actions[4] = 1.0 - episode.actions[4]).0, 5);
        // The sign of a zero is a bit as well.
        assert!(matches!(finding(|episode| episode.rewards[0] = 1.0 + f64::EPSILON, 0.0), Finding::Differs(_)));
        assert_eq!(finding(|episode| episode.rewards[0] = 1.0 + f64::EPSILON, 1e-9), Finding::Identical);
    }

    #[test]
    fn an_import_begins_where_everything_is_to_be_seen() {
        assert_eq!(finding(|episode| episode.start = None, 0.0), Finding::Identical);
        let registry = Registry::standard();
        let spec = registry.resolve("pendulum").unwrap();
        let episode = Episode { start: None, ..random_episode(&registry, &spec, 0) };
        let header = header(&registry, &spec);
        let stage = Stage::new(&registry, &header, None).unwrap();
        assert_eq!(check(&stage, 0, &episode, 0.0).unwrap().finding, Finding::NoStart);
    }

    #[test]
    fn any_number_of_threads_finds_the_same_in_the_same_order() {
        let folder = tempfile::tempdir().unwrap();
        let registry = Registry::standard();
        let spec = registry.resolve("cartpole_noisy").unwrap();
        let mut recording = Recording::create(&folder.path().join("set"), header(&registry, &spec)).unwrap();
        for stream in 0..150 {
            let mut episode = random_episode(&registry, &spec, stream);
            if stream % 40 == 7 {
                episode.rewards[0] += 1.0;
            }
            recording.append(episode).unwrap();
        }
        recording.finish().unwrap();
        let set = Demonstrations::open(&folder.path().join("set")).unwrap();
        let stage = Stage::new(&registry, set.header(), None).unwrap();
        let run = |threads| {
            let pool = Pool::new(threads, || {}).unwrap();
            let mut heard = Vec::new();
            let all = replay(&set, &Numbers::all(), &stage, 0.0, (&pool, &Stop::new()), |replayed| heard.push(replayed.episode)).unwrap();
            assert_eq!(heard, (0..150).collect::<Vec<_>>());
            all
        };
        let one = run(1);
        assert_eq!(one, run(4));
        let differ: Vec<u64> =
            one.iter().filter(|replayed| replayed.finding != Finding::Identical).map(|replayed| replayed.episode).collect();
        assert_eq!(differ, [7, 47, 87, 127]);
        let some: Numbers = "2-4,149".parse().unwrap();
        let some = replay(&set, &some, &stage, 0.0, (&Pool::inline(), &Stop::new()), |_| {}).unwrap();
        assert_eq!(some.iter().map(|replayed| replayed.episode).collect::<Vec<_>>(), [2, 3, 4, 149]);
    }
}
