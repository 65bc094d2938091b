//! Provides Python environments for Gymnasium, on demand: one per suite, because the suites' pins exclude one another.
//!
//! A virtual environment lies in the user's cache under a name that stands for exactly its pins, and is linked into the project as
//! `.native/gymnasium` (or `.native/minigrid` and so on), where `heirloom` finds it. One that was not finished, because it was killed, lacks the mark
//! that is set at the end, and is made anew.
#![expect(clippy::disallowed_methods, reason = "the mark is an empty file that is written last")]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::failure::{self, Outcome};
use crate::{child, machine, native};

/// The word to type, what it is, its pins, and what is installed without its dependencies, whose pins are outdated.
const SUITES: [(&str, &str, &str, &[&str]); 4] = [
    ("gymnasium", "Gymnasium 1.4.0 with MuJoCo 3.17.0 and Box2D", include_str!("gymnasium/gymnasium.txt"), &[]),
    ("minigrid", "MiniGrid 3.2.0", include_str!("gymnasium/minigrid.txt"), &[]),
    ("robotics", "Gymnasium-Robotics 1.4.2 with the MuJoCo 3.11.0 that it needs", include_str!("gymnasium/robotics.txt"), &[]),
    ("simglucose", "simglucose 0.2.11", include_str!("gymnasium/simglucose.txt"), &["simglucose==0.2.11"]),
];

/// `setup --gymnasium [SUITE]`.
pub(crate) fn provide(arguments: &[String]) -> Outcome {
    let word = arguments.first().map_or("gymnasium", String::as_str);
    let names = || SUITES.map(|(name, ..)| name).join(", ");
    let suite = SUITES.into_iter().find(|(name, ..)| *name == word);
    let (name, about, pins, alone) = suite.ok_or_else(|| format!("there is no suite `{word}`: take one of {}", names()))?;
    let link = crate::root().join(".native").join(name);
    let cache = native::cache()?;
    let home = cache.join(native::name_for(name, std::iter::once(pins).chain(alone.iter().copied())));
    fs::create_dir_all(&cache).map_err(failure::at(&cache))?;
    let _lock = native::lock(&cache.join("setup.lock"))?;
    let mark = home.join("complete");
    if !mark.exists() {
        machine::check_python()?;
        child::heading(&format!("Providing {about} in {} (once per machine)", home.display()));
        fill(&home, name, alone)?;
        fs::write(&mark, "").map_err(failure::at(&mark))?;
    }
    native::point(&link, &home)?;
    println!(
        "{about}: `heirloom ... gymnasium:ID{}`",
        if name == "gymnasium" { String::new() } else { format!(" --python .native/{name}/bin/python") }
    );
    Ok(())
}

fn fill(home: &Path, name: &str, alone: &[&str]) -> Outcome {
    if home.exists() {
        fs::remove_dir_all(home).map_err(failure::at(home))?;
    }
    run(Command::new("python3").args(["-m", "venv"]).arg(home))?;
    let pip = || {
        let mut pip = Command::new(home.join("bin/python"));
        pip.args("-m pip install --disable-pip-version-check --no-input --quiet".split(' ')).env("PIP_REQUIRE_VIRTUALENV", "0");
        pip
    };
    let pins = crate::root().join(format!("xtask/src/gymnasium/{name}.txt"));
    run(pip().arg("--requirement").arg(pins))?;
    if !alone.is_empty() {
        run(pip().arg("--no-deps").args(alone))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Outcome {
    let running = child::spawn(command)?;
    child::finish(command, running)
}
