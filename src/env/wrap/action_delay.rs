//! Slow motors: what is done now was decided some steps ago.

use super::action_index;
use super::layer::{Layer, wrap};
use crate::env::{Action, ActionSpace, Env, Snapshot};
use crate::error::{Error, Result};
use crate::seed::Rng;

/// Two rings, of which a space uses one: indices `[steps]` or values `[steps, A]`.
struct ActionDelay {
    indices: Vec<usize>,
    values: Vec<f64>,
    idle: usize,
    /// Where the action that is due stands, and the new one goes.
    due: usize,
    current: Vec<f64>,
    actions: usize,
}

pub(super) fn around(inner: Box<dyn Env>, steps: usize, idle: Option<&str>) -> Result<Box<dyn Env>> {
    let spaces = inner.spaces().clone();
    let actions = spaces.action.size();
    let (idle, indices, width) = match (&spaces.action, idle) {
        (ActionSpace::Continuous(_), Some(_)) => return Err(Error::usage("a continuous action idles at zero; it takes no `idle`")),
        (ActionSpace::Continuous(_), None) => (0, 0, actions),
        (ActionSpace::Discrete(_), Some(name)) => (action_index(&spaces.action, name)?, steps, 0),
        (ActionSpace::Discrete(names), None) => (names.len() / 2, steps, 0),
    };
    let (indices, values) = (vec![idle; indices], vec![0.0; steps * width]);
    Ok(wrap(inner, spaces, ActionDelay { indices, values, idle, due: 0, current: vec![0.0; width], actions }))
}

impl Layer for ActionDelay {
    fn begin(&mut self, inner: &[f64], _rng: &mut Rng, outer: &mut [f64]) {
        self.indices.fill(self.idle);
        self.values.fill(0.0);
        self.due = 0;
        outer.copy_from_slice(inner);
    }

    fn act<'a>(&'a mut self, action: Action<'a>, _rng: &mut Rng) -> Action<'a> {
        let due = self.due;
        match action {
            Action::Discrete(index) => {
                self.due = (due + 1) % self.indices.len();
                Action::Discrete(std::mem::replace(&mut self.indices[due], index))
            }
            Action::Continuous(values) => {
                self.due = (due + 1) % (self.values.len() / values.len());
                let slot = &mut self.values[due * values.len()..][..values.len()];
                self.current.copy_from_slice(slot);
                slot.copy_from_slice(values);
                Action::Continuous(&self.current)
            }
        }
    }

    fn snapshot(&self, into: &mut Snapshot) {
        self.indices.iter().for_each(|index| into.put_count(*index));
        into.put_all(&self.values);
        into.put_count(self.due);
    }

    fn restore(&mut self, from: &mut Snapshot) -> Result<()> {
        for index in &mut self.indices {
            *index = from.take_count()?;
        }
        from.take_all(&mut self.values)?;
        self.due = from.take_count()?;
        let steps = self.indices.len().max(self.values.len() / self.current.len().max(1));
        let sound = self.due < steps && self.indices.iter().all(|index| *index < self.actions);
        if sound { Ok(()) } else { Err(Error::artefact("the snapshot's delayed actions are not this environment's")) }
    }
}
