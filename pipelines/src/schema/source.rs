//! `[chapters]`, `[report]` and `[source]`: what is written beside exports, and what becomes of the source.

use super::template;
use crate::model::{PageOutput, SourceAction, SourcePolicy};
use crate::reader::Sink;
use crate::reader::Values;
use crate::reader::{Key, Kind};
use crate::template::Template;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use wavemill_core::analysis::MeasureGroup;
use wavemill_core::music::RhythmOptions;
use wavemill_core::suggestion::did_you_mean;

pub(super) const CHAPTERS_KEYS: &[Key] = &[Key::required(
    "json",
    Kind::Text,
    "as in json = \"outbox/{stem}.chapters.json\": times and titles after the last step, as \
    Podcasting 2.0 JSON; not written if the audio has no chapters; published after the exports, \
    with their `on_conflict`",
)];

pub(super) const REPORT_KEYS: &[Key] = &[
    Key::optional(
        "json",
        Kind::Text,
        "Where to write it for programs, as in json = \"outbox/{stem}.json\"; published after the \
        exports, with their `on_conflict`.",
    ),
    Key::optional(
        "html",
        Kind::Text,
        "Where to write it for people, as in html = \"outbox/{stem}.html\": one page with verdicts, \
        charts and numbers before and after; source and first export are measured once more for it.",
    ),
    Key::optional("title", Kind::Text, "Name above the page, such as that of a studio."),
    Key::optional(
        "logo",
        Kind::Text,
        "Picture beside the title: PNG, JPEG, WebP, GIF or SVG of up to 96 KiB; relative to the \
        folder of the pipeline file.",
    ),
    Key::optional(
        "measure",
        Kind::Words(&MEASURES),
        "What to measure of the source and every export besides loudness, such as [\"level\"] or \
        \"all\".",
    ),
    Key::optional(
        "tempo_range_bpm",
        Kind::Integers { min: 30, max: 300 },
        "Slowest and fastest tempo to report, such as [80, 110]; default [60, 200]: of a tempo, its half and \
        its double, the one in this range.",
    ),
];

/// How rhythm is measured.
pub(super) fn read_rhythm(sink: &mut Sink<'_>, values: &Values<'_>) -> RhythmOptions {
    let key = "tempo_range_bpm";
    let Some(range) = values.integers(key) else { return RhythmOptions::default() };
    let ends: Vec<f64> = range.get_ref().iter().map(|end| *end.get_ref() as f64).collect();
    let options = match ends[..] {
        [min, max] => RhythmOptions::of_range(min, max),
        _ => Err("needs two numbers: the slowest and the fastest tempo".to_owned()),
    };
    options.unwrap_or_else(|reason| {
        sink.error("out-of-range", range.span(), format!("`{key}` {reason}"))
            .help("such as tempo_range_bpm = [80, 110]");
        RhythmOptions::default()
    })
}

/// Everything that is measured for people; what similar music is found by has to be named.
const ALL: &str = "all";

/// The groups of measures by name, and [`ALL`].
const MEASURES: [&str; MeasureGroup::ALL.len() + 1] = {
    let mut names = [ALL; MeasureGroup::ALL.len() + 1];
    let mut index = 0;
    while index < MeasureGroup::ALL.len() {
        names[index] = MeasureGroup::ALL[index].name();
        index += 1;
    }
    names
};

/// The groups that the report holds besides loudness, in the order of reports.
pub(super) fn read_measures(values: &Values<'_>) -> Vec<MeasureGroup> {
    let named = values.words("measure").map(Spanned::into_inner).unwrap_or_default();
    let is_in_all = |group: &MeasureGroup| *group != MeasureGroup::Features;
    let is_named = |group: &MeasureGroup| {
        named.contains(&group.name()) || (named.contains(&ALL) && is_in_all(group))
    };
    let groups = MeasureGroup::ALL.iter().copied().filter(|group| *group != MeasureGroup::Loudness);
    groups.filter(is_named).collect()
}

pub(super) const SOURCE_KEYS: &[Key] = &[
    Key::optional("on_success", Kind::Text, "keep (default), move:FOLDER, trash or delete"),
    Key::optional("on_failure", Kind::Text, "keep (default), move:FOLDER, trash or delete"),
];

const ACTIONS: [&str; 4] = ["keep", "move:FOLDER", "trash", "delete"];

/// A path of `[chapters]` or `[report]`.
pub(super) fn read_path(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    key: &str,
) -> Option<Spanned<Template>> {
    let path = values.text(key)?;
    template::read(sink, &path, template::EXPORT)
}

/// The page of `[report]`, and where its path stands.
pub(super) fn read_page(
    sink: &mut Sink<'_>,
    values: &Values<'_>,
    folder: &Path,
) -> Option<(PageOutput, Spanned<Template>)> {
    let title = values.text("title");
    let logo = values.text("logo");
    let Some(path) = read_path(sink, values, "html") else {
        if values.text("html").is_none() {
            for (key, value) in [("title", &title), ("logo", &logo)] {
                if let Some(value) = value {
                    let message = format!("`{key}` is for the page, but `html` is missing");
                    sink.error("contradiction", value.span(), message)
                        .help("add html = \"outbox/{stem}.html\"");
                }
            }
        }
        return None;
    };
    let logo = logo.and_then(|logo| {
        let path = folder.join(logo.get_ref());
        if path.is_file() {
            return Some(path);
        }
        sink.error("missing-file", logo.span(), format!("there is no file {}", path.display()));
        None
    });
    let title = title.map(Spanned::into_inner);
    Some((PageOutput { path: path.get_ref().clone(), title, logo }, path))
}

/// What was written, with the places of actions that need a check against the rest.
pub(super) struct ParsedSource {
    pub(super) policy: SourcePolicy,
    pub(super) on_success: Option<Range<usize>>,
    /// Folders sources are moved to.
    pub(super) moves: Vec<Spanned<Template>>,
}

pub(super) fn read(sink: &mut Sink<'_>, values: Option<&Values<'_>>) -> ParsedSource {
    let mut moves = Vec::new();
    let mut action = |key: &str| {
        let written = values.and_then(|values| values.text(key));
        written.map_or(SourceAction::Keep, |written| read_action(sink, key, &written, &mut moves))
    };
    let policy =
        SourcePolicy { on_success: action("on_success"), on_failure: action("on_failure") };
    let on_success =
        values.and_then(|values| values.text("on_success")).map(|written| written.span());
    ParsedSource { policy, on_success, moves }
}

fn read_action(
    sink: &mut Sink<'_>,
    key: &str,
    written: &Spanned<String>,
    moves: &mut Vec<Spanned<Template>>,
) -> SourceAction {
    match written.get_ref().as_str() {
        "keep" => return SourceAction::Keep,
        "trash" => return SourceAction::Trash,
        "delete" => return SourceAction::Delete,
        text => {
            if let Some(folder) = text.strip_prefix("move:") {
                let start = sink.inside(written.span(), text, "move:".len()..text.len());
                // The same template as a string of its own, so that spans point into the folder.
                let folder = Spanned::new(start, folder.trim().trim_end_matches('/').to_owned());
                if let Some(template) = template::read(sink, &folder, template::SOURCE) {
                    moves.push(template.clone());
                    return SourceAction::Move(template.into_inner());
                }
                return SourceAction::Keep;
            }
            sink.error("unknown-choice", written.span(), format!("`{key}` cannot be \"{text}\""))
                .help(did_you_mean(text, "possible", ACTIONS.into_iter()));
        }
    }
    SourceAction::Keep
}
