//! One task of an iteration: its episodes before each inner step and after the last, and the derivatives of what they say.

use super::chain::{Chain, InnerLoss};
use super::episodes::Batch;
use super::recipe::{Inner, Recipe};
use super::surrogate::{Clipped, Divergence, PolicyGradient};
use crate::nn::kernel::Real;
use crate::nn::second_order::Differentiator;
use crate::nn::{ActorCritic, Head};

/// A task's episodes, and room to differentiate in.
pub struct Task<T> {
    room: Differentiator<T>,
    head: Head,
    /// Those acted before each inner step.
    pub before: Vec<Batch<T>>,
    /// Those acted after the last.
    pub after: Batch<T>,
}

impl<T: Real> Task<T> {
    /// Before any episode.
    #[must_use]
    pub fn new(shape: &ActorCritic) -> Self {
        let log_stds = if shape.head.initial_log_std().is_some() { shape.outputs } else { 0 };
        let room = Differentiator::new(&shape.actor_mlp(), log_stds);
        Self { room, head: shape.head, before: Vec::new(), after: Batch::default() }
    }

    fn inner(&mut self, inner: Inner) -> InnerSteps<'_, T> {
        InnerSteps { room: &mut self.room, head: self.head, batches: &self.before, inner }
    }

    /// The inner loop from a start, over as many steps as there are batches of episodes before them.
    pub fn descend(&mut self, inner: Inner, start: &[T], rates: &[T]) -> Chain<T> {
        let steps = self.before.len();
        Chain::descend(start.to_vec(), rates.to_vec(), steps, &mut self.inner(inner))
    }

    /// One inner step further, on the last batch.
    pub fn step(&mut self, inner: Inner, chain: &mut Chain<T>) {
        chain.step(&mut self.inner(inner));
    }

    /// The outer loss at the end of a chain, and the divergence there from the policy that acted last.
    pub fn outcome(&mut self, chain: &Chain<T>, epsilon: T) -> [T; 2] {
        self.room.at(chain.end());
        let (head, batch) = (self.head, &self.after);
        let loss = self.room.value(&batch.inputs, &Clipped { epsilon, head, batch });
        [loss, self.room.value(&batch.inputs, &Divergence { head, batch })]
    }

    /// The outer loss, and its gradient with respect to start and rates.
    pub fn gradient(&mut self, recipe: &Recipe, chain: &Chain<T>, epsilon: T) -> (T, [Vec<T>; 2]) {
        let mut gradient = vec![T::zero(); chain.end().len()];
        self.room.at(chain.end());
        let (head, batch) = (self.head, &self.after);
        let loss = self.room.gradient(&batch.inputs, &Clipped { epsilon, head, batch }, &mut gradient);
        (loss, chain.pull_back(recipe.order, gradient, &mut self.inner(recipe.inner)))
    }

    /// Adds `weight` times the gradient of the divergence of the start from the policy that acted first; gives the divergence.
    pub fn penalty(&mut self, start: &[T], weight: T, into: &mut [T]) -> T {
        let Some(batch) = self.before.first() else { return T::zero() };
        let mut gradient = vec![T::zero(); start.len()];
        self.room.at(start);
        let divergence = self.room.gradient(&batch.inputs, &Divergence { head: self.head, batch }, &mut gradient);
        into.iter_mut().zip(gradient).for_each(|(into, gradient)| *into += weight * gradient);
        divergence
    }

    /// The Fisher information at the end, seen from start and rates, times a direction of both: `J^T F J v`. The Hessian of the mean
    /// divergence, exactly, as the divergence's gradient is zero where the policy is the one that acted.
    pub fn fisher_vector(&mut self, recipe: &Recipe, chain: &Chain<T>, direction: [&[T]; 2]) -> [Vec<T>; 2] {
        let moved = chain.push_forward(recipe.order, direction, &mut self.inner(recipe.inner));
        let mut product = vec![T::zero(); moved.len()];
        self.room.at(chain.end());
        let metric = Divergence { head: self.head, batch: &self.after };
        self.room.gauss_newton_vector(&self.after.inputs, &metric, &moved, &mut product);
        chain.pull_back(recipe.order, product, &mut self.inner(recipe.inner))
    }
}

struct InnerSteps<'a, T> {
    room: &'a mut Differentiator<T>,
    head: Head,
    batches: &'a [Batch<T>],
    inner: Inner,
}

impl<T: Real> InnerLoss<T> for InnerSteps<'_, T> {
    fn gradient(&mut self, step: usize, at: &[T], into: &mut [T]) {
        let batch = &self.batches[step];
        self.room.at(at);
        self.room.gradient(&batch.inputs, &PolicyGradient { inner: self.inner, head: self.head, batch }, into);
    }

    fn hessian_vector(&mut self, step: usize, at: &[T], direction: &[T], into: &mut [T]) {
        let batch = &self.batches[step];
        self.room.at(at);
        let loss = PolicyGradient { inner: self.inner, head: self.head, batch };
        self.room.hessian_vector(&batch.inputs, &loss, direction, into);
    }
}

#[cfg(test)]
mod tests {
    use super::super::recipe::{Adapts, Order, Outer};
    use super::super::{Config, maml, promp};
    use super::*;
    use crate::nn::Activation;
    use crate::seed::{Rng, Stream};

    /// A task of random rows: old outputs are those of a policy near the start, as after an update.
    fn random(seed: u64, steps: usize, head: Head) -> (Task<f64>, Vec<f64>, ActorCritic) {
        let shape = ActorCritic {
            inputs: 2,
            joined: 0,
            memory: 0,
            outputs: 3,
            actor: vec![7, 6],
            critic: Vec::new(),
            activation: Activation::Tanh,
            head,
        };
        let mut rng: Rng = Stream::Init.under(seed);
        let count = shape.actor_layout().len();
        let start: Vec<f64> = (0..count).map(|_| 0.5 * rng.normal()).collect();
        let mut task = Task::<f64>::new(&shape);
        let mut batch = || {
            let rows = 20 + rng.below(60);
            let mut normal = |count: usize| (0..count).map(|_| rng.normal()).collect::<Vec<f64>>();
            let (inputs, advantages) = (normal(2 * rows), normal(rows));
            let near: Vec<f64> = start.iter().zip(normal(count)).map(|(start, normal)| start + 0.05 * normal).collect();
            let old_log_std = near[shape.actor_mlp().parameter_count()..].to_vec();
            task.room.at(&near);
            let outputs = task.room.outputs(&inputs);
            let actions: Vec<f64> = if head == Head::Categorical {
                (0..rows).map(|row| f64::from(u8::try_from(row % 3).unwrap())).collect()
            } else {
                let noise = normal(3 * rows);
                let drawn = outputs.iter().zip(noise).enumerate();
                drawn.map(|(at, (mean, noise))| mean + old_log_std[at % 3].exp() * noise).collect()
            };
            let mut room = [vec![0.0; 3], vec![0.0; 3]];
            let width = head.action_width(3);
            let log_probs = (0..rows)
                .map(|row| {
                    let [gradient, log_std_gradient] = &mut room;
                    let at = [&outputs[3 * row..][..3], &old_log_std[..]];
                    head.score(at, &actions[width * row..][..width], [gradient, log_std_gradient])
                })
                .collect();
            Batch { inputs, actions, advantages, log_probs, outputs, old_log_std }
        };
        let before = (0..steps).map(|_| batch()).collect();
        let after = batch();
        (task.before, task.after) = (before, after);
        (task, start, shape)
    }

    fn norm(values: &[f64]) -> f64 {
        values.iter().map(|value| value * value).sum::<f64>().sqrt()
    }

    fn apart(a: &[f64], b: &[f64]) -> f64 {
        norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>()) / norm(b)
    }

    /// Meta-gradients through 1, 3 and 5 inner steps against central differences of the outer loss, every parameter, a hundred cases;
    /// and they are not those of first order.
    #[test]
    fn meta_gradients_are_those_of_central_differences_and_not_of_first_order() {
        let config = Config::default();
        let mut cases = 0;
        for seed in 0..9 {
            for steps in [1, 3, 5] {
                for head in [Head::Categorical, Head::DiagonalGaussian { initial_log_std: 0.0 }] {
                    for recipe in [maml::recipe(&config), promp::recipe(&config)] {
                        cases += 1;
                        let epsilon = if matches!(recipe.outer, Outer::Ppo(_)) { 0.3 } else { f64::INFINITY };
                        let (mut task, start, shape) = random(seed, steps, head);
                        let rates: Vec<f64> = Adapts::All.rates(&shape.actor_layout(), 0.1).into_iter().map(f64::from).collect();
                        let chain = task.descend(recipe.inner, &start, &rates);
                        let (_, [gradient, _]) = task.gradient(&recipe, &chain, epsilon);
                        let mut loss_at = |at: &[f64]| {
                            let chain = task.descend(recipe.inner, at, &rates);
                            task.outcome(&chain, epsilon)[0]
                        };
                        let differences: Vec<f64> = (0..start.len())
                            .map(|index| {
                                let mut moved = start.clone();
                                moved[index] = start[index] + 1e-5;
                                let ahead = loss_at(&moved);
                                moved[index] = start[index] - 1e-5;
                                (ahead - loss_at(&moved)) / 2e-5
                            })
                            .collect();
                        assert!(apart(&gradient, &differences) < 1e-6, "{seed} {steps} {head:?}: {}", apart(&gradient, &differences));
                        let first = Recipe { order: Order::First, ..recipe };
                        let (_, [first, _]) = task.gradient(&first, &chain, epsilon);
                        assert!(apart(&first, &gradient) > 1e-3, "{seed} {steps} {head:?}: {}", apart(&first, &gradient));
                    }
                }
            }
        }
        assert!(cases > 100);
    }

    /// The product with the Fisher information against differences of the divergence's gradient, where the last episodes are those of the
    /// chain's own end.
    #[test]
    fn the_fisher_information_is_the_hessian_of_the_divergence_through_the_chain() {
        let recipe = maml::recipe(&Config::default());
        for seed in 0..5 {
            let (mut task, start, shape) = random(seed, 2, Head::DiagonalGaussian { initial_log_std: 0.0 });
            let rates: Vec<f64> = Adapts::All.rates(&shape.actor_layout(), 0.1).into_iter().map(f64::from).collect();
            let chain = task.descend(recipe.inner, &start, &rates);
            task.room.at(chain.end());
            task.after.outputs = task.room.outputs(&task.after.inputs);
            task.after.old_log_std = task.room.log_std().to_vec();
            let mut rng = Stream::Init.under(100 + seed);
            let direction: Vec<f64> = start.iter().map(|_| rng.normal()).collect();
            let [product, _] = task.fisher_vector(&recipe, &chain, [&direction, &vec![0.0; start.len()]]);
            let mut gradient_at = |step: f64| {
                let moved: Vec<f64> = start.iter().zip(&direction).map(|(start, by)| start + step * by).collect();
                let chain = task.descend(recipe.inner, &moved, &rates);
                let mut gradient = vec![0.0; moved.len()];
                task.room.at(chain.end());
                let (head, batch) = (task.head, &task.after);
                task.room.gradient(&batch.inputs, &Divergence { head, batch }, &mut gradient);
                let [gradient, _] = chain.pull_back(Order::Second, gradient, &mut task.inner(recipe.inner));
                gradient
            };
            let (ahead, behind) = (gradient_at(1e-5), gradient_at(-1e-5));
            let differences: Vec<f64> = ahead.iter().zip(behind).map(|(ahead, behind)| (ahead - behind) / 2e-5).collect();
            assert!(apart(&product, &differences) < 1e-5, "{}", apart(&product, &differences));
        }
    }

    /// Without an inner step the end is the start, in every bit, and the meta-gradient is the gradient.
    #[test]
    fn without_inner_steps_nothing_adapts() {
        let recipe = maml::recipe(&Config::default());
        let (mut task, start, _) = random(3, 0, Head::Categorical);
        let chain = task.descend(recipe.inner, &start, &vec![0.1; start.len()]);
        assert_eq!(chain.end(), start);
        let (_, [second, of_rates]) = task.gradient(&recipe, &chain, f64::INFINITY);
        let (_, [first, _]) = task.gradient(&Recipe { order: Order::First, ..recipe }, &chain, f64::INFINITY);
        assert_eq!(second, first);
        assert!(of_rates.iter().all(|value| *value == 0.0));
    }
}
