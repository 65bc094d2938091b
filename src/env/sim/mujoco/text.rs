//! A model's text from somebody else: held against what it must not say before MuJoCo reads it.
//!
//! MuJoCo opens any file that a model names and takes any memory that it asks for, in a few words of XML. What a robot of one's own may
//! not say is refused by the names of elements and attributes.

use crate::error::{Error, Result};

/// Elements that read files, load code, or multiply what stands in them.
const ELEMENTS: [&str; 8] = ["include", "plugin", "hfield", "replicate", "composite", "flexcomp", "flex", "attach"];

/// Attributes that name folders or take memory.
const ATTRIBUTES: [&str; 4] = ["assetdir", "meshdir", "texturedir", "memory"];

/// Attributes that take memory, and how much they may: no texture is drawn here, and none needs to be larger.
const LIMITS: [(&str, f64); 6] =
    [("width", 2048.0), ("height", 2048.0), ("nstack", 1e7), ("njmax", 1e5), ("nconmax", 1e5), ("nuserdata", 1e5)];

/// A card holds the text in a text in a text: each time, quotes and line breaks are written as two signs.
const MOST: usize = 192 * 1024;

/// Checks a model's text.
///
/// # Errors
/// Exit 2; names the element or attribute, and its line.
pub(super) fn check(text: &str) -> Result<()> {
    let in_a_card = format!("{:?}", format!("{text:?}")).len();
    if in_a_card > MOST {
        return Err(
            Error::usage(format!("the model takes {in_a_card} bytes in a card, which holds {MOST}")).hint("leave out comments and spaces")
        );
    }
    let text = without_comments(text);
    let line = |at: usize| text[..at].matches('\n').count() + 1;
    let refused = |what: String, at: usize| Err(Error::usage(format!("a robot of one's own has no {what} (line {})", line(at))));
    for (at, _) in text.match_indices('<') {
        let name = identifier(&text[at + 1..]);
        if ELEMENTS.contains(&name) {
            return refused(format!("`<{name}>`"), at)
                .map_err(|error: Error| error.hint("write out what it stands for; a mesh can be given by `vertex=`"));
        }
    }
    for (at, _) in text.match_indices('=') {
        let before = text[..at].trim_end();
        let start = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map_or(0, |place| place + 1);
        let name = &before[start..];
        if name.starts_with("file") || ATTRIBUTES.contains(&name) {
            return refused(format!("attribute `{name}`"), at)
                .map_err(|error: Error| error.hint("its model is whole: it names no other file, and asks for no memory"));
        }
        if let Some((_, most)) = LIMITS.iter().find(|(limited, _)| *limited == name) {
            let value = text[at + 1..].trim_start().trim_start_matches(['"', '\'']);
            let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c))).unwrap_or(value.len());
            // What is no number is not for us to say.
            if value[..end].parse::<f64>().is_ok_and(|number| number > *most) {
                return refused(format!("`{name}` of more than {most}"), at);
            }
        }
    }
    Ok(())
}

fn identifier(text: &str) -> &str {
    &text[..text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len())]
}

/// Comments become spaces, so that lines keep their numbers.
fn without_comments(text: &str) -> String {
    let mut left = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = left.find("<!--") {
        let end = left[start..].find("-->").map_or(left.len(), |end| start + end + 3);
        kept.push_str(&left[..start]);
        kept.extend(left[start..end].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        left = &left[end..];
    }
    kept.push_str(left);
    kept
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn what_reads_files_or_takes_memory_is_refused_wherever_it_stands() {
        for text in [
            "<mujoco><include file='a.xml'/></mujoco>",
            "<mujoco><asset><mesh file = \"a.stl\"/></asset></mujoco>",
            "<mujoco><asset><texture fileright\n=\n'a.png'/></asset></mujoco>",
            "<mujoco><compiler meshdir='/etc'/></mujoco>",
            "<mujoco><size memory=\"900G\"/></mujoco>",
            "<mujoco><worldbody><replicate count='100000000'><geom size='1'/></replicate></worldbody></mujoco>",
            "<mujoco><asset><hfield nrow='60000' ncol='60000' name='h' size='1 1 1 1'/></asset></mujoco>",
            "<mujoco><asset><texture type='2d' builtin='flat' width='30000' height = '30000'/></asset></mujoco>",
            "<mujoco><asset><texture width='1e9' height='4'/></asset></mujoco>",
            "<mujoco><!-- a --><extension><plugin plugin='x'/></extension></mujoco>",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check(&"\"".repeat(100_000)).is_err());
        let error = check("<mujoco>\n<!-- <include file='no'/>\n -->\n<size memory='1M'/></mujoco>").unwrap_err();
        assert!(error.message().contains("(line 4)"), "{error}");
        check("<mujoco><!-- file='x' <include/> --><asset><texture width='512' height='512'/></asset></mujoco>").unwrap();
        for name in ["half_cheetah", "hopper", "ant", "walker2d_v5", "humanoid", "reacher", "pusher_v5", "swimmer", "inverted_pendulum"] {
            let path = format!("{}/src/env/sim/mujoco/models/{name}.xml", env!("CARGO_MANIFEST_DIR"));
            check(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}
