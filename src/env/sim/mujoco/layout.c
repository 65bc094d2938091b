// Writes layout.rs: where MuJoCo's structs keep what Heirloom reads and changes.
//
//   pip install mujoco==3.17.0    (its wheel has the headers)
//   gcc -I SITE-PACKAGES/mujoco/include layout.c -o layout && ./layout > layout.rs
#include <mujoco/mujoco.h>
#include <stddef.h>
#include <stdio.h>

#define MODEL(name, field) printf("    pub(in super::super) const " #name ": usize = %zu;\n", offsetof(mjModel, field))
#define DATA(name, field) printf("    pub(in super::super) const " #name ": usize = %zu;\n", offsetof(mjData, field))
#define SPEC(name, type, field) printf("    pub(in super::super) const " #name ": usize = %zu;\n", offsetof(type, field))

int main(void) {
  printf("//! Where MuJoCo %d.%d.%d's structs keep what is read and changed here, in bytes. Written by layout.c: not by hand.\n\n",
         mjVERSION_HEADER / 1000000, mjVERSION_HEADER / 1000 % 1000, mjVERSION_HEADER % 1000);
  printf("#![expect(clippy::unreadable_literal, reason = \"written by a program\")]\n\n");
  printf("/// The version that these offsets are of.\npub(super) const VERSION: i32 = %d;\n", mjVERSION_HEADER);
  printf("/// All that the next step depends on.\npub(super) const INTEGRATION: i32 = %d;\n", mjSTATE_INTEGRATION);
  printf("\n/// Kinds of things that have names.\npub(super) mod object {\n");
  printf("    pub(in super::super) const BODY: i32 = %d;\n    pub(in super::super) const JOINT: i32 = %d;\n    pub(in super::super) const GEOM: i32 = %d;\n", mjOBJ_BODY, mjOBJ_JOINT, mjOBJ_GEOM);
  printf("    pub(in super::super) const SITE: i32 = %d;\n    pub(in super::super) const ACTUATOR: i32 = %d;\n    pub(in super::super) const SENSOR: i32 = %d;\n}\n", mjOBJ_SITE, mjOBJ_ACTUATOR, mjOBJ_SENSOR);
  printf("\n/// Of `mjModel`: sizes are 64-bit integers, arrays are pointers.\npub(super) mod model {\n");
  MODEL(NQ, nq); MODEL(NV, nv); MODEL(NU, nu); MODEL(NBODY, nbody); MODEL(NJNT, njnt); MODEL(NGEOM, ngeom); MODEL(NSITE, nsite);
  MODEL(NMESH, nmesh); MODEL(NMESHVERT, nmeshvert); MODEL(NSENSOR, nsensor); MODEL(NSENSORDATA, nsensordata);
  MODEL(TIMESTEP, opt.timestep); MODEL(GRAVITY, opt.gravity); MODEL(WIND, opt.wind); MODEL(DENSITY, opt.density); MODEL(VISCOSITY, opt.viscosity);
  MODEL(BODY_MASS, body_mass); MODEL(BODY_INERTIA, body_inertia);
  MODEL(JNT_TYPE, jnt_type); MODEL(JNT_QPOSADR, jnt_qposadr); MODEL(JNT_DOFADR, jnt_dofadr); MODEL(JNT_RANGE, jnt_range); MODEL(DOF_DAMPING, dof_damping);
  MODEL(GEOM_TYPE, geom_type); MODEL(GEOM_BODYID, geom_bodyid); MODEL(GEOM_DATAID, geom_dataid); MODEL(GEOM_SIZE, geom_size);
  MODEL(GEOM_FRICTION, geom_friction); MODEL(GEOM_RGBA, geom_rgba);
  MODEL(MESH_VERTADR, mesh_vertadr); MODEL(MESH_VERTNUM, mesh_vertnum); MODEL(MESH_VERT, mesh_vert);
  MODEL(ACTUATOR_TRNID, actuator_trnid); MODEL(ACTUATOR_CTRLLIMITED, actuator_ctrllimited); MODEL(ACTUATOR_CTRLRANGE, actuator_ctrlrange);
  MODEL(ACTUATOR_GEAR, actuator_gear); MODEL(SENSOR_DIM, sensor_dim); MODEL(SENSOR_ADR, sensor_adr);
  printf("}\n\n/// Of `mjData`: arrays are pointers, but for the warnings, which are pairs of 32-bit integers.\npub(super) mod data {\n");
  DATA(TIME, time); DATA(WARNING, warning); DATA(QPOS, qpos); DATA(QVEL, qvel); DATA(CTRL, ctrl); DATA(XPOS, xpos); DATA(XIPOS, xipos);
  DATA(GEOM_XPOS, geom_xpos); DATA(GEOM_XMAT, geom_xmat); DATA(SITE_XPOS, site_xpos); DATA(CINERT, cinert); DATA(CVEL, cvel);
  DATA(QFRC_ACTUATOR, qfrc_actuator); DATA(QFRC_CONSTRAINT, qfrc_constraint); DATA(CFRC_EXT, cfrc_ext); DATA(SENSORDATA, sensordata);
  printf("}\n\n/// Of what a model is compiled from: numbers in place.\npub(super) mod spec {\n");
  SPEC(BODY_POS, mjsBody, pos); SPEC(GEOM_POS, mjsGeom, pos); SPEC(GEOM_SIZE, mjsGeom, size); SPEC(GEOM_FROMTO, mjsGeom, fromto);
  SPEC(JOINT_POS, mjsJoint, pos);
  printf("}\n");
  return 0;
}
