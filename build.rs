//! Lets every executable of this package find libtorch at run time, and says which one it is.
//!
//! torch-sys alone knows which libtorch is in use (`LIBTORCH`, `LIBTORCH_USE_PYTORCH` or `/usr/lib`), and hands the folder on to
//! its direct dependents. A link argument reaches executables of the same package only, and a user's `RUSTFLAGS` would replace
//! one in `.cargo/config.toml`; so this script sets the run path here, and a package outside sets its own from
//! `DEP_HEIRLOOM_LIBTORCH`:
//!
//! ```ignore
//! fn main() {
//!     println!("cargo::rustc-link-arg=-Wl,-rpath,{}", std::env::var("DEP_HEIRLOOM_LIBTORCH").unwrap());
//! }
//! ```
//!
//! The library reads the version as `env!("HEIRLOOM_LIBTORCH_VERSION")`.
#![allow(clippy::print_stdout, reason = "this is how a build script speaks to cargo")]

use std::path::Path;

fn main() {
    let libraries = std::env::var("DEP_TCH_LIBTORCH_LIB").expect("torch-sys says where libtorch lies");
    println!("cargo::rerun-if-changed=build.rs");
    // A folder that is gone makes cargo run this script again, ahead of a linker that only says `cannot find -ltorch`.
    println!("cargo::rerun-if-changed={libraries}");
    if !Path::new(&libraries).is_dir() {
        println!("cargo::error=there is no libtorch in {libraries}: run `cargo xtask setup`");
        return;
    }
    println!("cargo::rustc-link-arg=-Wl,-rpath,{libraries}");
    println!("cargo::metadata=libtorch={libraries}");
    let version = Path::new(&libraries).parent().and_then(version).unwrap_or_else(|| "of unknown version".to_owned());
    println!("cargo::rustc-env=HEIRLOOM_LIBTORCH_VERSION={version}");
}

/// The version with its variant (`2.13.0+cpu`): from the file of an archive, which `cargo xtask setup` writes too, or of a Python package.
fn version(libtorch: &Path) -> Option<String> {
    let read = |name| std::fs::read_to_string(libtorch.join(name)).ok();
    let archive = || read("build-version").map(|text| text.trim().to_owned());
    let package = || {
        let text = read("version.py")?;
        let quoted = text.lines().find_map(|line| line.strip_prefix("__version__ = "))?;
        Some(quoted.trim_matches('\'').to_owned())
    };
    archive().or_else(package)
}
