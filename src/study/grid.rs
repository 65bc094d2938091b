//! All cells of a study.

use super::{Cell, Definition};
use crate::choose::{Job, Method};
use crate::env::Registry;
use crate::error::Result;
use std::collections::BTreeMap;

/// A study's cells, each once, and where they stand.
pub struct Grid {
    /// The cells, the ones that stand in several places (scratch, under every source) once.
    pub cells: Vec<Cell>,
    /// For `(source, target, method, seed)`, the index of its cell.
    places: BTreeMap<(usize, usize, Method, u64), usize>,
}

impl Grid {
    /// Makes the cells of a study; fails where a source does not fit a target before anything runs.
    ///
    /// # Errors
    /// Names the source, the target and the channels that do not match.
    pub fn new(definition: &Definition, registry: &Registry) -> Result<Self> {
        let mut grid = Self { cells: Vec::new(), places: BTreeMap::new() };
        let mut by_digest: BTreeMap<String, usize> = BTreeMap::new();
        for (s, source) in definition.sources.iter().enumerate() {
            for (t, target) in definition.targets.iter().enumerate() {
                let spaces = registry.build(&target.environment)?.spaces().clone();
                for &method in &definition.methods {
                    let configuration = target.configuration(method);
                    let fits = method.transfer(configuration, Some(&source.policy), &spaces, 0);
                    fits.map_err(|error| error.at(format!("{} -> {} by {}", source.name(), target.environment.name, method.name())))?;
                    for seed in definition.seed_range() {
                        let job = Job {
                            environment: target.environment.clone(),
                            method,
                            configuration: configuration.clone(),
                            source: Some(source.clone()).filter(|_| method.needs_source()),
                            steps: definition.steps,
                            seed,
                            evaluations: definition.evaluations,
                            evaluation_episodes: definition.episodes,
                            evaluation_seed: seed,
                            checkpoint_every: None,
                            command: format!("heirloom compare studies/{}.ron", definition.name),
                        };
                        let cell = Cell::new(job);
                        let index = *by_digest.entry(cell.digest.clone()).or_insert(grid.cells.len());
                        if index == grid.cells.len() {
                            grid.cells.push(cell);
                        }
                        grid.places.insert((s, t, method, seed), index);
                    }
                }
            }
        }
        Ok(grid)
    }

    /// The cell of a place.
    ///
    /// # Panics
    /// When the study has no such place.
    #[must_use]
    pub fn index(&self, source: usize, target: usize, method: Method, seed: u64) -> usize {
        self.places[&(source, target, method, seed)]
    }

    /// Environment steps of all cells together.
    #[must_use]
    pub fn total_steps(&self) -> u64 {
        self.cells.iter().map(|cell| cell.job.plan().steps).sum()
    }
}
