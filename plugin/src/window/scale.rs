//! From values to places.

use egui::{Rangef, Rect};

/// A linear or logarithmic axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    values: Rangef,
    places: Rangef,
    is_log: bool,
}

impl Axis {
    /// From the bottom of a rectangle to its top.
    pub(crate) fn upward(rect: Rect, low: f32, high: f32) -> Self {
        let places = Rangef::new(rect.bottom(), rect.top());
        Self { values: Rangef::new(low, high), places, is_log: false }
    }

    /// From the left of a rectangle to its right.
    pub(crate) fn rightward(rect: Rect, low: f32, high: f32) -> Self {
        let places = Rangef::new(rect.left(), rect.right());
        Self { values: Rangef::new(low, high), places, is_log: false }
    }

    /// The same, an equal place for each octave.
    pub(crate) fn octaves(rect: Rect, low: f32, high: f32) -> Self {
        Self { is_log: true, ..Self::rightward(rect, low, high) }
    }

    /// The place of a value, within the axis.
    pub(crate) fn place(&self, value: f32) -> f32 {
        let share = if self.is_log {
            (value / self.values.min).ln() / (self.values.max / self.values.min).ln()
        } else {
            (value - self.values.min) / (self.values.max - self.values.min)
        };
        self.places.min + share.clamp(0.0, 1.0) * (self.places.max - self.places.min)
    }

    /// The value at a place.
    pub(crate) fn value(&self, place: f32) -> f32 {
        let share = (place - self.places.min) / (self.places.max - self.places.min);
        if self.is_log {
            self.values.min * (self.values.max / self.values.min).powf(share)
        } else {
            self.values.min + share * (self.values.max - self.values.min)
        }
    }
}

/// Steps of a time axis, in seconds.
const TIME_STEPS_S: [f64; 14] =
    [1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0, 3600.0, 7200.0];

/// The smallest step that leaves room between labels.
pub(crate) fn time_step_s(span_s: f64, labels_max: f32) -> f64 {
    let least = span_s / f64::from(labels_max.max(1.0));
    TIME_STEPS_S.into_iter().find(|step| *step >= least).unwrap_or_else(|| {
        let day = 86_400.0;
        (least / day).ceil() * day
    })
}

/// A time as `1:05` or `2:00:05`.
pub(crate) fn clock(seconds: f64) -> String {
    if seconds <= -0.5 {
        return format!("\u{2212}{}", clock(-seconds));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a session is shorter than 584 billion years"
    )]
    let seconds = seconds.max(0.0).round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    const RECT: Rect = Rect { min: pos2(10.0, 20.0), max: pos2(110.0, 70.0) };

    #[test]
    fn places_are_within_the_rectangle_and_come_back() {
        let axis = Axis::upward(RECT, -60.0, 0.0);
        for (value, place) in [(-60.0, 70.0), (0.0, 20.0), (9.0, 20.0)] {
            assert!((axis.place(value) - place).abs() < 1e-4);
        }
        assert!((axis.value(axis.place(-23.0)) + 23.0).abs() < 1e-4);
        let axis = Axis::octaves(RECT, 20.0, 20_480.0);
        assert!((axis.place(640.0) - 60.0).abs() < 1e-3);
        assert!((axis.value(60.0) - 640.0).abs() < 0.1);
    }

    #[test]
    fn time_steps_are_round() {
        for (span_s, labels, step_s) in [
            (10.0, 6.0, 2.0),
            (300.0, 6.0, 60.0),
            (7200.0, 5.0, 1800.0),
            (500_000.0, 5.0, 172_800.0),
        ] {
            assert!((time_step_s(span_s, labels) - step_s).abs() < 1e-9);
        }
    }

    #[test]
    fn clocks_show_hours_only_when_there_are_some() {
        assert_eq!([clock(5.2), clock(65.0), clock(7205.0)], ["0:05", "1:05", "2:00:05"]);
    }
}
