//! Drift: how far recorded and replayed observations are apart when the recorded actions are done in another environment.
//!
//! Each channel is measured in its standard deviation over the recorded episodes, all of them together as the root of their mean square.
//! The actions are done without looking, so what is unstable magnifies any difference: the first steps tell the gap between two
//! simulators, later ones how unstable the task is.

use super::dataset::Demonstrations;
use super::episode::{Episode, Growing};
use super::numbers::Numbers;
use super::replay::in_blocks;
use super::stage::{Beginning, Stage};
use crate::error::{Error, Result};
use crate::parallel::Pool;
use crate::stats::percentile;
use crate::stop::Stop;
use std::ops::ControlFlow;

/// Distances at which two episodes count as apart, in standard deviations.
pub const APART: [f64; 2] = [0.1, 1.0];
/// More differences than these (1 GiB) are not kept.
const MOST: usize = 1 << 27;

/// How two environments drift apart under the same actions.
#[derive(Debug, Clone, PartialEq)]
pub struct Drift {
    /// The channels that both show, and that vary in what was recorded: name and standard deviation.
    pub channels: Vec<(String, f64)>,
    /// Channels that are not compared, with the reason.
    pub left_out: Vec<(String, &'static str)>,
    /// By steps after the start.
    pub steps: Vec<At>,
    /// Each episode.
    pub pairs: Vec<Pair>,
}

/// The distances after so many steps, over the episodes that still run in both.
#[derive(Debug, Clone, PartialEq)]
pub struct At {
    /// How many still run.
    pub running: usize,
    /// Root mean square over the channels, in standard deviations.
    pub distance: Spread,
    /// Of each channel alone, in standard deviations.
    pub channels: Vec<Spread>,
}

/// The median and the quartiles.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Spread {
    /// A quarter lies below.
    pub low: f64,
    /// Half lies below.
    pub median: f64,
    /// Three quarters lie below.
    pub high: f64,
}

/// An episode here and there.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Its number in the set.
    pub episode: u64,
    /// How it began there.
    pub beginning: Beginning,
    /// Steps, recorded and replayed; replayed are at most as many as there are actions.
    pub steps: [usize; 2],
    /// Return, recorded and replayed.
    pub returns: [f64; 2],
    /// Whether it ended there; otherwise the actions ran out.
    pub ended: bool,
    /// The first step at which it is further than each of [`APART`] away.
    pub apart: [Option<usize>; 2],
}

/// Does the actions of the selected episodes in the other environment, side by side, and measures; `watch` hears of each episode.
///
/// # Errors
/// When the set is damaged, an environment fails, nothing that both show varies, there is too much, or it is broken off.
pub fn measure(
    set: &Demonstrations,
    selection: &Numbers,
    stage: &Stage<'_>,
    (pool, stop): (&Pool, &Stop),
    mut watch: impl FnMut(),
) -> Result<Drift> {
    let shared = shared(stage);
    let (mut compared, mut kept) = (Vec::new(), 0_usize);
    let work = |number, episode: &Episode| {
        let (beginning, replayed, ended) = elsewhere(stage, number, episode)?;
        Ok(Compared::new(number, episode, &replayed, &shared, (beginning, ended)))
    };
    let mut too_much = false;
    in_blocks(set, selection, pool, stop, work, |one: Compared| {
        watch();
        kept += one.differences.len();
        too_much |= kept > MOST;
        if !too_much {
            compared.push(one);
        }
    })?;
    if too_much {
        return Err(Error::usage("these are too many steps for quartiles").at(set.path().display()).hint("take some: --episodes 0-999"));
    }
    if compared.is_empty() {
        return Err(Error::usage("there are no episodes").at(set.path().display()));
    }
    let drift = summarize(stage, &shared, compared);
    if drift.channels.is_empty() {
        return Err(Error::usage("no channel that both environments show varies in what was recorded").at(set.path().display()));
    }
    Ok(drift)
}

/// A recorded episode's actions, done in the other environment: how it began, what came, and whether it ended.
pub(super) fn elsewhere(stage: &Stage<'_>, number: u64, episode: &Episode) -> Result<(Beginning, Episode, bool)> {
    let mut begun = stage.elsewhere_at(number, episode)?;
    let mut growing = Growing::new(None, begun.observation.as_deref().unwrap_or_default());
    let (mut room, mut last) = (Vec::new(), (false, false));
    begun.perform(episode, &stage.spaces().action, |index, step, seen, _| {
        growing.push(episode.action(index, &stage.spaces().action, &mut room), step.reward, seen, &[]);
        last = (step.terminated, step.truncated);
        ControlFlow::Continue(())
    })?;
    Ok((begun.beginning, growing.finish(last.0, last.1), last.0 || last.1))
}

/// The channels that both show: name, index here, index there.
fn shared(stage: &Stage<'_>) -> Vec<(String, usize, usize)> {
    let theirs = &stage.played().observation;
    let there = |name: &str| theirs.iter().position(|channel| channel.name == name);
    let here = stage.spaces().observation.iter().enumerate();
    here.filter_map(|(index, channel)| Some((channel.name.clone(), index, there(&channel.name)?))).collect()
}

/// An episode with its differences, `[rows, C]`, and the moments of what was recorded, `[C]`.
struct Compared {
    pair: Pair,
    differences: Vec<f64>,
    moments: Vec<Moments>,
}

impl Compared {
    fn new(number: u64, here: &Episode, there: &Episode, shared: &[(String, usize, usize)], (beginning, ended): (Beginning, bool)) -> Self {
        let rows = 1 + here.len().min(there.len());
        let mut differences = vec![0.0; rows * shared.len()];
        for (channel, (_, one, two)) in shared.iter().enumerate() {
            for (row, (one, two)) in here.channel(*one).iter().zip(there.channel(*two)).take(rows).enumerate() {
                differences[row * shared.len() + channel] = two - one;
            }
        }
        let pair = Pair {
            episode: number,
            beginning,
            steps: [here.len(), there.len()],
            returns: [here.total(), there.total()],
            ended,
            apart: [None; 2],
        };
        Self { pair, differences, moments: shared.iter().map(|(_, index, _)| Moments::of(here.channel(*index))).collect() }
    }
}

/// Count, mean and sum of squared deviations, which can be joined (Chan et al. 1983).
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let mean = crate::stats::mean(values);
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum();
        #[expect(clippy::cast_precision_loss, reason = "counts stay below 2^53")]
        Self { count: values.len() as f64, mean, squares }
    }

    fn join(self, other: Self) -> Self {
        let (count, apart) = (self.count + other.count, other.mean - self.mean);
        Self {
            count,
            mean: self.mean + apart * other.count / count,
            squares: self.squares + other.squares + apart * apart * self.count * other.count / count,
        }
    }

    fn deviation(self) -> f64 {
        (self.squares / self.count).sqrt()
    }
}

fn summarize(stage: &Stage<'_>, shared: &[(String, usize, usize)], compared: Vec<Compared>) -> Drift {
    let width = shared.len();
    let join = |channel: usize| compared.iter().map(|one| one.moments[channel]).reduce(Moments::join).unwrap_or_default().deviation();
    let deviations: Vec<f64> = (0..width).map(join).collect();
    let varying: Vec<usize> = (0..width).filter(|channel| deviations[*channel] > 0.0 && deviations[*channel].is_finite()).collect();
    let mut left_out: Vec<(String, &'static str)> = Vec::new();
    for channel in &stage.spaces().observation {
        match shared.iter().position(|(name, ..)| *name == channel.name) {
            None => left_out.push((channel.name.clone(), "is not shown there")),
            Some(index) if !varying.contains(&index) => left_out.push((channel.name.clone(), "never varied")),
            Some(_) => {}
        }
    }
    let new = stage.played().observation.iter().filter(|channel| shared.iter().all(|(name, ..)| *name != channel.name));
    left_out.extend(new.map(|channel| (channel.name.clone(), "was not recorded")));
    // [episode][row]: of each varying channel, then of all together.
    let scaled = |one: &Compared| -> Vec<Vec<f64>> {
        let row = |differences: &[f64]| {
            let mut distances: Vec<f64> = varying.iter().map(|channel| (differences[*channel] / deviations[*channel]).abs()).collect();
            distances.push(root_mean_square(&distances));
            distances
        };
        one.differences.chunks_exact(width.max(1)).map(row).collect()
    };
    let mut rows: Vec<Vec<Vec<f64>>> = Vec::new();
    let mut pairs = Vec::with_capacity(compared.len());
    for one in compared {
        let distances = scaled(&one);
        let first = |limit: f64| distances.iter().position(|row| row.last().is_some_and(|distance| *distance > limit));
        pairs.push(Pair { apart: APART.map(first), ..one.pair });
        rows.resize(rows.len().max(distances.len()), Vec::new());
        rows.iter_mut().zip(distances).for_each(|(row, distances)| row.push(distances));
    }
    let at = |row: Vec<Vec<f64>>| {
        let of = |index: usize| Spread::of(row.iter().map(|distances| distances[index]).collect());
        At { running: row.len(), distance: of(varying.len()), channels: (0..varying.len()).map(of).collect() }
    };
    Drift {
        channels: varying.iter().map(|channel| (shared[*channel].0.clone(), deviations[*channel])).collect(),
        left_out,
        steps: rows.into_iter().map(at).collect(),
        pairs,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a number of channels")]
fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len().max(1) as f64).sqrt()
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let [low, median, high] = [0.25, 0.5, 0.75].map(|share| percentile(&values, share));
        Self { low, median, high }
    }
}

impl Drift {
    /// The step by which half of all episodes have been further apart than `APART[index]`; those that end before do not count as apart.
    #[must_use]
    pub fn half(&self, index: usize) -> Option<usize> {
        let mut steps: Vec<usize> = self.pairs.iter().filter_map(|pair| pair.apart[index]).collect();
        steps.sort_unstable();
        steps.get(self.pairs.len().div_ceil(2).saturating_sub(1)).copied()
    }

    /// Steps that a table shows: 0, 1, 2, 5, 10, 20, 50, ... and the last.
    #[must_use]
    pub fn marks(&self) -> Vec<usize> {
        let last = self.steps.len().saturating_sub(1);
        let decades = std::iter::successors(Some(1_usize), |power| power.checked_mul(10));
        let rounds = decades.flat_map(|power| [1, 2, 5].map(|digit| digit * power)).take_while(|step| *step < last);
        [0].into_iter().chain(rounds).chain((last > 0).then_some(last)).collect()
    }

    /// How many episodes ended there before the recorded actions ran out.
    #[must_use]
    pub fn ended_earlier(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.steps[1] < pair.steps[0]).count()
    }

    /// Mean return or length of each: recorded, replayed.
    #[must_use]
    pub fn means(&self, of: impl Fn(&Pair) -> [f64; 2]) -> [f64; 2] {
        [0, 1].map(|side| crate::stats::mean(&self.pairs.iter().map(|pair| of(pair)[side]).collect::<Vec<_>>()))
    }

    /// How many episodes began in a state of the environment's own, which says nothing of dynamics.
    #[must_use]
    pub fn begun_elsewhere(&self) -> usize {
        self.pairs.iter().filter(|pair| pair.beginning == Beginning::Own).count()
    }
}

#[cfg(test)]
mod tests {
    use super::super::replay::tests::{header, random_episode};
    use super::*;
    use crate::demo::Recording;
    use crate::env::{Action, Env, Quantity, Registry, Spec};
    use crate::seed::Stream;
    use tempfile::TempDir;

    fn set_of(spec: &Spec, episodes: u64) -> (TempDir, Demonstrations) {
        let (folder, registry) = (tempfile::tempdir().unwrap(), Registry::standard());
        let mut recording = Recording::create(&folder.path().join("set"), header(&registry, spec)).unwrap();
        (0..episodes).for_each(|stream| recording.append(random_episode(&registry, spec, stream)).unwrap());
        recording.finish().unwrap();
        let set = Demonstrations::open(&folder.path().join("set")).unwrap();
        (folder, set)
    }

    fn drift(from: &str, episodes: u64, to: &Spec) -> Drift {
        let registry = Registry::standard();
        let (_folder, set) = set_of(&registry.resolve(from).unwrap(), episodes);
        let stage = Stage::new(&registry, set.header(), Some(to.clone())).unwrap();
        measure(&set, &Numbers::all(), &stage, (&Pool::inline(), &Stop::new()), || {}).unwrap()
    }

    fn with(name: &str, parameter: &str, value: f64) -> Spec {
        let mut spec = Registry::standard().resolve(name).unwrap();
        spec.context.0.insert(parameter.to_owned(), Quantity::Number(value));
        spec
    }

    /// The pendulum's velocity grows by (3 g / 2 l sin θ + 3 / m l² u) dt in a step, and its angle by the new velocity times dt: with g
    /// greater by 0.4, l = 1 and dt = 0.05, velocities are 0.03 sin θ apart after one step, and angles 0.0015 sin θ.
    #[test]
    fn a_pendulum_drifts_by_hand() {
        let (to, registry) = (with("pendulum", "gravity", 10.4), Registry::standard());
        let (_folder, set) = set_of(&registry.resolve("pendulum").unwrap(), 1);
        let stage = Stage::new(&registry, set.header(), Some(to)).unwrap();
        let here = set.first(1).unwrap().remove(0);
        let (beginning, there, _) = elsewhere(&stage, 0, &here).unwrap();
        assert_eq!(beginning, Beginning::Recorded);
        let (sin, row) = (here.channel(1)[0], 1);
        assert!((there.channel(2)[row] - here.channel(2)[row] - 0.03 * sin).abs() < 1e-12);
        // The channels are cosine, sine and velocity: an angle that is a little greater is seen in all three.
        let angle = |episode: &Episode| episode.channel(1)[row].atan2(episode.channel(0)[row]);
        assert!((angle(&there) - angle(&here) - 0.0015 * sin).abs() < 1e-12);
        let drift = measure(&set, &Numbers::all(), &stage, (&Pool::inline(), &Stop::new()), || {}).unwrap();
        let velocity = drift.steps[1].channels[2].median * drift.channels[2].1;
        assert!((velocity - 0.03 * sin.abs()).abs() < 1e-12);
        assert_eq!(drift.steps[0].distance.median, 0.0);
    }

    #[test]
    fn the_same_environment_does_not_drift_and_a_moon_does() {
        let registry = Registry::standard();
        for name in ["cartpole", "cartpole_noisy", "cartpole_randomized", "acrobot_randomized"] {
            let same = drift(name, 4, &registry.resolve(name).unwrap());
            assert!(same.steps.iter().all(|at| at.distance.high == 0.0), "{name}");
            assert_eq!((same.half(0), same.half(1), same.ended_earlier()), (None, None, 0), "{name}");
        }
        let moon = drift("cartpole", 9, &with("cartpole", "gravity", 1.62));
        assert_eq!((moon.begun_elsewhere(), moon.steps[0].distance.high), (0, 0.0));
        assert!(moon.steps[12].distance.median > 5.0 * moon.steps[3].distance.median && moon.steps[3].distance.median > 0.0);
        assert!(moon.half(0).unwrap() < moon.half(1).unwrap_or(usize::MAX));
    }

    #[test]
    fn other_simulators_sensors_and_motors_begin_in_the_recorded_state() {
        let registry = Registry::standard();
        let cases = [
            ("cartpole", "gym_rs_cartpole"),
            ("cartpole", "cartpole_delayed"),
            ("cartpole", "cartpole_permuted"),
            ("cartpole_delayed", "cartpole"),
            ("cartpole_noisy", "cartpole_moon"),
            ("pendulum_randomized", "pendulum_weak_motor"),
            ("mountain_car", "gym_rs_mountain_car"),
        ];
        for (from, to) in cases {
            let drift = drift(from, 3, &registry.resolve(to).unwrap());
            assert_eq!(drift.begun_elsewhere(), 0, "{from} in {to}");
            if !from.ends_with("noisy") {
                assert_eq!(drift.steps[0].distance.high, 0.0, "{from} in {to}");
            }
        }
        // Channels that only one of them shows are named.
        let drift = drift("cartpole", 2, &registry.resolve("cartpole_no_velocities").unwrap());
        assert_eq!(drift.channels.len(), 2);
        assert!(drift.left_out.contains(&("cart_velocity".into(), "is not shown there")));
    }

    #[test]
    fn what_cannot_be_compared_is_refused() {
        let registry = Registry::standard();
        let header = header(&registry, &registry.resolve("cartpole").unwrap());
        let refused = |name: &str| Stage::new(&registry, &header, Some(registry.resolve(name).unwrap())).err().unwrap().to_string();
        assert!(
            refused("cartpole_continuous").contains("recorded were actions of one of left, right"),
            "{}",
            refused("cartpole_continuous")
        );
        assert!(refused("mountain_car").contains("mountain_car: takes one of"));
    }

    #[test]
    fn medians_and_halves_by_hand() {
        let pair =
            |apart| Pair { episode: 0, beginning: Beginning::Own, steps: [4, 3], returns: [4.0, 2.0], ended: true, apart: [apart, None] };
        let at = At { running: 1, distance: Spread::of(vec![3.0, 1.0, 2.0]), channels: Vec::new() };
        assert_eq!((at.distance.low, at.distance.median, at.distance.high), (1.5, 2.0, 2.5));
        let mut drift = Drift {
            channels: Vec::new(),
            left_out: Vec::new(),
            steps: vec![at; 24],
            pairs: vec![pair(Some(7)), pair(None), pair(Some(3))],
        };
        assert_eq!((drift.half(0), drift.half(1)), (Some(7), None));
        assert_eq!(drift.marks(), [0, 1, 2, 5, 10, 20, 23]);
        assert_eq!((drift.ended_earlier(), drift.begun_elsewhere()), (3, 3));
        assert_eq!(drift.means(|pair| pair.returns), [4.0, 2.0]);
        drift.pairs.push(pair(None));
        assert_eq!(drift.half(0), Some(7));
        drift.pairs.push(pair(None));
        assert_eq!(drift.half(0), None);
        assert_eq!(root_mean_square(&[3.0, 4.0]), 12.5_f64.sqrt());
        let joined = Moments::of(&[1.0, 2.0]).join(Moments::of(&[6.0]));
        assert!((joined.deviation() - (14.0_f64 / 3.0).sqrt()).abs() < 1e-12);
    }

    /// A rest of the contract: what is begun elsewhere can be stepped like any environment.
    #[test]
    fn a_rooted_environment_keeps_the_rules() {
        let registry = Registry::standard();
        let root = crate::env::Root { state: vec![0.0; 2], observation: vec![1.0, 0.0, 0.0] };
        let mut env = registry.build_at(&registry.resolve("pendulum").unwrap(), root).unwrap();
        let (mut rng, mut seen) = (Stream::Env(0).under(0), [0.0; 3]);
        assert!(env.step(Action::Continuous(&[0.0]), &mut rng, &mut seen).is_err());
        env.reset(&mut rng, &mut seen).unwrap();
        assert!(env.step(Action::Continuous(&[f64::NAN]), &mut rng, &mut seen).is_err());
    }
}
