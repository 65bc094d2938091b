//! What `heirloom demo record` and `imitate` do, with library calls: record the shipped CartPole policy and
//! clone it from five episodes. `cargo run --release --example imitate`

#![expect(clippy::print_stdout, reason = "a program of its own")]

use heirloom::choose::{CLONING_STEPS, Job, Lessons, Method, Role, Source};
use heirloom::demo::record::{self, Ask};
use heirloom::demo::{Header, Recorder, Recording};
use heirloom::env::Registry;
use heirloom::imitate::Selection;
use heirloom::learn::ppo::defaults;
use heirloom::parallel::Pool;
use heirloom::rollout::MakeEnv;
use heirloom::rollout::collect::Choice;
use heirloom::run::checkpoint::Position;
use heirloom::run::{Event, Listener, Outcome, drive};
use heirloom::stop::Stop;
use std::path::Path;
use std::sync::Arc;

struct Nobody;

impl Listener for Nobody {
    fn hear(&mut self, _: &Event<'_>) -> heirloom::Result<()> {
        Ok(())
    }
}

/// Ten episodes of a policy in its environment.
fn record(path: &Path, expert: &Source, registry: &Registry, pool: &Pool) -> heirloom::Result<()> {
    let spec = registry.resolve("cartpole")?;
    let (builder, built) = (registry.clone(), spec.clone());
    let make: MakeEnv = Arc::new(move || builder.build(&built));
    let digest = expert.card.digest.clone();
    let recorder = Recorder::Policy { name: expert.name(), digest, stochastic: false, seed: 0, min_return: None };
    let mut recording = Recording::create(path, Header::new(&spec, make()?.spaces(), Vec::new(), recorder))?;
    let ask = Ask { episodes: 10, choice: Choice::Mode, seed: 0, min_return: None };
    record::record(&expert.policy, &make, &ask, &mut recording, pool, &Stop::new(), |attempt| println!("recorded {}", attempt.total))?;
    recording.finish()
}

fn main() -> heirloom::Result<()> {
    heirloom::nn::autograd::configure_process();
    let registry = Registry::standard();
    let pool = Arc::new(Pool::new(2, heirloom::nn::autograd::use_one_thread)?);
    let folder = std::env::temp_dir().join(format!("heirloom-imitate-{}", std::process::id()));
    record(&folder, &Source::load("cartpole")?, &registry, &pool)?;

    let environment = registry.resolve("cartpole")?;
    let configuration = Method::Bc.configuration(defaults::for_environment(&environment.simulator).config, None);
    let selection = Selection { episodes: Some(5), every: None };
    let lessons = Lessons::read(&folder, selection, Role::Start, &pool)?;
    let job = Job { lessons: Some(lessons), evaluations: 2, ..Job::new(environment, Method::Bc, configuration, CLONING_STEPS, 0) };
    let mut learner = job.learner(&registry, &pool, &Stop::new())?;
    let evaluator = job.evaluator(&registry, &pool);
    if let Outcome::Finished(clone) =
        drive(learner.as_mut(), &job.plan(), &evaluator, None, Position::default(), &Stop::new(), &mut Nobody)?
    {
        println!("the clone's return: {:.1}", clone.interval().mean);
    }
    heirloom::file::disk::remove(&folder)
}
