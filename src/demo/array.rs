//! An array of foreign data, and whether it fits what an environment's spaces ask for.

use crate::env::{ActionSpace, Spaces};
use crate::error::{Error, Result};

/// What the numbers are in the file that they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// True or false.
    Flag,
    /// A whole number.
    Integer,
    /// A floating-point number of any width.
    Float,
}

/// Numbers with their shape, the last dimension fastest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Array {
    pub(super) kind: Kind,
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

/// How many numbers a shape has; nothing where that overflows.
pub(super) fn product(shape: &[u64]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))
}

impl Array {
    /// How many rows of `width` numbers there are.
    ///
    /// # Errors
    /// Exit 3 when the shape is neither `[N, width]` nor, for a width of 1, `[N]`.
    pub(super) fn rows(&self, width: usize, what: &str) -> Result<usize> {
        match self.shape[..] {
            [rows] if width == 1 => Ok(rows),
            [rows, found] if found == width => Ok(rows),
            _ => Err(Error::artefact(format!("has the shape {:?}; {what} [N, {width}]", self.shape))),
        }
    }

    /// The rows of observations, `[N, O]`.
    ///
    /// # Errors
    /// Exit 3 when the environment observes something else.
    pub(super) fn as_observations(&self, spaces: &Spaces) -> Result<usize> {
        let channels = spaces.observation.iter().map(|channel| channel.name.as_str()).collect::<Vec<_>>().join(", ");
        if self.kind == Kind::Flag {
            return Err(Error::artefact("holds flags where the environment has numbers"));
        }
        self.rows(spaces.observation.len(), &format!("the environment observes {channels}:"))
    }

    /// The rows of actions, `[N, W]`.
    ///
    /// # Errors
    /// Exit 3 when the environment acts otherwise.
    pub(super) fn as_actions(&self, space: &ActionSpace) -> Result<usize> {
        let names = space.names().join(", ");
        match (space, self.kind) {
            (ActionSpace::Discrete(_), Kind::Integer) | (ActionSpace::Continuous(_), Kind::Float) => {
                self.rows(space.width(), &format!("the environment has the actions {names}:"))
            }
            (ActionSpace::Discrete(names), _) => {
                Err(Error::artefact(format!("is not of integers; the environment has {} discrete actions", names.len())))
            }
            (ActionSpace::Continuous(_), _) => {
                Err(Error::artefact(format!("is not of floating-point numbers; the environment has the continuous actions {names}")))
            }
        }
    }

    /// One flag per row.
    ///
    /// # Errors
    /// Exit 3 with the row that is neither 0 nor 1.
    pub(super) fn as_flags(&self) -> Result<Vec<bool>> {
        self.rows(1, "there is one flag a step:")?;
        match self.values.iter().position(|value| *value != 0.0 && *value != 1.0) {
            Some(row) => Err(Error::artefact(format!("is {}, which is no flag", self.values[row])).at(format!("row {row}"))),
            None => Ok(self.values.iter().map(|value| *value == 1.0).collect()),
        }
    }
}

/// An integer as a number, where it has one.
#[expect(clippy::cast_precision_loss, reason = "checked")]
pub(super) fn exact<T: Copy + Into<i128>>(values: Vec<T>) -> Result<Vec<f64>> {
    let fits = |value: T| (value.into().unsigned_abs() <= 1 << 53).then_some(value.into() as f64);
    let convert = |value: T| fits(value).ok_or_else(|| Error::artefact(format!("the integer {} has no exact number", value.into())));
    values.into_iter().map(convert).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::Channel;

    fn array(kind: Kind, shape: &[usize]) -> Array {
        Array { kind, shape: shape.to_vec(), values: vec![0.0; shape.iter().product()] }
    }

    #[test]
    fn a_shape_fits_or_is_named() {
        let spaces = Spaces { observation: vec![Channel::unbounded("angle")], action: ActionSpace::Discrete(vec!["left".into()]) };
        assert_eq!(array(Kind::Float, &[7]).as_observations(&spaces).unwrap(), 7);
        assert_eq!(array(Kind::Float, &[7, 1]).as_observations(&spaces).unwrap(), 7);
        let refused = array(Kind::Float, &[7, 2]).as_observations(&spaces).unwrap_err();
        assert_eq!(refused.message(), "has the shape [7, 2]; the environment observes angle: [N, 1]");
        assert!(array(Kind::Float, &[7]).as_actions(&spaces.action).is_err(), "discrete actions arrive as integers");
        assert_eq!(array(Kind::Integer, &[7]).as_actions(&spaces.action).unwrap(), 7);
        let push = ActionSpace::Continuous(vec![Channel::new("push", -1.0, 1.0)]);
        assert!(array(Kind::Integer, &[7]).as_actions(&push).is_err());
    }

    #[test]
    fn a_flag_is_zero_or_one() {
        let flags = |values: &[f64]| Array { kind: Kind::Float, shape: vec![values.len()], values: values.to_vec() }.as_flags();
        assert_eq!(flags(&[0.0, 1.0]).unwrap(), [false, true]);
        assert_eq!(flags(&[0.0, 0.5]).unwrap_err().place(), Some("row 1"));
        assert!(flags(&[f64::NAN]).is_err());
    }

    #[test]
    fn an_integer_keeps_its_value_or_is_refused() {
        assert_eq!(exact(vec![1_u64 << 53, 3]).unwrap(), [9_007_199_254_740_992.0, 3.0]);
        assert!(exact(vec![(1_i64 << 53) + 1]).is_err());
    }
}
