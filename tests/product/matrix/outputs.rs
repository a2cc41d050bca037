//! Files of ours: accepted without a word by the strictest readers of each format, in the exact length,
//! and with the same samples where the format keeps them.

use crate::table::OUTPUT_RATES;
use crate::{Raw, Tally, decoded};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wavemill_core::audio::{PcmFormat, SampleFormat, Samples, StreamSpec};
use wavemill_core::encode::{
    self, Dither, EncodeSettings, FormatDescriptor, LossyQuality, Quantizer,
};
use wavemill_core::tags::{Broadcast, Cue, Picture, Place, Tags};
use wavemill_core::units::Frames;
use wavemill_tests::external::Tool;
use wavemill_tests::lab::Lab;
use wavemill_tests::signal;

/// Combinations there must be, with any features.
const COUNT: usize = 250;

/// A file of ours.
struct Case {
    format: &'static FormatDescriptor,
    settings: EncodeSettings,
    path: PathBuf,
    /// Frames of what its readers must find.
    frames: usize,
    /// What went in, at the top of 32 bits.
    samples: Samples,
}

impl Case {
    fn name(&self) -> String {
        let spec = &self.settings.spec;
        let (rate, channels) = (spec.sample_rate, spec.channel_count());
        let mut name = format!(
            "{} of {} at {rate} with {channels} channels",
            self.format.name, self.settings.format
        );
        if let Some(quality) = self.settings.quality {
            let _ = write!(name, ", {quality}");
        }
        if *self.settings.tags != Tags::default() {
            name.push_str(", tagged");
        }
        name
    }

    /// Whether ffmpeg and libsndfile read it: FLAC of 32 bits is younger than those that are usual. `flac` judges
    /// it, by an MD5 of what went in.
    fn is_known_to_all(&self) -> bool {
        self.format.name != "flac" || self.settings.format != PcmFormat::int(32)
    }
}

/// A reader that is asked about many files at once, and what it says of one that is not right.
struct Reader {
    tool: &'static str,
    options: &'static [&'static str],
    /// Formats it judges.
    formats: &'static [&'static str],
    /// Words that stand in no good answer.
    bad: &'static [&'static str],
    /// Whether it says nothing of a good file.
    is_silent: bool,
}

#[rustfmt::skip]
const READERS: &[Reader] = &[
    Reader { tool: "flac", options: &["-t", "-s", "-w"], formats: &["flac"], bad: &[], is_silent: true },
    Reader { tool: "mpg123", options: &["-t", "-q"], formats: &["mp3"], bad: &[], is_silent: true },
    Reader { tool: "ogginfo", options: &[], formats: &["vorbis"], bad: &["WARNING", "Warning", "ERROR"], is_silent: false },
    Reader { tool: "opusinfo", options: &[], formats: &["opus"], bad: &["WARNING", "Warning", "ERROR"], is_silent: false },
];

/// What is wrong with a file, by the path: nothing, mostly.
type Complaints = BTreeMap<PathBuf, Vec<String>>;

#[test]
fn files_of_ours_are_accepted_by_the_strictest_readers() {
    let lab = Lab::new();
    let cases = cases(&lab);
    let mut complaints = Complaints::new();
    for case in &cases {
        if let Err(reason) = is_what_went_in(case) {
            complain(&mut complaints, &case.path, format!("by us: {reason}"));
        }
    }
    for reader in READERS {
        read_by(reader, &cases, &mut complaints);
    }
    decoded_by_ffmpeg(&lab, &cases, &mut complaints);
    warned_of_by_ffprobe(&cases, &mut complaints);
    counted_by_sndfile(&cases, &mut complaints);
    shown_by_mediainfo(&cases, &mut complaints);
    let mut tally = Tally::default();
    for case in &cases {
        let reasons = complaints.remove(&case.path).unwrap_or_default();
        tally.add(&case.name(), if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) });
    }
    tally.finish("files that we write", COUNT);
}

fn complain(complaints: &mut Complaints, path: &Path, reason: String) {
    complaints.entry(path.to_owned()).or_default().push(reason);
}

/// Every format with every depth, at every rate and channel count of the table that it stores, and lossy
/// ones with several qualities.
fn cases(lab: &Lab) -> Vec<Case> {
    let mut cases = Vec::new();
    for &format in encode::FORMATS {
        for &stored in format.formats {
            for &rate_hz in OUTPUT_RATES {
                for channels in [1, 2, 6, 8, 24] {
                    // Each quality in turn: encoding them all takes long.
                    let mut all = qualities(format);
                    let count = all.len();
                    all.rotate_left(cases.len() % count);
                    let index = cases.len();
                    let made = all.into_iter().find_map(|quality| {
                        case(lab, format, stored, (rate_hz, channels), quality, index)
                    });
                    cases.extend(made);
                }
            }
        }
    }
    cases
}

fn qualities(format: &FormatDescriptor) -> Vec<Option<LossyQuality>> {
    let Some(lossy) = &format.lossy else { return vec![None] };
    let vbr = lossy.vbr_qualities.map(|(best, _)| LossyQuality::Vbr(best));
    let rates = [64, 192].map(|kbps| Some(lossy.usual_mode().of(kbps)));
    let others = lossy.bit_rate_modes.iter().skip(1).map(|mode| Some(mode.of(64)));
    let first = [None, vbr].into_iter().filter(|it| it.is_some() || vbr.is_none());
    first.chain(rates).chain(others).collect()
}

/// Writes a file, where its format stores such.
fn case(
    lab: &Lab,
    format: &'static FormatDescriptor,
    stored: PcmFormat,
    (rate_hz, channels): (u32, usize),
    quality: Option<LossyQuality>,
    index: usize,
) -> Option<Case> {
    // ffmpeg counts too many frames of Ogg Vorbis that is one page long, whoever wrote it, and doubts that a
    // few frames are MP3.
    let seconds_tenth = if format.is_lossless() { 1 } else { 12 };
    let frames = rate_hz as usize * seconds_tenth / 10 + 7;
    let settings = EncodeSettings {
        spec: StreamSpec::new(rate_hz, channels),
        format: stored,
        frame_count: index.is_multiple_of(2).then_some(Frames(frames as u64)),
        compression_level: format
            .compression_levels
            .map(|it| it.min + index.to_le_bytes()[0] % (it.max - it.min + 1)),
        quality,
        tags: Arc::new(if index.is_multiple_of(3) { tags() } else { Tags::default() }),
    };
    format.check(&settings).ok()?;
    let signal = signal::pink(rate_hz, channels, frames, 0.5, 3);
    let mut samples = Samples::Float { planes: signal.planes };
    if stored.sample_format == SampleFormat::Int {
        let mut quantizer = Quantizer::new(PcmFormat::FLOAT, stored, Dither::None, channels);
        let mut out = Samples::empty(stored, channels);
        quantizer.quantize(&samples, &mut out);
        samples = out;
    }
    let path = lab.aside(&format!("{index}.{}", format.extension));
    let options = File::options().read(true).write(true).create(true).truncate(true).clone();
    let file = options.open(&path).unwrap();
    let mut encoder = (format.create)(Box::new(file), settings.clone()).unwrap();
    encoder.write(&samples).unwrap();
    encoder.finish().unwrap();
    let decoded_rate = format.lossy.as_ref().and_then(|lossy| lossy.decoded_rate_hz);
    let frames = frames * decoded_rate.unwrap_or(rate_hz) as usize / rate_hz as usize;
    Some(Case { format, settings, path, frames, samples })
}

/// All that a master has.
fn tags() -> Tags {
    Tags {
        title: Some("T\u{f8}ne".to_owned()),
        artist: Some("Maker".to_owned()),
        date: Some("2026-11-22".to_owned()),
        year: Some(2026),
        track: Some(3),
        track_total: Some(9),
        isrc: Some("DEAB12600001".to_owned()),
        comment: Some("Two\nlines".to_owned()),
        broadcast: Some(Broadcast {
            description: Some("Take 3".to_owned()),
            originator: Some("Studio".to_owned()),
            date: Some("2026-11-22".to_owned()),
            time: Some("12:34:56".to_owned()),
            time_reference: Some(172_800_000),
            ..Broadcast::default()
        }),
        cues: vec![Cue::point(Place::Frame(100), Some("Here".to_owned()))],
        pictures: vec![Picture {
            kind: "front cover",
            media_type: "image/png".to_owned(),
            description: None,
            bytes: include_bytes!("../../fixtures/fuzz/cover.png").to_vec(),
        }],
        ..Tags::default()
    }
}

fn is_what_went_in(case: &Case) -> Result<(), String> {
    let ours = decoded(&case.path)?;
    if ours.frames != case.frames {
        return Err(format!("{} frames of {}", ours.frames, case.frames));
    }
    let is_same = match (&ours.samples, &case.samples) {
        _ if !case.format.is_lossless() => true,
        (Raw::Ints(found), samples @ Samples::Int { .. }) => *found == raw_ints(samples),
        (Raw::Floats(found), Samples::Float { planes }) => {
            let frame = |at: usize| planes.iter().map(move |plane| plane[at]);
            *found == (0..case.frames).flat_map(frame).collect::<Vec<f32>>()
        }
        _ => false,
    };
    if is_same { Ok(()) } else { Err("other samples".to_owned()) }
}

/// Interleaved, at the top of 32 bits.
fn raw_ints(samples: &Samples) -> Vec<i32> {
    let Samples::Int { bit_depth, planes } = samples else { return Vec::new() };
    let frame = |at: usize| planes.iter().map(move |plane| plane[at] << (32 - bit_depth));
    (0..samples.frame_count()).flat_map(frame).collect()
}

/// Asks about all files; where not all is well, about each.
fn read_by(reader: &Reader, cases: &[Case], complaints: &mut Complaints) {
    let files = cases.iter().filter(|case| reader.formats.contains(&case.format.name));
    let files: Vec<&Path> = files.map(|case| case.path.as_path()).collect();
    if files.is_empty() {
        return;
    }
    let Some(tool) = Tool::find(reader.tool) else { return };
    let complaint = |files: &[&Path]| {
        let output = tool.command().args(reader.options).args(files).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        let is_fine = output.status.success()
            && (!reader.is_silent || said.trim().is_empty())
            && !reader.bad.iter().any(|word| said.contains(word));
        (!is_fine).then(|| format!("{} says: {}", reader.tool, said.trim()))
    };
    if complaint(&files).is_some() {
        for file in files {
            if let Some(reason) = complaint(&[file]) {
                complain(complaints, file, reason);
            }
        }
    }
}

/// Files that ffmpeg is given in one call.
const AT_ONCE: usize = 40;

/// The exact length, and every sample where none is lost.
fn decoded_by_ffmpeg(lab: &Lab, cases: &[Case], complaints: &mut Complaints) {
    let Some(ffmpeg) = Tool::find("ffmpeg") else { return };
    let known: Vec<&Case> = cases.iter().filter(|case| case.is_known_to_all()).collect();
    for cases in known.chunks(AT_ONCE) {
        let mut command = ffmpeg.command();
        command.args(["-nostdin", "-v", "error", "-y"]);
        for case in cases {
            if case.format.name == "opus" {
                // Its own decoder loses frames of what was narrow.
                command.args(["-c:a", "libopus"]);
            }
            command.arg("-i").arg(&case.path);
        }
        for index in 0..cases.len() {
            command.args(["-map", &format!("{index}:a"), "-f", "s32le"]);
            command.arg(lab.aside(&format!("{index}.raw")));
        }
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && said.is_empty(), "ffmpeg says: {said}");
        for (index, case) in cases.iter().enumerate() {
            let raw = std::fs::read(lab.aside(&format!("{index}.raw"))).unwrap();
            if let Err(reason) = is_decoded(case, &raw) {
                complain(complaints, &case.path, format!("ffmpeg decodes {reason}"));
            }
        }
    }
}

fn is_decoded(case: &Case, raw: &[u8]) -> Result<(), String> {
    let frames = raw.len() / 4 / case.settings.spec.channel_count();
    if frames != case.frames {
        return Err(format!("{frames} frames of {}", case.frames));
    }
    let found = raw.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes));
    let is_kept = case.format.is_lossless() && matches!(case.samples, Samples::Int { .. });
    if is_kept && !found.eq(raw_ints(&case.samples)) {
        return Err("other samples".to_owned());
    }
    Ok(())
}

/// What ffprobe warns of where a WAV file has an `id3 ` chunk for what its `LIST` chunk has no names for.
const BOTH_KINDS_OF_TAGS: &str = "Discarding ID3 tags because more suitable tags were found.";

/// One call a file: it takes no more.
fn warned_of_by_ffprobe(cases: &[Case], complaints: &mut Complaints) {
    let Some(ffprobe) = Tool::find("ffprobe") else { return };
    for case in cases.iter().filter(|case| case.is_known_to_all()) {
        let output = ffprobe.command().args(["-v", "warning"]).arg(&case.path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut said = said.lines().filter(|line| !line.ends_with(BOTH_KINDS_OF_TAGS)).peekable();
        if !output.status.success() || said.peek().is_some() {
            let said = said.collect::<Vec<_>>().join(" ");
            complain(complaints, &case.path, format!("ffprobe says: {said}"));
        }
    }
}

/// libsndfile's count of the frames, of all files that it reads.
fn counted_by_sndfile(cases: &[Case], complaints: &mut Complaints) {
    const READ: [&str; 5] = ["aiff", "flac", "vorbis", "wav", "caf"];
    let Some(sndfile) = Tool::find("sndfile-info") else { return };
    let is_read = |case: &&Case| READ.contains(&case.format.name) && case.is_known_to_all();
    let cases = cases.iter().filter(is_read).collect::<Vec<_>>();
    let output = sndfile.command().args(cases.iter().map(|case| &case.path)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let counts = said.lines().filter_map(|line| line.strip_prefix("Frames      :"));
    let counts: Vec<usize> = counts.filter_map(|count| count.trim().parse().ok()).collect();
    if counts.len() == cases.len() {
        for (case, count) in cases.iter().zip(counts).filter(|(case, count)| case.frames != *count)
        {
            complain(complaints, &case.path, format!("libsndfile counts {count} frames"));
        }
        return;
    }
    for case in cases {
        let output = sndfile.command().arg(&case.path).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        if !said.lines().any(|line| line.starts_with("Frames      :")) {
            complain(complaints, &case.path, format!("libsndfile says: {said}"));
        }
    }
}

/// What mediainfo shows of Broadcast Wave files, and its count of the frames.
fn shown_by_mediainfo(cases: &[Case], complaints: &mut Complaints) {
    let Some(mediainfo) = Tool::find("mediainfo") else { return };
    let is_broadcast =
        |case: &&Case| case.format.name == "wav" && case.settings.tags.broadcast.is_some();
    let cases: Vec<&Case> = cases.iter().filter(is_broadcast).collect();
    let ask = |what: &str| {
        let mut command = mediainfo.command();
        let output =
            command.arg(format!("--Output={what}\\n")).args(cases.iter().map(|it| &it.path));
        let said = String::from_utf8(output.output().unwrap().stdout).unwrap();
        said.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let fields = ask("General;%Description%|%Producer%");
    let counts = ask("Audio;%SamplingCount%");
    assert_eq!((fields.len(), counts.len()), (cases.len(), cases.len()), "mediainfo");
    for (case, (fields, count)) in cases.iter().zip(fields.iter().zip(counts)) {
        if fields != "Take 3|Studio" || count != case.frames.to_string() {
            complain(
                complaints,
                &case.path,
                format!("mediainfo shows {fields} and {count} frames"),
            );
        }
    }
}
