//! What the machine must have before minutes of downloading and compiling begin.

use std::env;
use std::env::consts::{ARCH, OS};
use std::process::{Command, Stdio};

use crate::failure::Outcome;

/// The wheels in `native/*.txt` are for Linux with glibc on x86-64.
pub(crate) fn check_platform() -> Outcome {
    platform(if cfg!(target_env = "musl") { "linux with musl" } else { OS }, ARCH)
}

fn platform(os: &str, arch: &str) -> Outcome {
    if (os, arch) == ("linux", "x86_64") {
        return Ok(());
    }
    Err(format!(
        "libtorch is provided for Linux x86-64 with glibc only, and this is {os} on {arch}: \
         set LIBTORCH to a folder with libtorch {version}, or LIBTORCH_USE_PYTORCH=1 in a Python environment with torch {version}",
        version = crate::native::libtorch::VERSION
    ))
}

/// tch compiles C++ against libtorch with `$CXX` or `c++`, as the cc crate chooses.
pub(crate) fn check_compiler() -> Outcome {
    let compiler = env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    let mut words = compiler.split_whitespace();
    if words.next().is_some_and(|program| runs(Command::new(program).args(words).arg("--version"))) {
        return Ok(());
    }
    Err(format!(
        "there is no C++ compiler (`{compiler}` does not run): install one (Debian and Ubuntu: `apt install g++`), or name yours in CXX"
    ))
}

/// pip downloads libraries, Python unpacks them.
pub(crate) fn check_python() -> Outcome {
    if !runs(Command::new("python3").arg("--version")) {
        return Err("there is no python3, which downloads and unpacks libtorch and MuJoCo: \
                    install it with pip (Debian and Ubuntu: `apt install python3-pip`), or set LIBTORCH to a libtorch of your own"
            .to_owned());
    }
    if !runs(Command::new("python3").args(["-m", "pip", "--version"])) {
        return Err("python3 has no pip, which downloads libtorch and MuJoCo: \
                    install it (Debian and Ubuntu: `apt install python3-pip`, elsewhere `python3 -m ensurepip`)"
            .to_owned());
    }
    Ok(())
}

fn runs(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_platform_is_told_how_to_bring_its_own() {
        assert_eq!(platform("linux", "x86_64"), Ok(()));
        for (os, arch) in [("macos", "aarch64"), ("linux", "aarch64"), ("linux with musl", "x86_64")] {
            let sentence = platform(os, arch).unwrap_err();
            assert!(sentence.contains(os) && sentence.contains("LIBTORCH_USE_PYTORCH=1"), "{sentence}");
        }
    }
}
