//! What is in a set: lengths, returns, how each channel is covered, and what somebody who wants to learn from it should know.

use super::dataset::Demonstrations;
use super::episode::Episode;
use crate::env::ActionSpace;
use crate::error::Result;
use std::collections::BTreeMap;

/// Bins of a histogram.
pub const BINS: usize = 16;

/// A set, summed up.
#[derive(Debug, Clone, PartialEq)]
pub struct Summary {
    /// Steps of each episode.
    pub lengths: Vec<f64>,
    /// Return of each episode.
    pub returns: Vec<f64>,
    /// Episodes that ended because the task did.
    pub terminated: u64,
    /// Episodes that ended because time was up.
    pub truncated: u64,
    /// Observation channels, then action channels.
    pub channels: Vec<Coverage>,
    /// How often each action was taken, where actions are discrete.
    pub actions: Vec<(String, u64)>,
    /// What one should know before learning from it.
    pub warnings: Vec<String>,
}

/// Where a channel's numbers lie.
#[derive(Debug, Clone, PartialEq)]
pub struct Coverage {
    /// `pole_angle`, or `action.push`.
    pub name: String,
    /// The least.
    pub low: f64,
    /// The greatest.
    pub high: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub std: f64,
    /// How many lie in each of [`BINS`] equal parts between the least and the greatest.
    pub histogram: Vec<f64>,
}

/// Reads a whole set twice, part by part.
///
/// # Errors
/// Exit 3 with file, episode and row of what is wrong.
pub fn summarize(set: &Demonstrations) -> Result<Summary> {
    let spaces = &set.header().spaces;
    let continuous = match &spaces.action {
        ActionSpace::Continuous(channels) => channels.as_slice(),
        ActionSpace::Discrete(_) => &[],
    };
    let names = spaces.observation.iter().map(|channel| channel.name.clone());
    let names = names.chain(continuous.iter().map(|channel| format!("action.{}", channel.name)));
    let mut ranges: Vec<Range> = names.map(Range::new).collect();
    let mut summary = Summary {
        lengths: Vec::new(),
        returns: Vec::new(),
        terminated: 0,
        truncated: 0,
        channels: Vec::new(),
        actions: spaces.action.names().iter().filter(|_| continuous.is_empty()).map(|name| ((*name).to_owned(), 0)).collect(),
        warnings: Vec::new(),
    };
    let mut seen: BTreeMap<u32, u64> = BTreeMap::new();
    let mut twins: Vec<(u64, u64)> = Vec::new();
    for episode in set.episodes() {
        let (number, episode) = episode?;
        #[expect(clippy::cast_precision_loss, reason = "lengths stay below 2^53")]
        summary.lengths.push(episode.len() as f64);
        summary.returns.push(episode.total());
        summary.terminated += u64::from(episode.terminated);
        summary.truncated += u64::from(episode.truncated && !episode.terminated);
        for (range, values) in ranges.iter_mut().zip(columns(&episode, continuous.len())) {
            range.take(values);
        }
        for action in &episode.actions {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index, checked when it was read")]
            if let Some((_, taken)) = summary.actions.get_mut(*action as usize) {
                *taken += 1;
            }
        }
        let course =
            crc32c::crc32c_append(crc32c::crc32c(bytemuck::cast_slice(&episode.observations)), bytemuck::cast_slice(&episode.actions));
        if let Some(twin) = seen.insert(course, number) {
            twins.push((twin, number));
        }
    }
    for episode in set.episodes() {
        let (_, episode) = episode?;
        for (range, values) in ranges.iter_mut().zip(columns(&episode, continuous.len())) {
            range.sort(values);
        }
    }
    summary.channels = ranges.into_iter().map(Range::coverage).collect();
    summary.warnings = warnings(set, &summary, &twins);
    Ok(summary)
}

/// Each channel's course: observations, then continuous actions.
fn columns(episode: &Episode, actions: usize) -> impl Iterator<Item = &[f64]> {
    let (rows, steps) = (episode.len() + 1, episode.len());
    episode.observations.chunks_exact(rows).chain(episode.actions.chunks_exact(steps).take(actions))
}

struct Range {
    name: String,
    low: f64,
    high: f64,
    count: f64,
    sum: f64,
    squares: f64,
    histogram: Vec<f64>,
}

impl Range {
    fn new(name: String) -> Self {
        Self { name, low: f64::INFINITY, high: f64::NEG_INFINITY, count: 0.0, sum: 0.0, squares: 0.0, histogram: vec![0.0; BINS] }
    }

    fn take(&mut self, values: &[f64]) {
        for value in values {
            self.low = self.low.min(*value);
            self.high = self.high.max(*value);
            self.count += 1.0;
            // Welford: the deviation of a channel far from zero keeps its digits.
            let before = value - self.sum;
            self.sum += before / self.count;
            self.squares += before * (value - self.sum);
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a bin's index")]
    fn sort(&mut self, values: &[f64]) {
        let width = (self.high - self.low) / BINS as f64;
        for value in values {
            let bin = if width > 0.0 { (((value - self.low) / width) as usize).min(BINS - 1) } else { 0 };
            self.histogram[bin] += 1.0;
        }
    }

    fn coverage(self) -> Coverage {
        let std = if self.count > 1.0 { (self.squares / self.count).sqrt() } else { 0.0 };
        Coverage { name: self.name, low: self.low, high: self.high, mean: self.sum, std, histogram: self.histogram }
    }
}

fn warnings(set: &Demonstrations, summary: &Summary, twins: &[(u64, u64)]) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: String| warnings.push(text);
    if !set.is_finished() {
        warn("the recording is not finished; `heirloom demo record ... --resume` goes on with it".into());
    }
    if set.is_empty() {
        warn("there are no episodes".into());
        return warnings;
    }
    if let Some((first, second)) = twins.first() {
        let more = if twins.len() > 1 { format!(", and {} more", twins.len() - 1) } else { String::new() };
        warn(format!(
            "episode {second} is episode {first} once more{more}: what stands twice counts twice, and a validation split sees what was trained on"
        ));
    }
    let unfinished = set.len() - summary.terminated - summary.truncated;
    if unfinished > 0 {
        warn(format!("{unfinished} of {} episodes were broken off: neither was the task over nor time up", set.len()));
    }
    for channel in &summary.channels {
        if channel.low == channel.high {
            warn(format!("`{}` is always {}: nothing can be learned from it", channel.name, channel.low));
        }
    }
    let never: Vec<&str> = summary.actions.iter().filter(|(_, taken)| *taken == 0).map(|(name, _)| name.as_str()).collect();
    if !never.is_empty() {
        warn(format!("never taken: {}", never.join(", ")));
    }
    let least = summary.lengths.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = crate::stats::mean(&summary.lengths);
    if least < 0.1 * mean {
        let number = summary.lengths.iter().position(|length| *length == least).unwrap_or(0);
        warn(format!("episode {number} has {least} steps, where {mean:.0} are usual"));
    }
    warnings
}
