//! A disk that is full for a while: the run goes on, the last good checkpoint stays, no line of the log is torn, and what was logged meanwhile
//! is written when there is room.

#![expect(clippy::disallowed_methods, reason = "what damages a file does it in place")]

use heirloom::choose::{Job, Method};
use heirloom::env::Registry;
use heirloom::error::{Kind, Result};
use heirloom::learn::ppo::Config;
use heirloom::parallel::Pool;
use heirloom::run::checkpoint::Position;
use heirloom::run::{Event, Listener, Outcome, RunFolder, drive};
use heirloom::stop::Stop;
use std::path::PathBuf;
use std::sync::Arc;

/// Takes the room away by putting a file in the place of the folder of checkpoints, and gives it back later: every write in between fails.
struct Landlord {
    run: PathBuf,
    warnings: usize,
    acknowledged: Vec<u64>,
}

impl Listener for Landlord {
    fn hear(&mut self, event: &Event<'_>) -> Result<()> {
        let (room, attic) = (self.run.join("checkpoints"), self.run.join("attic"));
        match event {
            Event::Iteration { update: 3, .. } => {
                std::fs::rename(&room, &attic).unwrap();
                std::fs::write(&room, "").unwrap();
            }
            Event::Iteration { update: 7, .. } => {
                std::fs::remove_file(&room).unwrap();
                std::fs::rename(&attic, &room).unwrap();
            }
            Event::Warning(error) => {
                assert_eq!(error.kind(), Kind::Io);
                self.warnings += 1;
            }
            Event::Checkpointed { steps, .. } => self.acknowledged.push(*steps),
            _ => {}
        }
        Ok(())
    }
}

#[test]
fn a_run_outlives_a_full_disk() {
    heirloom::nn::autograd::use_one_thread();
    let scratch = tempfile::tempdir().unwrap();
    let registry = Registry::standard();
    let config = Config { environments: 4, steps: 16, minibatch: 32, ..Config::default() };
    let (environment, method) = (registry.resolve("cartpole").unwrap(), Method::Scratch);
    let usual = Job::new(environment, method, method.configuration(config, None), 640, 0);
    let job = Job { evaluations: 2, evaluation_episodes: 2, checkpoint_every: Some(1), ..usual };
    let run = |name: &str, disturbed: bool| {
        let path = scratch.path().join(name);
        let pool = Arc::new(Pool::inline());
        let mut learner = job.learner(&registry, &pool, &Stop::new()).unwrap();
        let mut folder = RunFolder::create(&path, job.definition(), None).unwrap();
        let mut landlord = Landlord {
            run: if disturbed { path.clone() } else { scratch.path().join("elsewhere") },
            warnings: 0,
            acknowledged: Vec::new(),
        };
        if !disturbed {
            std::fs::create_dir_all(landlord.run.join("checkpoints")).unwrap();
        }
        let outcome = drive(
            learner.as_mut(),
            &job.plan(),
            &job.evaluator(&registry, &pool),
            Some(&mut folder),
            Position::default(),
            &Stop::new(),
            &mut landlord,
        );
        assert!(matches!(outcome.unwrap(), Outcome::Finished(_)));
        (landlord.warnings, landlord.acknowledged, std::fs::read(path.join("metrics.csv")).unwrap())
    };
    let (warnings, acknowledged, metrics) = run("disturbed", true);
    let (none, all, expected) = run("undisturbed", false);
    assert_eq!((warnings, none), (4, 0));
    assert_eq!(all, (1..=10).map(|update| update * 64).collect::<Vec<_>>());
    assert_eq!(acknowledged, [64, 128, 448, 512, 576, 640]);
    assert!(metrics == expected, "the logs differ");
    let (found, damaged) = RunFolder::last_sound(&scratch.path().join("disturbed")).unwrap();
    assert!(damaged.is_empty() && found.unwrap().1.steps == 640);
}
