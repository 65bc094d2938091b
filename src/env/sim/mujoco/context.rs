//! The context of a robot: gravity, friction, masses, strength, ranges, lengths, air; and the model that has them.
//!
//! Most are changed in a copy of the compiled model; lengths are what a model is compiled from. Environments with the same context share
//! one model.

use super::model::{Length, Model};
use crate::env::{Parameter, Values};
use crate::error::Result;
use std::borrow::Cow;
use std::sync::{Arc, Mutex};

/// Parts of a robot that one parameter changes together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    name: &'static str,
    about: &'static str,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    /// The range of these joints, about its end that is nearest to zero, or about zero.
    Range(&'static [&'static str]),
    /// The length of the bodies of these shapes.
    Length(&'static [&'static str]),
}

impl Group {
    pub(super) const fn range(name: &'static str, joints: &'static [&'static str], about: &'static str) -> Self {
        Self { name, about, what: What::Range(joints) }
    }

    pub(super) const fn length(name: &'static str, geoms: &'static [&'static str], about: &'static str) -> Self {
        Self { name, about, what: What::Length(geoms) }
    }

    fn parameter(&self) -> Parameter {
        let [least, most] = match self.what {
            What::Range(_) => [0.0, 10.0],
            What::Length(_) => [0.05, 10.0],
        };
        Parameter::new(self.name, 1.0, [least, most], "", self.about)
    }
}

/// A model's own numbers, which are the defaults of its context.
#[derive(Clone, Copy)]
struct Own {
    gravity: f64,
    wind: f64,
    density: f64,
    viscosity: f64,
    time_step: f64,
}

impl Own {
    fn read(xml: &str, frames: u32) -> Self {
        let option = xml.find("<option").map_or("", |start| &xml[start..]);
        let option = &option[..option.find('>').unwrap_or(option.len())];
        let numbers = |name: &str| -> Option<Vec<f64>> {
            let start = option.find(&format!("{name}=\""))? + name.len() + 2;
            let text = &option[start..];
            text[..text.find('"')?].split_whitespace().map(|number| number.parse().ok()).collect()
        };
        let number = |name: &str, otherwise: f64| numbers(name).and_then(|numbers| numbers.first().copied()).unwrap_or(otherwise);
        Self {
            gravity: -numbers("gravity").and_then(|numbers| numbers.get(2).copied()).unwrap_or(-9.81),
            wind: number("wind", 0.0),
            density: number("density", 0.0),
            viscosity: number("viscosity", 0.0),
            time_step: number("timestep", 0.002) * f64::from(frames),
        }
    }
}

/// Where models come from.
pub(super) struct Models {
    xml: Cow<'static, str>,
    frames: u32,
    groups: &'static [Group],
    own: Own,
    /// The model that was built last, and of what.
    last: Mutex<Option<(Values, Arc<Model>)>>,
    /// The model that was compiled last, and with which lengths.
    compiled: Mutex<Option<(Vec<f64>, Arc<Model>)>>,
}

impl Models {
    /// Of a model that ships. Its own numbers are read from the XML, so that a list of parameters needs no library; a test holds them
    /// against the compiled model.
    pub(super) fn new(xml: &'static str, frames: u32, groups: &'static [Group]) -> Self {
        Self { own: Own::read(xml, frames), xml: xml.into(), frames, groups, last: Mutex::new(None), compiled: Mutex::new(None) }
    }

    /// Of a model of the user's own, which was compiled to be checked.
    pub(super) fn of(xml: String, frames: u32, model: &Model) -> Self {
        let own = Own {
            gravity: -model.gravity()[2],
            wind: model.wind()[0],
            density: model.density(),
            viscosity: model.viscosity(),
            time_step: model.timestep() * f64::from(frames),
        };
        Self { own, xml: xml.into(), frames, groups: &[], last: Mutex::new(None), compiled: Mutex::new(None) }
    }

    /// The parameters. Factors are of the model's own numbers.
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        let own = self.own;
        let mut parameters = vec![
            Parameter::new("gravity", own.gravity, [-1e3, 1e3], "m/s²", "acceleration of free fall"),
            Parameter::new(
                "friction",
                1.0,
                [0.0, 1e3],
                "",
                "factor: friction of every surface, the ground's too; contact pairs keep theirs",
            ),
            Parameter::new("damping", 1.0, [0.0, 1e3], "", "factor: damping of every joint"),
            Parameter::new("mass", 1.0, [1e-2, 1e2], "", "factor: mass and inertia of every body"),
            Parameter::new(
                "strength",
                1.0,
                [-1e2, 1e2],
                "",
                "factor: gear of every actuator: a motor's force, negative where it is wired the other way",
            ),
            Parameter::new("wind", own.wind, [-1e3, 1e3], "m/s", "wind along x; it acts where the air has a density"),
            Parameter::new("density", own.density, [0.0, 1e5], "kg/m³", "of what it moves in; air has 1.2, water 1000"),
            Parameter::new("viscosity", own.viscosity, [0.0, 1e3], "Pa s", "of what it moves in; air has 0.00002, water 0.0009"),
            Parameter::new("time_step", own.time_step, [1e-4, 1.0], "s", "time between two states; a step of the physics is an equal part"),
        ];
        parameters.extend(self.groups.iter().map(Group::parameter));
        parameters
    }

    /// The model with this context; one that was just built is shared.
    ///
    /// # Errors
    /// Exit 4 when there is no library, exit 2 when MuJoCo refuses a length.
    pub(super) fn get(&self, context: &Values) -> Result<Arc<Model>> {
        let mut last = self.last.lock().expect("nobody panics with it");
        if let Some((values, model)) = last.as_ref().filter(|(values, _)| values == context) {
            debug_assert_eq!(values, context);
            return Ok(Arc::clone(model));
        }
        let model = self.build(context)?;
        *last = Some((context.clone(), Arc::clone(&model)));
        Ok(model)
    }

    fn compiled(&self, context: &Values) -> Result<Arc<Model>> {
        let groups = self.groups.iter().filter_map(|group| match group.what {
            What::Length(geoms) => Some((geoms, context[group.name])),
            What::Range(_) => None,
        });
        let groups: Vec<(&[&str], f64)> = groups.collect();
        let factors: Vec<f64> = groups.iter().map(|(_, factor)| *factor).collect();
        let mut compiled = self.compiled.lock().expect("nobody panics with it");
        if let Some((_, model)) = compiled.as_ref().filter(|(known, _)| *known == factors) {
            return Ok(Arc::clone(model));
        }
        let of = |(geoms, factor): (&'static [&'static str], f64)| geoms.iter().map(move |geom| Length { geom, factor });
        let changed = groups.into_iter().filter(|(_, factor)| *factor != 1.0);
        let lengths: Vec<Length> = changed.flat_map(of).collect();
        let model = Arc::new(Model::compile(&self.xml, &lengths)?);
        *compiled = Some((factors, Arc::clone(&model)));
        Ok(model)
    }

    fn build(&self, context: &Values) -> Result<Arc<Model>> {
        let base = self.compiled(context)?;
        let own = self.own;
        let mut model = base.copy()?;
        if context["time_step"] != own.time_step {
            model.set_timestep(context["time_step"] / f64::from(self.frames));
        }
        if context["gravity"] != own.gravity {
            let [x, y, _] = model.gravity();
            model.set_gravity([x, y, -context["gravity"]]);
        }
        if context["wind"] != own.wind {
            let [_, y, z] = model.wind();
            model.set_wind([context["wind"], y, z]);
        }
        if context["density"] != own.density {
            model.set_density(context["density"]);
        }
        if context["viscosity"] != own.viscosity {
            model.set_viscosity(context["viscosity"]);
        }
        let times = |numbers: &mut [f64], factor: f64| numbers.iter_mut().for_each(|number| *number *= factor);
        times(model.geom_friction_mut(), context["friction"]);
        times(model.dof_damping_mut(), context["damping"]);
        times(model.gear_mut(), context["strength"]);
        for group in self.groups {
            if let What::Range(joints) = group.what {
                for joint in model.joints(joints)? {
                    narrow(&mut model.joint_range_mut()[2 * joint..][..2], context[group.name]);
                }
            }
        }
        if context["mass"] != 1.0 {
            times(model.body_mass_mut(), context["mass"]);
            times(model.body_inertia_mut(), context["mass"]);
            model.settle()?;
        }
        Ok(Arc::new(model))
    }
}

/// Multiplies a range about its end that is nearest to zero; about zero where that lies inside.
fn narrow(range: &mut [f64], factor: f64) {
    let near = 0.0_f64.clamp(range[0].min(range[1]), range[1].max(range[0]));
    for end in range {
        *end = near + factor * (*end - near);
    }
}

#[cfg(test)]
mod tests {
    use super::{Models, narrow};
    use crate::env::sim::mujoco::model::Model;
    use crate::env::sim::mujoco::robots;

    #[test]
    fn defaults_are_the_models_own_numbers() {
        for species in &robots::ALL {
            let model = Model::compile(species.xml, &[]).unwrap();
            let own = Models::new(species.xml, species.frames, species.groups).own;
            let numbers =
                [model.timestep() * f64::from(species.frames), -model.gravity()[2], model.wind()[0], model.density(), model.viscosity()];
            assert_eq!([own.time_step, own.gravity, own.wind, own.density, own.viscosity], numbers, "{}", species.name);
        }
    }

    #[test]
    fn a_range_shrinks_towards_its_end_nearest_to_zero() {
        let narrowed = |mut range: [f64; 2], factor: f64| {
            narrow(&mut range, factor);
            range
        };
        // As in ODRL's `kinematic` targets: a knee, a hip, and an ankle that never comes to zero.
        assert_eq!(narrowed([-150.0, 0.0], 0.5), [-75.0, 0.0]);
        assert_eq!(narrowed([-30.0, 30.0], 0.5), [-15.0, 15.0]);
        assert_eq!(narrowed([30.0, 70.0], 0.2), [30.0, 38.0]);
        assert_eq!(narrowed([-70.0, -30.0], 0.2), [-38.0, -30.0]);
        assert_eq!(narrowed([-0.4, 0.785], 1.0), [-0.4, 0.785]);
    }
}
