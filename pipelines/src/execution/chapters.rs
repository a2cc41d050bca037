//! Files of chapters: lines of time and title, and JSON of Podcasting 2.0.
//!
//! Source of the JSON: Podcasting 2.0, "JSON Chapters Format", 1.2.0.

use serde::{Deserialize, Serialize};
use std::time::Duration;
use wavemill_core::limits::{DURATION_MAX, TAG_TEXT_BYTES_MAX};
use wavemill_core::tags::{CUE_COUNT_MAX, Cue, CueEnd, Place};
use wavemill_core::units::SampleRate;

/// Chapters, as lines or as JSON.
pub(super) fn chapters(bytes: &[u8]) -> Result<Vec<Cue>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let chapters = if text.starts_with('{') { of_json(text) } else { of_lines(text) }?;
    match chapters.len() {
        0 => Err("has no chapters".to_owned()),
        count if count > CUE_COUNT_MAX => {
            Err(format!("has {count} chapters; at most {CUE_COUNT_MAX} are allowed"))
        }
        _ => Ok(chapters),
    }
}

/// A chapter, which must begin after the one before.
fn add(
    chapters: &mut Vec<Cue>,
    start: Duration,
    end: Option<Duration>,
    title: &str,
) -> Result<(), String> {
    if start.as_secs_f64() > DURATION_MAX.0 {
        return Err("begins after the maximum length of a file".to_owned());
    }
    let place =
        |time: Duration| Place::Nanoseconds(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
    // An invalid end is no reason to fail: most programs ignore ends.
    let end = end.filter(|end| *end > start && end.as_secs_f64() <= DURATION_MAX.0);
    let end = end.map_or(CueEnd::Next, |end| CueEnd::At(place(end)));
    let start = place(start);
    if chapters.last().is_some_and(|last| last.start >= start) {
        return Err("must begin after the previous one".to_owned());
    }
    let kept = |c: &char| !c.is_control();
    let mut title: String = title.trim().chars().filter(kept).collect();
    title.truncate(title.floor_char_boundary(TAG_TEXT_BYTES_MAX));
    let label = Some(title).filter(|title| !title.is_empty());
    chapters.push(Cue { start, end, label });
    Ok(())
}

/// Lines such as `00:01:23.500 Title`; those that are empty or begin with `#` say nothing.
fn of_lines(text: &str) -> Result<Vec<Cue>, String> {
    let mut chapters = Vec::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (time, title) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let start = time_of(time).ok_or_else(|| {
            format!(
                "has no time at the start of line {number}; write, for example, `00:01:23.500 \
                Title`"
            )
        })?;
        add(&mut chapters, start, None, title)
            .map_err(|reason| format!("is invalid in line {number}: this chapter {reason}"))?;
    }
    Ok(chapters)
}

/// `hours:minutes:seconds` or `minutes:seconds`, with decimals of the seconds or without.
fn time_of(text: &str) -> Option<Duration> {
    let (clock, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let numbers: Option<Vec<u32>> = clock.split(':').map(|part| digits(part, 3)).collect();
    let (hours, minutes, seconds) = match numbers?[..] {
        [minutes, seconds] => (0, minutes, seconds),
        [hours, minutes, seconds] if minutes < 60 => (hours, minutes, seconds),
        _ => return None,
    };
    digits(decimals, 9)?;
    let nanoseconds = format!("{decimals:0<9}").parse().ok()?;
    let whole = u64::from(hours * 3600 + minutes * 60 + seconds);
    (seconds < 60).then(|| Duration::new(whole, nanoseconds))
}

/// The number that up to `count_max` digits are.
fn digits(text: &str, count_max: usize) -> Option<u32> {
    let is_number = text.len() <= count_max && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The version of the format that is written; every version is read.
const JSON_VERSION: &str = "1.2.0";

#[derive(Deserialize)]
struct JsonChapters {
    chapters: Vec<JsonChapter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct JsonChapter {
    /// In seconds.
    start_time: f64,
    /// In seconds, where it is a number.
    #[serde(default)]
    end_time: serde_json::Value,
    #[serde(default)]
    title: String,
    /// False for what is shown and not listed, as a change of the picture.
    #[serde(default = "is_listed")]
    toc: bool,
}

fn is_listed() -> bool {
    true
}

fn of_json(text: &str) -> Result<Vec<Cue>, String> {
    let read: JsonChapters = serde_json::from_str(text)
        .map_err(|error| format!("is not Podcasting 2.0 chapter JSON: {error}"))?;
    let mut chapters = Vec::new();
    for (chapter, number) in read.chapters.iter().zip(1..).filter(|(chapter, _)| chapter.toc) {
        let start = Duration::try_from_secs_f64(chapter.start_time).map_err(|_| {
            format!("is invalid: the `startTime` of chapter {number} is not a time")
        })?;
        let end = chapter.end_time.as_f64().and_then(|end| Duration::try_from_secs_f64(end).ok());
        add(&mut chapters, start, end, &chapter.title)
            .map_err(|reason| format!("is invalid: chapter {number} {reason}"))?;
    }
    Ok(chapters)
}

#[derive(Serialize)]
struct WrittenChapters<'a> {
    version: &'static str,
    chapters: Vec<WrittenChapter<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WrittenChapter<'a> {
    start_time: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_time: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

impl<'a> WrittenChapter<'a> {
    fn new(cue: &'a Cue, rate: SampleRate) -> Self {
        let seconds = |place: Place| place.nanoseconds(rate) as f64 / 1e9;
        let start_time = seconds(cue.start);
        let end_time = match cue.end {
            CueEnd::Point | CueEnd::Next => None,
            CueEnd::At(end) => Some(seconds(end)).filter(|end| *end > start_time),
        };
        Self { start_time, end_time, title: cue.label.as_deref() }
    }
}

/// The chapters of finished audio.
#[derive(Debug)]
pub(super) struct Chapters {
    cues: Vec<Cue>,
    rate: SampleRate,
}

impl Chapters {
    /// Those that cues of audio of `rate` make, in the order of time. Of those that begin at once, as where the
    /// beginnings of several were cut off, the last one stays: a list has one title for a moment.
    pub(super) fn new(mut cues: Vec<Cue>, rate: SampleRate) -> Self {
        let start = |cue: &Cue| cue.start.nanoseconds(rate);
        cues.sort_by_key(start);
        cues.dedup_by(|later, earlier| {
            let is_same = start(later) == start(earlier);
            if is_same {
                std::mem::swap(later, earlier);
            }
            is_same
        });
        Self { cues, rate }
    }

    pub(super) fn count(&self) -> usize {
        self.cues.len()
    }

    /// JSON of Podcasting 2.0. Times have nanoseconds, so that every frame is found again.
    pub(super) fn to_json(&self) -> Result<String, serde_json::Error> {
        let chapters = self.cues.iter().map(|cue| WrittenChapter::new(cue, self.rate)).collect();
        let written = WrittenChapters { version: JSON_VERSION, chapters };
        let mut text = serde_json::to_string_pretty(&written)?;
        text.push('\n');
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(u64, Option<String>)> {
        let nanoseconds = |place: Place| match place {
            Place::Nanoseconds(ns) => ns,
            Place::Frame(_) => panic!("times are times"),
        };
        let chapters = chapters(text.as_bytes()).unwrap();
        chapters.into_iter().map(|it| (nanoseconds(it.start), it.label)).collect()
    }

    fn titled(ms: u64, title: &str) -> (u64, Option<String>) {
        (ms * 1_000_000, Some(title.to_owned()))
    }

    #[test]
    fn chapters_are_lines_of_time_and_title() {
        let text = "\u{feff}# Talk\r\n00:00 Hello\r\n\r\n00:01:23.5  Guests and news \n61:00 Later\n02:00:00.001\n";
        let mut expected =
            vec![titled(0, "Hello"), titled(83_500, "Guests and news"), titled(3_660_000, "Later")];
        expected.push((7_200_001_000_000, None));
        assert_eq!(found(text), expected);
    }

    #[test]
    fn chapters_are_json_of_podcasts() {
        let text = r#"{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Hello", "img": "x"},
            {"startTime": 5, "title": "Picture only", "toc": false}, {"startTime": 83.5, "title": "News"}]}"#;
        assert_eq!(found(text), [titled(0, "Hello"), titled(83_500, "News")]);
    }

    #[test]
    fn json_that_was_written_is_read_as_the_same_chapters() {
        let rate = SampleRate(44_100);
        let cue = |frame, end, label: Option<&str>| Cue {
            start: Place::Frame(frame),
            end,
            label: label.map(str::to_owned),
        };
        let cues = [
            cue(0, CueEnd::Next, Some("Hello \"you\"")),
            cue(1, CueEnd::At(Place::Frame(44_100)), Some("Gr\u{fc}\u{df}e")),
            cue(44_100 * 100 * 3600 - 1, CueEnd::Next, None),
        ];
        let text = Chapters::new(cues.to_vec(), rate).to_json().unwrap();
        let read = chapters(text.as_bytes()).unwrap();
        let frames = |cue: &Cue| {
            let end = match cue.end {
                CueEnd::At(end) => Some(end.frame(rate)),
                CueEnd::Next | CueEnd::Point => None,
            };
            (cue.start.frame(rate), end, cue.label.clone())
        };
        assert_eq!(
            read.iter().map(frames).collect::<Vec<_>>(),
            cues.iter().map(frames).collect::<Vec<_>>()
        );
    }

    #[test]
    fn json_has_the_keys_of_the_format_and_no_others() {
        let point = |frame| Cue::point(Place::Frame(frame), None);
        let named = Cue {
            end: CueEnd::At(Place::Frame(72_000)),
            label: Some("News".to_owned()),
            ..point(60_000)
        };
        let text = Chapters::new(vec![point(0), named], SampleRate(48_000)).to_json().unwrap();
        let written: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({ "version": "1.2.0", "chapters": [
            { "startTime": 0.0 },
            { "startTime": 1.25, "endTime": 1.5, "title": "News" },
        ] });
        assert_eq!(written, expected);
    }

    #[test]
    fn of_chapters_that_begin_at_once_the_last_one_is_listed() {
        let named = |ms: u64, name: &str| {
            Cue::point(Place::Nanoseconds(ms * 1_000_000), Some(name.to_owned()))
        };
        let cues = vec![named(0, "a"), named(0, "b"), named(0, "c"), named(5, "d")];
        let expected = [named(0, "c"), named(5, "d")];
        assert_eq!(Chapters::new(cues, SampleRate(48_000)).cues, expected);
    }

    #[test]
    fn chapter_of_json_may_have_an_end_of_its_own() {
        let text = r#"{"chapters": [{"startTime": 5, "endTime": 7.25}, {"startTime": 9}]}"#;
        let ends: Vec<_> = chapters(text.as_bytes()).unwrap().iter().map(|it| it.end).collect();
        assert_eq!(ends, [CueEnd::At(Place::Nanoseconds(7_250_000_000)), CueEnd::Next]);
    }

    #[test]
    fn end_that_is_none_is_no_mistake() {
        for end in ["0", "-1", "83.5", "1e300", "null", "\"84\""] {
            let text = format!(r#"{{"chapters": [{{"startTime": 83.5, "endTime": {end}}}]}}"#);
            assert_eq!(chapters(text.as_bytes()).unwrap()[0].end, CueEnd::Next, "{end}");
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        for (text, expected) in [
            ("", "has no chapters"),
            ("0:10 a\nNews", "has no time at the start of line 2"),
            (
                "0:10 a\n0:10 b",
                "is invalid in line 2: this chapter must begin after the previous one",
            ),
            ("1:60 a", "has no time at the start of line 1"),
            ("1:60:00 a", "has no time at the start of line 1"),
            ("999:00:00 a", "begins after the maximum length of a file"),
            ("-1:00 a", "has no time at the start of line 1"),
            ("0:1.1234567891 a", "has no time at the start of line 1"),
            ("{\"chapters\": 1}", "is not Podcasting 2.0 chapter JSON"),
            (r#"{"chapters": [{"startTime": -1}]}"#, "the `startTime` of chapter 1 is not a time"),
            (
                r#"{"chapters": [{"startTime": 1}, {"startTime": 0.5}]}"#,
                "chapter 2 must begin after",
            ),
        ] {
            let reason = chapters(text.as_bytes()).unwrap_err();
            assert!(reason.contains(expected), "{text}: {reason}");
        }
        assert_eq!(chapters(b"0:00 \xff").unwrap_err(), "is not UTF-8 text");
        let lines: Vec<_> = (0..5000).map(|n| format!("{}:{:02} x\n", n / 60, n % 60)).collect();
        let many = lines.concat();
        assert!(chapters(many.as_bytes()).unwrap_err().contains("has 5000 chapters"));
    }
}
