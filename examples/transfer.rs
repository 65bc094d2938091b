//! What `heirloom pretrain` and `heirloom transfer` do, with library calls: learn CartPole, move the policy to strong gravity, compare with
//! learning there from scratch. `cargo run --release --example transfer`

#![expect(clippy::print_stdout, reason = "a program of its own")]

use heirloom::choose::{Job, Method, Source};
use heirloom::env::Registry;
use heirloom::learn::ppo;
use heirloom::parallel::Pool;
use heirloom::policy::Card;
use heirloom::run::checkpoint::Position;
use heirloom::run::{Event, Listener, Outcome, drive};
use heirloom::stop::Stop;
use std::sync::Arc;

/// Says what is measured on the way.
struct Narrator(&'static str);

impl Listener for Narrator {
    fn hear(&mut self, event: &Event<'_>) -> heirloom::Result<()> {
        if let Event::Evaluated { evaluation, .. } = event {
            let interval = evaluation.interval();
            println!("{:>12} {:>7} steps: {:6.1} [{:.1}, {:.1}]", self.0, evaluation.steps, interval.mean, interval.low, interval.high);
        }
        Ok(())
    }
}

/// Runs a method to its end and gives its policy as a source for the next.
fn run(title: &'static str, environment: &str, method: Method, source: Option<Source>, steps: u64) -> heirloom::Result<Source> {
    let registry = Registry::standard();
    let environment = registry.resolve(environment)?;
    let known = ppo::defaults::for_environment(&environment.simulator);
    let configuration = method.configuration(known.config, None);
    let job = Job { source, evaluations: 4, ..Job::new(environment, method, configuration, steps, 0) };
    let pool = Arc::new(Pool::new(2, heirloom::nn::autograd::use_one_thread)?);
    let mut learner = job.learner(&registry, &pool, &Stop::new())?;
    let evaluator = job.evaluator(&registry, &pool);
    // `None`: no run folder. With one, the run would survive any stop.
    let outcome = drive(learner.as_mut(), &job.plan(), &evaluator, None, Position::default(), &Stop::new(), &mut Narrator(title))?;
    assert!(matches!(outcome, Outcome::Finished(_)));
    let policy = learner.policy();
    let card = Card::new(&policy, job.provenance(), Vec::new());
    Ok(Source { path: title.into(), policy, card })
}

fn main() -> heirloom::Result<()> {
    heirloom::nn::autograd::configure_process();
    let source = run("source", "cartpole", Method::Scratch, None, 100_000)?;
    run("fine-tuned", "cartpole_gravity_25", Method::FineTune, Some(source), 30_000)?;
    run("scratch", "cartpole_gravity_25", Method::Scratch, None, 30_000)?;
    Ok(())
}
