//! Where MuJoCo 3.17.0's structs keep what is read and changed here, in bytes. Written by layout.c: not by hand.

#![expect(clippy::unreadable_literal, reason = "written by a program")]

/// The version that these offsets are of.
pub(super) const VERSION: i32 = 3017000;
/// All that the next step depends on.
pub(super) const INTEGRATION: i32 = 16383;

/// Kinds of things that have names.
pub(super) mod object {
    pub(in super::super) const BODY: i32 = 1;
    pub(in super::super) const JOINT: i32 = 3;
    pub(in super::super) const GEOM: i32 = 5;
    pub(in super::super) const SITE: i32 = 6;
    pub(in super::super) const ACTUATOR: i32 = 19;
    pub(in super::super) const SENSOR: i32 = 20;
}

/// Of `mjModel`: sizes are 64-bit integers, arrays are pointers.
pub(super) mod model {
    pub(in super::super) const NQ: usize = 0;
    pub(in super::super) const NV: usize = 8;
    pub(in super::super) const NU: usize = 16;
    pub(in super::super) const NBODY: usize = 48;
    pub(in super::super) const NJNT: usize = 88;
    pub(in super::super) const NGEOM: usize = 136;
    pub(in super::super) const NSITE: usize = 144;
    pub(in super::super) const NMESH: usize = 296;
    pub(in super::super) const NMESHVERT: usize = 304;
    pub(in super::super) const NSENSOR: usize = 504;
    pub(in super::super) const NSENSORDATA: usize = 744;
    pub(in super::super) const TIMESTEP: usize = 792;
    pub(in super::super) const GRAVITY: usize = 848;
    pub(in super::super) const WIND: usize = 872;
    pub(in super::super) const DENSITY: usize = 920;
    pub(in super::super) const VISCOSITY: usize = 928;
    pub(in super::super) const BODY_MASS: usize = 1944;
    pub(in super::super) const BODY_INERTIA: usize = 1960;
    pub(in super::super) const JNT_TYPE: usize = 2104;
    pub(in super::super) const JNT_QPOSADR: usize = 2112;
    pub(in super::super) const JNT_DOFADR: usize = 2120;
    pub(in super::super) const JNT_RANGE: usize = 2224;
    pub(in super::super) const DOF_DAMPING: usize = 2336;
    pub(in super::super) const GEOM_TYPE: usize = 2416;
    pub(in super::super) const GEOM_BODYID: usize = 2448;
    pub(in super::super) const GEOM_DATAID: usize = 2456;
    pub(in super::super) const GEOM_SIZE: usize = 2528;
    pub(in super::super) const GEOM_FRICTION: usize = 2568;
    pub(in super::super) const GEOM_RGBA: usize = 2624;
    pub(in super::super) const MESH_VERTADR: usize = 3664;
    pub(in super::super) const MESH_VERTNUM: usize = 3672;
    pub(in super::super) const MESH_VERT: usize = 3776;
    pub(in super::super) const ACTUATOR_TRNID: usize = 4832;
    pub(in super::super) const ACTUATOR_CTRLLIMITED: usize = 4984;
    pub(in super::super) const ACTUATOR_CTRLRANGE: usize = 4992;
    pub(in super::super) const ACTUATOR_GEAR: usize = 5000;
    pub(in super::super) const SENSOR_DIM: usize = 5096;
    pub(in super::super) const SENSOR_ADR: usize = 5104;
}

/// Of `mjData`: arrays are pointers, but for the warnings, which are pairs of 32-bit integers.
pub(super) mod data {
    pub(in super::super) const TIME: usize = 160648;
    pub(in super::super) const WARNING: usize = 160264;
    pub(in super::super) const QPOS: usize = 160688;
    pub(in super::super) const QVEL: usize = 160696;
    pub(in super::super) const CTRL: usize = 160736;
    pub(in super::super) const XPOS: usize = 160840;
    pub(in super::super) const XIPOS: usize = 160864;
    pub(in super::super) const GEOM_XPOS: usize = 160896;
    pub(in super::super) const GEOM_XMAT: usize = 160904;
    pub(in super::super) const SITE_XPOS: usize = 160912;
    pub(in super::super) const CINERT: usize = 160976;
    pub(in super::super) const CVEL: usize = 161280;
    pub(in super::super) const QFRC_ACTUATOR: usize = 161408;
    pub(in super::super) const QFRC_CONSTRAINT: usize = 161432;
    pub(in super::super) const CFRC_EXT: usize = 161464;
    pub(in super::super) const SENSORDATA: usize = 160808;
}

/// Of what a model is compiled from: numbers in place.
pub(super) mod spec {
    pub(in super::super) const BODY_POS: usize = 16;
    pub(in super::super) const GEOM_POS: usize = 16;
    pub(in super::super) const GEOM_SIZE: usize = 256;
    pub(in super::super) const GEOM_FROMTO: usize = 208;
    pub(in super::super) const JOINT_POS: usize = 16;
}
