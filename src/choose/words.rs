//! Commands as they are written down: on cards, in reports, in what is typed next.

use std::path::Path;

/// A word as a shell takes it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', "'\\''")) }
}

/// ` --set` and ` --config` as they were typed.
#[must_use]
pub fn settings(config: Option<&Path>, set: &[String]) -> String {
    let config = config.map(|path| format!(" --config {}", quoted(&path.display().to_string())));
    let set = set.iter().map(|text| format!(" --set {}", quoted(text)));
    config.into_iter().chain(set).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_typed() {
        assert_eq!(quoted("ppo.learning_rate=3e-4"), "ppo.learning_rate=3e-4");
        assert_eq!(quoted("ppo.actor=[32, 32]"), "'ppo.actor=[32, 32]'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(settings(Some(Path::new("my config.ron")), &["a=1".into()]), " --config 'my config.ron' --set a=1");
    }
}
