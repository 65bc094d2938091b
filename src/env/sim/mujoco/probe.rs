//! A small model with known numbers, read back at every offset that is used: a library that calls itself 3.17.0 but keeps its structs
//! elsewhere is refused before it can be believed.

use super::library::Library;
use super::model::Model;
use super::simulation::Simulation;
use crate::error::{Error, Result};
use std::sync::Arc;

const PROBE: &str = "<mujoco><option timestep='0.25' gravity='1 2 3' wind='4 5 6' density='7' viscosity='8'/>\
<worldbody><site name='here' pos='1 2 3'/><body name='ball' pos='4 5 6'><joint name='slide' type='slide' axis='1 0 0' limited='true' range='-9 9' damping='10'/>\
<geom name='skin' type='box' size='.1 .2 .3' mass='11' friction='.4 .5 .6' rgba='.25 .5 .75 1'/></body></worldbody>\
<actuator><motor name='pull' joint='slide' gear='12' ctrllimited='true' ctrlrange='-13 14'/></actuator>\
<sensor><jointpos joint='slide'/></sensor></mujoco>";

/// Compares every number of the probe with what it must be.
pub(super) fn check(library: &Library) -> Result<()> {
    let model = Model::compile_in(library, PROBE, &[])?;
    let mut found: Vec<f64> = vec![model.timestep(), model.density(), model.viscosity()];
    found.extend(model.gravity());
    found.extend(model.wind());
    let sizes = model.sizes();
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    found.extend([sizes.nq, sizes.nv, sizes.nu, sizes.bodies, sizes.joints, sizes.geoms, sizes.sites, sizes.sensors].map(|n| n as f64));
    found.extend([model.body_mass()[1], model.body_inertia()[3], model.joint_range()[1], model.dof_damping()[0], model.gear()[0]]);
    found.extend_from_slice(&model.geom_size()[..3]);
    found.extend_from_slice(&model.geom_friction()[..3]);
    found.extend(model.geom_rgba()[..3].iter().map(|part| f64::from(*part)));
    found.extend(model.control_range(0).unwrap_or([0.0; 2]));
    found.push(f64::from(model.geom_type()[0] * 100 + model.geom_body()[0] * 10 + model.joint_type()[0]));
    let inertia = 11.0 / 3.0 * (0.2_f64 * 0.2 + 0.3 * 0.3);
    let expected = [
        &[0.25, 7.0, 8.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0][..],
        &[1.0, 1.0, 1.0, 2.0, 1.0, 1.0, 1.0, 1.0],
        &[11.0, inertia, 9.0, 10.0, 12.0],
        &[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.25, 0.5, 0.75, -13.0, 14.0, 612.0],
    ]
    .concat();
    compare(&found, &expected)?;
    let mut simulation = Simulation::new_in(library, Arc::new(model))?;
    simulation.set(&[0.5], &[0.75]);
    simulation.forward();
    let control = [2.0];
    let seen = |simulation: &Simulation| {
        let mut seen = vec![simulation.positions()[0], simulation.velocities()[0], simulation.sensors()[0], simulation.time()];
        seen.extend(simulation.body_position(1));
        seen.extend(simulation.centre_of_mass(1));
        seen.extend(simulation.site_position(0));
        seen.extend(simulation.geom_position(0));
        seen.extend(simulation.geom_rotation(0));
        seen
    };
    let still =
        [0.5, 0.75, 0.5, 0.0, 4.5, 5.0, 6.0, 4.5, 5.0, 6.0, 1.0, 2.0, 3.0, 4.5, 5.0, 6.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0];
    compare(&seen(&simulation), &still)?;
    simulation.step(&control, 1, true)?;
    // The motor pulls with its gear, and what moved is where it moved to.
    let moved = simulation.positions()[0] - 0.25 * simulation.velocities()[0];
    compare(&[simulation.actuator_forces()[0], moved, simulation.time()], &[24.0, 0.5, 0.25])?;
    // About its own centre a body has its own mass; the last of the ten numbers is that.
    compare(&[simulation.body_inertias()[19], simulation.body_velocities()[9]], &[11.0, 0.75])
}

fn compare(found: &[f64], expected: &[f64]) -> Result<()> {
    let same = found.len() == expected.len() && found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-9);
    if same {
        return Ok(());
    }
    let message = format!("this library's structs are not those of MuJoCo 3.17.0 as it is published (found {found:?}, not {expected:?})");
    Err(Error::environment(message))
}
