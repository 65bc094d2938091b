//! The only loop in the program: metrics, checkpoints, evaluation, signals and progress happen here and nowhere else.

use super::checkpoint::Position;
use super::event::{Event, Listener};
use super::{Evaluation, Evaluator, RunFolder};
use crate::error::{Error, Kind, Result};
use crate::learn::{Learner, State};
use crate::policy::Policy;
use crate::stop::Stop;
use std::time::{Duration, Instant};

/// How far to run, and what to do on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Environment steps in all; the last iteration may overshoot.
    pub steps: u64,
    /// Environment steps between two evaluations; one is made at the start and one at the end.
    pub evaluate_every: u64,
    /// Iterations between two checkpoints; one is made at the end.
    pub checkpoint_every: u64,
    /// Stops with a checkpoint after so many iterations of this process.
    pub stop_after_updates: Option<u64>,
}

impl Plan {
    /// When it is measured, in budget steps, where no iteration passes over that: before the first step, on the way, at the end.
    #[must_use]
    pub fn due(&self) -> Vec<u64> {
        let every = self.evaluate_every.max(1);
        (0..self.steps.div_ceil(every)).map(|index| index * every).chain([self.steps]).collect()
    }
}

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// All steps are done.
    Finished(Box<Evaluation>),
    /// Stopped by a signal or by `stop_after_updates`, with a checkpoint.
    Stopped {
        /// The signal.
        signal: Option<i32>,
        /// Environment steps done.
        steps: u64,
    },
}

/// An advance that takes longer than this is broken off by a signal; the state at its start is kept for that.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs a learner to the end of its plan. With a folder, what is written there is enough to continue bit for bit; without one, nothing
/// is written.
///
/// # Errors
/// What the learner, an environment or the disk could not do. A full disk is survived until the last checkpoint.
pub fn drive(
    learner: &mut dyn Learner,
    plan: &Plan,
    evaluator: &Evaluator,
    mut folder: Option<&mut RunFolder>,
    position: Position,
    stop: &Stop,
    listener: &mut dyn Listener,
) -> Result<Outcome> {
    let position_is_new = position == Position::default();
    let mut course = Course { plan, evaluator, folder: &mut folder, position, stop, listener, unsaved: position_is_new, last: None };
    course.tell(&Event::Started { steps: course.position.steps, total: plan.steps })?;
    let mut updates = 0;
    let mut took = Duration::MAX;
    loop {
        match course.evaluate_if_due(learner) {
            Err(error) if error.kind() == Kind::Stopped => return course.leave(learner),
            evaluated => evaluated?,
        }
        if updates > 0 && course.position.updates.is_multiple_of(plan.checkpoint_every) {
            course.checkpoint(&learner.state(), &learner.policy(), learner.environment_steps())?;
        }
        if is_over(learner, plan) {
            return course.finish(learner);
        }
        if stop.requested().is_some() || plan.stop_after_updates.is_some_and(|limit| updates >= limit) {
            return course.leave(learner);
        }
        // Only a state that is kept allows an iteration to be broken off; short ones are waited for instead.
        let kept = (took > PATIENCE).then(|| (learner.state(), learner.policy(), learner.environment_steps()));
        stop.arm(kept.is_some());
        let began = Instant::now();
        let advanced = learner.advance(stop);
        stop.arm(false);
        took = began.elapsed();
        let progress = match (advanced, kept) {
            (Err(error), Some((state, policy, steps))) if error.kind() == Kind::Stopped => {
                return course.leave_with(&state, &policy, steps);
            }
            (advanced, _) => advanced.map_err(|error| error.at(format!("update {}", course.position.updates + 1)))?,
        };
        updates += 1;
        course.position.updates += 1;
        course.position.steps = learner.steps();
        course.tell(&Event::Iteration { update: course.position.updates, steps: learner.steps(), progress: &progress })?;
    }
}

fn is_over(learner: &dyn Learner, plan: &Plan) -> bool {
    learner.steps() >= plan.steps || learner.finished()
}

struct Course<'a, 'f> {
    plan: &'a Plan,
    evaluator: &'a Evaluator,
    folder: &'a mut Option<&'f mut RunFolder>,
    position: Position,
    stop: &'a Stop,
    listener: &'a mut dyn Listener,
    /// What happened since the last checkpoint, or since the run was opened.
    unsaved: bool,
    last: Option<Evaluation>,
}

impl Course<'_, '_> {
    /// Everything that is told changes what a checkpoint must hold. Logs first, so that what is shown is also written. A log that the
    /// disk refuses now is written when there is room.
    fn tell(&mut self, event: &Event<'_>) -> Result<()> {
        self.unsaved |= !matches!(event, Event::Started { .. });
        if let Some(folder) = self.folder
            && let Err(error) = folder.hear(event)
        {
            self.survive(error)?;
        }
        self.listener.hear(event)
    }

    fn survive(&mut self, error: Error) -> Result<()> {
        if error.kind() != Kind::Io {
            return Err(error);
        }
        self.listener.hear(&Event::Warning(&error))
    }

    /// Measures the policy when the next evaluation's steps are reached: before the first step, and at the end at the latest.
    fn evaluate_if_due(&mut self, learner: &dyn Learner) -> Result<()> {
        let steps = learner.steps();
        let reached = steps >= self.position.evaluations * self.plan.evaluate_every || is_over(learner, self.plan);
        if !reached || self.position.evaluated_at == Some(steps) {
            return Ok(());
        }
        let policy = learner.policy();
        let evaluation = self.evaluator.measure(&policy, steps, self.stop)?;
        // An iteration may pass several due points; they share one measurement.
        self.position.evaluations = steps / self.plan.evaluate_every + 1;
        self.position.evaluated_at = Some(steps);
        let mean = evaluation.interval().mean;
        let best = self.position.best.is_none_or(|best| mean > best);
        if best {
            let measured = self.evaluator.measured(&evaluation);
            match self.folder.as_ref().map_or(Ok(()), |folder| folder.keep_best(&policy, learner.environment_steps(), measured)) {
                Ok(()) => self.position.best = Some(mean),
                // What could not be kept does not count: the next one that beats the one on the disk is tried again.
                Err(error) => self.survive(error)?,
            }
        }
        self.tell(&Event::Evaluated { evaluation: &evaluation, policy: &policy, best })?;
        self.last = Some(evaluation);
        Ok(())
    }

    fn checkpoint(&mut self, state: &State, policy: &Policy, environment_steps: u64) -> Result<()> {
        let Some(folder) = self.folder else { return Ok(()) };
        match folder.checkpoint(&mut self.position, state, policy, environment_steps) {
            Ok(path) => {
                self.unsaved = false;
                self.listener.hear(&Event::Checkpointed { steps: self.position.steps, path: &path })
            }
            Err(error) => self.survive(error),
        }
    }

    fn leave(&mut self, learner: &dyn Learner) -> Result<Outcome> {
        self.leave_with(&learner.state(), &learner.policy(), learner.environment_steps())
    }

    fn leave_with(&mut self, state: &State, policy: &Policy, environment_steps: u64) -> Result<Outcome> {
        self.save_last(state, policy, environment_steps)?;
        Ok(Outcome::Stopped { signal: self.stop.requested(), steps: self.position.steps })
    }

    fn finish(&mut self, learner: &dyn Learner) -> Result<Outcome> {
        self.save_last(&learner.state(), &learner.policy(), learner.environment_steps())?;
        let evaluation = match self.last.take() {
            Some(evaluation) => evaluation,
            // The run was finished when it was opened: its logs already say so.
            None => match self.evaluator.measure(&learner.policy(), learner.steps(), self.stop) {
                Err(error) if error.kind() == Kind::Stopped => {
                    return Ok(Outcome::Stopped { signal: self.stop.requested(), steps: self.position.steps });
                }
                measured => measured?,
            },
        };
        Ok(Outcome::Finished(Box::new(evaluation)))
    }

    /// The checkpoint at the end, which is not survived when the disk refuses it.
    fn save_last(&mut self, state: &State, policy: &Policy, environment_steps: u64) -> Result<()> {
        if self.unsaved {
            self.checkpoint(state, policy, environment_steps)?;
        }
        if self.unsaved && self.folder.is_some() {
            return Err(Error::new(Kind::Io, "the last checkpoint could not be written").hint("make room and continue with --resume"));
        }
        Ok(())
    }
}
