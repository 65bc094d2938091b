//! The wheels: pip brings them, Python's zipfile opens them, and what either says when it cannot becomes a sentence.

use std::path::Path;
use std::process::{Command, Stdio};

use super::Native;
use crate::failure::{self, Outcome};

/// pip takes a platform tag at its word and does not add the older ones it implies.
const PLATFORMS: [&str; 5] =
    ["manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_25_x86_64", "manylinux2014_x86_64", "manylinux_2_17_x86_64"];

/// Downloads what a library's list pins into `wheels`.
pub(super) fn download(native: &Native, wheels: &Path, temporary: &Path) -> Outcome {
    let mut pip = Command::new("python3");
    pip.args("-m pip download --disable-pip-version-check --no-input --retries 3".split(' '))
        .env("PIP_REQUIRE_VIRTUALENV", "0")
        // 530 MB that nobody needs twice stay out of pip's own cache and, as long as they are unfinished, off another disk.
        .arg("--no-cache-dir")
        .env("TMPDIR", temporary)
        .args("--require-hashes --no-deps --only-binary :all:".split(' '))
        // Whatever Python this machine has may fetch the wheel for 3.11: only its C++ parts are used.
        .args("--python-version 3.11 --implementation cp --abi cp311 --abi none".split(' '))
        .args(PLATFORMS.map(|platform| format!("--platform={platform}")))
        .arg("--requirement")
        .arg(crate::root().join("xtask/src/native").join(native.requirements.0))
        .arg("--dest")
        .arg(wheels);
    run(&mut pip, native.name, wheels)
}

/// Unpacks the parts that are kept of the wheels into `folder`.
pub(super) fn unpack(native: &Native, wheels: &Path, folder: &Path) -> Outcome {
    let mut python = Command::new("python3");
    python.arg("-c").arg(include_str!("unpack.py")).args([wheels, folder]).args(native.parts);
    run(&mut python, native.name, folder)
}

/// Progress goes to stderr, as ours does; complaints are kept, for the sentence at the end.
fn run(python: &mut Command, name: &str, place: &Path) -> Outcome {
    let child = python.stdout(std::io::stderr()).stderr(Stdio::piped()).spawn();
    let output = child
        .and_then(std::process::Child::wait_with_output)
        .map_err(|error| format!("python3 does not run to its end ({error}): run `cargo xtask setup` again"))?;
    if output.status.success() { Ok(()) } else { Err(sentence(&String::from_utf8_lossy(&output.stderr), name, place)) }
}

/// What pip's and Python's complaints mean to the reader.
fn sentence(complaints: &str, name: &str, place: &Path) -> String {
    let says = |words: &[&str]| words.iter().any(|word| complaints.contains(word));
    if says(&["No space left on device", "Disk quota exceeded"]) {
        failure::disk_full(place)
    } else if says(&["DO NOT MATCH THE HASHES"]) {
        format!(
            "what the package index sent is not the {name} that Heirloom pins (its SHA-256 differs): \
             run `cargo xtask setup` again, and if that does not help take another index with PIP_INDEX_URL=https://pypi.org/simple"
        )
    } else if says(&["Retrying (", "ConnectionError", "Timeout", "ProxyError", "SSLError", "not a trusted or secure host"]) {
        "pip cannot reach its package index: check the network (HTTPS_PROXY names a proxy, PIP_INDEX_URL a mirror, PIP_CERT \
         its certificates), then run `cargo xtask setup` again"
            .to_owned()
    } else if says(&["No matching distribution found"]) {
        format!(
            "pip's package index does not offer {name}: unset PIP_NO_INDEX, or name an index with all of PyPI \
             (PIP_INDEX_URL=https://pypi.org/simple), then run `cargo xtask setup` again"
        )
    } else {
        let last = complaints.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("no reason given");
        format!("{name} could not be fetched ({last}): see that `python3 -m pip download six` works, then run `cargo xtask setup` again")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_complaint_of_pip_has_its_remedy() {
        let sentence = |complaints| sentence(complaints, "libtorch", Path::new("/cache"));
        let no_index = "ERROR: Could not find a version that satisfies the requirement torch==2.13.0 (from versions: none)\n\
                        ERROR: No matching distribution found for torch==2.13.0\n";
        let no_network = format!("WARNING: Retrying (Retry(total=2)) after connection broken by 'NewConnectionError'\n{no_index}");
        assert!(sentence(no_index).contains("PIP_NO_INDEX"));
        assert!(sentence(&no_network).contains("check the network"));
        assert!(sentence("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.").contains("SHA-256"));
        assert!(sentence("OSError: [Errno 28] No space left on device\n").starts_with("the disk of /cache is full"));
        assert!(sentence("Traceback\n  ...\nValueError: odd\n\n").contains("(ValueError: odd)"));
    }
}
