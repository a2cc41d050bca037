//! Markers of overs and misses for DAWs and editors.

use super::export::Session;
use super::overs;
use super::verdict::Mark;
use crate::meters::Point;
use std::fmt::Write as _;

/// Something to look at.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Marker {
    /// Its place in the song, or since the last reset, in seconds.
    at_s: f64,
    /// 0 for a place without a length.
    length_s: f64,
    words: String,
}

/// A miss of the whole program at its start, then each passage beyond a limit.
pub(super) fn of(session: &Session<'_>) -> Vec<Marker> {
    let (history, standing) = (session.history, session.standing);
    let (mark, headline) = standing.headline();
    let miss = (mark == Mark::Fail).then(|| {
        let target = standing.target.as_ref().map_or("", |target| &target.name);
        Marker { at_s: history.start_s, length_s: 0.0, words: format!("{target}: {headline}") }
    });
    let overs = overs::of(history, standing).into_iter().map(|over| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places")]
        let place = |at_s: f64| (at_s / history.point_s).round() as usize;
        let points = place(over.at_s)..place(over.at_s + over.length_s).min(history.points.len());
        let points = history.points.get(points).unwrap_or_default();
        let loudest = points.iter().fold(Point::default(), |all, point| all.merged(*point));
        let limits = [standing.loud_lufs(), standing.peak_max_dbtp()];
        Marker {
            at_s: history.start_s + over.at_s,
            length_s: over.length_s,
            words: words(loudest, limits),
        }
    });
    miss.into_iter().chain(overs).collect()
}

/// What is beyond its limit.
fn words(loudest: Point, [loud, peak]: [Option<f32>; 2]) -> String {
    let beyond = |name: &str, value: Option<f32>, limit: Option<f32>, unit: &str| {
        let (value, limit) = value.zip(limit).filter(|(value, limit)| value > limit)?;
        Some(format!("{name} {value:.1} {unit} (limit {limit:.1})"))
    };
    let parts = [
        beyond("true peak", loudest.true_peak_dbtp, peak, "dBTP"),
        beyond("short-term", loudest.short_term_lufs, loud, "LUFS"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// As REAPER's Region/Marker Manager imports them. Places without a length are markers, others regions.
///
/// Source: files that REAPER 6 and 7 export, with the ruler in minutes and seconds.
pub(super) fn reaper_csv(markers: &[Marker]) -> String {
    let mut csv = "#,Name,Start,End,Length\n".to_owned();
    for (number, marker) in (1..).zip(markers) {
        let name = marker.words.replace('"', "'");
        let start = minutes(marker.at_s);
        let _ = if marker.length_s > 0.0 {
            let (end, length) = (minutes(marker.at_s + marker.length_s), minutes(marker.length_s));
            writeln!(csv, "R{number},\"{name}\",{start},{end},{length}")
        } else {
            writeln!(csv, "M{number},\"{name}\",{start},,")
        };
    }
    csv
}

/// `1:05.250`.
fn minutes(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let ms = (seconds.abs() * 1000.0).round() as u64;
    format!("{sign}{}:{:02}.{:03}", ms / 60_000, ms / 1000 % 60, ms % 1000)
}

/// A label track. Source: Audacity Manual, "Importing and Exporting Labels".
pub(super) fn audacity_labels(markers: &[Marker]) -> String {
    let line = |marker: &Marker| {
        let (start, end) = (marker.at_s, marker.at_s + marker.length_s);
        format!("{start:.6}\t{end:.6}\t{}\n", marker.words)
    };
    markers.iter().map(line).collect()
}

/// Markers of a timeline as `DaVinci` Resolve has them: events of CMX 3600 with a comment of color, name and
/// length. Timecode without dropped frames; an EDL does not say how many frames a second has.
pub(super) fn edl(markers: &[Marker], frames_per_second: u32) -> String {
    let mut edl = "TITLE: Wavemill\nFCM: NON-DROP FRAME\n\n".to_owned();
    let rate = f64::from(frames_per_second);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place")]
    let frames = |seconds: f64| (seconds.max(0.0) * rate).round() as u64;
    // The format has three digits for an event's number.
    for (number, marker) in (1..=999).zip(markers) {
        let start = frames(marker.at_s);
        let length = frames(marker.length_s).max(1);
        let [from, to] = [start, start + 1].map(|frame| timecode(frame, frames_per_second.into()));
        let name = marker.words.replace('|', "/");
        let _ = write!(
            edl,
            "{number:03}  001      V     C        {from} {to} {from} {to}  \n \
             |C:ResolveColorRed |M:{name} |D:{length}\n\n"
        );
    }
    edl
}

/// `hh:mm:ss:ff`.
fn timecode(frame: u64, per_second: u64) -> String {
    let (seconds, frame) = (frame / per_second, frame % per_second);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}:{frame:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::verdict::TargetState;
    use crate::meters::Snapshot;
    use crate::plugin::SharedState;

    fn marked(start_s: f64) -> Vec<Marker> {
        let desk = SharedState::default();
        desk.shared.readings.integrated_lufs.set(Some(-20.0));
        desk.shared.readings.true_peak_dbtp.set(Some(0.5));
        let mut standing = TargetState::new();
        standing.update(&desk);
        let steady = Point { short_term_lufs: Some(-23.0), ..Point::default() };
        let mut points = vec![steady; 1_000];
        for point in &mut points[650..655] {
            point.true_peak_dbtp = Some(0.5);
        }
        points[800].short_term_lufs = Some(-12.0);
        let history = Snapshot { points, point_s: 0.1, start_s };
        let readings = &desk.shared.readings;
        of(&Session { readings, music: None, history: &history, standing: &standing, part_s: None })
    }

    #[test]
    fn miss_and_overs_are_marked_where_they_are_in_the_song() {
        let markers = marked(3600.0);
        let words: Vec<_> = markers.iter().map(|marker| marker.words.as_str()).collect();
        assert!(words[0].starts_with("EBU R 128") && words[0].ends_with("3.0 LU too loud"));
        assert_eq!(words[1], "true peak 0.5 dBTP (limit -1.0)");
        assert_eq!(words[2], "short-term -12.0 LUFS (limit -18.0)");
        let places: Vec<_> = markers
            .iter()
            .map(|marker| ((marker.at_s * 10.0).round(), (marker.length_s * 10.0).round()))
            .collect();
        assert_eq!(places, [(36_000.0, 0.0), (36_650.0, 5.0), (36_800.0, 1.0)]);
    }

    #[test]
    fn reaper_has_markers_and_regions() {
        let csv = reaper_csv(&marked(0.0)[..2]);
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[0], "#,Name,Start,End,Length");
        assert!(lines[1].starts_with("M1,\"EBU R 128") && lines[1].ends_with("\",0:00.000,,"));
        assert_eq!(lines[2], "R2,\"true peak 0.5 dBTP (limit -1.0)\",1:05.000,1:05.500,0:00.500");
    }

    #[test]
    fn audacity_has_labels_with_seconds() {
        let labels = audacity_labels(&marked(0.0)[1..2]);
        assert_eq!(labels, "65.000000\t65.500000\ttrue peak 0.5 dBTP (limit -1.0)\n");
    }

    #[test]
    fn edl_has_timecode_of_its_rate() {
        let edl = edl(&marked(3600.0)[1..2], 25);
        // 0.5 s are 12.5 frames.
        assert_eq!(
            edl,
            "TITLE: Wavemill\nFCM: NON-DROP FRAME\n\n\
             001  001      V     C        01:01:05:00 01:01:05:01 01:01:05:00 01:01:05:01  \n \
             |C:ResolveColorRed |M:true peak 0.5 dBTP (limit -1.0) |D:13\n\n"
        );
        assert_eq!(timecode(3600 * 30 + 29, 30), "01:00:00:29");
    }
}
