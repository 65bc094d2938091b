//! libtorch, as torch-sys binds it: the CPU half of PyTorch's wheel.

use super::Native;
use crate::failure::Outcome;
use crate::machine;
use std::env;
use std::path::{Path, PathBuf};

/// What torch-sys 0.26 binds, and `libtorch.txt` pins.
pub(crate) const VERSION: &str = "2.13.0";

const LIBTORCH: Native = Native {
    name: "libtorch",
    version: VERSION,
    requirements: ("libtorch.txt", include_str!("libtorch.txt")),
    parts: &[
        "include/",
        "lib/libtorch_cpu.so",
        "lib/libc10.so",
        "lib/libgomp.so.1",
        // Not used by any CPU code, but `libtorch_cpu.so` of the CUDA wheel does not load without them.
        "lib/libcupti.so.13",
        "lib/libcudart.so.13",
    ],
    // A linker script where torch-sys links `-ltorch` (an empty library in the wheel), and the version as the archives of libtorch have
    // it, with the wheel's variant; torch-sys and Heirloom read it.
    added: &[("lib/libtorch.so", "INPUT(-ltorch_cpu -lc10)\n"), ("build-version", "2.13.0+cu130\n")],
};

/// Makes sure that the libtorch that `.cargo/config.toml` names is there.
pub(crate) fn provide() -> Outcome {
    if let Some(own) = brought(&LIBTORCH.link())? {
        eprintln!("{own} is set: that libtorch is used, and none is provided");
        return Ok(());
    }
    machine::check_platform()?;
    LIBTORCH.provide()
}

/// The variable that names a libtorch of the user's own: those that torch-sys follows, in its order. That of
/// `.cargo/config.toml`, which cargo hands to every program it runs, is not the user's.
fn brought(link: &Path) -> Outcome<Option<String>> {
    if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return Ok(Some("LIBTORCH_USE_PYTORCH".to_owned()));
    }
    match env::var_os("LIBTORCH").map(PathBuf::from) {
        Some(own) if own != link && own.join("include").is_dir() => Ok(Some(format!("LIBTORCH={}", own.display()))),
        Some(own) if own != link => {
            Err(format!("LIBTORCH={} is no folder with a libtorch: correct it, or unset it and one is provided", own.display()))
        }
        _ => Ok(None),
    }
}
