//! MAML with TRPO outside on 2-D navigation, at the sizes of `benches/peers/maml.py`: 20 tasks, 20 episodes of 100 steps before and after the inner
//! step, 64-64. A step is an outer iteration.

use crate::{Arguments, Clock, pool};
use heirloom::choose::{Job, Method};
use heirloom::env::Registry;
use heirloom::learn::{Learner, ppo};
use heirloom::stop::Stop;

/// The peers' episodes never end early: here neither.
pub(crate) fn maml(arguments: &Arguments) {
    let registry = Registry::standard();
    let text = "(extends: \"navigation_tasks\", objective: (goal_tolerance: 0))";
    let environment = heirloom::env::Spec::from_ron(&registry, "navigation_tasks", text).unwrap();
    let mut configuration = Method::Maml.configuration(ppo::Config::default(), None);
    configuration.meta.as_mut().unwrap().splits.extrapolate = 0.0;
    let job = Job::new(environment, Method::Maml, configuration, arguments.steps, arguments.seed);
    let (pool, stop) = (pool(arguments.threads), Stop::new());
    let mut learner = job.learner(&registry, &pool, &stop).unwrap();
    let advance = |learner: &mut Box<dyn Learner>| learner.advance(&stop).unwrap();
    advance(&mut learner);
    let clock = Clock::start();
    let mut after = 0.0;
    for _ in 0..arguments.steps {
        let progress = advance(&mut learner);
        after = progress.metrics.iter().find(|(name, _)| *name == "return_after").unwrap().1;
    }
    clock.report(arguments, "maml-trpo", arguments.steps, serde_json::json!({"final_return": after}));
}
