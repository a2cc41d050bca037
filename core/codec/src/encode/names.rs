//! What formats are called.

use super::{FORMATS, FormatDescriptor};

/// The words for a format.
struct Names {
    /// Its name in pipelines and reports.
    name: &'static str,
    /// What else means it: extensions of its files.
    aliases: &'static [&'static str],
    /// The feature that builds its writer; `None` where every build has it.
    feature: Option<&'static str>,
}

const fn built_in(name: &'static str, aliases: &'static [&'static str]) -> Names {
    Names { name, aliases, feature: None }
}

/// Every format, built in or not.
const NAMES: &[Names] = &[
    Names { name: "aac", aliases: &["m4a", "m4b", "mp4"], feature: Some("fdk-aac") },
    built_in("aiff", &["aif", "aifc"]),
    built_in("flac", &[]),
    Names { name: "mp3", aliases: &[], feature: Some("mp3") },
    Names { name: "opus", aliases: &[], feature: Some("opus") },
    Names { name: "vorbis", aliases: &["ogg", "oga"], feature: Some("vorbis") },
    built_in("wav", &["wave", "bwf", "rf64"]),
];

impl Names {
    fn of(word: &str) -> Option<&'static Self> {
        NAMES.iter().find(|names| names.words().any(|it| it.eq_ignore_ascii_case(word)))
    }

    fn words(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.aliases.iter().copied())
    }

    fn descriptor(&self) -> Option<&'static FormatDescriptor> {
        FORMATS.iter().find(|format| format.name == self.name).copied()
    }
}

/// The format of this name, or whose files have this extension, that this build writes.
pub fn format(word: &str) -> Option<&'static FormatDescriptor> {
    Names::of(word)?.descriptor()
}

/// Every word that [`format()`] understands in this build.
pub fn format_words() -> impl Iterator<Item = &'static str> {
    NAMES.iter().filter(|names| names.descriptor().is_some()).flat_map(Names::words)
}

/// The formats that this build does not write, each with the feature that would build its writer.
pub fn missing_formats() -> impl Iterator<Item = (&'static str, &'static str)> {
    let missing = NAMES.iter().filter(|names| names.descriptor().is_none());
    missing.filter_map(|names| Some((names.name, names.feature?)))
}

/// The name of a format that this build does not write, and the feature that would build its writer.
pub fn missing_format(word: &str) -> Option<(&'static str, &'static str)> {
    let names = Names::of(word)?;
    missing_formats().find(|(name, _)| *name == names.name)
}
