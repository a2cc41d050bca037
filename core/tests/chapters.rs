//! Cue points, regions and chapters in every format, against ffmpeg where it knows them.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    reason = "a test binary: a panic is a failed test, and rounding to f32 is meant"
)]

mod common;

use common::readers::OnDisk;
use common::{encode, music, run_tool, settings};
use std::fmt::Write as _;
use std::io::Cursor;
use std::sync::Arc;
use wavemill_core::audio::PcmFormat;
use wavemill_core::encode::{self as formats, EncodeSettings};
use wavemill_core::tags::{self, Cue, CueEnd, Place, Tags};
use wavemill_core::units::SampleRate;

const RATE: SampleRate = SampleRate(48_000);

/// Three seconds.
const FRAME_COUNT: usize = 144_000;

/// Two chapters and a point between them, on whole milliseconds.
fn cues() -> Vec<Cue> {
    let chapter = |frame, label: &str| Cue {
        start: Place::Frame(frame),
        end: CueEnd::Next,
        label: Some(label.to_owned()),
    };
    let point = Cue::point(Place::Frame(48_000), None);
    vec![chapter(0, "Gr\u{fc}\u{df}e"), point, chapter(96_048, "Two")]
}

fn file(format: &str, cues: Vec<Cue>) -> Vec<u8> {
    let descriptor = formats::format(format).unwrap();
    let is_int = descriptor.formats.contains(&PcmFormat::int(16));
    let stored = if is_int { PcmFormat::int(16) } else { PcmFormat::FLOAT };
    let samples = music(stored, 2, FRAME_COUNT);
    let title = Some("Title".to_owned());
    let tags = Arc::new(Tags { cues, title, ..Tags::default() });
    let mut settings = EncodeSettings { tags, ..settings(&samples) };
    settings.spec.sample_rate = RATE;
    encode(format, &samples, settings, 4_096).unwrap()
}

fn read(bytes: &[u8]) -> Vec<Cue> {
    let reading = tags::read(&mut Cursor::new(bytes), None).unwrap();
    assert_eq!(reading.warnings, [""; 0]);
    reading.tags.cues
}

/// Start and end in frames, and what is there.
type Fields = (u64, Option<u64>, Option<String>);

fn fields(cue: &Cue) -> Fields {
    let end = match cue.end {
        CueEnd::At(end) => Some(end.frame(RATE)),
        CueEnd::Point | CueEnd::Next => None,
    };
    (cue.start.frame(RATE), end, cue.label.clone())
}

/// What comes back of [`cues`] where the three of them end at these frames.
fn expected(ends: [Option<u64>; 3]) -> Vec<Fields> {
    let cues = cues().into_iter().zip(ends);
    cues.map(|(cue, end)| (cue.start.frame(RATE), end, cue.label)).collect()
}

#[test]
fn cues_come_back_from_every_format_with_what_it_has_of_them() {
    for format in formats::FORMATS {
        let found: Vec<Fields> = read(&file(format.name, cues())).iter().map(fields).collect();
        let ends = match format.name {
            // Regions and points.
            "wav" => [Some(96_048), None, Some(144_000)],
            // Each ends where the next one begins.
            "mp3" => [Some(48_000), Some(96_048), Some(144_000)],
            _ => [None; 3],
        };
        assert_eq!(found, expected(ends), "{}", format.name);
    }
}

/// Found by the fuzzer of tags: the rounding of a time ran over.
#[test]
fn cues_at_the_end_of_all_time_harm_no_file() {
    for place in [Place::Frame(u64::MAX), Place::Nanoseconds(u64::MAX), Place::Frame(1 << 53)] {
        let chapter = Cue { start: place, end: CueEnd::At(place), label: None };
        for format in formats::FORMATS {
            let bytes = file(format.name, vec![cues()[0].clone(), chapter.clone()]);
            let found = read(&bytes);
            assert_eq!(found[0].start.frame(RATE), 0, "{}", format.name);
        }
    }
}

#[test]
fn formats_are_whole_where_nothing_is_marked() {
    for format in formats::FORMATS {
        assert_eq!(read(&file(format.name, Vec::new())), [], "{}", format.name);
    }
}

#[test]
fn more_chapters_than_one_table_of_contents_counts_come_back() {
    if formats::format("mp3").is_none() {
        return;
    }
    let point = |frame: u64| Cue::point(Place::Frame(frame * 480), Some(format!("at {frame}")));
    let many: Vec<Cue> = (0..290).map(point).collect();
    let found = read(&file("mp3", many.clone()));
    let of = |cues: &[Cue]| {
        cues.iter().map(|cue| (cue.start.frame(RATE), cue.label.clone())).collect::<Vec<_>>()
    };
    assert_eq!(of(&found), of(&many));
}

/// Start and end in seconds and title of each chapter by `ffprobe`, a line each.
fn by_ffprobe(file: &OnDisk) -> Option<Vec<String>> {
    let entries = "chapter=start_time,end_time:chapter_tags=title";
    let arguments = [
        "-v",
        "warning",
        "-show_chapters",
        "-show_entries",
        entries,
        "-of",
        "csv=p=0",
        file.path(),
    ];
    let output = run_tool("ffprobe", &arguments, &[])?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && complaint.is_empty(), "{complaint}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

#[test]
fn ffprobe_finds_the_chapters_of_every_format_it_reads_them_of() {
    let first = "0.000000,1.000000,Gr\u{fc}\u{df}e";
    for format in ["mp3", "vorbis", "opus", "flac", "wav"] {
        let Some(descriptor) = formats::format(format) else { continue };
        let file = OnDisk::new(&file(format, cues()), descriptor.extension);
        let Some(found) = by_ffprobe(&file) else { return };
        assert_eq!(found.len(), 3, "{format}: {found:?}");
        assert_eq!(found[0], first, "{format}");
        assert!(found[2].starts_with("2.001000,3.0"), "{format}: {}", found[2]);
        assert!(found[2].ends_with(",Two"), "{format}: {}", found[2]);
    }
}

#[test]
fn chapters_that_ffmpeg_writes_are_read() {
    let mut chapters = ";FFMETADATA1\n".to_owned();
    for (start, end, title) in
        [(0, 1_000, "One"), (1_000, 2_001, "Zwei \u{fc}"), (2_001, 3_000, "3")]
    {
        let section = "[CHAPTER]\nTIMEBASE=1/1000";
        writeln!(chapters, "{section}\nSTART={start}\nEND={end}\ntitle={title}").unwrap();
    }
    let list = OnDisk::new(chapters.as_bytes(), "txt");
    let sound = OnDisk::new(&file("wav", Vec::new()), "wav");
    let expected = [(0, "One"), (48_000, "Zwei \u{fc}"), (96_048, "3")];
    for (extension, codec) in [("m4a", "aac"), ("mka", "flac"), ("mp3", "libmp3lame")] {
        let out = OnDisk::new(&[], extension);
        #[rustfmt::skip]
        let arguments = [
            "-v", "error", "-y", "-i", sound.path(), "-i", list.path(), "-map_chapters", "1",
            "-map", "0:a", "-c:a", codec, out.path(),
        ];
        let Some(output) = run_tool("ffmpeg", &arguments, &[]) else { return };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let found = read(&std::fs::read(out.path()).unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|cue| (cue.start.frame(RATE), cue.label.as_deref().unwrap()))
            .collect();
        assert_eq!(found, expected, "{extension}");
    }
}

/// Starts in frames and labels.
fn places(cues: &[Cue]) -> Vec<(u64, Option<&str>)> {
    cues.iter().map(|cue| (cue.start.frame(RATE), cue.label.as_deref())).collect()
}

#[test]
fn cue_sheet_of_flac_gives_the_beginnings_of_its_tracks() {
    let samples = music(PcmFormat::int(16), 2, 44_100 * 9);
    let wav = encode("wav", &samples, settings(&samples), 4_096).unwrap();
    let (wav, sheet) = (OnDisk::new(&wav, "wav"), OnDisk::new(SHEET.as_bytes(), "cue"));
    let made = OnDisk::new(b"", "flac");
    let sheet = format!("--cuesheet={}", sheet.path());
    let arguments = ["--silent", "--force", &sheet, "-o", made.path(), wav.path()];
    let Some(output) = run_tool("flac", &arguments, &[]) else { return };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let cues = read(&std::fs::read(made.path()).unwrap());
    // A second has 75 frames of a CD, with 588 of sound each; the second track has a pause before its index 1.
    assert_eq!(places(&cues), [(0, None), (3 * 44_100 + 10 * 588, None), (6 * 44_100, None)]);
    assert!(cues.iter().all(|cue| cue.end == CueEnd::Next));
}

const SHEET: &str = "FILE \"x.wav\" WAVE
  TRACK 01 AUDIO
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    INDEX 00 00:02:00
    INDEX 01 00:03:10
  TRACK 03 AUDIO
    INDEX 01 00:06:00
";

#[test]
fn markers_of_caf_are_points_with_their_names() {
    let marker = |kind: &[u8; 4], frame: f64, number: u32| {
        let frame = frame.to_be_bytes();
        [&kind[..], &frame, &number.to_be_bytes(), &[0; 12]].concat()
    };
    let markers = [
        marker(&[0; 4], 48_000.0, 2),
        marker(b"tbeg", 0.0, 1),
        marker(b"tend", 96_000.0, 1),
        marker(&[0; 4], f64::NAN, 2),
        marker(b"indx", 12.4, 9),
    ];
    let place = |number: u32, at: u64| [&number.to_be_bytes()[..], &at.to_be_bytes()].concat();
    let strings =
        [&2u32.to_be_bytes()[..], &place(1, 0), &place(2, 6), b"Begin\0Chorus\0"].concat();
    let count = u32::try_from(markers.len()).unwrap().to_be_bytes();
    let numbers = [2u32, 4, 1, 2, 16].map(u32::to_be_bytes).concat();
    let chunks: [(&[u8; 4], Vec<u8>); 4] = [
        (b"desc", [&48_000f64.to_be_bytes()[..], b"lpcm", &numbers].concat()),
        (b"mark", [&[0; 4][..], &count, &markers.concat()].concat()),
        (b"strg", strings),
        (b"data", vec![0; 404]),
    ];
    let mut file = b"caff\0\x01\0\0".to_vec();
    for (name, data) in chunks {
        file.extend([&name[..], &(data.len() as u64).to_be_bytes(), &data].concat());
    }
    let expected = [(0, Some("Begin")), (12, None), (48_000, Some("Chorus"))];
    assert_eq!(places(&read(&file)), expected);
}
