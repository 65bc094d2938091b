//! Axes: round numbers, quiet lines, and a title that is read without turning one's head.

use super::{Frame, Px, Scale, label};
use maud::{Markup, html};

/// The horizontal axis under a frame, its title under its right end.
#[must_use]
pub fn bottom(frame: Frame, scale: &Scale, about: usize, title: &str) -> Markup {
    let Frame { left, right, bottom, .. } = frame;
    let ticks = scale.ticks(about);
    html! {
        line.edge.s-rule x1=(Px(left)) x2=(Px(right)) y1=(Px(bottom)) y2=(Px(bottom)) {}
        @for (tick, text) in ticks.iter().zip(tick_labels(&ticks)) {
            @let x = scale.at(*tick);
            line.tick.s-rule x1=(Px(x)) x2=(Px(x)) y1=(Px(bottom)) y2=(Px(bottom + 5.0)) {}
            text.f-muted x=(Px(x)) y=(Px(bottom + 18.0)) text-anchor="middle" { (text) }
        }
        text.f-muted x=(Px(right)) y=(Px(bottom + 36.0)) text-anchor="end" { (label::fitted(title, 12.0, right - left)) }
    }
}

/// The vertical axis left of a frame with its lines across, its title above.
#[must_use]
pub fn left(frame: Frame, scale: &Scale, about: usize, title: &str) -> Markup {
    let Frame { left, top, right, .. } = frame;
    let ticks = scale.ticks(about);
    html! {
        @for (tick, text) in ticks.iter().zip(tick_labels(&ticks)) {
            @let y = scale.at(*tick);
            line.tick.s-grid x1=(Px(left)) x2=(Px(right)) y1=(Px(y)) y2=(Px(y)) {}
            text.f-muted x=(Px(left - 8.0)) y=(Px(y + 4.0)) text-anchor="end" { (text) }
        }
        @if !title.is_empty() {
            text.f-muted x="0" y=(Px(top - 12.0)) { (label::fitted(title, 12.0, right)) }
        }
    }
}

/// The room that the numbers of a vertical axis take to its left.
#[must_use]
pub fn room_for_numbers(scale: &Scale, about: usize) -> f64 {
    tick_labels(&scale.ticks(about)).iter().map(|text| label::width(text, 12.0)).fold(0.0, f64::max) + 10.0
}

/// Ticks as people read them: all in one unit (k, M) and with equally many decimals.
#[must_use]
pub fn tick_labels(ticks: &[f64]) -> Vec<String> {
    let greatest = ticks.iter().fold(0.0_f64, |size, tick| size.max(tick.abs()));
    let least = ticks.iter().filter(|tick| **tick != 0.0).fold(f64::INFINITY, |size, tick| size.min(tick.abs()));
    if greatest >= 1e13 || (greatest > 0.0 && greatest < 1e-4) {
        return ticks.iter().map(|tick| signed(&format!("{tick:e}"))).collect();
    }
    // On a logarithmic axis each number has the unit that suits it.
    let own_units = least.is_finite() && greatest / least > 999.0 && ticks.iter().all(|tick| *tick > 0.0);
    ticks
        .iter()
        .map(|tick| {
            let size = if own_units { *tick } else { greatest };
            let (unit, name) = match size {
                size if size >= 1e9 => (1e9, "G"),
                size if size >= 1e6 => (1e6, "M"),
                size if size >= 1e4 || (own_units && size >= 1e3) => (1e3, "k"),
                _ => (1.0, ""),
            };
            let whole = |places: i32| {
                let shifted = |tick: f64| tick / unit * 10.0_f64.powi(places);
                let near = |tick: f64| (shifted(tick) - shifted(tick).round()).abs() < 1e-6 * shifted(tick).abs().max(1.0);
                if own_units { near(*tick) } else { ticks.iter().all(|tick| near(*tick)) }
            };
            let places = (0..9).find(|places| whole(*places)).unwrap_or(9);
            let name = if *tick == 0.0 { "" } else { name };
            let decimals = if *tick == 0.0 { 0 } else { usize::try_from(places).unwrap_or(0) };
            signed(&format!("{:.decimals$}{name}", tick / unit + 0.0))
        })
        .collect()
}

fn signed(text: &str) -> String {
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_as_people_read_them() {
        assert_eq!(tick_labels(&[0.0, 100.0, 200.0]), ["0", "100", "200"]);
        assert_eq!(tick_labels(&[0.0, 5_000.0, 10_000.0]), ["0", "5k", "10k"]);
        assert_eq!(tick_labels(&[0.0, 2_500.0, 10_000.0]), ["0", "2.5k", "10.0k"]);
        assert_eq!(tick_labels(&[0.0, 500_000.0, 1_000_000.0]), ["0", "0.5M", "1.0M"]);
        assert_eq!(tick_labels(&[-0.2, -0.1, 0.0]), ["−0.2", "−0.1", "0"]);
        assert_eq!(tick_labels(&[100.0, 1e3, 1e4, 1e6]), ["100", "1k", "10k", "1M"]);
        assert_eq!(tick_labels(&[1e-6, 2e-6]), ["1e−6", "2e−6"]);
        assert_eq!(tick_labels(&[0.0, 1e14]), ["0e0", "1e14"]);
        assert!(tick_labels(&[]).is_empty());
    }

    #[test]
    fn an_axis_is_this_text() {
        let frame = Frame { left: 40.0, top: 30.0, right: 340.0, bottom: 130.0 };
        let drawn = html! {
            (left(frame, &Scale::linear([0.0, 500.0], [130.0, 30.0]), 2, "return"))
            (bottom(frame, &Scale::log([1e3, 1e5], [40.0, 340.0]), 3, "steps"))
        };
        insta::assert_snapshot!(drawn.into_string().replace("><", ">\n<"));
    }
}
