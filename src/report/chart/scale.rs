//! Scales: from a number to a place on the paper, straight or by its logarithm, and the round numbers that mark it.

use super::Px;

/// A map from values to places.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    kind: Kind,
    domain: [f64; 2],
    range: [f64; 2],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Linear,
    Log,
}

impl Scale {
    /// Equal differences take equal room. A domain without extent is given some.
    #[must_use]
    pub fn linear(domain: [f64; 2], range: [f64; 2]) -> Self {
        Self { kind: Kind::Linear, domain: with_extent(domain), range }
    }

    /// Equal ratios take equal room: for budgets. A domain that is not positive becomes 1 to 10.
    #[must_use]
    pub fn log(domain: [f64; 2], range: [f64; 2]) -> Self {
        let sound = domain[0] > 0.0 && domain[0] < domain[1] && domain[1].is_finite();
        Self { kind: Kind::Log, domain: if sound { domain } else { [1.0, 10.0] }, range }
    }

    /// The place of a value.
    #[must_use]
    pub fn at(&self, value: f64) -> f64 {
        let along = |value: f64| match self.kind {
            Kind::Linear => value,
            Kind::Log => value.ln(),
        };
        let [from, to] = self.domain.map(along);
        let [start, end] = self.range;
        start + (along(value) - from) / (to - from) * (end - start)
    }

    /// Its first and last value.
    #[must_use]
    pub const fn domain(&self) -> [f64; 2] {
        self.domain
    }

    /// About so many round values inside the domain, in order.
    #[must_use]
    pub fn ticks(&self, about: usize) -> Vec<f64> {
        match self.kind {
            Kind::Linear => linear_ticks(self.domain, about),
            Kind::Log => log_ticks(self.domain, about),
        }
    }

    /// How a page's script finds the value of a place: `linear 0 500 260 10`, kind, domain and range.
    #[must_use]
    pub fn described(&self) -> String {
        let kind = if self.kind == Kind::Linear { "linear" } else { "log" };
        format!("{kind} {} {} {} {}", self.domain[0], self.domain[1], Px(self.range[0]), Px(self.range[1]))
    }
}

/// The least and the greatest of the finite values; `None` of nothing.
pub fn extent(values: impl IntoIterator<Item = f64>) -> Option<[f64; 2]> {
    let finite = values.into_iter().filter(|value| value.is_finite());
    finite.fold(None, |reach, value| match reach {
        None => Some([value, value]),
        Some([low, high]) => Some([low.min(value), high.max(value)]),
    })
}

/// A domain with some room around it; zero comes in where it is near.
#[must_use]
pub fn with_room([low, high]: [f64; 2]) -> [f64; 2] {
    let [low, high] = with_extent([low, high]);
    let room = 0.04 * (high - low);
    let near_zero = 0.2 * (high - low);
    [if (0.0..near_zero).contains(&low) { 0.0 } else { low - room }, if (-near_zero..=0.0).contains(&high) { 0.0 } else { high + room }]
}

fn with_extent([low, high]: [f64; 2]) -> [f64; 2] {
    if !low.is_finite() || !high.is_finite() || !(high - low).is_finite() {
        return [0.0, 1.0];
    }
    // Less than that, and neighbouring ticks would be the same number.
    let size = low.abs().max(high.abs());
    if high - low > 1e-9 * size {
        return [low, high];
    }
    let room = if size == 0.0 { 1.0 } else { 0.1 * size };
    [low - room, low + room]
}

/// 1, 2 or 5 times a power of ten: the one that cuts `extent` into about so many parts.
fn step(extent: f64, about: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a handful of ticks")]
    let raw = extent / about.max(1) as f64;
    let power = 10.0_f64.powf(raw.log10().floor());
    // The limits are the geometric means of 1, 2, 5 and 10.
    let mantissa = match raw / power {
        share if share < 2.0_f64.sqrt() => 1.0,
        share if share < 10.0_f64.sqrt() => 2.0,
        share if share < 50.0_f64.sqrt() => 5.0,
        _ => 10.0,
    };
    mantissa * power
}

fn linear_ticks([low, high]: [f64; 2], about: usize) -> Vec<f64> {
    let step = step(high - low, about);
    // A hair of tolerance keeps the ends that rounding would lose.
    let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of ticks")]
    let count = (last - first + 1.0).clamp(0.0, 100.0) as u32;
    // Below one, divided by the whole number 1 / step: 0.3 is then 3 / 10, not 3 * 0.1.
    let at = |index: f64| if step < 1.0 { index / (1.0 / step).round() } else { index * step };
    (0..count).map(|index| at(first + f64::from(index))).collect()
}

fn log_ticks([low, high]: [f64; 2], about: usize) -> Vec<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "exponents of f64")]
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let decades = usize::try_from(last - first).unwrap_or(0).max(1);
    let mantissas: &[f64] = if decades * 2 <= about { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let every = decades.div_ceil(about.max(1)).max(1);
    let inside = |value: &f64| (low * (1.0 - 1e-12)..=high * (1.0 + 1e-12)).contains(value);
    let decade = |exponent: i32| mantissas.iter().map(move |mantissa| mantissa * 10.0_f64.powi(exponent));
    (first..=last).step_by(every).flat_map(decade).filter(inside).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_by_hand() {
        let scale = Scale::linear([0.0, 500.0], [260.0, 10.0]);
        assert_eq!([0.0, 250.0, 500.0, 600.0].map(|value| scale.at(value)), [260.0, 135.0, 10.0, -40.0]);
        let scale = Scale::log([1e2, 1e6], [0.0, 400.0]);
        for (value, place) in [(1e2, 0.0), (1e3, 100.0), (1e4, 200.0), (1e6, 400.0)] {
            assert!((scale.at(value) - place).abs() < 1e-9);
        }
    }

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = |low, high, about| Scale::linear([low, high], [0.0, 1.0]).ticks(about);
        assert_eq!(ticks(0.0, 500.0, 5), [0.0, 100.0, 200.0, 300.0, 400.0, 500.0]);
        assert_eq!(ticks(-212.0, -74.0, 5), [-200.0, -180.0, -160.0, -140.0, -120.0, -100.0, -80.0]);
        assert_eq!(ticks(0.0, 1.0, 4), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(ticks(0.1, 0.35, 5), [0.1, 0.15, 0.2, 0.25, 0.3, 0.35]);
        assert_eq!(ticks(0.0, 40_960.0, 4), [0.0, 10_000.0, 20_000.0, 30_000.0, 40_000.0]);
        let log = |low, high, about| Scale::log([low, high], [0.0, 1.0]).ticks(about);
        assert_eq!(log(1e3, 1e6, 4), [1e3, 1e4, 1e5, 1e6]);
        assert_eq!(log(1e3, 3e4, 6), [1e3, 2e3, 5e3, 1e4, 2e4]);
        assert_eq!(log(1.0, 1e12, 4).len(), 5);
    }

    #[test]
    fn domains_that_are_none_become_some() {
        for domain in [[3.0, 3.0], [0.0, 0.0], [f64::NAN, 1.0], [f64::NEG_INFINITY, 0.0], [-1e308, 1e308], [1e16, 1e16 + 2.0], [5.0, 4.0]] {
            let scale = Scale::linear(domain, [0.0, 100.0]);
            let ticks = scale.ticks(5);
            assert!(ticks.len() > 1 && ticks.len() < 20, "{domain:?} {ticks:?}");
            assert!(ticks.windows(2).all(|pair| pair[0] < pair[1]) && scale.at(ticks[0]).is_finite(), "{domain:?} {ticks:?}");
        }
        assert_eq!(Scale::log([0.0, 10.0], [0.0, 1.0]).domain(), [1.0, 10.0]);
        assert_eq!(Scale::linear([500.0, 500.0], [0.0, 1.0]).domain(), [450.0, 550.0]);
    }

    #[test]
    fn room_and_extents() {
        assert_eq!(with_room([10.0, 510.0]), [0.0, 530.0]);
        assert_eq!(with_room([300.0, 500.0]), [292.0, 508.0]);
        assert_eq!(with_room([-113.0, -13.0]), [-117.0, 0.0]);
        assert_eq!(extent([2.0, f64::NAN, -1.0, f64::INFINITY]), Some([-1.0, 2.0]));
        assert_eq!(extent([f64::NAN]), None);
    }
}
