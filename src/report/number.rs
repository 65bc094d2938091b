//! Numbers as a page shows them: as many digits as say something, a true minus, narrow spaces between thousands.

use crate::stats::Interval;

/// A number; a dash for what is none.
#[must_use]
pub fn number(value: f64) -> String {
    let text = match value.abs() {
        _ if !value.is_finite() => return "—".to_owned(),
        size if size >= 1e6 => format!("{value:.3e}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 || size == 0.0 => format!("{:.2}", value + 0.0),
        _ => format!("{value:.3}"),
    };
    text.replace('-', "−")
}

/// A number to three digits, for where room is scarce.
#[must_use]
pub fn short(value: f64) -> String {
    let text = match value.abs() {
        size if (99.95..1e6).contains(&size) => format!("{value:.0}"),
        size if (9.995..99.95).contains(&size) => format!("{value:.1}"),
        _ => return number(value),
    };
    text.replace('-', "−")
}

/// A difference, with its sign.
#[must_use]
pub fn difference(value: f64) -> String {
    let text = number(value);
    if value.is_finite() && value >= 0.0 { format!("+{text}") } else { text }
}

/// The limits of an interval.
#[must_use]
pub fn limits(interval: Option<Interval>) -> String {
    interval.map_or_else(|| "—".to_owned(), |Interval { low, high, .. }| format!("[{}, {}]", number(low), number(high)))
}

/// A whole number in groups of three.
#[must_use]
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join("\u{202f}")
}

/// What a policy cost to make: `100 steps, seed 0`; `budget unknown` of one that was imported.
#[must_use]
pub fn budget(steps: Option<u64>, seed: u64) -> String {
    steps.map_or_else(|| "budget unknown".to_owned(), |steps| format!("{} steps, seed {seed}", count(steps)))
}

/// A whole number with its noun: `1 seed`, `8 seeds`.
#[must_use]
pub fn counted(value: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(value), if value == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_people_read_them() {
        assert_eq!(
            [0.0, -113.27, 4.567, -0.0123, -1e9, f64::NAN, -0.0].map(number),
            ["0.00", "−113.3", "4.57", "−0.012", "−1.000e9", "—", "0.00"]
        );
        assert_eq!([491.62, 99.96, 85.51, -9.02, 1e7].map(short), ["492", "100", "85.5", "−9.02", "1.000e7"]);
        assert_eq!([8.4, -2.0, 0.0, f64::NAN].map(difference), ["+8.40", "−2.00", "+0.00", "—"]);
        assert_eq!(limits(Some(Interval { mean: 1.0, low: -1.0, high: 3.0 })), "[−1.00, 3.00]");
        assert_eq!([7, 1_000, 1_234_567].map(count), ["7", "1\u{202f}000", "1\u{202f}234\u{202f}567"]);
        assert_eq!([counted(1, "seed"), counted(8, "seed")], ["1 seed", "8 seeds"]);
    }
}
