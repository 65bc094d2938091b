//! A figure: SVG inside a page, or a file of its own.

use super::{label, palette};
use maud::{Markup, PreEscaped, html};
use std::fmt;

/// A finished drawing.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Unique in its page; the ids of its parts begin with it.
    pub id: String,
    /// What it shows, for readers that do not see it.
    pub title: String,
    /// What is to be seen in it, for the same.
    pub description: String,
    /// Width and height in pixels at natural size.
    pub size: [f64; 2],
    /// The marks.
    pub marks: Markup,
}

/// A rectangle on the paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// The left edge.
    pub left: f64,
    /// The upper edge.
    pub top: f64,
    /// The right edge.
    pub right: f64,
    /// The lower edge.
    pub bottom: f64,
}

impl Figure {
    /// The drawing for a page that has [`style`].
    #[must_use]
    pub fn in_page(&self) -> Markup {
        self.svg(None, &html! {})
    }

    /// The drawing as the text of an `.svg` file: its colours follow the reader's scheme, its paper too.
    #[must_use]
    pub fn stand_alone(&self) -> String {
        let style = html! { style { (PreEscaped(style())) } rect.f-paper width="100%" height="100%" {} };
        self.svg(Some("http://www.w3.org/2000/svg"), &style).into_string() + "\n"
    }

    fn svg(&self, namespace: Option<&str>, style: &Markup) -> Markup {
        let [width, height] = self.size.map(Px);
        let (title, description) = (format!("{}-title", self.id), format!("{}-description", self.id));
        html! {
            svg.figure xmlns=[namespace] id=(self.id) viewBox=(format!("0 0 {width} {height}")) width=(width) height=(height) role="img"
                aria-labelledby=(format!("{title} {description}")) {
                title id=(title) { (label::plain(&self.title)) }
                desc id=(description) { (label::plain(&self.description)) }
                (style)
                (self.marks)
            }
        }
    }
}

/// One figure in two layouts, of which a page shows the one that fits.
#[must_use]
pub fn wide_and_narrow(wide: &Figure, narrow: &Figure) -> Markup {
    html! {
        div.wide { (wide.in_page()) }
        div.narrow { (narrow.in_page()) }
    }
}

/// The style of all figures.
#[must_use]
pub fn style() -> String {
    palette::css() + include_str!("figure.css")
}

/// A place on the paper, to a tenth of a pixel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Px(pub f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Adding zero turns a negative zero around.
        let tenths = (self.0 * 10.0).round() / 10.0 + 0.0;
        write!(f, "{}", if tenths.is_finite() { tenths } else { 0.0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_short() {
        assert_eq!([1.0, 0.26, -0.04, 1234.56, f64::NAN].map(|value| Px(value).to_string()), ["1", "0.3", "0", "1234.6", "0"]);
    }

    #[test]
    fn a_file_of_its_own_brings_its_style_and_paper() {
        let figure = Figure {
            id: "f".into(),
            title: "</title><script>".into(),
            description: "\u{0}".into(),
            size: [10.0, 5.0],
            marks: html! { circle.f-c1 r="1" {} },
        };
        let text = figure.stand_alone();
        assert!(text.starts_with("<svg class=\"figure\" xmlns=\"http://www.w3.org/2000/svg\" id=\"f\" viewBox=\"0 0 10 5\""));
        assert!(text.contains("&lt;/title&gt;&lt;script&gt;") && text.contains("<desc id=\"f-description\">\u{fffd}</desc>"));
        assert!(text.contains("<rect class=\"f-paper\"") && text.contains(".f-c1{fill:#93428f}") || text.contains(".f-c1{fill:#1769d2}"));
        assert!(!figure.in_page().into_string().contains("xmlns"));
    }
}
