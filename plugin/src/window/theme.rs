//! Colors and sizes of the editor, in one place.
//!
//! Colors are those of Okabe and Ito, which people with any kind of color vision can distinguish, two of them lighter; no
//! state is shown by color alone. All text has the contrast of WCAG 2.2's level AAA, so that there is no second theme.

use egui::style::ScrollAnimation;
use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Stroke, Visuals};
use std::sync::Arc;
use wavemill_core::typeface;

pub(crate) const GROUND: Color32 = Color32::from_rgb(0x14, 0x17, 0x1c);
pub(crate) const PANEL: Color32 = Color32::from_rgb(0x1b, 0x1f, 0x26);
/// What is chosen among its like.
pub(crate) const CHOSEN: Color32 = Color32::from_rgb(0x20, 0x25, 0x2d);
pub(crate) const GRID: Color32 = Color32::from_rgb(0x2c, 0x32, 0x3c);
pub(crate) const FAINT: Color32 = Color32::from_rgb(0xaa, 0xb4, 0xc1);
pub(crate) const TEXT: Color32 = Color32::from_rgb(0xe4, 0xe8, 0xee);

/// The signal.
pub(crate) const SIGNAL: Color32 = Color32::from_rgb(0x56, 0xb4, 0xe9);
/// Within a target.
pub(crate) const GOOD: Color32 = Color32::from_rgb(0x2a, 0xc0, 0x95);
/// Beyond a limit.
pub(crate) const BAD: Color32 = Color32::from_rgb(0xff, 0x91, 0x42);
/// What is remembered: peak hold, a reference.
pub(crate) const HELD: Color32 = Color32::from_rgb(0xf0, 0xe4, 0x42);
/// The target itself.
pub(crate) const TARGET: Color32 = Color32::from_rgb(0xe4, 0x9a, 0xc4);

/// Behind white text.
const SELECTION: Color32 = Color32::from_rgb(0x2f, 0x5b, 0x78);

/// Buttons: as they are, below the mouse, and pressed.
const BUTTONS: [Color32; 3] = [
    Color32::from_rgb(0x28, 0x2e, 0x38),
    Color32::from_rgb(0x34, 0x3c, 0x49),
    Color32::from_rgb(0x3f, 0x49, 0x59),
];

/// The ring around what the keyboard is at.
pub(crate) const FOCUS: Color32 = Color32::WHITE;

/// Room between panels.
pub(crate) const GAP: f32 = 6.0;

/// Corners of panels.
pub(crate) const CORNER: CornerRadius = CornerRadius::same(5);

pub(crate) fn font(size: f32) -> FontId {
    FontId::proportional(size)
}

/// Numbers that should stand out; digits are of one width.
pub(crate) fn digits(size: f32) -> FontId {
    FontId::monospace(size)
}

pub(crate) fn hairline(color: Color32) -> Stroke {
    Stroke::new(1.0, color)
}

/// Lets a color shine through.
pub(crate) fn veil(color: Color32, share: f32) -> Color32 {
    color.gamma_multiply(share)
}

/// Sets the theme of egui.
pub(crate) fn apply(context: &egui::Context) {
    let mut visuals = Visuals::dark();
    visuals.panel_fill = GROUND;
    visuals.window_fill = PANEL;
    visuals.extreme_bg_color = GROUND;
    visuals.override_text_color = Some(TEXT);
    visuals.selection.bg_fill = SELECTION;
    visuals.selection.stroke = hairline(Color32::WHITE);
    visuals.widgets.noninteractive.bg_stroke = hairline(GRID);
    visuals.widgets.inactive.weak_bg_fill = BUTTONS[0];
    visuals.widgets.hovered.weak_bg_fill = BUTTONS[1];
    visuals.widgets.active.weak_bg_fill = BUTTONS[2];
    context.set_visuals(visuals);
    context.set_fonts(fonts());
    // Words are no controls: nothing about them is marked or copied.
    context.all_styles_mut(|style| style.interaction.selectable_labels = false);
}

/// Whether lists open and scroll in motion.
pub(crate) fn animate(context: &egui::Context, is_animated: bool) {
    let time_s = if is_animated { egui::Style::default().animation_time } else { 0.0 };
    if (context.global_style().animation_time - time_s).abs() > 1e-6 {
        context.all_styles_mut(|style| {
            style.animation_time = time_s;
            style.scroll_animation =
                if is_animated { ScrollAnimation::default() } else { ScrollAnimation::none() };
        });
    }
}

/// The one typeface in two weights: text in the first, numbers in the second.
fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::empty();
    for (family, name, bytes) in [
        (FontFamily::Proportional, "regular", typeface::REGULAR),
        (FontFamily::Monospace, "medium", typeface::MEDIUM),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
        fonts.families.insert(family, vec![name.to_owned()]);
    }
    fonts
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Colors that mean something. Source of the names: above.
    const MEANINGS: [(&str, Color32); 6] = [
        ("signal", SIGNAL),
        ("good", GOOD),
        ("bad", BAD),
        ("held", HELD),
        ("target", TARGET),
        ("text", TEXT),
    ];

    /// Linear light as someone sees it whose long, middle or short cones are missing.
    ///
    /// Source: Machado, Oliveira, Fernandes, "A Physiologically-based Model for Simulation of Color Vision
    /// Deficiency", 2009, table 1, severity 1.0.
    const SIGHTS: [(&str, [[f32; 3]; 3]); 4] = [
        ("all cones", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]),
        (
            "protanopia",
            [
                [0.152286, 1.052583, -0.204868],
                [0.114503, 0.786281, 0.099216],
                [-0.003882, -0.048116, 1.051998],
            ],
        ),
        (
            "deuteranopia",
            [
                [0.367322, 0.860646, -0.227968],
                [0.280085, 0.672501, 0.047413],
                [-0.011820, 0.042940, 0.968881],
            ],
        ),
        (
            "tritanopia",
            [
                [1.255528, -0.076749, -0.178779],
                [-0.078411, 0.930809, 0.147602],
                [0.004733, 0.691367, 0.303900],
            ],
        ),
    ];

    /// CIE L*a*b* under D65. Source: CIE 15:2004, 8.2.1; IEC 61966-2-1 for sRGB.
    fn lab(color: Color32, sight: [[f32; 3]; 3]) -> [f32; 3] {
        let [r, g, b, _] = egui::Rgba::from(color).to_array();
        let seen = sight.map(|row| (row[0] * r + row[1] * g + row[2] * b).clamp(0.0, 1.0));
        let to_xyz = [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ];
        let white = [0.95047, 1.0, 1.08883];
        let mut f = [0.0f32; 3];
        for (f, (row, white)) in f.iter_mut().zip(to_xyz.iter().zip(white)) {
            let t = row.iter().zip(seen).map(|(weight, light)| weight * light).sum::<f32>() / white;
            *f = if t > 0.008856 { t.cbrt() } else { 7.787 * t + 16.0 / 116.0 };
        }
        [116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])]
    }

    /// What two colors differ by at least: four times what one can just see. Source of that: Mahy, Van
    /// Eycken, Oosterlinck, "Evaluation of Uniform Color Spaces", 1994: 2.3.
    const DIFFERENCE_MIN: f32 = 4.0 * 2.3;

    /// The same for what passes and what does not.
    const VERDICTS_MIN: f32 = 3.0 * DIFFERENCE_MIN;

    #[test]
    fn colors_differ_for_any_color_vision() {
        for (name, sight) in SIGHTS {
            for (index, (one, color)) in MEANINGS.into_iter().enumerate() {
                for (other, another) in &MEANINGS[..index] {
                    let squares = lab(color, sight).into_iter().zip(lab(*another, sight));
                    let squares = squares.map(|(a, b)| (a - b) * (a - b));
                    let difference = squares.sum::<f32>().sqrt();
                    let is_verdict = [one, other] == ["bad", "good"];
                    let min = if is_verdict { VERDICTS_MIN } else { DIFFERENCE_MIN };
                    assert!(difference >= min, "{name}: {one} and {other}: {difference}");
                }
            }
        }
    }

    /// Source: WCAG 2.2, "relative luminance" and "contrast ratio".
    fn contrast(one: Color32, other: Color32) -> f32 {
        let luminance = |color| {
            let [r, g, b, _] = egui::Rgba::from(color).to_array();
            0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    /// Source: WCAG 2.2, success criteria 1.4.6 and 1.4.11.
    #[test]
    fn text_has_enhanced_contrast_and_what_is_drawn_enough() {
        for color in [FAINT, TEXT, SIGNAL, GOOD, BAD, HELD, TARGET] {
            for ground in [GROUND, PANEL] {
                let contrast = contrast(color, ground);
                assert!(contrast >= 7.0, "{color:?} on {ground:?}: {contrast}");
            }
        }
        let others = BUTTONS.iter().map(|button| (TEXT, *button));
        let others = others.chain([(Color32::WHITE, SELECTION), (TEXT, CHOSEN), (FAINT, CHOSEN)]);
        for (color, ground) in others {
            let contrast = contrast(color, ground);
            assert!(contrast >= 7.0, "{color:?} on {ground:?}: {contrast}");
        }
        assert!(contrast(SIGNAL, CHOSEN) >= 3.0 && contrast(FOCUS, PANEL) >= 3.0);
    }
}
