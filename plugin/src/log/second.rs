//! A second of the program, as the log has it.

use crate::meters::Point;
use wavemill_core::loudness::LoudnessReading;

/// What was measured in a second, and how the whole stood at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Second {
    /// Its end in the DAW's song, in seconds; `None` where the DAW gives no position.
    pub(super) position_s: Option<f64>,
    /// Largest of the second.
    pub(super) momentary_max_lufs: Option<f32>,
    /// Largest of the second.
    pub(super) short_term_max_lufs: Option<f32>,
    /// Largest of the second.
    pub(super) true_peak_dbtp: Option<f32>,
    pub(super) integrated_lufs: Option<f64>,
    pub(super) loudness_range_lu: Option<f64>,
}

/// Points of a second.
const POINTS: u8 = 10;

/// Makes seconds of points of 100 ms. Real-time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SecondCollector {
    count: u8,
    largest: Point,
}

impl SecondCollector {
    /// Adds a point, after which the whole stands as `reading` says; `None` within a second.
    pub(crate) fn add(
        &mut self,
        point: Point,
        reading: &LoudnessReading,
        position_s: Option<f64>,
    ) -> Option<Second> {
        self.largest = self.largest.merged(point);
        self.count += 1;
        if self.count < POINTS {
            return None;
        }
        let largest = std::mem::take(self).largest;
        Some(Second {
            position_s,
            momentary_max_lufs: largest.momentary_lufs,
            short_term_max_lufs: largest.short_term_lufs,
            true_peak_dbtp: largest.true_peak_dbtp,
            integrated_lufs: reading.integrated_lufs.map(|lufs| lufs.0),
            loudness_range_lu: reading.loudness_range_lu.map(|range| range.0),
        })
    }
}

/// The first line.
pub(super) const HEADER: &str = "position,written,momentary_max_lufs,short_term_max_lufs,\
    true_peak_dbtp,integrated_lufs,loudness_range_lu\n";

impl Second {
    /// Its line, with the time at which it is written.
    pub(super) fn line(&self, written: &str) -> String {
        let position = self.position_s.map(position).unwrap_or_default();
        let values = [
            self.momentary_max_lufs.map(f64::from),
            self.short_term_max_lufs.map(f64::from),
            self.true_peak_dbtp.map(f64::from),
            self.integrated_lufs,
            self.loudness_range_lu,
        ];
        let values = values.map(|value| value.map_or(String::new(), |value| format!("{value:.2}")));
        format!("{position},{written},{}\n", values.join(","))
    }
}

/// `01:02:03.400`.
fn position(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let ms = (seconds.abs() * 1000.0).round() as u64;
    let (hours, minutes) = (ms / 3_600_000, ms / 60_000 % 60);
    format!("{sign}{hours:02}:{minutes:02}:{:02}.{:03}", ms / 1000 % 60, ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::units::Lufs;

    #[test]
    fn second_has_the_largest_of_its_points_and_the_whole_at_its_end() {
        let mut collector = SecondCollector::default();
        let mut seconds = Vec::new();
        for index in 0..20u8 {
            let lufs = -30.0 + f32::from(index % 10 == 4) * 10.0 + f32::from(index / 10);
            let point = Point { momentary_lufs: Some(lufs), ..Point::default() };
            let reading = LoudnessReading {
                integrated_lufs: Some(Lufs(-f64::from(index))),
                ..LoudnessReading::default()
            };
            seconds.extend(collector.add(point, &reading, Some(3600.0 + f64::from(index) / 10.0)));
        }
        let lines: Vec<_> = seconds.iter().map(|second| second.line("now")).collect();
        let expected =
            ["01:00:00.900,now,-20.00,,,-9.00,\n", "01:00:01.900,now,-19.00,,,-19.00,\n"];
        assert_eq!(lines, expected);
        assert_eq!(Second::default().line(""), ",,,,,,\n");
        assert_eq!(position(-1.25), "-00:00:01.250");
        assert_eq!(HEADER.split(',').count(), lines[0].split(',').count());
    }
}
