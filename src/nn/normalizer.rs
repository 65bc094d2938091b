//! Running moments of observations and returns, part of the policy: the numbers a network was trained to see.
//!
//! Moments are merged per channel (Chan et al. 1979), each channel with its own count, so that a channel which joins at a transfer
//! starts fresh beside the carried ones. Shards gather their own and are merged in shard order between two updates.

use crate::error::{Error, Result};
use crate::file::tensors::{Array, Tensors, take_f64};

/// Count, mean and sum of squared deviations of each channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    count: Vec<f64>,
    mean: Vec<f64>,
    squares: Vec<f64>,
}

impl Moments {
    /// Of nothing yet.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self { count: vec![0.0; channels], mean: vec![0.0; channels], squares: vec![0.0; channels] }
    }

    /// Of `count` rows with these means and variances (of a population), one each per channel.
    #[must_use]
    pub fn of(count: f64, mean: &[f64], variance: &[f64]) -> Self {
        let squares = variance.iter().map(|variance| variance * count).collect();
        Self { count: vec![count; mean.len()], mean: mean.to_vec(), squares }
    }

    /// Takes one row in (Welford 1962).
    pub fn push(&mut self, row: &[f64]) {
        for (channel, value) in row.iter().enumerate() {
            self.count[channel] += 1.0;
            let delta = value - self.mean[channel];
            self.mean[channel] += delta / self.count[channel];
            self.squares[channel] += delta * (value - self.mean[channel]);
        }
    }

    /// Takes in what another has seen.
    pub fn merge(&mut self, other: &Self) {
        for channel in 0..self.count.len() {
            let (a, b) = (self.count[channel], other.count[channel]);
            if b == 0.0 {
                continue;
            }
            let total = a + b;
            let delta = other.mean[channel] - self.mean[channel];
            self.mean[channel] += delta * b / total;
            self.squares[channel] += other.squares[channel] + delta * delta * a * b / total;
            self.count[channel] = total;
        }
    }

    /// Back to nothing.
    pub fn clear(&mut self) {
        self.count.fill(0.0);
        self.mean.fill(0.0);
        self.squares.fill(0.0);
    }

    /// The mean of a channel, 0 before the first row.
    #[must_use]
    pub fn mean(&self, channel: usize) -> f64 {
        self.mean[channel]
    }

    /// The variance of a channel (of a population), 1 before the second row.
    #[must_use]
    pub fn variance(&self, channel: usize) -> f64 {
        if self.count[channel] < 2.0 { 1.0 } else { self.squares[channel] / self.count[channel] }
    }

    /// The same channels in another order; `None` is a channel that has seen nothing.
    #[must_use]
    pub fn gathered(&self, from: &[Option<usize>]) -> Self {
        let pick = |values: &[f64]| from.iter().map(|index| index.map_or(0.0, |index| values[index])).collect();
        Self { count: pick(&self.count), mean: pick(&self.mean), squares: pick(&self.squares) }
    }

    /// Fails where a number is not finite: a value of 1e300 is, its square is not.
    ///
    /// # Errors
    /// Exit 5; names the moments and the channel.
    pub fn check_finite(&self, name: &str) -> Result<()> {
        let finite = |channel: &usize| self.mean[*channel].is_finite() && self.squares[*channel].is_finite();
        match (0..self.channels()).find(|channel| !finite(channel)) {
            Some(channel) => Err(Error::diverged(format!("of channel {channel} are not finite")).at(name)),
            None => Ok(()),
        }
    }

    /// How many channels.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.count.len()
    }

    /// Adds itself to a set that goes to disk.
    pub fn save(&self, name: &str, into: &mut Tensors) {
        let rows = [("count", &self.count), ("mean", &self.mean), ("squares", &self.squares)];
        for (part, values) in rows {
            into.insert(format!("{name}.{part}"), Array::f64(&[values.len()], values.clone()));
        }
    }

    /// Takes itself out of a set that came from disk.
    ///
    /// # Errors
    /// Exit 3 when a part is missing, of another shape, or no moment of anything.
    pub fn load(channels: usize, name: &str, from: &mut Tensors) -> Result<Self> {
        let mut part = |part: &str| {
            let name = format!("{name}.{part}");
            let values = take_f64(from, &name, &[channels])?;
            let sound = values.iter().all(|value| value.is_finite() && (part == "mean" || *value >= 0.0));
            if sound { Ok(values) } else { Err(Error::artefact("holds numbers that are no moments").at(name)) }
        };
        Ok(Self { count: part("count")?, mean: part("mean")?, squares: part("squares")? })
    }
}

/// Turns raw observations into what the network sees: shifted, scaled, clipped to +-10 (Engstrom et al. 2020, and SB3's `VecNormalize`).
#[derive(Debug, Clone, PartialEq)]
pub struct Normalizer {
    /// What was seen.
    pub moments: Moments,
    mean: Vec<f64>,
    scale: Vec<f64>,
}

/// Normalised values are clipped to this.
pub const CLIP: f64 = 10.0;
/// Keeps a constant channel finite.
pub const EPSILON: f64 = 1e-8;

impl Normalizer {
    /// Around some moments.
    #[must_use]
    pub fn new(moments: Moments) -> Self {
        let mut normalizer = Self { mean: Vec::new(), scale: Vec::new(), moments };
        normalizer.refresh();
        normalizer
    }

    /// Takes in what was seen since; call it between updates only: in the middle of one, old log-probabilities would belong to
    /// another policy.
    pub fn merge(&mut self, seen: &Moments) {
        self.moments.merge(seen);
        self.refresh();
    }

    fn refresh(&mut self) {
        let channels = 0..self.moments.channels();
        self.mean = channels.clone().map(|channel| self.moments.mean(channel)).collect();
        self.scale = channels.map(|channel| 1.0 / (self.moments.variance(channel) + EPSILON).sqrt()).collect();
    }

    /// Writes the normalised value of one channel's raw one.
    #[inline]
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "networks see f32")]
    pub fn normalize(&self, channel: usize, raw: f64) -> f32 {
        ((raw - self.mean[channel]) * self.scale[channel]).clamp(-CLIP, CLIP) as f32
    }

    /// The raw value of what one channel was normalised to; of what was clipped, the bound's.
    #[inline]
    #[must_use]
    pub fn raw(&self, channel: usize, normalized: f32) -> f64 {
        f64::from(normalized) / self.scale[channel] + self.mean[channel]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_shards_are_what_one_pass_sees() {
        let rows: Vec<[f64; 2]> = (0..100).map(|i| [f64::from(i).sin() * 3.0 + 5.0, f64::from(i * i % 17)]).collect();
        let mut whole = Moments::new(2);
        for row in &rows {
            whole.push(row);
        }
        let mut merged = Moments::new(2);
        for part in rows.chunks(30) {
            let mut shard = Moments::new(2);
            for row in part {
                shard.push(row);
            }
            merged.merge(&shard);
        }
        for channel in 0..2 {
            let mean = rows.iter().map(|row| row[channel]).sum::<f64>() / 100.0;
            let variance = rows.iter().map(|row| (row[channel] - mean).powi(2)).sum::<f64>() / 100.0;
            for moments in [&whole, &merged] {
                assert!((moments.mean(channel) - mean).abs() < 1e-12);
                assert!((moments.variance(channel) - variance).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn before_anything_is_seen_nothing_changes_but_outliers() {
        let normalizer = Normalizer::new(Moments::new(1));
        assert!((normalizer.normalize(0, 0.25) - 0.25).abs() < 1e-7);
        assert_eq!(normalizer.normalize(0, 1e9), 10.0);
    }

    #[test]
    fn a_joining_channel_starts_fresh() {
        let mut moments = Moments::new(1);
        (0..10).for_each(|i| moments.push(&[f64::from(i)]));
        let joined = moments.gathered(&[None, Some(0)]);
        assert_eq!((joined.mean(0), joined.variance(0)), (0.0, 1.0));
        assert_eq!(joined.mean(1), 4.5);
    }
}
