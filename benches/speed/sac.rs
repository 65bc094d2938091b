//! SAC on `HalfCheetah` with the sizes of `benches/peers/torch_sac.py`: 2 x 256 units, batch 256. A step is one of the environment and one update.

use crate::{Arguments, Clock, maker, pool};
use heirloom::learn::Learner;
use heirloom::learn::sac::{Config, Sac};
use heirloom::stop::Stop;

/// Steps before the clock starts: the warm-up of random actions and some updates.
const BEFORE: u64 = 1200;

pub(crate) fn sac(arguments: &Arguments) {
    let config = Config { warm_up: 1000, ..Config::default() };
    let mut learner = Sac::new(config, None, &maker(&arguments.env), arguments.seed, pool(arguments.threads)).unwrap();
    let advance_to = |learner: &mut Sac, steps: u64| {
        while learner.steps() < steps {
            learner.advance(&Stop::new()).unwrap();
        }
    };
    advance_to(&mut learner, BEFORE);
    let clock = Clock::start();
    advance_to(&mut learner, BEFORE + arguments.steps);
    clock.report(arguments, &format!("{}-sac", arguments.env), learner.steps() - BEFORE, serde_json::json!({}));
}
