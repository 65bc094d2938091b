//! The MuJoCo library: found, loaded and checked when the first robot is built, so that Heirloom builds and runs without it.
//!
//! Its functions are called by their C signatures and its structs are read at the offsets of [`super::layout`]. Both are those of one
//! version: another one is refused, and a small model with known numbers is read back before anything else is.
#![expect(unsafe_code, reason = "a C library: its signatures are those of mujoco.h 3.17.0, and a probe checks the offsets")]
#![expect(non_snake_case, reason = "the functions' own names")]

use super::layout;
use crate::error::{Error, Result};
use std::ffi::{CStr, c_char, c_int};
use std::io::Write;
use std::path::PathBuf;
use std::sync::OnceLock;

/// A compiled model, as C sees it.
#[repr(C, align(8))]
pub(super) struct RawModel([u8; 0]);

/// The state of a simulation, as C sees it.
#[repr(C, align(8))]
pub(super) struct RawData([u8; 0]);

/// What a model is compiled from, as C sees it: the whole, and each of its parts.
#[repr(C, align(8))]
pub(super) struct RawSpec([u8; 0]);

/// A part's handle in a specification.
#[repr(C)]
pub(super) struct RawElement([u8; 0]);

/// The beginning of MuJoCo's message: all that is read of it.
#[repr(C)]
pub(super) struct RawMessage {
    level: c_int,
    topic: c_int,
    subject: [c_char; 1024],
}

macro_rules! functions {
    ($($name:ident: $type:ty,)*) => {
        /// The functions of `mujoco.h` that are used here, by their names there.
        pub(super) struct Library {
            $(pub(super) $name: $type,)*
            /// Keeps the library loaded.
            _loaded: libloading::Library,
        }

        impl Library {
            fn bind(library: libloading::Library) -> std::result::Result<Self, libloading::Error> {
                // SAFETY: the types are those of the functions' declarations in `mujoco.h` 3.17.0, and the version was checked.
                unsafe { Ok(Self { $($name: *library.get::<$type>(stringify!($name).as_bytes())?,)* _loaded: library }) }
            }
        }
    };
}

functions! {
    mj_parseXMLString: unsafe extern "C" fn(*const c_char, *const u8, *mut c_char, c_int) -> *mut RawSpec,
    mj_compile: unsafe extern "C" fn(*mut RawSpec, *const u8) -> *mut RawModel,
    mj_deleteSpec: unsafe extern "C" fn(*mut RawSpec),
    mjs_getError: unsafe extern "C" fn(*mut RawSpec) -> *const c_char,
    mjs_findElement: unsafe extern "C" fn(*const RawSpec, c_int, *const c_char) -> *mut RawElement,
    mjs_getParent: unsafe extern "C" fn(*mut RawElement) -> *mut RawSpec,
    mjs_firstChild: unsafe extern "C" fn(*const RawSpec, c_int, c_int) -> *mut RawElement,
    mjs_nextChild: unsafe extern "C" fn(*const RawSpec, *const RawElement, c_int) -> *mut RawElement,
    mjs_asBody: unsafe extern "C" fn(*mut RawElement) -> *mut RawSpec,
    mjs_asGeom: unsafe extern "C" fn(*mut RawElement) -> *mut RawSpec,
    mjs_asJoint: unsafe extern "C" fn(*mut RawElement) -> *mut RawSpec,
    mj_copyModel: unsafe extern "C" fn(*mut RawModel, *const RawModel) -> *mut RawModel,
    mj_deleteModel: unsafe extern "C" fn(*mut RawModel),
    mj_setConst: unsafe extern "C" fn(*mut RawModel, *mut RawData),
    mj_name2id: unsafe extern "C" fn(*const RawModel, c_int, *const c_char) -> c_int,
    mj_id2name: unsafe extern "C" fn(*const RawModel, c_int, c_int) -> *const c_char,
    mj_makeData: unsafe extern "C" fn(*const RawModel) -> *mut RawData,
    mj_deleteData: unsafe extern "C" fn(*mut RawData),
    mj_resetData: unsafe extern "C" fn(*const RawModel, *mut RawData),
    mj_step: unsafe extern "C" fn(*const RawModel, *mut RawData),
    mj_forward: unsafe extern "C" fn(*const RawModel, *mut RawData),
    mj_kinematics: unsafe extern "C" fn(*const RawModel, *mut RawData),
    mj_rnePostConstraint: unsafe extern "C" fn(*const RawModel, *mut RawData),
    mj_stateSize: unsafe extern "C" fn(*const RawModel, c_int) -> c_int,
    mj_getState: unsafe extern "C" fn(*const RawModel, *const RawData, *mut f64, c_int),
    mj_setState: unsafe extern "C" fn(*const RawModel, *mut RawData, *const f64, c_int),
    mju_setLogHandler: unsafe extern "C" fn(Option<unsafe extern "C" fn(*const RawMessage)>) -> Option<unsafe extern "C" fn(*const RawMessage)>,
}

/// What the library's file is called.
const FILE: &str = if cfg!(target_os = "macos") {
    "libmujoco.3.17.0.dylib"
} else if cfg!(windows) {
    "mujoco.dll"
} else {
    "libmujoco.so.3.17.0"
};

const HINT: &str = "`cargo xtask setup` provides MuJoCo 3.17.0; MUJOCO_LIBRARY names the library file of another place, \
                    such as that of `pip install mujoco==3.17.0`";

/// Where to look: where the user says, where `cargo xtask setup` puts it, where the system keeps libraries.
fn candidates() -> Vec<PathBuf> {
    if let Some(own) = std::env::var_os("MUJOCO_LIBRARY") {
        return vec![PathBuf::from(own)];
    }
    vec![PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.native/mujoco")).join(FILE), PathBuf::from(FILE)]
}

/// The library.
///
/// # Errors
/// Exit 4 when there is none, or it is another version's.
pub(super) fn library() -> Result<&'static Library> {
    static LIBRARY: OnceLock<std::result::Result<Library, String>> = OnceLock::new();
    let loaded = LIBRARY.get_or_init(|| load().map_err(|error| error.to_string()));
    loaded.as_ref().map_err(|message| Error::environment(message.clone()).hint(HINT))
}

fn load() -> Result<Library> {
    let mut missing = Vec::new();
    for path in candidates() {
        // SAFETY: loading runs the library's initialisers; this is the file the user or the set-up names.
        match unsafe { libloading::Library::new(&path) } {
            Ok(library) => return checked(library).map_err(|error| error.at(path.display())),
            Err(error) => missing.push(error.to_string()),
        }
    }
    Err(Error::environment(format!("the MuJoCo library cannot be loaded ({})", missing.join("; "))))
}

fn checked(library: libloading::Library) -> Result<Library> {
    let strange = |error: libloading::Error| Error::environment(format!("this is not MuJoCo 3.17.0's library ({error})"));
    // SAFETY: `mj_version` has had this signature in every release.
    let version = unsafe { library.get::<unsafe extern "C" fn() -> c_int>(b"mj_version").map_err(strange)?() };
    if version != layout::VERSION {
        let [major, minor, patch] = [version / 1_000_000, version / 1_000 % 1_000, version % 1_000];
        return Err(Error::environment(format!("this is MuJoCo {major}.{minor}.{patch}, and 3.17.0 is needed")));
    }
    let library = Library::bind(library).map_err(strange)?;
    // SAFETY: the handler has the type that the function takes, and lives as long as the program.
    unsafe { (library.mju_setLogHandler)(Some(log)) };
    super::probe::check(&library)?;
    Ok(library)
}

/// MuJoCo writes its warnings to the terminal and into a file in the current folder unless it is told otherwise. Warnings are read from
/// its counters instead. After an error MuJoCo cannot go on, and whoever returned to it would run into memory that is not there: the
/// process ends here, with what was acknowledged on disk.
#[expect(clippy::exit, reason = "nothing can be returned through C, nor unwound")]
unsafe extern "C" fn log(message: *const RawMessage) {
    const ERROR: c_int = 3;
    // SAFETY: MuJoCo hands over a message of its own, whose subject is a C string in the array.
    let (level, subject) = unsafe { ((*message).level, CStr::from_ptr((*message).subject.as_ptr())) };
    if level == ERROR {
        // A closed terminal must not become a panic in C.
        let _ = writeln!(std::io::stderr(), "error: MuJoCo cannot go on: {}", subject.to_string_lossy());
        std::process::exit(crate::error::Kind::Environment as i32);
    }
}
