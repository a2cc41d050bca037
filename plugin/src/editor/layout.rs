//! Where things are, from the size of the window.

use super::theme::GAP;
use egui::{Rect, pos2};

/// The editor's regions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Regions {
    /// Name, target, settings.
    pub(super) header: Rect,
    /// Verdicts of several targets, as high as they need.
    pub(super) strip: Rect,
    /// Readings and verdict.
    pub(super) numbers: Rect,
    /// Momentary, short-term and peak at this moment.
    pub(super) bars: Rect,
    /// Loudness over the session.
    pub(super) history: Rect,
    pub(super) spectrum: Rect,
    pub(super) scope: Rect,
    /// Captures.
    pub(super) footer: Rect,
}

impl Regions {
    /// For a window of this rectangle, with a strip of this height.
    pub(super) fn of(window: Rect, strip: f32) -> Self {
        let window = window.shrink(GAP);
        let header_bottom = window.top() + 30.0;
        let footer_top = window.bottom() - 34.0;
        let numbers_right = window.left() + (window.width() * 0.25).clamp(176.0, 250.0);
        let bars_right = numbers_right + GAP + (window.width() * 0.09).clamp(86.0, 104.0);
        let strip_top = header_bottom + GAP;
        let gap = if strip > 0.0 { GAP } else { 0.0 };
        let (top, bottom) = (strip_top + strip + gap, footer_top - GAP);
        let plots_left = bars_right + GAP;
        let history_bottom = top + (bottom - top) * 0.52;
        let scope_side = (bottom - history_bottom - GAP).min((window.right() - plots_left) * 0.38);
        let scope_left = window.right() - scope_side;
        let rect =
            |left, top, right, bottom| Rect { min: pos2(left, top), max: pos2(right, bottom) };
        Self {
            header: rect(window.left(), window.top(), window.right(), header_bottom),
            strip: rect(window.left(), strip_top, window.right(), strip_top + strip),
            numbers: rect(window.left(), top, numbers_right, bottom),
            bars: rect(numbers_right + GAP, top, bars_right, bottom),
            history: rect(plots_left, top, window.right(), history_bottom),
            spectrum: rect(plots_left, history_bottom + GAP, scope_left - GAP, bottom),
            scope: rect(scope_left, history_bottom + GAP, window.right(), bottom),
            footer: rect(window.left(), footer_top, window.right(), window.bottom()),
        }
    }

    #[cfg(test)]
    fn all(&self) -> [Rect; 7] {
        let Self { header, strip: _, numbers, bars, history, spectrum, scope, footer } = *self;
        [header, numbers, bars, history, spectrum, scope, footer]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::Vec2;

    #[test]
    fn regions_fill_any_window_without_overlap() {
        for (width, height) in [(600.0, 400.0), (960.0, 600.0), (1200.0, 500.0), (3840.0, 2160.0)] {
            let window = Rect::from_min_size(pos2(0.0, 0.0), Vec2::new(width, height));
            let strip = if width > 1000.0 { 82.0 } else { 0.0 };
            let regions = Regions::of(window, strip);
            assert!((regions.strip.height() - strip).abs() < 0.01);
            let strip = regions.strip;
            let regions = regions.all();
            for (index, region) in regions.iter().enumerate() {
                assert!(window.contains_rect(*region), "{region}");
                assert!(!region.shrink(0.1).intersects(strip), "{region} {strip}");
                assert!(region.width() > 60.0 && region.height() >= 30.0, "{region}");
                for other in &regions[..index] {
                    assert!(!region.shrink(0.1).intersects(*other), "{region} {other}");
                }
            }
        }
    }
}
