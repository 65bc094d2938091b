//! The shape of a gated recurrent unit (Cho et al. 2014): what a policy with memory remembers with.

use super::init::orthogonal_rows;
use super::params::{Layout, Params};
use crate::seed::Rng;

/// Gates, in PyTorch's order: reset, update, candidate.
pub const GATES: usize = 3;

/// Sizes of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gru {
    /// What it sees at each step, `O`.
    pub inputs: usize,
    /// What it remembers, `H`.
    pub units: usize,
}

impl Gru {
    /// Appends its parameters, as PyTorch's `GRUCell` has them: `NAME.input.weight` `[3 H, O]`, `NAME.hidden.weight` `[3 H, H]`, and a bias
    /// `[3 H]` of each.
    pub fn declare(&self, name: &str, layout: &mut Layout) {
        let rows = GATES * self.units;
        layout.push(format!("{name}.input.weight"), &[rows, self.inputs]);
        layout.push(format!("{name}.hidden.weight"), &[rows, self.units]);
        layout.push(format!("{name}.input.bias"), &[rows]);
        layout.push(format!("{name}.hidden.bias"), &[rows]);
    }

    /// Numbers in all its parameters.
    #[must_use]
    pub const fn parameter_count(&self) -> usize {
        GATES * self.units * (self.inputs + self.units + 2)
    }

    /// Gives a weight of one of its gates' stacks an orthogonal matrix for each gate; biases stay zero (Duan et al. 2016, appendix A.1,
    /// whose inputs' weights are Xavier's, of the same size).
    pub fn init(&self, params: &mut Params, name: &str, rng: &mut Rng) {
        let columns = if name.ends_with(".hidden.weight") { self.units } else { self.inputs };
        for gate in params.tensor_mut(name).chunks_exact_mut(self.units * columns) {
            orthogonal_rows(gate, columns, 1.0, rng);
        }
    }
}
