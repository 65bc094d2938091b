//! Parameters of the dynamics (context) and of the objective: named numbers, each fixed or drawn anew at every episode.

use crate::error::{Error, Result};
use crate::seed::Rng;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;

/// What a simulator says of one of its parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameter {
    /// Its name in RON.
    pub name: &'static str,
    /// Its value where nobody says otherwise.
    pub default: f64,
    /// The least value that makes sense.
    pub low: f64,
    /// The greatest value that makes sense.
    pub high: f64,
    /// `m/s²`, `kg`, or empty.
    pub unit: &'static str,
    /// One sentence.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter, in one line of a table.
    #[must_use]
    pub const fn new(name: &'static str, default: f64, range: [f64; 2], unit: &'static str, about: &'static str) -> Self {
        Self { name, default, low: range[0], high: range[1], unit, about }
    }
}

/// A number, or the law from which it is drawn at every reset.
#[derive(Debug, Clone, PartialEq)]
pub enum Quantity {
    /// The same in every episode.
    Number(f64),
    /// Drawn anew in every episode.
    Drawn(Distribution),
}

/// The laws that RON can name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Distribution {
    /// Uniform between low and high.
    Uniform(f64, f64),
    /// Its logarithm is uniform between those of low and high, which are positive.
    LogUniform(f64, f64),
    /// Normal with mean and standard deviation, drawn again while outside low and high.
    TruncatedNormal(f64, f64, f64, f64),
    /// One of these with equal probability.
    Choice(Vec<f64>),
}

impl Quantity {
    /// A value for one episode.
    pub fn draw(&self, rng: &mut Rng) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Drawn(Distribution::Uniform(low, high)) => rng.uniform(*low, *high),
            Self::Drawn(Distribution::LogUniform(low, high)) => rng.uniform(low.ln(), high.ln()).exp().clamp(*low, *high),
            Self::Drawn(Distribution::TruncatedNormal(mean, sd, low, high)) => loop {
                let value = mean + sd * rng.normal();
                if (*low..=*high).contains(&value) {
                    break value;
                }
            },
            Self::Drawn(Distribution::Choice(values)) => values[rng.below(values.len())],
        }
    }

    /// The least value it can take.
    #[must_use]
    pub fn least(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Drawn(law) => match law {
                Distribution::Uniform(low, _) | Distribution::LogUniform(low, _) | Distribution::TruncatedNormal(_, _, low, _) => *low,
                Distribution::Choice(values) => values.iter().copied().fold(f64::INFINITY, f64::min),
            },
        }
    }

    /// The greatest value it can take.
    #[must_use]
    pub fn greatest(&self) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Drawn(law) => match law {
                Distribution::Uniform(_, high) | Distribution::LogUniform(_, high) | Distribution::TruncatedNormal(_, _, _, high) => *high,
                Distribution::Choice(values) => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            },
        }
    }

    /// Whether it can take this value.
    #[must_use]
    pub fn can_be(&self, value: f64) -> bool {
        match self {
            Self::Drawn(Distribution::Choice(values)) => values.contains(&value),
            _ => (self.least()..=self.greatest()).contains(&value),
        }
    }

    /// Whether it is the same in every episode.
    #[must_use]
    pub const fn is_fixed(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    /// Checks that every value it can take lies in the parameter's range.
    ///
    /// # Errors
    /// Names the range, or what makes the law impossible.
    pub fn check(&self, parameter: &Parameter) -> Result<()> {
        let Parameter { name, low: least, high: most, unit, .. } = *parameter;
        let inside = |value: f64| {
            if value.is_finite() && (least..=most).contains(&value) {
                return Ok(());
            }
            let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
            Err(Error::usage(format!("`{name}` cannot be {value}")).hint(format!("it lies between {least} and {most}{unit}")))
        };
        let ordered = |low: f64, high: f64| {
            let message = || format!("the law of `{name}` needs low < high, not {low} and {high}");
            if low < high { Ok(()) } else { Err(Error::usage(message()).hint("write the smaller number first")) }
        };
        match self {
            Self::Number(value) => inside(*value),
            Self::Drawn(Distribution::Uniform(low, high)) => ordered(*low, *high).and(inside(*low)).and(inside(*high)),
            Self::Drawn(Distribution::LogUniform(low, high)) => {
                if *low <= 0.0 {
                    return Err(Error::usage(format!("the LogUniform law of `{name}` needs a positive low, not {low}")));
                }
                ordered(*low, *high).and(inside(*low)).and(inside(*high))
            }
            Self::Drawn(Distribution::TruncatedNormal(mean, sd, low, high)) => {
                ordered(*low, *high).and(inside(*low)).and(inside(*high))?;
                // Further out than that, drawing again and again would take for ever.
                let reach = (mean - high).max(low - mean).max(0.0);
                let drawable = mean.is_finite() && sd.is_finite() && *sd > 0.0 && reach <= 3.0 * sd && high - low >= 1e-3 * sd;
                if drawable {
                    return Ok(());
                }
                Err(Error::usage(format!("the TruncatedNormal law of `{name}` almost never falls between {low} and {high}"))
                    .hint("keep the mean within 3 sd of the interval and the interval wider than sd / 1000"))
            }
            Self::Drawn(Distribution::Choice(values)) if values.is_empty() => Err(Error::usage(format!("the Choice of `{name}` is empty"))),
            Self::Drawn(Distribution::Choice(values)) => values.iter().try_for_each(|value| inside(*value)),
        }
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Drawn(Distribution::Uniform(low, high)) => write!(f, "Uniform({low}, {high})"),
            Self::Drawn(Distribution::LogUniform(low, high)) => write!(f, "LogUniform({low}, {high})"),
            Self::Drawn(Distribution::TruncatedNormal(mean, sd, low, high)) => {
                write!(f, "TruncatedNormal({mean}, {sd}, {low}, {high})")
            }
            Self::Drawn(Distribution::Choice(values)) => write!(f, "Choice({values:?})"),
        }
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Drawn(distribution) => distribution.serialize(serializer),
        }
    }
}

const LAWS: &str = "Uniform(low, high), LogUniform(low, high), TruncatedNormal(mean, sd, low, high), Choice([...])";

/// `9.8` or `Uniform(8, 11)`. RON's own untagged reading would lose the law's name, so the text decides.
impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let raw = Box::<ron::value::RawValue>::deserialize(deserializer)?;
        let text = raw.get_ron().trim();
        let named = text.starts_with(|first: char| first.is_ascii_uppercase());
        if named {
            return ron::from_str(text).map(Self::Drawn).map_err(|error| match error.code {
                // Kept as names, so that the reader of the file is told the nearest one.
                ron::Error::NoSuchEnumVariant { expected, found, .. } => D::Error::unknown_variant(&found, expected),
                _ => D::Error::custom(format!("`{text}` is none of {LAWS}")),
            });
        }
        let number = ron::from_str::<f64>(text);
        number.map(Self::Number).map_err(|_| D::Error::custom(format!("`{text}` is neither a number nor one of {LAWS}")))
    }
}

/// Quantities by name, written in RON as `(gravity: 9.8, pole_length: Uniform(0.4, 0.6))`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quantities(pub BTreeMap<String, Quantity>);

impl Quantities {
    /// One value of each.
    pub fn draw(&self, rng: &mut Rng) -> Values {
        Values(self.0.iter().map(|(name, quantity)| (name.clone(), quantity.draw(rng))).collect())
    }

    /// One value of each, as `value` takes it by `value`.
    pub(super) fn each(&self, value: impl Fn(&Quantity) -> f64) -> Values {
        Values(self.0.iter().map(|(name, quantity)| (name.clone(), value(quantity))).collect())
    }

    /// Whether nothing is drawn.
    #[must_use]
    pub fn are_fixed(&self) -> bool {
        self.0.values().all(Quantity::is_fixed)
    }
}

impl Serialize for Quantities {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantities {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Quantities;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("named quantities such as (gravity: 9.8)")
            }
            fn visit_unit<E>(self) -> std::result::Result<Quantities, E> {
                Ok(Quantities::default())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> std::result::Result<Quantities, A::Error> {
                let mut quantities = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    let quantity = map.next_value()?;
                    if quantities.contains_key(&name) {
                        return Err(A::Error::custom(format!("`{name}` stands twice")));
                    }
                    quantities.insert(name, quantity);
                }
                Ok(Quantities(quantities))
            }
        }
        // `(a: 1)` is a struct to RON and `{"a": 1}` a map: both are welcome.
        deserializer.deserialize_any(Visitor)
    }
}

/// The values of one episode, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Values(pub BTreeMap<String, f64>);

impl Values {
    /// Two values of which the first must not exceed the second, with their names.
    ///
    /// # Errors
    /// When it does.
    pub fn ordered(&self, low: &str, high: &str) -> Result<[f64; 2]> {
        let (least, most) = (self[low], self[high]);
        if least <= most {
            return Ok([least, most]);
        }
        let message = format!("`{low}` is {least}, which is more than `{high}`, {most}");
        Err(Error::usage(message).hint("what an environment does not say it has from the one it extends: say both"))
    }
}

impl std::ops::Index<&str> for Values {
    type Output = f64;

    /// The value of a parameter that the simulator declares.
    ///
    /// # Panics
    /// When it does not declare it: a slip of the simulator's author that its first construction shows.
    fn index(&self, name: &str) -> &f64 {
        self.0.get(name).unwrap_or_else(|| panic!("the simulator's table does not declare `{name}`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Stream;

    fn read(text: &str) -> std::result::Result<Quantities, String> {
        ron::from_str(text).map_err(|error| error.code.to_string())
    }

    #[test]
    fn numbers_and_laws_read_back_as_written() {
        let text = "(a: 9.8, b: -3, c: Uniform(8, 11), d: LogUniform(0.1, 10), e: TruncatedNormal(1, 0.5, 0, 2), f: Choice([1, 2.5]))";
        let quantities = read(text).unwrap();
        assert_eq!(quantities.0["b"], Quantity::Number(-3.0));
        assert_eq!(quantities.0["f"], Quantity::Drawn(Distribution::Choice(vec![1.0, 2.5])));
        assert_eq!(read(&ron::to_string(&quantities).unwrap()).unwrap(), quantities);
        assert_eq!(read("()").unwrap(), Quantities::default());
        assert_eq!(read("{\"a\": 1}").unwrap().0["a"], Quantity::Number(1.0));
    }

    #[test]
    fn what_is_neither_number_nor_law_is_refused() {
        for text in ["(a: \"x\")", "(a: NaN)", "(a: Unifrm(1, 2))", "(a: Uniform(1))", "(a: 1, a: 2)", "(a: true)"] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read("(a: Unifrm(1, 2))").unwrap_err().contains("Unifrm"));
    }

    #[test]
    fn values_out_of_range_name_the_range() {
        let gravity = Parameter::new("gravity", 9.8, [0.0, 100.0], "m/s²", "");
        let check = |text: &str| read(text).unwrap().0["a"].check(&gravity);
        assert!(check("(a: 1.62)").is_ok());
        assert_eq!(check("(a: -1)").unwrap_err().remedy(), Some("it lies between 0 and 100 m/s²"));
        for text in [
            "(a: inf)",
            "(a: -inf)",
            "(a: Uniform(2, 1))",
            "(a: Uniform(1, 101))",
            "(a: LogUniform(0, 1))",
            "(a: Choice([]))",
            "(a: TruncatedNormal(50, 0.001, 1, 2))",
            "(a: TruncatedNormal(1, 1, 0.5, 0.5))",
            "(a: Choice([1, -1]))",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn laws_draw_what_they_say() {
        let mut rng = Stream::Env(0).under(0);
        let mut moments = |text: &str| {
            let quantity = read(text).unwrap().0["a"].clone();
            let draws: Vec<f64> = (0..20_000).map(|_| quantity.draw(&mut rng)).collect();
            let low = draws.iter().copied().fold(f64::INFINITY, f64::min);
            let high = draws.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (low, draws.iter().sum::<f64>() / 20_000.0, high)
        };
        // Means within 6 standard errors: false failure below 1e-8 each.
        let (low, mean, high) = moments("(a: Uniform(8, 11))");
        assert!(low >= 8.0 && high < 11.0 && (mean - 9.5).abs() < 0.037, "{low} {mean} {high}");
        let (low, mean, high) = moments("(a: LogUniform(0.1, 10))");
        assert!(low >= 0.1 && high <= 10.0 && (mean - 9.9 / 100.0_f64.ln()).abs() < 0.11, "{low} {mean} {high}");
        let (low, mean, high) = moments("(a: TruncatedNormal(1, 0.5, 0, 2))");
        assert!(low >= 0.0 && high <= 2.0 && (mean - 1.0).abs() < 0.02, "{low} {mean} {high}");
        let (low, mean, high) = moments("(a: Choice([1, 2, 6]))");
        assert!((low, high) == (1.0, 6.0) && (mean - 3.0).abs() < 0.1, "{low} {mean} {high}");
    }
}
