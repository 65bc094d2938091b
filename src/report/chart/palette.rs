//! Colours: six that people with any colour vision tell apart, one neutral, and the paper they are on, each for light and for dark.
//!
//! Colours are classes. A class names a plain colour first, which every program that reads SVG understands, and where custom
//! properties exist it takes one of those, which follow the reader's scheme and may be set from outside.

/// Name, on light paper, on dark paper.
type Entry = (&'static str, &'static str, &'static str);

/// Machado et al. (2009) for the three colour blindnesses, then `OKLab`: no two of the first five are nearer than 0.08 (see the test).
/// A seventh curve takes the first colour again, dashed.
const MARKS: [Entry; 7] = [
    ("neutral", "#3f454d", "#d3d8de"),
    ("c0", "#93428f", "#c968b4"),
    ("c1", "#1769d2", "#4a8df6"),
    ("c2", "#c25400", "#e8590c"),
    ("c3", "#2b9f79", "#7cc48c"),
    ("c4", "#7a0f2b", "#f2c440"),
    ("c5", "#b07fcb", "#b9aaf0"),
];

const SURFACES: [Entry; 6] = [
    ("paper", "#ffffff", "#14161a"),
    ("raised", "#f6f7f9", "#1c1f24"),
    ("ink", "#16191d", "#e9ebee"),
    ("muted", "#5b636e", "#a0a8b3"),
    ("rule", "#c9ced5", "#434a54"),
    ("grid", "#e8ebee", "#272b31"),
];

/// A colour of the palette, with the dashes that tell it from its namesakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    entry: usize,
    dashes: &'static str,
}

impl Colour {
    /// For what everything else is compared with.
    pub const NEUTRAL: Self = Self { entry: 0, dashes: "" };

    /// The colour of the n-th thing: the first four are solid and far apart, those that follow are dashed as well.
    #[must_use]
    pub fn nth(index: usize) -> Self {
        let dashes = match index {
            0..4 => "",
            4..10 => "7 3",
            10..16 => "7 3 1.5 3",
            _ => "2 3",
        };
        Self { entry: 1 + index % (MARKS.len() - 1), dashes }
    }

    /// The class that fills.
    #[must_use]
    pub fn fill(self) -> String {
        format!("f-{}", MARKS[self.entry].0)
    }

    /// The class that strokes.
    #[must_use]
    pub fn stroke(self) -> String {
        format!("s-{}", MARKS[self.entry].0)
    }

    /// The pattern of a line's dashes, where it has one.
    #[must_use]
    pub fn dashes(self) -> Option<&'static str> {
        Some(self.dashes).filter(|dashes| !dashes.is_empty())
    }
}

/// The classes, as CSS.
#[must_use]
pub fn css() -> String {
    let each = |write: &dyn Fn(&Entry) -> String| MARKS.iter().chain(&SURFACES).map(write).collect::<Vec<_>>().concat();
    let plain = each(&|(name, light, _)| format!(".f-{name}{{fill:{light}}}.s-{name}{{stroke:{light}}}\n"));
    let light = each(&|(name, light, _)| format!("--{name}:{light};"));
    let dark = each(&|(name, _, dark)| format!("--{name}:{dark};"));
    let themed = each(&|(name, ..)| format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}\n"));
    let dark = format!("@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}");
    format!("{plain}@supports (color:var(--ink)){{\n:root{{{light}}}\n{dark}\n{themed}}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Linear light of `#rrggbb`.
    fn linear(colour: &str) -> [f64; 3] {
        let channel = |at: usize| f64::from(u8::from_str_radix(&colour[at..at + 2], 16).unwrap()) / 255.0;
        [1, 3, 5].map(channel).map(|value| if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) })
    }

    /// Contrast by WCAG 2.2.
    fn contrast(one: &str, other: &str) -> f64 {
        let luminance =
            |colour: &str| linear(colour).iter().zip([0.2126, 0.7152, 0.0722]).map(|(light, weight)| light * weight).sum::<f64>() + 0.05;
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    fn through(matrix: [[f64; 3]; 3], [r, g, b]: [f64; 3]) -> [f64; 3] {
        matrix.map(|row| (row[0] * r + row[1] * g + row[2] * b).clamp(0.0, 1.0))
    }

    fn oklab(light: [f64; 3]) -> [f64; 3] {
        let product = |m: [[f64; 3]; 3], v: [f64; 3]| m.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2]);
        let cones =
            product([[0.412_221, 0.536_333, 0.051_446], [0.211_903, 0.680_700, 0.107_397], [0.088_302, 0.281_719, 0.629_979]], light);
        product(
            [[0.210_454, 0.793_618, -0.004_072], [1.977_998, -2.428_592, 0.450_594], [0.025_904, 0.782_772, -0.808_676]],
            cones.map(f64::cbrt),
        )
    }

    #[test]
    fn every_colour_stands_out_from_its_paper() {
        for (name, light, dark) in MARKS {
            assert!(contrast(light, SURFACES[0].1) >= 3.0 && contrast(dark, SURFACES[0].2) >= 4.0, "{name}");
        }
        for text in [SURFACES[2], SURFACES[3]] {
            for paper in [SURFACES[0], SURFACES[1]] {
                assert!(contrast(text.1, paper.1) >= 4.5 && contrast(text.2, paper.2) >= 4.5, "{} on {}", text.0, paper.0);
            }
        }
    }

    #[test]
    fn the_first_five_are_apart_for_every_eye() {
        const SEEN_BY: [(&str, [[f64; 3]; 3]); 4] = [
            ("most", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
            ("protanopes", [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]]),
            ("deuteranopes", [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]]),
            ("tritanopes", [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]]),
        ];
        let first = &MARKS[..5];
        for (who, matrix) in SEEN_BY {
            for (index, one) in first.iter().enumerate() {
                for other in &first[..index] {
                    for (a, b) in [(one.1, other.1), (one.2, other.2)] {
                        let (a, b) = (oklab(through(matrix, linear(a))), oklab(through(matrix, linear(b))));
                        let distance = a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
                        assert!(distance >= 0.08, "{who} see {} and {} at {distance:.3}", one.0, other.0);
                    }
                }
            }
        }
    }

    #[test]
    fn colours_repeat_with_other_dashes() {
        let all: Vec<Colour> = (0..16).map(Colour::nth).collect();
        assert!(all.iter().enumerate().all(|(index, colour)| !all[..index].contains(colour)));
        assert_eq!(Colour::nth(0).stroke(), "s-c0");
        assert_eq!(Colour::NEUTRAL.fill(), "f-neutral");
    }
}
