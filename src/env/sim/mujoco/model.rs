//! A compiled model: sizes, names, and the numbers that a context changes. One model serves any number of simulations and threads.
#![expect(unsafe_code, reason = "arrays inside a C struct: offsets are checked by the probe, lengths are the struct's own sizes")]

use super::layout::{self, object};
use super::library::{self, Library, RawModel, RawSpec};
use crate::error::{Error, Result};
use std::ffi::{CStr, CString, c_char, c_int};
use std::ops::Range;
use std::ptr::{null, null_mut};

/// How many there are of each thing.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) nq: usize,
    pub(super) nv: usize,
    pub(super) nu: usize,
    pub(super) bodies: usize,
    pub(super) joints: usize,
    pub(super) geoms: usize,
    pub(super) sites: usize,
    pub(super) sensors: usize,
    pub(super) readings: usize,
}

/// A part of the body whose length is multiplied: everything that the body of this shape carries moves along.
#[derive(Debug, Clone, Copy)]
pub(super) struct Length {
    /// The name of one of the body's shapes.
    pub(super) geom: &'static str,
    /// What its length is multiplied by.
    pub(super) factor: f64,
}

/// A compiled model.
pub(super) struct Model {
    raw: *mut RawModel,
    library: *const Library,
    sizes: Sizes,
}

// SAFETY: MuJoCo only reads a model while it simulates, and whoever changes one holds it alone (`&mut`).
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

/// A specification that is deleted at the end of its scope.
struct Spec<'a>(*mut RawSpec, &'a Library);

impl Drop for Spec<'_> {
    fn drop(&mut self) {
        // SAFETY: it was parsed by this library and is deleted once.
        unsafe { (self.1.mj_deleteSpec)(self.0) }
    }
}

impl Model {
    /// Compiles a model from its XML, with these lengths.
    ///
    /// # Errors
    /// Exit 4 when there is no library; exit 2 with MuJoCo's own words when the XML is none.
    pub(super) fn compile(xml: &str, lengths: &[Length]) -> Result<Self> {
        Self::compile_in(library::library()?, xml, lengths)
    }

    /// As [`Model::compile`], in a library that is still being checked.
    pub(super) fn compile_in(library: &Library, xml: &str, lengths: &[Length]) -> Result<Self> {
        let xml = CString::new(xml).map_err(|_| Error::usage("the model's XML holds a zero byte"))?;
        let mut text = [0 as c_char; 1000];
        // SAFETY: both texts are C strings or buffers of the given length.
        let spec = unsafe { (library.mj_parseXMLString)(xml.as_ptr(), null(), text.as_mut_ptr(), 1000) };
        if spec.is_null() {
            return Err(refused(&text));
        }
        Self::from_spec(library, &Spec(spec, library), lengths)
    }

    fn from_spec(library: &Library, spec: &Spec<'_>, lengths: &[Length]) -> Result<Self> {
        for length in lengths {
            stretch(library, spec.0, *length)?;
        }
        // SAFETY: the specification is one of this library.
        let raw = unsafe { (library.mj_compile)(spec.0, null()) };
        if raw.is_null() {
            // SAFETY: the error is a C string that lives as long as the specification.
            let words = unsafe { CStr::from_ptr((library.mjs_getError)(spec.0)) };
            return Err(Error::usage(format!("MuJoCo refuses the model: {}", one_line(words))));
        }
        Ok(Self::own(library, raw))
    }

    fn own(library: &Library, raw: *mut RawModel) -> Self {
        use layout::model::{NBODY, NGEOM, NJNT, NQ, NSENSOR, NSENSORDATA, NSITE, NU, NV};
        let mut model =
            Self { raw, library, sizes: Sizes { nq: 0, nv: 0, nu: 0, bodies: 0, joints: 0, geoms: 0, sites: 0, sensors: 0, readings: 0 } };
        let size = |offset| usize::try_from(*model.number::<i64>(offset)).unwrap_or(0);
        let [nq, nv, nu, bodies, joints, geoms, sites, sensors, readings] =
            [NQ, NV, NU, NBODY, NJNT, NGEOM, NSITE, NSENSOR, NSENSORDATA].map(size);
        model.sizes = Sizes { nq, nv, nu, bodies, joints, geoms, sites, sensors, readings };
        model
    }

    /// One that can be changed.
    pub(super) fn copy(&self) -> Result<Self> {
        // SAFETY: a null destination asks for a new model.
        let raw = unsafe { (self.library().mj_copyModel)(null_mut(), self.raw) };
        if raw.is_null() { Err(Error::environment("MuJoCo has no memory for another model")) } else { Ok(Self::own(self.library(), raw)) }
    }

    pub(super) const fn raw(&self) -> *mut RawModel {
        self.raw
    }

    pub(super) fn library(&self) -> &Library {
        // SAFETY: the library lives as long as the program, or as the check that holds this model.
        unsafe { &*self.library }
    }

    pub(super) const fn sizes(&self) -> Sizes {
        self.sizes
    }

    fn number<T>(&self, offset: usize) -> &T {
        // SAFETY: the offset is one of `layout::model`, of a field of this type inside of the struct.
        unsafe { &*self.raw.byte_add(offset).cast::<T>() }
    }

    fn number_mut<T>(&mut self, offset: usize) -> &mut T {
        // SAFETY: as above, and the model is held alone.
        unsafe { &mut *self.raw.byte_add(offset).cast::<T>() }
    }

    fn array<T>(&self, offset: usize, length: usize) -> &[T] {
        let pointer = *self.number::<*const T>(offset);
        // SAFETY: the field is a pointer to this many values of this type; of an empty one nothing is known.
        if length == 0 { &[] } else { unsafe { std::slice::from_raw_parts(pointer, length) } }
    }

    fn array_mut<T>(&mut self, offset: usize, length: usize) -> &mut [T] {
        let pointer = *self.number_mut::<*mut T>(offset);
        // SAFETY: as above, and the model is held alone.
        if length == 0 { &mut [] } else { unsafe { std::slice::from_raw_parts_mut(pointer, length) } }
    }

    /// The id of the thing of this kind (`layout::object`) and name.
    pub(super) fn id(&self, kind: c_int, name: &str) -> Option<usize> {
        let name = CString::new(name).ok()?;
        // SAFETY: the name is a C string.
        let id = unsafe { (self.library().mj_name2id)(self.raw, kind, name.as_ptr()) };
        usize::try_from(id).ok()
    }

    /// The name of a thing, or `kind` with its number where it has none.
    pub(super) fn name(&self, kind: c_int, id: usize, otherwise: &str) -> String {
        let number = c_int::try_from(id).unwrap_or(-1);
        // SAFETY: an id that is none gives null.
        let name = unsafe { (self.library().mj_id2name)(self.raw, kind, number) };
        // SAFETY: the name is a C string that lives as long as the model.
        let name = (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) }.to_string_lossy().into_owned());
        name.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("{otherwise}{id}"))
    }

    /// The names of all things of a kind that have one.
    pub(super) fn names(&self, kind: c_int) -> Vec<String> {
        let count = match kind {
            object::BODY => self.sizes.bodies,
            object::JOINT => self.sizes.joints,
            object::SITE => self.sizes.sites,
            object::SENSOR => self.sizes.sensors,
            _ => 0,
        };
        (0..count).map(|id| self.name(kind, id, "")).filter(|name| name.parse::<usize>().is_err()).collect()
    }

    /// Where a joint's numbers stand in `qpos`.
    pub(super) fn joint_positions(&self, joint: usize) -> Range<usize> {
        let size = match self.joint_type()[joint] {
            0 => 7,
            1 => 4,
            _ => 1,
        };
        self.range(layout::model::JNT_QPOSADR, self.sizes.joints, joint, size)
    }

    /// Where a joint's numbers stand in `qvel`.
    pub(super) fn joint_velocities(&self, joint: usize) -> Range<usize> {
        let size = match self.joint_type()[joint] {
            0 => 6,
            1 => 3,
            _ => 1,
        };
        self.range(layout::model::JNT_DOFADR, self.sizes.joints, joint, size)
    }

    /// Where a sensor's numbers stand among all readings.
    pub(super) fn sensor_readings(&self, sensor: usize) -> Range<usize> {
        let size = usize::try_from(self.array::<i32>(layout::model::SENSOR_DIM, self.sizes.sensors)[sensor]).unwrap_or(0);
        self.range(layout::model::SENSOR_ADR, self.sizes.sensors, sensor, size)
    }

    fn range(&self, addresses: usize, count: usize, index: usize, size: usize) -> Range<usize> {
        let start = usize::try_from(self.array::<i32>(addresses, count)[index]).unwrap_or(0);
        start..start + size
    }

    /// Ids of all joints of these names.
    pub(super) fn joints(&self, names: &[&str]) -> Result<Vec<usize>> {
        let id = |name: &&str| self.id(object::JOINT, name).ok_or_else(|| Error::usage(format!("the model has no joint `{name}`")));
        names.iter().map(id).collect()
    }

    /// An actuator's name, or that of the joint it drives.
    pub(super) fn actuator_name(&self, actuator: usize) -> String {
        let joint = self.array::<i32>(layout::model::ACTUATOR_TRNID, 2 * self.sizes.nu)[2 * actuator];
        let joint = usize::try_from(joint).map_or_else(|_| format!("actuator{actuator}"), |joint| self.name(object::JOINT, joint, "joint"));
        let own = self.name(object::ACTUATOR, actuator, "");
        if own == actuator.to_string() { joint } else { own }
    }

    /// Between which values an actuator is held; `None` where it is not.
    pub(super) fn control_range(&self, actuator: usize) -> Option<[f64; 2]> {
        let limited = self.array::<u8>(layout::model::ACTUATOR_CTRLLIMITED, self.sizes.nu)[actuator] != 0;
        let range = self.array::<f64>(layout::model::ACTUATOR_CTRLRANGE, 2 * self.sizes.nu);
        limited.then(|| [range[2 * actuator], range[2 * actuator + 1]])
    }

    pub(super) fn timestep(&self) -> f64 {
        *self.number(layout::model::TIMESTEP)
    }

    pub(super) fn set_timestep(&mut self, seconds: f64) {
        *self.number_mut(layout::model::TIMESTEP) = seconds;
    }

    pub(super) fn gravity(&self) -> [f64; 3] {
        *self.number(layout::model::GRAVITY)
    }

    pub(super) fn set_gravity(&mut self, gravity: [f64; 3]) {
        *self.number_mut(layout::model::GRAVITY) = gravity;
    }

    pub(super) fn wind(&self) -> [f64; 3] {
        *self.number(layout::model::WIND)
    }

    pub(super) fn set_wind(&mut self, wind: [f64; 3]) {
        *self.number_mut(layout::model::WIND) = wind;
    }

    pub(super) fn density(&self) -> f64 {
        *self.number(layout::model::DENSITY)
    }

    pub(super) fn set_density(&mut self, density: f64) {
        *self.number_mut(layout::model::DENSITY) = density;
    }

    pub(super) fn viscosity(&self) -> f64 {
        *self.number(layout::model::VISCOSITY)
    }

    pub(super) fn set_viscosity(&mut self, viscosity: f64) {
        *self.number_mut(layout::model::VISCOSITY) = viscosity;
    }

    /// `[bodies]`, kg.
    pub(super) fn body_mass(&self) -> &[f64] {
        self.array(layout::model::BODY_MASS, self.sizes.bodies)
    }

    pub(super) fn body_mass_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::BODY_MASS, self.sizes.bodies)
    }

    /// `[bodies, 3]`, kg m².
    pub(super) fn body_inertia(&self) -> &[f64] {
        self.array(layout::model::BODY_INERTIA, 3 * self.sizes.bodies)
    }

    pub(super) fn body_inertia_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::BODY_INERTIA, 3 * self.sizes.bodies)
    }

    /// `[joints]`: 0 free, 1 ball, 2 slide, 3 hinge.
    pub(super) fn joint_type(&self) -> &[i32] {
        self.array(layout::model::JNT_TYPE, self.sizes.joints)
    }

    /// `[joints, 2]`.
    pub(super) fn joint_range(&self) -> &[f64] {
        self.array(layout::model::JNT_RANGE, 2 * self.sizes.joints)
    }

    pub(super) fn joint_range_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::JNT_RANGE, 2 * self.sizes.joints)
    }

    /// `[nv]`.
    pub(super) fn dof_damping(&self) -> &[f64] {
        self.array(layout::model::DOF_DAMPING, self.sizes.nv)
    }

    pub(super) fn dof_damping_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::DOF_DAMPING, self.sizes.nv)
    }

    /// `[geoms]`: 0 plane, 2 sphere, 3 capsule, 4 ellipsoid, 5 cylinder, 6 box, 7 mesh.
    pub(super) fn geom_type(&self) -> &[i32] {
        self.array(layout::model::GEOM_TYPE, self.sizes.geoms)
    }

    /// `[geoms]`.
    pub(super) fn geom_body(&self) -> &[i32] {
        self.array(layout::model::GEOM_BODYID, self.sizes.geoms)
    }

    /// `[geoms, 3]`, m.
    pub(super) fn geom_size(&self) -> &[f64] {
        self.array(layout::model::GEOM_SIZE, 3 * self.sizes.geoms)
    }

    /// `[geoms, 4]`: red, green, blue, opacity.
    pub(super) fn geom_rgba(&self) -> &[f32] {
        self.array(layout::model::GEOM_RGBA, 4 * self.sizes.geoms)
    }

    /// `[geoms, 3]`: sliding, torsional, rolling.
    pub(super) fn geom_friction(&self) -> &[f64] {
        self.array(layout::model::GEOM_FRICTION, 3 * self.sizes.geoms)
    }

    pub(super) fn geom_friction_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::GEOM_FRICTION, 3 * self.sizes.geoms)
    }

    /// The corners of a geom's mesh, `[corners, 3]` in its own frame.
    pub(super) fn geom_mesh(&self, geom: usize) -> &[f32] {
        use layout::model::{GEOM_DATAID, MESH_VERT, MESH_VERTADR, MESH_VERTNUM, NMESH, NMESHVERT};
        let size = |offset| usize::try_from(*self.number::<i64>(offset)).unwrap_or(0);
        let (meshes, corners) = (size(NMESH), size(NMESHVERT));
        let Ok(mesh) = usize::try_from(self.array::<i32>(GEOM_DATAID, self.sizes.geoms)[geom]) else { return &[] };
        let of = |offset| self.array::<i32>(offset, meshes).get(mesh).and_then(|number| usize::try_from(*number).ok()).unwrap_or(0);
        let (first, count) = (of(MESH_VERTADR), of(MESH_VERTNUM));
        self.array::<f32>(MESH_VERT, 3 * corners).get(3 * first..3 * (first + count)).unwrap_or(&[])
    }

    /// `[nu, 6]`: of a motor the first is force per control.
    pub(super) fn gear(&self) -> &[f64] {
        self.array(layout::model::ACTUATOR_GEAR, 6 * self.sizes.nu)
    }

    pub(super) fn gear_mut(&mut self) -> &mut [f64] {
        self.array_mut(layout::model::ACTUATOR_GEAR, 6 * self.sizes.nu)
    }

    /// Computes what follows from masses and lengths.
    pub(super) fn settle(&mut self) -> Result<()> {
        let library = self.library();
        // SAFETY: the data is made from this model and deleted before anybody else sees it.
        unsafe {
            let data = (library.mj_makeData)(self.raw);
            if data.is_null() {
                return Err(Error::environment("MuJoCo has no memory for a simulation"));
            }
            (library.mj_setConst)(self.raw, data);
            (library.mj_deleteData)(data);
        }
        Ok(())
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: it was made by this library and is deleted once.
        unsafe { (self.library().mj_deleteModel)(self.raw) }
    }
}

fn refused(text: &[c_char]) -> Error {
    // SAFETY: MuJoCo ends its words with a zero inside of the buffer.
    let words = unsafe { CStr::from_ptr(text.as_ptr()) };
    Error::usage(format!("MuJoCo refuses the model: {}", one_line(words)))
}

fn one_line(words: &CStr) -> String {
    words.to_string_lossy().lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

/// Multiplies the length of the body to which a shape belongs, away from its joint: shapes grow along, and what hangs on it moves.
/// Thickness stays.
fn stretch(library: &Library, spec: *mut RawSpec, length: Length) -> Result<()> {
    use layout::spec::{BODY_POS, GEOM_FROMTO, GEOM_POS, GEOM_SIZE, JOINT_POS};
    const OWN: c_int = 0;
    let name = CString::new(length.geom).expect("names in our tables hold no zero");
    // SAFETY: every handle comes from this specification and lives as long; offsets are of fields of `double[n]` in place.
    unsafe {
        let numbers =
            |part: *mut RawSpec, offset: usize, count: usize| std::slice::from_raw_parts_mut(part.byte_add(offset).cast::<f64>(), count);
        let geom = (library.mjs_findElement)(spec, object::GEOM, name.as_ptr());
        if geom.is_null() {
            return Err(Error::usage(format!("the model has no shape `{}`", length.geom)));
        }
        let body = (library.mjs_getParent)(geom);
        let children = |body: *mut RawSpec, kind: c_int| {
            let mut next = (library.mjs_firstChild)(body, kind, OWN);
            std::iter::from_fn(move || {
                let child = next;
                if child.is_null() {
                    return None;
                }
                next = (library.mjs_nextChild)(body, child, OWN);
                Some(child)
            })
        };
        let anchor_of = |body: *mut RawSpec| {
            // The last of a body's joints is the one it bends in: the first ones of a robot's trunk are those of the whole robot.
            let joint = children(body, object::JOINT).last();
            joint.map_or([0.0; 3], |joint| {
                let pos = numbers((library.mjs_asJoint)(joint), JOINT_POS, 3);
                [pos[0], pos[1], pos[2]]
            })
        };
        let anchor = anchor_of(body);
        let stretched =
            |pos: &mut [f64]| pos.iter_mut().zip(anchor).for_each(|(pos, anchor)| *pos = anchor + length.factor * (*pos - anchor));
        for geom in children(body, object::GEOM) {
            let geom = (library.mjs_asGeom)(geom);
            stretched(numbers(geom, GEOM_POS, 3));
            let ends = numbers(geom, GEOM_FROMTO, 6);
            if ends[0].is_nan() {
                numbers(geom, GEOM_SIZE, 3)[1] *= length.factor;
            } else {
                stretched(&mut ends[..3]);
                stretched(&mut ends[3..]);
            }
        }
        for child in children(body, object::BODY) {
            let child = (library.mjs_asBody)(child);
            let joint = anchor_of(child);
            let pos = numbers(child, BODY_POS, 3);
            for axis in 0..3 {
                pos[axis] += (length.factor - 1.0) * (pos[axis] + joint[axis] - anchor[axis]);
            }
        }
    }
    Ok(())
}
