//! What a study will take, before it starts: each target is tried for a moment.

use super::{Definition, Grid};
use crate::env::Registry;
use crate::error::Result;
use crate::learn::Learner;
use crate::parallel::Pool;
use crate::stop::Stop;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Time and disk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Cells in all.
    pub cells: usize,
    /// Cells whose results are known already.
    pub known: usize,
    /// Environment steps of the cells that are not.
    pub steps: u64,
    /// Wall time on so many threads.
    pub time: Duration,
    /// Bytes that results will take.
    pub bytes: u64,
}

/// Tries two iterations in each target.
const ITERATIONS: u32 = 2;
/// A cell's file with twenty evaluations is about so long.
const CELL_BYTES: u64 = 1_200;

/// Estimates what is left to do.
///
/// # Errors
/// When a learner cannot be built or advanced.
pub fn estimate(definition: &Definition, grid: &Grid, out: &Path, registry: &Registry, threads: usize) -> Result<Estimate> {
    let pool = Arc::new(Pool::inline());
    let mut seconds = 0.0;
    let (mut known, mut steps) = (0, 0);
    for target in &definition.targets {
        let cells: Vec<_> = grid.cells.iter().filter(|cell| cell.job.environment == target.environment).collect();
        let mut per_step = None;
        for cell in cells {
            if cell.stored(&out.join("cells")).is_some() {
                known += 1;
                continue;
            }
            let cell_steps = cell.job.plan().steps;
            if per_step.is_none() && cell_steps > 0 {
                let mut learner = cell.job.learner(registry, &pool)?;
                let began = Instant::now();
                for _ in 0..ITERATIONS {
                    learner.advance(&Stop::new())?;
                }
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let rate = began.elapsed().as_secs_f64() / learner.steps() as f64;
                per_step = Some(rate);
            }
            steps += cell_steps;
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let evaluated = (definition.evaluations as f64 + 1.0) * definition.episodes as f64 * 200.0;
            // A step of an evaluation costs about a third of a step that is learned from.
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let own = per_step.unwrap_or(5e-6) * (cell_steps as f64 + evaluated / 3.0);
            seconds += own;
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let time = Duration::from_secs_f64(seconds / threads as f64);
    Ok(Estimate { cells: grid.cells.len(), known, steps, time, bytes: grid.cells.len() as u64 * CELL_BYTES })
}
