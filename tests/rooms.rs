//! The map cannot lie: the order of rooms is read from `ARCHITECTURE.md`, and an import that points down fails with file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms that may not name libtorch.
const WITHOUT_TORCH: [&str; 8] = ["error", "seed", "stop", "parallel", "file", "stats", "env", "report"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The place of each room in the order: the first fenced block of the page behind the words "order of rooms".
fn order() -> BTreeMap<String, usize> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let behind = page.split_once("order of rooms").expect("the page says the order of rooms").1;
    let block = behind.split("```").nth(1).expect("a fenced block");
    let lines = block.lines().skip(1).filter(|line| !line.trim().is_empty());
    let rooms = lines.enumerate().flat_map(|(place, line)| {
        let names = line.split("  ").next().unwrap().split_whitespace();
        names.map(move |name| (name.to_owned(), place)).collect::<Vec<_>>()
    });
    rooms.collect()
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => sources(&path, into),
            path if path.extension().is_some_and(|extension| extension == "rs") => into.push(path),
            _ => {}
        }
    }
}

/// The rooms that a line names behind `crate::`, one or several in braces.
fn named(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for behind in line.split("crate::").skip(1) {
        let list = behind.strip_prefix('{').map_or(behind, |inside| inside.split('}').next().unwrap_or(inside));
        let items: Vec<&str> = if behind.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for item in items {
            let name: String = item.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            rooms.push(match name.as_str() {
                "Error" | "Result" => "error".to_owned(),
                _ => name,
            });
        }
    }
    rooms
}

#[test]
fn imports_point_up() {
    let order = order();
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    assert!(files.len() > 80);
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(root().join("src")).unwrap();
        let room = inside.components().next().unwrap().as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let Some(&place) = order.get(&room) else {
            wrong.push(format!("{}: the room `{room}` is not on the map", inside.display()));
            continue;
        };
        for (number, line) in std::fs::read_to_string(&file).unwrap().lines().enumerate() {
            let code = line.split("//").next().unwrap();
            for other in named(code) {
                match order.get(&other) {
                    Some(&above) if above < place || other == room => {}
                    Some(_) => {
                        wrong.push(format!("src/{}:{}: `{room}` imports `{other}`, which is not above it", inside.display(), number + 1));
                    }
                    None => wrong.push(format!("src/{}:{}: `{other}` is not on the map", inside.display(), number + 1)),
                }
            }
            if WITHOUT_TORCH.contains(&room.as_str()) && code.contains("tch::") {
                wrong.push(format!("src/{}:{}: `{room}` names libtorch", inside.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_map_names_the_rooms_that_there_are() {
    let library = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let mut there: Vec<&str> = library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    there.sort_unstable();
    assert_eq!(order().into_keys().collect::<Vec<_>>(), there);
}

#[test]
fn a_name_is_found_in_every_form() {
    assert_eq!(named("use crate::{env, nn::Head}; crate::file::ron"), ["env", "nn", "file"]);
    assert_eq!(named("fn f() -> crate::Result<()> {"), ["error"]);
}
