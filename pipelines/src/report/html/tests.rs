use super::*;
use crate::report::{Findings, OutputEntry, StepEntry, StepFacts, Verdict, WrittenEntry};
use serde_json::json;
use std::borrow::Cow;
use wavemill_core::advice::{Level, Profile, advise};
use wavemill_core::analysis::{Analyzer, MeasureGroup, Options, analyze};
use wavemill_core::audio::{Block, PcmFormat, StreamSpec};
use wavemill_core::delivery::{JudgedFile, judge};
use wavemill_core::limits::BLOCK_FRAMES;
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::music::{Chord, RhythmReport, TempoAlternative, TonalityReport};
use wavemill_core::processor::Finding;
use wavemill_core::units::{Frames, Lufs, Seconds};
use wavemill_core::waveform::{Resolution, WaveformMeter};

const RATE: u32 = 48_000;

/// What a page of a client may have, in bytes.
const PAGE_BYTES_MAX: usize = 400_000;

/// A stereo signal as callers measure it; `sample` has the value of a channel's frame.
fn signal(frame_count: usize, sample: impl Fn(usize, usize) -> f32) -> Signal {
    let spec = StreamSpec::new(RATE, 2);
    let mut analyzer = Analyzer::new(&spec, PcmFormat::FLOAT, &Options::default());
    let mut loudness = LoudnessMeter::new(&spec, MonoMode::Single).with_history();
    let resolution = [Resolution::Even(WAVEFORM_POINTS_MAX)];
    let frames = Some(Frames(frame_count as u64));
    let mut waveform = WaveformMeter::new(&spec, PcmFormat::FLOAT, frames, &resolution);
    let mut block = Block::new(2, BLOCK_FRAMES);
    for start in (0..frame_count).step_by(BLOCK_FRAMES) {
        let count = BLOCK_FRAMES.min(frame_count - start);
        block.set_frame_count(count);
        for channel in 0..2 {
            let plane = block.plane_mut(channel).iter_mut().enumerate();
            plane.for_each(|(frame, value)| *value = sample(channel, start + frame));
        }
        analyzer.push(&block).unwrap();
        loudness.push(&block);
        waveform.push(&block);
    }
    loudness.end();
    Signal {
        analysis: analyzer.finish(),
        history: loudness.take_history(),
        waveform: Some(waveform.finish()),
    }
}

/// Noise that swells, from a generator that is the same everywhere.
fn noise(channel: usize, frame: usize) -> f32 {
    let mut state = (frame as u64 * 2 + channel as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let white = (state >> 40) as f32 / (1 << 23) as f32 - 1.0;
    let swell = (frame % 96_000) as f32 / 96_000.0;
    white * (0.05 + 0.3 * swell)
}

fn file(source: Signal) -> PageFile {
    let facts = FileFacts {
        path: "/srv/clients/secret/song.wav".to_owned(),
        format: Cow::Borrowed("wav"),
        codec: Cow::Borrowed("pcm"),
        size_bytes: 1_234_567,
        duration_s: source.waveform.as_ref().map(waveform::duration_s),
        sample_rate_hz: RATE,
        channels: 2,
        bit_depth: Some(24),
        sample_format: Some(wavemill_core::audio::SampleFormat::Int),
        blake3: "ab".repeat(32),
    };
    PageFile { facts, source, ..PageFile::default() }
}

/// Groups that no section shows: numbers that only programs compare.
const NOT_SHOWN: [MeasureGroup; 1] = [MeasureGroup::Features];

#[test]
fn every_group_of_measures_is_in_a_section() {
    let spec = StreamSpec::new(RATE, 2);
    let plane: Vec<f32> =
        (0..8 * RATE as usize).map(|frame| struck(frame) + noise(0, frame)).collect();
    let page_of = |groups: Vec<MeasureGroup>| {
        let options = Options { groups, ..Options::default() };
        let planes = [&plane[..], &plane[..]];
        let analysis = analyze(&planes, &spec, PcmFormat::FLOAT, &options).unwrap();
        render(&page(vec![file(Signal { analysis, ..Signal::default() })]))
    };
    let empty = page_of(Vec::new());
    let is_missing = |group: &MeasureGroup| page_of(vec![*group]) == empty;
    let missing: Vec<_> = MeasureGroup::ALL.iter().copied().filter(is_missing).collect();
    assert_eq!(missing, NOT_SHOWN, "add lines to `measures::OTHERS` or a section");
}

/// A note that is struck twice a second.
fn struck(frame: usize) -> f32 {
    let since = (frame % (RATE as usize / 2)) as f32 / RATE as f32;
    0.3 * (-8.0 * since).exp() * (std::f32::consts::TAU * 440.0 * since).sin()
}

fn judged(file: PageFile, count: usize) -> PageFile {
    let loudness = file.latest().analysis.loudness.clone().unwrap_or_default();
    let measured = JudgedFile { loudness: &loudness, channels: 2 };
    let targets = crate::delivery::shipped().iter().take(count);
    PageFile { judgments: targets.map(|target| judge(target, measured)).collect(), ..file }
}

fn page(files: Vec<PageFile>) -> Page {
    Page { files, ..Page::default() }
}

/// A job that made one file of another.
fn job(source: Signal, export: Signal) -> PageFile {
    let written = WrittenEntry {
        path: "/srv/out/song.flac".to_owned(),
        format: "flac".to_owned(),
        bit_depth: Some(16),
        sample_rate_hz: 44_100,
        channels: 2,
        dither: "tpdf".to_owned(),
        size_bytes: Some(20_000_000),
        blake3: Some("cd".repeat(32)),
        loudness: export.analysis.loudness.clone(),
        ..WrittenEntry::default()
    };
    let gate = |measure, value, passed| Verdict {
        subject: "export 1 (flac)".to_owned(),
        measure: Cow::Borrowed(measure),
        value: Some(value),
        min: None,
        max: Some(-1.0),
        one_of: Vec::new(),
        passed,
        target: None,
        unit: "dBTP",
    };
    let report = Report {
        steps: vec![StepEntry {
            what: StepFacts { step: Some("loudness".to_owned()), ..StepFacts::default() },
            findings: Some(Findings(vec![
                Finding::number("gain_db", 3.26),
                Finding::number("shortfall_lu", 1.5),
            ])),
            ..StepEntry::default()
        }],
        outputs: vec![
            OutputEntry::Written(Box::new(written)),
            OutputEntry::Skipped { format: "mp3".to_owned(), skipped: "it exists".to_owned() },
        ],
        gates: vec![gate("true_peak_dbtp", -1.2, true), gate("integrated_lufs", 0.5, false)],
        ..Report::default()
    };
    PageFile { export: Some(export), report: Some(report), ..file(source) }
}

/// Checks that every element is closed in its order and every attribute quoted; returns the headings in order.
fn headings(html: &str) -> Vec<String> {
    const VOID: &[&str] = &["meta", "img", "path", "rect"];
    let mut open: Vec<&str> = Vec::new();
    let mut headings = Vec::new();
    let mut rest = html.strip_prefix("<!DOCTYPE html>").expect("a document type");
    while let Some((text, after)) = rest.split_once('<') {
        assert!(!text.contains('>') || open.contains(&"style"), "{text}");
        if open.last().is_some_and(|name| matches!(*name, "h1" | "h2" | "h3")) {
            headings.push(text.to_owned());
        }
        let (tag, after) = after.split_once('>').expect("a tag ends");
        rest = after;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "{tag}");
        } else if !VOID.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
    headings.retain(|heading| !heading.trim().is_empty());
    headings
}

#[test]
fn page_of_a_file_has_its_sections_in_order() {
    let html = render(&page(vec![judged(file(signal(480_000, noise)), 2)]));
    let found = headings(&html);
    let expected = [
        "song.wav",
        "Verdict",
        "Main measures",
        "Waveform",
        "Loudness over time",
        "Spectrum and bands",
        "Stereo",
        "Further measures",
        "File",
    ];
    let sections: Vec<&String> =
        found.iter().filter(|heading| expected.contains(&heading.as_str())).collect();
    assert_eq!(sections, expected);
    assert!(!html.contains("secret"), "folders are nobody's business");
}

#[test]
fn page_of_a_job_compares_before_and_after() {
    let source = signal(480_000, noise);
    let export = signal(480_000, |channel, frame| noise(channel, frame) * 2.0);
    let html = render(&page(vec![job(source, export)]));
    let found = headings(&html);
    for heading in ["Verdict", "Please note", "Exports", "Processing"] {
        assert!(found.iter().any(|it| it == heading), "{heading} in {found:?}");
    }
    for text in [
        "Misses 1 of 2 requirements",
        "1.5 LU short of the target",
        ">Source</p>",
        ">Export</p>",
        "<td>+6.0</td>",
        "song.flac",
        "FLAC, 16-bit, 44.1 kHz, stereo, tpdf dither",
        "Left out: it exists",
        "Gain 3.3 dB",
    ] {
        assert!(html.contains(text), "{text}");
    }
}

#[test]
fn album_begins_with_a_table_of_its_files() {
    let mut files = vec![judged(file(signal(240_000, noise)), 3); 3];
    for (index, file) in files.iter_mut().enumerate() {
        file.tags = json!({ "title": format!("Song {index}"), "album": "The Album" });
    }
    let album = GroupLoudness { integrated_lufs: Some(Lufs(-14.04)), ..GroupLoudness::default() };
    let html = render(&Page { album: Some(album), ..page(files) });
    let found = headings(&html);
    assert_eq!(found[..2], ["The Album", "Summary"]);
    assert!(html.contains("<a href=\"#f3\">Song 2</a>") && html.contains("id=\"f3\""));
    assert!(html.contains("<td>\u{2212}14.0</td>"));
}

#[test]
fn tags_titles_and_names_cannot_add_markup() {
    let hostile = "</title><script>alert(1)</script>\" onload='x\u{202e}";
    let mut file = job(signal(4_800, noise), signal(4_800, noise));
    file.tags = json!({ "title": hostile, "artist": hostile, "album": hostile, "isrc": hostile });
    file.facts.path = format!("/x/{hostile}.wav");
    file.facts.format = Cow::Owned(hostile.to_owned());
    file.warnings = vec![hostile.to_owned()];
    if let Some(report) = &mut file.report {
        report.rejected = Some(hostile.to_owned());
        report.pipeline.name = hostile.to_owned();
        report.job.created = hostile.to_owned();
        report.gates[0].target = Some(hostile.to_owned());
        report.gates[1].measure = Cow::Owned(hostile.to_owned());
        report.steps[0].id = Some(hostile.to_owned());
        report.steps[0].skipped = Some(hostile.to_owned());
        report.warnings = vec![hostile.to_owned()];
    }
    let page = Page { title: Some(hostile.to_owned()), ..page(vec![file.clone(), file]) };
    let html = render(&page);
    headings(&html);
    assert!(!html.contains("<script") && !html.contains("onload='") && !html.contains('\u{202e}'));
    assert!(!html.contains("\" onload"));
}

#[test]
fn page_of_an_hour_with_all_targets_is_small() {
    let mut source = signal(960_000, noise);
    source.history = (1..36_000)
        .map(|index| HistoryPoint {
            at_s: Seconds(f64::from(index) / 10.0),
            momentary_lufs: Some(Lufs(-10.0 - f64::from(index * 79 % 200) / 10.0)),
            short_term_lufs: Some(Lufs(-12.0 - f64::from(index * 47 % 150) / 10.0)),
            true_peak_dbtp: None,
        })
        .collect();
    let one = judged(file(source), usize::MAX);
    let html = render(&page(vec![one.clone()]));
    assert!(html.len() < PAGE_BYTES_MAX / 3, "{}", html.len());
    let html = render(&page(vec![one; DETAILED_FILES_MAX]));
    assert!(html.len() < PAGE_BYTES_MAX, "{}", html.len());
}

#[test]
fn hundreds_of_files_have_a_summary_alone() {
    let html = render(&page(vec![judged(file(signal(4_800, noise)), 2); 300]));
    assert!(html.len() < PAGE_BYTES_MAX, "{}", html.len());
    assert_eq!(headings(&html)[..2], ["300 files", "Summary"]);
}

#[test]
fn silence_has_a_page_without_curves() {
    let html = render(&page(vec![judged(file(signal(480_000, |_, _| 0.0)), 2)]));
    let found = headings(&html);
    assert!(!found.iter().any(|it| it == "Loudness over time" || it == "Stereo"), "{found:?}");
    assert!(html.contains("<dd>- <small></small></dd>"));
    assert!(!html.contains("NaN") && !html.contains("inf"));
}

#[test]
fn file_of_a_frame_and_file_without_anything_have_pages() {
    for source in [signal(1, |_, _| 0.5), signal(0, |_, _| 0.0), Signal::default()] {
        let html = render(&page(vec![file(source)]));
        headings(&html);
        assert!(!html.contains("NaN") && !html.contains("inf"));
    }
    headings(&render(&Page::default()));
}

#[test]
fn same_input_gives_the_same_bytes() {
    let page = page(vec![judged(file(signal(96_000, noise)), usize::MAX)]);
    assert_eq!(render(&page), render(&page.clone()));
}

#[test]
fn page_has_the_title_and_logo_of_who_sends_it() {
    let logo = Logo::new(b"\x89PNG".to_vec()).unwrap();
    let page = Page {
        title: Some("Northlight Mastering".to_owned()),
        logo: Some(logo),
        ..page(vec![file(signal(4_800, noise))])
    };
    let html = render(&page);
    assert!(html.contains("<title>song.wav \u{2013} Northlight Mastering</title>"));
    assert!(html.contains("src=\"data:image/png;base64,iVBORw==\""));
}

#[test]
fn advice_stands_on_the_page_with_the_levels_wanted_of_each_band() {
    let source = signal(96_000, noise);
    let profile = Profile::general();
    let advice = advise(&source.analysis, &profile, Level::Assertive);
    assert!(!advice.is_empty());
    let recommendations = Some(Recommendations { profile, advice: advice.clone() });
    let page = render(&page(vec![PageFile { recommendations, ..file(source) }]));
    assert_eq!(page.matches("class=\"wanted\"").count(), 5);
    assert_eq!(page.matches("<li><b>").count(), advice.len());
    assert!(page.contains("Wanted by General"));
    let nothing = Some(Recommendations::default());
    let silent = PageFile { recommendations: nothing, ..file(Signal::default()) };
    assert!(render(&self::page(vec![silent])).contains("Nothing to change."));
}

#[test]
fn tempo_key_and_chords_stand_on_the_page_and_reasons_where_there_are_none() {
    let mut source = Signal::default();
    source.analysis.rhythm = Some(RhythmReport {
        tempo_bpm: Some(127.96),
        confidence: Some(0.9),
        beats_per_bar: Some(4),
        is_steady: Some(true),
        alternatives: vec![TempoAlternative { tempo_bpm: 63.98, weight: 0.1 }],
        ..RhythmReport::default()
    });
    source.analysis.tonality = Some(TonalityReport {
        reason: Some("it has no notes".into()),
        ..TonalityReport::default()
    });
    let chord = |start_s, label: &str| Chord { start_s, end_s: start_s + 2.0, label: label.into() };
    source.analysis.chords = Some(vec![chord(0.0, "A:min"), chord(2.0, "N")]);
    let page = render(&page(vec![file(source)]));
    for part in [
        "128.0 <small>BPM",
        "90 % certain; or 64.0",
        "4 <small>beats",
        "it has no notes",
        "<b>Am</b>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}
