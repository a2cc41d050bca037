//! `wavemill tags`: the tags of files.

use super::confinement::before_analysis;
use super::{CliError, Context, Exit, Run};
use crate::analysis::{self, AnalyzeError};
use crate::report::{Align, JSON_VERSION, Table, Tone, one_line, shown, size};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use wavemill_core::tags::{Broadcast, Cue, CueEnd, Place, Recording, TagReading, Tags};

/// Show the tags of files: title, artist, broadcast information, pictures
#[derive(Debug, clap::Args)]
pub(super) struct TagsOf {
    /// Audio files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Run for TagsOf {
    const NAME: &'static str = "tags";

    fn run(self, context: &Context) -> Result<Exit, CliError> {
        before_analysis(context, self.files.iter().map(PathBuf::as_path), None, None, &[])?;
        let readings: Vec<_> =
            self.files.iter().map(|path| (path.as_path(), analysis::read_tags(path))).collect();
        if context.is_json() {
            let files: Vec<_> =
                readings.iter().map(|(path, result)| object(path, result)).collect();
            context.document(&json!({ "version": JSON_VERSION, "files": files }))?;
        }
        for (index, (path, result)) in readings.iter().enumerate() {
            match result {
                Ok(reading) => {
                    if !context.is_json() {
                        show(path, reading, index > 0, context)?;
                    }
                    for warning in &reading.warnings {
                        context.report.warning(&format!("{}: {}", shown(path), one_line(warning)));
                    }
                }
                Err(error) => {
                    let error = one_line(&error.to_string());
                    context.report.error(&format!("{} {error}", shown(path)));
                }
            }
        }
        let is_good = readings.iter().all(|(_, result)| result.is_ok());
        Ok(if is_good { Exit::Done } else { Exit::SomeFailed })
    }
}

fn object(path: &Path, result: &Result<TagReading, AnalyzeError>) -> Value {
    let path = path.to_string_lossy();
    match result {
        Ok(TagReading { tags, replay_gain, warnings }) => {
            json!({ "path": path, "tags": tags, "replay_gain": replay_gain, "warnings": warnings })
        }
        Err(error) => json!({ "path": path, "error": one_line(&error.to_string()) }),
    }
}

fn show(
    path: &Path,
    reading: &TagReading,
    is_further: bool,
    context: &Context,
) -> Result<(), CliError> {
    let paint = context.report.paint();
    if is_further {
        context.lines([""])?;
    }
    context.lines([paint.tone(Tone::Strong, shown(path))])?;
    let mut rows = rows(&reading.tags);
    rows.extend(reading.replay_gain.iter().map(|(key, text)| gain_row(key, text)));
    if rows.is_empty() {
        return context.lines([paint.tone(Tone::Faint, "  no tags")]);
    }
    let mut table = Table::new(&[("", Align::Left); 2]);
    for (name, value) in rows {
        table.toned([(format!("  {name}"), Some(Tone::Faint)), (one_line(&value), None)]);
    }
    context.lines(table.lines(paint))
}

/// Name and value of each tag that is there.
fn rows(tags: &Tags) -> Vec<(&'static str, String)> {
    let number = |value: Option<u32>| value.map(|value| value.to_string());
    let of_total = |value: Option<u32>, total: Option<u32>| match (value, total) {
        (Some(value), Some(total)) => Some(format!("{value} of {total}")),
        (value, None) => number(value),
        (None, Some(total)) => Some(format!("? of {total}")),
    };
    let date = tags.date.clone().or_else(|| number(tags.year));
    let mut rows: Vec<_> = [
        ("title", tags.title.clone()),
        ("artist", tags.artist.clone()),
        ("album", tags.album.clone()),
        ("album artist", tags.album_artist.clone()),
        ("composer", tags.composer.clone()),
        ("genre", tags.genre.clone()),
        ("date", date),
        ("track", of_total(tags.track, tags.track_total)),
        ("disc", of_total(tags.disc, tags.disc_total)),
        ("bpm", tags.bpm.map(|bpm| bpm.to_string())),
        ("key", tags.key.clone()),
        ("isrc", tags.isrc.clone()),
        ("comment", tags.comment.clone()),
        ("copyright", tags.copyright.clone()),
        ("lyrics", tags.lyrics.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect();
    rows.extend(tags.broadcast.iter().flat_map(broadcast_rows));
    rows.extend(tags.recording.iter().flat_map(recording_rows));
    rows.extend(tags.cues.iter().map(cue_row));
    rows.extend(tags.pictures.iter().map(|picture| {
        let bytes = size(picture.bytes.len() as u64);
        ("picture", format!("{}, {}, {bytes}", picture.kind, picture.media_type))
    }));
    rows
}

/// A line of `ReplayGain`; Opus counts in steps of 1/256 dB.
fn gain_row(key: &str, text: &str) -> (&'static str, String) {
    let name = match key {
        "track_gain" => "track gain",
        "track_peak" => "track peak",
        "album_gain" => "album gain",
        "album_peak" => "album peak",
        "r128_track_gain" => "R128 track gain",
        _ => "R128 album gain",
    };
    let steps = text.parse::<i16>().ok().filter(|_| key.starts_with("r128"));
    (name, steps.map_or(text.to_owned(), |steps| format!("{:.2} dB", f64::from(steps) / 256.0)))
}

fn cue_row(cue: &Cue) -> (&'static str, String) {
    let place = |place: Place| match place {
        Place::Frame(frame) => format!("frame {frame}"),
        Place::Nanoseconds(ns) => {
            // Hundredths of a second would merge marks that are set to the frame.
            let ms = (ns + 500_000) / 1_000_000;
            let (s, m, h) = (ms / 1000 % 60, ms / 60_000 % 60, ms / 3_600_000);
            format!("{h}:{m:02}:{s:02}.{:03}", ms % 1000)
        }
    };
    let label = cue.label.as_deref().map(|label| format!("  {label}")).unwrap_or_default();
    let start = place(cue.start);
    match cue.end {
        CueEnd::Point => ("cue", format!("{start}{label}")),
        CueEnd::Next => ("chapter", format!("{start}{label}")),
        CueEnd::At(end) => ("chapter", format!("{start} to {}{label}", place(end))),
    }
}

fn broadcast_rows(broadcast: &Broadcast) -> Vec<(&'static str, String)> {
    [
        ("description", broadcast.description.clone()),
        ("originator", broadcast.originator.clone()),
        ("reference", broadcast.reference.clone()),
        ("origination", joined(broadcast.date.as_ref(), broadcast.time.as_ref())),
        ("time reference", broadcast.time_reference.map(|frames| format!("frame {frames}"))),
        ("coding history", broadcast.coding_history.clone()),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn recording_rows(recording: &Recording) -> Vec<(&'static str, String)> {
    let circled = recording.circled.map(|is_circled| if is_circled { "yes" } else { "no" });
    [
        ("project", recording.project.clone()),
        ("scene", recording.scene.clone()),
        ("take", recording.take.clone()),
        ("tape", recording.tape.clone()),
        ("circled", circled.map(str::to_owned)),
        ("note", recording.note.clone()),
        ("timecode", joined(recording.timecode_rate.as_ref(), recording.timecode_flag.as_ref())),
        ("recorded at", recording.time_reference.map(|frames| format!("frame {frames}"))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn joined(date: Option<&String>, time: Option<&String>) -> Option<String> {
    let parts: Vec<_> = [date, time].into_iter().flatten().map(String::as_str).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
