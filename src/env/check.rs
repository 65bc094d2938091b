//! The contract tests, for any environment: ours, a wrapped one, a user's own.

use super::{Action, ActionSpace, Env, Snapshot, Spaces, Step};
use crate::error::{Error, Result};
use crate::seed::{Rng, Stream};

/// One promise of the contract and whether it is kept.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Finding {
    /// The promise.
    pub promise: &'static str,
    /// What was seen instead; `None` when it is kept.
    pub broken: Option<String>,
}

/// How many steps each test takes.
const STEPS: usize = 600;

/// Tests what [`super::Registry`] built against the contract; `make` builds a fresh one every time.
///
/// # Errors
/// When an environment cannot be built or fails outright; a broken promise is a [`Finding`].
pub fn check(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Vec<Finding>> {
    let spaces = make()?.spaces().clone();
    Ok(vec![
        Finding { promise: "channels have unique names and ordered bounds", broken: spaces_are_sound(&spaces) },
        Finding { promise: "the same seed gives the same stream", broken: same_seed_same_stream(make)? },
        Finding { promise: "another seed gives another stream, or nothing is random", broken: seeds_matter(make)? },
        Finding { promise: "observations stay within their bounds", broken: bounds_hold(make)? },
        Finding { promise: "a snapshot continues bit for bit", broken: snapshots_continue(make)? },
        Finding { promise: "a damaged snapshot is an error", broken: damaged_snapshots_are_errors(make)? },
        Finding { promise: "termination and truncation never mix", broken: ends_do_not_mix(make)? },
        Finding { promise: "a step before the start and after the end is an error", broken: ends_are_ends(make)? },
        Finding { promise: "a wrong or non-finite action is an error", broken: wrong_actions_are_errors(make)? },
        Finding { promise: "the scene is finite", broken: scenes_are_finite(make)? },
    ])
}

/// A random action of a space, written into `values` when it is continuous. Channels without bounds are tried within ±1.
pub fn random_action<'a>(space: &ActionSpace, rng: &mut Rng, values: &'a mut [f64]) -> Action<'a> {
    match space {
        ActionSpace::Discrete(names) => Action::Discrete(rng.below(names.len())),
        ActionSpace::Continuous(channels) => {
            for (value, channel) in values.iter_mut().zip(channels) {
                let bounded = channel.low.is_finite() && channel.high.is_finite();
                let (low, high) = if bounded { (channel.low, channel.high) } else { (-1.0, 1.0) };
                *value = rng.uniform(low, high);
            }
            Action::Continuous(values)
        }
    }
}

/// An environment that is driven by random actions and starts again after every end.
struct Drive {
    env: Box<dyn Env>,
    rng: Rng,
    chooser: Rng,
    observation: Vec<f64>,
    values: Vec<f64>,
    action: ActionSpace,
}

impl Drive {
    fn start(mut env: Box<dyn Env>, seed: u64) -> Result<Self> {
        let Spaces { observation, action } = env.spaces().clone();
        let mut observation = vec![0.0; observation.len()];
        let mut rng = Stream::Env(0).under(seed);
        env.reset(&mut rng, &mut observation)?;
        let values = vec![0.0; action.size()];
        Ok(Self { env, rng, chooser: Stream::ActionNoise(0).under(0), observation, values, action })
    }

    fn step(&mut self) -> Result<Step> {
        let action = random_action(&self.action, &mut self.chooser, &mut self.values);
        self.env.step(action, &mut self.rng, &mut self.observation)
    }

    /// A step, and a reset when it ended the episode; the bits of all that was seen.
    fn bits(&mut self) -> Result<Vec<u64>> {
        let step = self.step()?;
        let mut bits: Vec<u64> = self.observation.iter().map(|value| value.to_bits()).collect();
        bits.extend([step.reward.to_bits(), u64::from(step.terminated), u64::from(step.truncated)]);
        if step.ended() {
            self.env.reset(&mut self.rng, &mut self.observation)?;
            bits.extend(self.observation.iter().map(|value| value.to_bits()));
        }
        Ok(bits)
    }
}

fn spaces_are_sound(spaces: &Spaces) -> Option<String> {
    let mut names: Vec<&str> = spaces.observation.iter().map(|channel| channel.name.as_str()).collect();
    names.sort_unstable();
    if let Some([name, _]) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Some(format!("two channels are called `{name}`"));
    }
    let mut actions = spaces.action.names();
    actions.sort_unstable();
    if let Some([name, _]) = actions.windows(2).find(|pair| pair[0] == pair[1]) {
        return Some(format!("two actions are called `{name}`"));
    }
    if spaces.observation.is_empty() || actions.is_empty() {
        return Some("a space is empty".into());
    }
    let continuous: &[super::Channel] = match &spaces.action {
        ActionSpace::Continuous(channels) => channels,
        ActionSpace::Discrete(_) => &[],
    };
    let disordered = spaces
        .observation
        .iter()
        .chain(continuous)
        .find(|channel| channel.low > channel.high || channel.low.is_nan() || channel.high.is_nan());
    disordered.map(|channel| format!("`{}` lies between {} and {}", channel.name, channel.low, channel.high))
}

fn same_seed_same_stream(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let (mut one, mut two) = (Drive::start(make()?, 7)?, Drive::start(make()?, 7)?);
    for step in 0..STEPS {
        if one.bits()? != two.bits()? {
            return Ok(Some(format!("two runs differ at step {step}")));
        }
    }
    Ok(None)
}

fn seeds_matter(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let one = Drive::start(make()?, 1)?;
    let two = Drive::start(make()?, 2)?;
    let drawn = one.rng.position() > 0;
    // What was drawn may be hidden: a goal that nobody sees.
    let state = |drive: &Drive| {
        let mut snapshot = Snapshot::default();
        drive.env.snapshot(&mut snapshot);
        snapshot
    };
    let same = one.observation == two.observation && state(&one) == state(&two);
    Ok((drawn && same).then(|| "seeds 1 and 2 start alike although randomness was drawn".into()))
}

fn bounds_hold(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut drive = Drive::start(make()?, 3)?;
    let channels = drive.env.spaces().observation.clone();
    for step in 0..STEPS {
        let outside = drive.observation.iter().zip(&channels).find(|(value, channel)| !(channel.low..=channel.high).contains(*value));
        if let Some((value, channel)) = outside {
            return Ok(Some(format!("`{}` is {value} at step {step}, outside {} to {}", channel.name, channel.low, channel.high)));
        }
        drive.bits()?;
    }
    Ok(None)
}

fn snapshots_continue(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut straight = Drive::start(make()?, 11)?;
    for stop in [0, 1, 5, 60] {
        for _ in 0..stop {
            straight.bits()?;
        }
        let mut snapshot = Snapshot::default();
        straight.env.snapshot(&mut snapshot);
        let mut kept = Snapshot::from_numbers(snapshot.numbers().to_vec());
        let mut resumed = Drive::start(make()?, 99)?;
        resumed.env.restore(&mut kept)?;
        kept.finish()?;
        resumed.rng = straight.rng.clone();
        resumed.chooser = straight.chooser.clone();
        for step in 0..STEPS / 4 {
            let goes_on = match resumed.bits() {
                Ok(bits) => bits == straight.bits()?,
                Err(error) if error.loses_episode() => false,
                Err(error) => return Err(error),
            };
            if !goes_on {
                return Ok(Some(format!("a run continued from a snapshot differs {step} steps later")));
            }
        }
    }
    Ok(None)
}

fn damaged_snapshots_are_errors(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut drive = Drive::start(make()?, 17)?;
    drive.bits()?;
    let mut snapshot = Snapshot::default();
    drive.env.snapshot(&mut snapshot);
    let sound = snapshot.numbers();
    let goes_through = |drive: &mut Drive, numbers: Vec<f64>| {
        let mut damaged = Snapshot::from_numbers(numbers);
        drive.env.restore(&mut damaged).and_then(|()| damaged.finish()).is_ok()
    };
    for length in 0..sound.len() {
        if goes_through(&mut drive, sound[..length].to_vec()) {
            return Ok(Some(format!("the first {length} of {} numbers were enough", sound.len())));
        }
    }
    if goes_through(&mut drive, [sound, &[0.0]].concat()) {
        return Ok(Some("a number too many was not noticed".into()));
    }
    for index in 0..sound.len() {
        let mut damaged = sound.to_vec();
        damaged[index] = f64::NAN;
        if goes_through(&mut drive, damaged.clone()) {
            return Ok(Some(format!("a NaN in place {index} was not noticed")));
        }
        // Whether these make sense is the environment's to say, as long as it says so without panicking, now or in the next steps.
        for number in [-1.0, 0.5, 1e15, -1e300] {
            damaged[index] = number;
            if goes_through(&mut drive, damaged.clone()) {
                for _ in 0..3 {
                    let _ = drive.step();
                }
            }
        }
    }
    Ok(None)
}

fn ends_do_not_mix(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut drive = Drive::start(make()?, 5)?;
    for index in 0..10 * STEPS {
        let step = drive.step()?;
        if step.terminated && step.truncated {
            return Ok(Some(format!("step {index} is both")));
        }
        if step.ended() {
            drive.env.reset(&mut drive.rng, &mut drive.observation)?;
        }
    }
    Ok(None)
}

fn ends_are_ends(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut env = make()?;
    let mut observation = vec![0.0; env.spaces().observation.len()];
    let mut values = vec![0.0; env.spaces().action.size()];
    let mut rng = Stream::Env(0).under(0);
    let space = env.spaces().action.clone();
    let action = random_action(&space, &mut rng, &mut values);
    if env.step(action, &mut rng, &mut observation).is_ok() {
        return Ok(Some("a step before the first reset went through".into()));
    }
    let mut drive = Drive::start(make()?, 5)?;
    for _ in 0..100 * STEPS {
        if drive.step()?.ended() {
            return Ok(drive.step().is_ok().then(|| "a step after the end went through".into()));
        }
    }
    Ok(None)
}

fn wrong_actions_are_errors(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let spaces = make()?.spaces().clone();
    let size = spaces.action.size();
    let too_long = vec![0.0; size + 1];
    let not_finite: Vec<Vec<f64>> = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY].map(|value| vec![value; size]).to_vec();
    let wrong: Vec<Action<'_>> = match &spaces.action {
        ActionSpace::Discrete(_) => vec![Action::Discrete(size), Action::Discrete(usize::MAX), Action::Continuous(&too_long[..1])],
        ActionSpace::Continuous(_) => not_finite
            .iter()
            .map(|values| Action::Continuous(values))
            .chain([Action::Continuous(&too_long), Action::Continuous(&[]), Action::Discrete(0)])
            .collect(),
    };
    for action in wrong {
        let mut drive = Drive::start(make()?, 0)?;
        if drive.env.step(action, &mut drive.rng, &mut drive.observation).is_ok() {
            return Ok(Some(format!("{action:?} went through")));
        }
    }
    Ok(None)
}

fn scenes_are_finite(make: &dyn Fn() -> Result<Box<dyn Env>>) -> Result<Option<String>> {
    let mut drive = Drive::start(make()?, 13)?;
    for step in 0..50 {
        let text = serde_json::to_string(&drive.env.scene()).map_err(|error| Error::environment(error.to_string()))?;
        if text.contains("null") {
            return Ok(Some(format!("a coordinate is not a number at step {step}")));
        }
        drive.bits()?;
    }
    Ok(None)
}
