//! A page: one HTML file that loads nothing, sends nothing, and runs no script but the one that it was written with.
//!
//! Its Content-Security-Policy allows the inline styles and scripts whose SHA-256 it names and forbids all else: what a hostile name
//! might smuggle in would not run.

use super::chart::{figure, label};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

/// A page before it is text.
pub struct Page<'a> {
    /// The browser's title.
    pub title: &'a str,
    /// Its own rules, beside those of every page.
    pub style: &'a str,
    /// Its script.
    pub script: &'a str,
    /// What is inside `<body>`.
    pub body: Markup,
}

impl Page<'_> {
    /// The page as HTML.
    #[must_use]
    pub fn text(&self) -> String {
        let figures = figure::style();
        let style = [include_str!("page.css"), self.style].concat();
        let policy = format!(
            "default-src 'none'; style-src {} {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
            source(&figures),
            source(&style),
            source(self.script)
        );
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta http-equiv="Content-Security-Policy" content=(policy);
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta name="referrer" content="no-referrer";
                    meta name="generator" content=(concat!("heirloom ", env!("CARGO_PKG_VERSION")));
                    title { (label::plain(self.title)) }
                    // Without one, a browser asks the server for it.
                    link rel="icon" href="data:,";
                    style id="figure-style" { (PreEscaped(&figures)) }
                    style { (PreEscaped(&style)) }
                }
                body {
                    (self.body)
                    script { (PreEscaped(self.script)) }
                }
            }
        };
        page.into_string() + "\n"
    }
}

/// A value as JSON in an element that a script reads. Nothing in it can end the element.
#[must_use]
pub fn json(id: &str, value: &serde_json::Value) -> Markup {
    html! { script type="application/json" id=(id) { (PreEscaped(value.to_string().replace('<', "\\u003c"))) } }
}

/// The hash by which a policy allows an inline text.
fn source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0_usize, |bits, index| bits << 8 | usize::from(group.get(index).copied().unwrap_or(0)));
        (0..4)
            .map(move |index| if index <= group.len() { char::from(ALPHABET[bits >> (18 - 6 * index) & 63]) } else { '=' })
            .collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_by_rfc_4648() {
        let cases = [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")];
        assert!(cases.iter().all(|(bytes, text)| base64(bytes.as_bytes()) == *text));
        assert_eq!(source(""), "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='");
    }

    #[test]
    fn nothing_inside_json_ends_its_element() {
        let text = json("film", &serde_json::json!({"</script><b>": "<!--"})).into_string();
        assert_eq!(text, r#"<script type="application/json" id="film">{"\u003c/script>\u003cb>":"\u003c!--"}</script>"#);
    }
}
