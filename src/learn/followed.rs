//! A network and the target that follows it: what a value is learned towards must stand still longer than the value does (Mnih et al. 2015), or
//! move slowly, by Polyak averaging (Lillicrap et al. 2016).

use crate::error::{Error, Result};
use crate::nn::Mlp;
use crate::nn::kernel::{Packed, Real};
use std::fmt::Display;

/// Both, in the form in which they are computed with.
#[derive(Debug, Clone)]
pub struct Followed<T = f32> {
    /// What is learned.
    pub online: Packed<T>,
    /// What follows it; nothing goes back through it.
    pub target: Packed<T>,
    /// The target's weights, in the order of the flat parameters.
    values: Vec<T>,
}

impl<T: Real> Followed<T> {
    /// Both at these weights.
    #[must_use]
    pub fn new(mlp: &Mlp, flat: &[T]) -> Self {
        let mut followed = Self { online: Packed::above(mlp), target: Packed::forward_only(mlp), values: flat.to_vec() };
        followed.refresh(flat);
        followed.target.refresh(flat);
        followed
    }

    /// Takes over what was learned; the target stays where it is.
    pub fn refresh(&mut self, flat: &[T]) {
        self.online.refresh(flat);
    }

    /// Moves the target by a part `rate` of the way; by 1, all of it.
    pub fn follow(&mut self, flat: &[T], rate: T) {
        for (value, online) in self.values.iter_mut().zip(flat) {
            *value += rate * (*online - *value);
        }
        if rate == T::one() {
            self.values.copy_from_slice(flat);
        }
        self.target.refresh(&self.values);
    }

    /// The target's weights.
    #[must_use]
    pub fn target_values(&self) -> &[T] {
        &self.values
    }

    /// Fails where a weight of the target is not finite: an activation may hide it.
    ///
    /// # Errors
    /// Exit 5.
    pub fn check_finite(&self, name: impl Display) -> Result<()> {
        if self.values.iter().all(|value| value.is_finite()) {
            return Ok(());
        }
        Err(Error::diverged("the target holds a number that is not finite").at(name))
    }

    /// Puts the target somewhere else.
    pub fn set_target(&mut self, values: &[T]) {
        self.values.copy_from_slice(values);
        self.target.refresh(values);
    }
}
