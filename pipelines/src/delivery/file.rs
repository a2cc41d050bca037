//! Delivery targets: `[[target]]` in a file of their own.

use crate::diagnostic::Diagnostic;
use crate::reader::{
    CHANNEL_COUNT_MAX, Key, Kind, Sink, VERSION_KEY, Values, check_version, read_document,
};
use toml::Spanned;
use wavemill_core::delivery::{Playback, Source, Target};
use wavemill_core::units::{Dbtp, Lu, Lufs};

/// The meaning of the keys.
const VERSION: i64 = 1;

const ROOT_KEYS: &[Key] =
    &[VERSION_KEY, Key::required("target", Kind::Tables(KEYS), "at least one section [[target]]")];

/// Loudnesses that make sense: -70 LUFS is the absolute gate of BS.1770.
const LOUDNESS: Kind = Kind::Number { unit: "LUFS", min: -70.0, max: 10.0 };
const PEAK: Kind = Kind::Number { unit: "dBTP", min: -120.0, max: 40.0 };

const KEYS: &[Key] = &[
    Key::required(
        "id",
        Kind::Text,
        "the name for commands: lower-case letters, digits and hyphens",
    ),
    Key::required("name", Kind::Text, "the display name"),
    Key::optional("purpose", Kind::Text, "Its purpose, in a few words."),
    Key::optional("integrated_lufs", LOUDNESS, "Target integrated loudness."),
    Key::optional(
        "tolerance_lu",
        Kind::Number { unit: "LU", min: 0.0, max: 60.0 },
        "Allowed deviation; without it, the deviation is reported and never fails.",
    ),
    Key::optional("dialogue_gated", Kind::Bool, "Whether the target applies to the dialogue."),
    Key::optional("short_term_max_lufs", LOUDNESS, "Maximum short-term loudness."),
    Key::optional("momentary_max_lufs", LOUDNESS, "Maximum momentary loudness."),
    Key::optional(
        "loudness_range_max_lu",
        Kind::Number { unit: "LU", min: 0.0, max: 100.0 },
        "Maximum loudness range.",
    ),
    Key::optional("true_peak_max_dbtp", PEAK, "Maximum true peak."),
    Key::optional(
        "true_peak_max_if_louder_dbtp",
        PEAK,
        "Maximum true peak of files that are louder than the target.",
    ),
    Key::optional(
        "channels",
        Kind::Integers { min: 1, max: CHANNEL_COUNT_MAX },
        "Required channel counts, such as 1 or [2, 6].",
    ),
    Key::optional("playback", Kind::Table(PLAYBACK_KEYS), "What playback does to the level."),
    Key::optional("source", Kind::Table(SOURCE_KEYS), "Sources of the numbers."),
    Key::optional("note", Kind::Text, "Notes."),
];

const PLAYBACK_KEYS: &[Key] = &[
    Key::required("level_lufs", LOUDNESS, "the playback loudness"),
    Key::optional("raises", Kind::Bool, "Whether quieter files are raised."),
    Key::optional("ceiling_dbtp", PEAK, "True peak up to which quieter files are raised."),
];

const SOURCE_KEYS: &[Key] = &[
    Key::required("document", Kind::Text, "the document, with edition and clause, or the page"),
    Key::optional("url", Kind::Text, "Its address."),
    Key::optional("checked", Kind::Text, "When it was checked, such as \"2026-11-21\"."),
    Key::optional("confirmed", Kind::Bool, "Whether it is by the publisher of the target."),
];

/// Reads a file of targets.
///
/// # Errors
/// Every mistake at once, in the order of the text.
pub(super) fn read_targets(text: &str) -> Result<Vec<Target>, Vec<Diagnostic>> {
    let mut targets = Vec::new();
    let mut found = Vec::new();
    read_document(text, ROOT_KEYS, "the targets file", &mut found, |sink, root| {
        check_version(sink, root, VERSION);
        targets.extend(root.tables("target").iter().map(|values| read(sink, values)));
        refuse_second_ids(sink, root.tables("target"));
    });
    if found.is_empty() { Ok(targets) } else { Err(found) }
}

fn read(sink: &mut Sink<'_>, values: &Values<'_>) -> Target {
    let number = |key: &str| values.number(key).map(Spanned::into_inner);
    let text = |key: &str| values.text(key).map(Spanned::into_inner);
    if let Some(id) = values.text("id") {
        check_id(sink, &id);
    }
    let is_tolerated =
        values.written("tolerance_lu").filter(|_| number("integrated_lufs").is_none());
    if let Some(span) = is_tolerated.filter(|_| values.written("integrated_lufs").is_none()) {
        sink.error("contradiction", span, "`tolerance_lu` without `integrated_lufs`")
            .help("add `integrated_lufs`, or remove `tolerance_lu`");
    }
    Target {
        id: text("id").unwrap_or_default(),
        name: text("name").unwrap_or_default(),
        purpose: text("purpose").unwrap_or_default(),
        integrated_lufs: number("integrated_lufs").map(Lufs),
        tolerance_lu: number("tolerance_lu").map(Lu),
        is_dialogue_gated: values.flag("dialogue_gated"),
        short_term_max_lufs: number("short_term_max_lufs").map(Lufs),
        momentary_max_lufs: number("momentary_max_lufs").map(Lufs),
        loudness_range_max_lu: number("loudness_range_max_lu").map(Lu),
        true_peak_max_dbtp: number("true_peak_max_dbtp").map(Dbtp),
        true_peak_max_if_louder_dbtp: number("true_peak_max_if_louder_dbtp").map(Dbtp),
        channels: values.numbers("channels", |count| usize::try_from(count).ok()),
        playback: values.table("playback").and_then(read_playback),
        source: values.table("source").map(read_source).unwrap_or_default(),
        note: text("note"),
    }
}

fn read_playback(values: &Values<'_>) -> Option<Playback> {
    Some(Playback {
        level_lufs: Lufs(values.number("level_lufs")?.into_inner()),
        raises: values.flag("raises"),
        ceiling_dbtp: values.number("ceiling_dbtp").map(|number| Dbtp(number.into_inner())),
    })
}

fn read_source(values: &Values<'_>) -> Source {
    let text = |key: &str| values.text(key).map(Spanned::into_inner);
    Source {
        document: text("document").unwrap_or_default(),
        url: text("url"),
        checked: text("checked").unwrap_or_default(),
        is_confirmed: values.flag("confirmed"),
    }
}

fn check_id(sink: &mut Sink<'_>, id: &Spanned<String>) {
    let is_right = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.get_ref() == ALL {
        sink.error("reserved", id.span(), "the id `all` is reserved for all targets")
            .help("choose another id");
    } else if !id.get_ref().bytes().all(is_right) {
        sink.error(
            "bad-id",
            id.span(),
            format!("the id \"{}\" has characters that are not allowed", id.get_ref()),
        )
        .help("use lower-case letters, digits and hyphens");
    }
}

/// What stands for every target on the command line.
const ALL: &str = "all";

fn refuse_second_ids(sink: &mut Sink<'_>, sections: &[Values<'_>]) {
    let ids: Vec<Spanned<String>> =
        sections.iter().filter_map(|values| values.text("id")).collect();
    for (index, id) in ids.iter().enumerate() {
        if ids[..index].iter().any(|other| other.get_ref() == id.get_ref()) {
            let message = format!("two targets have the id `{}`", id.get_ref());
            sink.error("duplicate-id", id.span(), message).help("give one of them another id");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_file_is_read_whole() {
        let text = "version = 1\n[[target]]\nid = \"house\"\nname = \"House\"\nintegrated_lufs = -20\n\
                    tolerance_lu = 0.5\nchannels = [1, 2]\n\
                    playback = { level_lufs = -18.0, raises = true }\n";
        let targets = read_targets(text).unwrap();
        assert_eq!(targets.len(), 1);
        let target = &targets[0];
        assert_eq!(
            (target.integrated_lufs, target.tolerance_lu),
            (Some(Lufs(-20.0)), Some(Lu(0.5)))
        );
        assert_eq!(target.channels, [1, 2]);
        assert_eq!(
            target.playback,
            Some(Playback { level_lufs: Lufs(-18.0), raises: true, ceiling_dbtp: None })
        );
        assert!(!target.source.is_confirmed);
    }

    #[test]
    fn every_mistake_of_a_targets_file_is_reported() {
        let text = "version = 1\n[[target]]\nid = \"My House\"\nname = \"a\"\ntolerance_lu = 1\n\
                    [[target]]\nid = \"b\"\nname = \"b\"\ntrue_peek_max_dbtp = -1\n\
                    playback = { raises = 1 }\n[[target]]\nid = \"b\"\nname = \"all\"\n";
        let found = read_targets(text).unwrap_err();
        let codes: Vec<(&str, usize)> =
            found.iter().map(|found| (found.code, found.line)).collect();
        assert_eq!(
            codes,
            [
                ("bad-id", 3),
                ("contradiction", 5),
                ("unknown-key", 9),
                ("missing-key", 10),
                ("wrong-type", 10),
                ("duplicate-id", 12),
            ]
        );
        assert_eq!(found[2].help.as_deref(), Some("did you mean `true_peak_max_dbtp`?"));
    }
}
