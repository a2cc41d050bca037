//! Real files by independent encoders through the shipped pipelines and the real program; the results
//! judged by an independent reader and meter.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use wavemill_tests::external::{Ffmpeg, Tool};
use wavemill_tests::lab::{Lab, repository, shipped};
use wavemill_tests::oracle::{self, Measures};
use wavemill_tests::signal::{self, Signal};
use wavemill_tests::wav::{self, Stored};

/// How near the target the loudness must be while the ceiling does not bind.
const LOUDNESS_TOLERANCE_LU: f64 = 0.05;

/// The same where peaks are turned down for it.
const LIMITED_TOLERANCE_LU: f64 = 0.1;

/// How far the 4x true peak of a finished file may exceed the ceiling.
const PEAK_TOLERANCE_DB: f64 = 0.05;

/// The same by the 16x measure: BS.1770's 4x oversampling may under-read by so much.
const PRECISE_PEAK_TOLERANCE_DB: f64 = 0.45;

const RATE_HZ: u32 = 48_000;

/// Frames of the usual test signal: 12 s are enough for a gated loudness.
const FRAMES: usize = 12 * RATE_HZ as usize;

/// What a shipped pipeline promises.
struct Promise {
    pipeline: &'static str,
    target_lufs: f64,
    ceiling_dbtp: f64,
    /// By how much peaks may be turned down for the target; 0 where only a gain is applied.
    max_reduction_db: f64,
}

const PODCAST: Promise =
    Promise { pipeline: "podcast", target_lufs: -16.0, ceiling_dbtp: -1.0, max_reduction_db: 6.0 };
const STREAMING: Promise =
    Promise { max_reduction_db: 3.0, pipeline: "streaming", target_lufs: -14.0, ..PODCAST };
const BROADCAST: Promise =
    Promise { max_reduction_db: 0.0, pipeline: "broadcast-r128", target_lufs: -23.0, ..PODCAST };

impl Promise {
    /// Checks one finished file against its source.
    fn check(&self, what: &str, source: &Signal, output: &Signal) {
        assert_eq!(output.frame_count(), source.frame_count(), "{what}: duration");
        assert_eq!(output.sample_rate_hz, source.sample_rate_hz, "{what}: rate");
        assert_eq!(output.channel_count(), source.channel_count(), "{what}: channels");
        let (before, after) = (oracle::measure(source), oracle::measure(output));
        let peak = after.true_peak_dbtp.unwrap();
        assert!(peak <= self.ceiling_dbtp + PEAK_TOLERANCE_DB, "{what}: 4x true peak {peak}");
        let precise = after.true_peak_precise_dbtp.unwrap();
        let limit = self.ceiling_dbtp + PRECISE_PEAK_TOLERANCE_DB;
        assert!(precise <= limit, "{what}: 16x true peak {precise}");
        let loudness = after.integrated_lufs.unwrap();
        if self.ceiling_binds(&before) && self.max_reduction_db > 0.0 {
            let off = loudness - self.target_lufs;
            assert!(off <= LIMITED_TOLERANCE_LU, "{what}: {loudness} LUFS");
            // What falls short got all the reduction there is, and more loudness than a gain alone gives.
            let by_gain = before.integrated_lufs.unwrap() + self.ceiling_dbtp
                - before.true_peak_dbtp.unwrap().max(before.true_peak_precise_dbtp.unwrap());
            let is_short = off < -LIMITED_TOLERANCE_LU;
            assert!(!is_short || loudness > by_gain, "{what}: {loudness} LUFS");
            let highest = peak.max(precise);
            assert!(highest > self.ceiling_dbtp - 0.1, "{what}: the peak is only {highest} dBTP");
        } else if self.ceiling_binds(&before) {
            assert!(loudness < self.target_lufs, "{what}: {loudness} LUFS");
            // No more is given away than the ceiling asks for, by either measure of it.
            let highest = peak.max(precise);
            assert!(highest > self.ceiling_dbtp - 0.1, "{what}: the peak is only {highest} dBTP");
        } else {
            let miss = (loudness - self.target_lufs).abs();
            assert!(miss <= LOUDNESS_TOLERANCE_LU, "{what}: {loudness} LUFS");
        }
    }

    /// Whether the gain to the target would lift the peaks above the ceiling.
    fn ceiling_binds(&self, before: &Measures) -> bool {
        let gain = self.target_lufs - before.integrated_lufs.unwrap();
        before.true_peak_dbtp.unwrap().max(before.true_peak_precise_dbtp.unwrap()) + gain
            > self.ceiling_dbtp
    }
}

/// Files of the lab where pipelines put their results that end so, absolute.
fn outputs(lab: &Lab, ending: &str) -> Vec<PathBuf> {
    let below = ["outbox", "archive", "reports"].iter();
    let files = below
        .flat_map(|top| lab.files(top).into_iter().map(move |file| PathBuf::from(top).join(file)));
    files
        .filter(|file| file.to_string_lossy().ends_with(ending))
        .map(|file| lab.root().join(file))
        .collect()
}

fn one(lab: &Lab, ending: &str) -> PathBuf {
    let found = outputs(lab, ending);
    assert_eq!(found.len(), 1, "files that end with {ending}: {found:?} of {:?}", lab.files(""));
    found[0].clone()
}

/// Runs files through a shipped pipeline by `run`.
fn run(lab: &Lab, pipeline: &str, files: &[&Path]) {
    let mut words = vec![PathBuf::from("run"), shipped(pipeline)];
    words.extend(files.iter().map(|file| file.to_path_buf()));
    let ended = lab.run(words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

/// Lets the daemon find what lies in the inbox of a shipped pipeline.
fn watch(lab: &Lab, pipeline: &str) {
    let ended = lab.until_idle(&[&shipped(pipeline)]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

fn soft_speech() -> Signal {
    signal::pink(RATE_HZ, 2, FRAMES, 0.1, 11)
}

#[test]
fn podcast_reaches_its_target_when_the_ceiling_is_far() {
    let lab = Lab::new();
    let source = soft_speech();
    assert!(!PODCAST.ceiling_binds(&oracle::measure(&source)), "the signal suits this test");
    wav::write(&lab.path("inbox/podcast/talk.wav"), &source, Stored::Float);
    watch(&lab, PODCAST.pipeline);
    PODCAST.check("talk.wav", &source, &wav::read(&one(&lab, "talk.wav")).signal);
}

#[test]
fn podcast_keeps_the_ceiling_when_it_binds() {
    let lab = Lab::new();
    let source = signal::speech(RATE_HZ, 2, FRAMES, 0.5, 3);
    assert!(PODCAST.ceiling_binds(&oracle::measure(&source)), "the signal suits this test");
    wav::write(&lab.path("inbox/podcast/talk.wav"), &source, Stored::Float);
    watch(&lab, PODCAST.pipeline);
    PODCAST.check("talk.wav", &source, &wav::read(&one(&lab, "talk.wav")).signal);
}

#[test]
fn streaming_makes_loud_music_softer() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let lab = Lab::new();
    let source = signal::music(44_100, 2, 12 * 44_100, 0.99, 5);
    let path = lab.aside("mix.wav");
    wav::write(&path, &source, Stored::Float);
    run(&lab, STREAMING.pipeline, &[&path]);
    STREAMING.check("mix.flac", &source, &ffmpeg.decode(&one(&lab, "mix.flac")));
}

#[test]
fn broadcast_delivers_what_meets_r128() {
    let lab = Lab::new();
    let source = signal::music(RATE_HZ, 2, FRAMES, 0.9, 6);
    wav::write(&lab.path("inbox/broadcast/mix.wav"), &source, Stored::Int(24));
    watch(&lab, BROADCAST.pipeline);
    let output = wav::read(&one(&lab, "mix.wav")).signal;
    BROADCAST.check("mix.wav", &source, &output);
}

#[test]
fn broadcast_rejects_what_cannot_meet_r128() {
    let lab = Lab::new();
    // One click per second is 40 dB louder than the rest: the ceiling keeps it far below the target.
    let mut source = signal::pink(RATE_HZ, 2, FRAMES, 0.002, 8);
    for plane in &mut source.planes {
        plane.iter_mut().step_by(RATE_HZ as usize).for_each(|sample| *sample = 0.9);
    }
    wav::write(&lab.path("inbox/broadcast/clicks.wav"), &source, Stored::Int(24));
    let ended = lab.until_idle(&[&shipped(BROADCAST.pipeline)]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    let event = ended.event("job-rejected", "clicks.wav").unwrap_or_else(|| panic!("{ended:?}"));
    assert!(event["reason"].as_str().unwrap().contains("LUFS"), "{event}");
    assert_eq!(lab.files("outbox"), ["broadcast/clicks.json"]);
    assert_eq!(lab.files("rejected"), ["broadcast/clicks.wav", "broadcast/clicks.wav.reason.txt"]);
}

#[test]
fn archive_of_integer_wav_is_equal_bit_by_bit() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let lab = Lab::new();
    let noise = signal::pink(RATE_HZ, 2, 100_003, 0.9, 9);
    for bits in [16, 24] {
        let path = lab.path(&format!("inbox/archive/take{bits}.wav"));
        wav::write(&path, &noise, Stored::Int(bits));
    }
    watch(&lab, "archive");
    for bits in [16, 24] {
        let source = lab.root().join(format!("inbox/archive/take{bits}.wav"));
        let output = outputs(&lab, ".flac").into_iter().find(|path| {
            path.file_name().unwrap().to_string_lossy().starts_with(&format!("take{bits}"))
        });
        let output = output.unwrap_or_else(|| panic!("{:?}", lab.files("")));
        let equal = ffmpeg.decode_integers(&source) == ffmpeg.decode_integers(&output);
        assert!(equal, "take{bits}.wav and {} differ", output.display());
    }
}

#[test]
fn archive_of_flac_and_aiff_is_equal_bit_by_bit() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let Some(flac) = Tool::find("flac") else { return };
    let lab = Lab::new();
    let wav_path = lab.aside("take.wav");
    wav::write(&wav_path, &signal::pink(44_100, 1, 77_777, 0.9, 10), Stored::Int(24));
    let sources = [lab.path("inbox/archive/one.flac"), lab.path("inbox/archive/two.aiff")];
    let words = ["--silent", "-5", "-o", sources[0].to_str().unwrap(), wav_path.to_str().unwrap()];
    flac.output(&words);
    ffmpeg.convert(&wav_path, &["-c:a", "pcm_s24be"], &sources[1]);
    watch(&lab, "archive");
    let archived = outputs(&lab, ".flac");
    assert_eq!(archived.len(), 2, "{archived:?}");
    for path in archived {
        flac.output(&["--silent", "--test", path.to_str().unwrap()]);
        let equal = ffmpeg.decode_integers(&wav_path) == ffmpeg.decode_integers(&path);
        assert!(equal, "{} differs from its source", path.display());
    }
}

#[test]
fn podcast_of_mp3_keeps_every_frame_and_the_tags() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let Some(lame) = Tool::find("lame") else { return };
    let lab = Lab::new();
    let (wav_path, mp3) = (lab.aside("talk.wav"), lab.path("inbox/podcast/talk.mp3"));
    let frames = 12 * 44_100 + 123;
    wav::write(&wav_path, &signal::pink(44_100, 2, frames, 0.3, 12), Stored::Int(16));
    let words = ["--quiet", "-b", "192", "--tt", "Gräser", "--ta", "Ensemble"];
    let files = [wav_path.to_str().unwrap(), mp3.to_str().unwrap()];
    lame.output(&[&words[..], &files[..]].concat());
    watch(&lab, PODCAST.pipeline);
    check_podcast(&lab, &ffmpeg, &mp3, frames);
}

#[test]
fn podcast_of_ogg_keeps_every_frame_and_the_tags() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let Some(oggenc) = Tool::find("oggenc") else { return };
    let lab = Lab::new();
    let (wav_path, ogg) = (lab.aside("talk.wav"), lab.path("inbox/podcast/talk.ogg"));
    let frames = 12 * 44_100 + 321;
    wav::write(&wav_path, &signal::pink(44_100, 2, frames, 0.3, 13), Stored::Int(16));
    let words = ["--quiet", "-q", "5", "-t", "Gräser", "-a", "Ensemble", "-o"];
    let files = [ogg.to_str().unwrap(), wav_path.to_str().unwrap()];
    oggenc.output(&[&words[..], &files[..]].concat());
    watch(&lab, PODCAST.pipeline);
    check_podcast(&lab, &ffmpeg, &ogg, frames);
}

#[test]
fn podcast_of_flac_keeps_every_frame_and_the_tags() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let Some(flac) = Tool::find("flac") else { return };
    let lab = Lab::new();
    let (wav_path, path) = (lab.aside("talk.wav"), lab.path("inbox/podcast/talk.flac"));
    let frames = FRAMES + 7;
    wav::write(&wav_path, &signal::pink(RATE_HZ, 2, frames, 0.3, 14), Stored::Int(24));
    let words = ["--silent", "--tag=TITLE=Gräser", "--tag=ARTIST=Ensemble", "-o"];
    let files = [path.to_str().unwrap(), wav_path.to_str().unwrap()];
    flac.output(&[&words[..], &files[..]].concat());
    watch(&lab, PODCAST.pipeline);
    check_podcast(&lab, &ffmpeg, &path, frames);
}

/// The files of a podcast against the encoded source as `ffmpeg` decodes it.
fn check_podcast(lab: &Lab, ffmpeg: &Ffmpeg, source: &Path, frames: usize) {
    let decoded = ffmpeg.decode(source);
    assert_eq!(decoded.frame_count(), frames, "ffmpeg and the encoder agree");
    for ending in ["talk.wav", "talk.flac"] {
        let output = one(lab, ending);
        PODCAST.check(ending, &decoded, &ffmpeg.decode(&output));
        let tags = ffmpeg.tags(&output);
        for (key, value) in [("title", "Gräser"), ("artist", "Ensemble")] {
            let carried = tags.iter().any(|(k, v)| k == key && v == value);
            assert!(carried, "{ending} lacks {key}: {tags:?}");
        }
    }
    check_podcast_mp3(&ffmpeg.decode(&one(lab, ".mp3")), &decoded);
    assert!(ffmpeg.tags(&one(lab, ".mp3")).contains(&("title".into(), "Gräser".into())));
}

/// What is published: as long as the source, at its loudness but for what 128 kbit/s leave out.
fn check_podcast_mp3(mp3: &Signal, source: &Signal) {
    let rate = u64::from(source.sample_rate_hz);
    let expected = (source.frame_count() as u64 * 44_100 * 2 + rate) / (2 * rate);
    assert_eq!(mp3.frame_count() as u64, expected, "duration of the MP3");
    let found = oracle::measure(mp3);
    let loudness = found.integrated_lufs.unwrap();
    assert!((loudness + 16.0).abs() < 0.3, "{loudness} LUFS");
    assert!(found.true_peak_dbtp.unwrap() <= PODCAST.ceiling_dbtp + PEAK_TOLERANCE_DB);
}

#[test]
fn measure_reports_what_the_oracle_measures() {
    let lab = Lab::new();
    let source = signal::speech(RATE_HZ, 2, FRAMES, 0.5, 3);
    wav::write(&lab.path("inbox/measure/talk.wav"), &source, Stored::Float);
    watch(&lab, "measure");
    let report = one(&lab, ".json");
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report).unwrap()).unwrap();
    let loudness = find(&report, "integrated_lufs").unwrap_or_else(|| panic!("{report:#}"));
    let expected = oracle::measure(&source).integrated_lufs.unwrap();
    assert!((loudness - expected).abs() < 0.01, "{loudness} is not {expected}");
    assert_eq!(outputs(&lab, ".wav").len() + outputs(&lab, ".flac").len(), 0);
}

/// The first number under this key, wherever it is.
fn find(value: &serde_json::Value, key: &str) -> Option<f64> {
    match value {
        serde_json::Value::Object(map) => map
            .get(key)
            .and_then(serde_json::Value::as_f64)
            .or_else(|| map.values().find_map(|value| find(value, key))),
        serde_json::Value::Array(list) => list.iter().find_map(|value| find(value, key)),
        _ => None,
    }
}

#[test]
fn run_and_watch_make_the_same_audio_bytes() {
    let (by_run, by_watch) = (Lab::new(), Lab::new());
    let source = soft_speech();
    let path = by_run.aside("talk.wav");
    wav::write(&path, &source, Stored::Int(16));
    wav::write(&by_watch.path("inbox/podcast/talk.wav"), &source, Stored::Int(16));
    run(&by_run, PODCAST.pipeline, &[&path]);
    watch(&by_watch, PODCAST.pipeline);
    for ending in ["talk.wav", "talk.flac", "talk.mp3"] {
        let bytes = |lab: &Lab| std::fs::read(one(lab, ending)).unwrap();
        assert!(bytes(&by_run) == bytes(&by_watch), "{ending} differs between run and watch");
    }
}

#[test]
fn folder_of_shipped_pipelines_serves_every_inbox() {
    let lab = Lab::new();
    let source = signal::pink(RATE_HZ, 2, 2 * RATE_HZ as usize, 0.1, 15);
    let inboxes = [
        "apple-music",
        "archive",
        "broadcast",
        "cd-master",
        "measure",
        "podcast",
        "streaming",
        "youtube",
    ];
    for inbox in inboxes {
        wav::write(&lab.path(&format!("inbox/{inbox}/take.wav")), &source, Stored::Int(16));
    }
    let ended = lab.until_idle(&[&repository().join("pipelines")]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(lab.files("outbox/podcast"), ["take.flac", "take.json", "take.mp3", "take.wav"]);
    assert_eq!(lab.files("outbox/streaming"), ["take.flac", "take.json"]);
    assert_eq!(lab.files("outbox/broadcast"), ["take.json", "take.wav"]);
    assert_eq!(lab.files("reports"), ["take.json"]);
    assert_eq!(lab.files("archive").len(), 2, "{:?}", lab.files("archive"));
    for inbox in ["apple-music", "cd-master", "youtube"] {
        assert_eq!(lab.files(&format!("outbox/{inbox}")), ["take.json", "take.wav"]);
    }
    assert_eq!(lab.files("inbox").len(), inboxes.len(), "sources are kept");
}

#[test]
fn streaming_keeps_the_ceiling_of_hot_mono_at_96_khz() {
    let Some(ffmpeg) = Ffmpeg::find() else { return };
    let lab = Lab::new();
    // Impulses on soft noise: far below the target, and the peaks bind.
    let mut source = signal::pink(96_000, 1, 96_000 * 4, 0.05, 16);
    let clicks = signal::impulses(96_000, 1, 96_000 * 4, 0.7, 9_601);
    for (sample, click) in source.planes[0].iter_mut().zip(&clicks.planes[0]) {
        *sample += click;
    }
    wav::write(&lab.path("inbox/streaming/clicks.wav"), &source, Stored::Float);
    watch(&lab, STREAMING.pipeline);
    STREAMING.check("clicks.flac", &source, &ffmpeg.decode(&one(&lab, "clicks.flac")));
}

/// Needs no program: files that others made are in the repository.
#[test]
fn fixtures_of_every_format_come_out_whole() {
    const FRAMES: [(&str, usize); 6] = [
        ("tone-16.flac", 5292),
        ("tone-24-6ch.flac", 1440),
        ("tone-flac.oga", 5292),
        ("tone-lame.mp3", 5292),
        ("tone.ogg", 5292),
        ("tone.aiff", 400),
    ];
    let lab = Lab::new();
    let text = "version = 1\n[pipeline]\nname = \"all\"\n\
                [[export]]\nformat = \"wav\"\npath = \"out/{name}.wav\"\n";
    let mut words = vec![PathBuf::from("run"), lab.pipeline("all", text)];
    words.extend(FRAMES.map(|(name, _)| repository().join("tests/fixtures").join(name)));
    let ended = lab.run(words);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for (name, frames) in FRAMES {
        let output = wav::read(&lab.root().join(format!("out/{name}.wav")));
        assert_eq!(output.signal.frame_count(), frames, "{name}");
        let peak = oracle::measure(&output.signal).sample_peak_dbfs.unwrap();
        // Lossy coding moves the peaks of a tenth of a second by up to a decibel.
        assert!((peak + 6.0).abs() < 1.0, "{name}: sines at -6 dBFS read {peak}");
    }
}
