//! The head of a picture: the file on the left, its numbers on the right.

use super::font::Font;
use super::scene::{Anchor, Area, Scene, Spot, Text, Weight};
use super::theme::Ink;
use super::{Numbers, Picture};

const TITLE_SIZE: f64 = 20.0;
const SUBTITLE_SIZE: f64 = 12.0;
const NUMBER_SIZE: f64 = 20.0;
const UNIT_SIZE: f64 = 11.0;
const TITLE_Y: f64 = 34.0;
const SUBTITLE_Y: f64 = 54.0;
/// Between two numbers.
const NUMBER_GAP: f64 = 26.0;

/// A number and what it is.
struct Figure {
    number: String,
    unit: &'static str,
    ink: Ink,
}

pub(super) fn draw(scene: &mut Scene, area: &Area, picture: &Picture<'_>) {
    let (regular, medium) = (Font::new(Weight::Regular), Font::new(Weight::Medium));
    let mut right = area.right();
    // Where it is narrow, the last numbers are left out: the title needs half of the width.
    for figure in figures(&picture.numbers).into_iter().rev() {
        let width =
            medium.width(&figure.number, NUMBER_SIZE).max(regular.width(figure.unit, UNIT_SIZE));
        if right - width < area.x + area.width / 2.0 {
            break;
        }
        let text = |y, weight, size, ink, content| Text {
            at: Spot { x: right, y },
            anchor: Anchor::End,
            weight,
            size,
            ink,
            content,
        };
        scene.text(text(TITLE_Y, Weight::Medium, NUMBER_SIZE, figure.ink, figure.number));
        let unit = figure.unit.to_owned();
        scene.text(text(SUBTITLE_Y, Weight::Regular, UNIT_SIZE, Ink::Muted, unit));
        right -= width.ceil() + NUMBER_GAP;
    }
    let room = right - area.x;
    let text = |y, weight, size, ink, content| Text {
        at: Spot { x: area.x, y },
        anchor: Anchor::Start,
        weight,
        size,
        ink,
        content,
    };
    let title = medium.cut(picture.title, TITLE_SIZE, room);
    scene.text(text(TITLE_Y, Weight::Medium, TITLE_SIZE, Ink::Text, title));
    let subtitle = regular.cut(picture.subtitle, SUBTITLE_SIZE, room);
    scene.text(text(SUBTITLE_Y, Weight::Regular, SUBTITLE_SIZE, Ink::Muted, subtitle));
}

fn figures(numbers: &Numbers) -> Vec<Figure> {
    let figure = |number: Option<String>, unit, ink| {
        number.map(|number| Figure { number: number.replace('-', "\u{2212}"), unit, ink })
    };
    let peak = numbers.true_peak_dbtp;
    // As shown: red and `0.0` would contradict each other.
    let is_over = |peak: wavemill_audio::units::Dbtp| peak.0 >= 0.05;
    let peak_ink = if peak.is_some_and(is_over) { Ink::Clip } else { Ink::Text };
    let loudness = numbers.integrated_lufs.map(|lufs| format!("{:.1}", lufs.0));
    let range = numbers.loudness_range_lu.map(|range| format!("{:.1}", range.0));
    let peak = peak.map(|peak| format!("{:.1}", peak.0));
    let clipped = (numbers.clipped_samples > 0).then(|| grouped(numbers.clipped_samples));
    [
        figure(clipped, "clipped samples", Ink::Clip),
        figure(loudness, "LUFS", Ink::Text),
        figure(range, "LU range", Ink::Text),
        figure(peak, "dBTP", peak_ink),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// `1234567` as `1 234 567`.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_three_digits() {
        assert_eq!(grouped(7), "7");
        assert_eq!(grouped(123_456), "123\u{a0}456");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
    }
}
