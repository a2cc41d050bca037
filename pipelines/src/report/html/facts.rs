//! What a file is, and what its tags say.

use super::markup::{Text, definitions};
use super::number::{self, NONE};
use super::{PageFile, Scope};
use crate::report::FileFacts;
use wavemill_core::audio::SampleFormat;

/// Tags that are shown: their keys and names.
const TAGS: &[(&str, &str)] = &[
    ("title", "Title"),
    ("artist", "Artist"),
    ("album", "Album"),
    ("album_artist", "Album artist"),
    ("composer", "Composer"),
    ("genre", "Genre"),
    ("date", "Date"),
    ("isrc", "ISRC"),
    ("copyright", "Copyright"),
];

/// Facts and tags.
#[expect(clippy::unnecessary_wraps, reason = "one of `SECTIONS`")]
pub(super) fn section(file: &PageFile, _scope: Scope) -> Option<String> {
    let facts = &file.facts;
    let mut rows = vec![("File", Text(&file_name(&facts.path)).to_string())];
    rows.push(("Format", Text(&line(facts)).to_string()));
    if facts.size_bytes > 0 {
        rows.push(("Size", number::size(facts.size_bytes)));
    }
    let duration = facts.duration_s.map_or(NONE.to_owned(), |seconds| {
        format!("{} <small>({seconds:.3} s)</small>", number::duration(seconds))
    });
    rows.push(("Length", duration));
    for (key, name) in TAGS {
        if let Some(text) = file.tag(key) {
            rows.push((name, Text(text).to_string()));
        }
    }
    if !facts.blake3.is_empty() {
        rows.push(("BLAKE3", format!("<small class=\"hash\">{}</small>", Text(&facts.blake3))));
    }
    if let Some(report) = &file.report {
        rows.push(("Pipeline", Text(&report.pipeline.name).to_string()));
        rows.push(("Job", Text(&report.job.id).to_string()));
    }
    Some(definitions(&rows))
}

/// `FLAC, 24-bit, 44.1 kHz, stereo`.
pub(super) fn line(facts: &FileFacts) -> String {
    let mut parts = vec![format_name(&facts.format)];
    if facts.codec != facts.format && facts.codec != "pcm" && !facts.codec.is_empty() {
        parts[0] = format!("{} ({})", parts[0], format_name(&facts.codec));
    }
    match (facts.bit_depth, facts.sample_format) {
        (Some(bits), Some(SampleFormat::Float)) => parts.push(format!("{bits}-bit float")),
        (Some(bits), _) => parts.push(format!("{bits}-bit")),
        (None, _) => {}
    }
    parts.push(rate(facts.sample_rate_hz));
    parts.push(channels(facts.channels));
    parts.join(", ")
}

/// A container or codec as people write it.
pub(super) fn format_name(name: &str) -> String {
    match name {
        "vorbis" => "Vorbis".to_owned(),
        "opus" => "Opus".to_owned(),
        "ogg" => "Ogg".to_owned(),
        "matroska" => "Matroska".to_owned(),
        name => name.to_uppercase(),
    }
}

/// `44.1 kHz`.
pub(super) fn rate(hertz: u32) -> String {
    format!("{} kHz", f64::from(hertz) / 1000.0)
}

pub(super) fn channels(count: usize) -> String {
    match count {
        1 => "mono".to_owned(),
        2 => "stereo".to_owned(),
        count => format!("{count} channels"),
    }
}

/// Last part of a path: nobody outside needs to know the folders.
pub(super) fn file_name(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).find(|part| !part.is_empty());
    name.unwrap_or(path).to_owned()
}
