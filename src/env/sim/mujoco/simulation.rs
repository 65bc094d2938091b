//! One simulation of a model: its state, its steps, and what can be read of it.
#![expect(unsafe_code, reason = "arrays inside a C struct: offsets are checked by the probe, lengths are the model's own sizes")]

use super::layout::{self, data};
use super::library::{Library, RawData};
use super::model::Model;
use crate::error::{Error, Result};
use std::sync::Arc;

/// The warnings that MuJoCo counts instead of failing, by their number.
const WARNINGS: [&str; 7] = [
    "the inertia matrix is singular",
    "more contacts than its memory holds",
    "more constraints than its memory holds",
    "a position is not finite or beyond 1e10",
    "a velocity is not finite or beyond 1e10",
    "an acceleration is not finite or beyond 1e10",
    "a control is not finite or beyond 1e10",
];

/// One simulation.
pub(super) struct Simulation {
    model: Arc<Model>,
    raw: *mut RawData,
    state_size: usize,
}

// SAFETY: nothing else points to this data, and MuJoCo keeps nothing of it in its threads.
unsafe impl Send for Simulation {}

impl Simulation {
    /// A simulation in the model's own position.
    ///
    /// # Errors
    /// When MuJoCo has no memory for it.
    pub(super) fn new(model: Arc<Model>) -> Result<Self> {
        let library: *const Library = model.library();
        // SAFETY: the library outlives its models.
        Self::new_in(unsafe { &*library }, model)
    }

    /// As [`Simulation::new`], in a library that is still being checked.
    pub(super) fn new_in(library: &Library, model: Arc<Model>) -> Result<Self> {
        // SAFETY: the model is one of this library.
        let (raw, size) = unsafe { ((library.mj_makeData)(model.raw()), (library.mj_stateSize)(model.raw(), layout::INTEGRATION)) };
        if raw.is_null() {
            return Err(Error::environment("MuJoCo has no memory for a simulation"));
        }
        Ok(Self { model, raw, state_size: usize::try_from(size).unwrap_or(0) })
    }

    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    fn array(&self, offset: usize, length: usize) -> &[f64] {
        // SAFETY: the offset is one of `layout::data`, of a pointer to this many doubles.
        unsafe {
            let pointer = *self.raw.byte_add(offset).cast::<*const f64>();
            if length == 0 { &[] } else { std::slice::from_raw_parts(pointer, length) }
        }
    }

    fn array_mut(&mut self, offset: usize, length: usize) -> &mut [f64] {
        // SAFETY: as above, and the simulation is held alone.
        unsafe {
            let pointer = *self.raw.byte_add(offset).cast::<*mut f64>();
            if length == 0 { &mut [] } else { std::slice::from_raw_parts_mut(pointer, length) }
        }
    }

    fn three(&self, offset: usize, index: usize, count: usize) -> [f64; 3] {
        let numbers = &self.array(offset, 3 * count)[3 * index..][..3];
        [numbers[0], numbers[1], numbers[2]]
    }

    /// Back to the model's own position, at rest.
    pub(super) fn reset(&mut self) {
        // SAFETY: the data was made from this model.
        unsafe { (self.model.library().mj_resetData)(self.model.raw(), self.raw) }
    }

    /// Puts positions and velocities; [`Simulation::forward`] computes what follows from them.
    pub(super) fn set(&mut self, positions: &[f64], velocities: &[f64]) {
        let sizes = self.model.sizes();
        self.array_mut(data::QPOS, sizes.nq).copy_from_slice(positions);
        self.array_mut(data::QVEL, sizes.nv).copy_from_slice(velocities);
    }

    /// Computes everything that follows from the state, but no step.
    pub(super) fn forward(&mut self) {
        // SAFETY: the data was made from this model.
        unsafe { (self.model.library().mj_forward)(self.model.raw(), self.raw) }
    }

    /// Applies controls for some steps of the physics; `forces` are those from outside on every body, which MuJoCo computes only on
    /// request.
    ///
    /// # Errors
    /// Exit 4 when MuJoCo counts a warning: it has then left the path of the physics, and put a bad state back to the start.
    pub(super) fn step(&mut self, control: &[f64], frames: u32, forces: bool) -> Result<()> {
        let nu = self.model.sizes().nu;
        self.array_mut(data::CTRL, nu).copy_from_slice(control);
        let library = self.model.library();
        // SAFETY: the data was made from this model.
        unsafe {
            for _ in 0..frames {
                (library.mj_step)(self.model.raw(), self.raw);
            }
            if forces {
                (library.mj_rnePostConstraint)(self.model.raw(), self.raw);
            }
        }
        self.check()
    }

    #[inline]
    fn check(&self) -> Result<()> {
        // SAFETY: the warnings lie in the struct itself, as pairs of integers: what about, and how often.
        let warnings = unsafe { &*self.raw.byte_add(data::WARNING).cast::<[[i32; 2]; WARNINGS.len()]>() };
        if warnings.iter().all(|[_, count]| *count == 0) { Ok(()) } else { Err(self.warned(warnings)) }
    }

    #[cold]
    fn warned(&self, warnings: &[[i32; 2]]) -> Error {
        let first = warnings.iter().position(|[_, count]| *count != 0).unwrap_or(0);
        let message = format!("MuJoCo warns after {:.3} s of the episode: {}", self.time(), WARNINGS[first]);
        Error::environment(message)
            .hint("the physics has blown up: check the context (masses, time step, strength), or a start that lies in itself")
    }

    /// Seconds since the reset.
    pub(super) fn time(&self) -> f64 {
        // SAFETY: a double in the struct itself.
        unsafe { *self.raw.byte_add(data::TIME).cast::<f64>() }
    }

    /// `qpos`, `[nq]`.
    pub(super) fn positions(&self) -> &[f64] {
        self.array(data::QPOS, self.model.sizes().nq)
    }

    /// `qvel`, `[nv]`.
    pub(super) fn velocities(&self) -> &[f64] {
        self.array(data::QVEL, self.model.sizes().nv)
    }

    /// `ctrl`, `[nu]`.
    pub(super) fn controls(&self) -> &[f64] {
        self.array(data::CTRL, self.model.sizes().nu)
    }

    /// `xpos`: where a body's frame is, m.
    pub(super) fn body_position(&self, body: usize) -> [f64; 3] {
        self.three(data::XPOS, body, self.model.sizes().bodies)
    }

    /// `xipos`: where a body's centre of mass is, m.
    pub(super) fn centre_of_mass(&self, body: usize) -> [f64; 3] {
        self.three(data::XIPOS, body, self.model.sizes().bodies)
    }

    /// `site_xpos`, m.
    pub(super) fn site_position(&self, site: usize) -> [f64; 3] {
        self.three(data::SITE_XPOS, site, self.model.sizes().sites)
    }

    /// `geom_xpos`, m.
    pub(super) fn geom_position(&self, geom: usize) -> [f64; 3] {
        self.three(data::GEOM_XPOS, geom, self.model.sizes().geoms)
    }

    /// `geom_xmat`: a rotation, row by row.
    pub(super) fn geom_rotation(&self, geom: usize) -> [f64; 9] {
        let numbers = &self.array(data::GEOM_XMAT, 9 * self.model.sizes().geoms)[9 * geom..][..9];
        std::array::from_fn(|index| numbers[index])
    }

    /// `cinert`, `[bodies, 10]`.
    pub(super) fn body_inertias(&self) -> &[f64] {
        self.array(data::CINERT, 10 * self.model.sizes().bodies)
    }

    /// `cvel`, `[bodies, 6]`: rotation, then translation.
    pub(super) fn body_velocities(&self) -> &[f64] {
        self.array(data::CVEL, 6 * self.model.sizes().bodies)
    }

    /// `cfrc_ext`, `[bodies, 6]`: torque, then force, as of the last step that asked for them.
    pub(super) fn outside_forces(&self) -> &[f64] {
        self.array(data::CFRC_EXT, 6 * self.model.sizes().bodies)
    }

    /// `qfrc_actuator`, `[nv]`.
    pub(super) fn actuator_forces(&self) -> &[f64] {
        self.array(data::QFRC_ACTUATOR, self.model.sizes().nv)
    }

    /// `qfrc_constraint`, `[nv]`.
    pub(super) fn constraint_forces(&self) -> &[f64] {
        self.array(data::QFRC_CONSTRAINT, self.model.sizes().nv)
    }

    /// `sensordata`.
    pub(super) fn sensors(&self) -> &[f64] {
        self.array(data::SENSORDATA, self.model.sizes().readings)
    }

    /// Numbers in [`Simulation::state`].
    pub(super) const fn state_size(&self) -> usize {
        self.state_size
    }

    /// Everything that the next step depends on (`mjSTATE_INTEGRATION`; less than that lacks the solver's warm start).
    pub(super) fn state(&self) -> Vec<f64> {
        let mut state = vec![0.0; self.state_size];
        // SAFETY: the buffer is as long as MuJoCo says the state is.
        unsafe { (self.model.library().mj_getState)(self.model.raw(), self.raw, state.as_mut_ptr(), layout::INTEGRATION) };
        state
    }

    /// Continues from a state, bit for bit.
    pub(super) fn restore(&mut self, state: &[f64]) {
        assert_eq!(state.len(), self.state_size, "the snapshot was taken by this length");
        // A warning that an earlier episode ended with is over.
        self.reset();
        // SAFETY: the state is as long as MuJoCo says.
        unsafe { (self.model.library().mj_setState)(self.model.raw(), self.raw, state.as_ptr(), layout::INTEGRATION) }
    }

    /// Moves every shape to where the positions say, to be drawn: a step leaves them where they were before its last part. No step
    /// depends on them.
    pub(super) fn pose(&self) {
        // SAFETY: the data was made from this model; nobody else sees it, and no slice of it is held here.
        unsafe { (self.model.library().mj_kinematics)(self.model.raw(), self.raw) }
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        // SAFETY: it was made by this library and is deleted once.
        unsafe { (self.model.library().mj_deleteData)(self.raw) }
    }
}
