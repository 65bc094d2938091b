//! Text beside marks: how wide it is, how it is shortened, and how labels that want the same place share it.

/// Room between the baselines of two labels.
pub const LINE: f64 = 15.0;

/// The width of a text in Helvetica or Arial at this size; bold letters are a tenth wider. A browser's own font may differ by some percent.
#[must_use]
pub fn width(text: &str, size: f64) -> f64 {
    // Thousandths of the size: the metrics of Helvetica, letters of about the same width together.
    let letter = |letter: char| match letter {
        'i' | 'j' | 'l' | '\'' | '|' => 222.0,
        ' ' | '.' | ',' | ':' | ';' | '/' | '!' | 'I' | 'f' | 't' | '[' | ']' => 278.0,
        '\u{202f}' => 200.0,
        'r' | '-' | '(' | ')' | '*' | '{' | '}' | '`' => 333.0,
        'c' | 'k' | 's' | 'v' | 'x' | 'y' | 'z' | 'J' => 500.0,
        'm' | 'M' => 833.0,
        'w' | 'C' | 'D' | 'H' | 'N' | 'R' | 'U' | 'A' | 'B' | 'E' | 'K' | 'P' | 'S' | 'V' | 'X' | 'Y' => 705.0,
        'G' | 'O' | 'Q' => 778.0,
        'W' | '%' | '→' | '@' | '—' | '…' => 1000.0,
        other if other.is_ascii() || other.is_alphabetic() && (other as u32) < 0x2000 => 556.0,
        other if (other as u32) < 0x2e80 => 600.0,
        _ => 1000.0,
    };
    text.chars().map(letter).sum::<f64>() * size / 1000.0
}

/// The text, or its beginning and an ellipsis, within a width. Characters that no file of text may hold are replaced.
#[must_use]
pub fn fitted(text: &str, size: f64, most: f64) -> String {
    let text = plain(text);
    if width(&text, size) <= most {
        return text;
    }
    let mut short = String::new();
    for letter in text.chars() {
        if width(&short, size) + width(&format!("{letter}…"), size) > most {
            break;
        }
        short.push(letter);
    }
    short + "…"
}

/// The text in at most two lines, broken between words.
#[must_use]
pub fn lines(text: &str, size: f64, most: f64) -> Vec<String> {
    let text = plain(text);
    let breaks = || text.match_indices(' ').map(|(at, _)| at).chain([text.len()]);
    let Some(end) = breaks().take_while(|at| width(&text[..*at], size) <= most).last() else { return vec![fitted(&text, size, most)] };
    let rest = text[end..].trim_start();
    let first = vec![text[..end].to_owned()];
    if rest.is_empty() { first } else { [first, vec![fitted(rest, size, most)]].concat() }
}

/// The text without characters that XML cannot hold, or that turn what follows around.
#[must_use]
pub fn plain(text: &str) -> String {
    let allowed = |letter: char| {
        !letter.is_control()
            && !matches!(letter, '\u{fffe}' | '\u{ffff}' | '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|letter| if allowed(letter) { letter } else { '\u{fffd}' }).collect()
}

/// Places for labels as near as can be to where they want to be, `gap` apart, between `top` and `bottom` as far as there is room. In the
/// order of `wanted`.
#[must_use]
pub fn spread(wanted: &[f64], gap: f64, top: f64, bottom: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    // Blocks of labels that touch: (wish of the first, labels). Two blocks that overlap become one, whose wish is the mean of theirs.
    let mut blocks: Vec<(f64, usize)> = Vec::new();
    for index in &order {
        blocks.push((wanted[*index], 1));
        while let [.., (above, in_above), (below, in_below)] = blocks[..] {
            #[expect(clippy::cast_precision_loss, reason = "a handful of labels")]
            let (n, m) = (in_above as f64, in_below as f64);
            if above + n * gap <= below {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push(((above * n + (below - n * gap) * m) / (n + m), in_above + in_below));
        }
    }
    let mut sorted = Vec::with_capacity(wanted.len());
    for (first, count) in blocks {
        #[expect(clippy::cast_precision_loss, reason = "a handful of labels")]
        sorted.extend((0..count).map(|index| first + index as f64 * gap));
    }
    // Into the frame: first down from the top, then up from the bottom; where there is not enough room, the top stays.
    let mut floor = top;
    for place in &mut sorted {
        *place = place.max(floor);
        floor = *place + gap;
    }
    let mut ceiling = bottom;
    for place in sorted.iter_mut().rev() {
        *place = place.min(ceiling);
        ceiling = *place - gap;
    }
    let mut places = vec![0.0; wanted.len()];
    for (index, place) in order.into_iter().zip(sorted) {
        places[index] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_share_a_place() {
        assert_eq!(spread(&[50.0, 10.0], 15.0, 0.0, 100.0), [50.0, 10.0]);
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread(&[50.0, 52.0, 90.0], 10.0, 0.0, 100.0), [46.0, 56.0, 90.0]);
        assert_eq!(spread(&[0.0, 0.0, 0.0], 10.0, 0.0, 100.0), [0.0, 10.0, 20.0]);
        assert_eq!(spread(&[100.0, 99.0], 10.0, 0.0, 100.0), [100.0, 90.0]);
        assert!(spread(&[], 10.0, 0.0, 1.0).is_empty());
    }

    #[test]
    fn widths_are_about_those_of_helvetica() {
        // What a browser says of them in Liberation Sans, which has Helvetica's metrics.
        for (text, measured) in [("feature-extraction", 93.4), ("environment steps in the target", 164.8), ("a → gravity_25", 80.7)] {
            assert!((width(text, 12.0) / measured - 1.0).abs() < 0.05, "{text}: {}", width(text, 12.0));
        }
        assert_eq!(fitted("feature-extraction", 12.0, 200.0), "feature-extraction");
        assert_eq!(fitted("feature-extraction", 12.0, 50.0), "feature…");
        assert_eq!(lines("one two three", 10.0, 40.0), ["one two", "three"]);
        assert_eq!(lines("one two three", 10.0, 16.0), ["o…"]);
        assert_eq!(lines("", 10.0, 40.0), [""]);
        assert!(width(&fitted(&"W".repeat(100), 12.0, 80.0), 12.0) <= 80.0);
        assert_eq!(plain("a\u{0}b\n\u{202e}c"), "a\u{fffd}b\u{fffd}\u{fffd}c");
    }
}
