//! How big the window is. The state has the last word: it may be loaded long after the editor was made,
//! and while a window is open.

use crate::params::WINDOW;
use egui::{Context, Vec2, ViewportCommand};
use nice_plug::editor::dpi::{LogicalSize, NativeSize};
use std::time::{Duration, Instant};

/// Smallest size that shows everything, in points.
pub(crate) const SIZE_MIN: (u32, u32) = (600, 400);

/// Zooms that are taken from a state.
const ZOOM: std::ops::RangeInclusive<f32> = 1.0..=3.0;

/// Longest side of a window, in points: X11 counts pixels in 16 bits with a sign, and zooms multiply.
const SIDE_MAX: u32 = 8192;

/// Zooms that differ by less are the same.
const ZOOM_STEP: f32 = 0.01;

/// Size and zoom of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// In points, of which a zoomed window has fewer than pixels.
    pub(crate) size: (u32, u32),
    pub(crate) zoom: f32,
}

impl Place {
    /// What a state asks for, as far as it can be had: a size in points and a zoom.
    pub(crate) fn of(((width, height), zoom): ((u32, u32), f32)) -> Self {
        let size = (width.clamp(SIZE_MIN.0, SIDE_MAX), height.clamp(SIZE_MIN.1, SIDE_MAX));
        Self { size, zoom: zoom.clamp(*ZOOM.start(), *ZOOM.end()) }
    }

    /// In points.
    pub(crate) fn logical(self) -> LogicalSize<f32> {
        size_of(self.size)
    }

    /// As the DAW counts, where the system scales by so much.
    pub(crate) fn native(self, scale: f64) -> NativeSize<u32> {
        let LogicalSize { width, height } = size_of(self.size);
        let size = LogicalSize::new(width * self.zoom, height * self.zoom);
        NativeSize::from_size(size.into(), scale)
    }

    /// The smallest window for this zoom, as the DAW counts.
    pub(crate) fn native_min(self, scale: f64) -> NativeSize<u32> {
        Self { size: SIZE_MIN, ..self }.native(scale)
    }

    /// Brings the open window there; says whether it is done. The zoom comes first: the framework sizes the
    /// window by it one picture later.
    pub(crate) fn take(self, context: &Context) -> bool {
        if (context.zoom_factor() - self.zoom).abs() >= ZOOM_STEP {
            context.set_zoom_factor(self.zoom);
            return false;
        }
        let LogicalSize { width, height } = self.logical();
        let size = Vec2::new(width, height);
        if (context.content_rect().size() - size).abs().max_elem() >= 1.0 {
            context.send_viewport_cmd(ViewportCommand::InnerSize(size));
        }
        true
    }
}

/// How long a window that has no room for its zoom is waited for: the DAW was asked for a larger one.
const WAIT_MAX: Duration = Duration::from_millis(400);

/// The smallest zoom a window is drawn with, whatever its size.
const FIT_MIN: f32 = 0.5;

/// The zoom that a window has room for, where the DAW does not give it the size it asks for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fit {
    /// Since when another zoom would be right.
    since: Option<Instant>,
    /// The size of the window, unzoomed, which another zoom must not change.
    kept: Option<Vec2>,
    /// The zoom that was brought last.
    brought: Option<f32>,
}

impl Fit {
    /// Looks whether the wanted zoom fits; brings the one that does. Returns the window's new size in points
    /// when there is one.
    pub(crate) fn follow(&mut self, context: &Context, wanted: f32, now: Instant) -> Option<Vec2> {
        let zoom = context.zoom_factor();
        if let Some(kept) = self.kept.take() {
            // The framework is about to size the window by the zoom; this comes after it.
            context.send_viewport_cmd(ViewportCommand::InnerSize(kept / zoom));
            return Some(kept / zoom);
        }
        let size = context.content_rect().size() * zoom;
        let fitting = fitting(size, wanted);
        if (fitting - zoom).abs() < ZOOM_STEP {
            self.since = None;
        } else if now - *self.since.get_or_insert(now) >= WAIT_MAX {
            *self = Self { since: None, kept: Some(size), brought: Some(fitting) };
            context.set_zoom_factor(fitting);
        }
        None
    }

    /// Whether this zoom came from here, and not from the user.
    pub(crate) fn has_brought(&self, zoom: f32) -> bool {
        self.brought.is_some_and(|brought| (brought - zoom).abs() < ZOOM_STEP)
    }
}

/// The zoom at which a window of this size, unzoomed, shows as much as the usual one: text grows with the window.
pub(crate) fn following(size: Vec2) -> f32 {
    let LogicalSize { width, height } = size_of(WINDOW);
    (size.x / width).min(size.y / height).clamp(*ZOOM.start(), *ZOOM.end())
}

/// The wanted zoom, or the largest one with which everything is seen in a window of this size, unzoomed.
fn fitting(size: Vec2, wanted: f32) -> f32 {
    let LogicalSize { width, height } = size_of(SIZE_MIN);
    wanted.min((size.x / width).min(size.y / height)).max(FIT_MIN)
}

/// Whole points.
pub(crate) fn points(size: LogicalSize<f64>) -> (u32, u32) {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a window's size is a small positive number"
    )]
    let points = |side: f64| side.round() as u32;
    (points(size.width), points(size.height))
}

#[expect(clippy::cast_precision_loss, reason = "a window is smaller than 16 million points")]
pub(crate) fn size_of((width, height): (u32, u32)) -> LogicalSize<f32> {
    LogicalSize::new(width as f32, height as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_has_the_zoom_times_the_points() {
        let place = Place::of(((800, 500), 1.5));
        assert_eq!(place.native(1.0), NativeSize::new(1200, 750));
        assert_eq!(place.native_min(1.0), NativeSize::new(900, 600));
    }

    #[test]
    fn zoom_is_what_the_window_has_room_for() {
        for (size, wanted, expected) in [
            ((960.0, 600.0), 1.0, 1.0),
            ((960.0, 600.0), 2.0, 1.5),
            ((1200.0, 800.0), 2.0, 2.0),
            ((1500.0, 500.0), 3.0, 1.25),
            ((480.0, 400.0), 1.0, 0.8),
            ((10.0, 10.0), 1.0, FIT_MIN),
        ] {
            let (width, height) = size;
            assert!(
                (fitting(Vec2::new(width, height), wanted) - expected).abs() < 1e-6,
                "{size:?}"
            );
        }
    }

    #[test]
    fn zoom_that_follows_grows_with_the_window_and_never_below_1() {
        for (size, expected) in [
            ((600.0, 400.0), 1.0),
            ((960.0, 600.0), 1.0),
            ((1920.0, 1200.0), 2.0),
            ((1920.0, 900.0), 1.5),
            ((9600.0, 6000.0), 3.0),
        ] {
            let (width, height) = size;
            assert!((following(Vec2::new(width, height)) - expected).abs() < 1e-6, "{size:?}");
        }
    }

    #[test]
    fn nonsense_in_a_state_becomes_a_window_one_can_use() {
        assert_eq!(Place::of(((1, 0), 0.0)), Place { size: SIZE_MIN, zoom: 1.0 });
        assert_eq!(
            Place::of(((u32::MAX, u32::MAX), 3.0)).native(1.0),
            NativeSize::new(24_576, 24_576)
        );
        assert_eq!(Place::of(((900, 600), 1e9)), Place { size: (900, 600), zoom: 3.0 });
    }
}
