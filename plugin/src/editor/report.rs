//! The report for people: the page of `analyze --html`, of what was measured here.

use super::export::Session;
use super::verdict;
use crate::meters::{Passage, Snapshot};
use crate::plugin::SharedState;
use crate::window::scale::clock;
use wavemill_core::analysis::Analysis;
use wavemill_core::audio::SampleFormat;
use wavemill_core::delivery::{JudgedFile, judge};
use wavemill_core::loudness::{HistoryPoint, LoudnessReport};
use wavemill_core::units::{Dbtp, Lu, Lufs, Seconds};
use wavemill_pipelines::report::FileFacts;
use wavemill_pipelines::report::html::{Page, PageFile, Signal, render};

/// Of everything that is shown.
pub(super) fn whole(session: &Session<'_>, desk: &SharedState) -> String {
    let report = LoudnessReport {
        invalid_samples: desk.shared.invalid_samples(),
        ..verdict::report(session.readings)
    };
    let measured_s = session.readings.measured_s.get().map(f64::from);
    page(session, desk, report, history(session.history, None), (measured_s, ""))
}

/// Of a part of the song, in seconds, which was measured on the timeline.
pub(super) fn part(
    session: &Session<'_>,
    desk: &SharedState,
    (from_s, to_s): (f64, f64),
) -> String {
    let passage = desk.shared.timeline.passage(from_s, to_s);
    let words = format!("{} to {}", clock(from_s), clock(to_s));
    let history = history(session.history, Some((from_s, to_s)));
    page(session, desk, loudness(&passage), history, (Some(passage.measured_s), &words))
}

fn loudness(passage: &Passage) -> LoudnessReport {
    let loudness = passage.loudness;
    let true_peak_dbtp = passage.true_peak_dbtp.map(Dbtp);
    let ratio = true_peak_dbtp.zip(loudness.integrated_lufs);
    LoudnessReport {
        integrated_lufs: loudness.integrated_lufs,
        loudness_range_lu: loudness.loudness_range_lu,
        momentary_max_lufs: loudness.momentary_max_lufs,
        short_term_max_lufs: loudness.short_term_max_lufs,
        true_peak_dbtp,
        peak_to_loudness_lu: ratio.map(|(peak, integrated)| Lu(peak.0 - integrated.0)),
        ..LoudnessReport::default()
    }
}

/// The curve, counted from its start.
fn history(snapshot: &Snapshot, part: Option<(f64, f64)>) -> Vec<HistoryPoint> {
    let (from_s, to_s) = part.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let begin_s = from_s.max(snapshot.start_s);
    let lufs = |value: Option<f32>| value.map(|value| Lufs(value.into()));
    let point = |(index, point): (usize, &crate::meters::Point)| {
        let end_s = snapshot.start_s + (index + 1) as f64 * snapshot.point_s;
        (end_s > begin_s && end_s <= to_s + snapshot.point_s / 2.0).then(|| HistoryPoint {
            at_s: Seconds(end_s - begin_s),
            momentary_lufs: lufs(point.momentary_lufs),
            short_term_lufs: lufs(point.short_term_lufs),
            true_peak_dbtp: point.true_peak_dbtp.map(|peak| Dbtp(peak.into())),
        })
    };
    snapshot.points.iter().enumerate().filter_map(point).collect()
}

fn page(
    session: &Session<'_>,
    desk: &SharedState,
    report: LoudnessReport,
    history: Vec<HistoryPoint>,
    (measured_s, part): (Option<f64>, &str),
) -> String {
    let channels = desk.channel_count();
    let judgments = session.standing.target.iter().filter(|_| report.integrated_lufs.is_some());
    let judgments =
        judgments.map(|target| judge(target, JudgedFile { loudness: &report, channels })).collect();
    let file = PageFile {
        facts: facts(desk, measured_s, part),
        judgments,
        warnings: desk.shared.timeline.doubt().into_iter().collect(),
        source: Signal {
            analysis: Analysis { loudness: Some(report), ..Analysis::default() },
            history,
            waveform: None,
        },
        ..PageFile::default()
    };
    let title = Some("Wavemill Meter".to_owned());
    render(&Page { title, files: vec![file], ..Page::default() })
}

/// What a session is, where a page has a file.
fn facts(desk: &SharedState, duration_s: Option<f64>, part: &str) -> FileFacts {
    let track = desk.track.lock().trim().replace(['/', '\\'], "_");
    let name = if track.is_empty() { "Session" } else { &track };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sample rate")]
    let sample_rate_hz = desk.sample_rate_hz() as u32;
    FileFacts {
        path: if part.is_empty() { name.to_owned() } else { format!("{name}, {part}") },
        format: "daw".into(),
        codec: "daw".into(),
        duration_s,
        sample_rate_hz,
        channels: desk.channel_count(),
        bit_depth: Some(32),
        sample_format: Some(SampleFormat::Float),
        ..FileFacts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::editor::verdict::TargetState;
    use crate::meters::Point;

    /// Reading of a page as a browser shows it, without its markup.
    fn shown(page: &str) -> String {
        let (mut text, mut is_markup) = (String::new(), false);
        for letter in page.chars() {
            is_markup = (is_markup || letter == '<') && letter != '>';
            text.push(if is_markup || letter == '>' { ' ' } else { letter });
        }
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn page_has_the_readings_the_curve_and_the_verdict() {
        let desk = SharedState::default();
        *desk.track.lock() = "Mix <A>".into();
        let readings = &desk.shared.readings;
        readings.integrated_lufs.set(Some(-20.0));
        readings.true_peak_dbtp.set(Some(-3.5));
        readings.loudness_range_lu.set(Some(7.5));
        readings.measured_s.set(Some(65.0));
        let mut standing = TargetState::new();
        standing.update(&desk);
        let steady = Point { short_term_lufs: Some(-23.0), ..Point::default() };
        let history = Snapshot { points: vec![steady; 650], point_s: 0.1, start_s: 0.0 };
        let session =
            Session { readings, music: None, history: &history, standing: &standing, part_s: None };
        let page = whole(&session, &desk);
        let text = shown(page.split_once("<body>").unwrap().1);
        for words in ["Mix &lt;A&gt;", "EBU R 128", "Loudness over time", "7.5", "1:05"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        for number in ["\u{2212}20.0 LUFS", "\u{2212}3.5 dBTP"] {
            assert!(text.contains(number), "{number}: {text}");
        }
        assert!(!page.contains("<A>"), "names are text");
    }

    #[test]
    fn curve_of_a_part_counts_from_its_start() {
        let steady = Point { short_term_lufs: Some(-23.0), ..Point::default() };
        let snapshot = Snapshot { points: vec![steady; 600], point_s: 0.1, start_s: 100.0 };
        let points = history(&snapshot, Some((110.0, 120.0)));
        assert_eq!(points.len(), 100);
        assert!((points[0].at_s.0 - 0.1).abs() < 1e-6 && (points[99].at_s.0 - 10.0).abs() < 1e-6);
        assert_eq!(history(&snapshot, None).len(), 600);
    }
}
