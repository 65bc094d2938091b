//! One forward and one backward pass for whoever acts or learns, whichever way the architecture is computed.
//!
//! [`Network`] holds the weights, shared by all shards; a [`Workspace`] is what one shard writes into. Rows pass in chunks of
//! [`CHUNK`]; libtorch always sees a full chunk, so that on both ways a row's result does not depend on how many others there are.

use super::kernel::{Activations, CHUNK, Gradients, Packed, PackedGru, Steps};
use super::{ActorCritic, Params, actor_critic, autograd};
use tch::{Kind, Tensor};

/// Weights in the form in which they are computed with.
pub struct Network {
    shape: ActorCritic,
    params: Params,
    /// Counts refreshes, so that a workspace knows when its leaves are old.
    version: u64,
    fused: Option<(Packed, Packed)>,
    memory: Option<PackedGru>,
}

impl Network {
    /// With these parameters. Where there is memory, the fused kernel computes it: whoever makes or reads a shape sees to it.
    #[must_use]
    pub fn new(shape: &ActorCritic, params: &Params) -> Self {
        let pack = if shape.memory > 0 { Packed::above } else { Packed::new };
        let fused = shape.is_fused().then(|| (pack(&shape.actor_mlp()), pack(&shape.critic_mlp())));
        let memory = shape.gru().map(PackedGru::new);
        let mut network = Self { shape: shape.clone(), params: params.clone(), version: 0, fused, memory };
        network.refresh(params);
        network
    }

    /// Takes over changed parameters.
    pub fn refresh(&mut self, params: &Params) {
        self.params.values.copy_from_slice(&params.values);
        self.version += 1;
        if let Some((actor, critic)) = &mut self.fused {
            let (actor_values, rest) = params.values.split_at(self.shape.actor_mlp().parameter_count());
            actor.refresh(actor_values);
            let (critic_values, rest) = rest.split_at(self.shape.critic_mlp().parameter_count());
            critic.refresh(critic_values);
            if let (Some(memory), Some(gru)) = (&mut self.memory, self.shape.gru()) {
                memory.refresh(&rest[..gru.parameter_count()]);
            }
        }
    }

    /// The parameters as they were last taken over.
    #[must_use]
    pub const fn params(&self) -> &Params {
        &self.params
    }

    /// The shape.
    #[must_use]
    pub const fn shape(&self) -> &ActorCritic {
        &self.shape
    }

    /// The logarithms of the standard deviations; empty where the head has none.
    #[must_use]
    pub fn log_std(&self) -> &[f32] {
        self.params.layout().range(actor_critic::LOG_STD).map_or(&[], |range| &self.params.values[range])
    }

    /// What it remembers with.
    ///
    /// # Panics
    /// When it has no memory.
    pub(super) const fn memory(&self) -> &PackedGru {
        self.memory.as_ref().expect("a network with memory")
    }

    /// Computes outputs and values of the first `rows` inputs of a workspace; with memory, from what the rows remember
    /// ([`Workspace::remembered`]), and what they remember then.
    pub fn forward(&self, rows: usize, workspace: &mut Workspace) {
        self.remember_one(rows, workspace);
        self.forward_heads(rows, workspace);
    }

    /// A step of memory, where there is one.
    fn remember_one(&self, rows: usize, workspace: &mut Workspace) {
        let (Some(memory), Some(steps)) = (&self.memory, &mut workspace.memory) else { return };
        memory.forward(0, rows, steps);
        (0..rows).for_each(|row| workspace.actor.input_row(row).copy_from_slice(steps.hidden(1, row)));
    }

    /// The same from the features on ([`Workspace::feature_row`]).
    pub(super) fn forward_heads(&self, rows: usize, workspace: &mut Workspace) {
        match &self.fused {
            Some((actor, critic)) => {
                actor.forward(rows, &mut workspace.actor);
                workspace.critic.copy_input(&workspace.actor, rows);
                critic.forward(rows, &mut workspace.critic);
            }
            None => self.forward_libtorch(rows, workspace),
        }
    }

    /// Computes outputs alone: for acting without learning.
    pub fn forward_actor(&self, rows: usize, workspace: &mut Workspace) {
        self.remember_one(rows, workspace);
        match &self.fused {
            Some((actor, _)) => actor.forward(rows, &mut workspace.actor),
            None => self.forward_libtorch(rows, workspace),
        }
    }

    /// Adds the gradient for the rows of the last forward pass, given the outputs' and values' gradients in the workspace. Only for
    /// fused architectures; the others differentiate a loss of tensors ([`autograd::add_gradient`]).
    ///
    /// # Panics
    /// When the architecture is not fused.
    pub fn backward(&self, rows: usize, workspace: &mut Workspace) {
        let (actor, critic) = self.fused.as_ref().expect("a fused architecture");
        actor.backward(rows, &mut workspace.actor, &mut workspace.actor_gradients);
        critic.backward(rows, &mut workspace.critic, &mut workspace.critic_gradients);
    }

    fn forward_libtorch(&self, rows: usize, workspace: &mut Workspace) {
        self.bring_leaves_up_to_date(workspace);
        let inputs: Vec<f32> = (0..CHUNK).flat_map(|row| workspace.actor.input_row(row).to_vec()).collect();
        let observation = autograd::matrix(&inputs, CHUNK, self.shape.inputs);
        let (outputs, values) = tch::no_grad(|| autograd::forward(&self.shape, &workspace.leaves, &observation));
        let mut flat = vec![0.0_f32; CHUNK * self.shape.outputs];
        outputs.contiguous().view([-1]).copy_data(&mut flat, CHUNK * self.shape.outputs);
        let mut flat_values = vec![0.0_f32; CHUNK];
        values.contiguous().copy_data(&mut flat_values, CHUNK);
        for row in 0..rows {
            workspace.actor.output_row_mut(row).copy_from_slice(&flat[row * self.shape.outputs..][..self.shape.outputs]);
            workspace.critic.output_row_mut(row)[0] = flat_values[row];
        }
    }

    /// The workspace's leaves, holding these parameters.
    pub fn bring_leaves_up_to_date(&self, workspace: &mut Workspace) {
        if workspace.leaves.is_empty() {
            workspace.leaves = autograd::leaves(&self.params, Kind::Float);
        } else if workspace.version != self.version {
            autograd::refresh(&mut workspace.leaves, &self.params);
        }
        workspace.version = self.version;
    }
}

/// What one shard needs to pass rows through a [`Network`].
pub struct Workspace {
    actor: Activations,
    critic: Activations,
    actor_gradients: Gradients,
    critic_gradients: Gradients,
    actor_parameters: usize,
    /// One step of memory, where there is one.
    memory: Option<Steps>,
    /// Copies of the parameters for libtorch; empty until they are needed.
    pub leaves: Vec<Tensor>,
    version: u64,
}

impl Workspace {
    /// For networks of this shape.
    #[must_use]
    pub fn new(shape: &ActorCritic) -> Self {
        let (actor, critic) = (shape.actor_mlp(), shape.critic_mlp());
        Self {
            actor: Activations::new(&actor),
            critic: Activations::new(&critic),
            actor_gradients: Gradients::new(&actor),
            critic_gradients: Gradients::new(&critic),
            actor_parameters: actor.parameter_count(),
            memory: shape.gru().map(|gru| Steps::new(gru, 1)),
            leaves: Vec::new(),
            version: 0,
        }
    }

    /// A row of the input, `[O]`, to be written.
    #[inline]
    pub fn input_row(&mut self, row: usize) -> &mut [f32] {
        match &mut self.memory {
            Some(steps) => steps.input_row(0, row),
            None => self.actor.input_row(row),
        }
    }

    /// A row of the input, `[O]`.
    #[inline]
    #[must_use]
    pub fn input(&self, row: usize) -> &[f32] {
        match &self.memory {
            Some(steps) => steps.input(0, row),
            None => self.actor.input(row),
        }
    }

    /// What a row remembers, `[H]`, to be written before a forward pass; empty without memory.
    #[inline]
    pub fn remembered(&mut self, row: usize) -> &mut [f32] {
        self.memory.as_mut().map_or(&mut [], |steps| steps.hidden_row(0, row))
    }

    /// What a row remembers after a forward pass.
    #[inline]
    #[must_use]
    pub fn remembers(&self, row: usize) -> &[f32] {
        self.memory.as_ref().map_or(&[], |steps| steps.hidden(1, row))
    }

    /// What actor and critic see of a row, to be written: the memory, or the input itself.
    #[inline]
    pub(super) fn feature_row(&mut self, row: usize) -> &mut [f32] {
        self.actor.input_row(row)
    }

    /// The loss's gradient with respect to a row's features, through actor and critic; of a network with memory.
    #[inline]
    pub(super) fn feature_gradients(&self, row: usize) -> [&[f32]; 2] {
        [self.actor.input_gradient(row), self.critic.input_gradient(row)]
    }

    /// A row of the outputs, `[A]`.
    #[inline]
    #[must_use]
    pub fn outputs(&self, row: usize) -> &[f32] {
        self.actor.output_row(row)
    }

    /// A row's value.
    #[inline]
    #[must_use]
    pub fn value(&self, row: usize) -> f32 {
        self.critic.output_row(row)[0]
    }

    /// A row's outputs, `[A]`, beside the loss's gradient with respect to them, to be written.
    #[inline]
    pub fn outputs_and_gradient(&mut self, row: usize) -> (&[f32], &mut [f32]) {
        self.actor.output_and_gradient(row)
    }

    /// The loss's gradient with respect to a row's value, to be written.
    #[inline]
    pub fn value_gradient(&mut self, row: usize) -> &mut f32 {
        &mut self.critic.output_and_gradient(row).1[0]
    }

    /// Adds what [`Network::backward`] gathered to a flat gradient and starts again from zero.
    pub fn take_gradient(&mut self, flat: &mut [f32]) {
        let (actor, rest) = flat.split_at_mut(self.actor_parameters);
        self.actor_gradients.add_to(actor);
        self.critic_gradients.add_to(rest);
        self.actor_gradients.clear();
        self.critic_gradients.clear();
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "random inputs and weights are f32")]
mod tests {
    use super::*;
    use crate::nn::{Activation, Head};
    use crate::seed::Stream;

    fn shape(inputs: usize, hidden: &[usize], activation: Activation) -> ActorCritic {
        let head = Head::DiagonalGaussian { initial_log_std: -0.5 };
        ActorCritic { inputs, joined: 0, memory: 0, outputs: 3, actor: hidden.to_vec(), critic: hidden.to_vec(), activation, head }
    }

    fn fill(workspace: &mut Workspace, rows: usize, seed: u64) {
        let mut rng = Stream::Env(0).under(seed);
        for row in 0..rows {
            for value in workspace.input_row(row) {
                *value = rng.normal() as f32;
            }
        }
    }

    /// The fused kernel against libtorch: outputs, values, and the gradient of a random linear function of them.
    #[test]
    fn fused_forward_and_backward_are_autograds() {
        for (inputs, hidden) in [(4, vec![64, 64]), (17, vec![64, 64]), (5, vec![]), (33, vec![50]), (3, vec![7, 130, 20])] {
            for activation in [Activation::Tanh, Activation::Relu] {
                for rows in [1, 5, 64] {
                    let shape = shape(inputs, &hidden, activation);
                    let params = shape.init(3);
                    let network = Network::new(&shape, &params);
                    let mut workspace = Workspace::new(&shape);
                    fill(&mut workspace, rows, 1);
                    network.forward(rows, &mut workspace);
                    let mut rng = Stream::ActionNoise(0).under(5);
                    let weights: Vec<f32> = (0..rows * 4).map(|_| rng.normal() as f32).collect();
                    for row in 0..rows {
                        workspace.outputs_and_gradient(row).1.copy_from_slice(&weights[row * 4..][..3]);
                        *workspace.value_gradient(row) = weights[row * 4 + 3];
                    }
                    network.backward(rows, &mut workspace);
                    let mut fused = vec![0.0; params.values.len()];
                    workspace.take_gradient(&mut fused);

                    let leaves = autograd::leaves(&params, Kind::Double);
                    let inputs_flat: Vec<f32> = (0..rows).flat_map(|row| workspace.input_row(row).to_vec()).collect();
                    let x = autograd::matrix(&inputs_flat, rows, inputs).to_kind(Kind::Double);
                    let (outputs, values) = autograd::forward(&shape, &leaves, &x);
                    let weight = autograd::matrix(&weights, rows, 4).to_kind(Kind::Double);
                    let loss = (&outputs * weight.narrow(1, 0, 3)).sum(Kind::Double) + (&values * weight.select(1, 3)).sum(Kind::Double);
                    let mut reference = vec![0.0; params.values.len()];
                    autograd::add_gradient(&loss, &leaves, &mut reference).unwrap();

                    for row in 0..rows {
                        let at = i64::try_from(row).unwrap();
                        assert!((f64::from(workspace.value(row)) - values.double_value(&[at])).abs() < 1e-5);
                        for (index, output) in (0..).zip(workspace.outputs(row)) {
                            assert!((f64::from(*output) - outputs.double_value(&[at, index])).abs() < 1e-5);
                        }
                    }
                    let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>().sqrt();
                    let error = norm(&mut fused.iter().zip(&reference).map(|(a, b)| a - b));
                    let size = norm(&mut reference.iter().copied());
                    assert!(error <= 1e-5 * size, "{hidden:?} {activation:?} {rows}: {error} of {size}");
                }
            }
        }
    }

    /// A row's bits do not depend on how many rows there are, on either way.
    #[test]
    fn a_row_does_not_depend_on_its_batch() {
        for activation in [Activation::Tanh, Activation::Silu] {
            let shape = shape(6, &[64, 64], activation);
            let network = Network::new(&shape, &shape.init(1));
            let mut whole = Workspace::new(&shape);
            fill(&mut whole, 64, 9);
            network.forward(64, &mut whole);
            for rows in [1, 2, 3, 4, 7, 63] {
                let mut part = Workspace::new(&shape);
                fill(&mut part, rows, 9);
                network.forward(rows, &mut part);
                for row in 0..rows {
                    assert_eq!(part.value(row).to_bits(), whole.value(row).to_bits(), "{activation:?} {rows}");
                    assert_eq!(part.outputs(row), whole.outputs(row));
                }
            }
        }
    }
}
