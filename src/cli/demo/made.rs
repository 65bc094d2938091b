//! What is said of a set that was made from other data.

use crate::choose::words::quoted;
use crate::cli::terminal::{self, bytes, count};
use crate::demo::making::Made;
use crate::file::disk;

/// The end of an import, of a cut or of a merge; `of` says how many episodes went in.
pub(super) fn show(made: &Made, of: Option<u64>, json: bool) {
    let (set, path) = (&made.set, made.set.path());
    if json {
        let mut value = serde_json::json!({
            "demonstrations": path, "environment": set.header().environment, "episodes": set.len(), "steps": set.steps(),
            "digest": set.digest(), "bytes": disk::size(path), "notes": made.notes,
        });
        if let Some(of) = of {
            value["episodes_in"] = of.into();
        }
        return terminal::json(&value);
    }
    let of = of.map_or_else(String::new, |of| format!(" of {}", count(of)));
    terminal::say(&format!("{}{of} episodes, {} steps in {}", count(set.len()), count(set.steps()), set.header().environment));
    terminal::say(&format!("demonstrations: {} ({})", path.display(), bytes(disk::size(path))));
    made.notes.iter().for_each(|note| terminal::say(&format!("beware: {note}")));
    terminal::note(&format!("look at them: heirloom demo inspect {}", quoted(&path.display().to_string())));
}
