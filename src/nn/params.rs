//! Parameters: an ordered list of named tensors in one flat run of floats, which is the truth. Saving, freezing, comparing and
//! averaging are operations on lists.

use crate::error::{Error, Result};
use crate::file::tensors::{Array, Tensors, take_f32};
use std::ops::Range;
use std::sync::Arc;

/// Names, shapes and places of parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    entries: Vec<Entry>,
    length: usize,
}

/// One named tensor in a [`Layout`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// `actor.0.weight`.
    pub name: String,
    /// Outermost size first.
    pub shape: Vec<usize>,
    /// Where it lies in the flat run.
    pub range: Range<usize>,
}

impl Layout {
    /// Appends a tensor.
    pub fn push(&mut self, name: impl Into<String>, shape: &[usize]) {
        let end = self.length + shape.iter().product::<usize>();
        self.entries.push(Entry { name: name.into(), shape: shape.to_vec(), range: self.length..end });
        self.length = end;
    }

    /// The tensors, in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Numbers in all tensors.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The place of a tensor.
    #[must_use]
    pub fn range(&self, name: &str) -> Option<Range<usize>> {
        self.entries.iter().find(|entry| entry.name == name).map(|entry| entry.range.clone())
    }
}

/// Parameters of a known layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    layout: Arc<Layout>,
    /// All tensors, one behind the other.
    pub values: Vec<f32>,
}

impl Params {
    /// All zero.
    #[must_use]
    pub fn zeros(layout: Arc<Layout>) -> Self {
        let values = vec![0.0; layout.len()];
        Self { layout, values }
    }

    /// Names, shapes and places.
    #[must_use]
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The values of one tensor.
    ///
    /// # Panics
    /// When there is none of this name.
    #[must_use]
    pub fn tensor(&self, name: &str) -> &[f32] {
        &self.values[self.layout.range(name).expect("a parameter of this name")]
    }

    /// The values of one tensor, to be written.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn tensor_mut(&mut self, name: &str) -> &mut [f32] {
        let range = self.layout.range(name).expect("a parameter of this name");
        &mut self.values[range]
    }

    /// Adds every tensor to a set that goes to disk, each name behind `prefix`.
    pub fn save(&self, prefix: &str, into: &mut Tensors) {
        for entry in self.layout.entries() {
            into.insert(format!("{prefix}{}", entry.name), Array::f32(&entry.shape, self.values[entry.range.clone()].to_vec()));
        }
    }

    /// Takes every tensor out of a set that came from disk.
    ///
    /// # Errors
    /// Exit 3 when one is missing or of another type or shape; `self` is then unchanged.
    pub fn load(&mut self, prefix: &str, from: &mut Tensors) -> Result<()> {
        let mut values = Vec::with_capacity(self.values.len());
        for entry in self.layout.entries() {
            values.extend(take_f32(from, &format!("{prefix}{}", entry.name), &entry.shape)?);
        }
        self.values = values;
        Ok(())
    }

    /// Fails where a number is not finite.
    ///
    /// # Errors
    /// Names the first tensor that holds one.
    pub fn check_finite(&self) -> Result<()> {
        check_finite(&self.layout, &self.values)
    }
}

/// Fails where one of `values`, laid out like parameters, is not finite.
///
/// # Errors
/// Exit 5; names the first tensor that holds one.
pub fn check_finite(layout: &Layout, values: &[f32]) -> Result<()> {
    if values.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    let bad = |entry: &&Entry| values[entry.range.clone()].iter().any(|value| !value.is_finite());
    let name = layout.entries().iter().find(bad).map_or("?", |entry| &entry.name);
    Err(Error::diverged("holds a number that is not finite").at(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params() -> Params {
        let mut layout = Layout::default();
        layout.push("a.weight", &[2, 3]);
        layout.push("a.bias", &[2]);
        let mut params = Params::zeros(Arc::new(layout));
        params.values.iter_mut().zip(0_u8..).for_each(|(value, i)| *value = f32::from(i));
        params
    }

    #[test]
    fn saving_and_loading_gives_the_same() {
        let mut tensors = Tensors::new();
        params().save("policy.", &mut tensors);
        let mut loaded = Params::zeros(Arc::clone(params().layout()));
        loaded.load("policy.", &mut tensors).unwrap();
        assert_eq!(loaded, params());
        assert!(tensors.is_empty());
    }

    #[test]
    fn a_tensor_of_another_shape_is_refused_and_nothing_changes() {
        let mut tensors = Tensors::new();
        params().save("", &mut tensors);
        tensors.insert("a.bias".into(), Array::f32(&[1], vec![9.0]));
        let mut loaded = Params::zeros(Arc::clone(params().layout()));
        let error = loaded.load("", &mut tensors).unwrap_err();
        assert_eq!(error.to_string(), "a.bias: is F32 [1], but F32 [2] is needed");
        assert!(loaded.values.iter().all(|value| *value == 0.0));
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let mut params = params();
        params.tensor_mut("a.bias")[1] = f32::NAN;
        assert!(params.check_finite().unwrap_err().to_string().starts_with("a.bias"));
    }
}
