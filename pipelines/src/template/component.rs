//! Path components out of what strangers wrote.

use std::ffi::OsString;
use std::path::PathBuf;

/// Longest name of a file or folder on the file systems in use (`NAME_MAX`), in bytes.
pub(super) const COMPONENT_BYTES_MAX: usize = 255;

/// Bytes of a value that are looked at: as many as can end up in a component where each of four becomes
/// one. A tag may hold megabytes.
const VALUE_BYTES_MAX: usize = 4 * COMPONENT_BYTES_MAX;

/// Longest extension that is kept when a name is cut; longer ones are no extension.
const EXTENSION_BYTES_MAX: usize = 16;

/// Stands where nothing usable is left.
const UNKNOWN: &str = "unknown";

/// Names that Windows keeps for devices; a share may be read from there.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces".
const RESERVED: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file's own name: kept as it is where that is safe, bytes that are no UTF-8 included.
    FileName,
    /// A tag or the like: also kept free of what other systems refuse in names.
    Text,
}

/// A path being put together.
#[derive(Debug, Default)]
pub(super) struct Components {
    finished: Vec<Vec<u8>>,
    current: Vec<u8>,
    /// Whether the current component is not the user's own text alone.
    is_filled: bool,
}

impl Components {
    /// Appends the user's own text; `/` begins a new component.
    pub(super) fn literal(&mut self, text: &str) {
        for (index, piece) in text.split('/').enumerate() {
            if index > 0 {
                self.finish_component();
            }
            self.current.extend_from_slice(piece.as_bytes());
        }
    }

    /// Appends a value to the current component.
    pub(super) fn value(&mut self, bytes: &[u8], origin: Origin) {
        self.is_filled = true;
        self.current.extend(sanitize(bytes, origin));
    }

    /// Appends a date, whose slashes make folders.
    pub(super) fn date(&mut self, text: &str) {
        for (index, piece) in text.split('/').enumerate() {
            if index > 0 {
                self.finish_component();
            }
            self.value(piece.as_bytes(), Origin::Text);
        }
    }

    /// Appends folders, already split; none leaves the component as it is.
    pub(super) fn folders(&mut self, folders: &[Vec<u8>]) {
        self.is_filled = true;
        for (index, folder) in folders.iter().enumerate() {
            if index > 0 {
                self.finish_component();
            }
            self.value(folder, Origin::FileName);
        }
    }

    fn finish_component(&mut self) {
        let mut component = std::mem::take(&mut self.current);
        // Parts that are harmless by themselves may be none together, as `nu{reldir}l` at the top.
        if std::mem::take(&mut self.is_filled) && is_reserved(&component) {
            component.insert(0, b'_');
        }
        // `.` and `..` cannot come from values (their leading dots are gone) nor from the user's
        // text (refused when it is loaded), but their concatenation must not depend on that.
        if !component.is_empty() && component.iter().any(|byte| *byte != b'.') {
            self.finished.push(cut(component));
        }
    }

    /// The path of a folder: what is empty at its end makes none.
    pub(super) fn into_folder(mut self, is_absolute: bool) -> PathBuf {
        if self.finished.is_empty() {
            return self.into_path(is_absolute);
        }
        self.finish_component();
        self.joined(is_absolute)
    }

    /// The path; a file without a name is called `unknown`.
    pub(super) fn into_path(mut self, is_absolute: bool) -> PathBuf {
        if self.current.iter().all(|byte| *byte == b'.') {
            self.current = UNKNOWN.as_bytes().to_vec();
        }
        self.finish_component();
        self.joined(is_absolute)
    }

    fn joined(self, is_absolute: bool) -> PathBuf {
        let mut path = PathBuf::from(if is_absolute { "/" } else { "" });
        path.extend(self.finished.into_iter().map(os_string));
        path
    }
}

/// A value that is one component, or part of one.
fn sanitize(bytes: &[u8], origin: Origin) -> Vec<u8> {
    // What replaces a character is neither a dot nor a space, so trimming first changes nothing.
    let bytes = trim(bytes);
    let bytes = &bytes[..bytes.len().min(VALUE_BYTES_MAX)];
    let mut clean = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let kept = if is_unsafe(character, origin) { '_' } else { character };
            clean.extend_from_slice(kept.encode_utf8(&mut [0; 4]).as_bytes());
        }
        match origin {
            Origin::FileName => clean.extend_from_slice(chunk.invalid()),
            Origin::Text if chunk.invalid().is_empty() => {}
            Origin::Text => clean.push(b'_'),
        }
    }
    let trimmed = trim(&clean);
    if trimmed.is_empty() {
        return UNKNOWN.into();
    }
    let mut value = trimmed.to_vec();
    if is_reserved(&value) {
        value.insert(0, b'_');
    }
    value
}

/// Without leading dots (hidden files, `..`) and spaces, and without trailing ones (lost on Windows).
fn trim(bytes: &[u8]) -> &[u8] {
    let is_trimmed = |byte: &u8| matches!(byte, b'.' | b' ');
    let start = bytes.iter().position(|byte| !is_trimmed(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !is_trimmed(byte)).map_or(start, |last| last + 1);
    &bytes[start..end]
}

fn is_unsafe(character: char, origin: Origin) -> bool {
    // Characters that reverse the text around them make `gpj.exe` look like `exe.jpg`.
    let is_direction = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_separator = matches!(character, '/' | '\u{2028}' | '\u{2029}');
    let is_refused_elsewhere = matches!(character, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|');
    character.is_control()
        || is_direction
        || is_separator
        || (origin == Origin::Text && is_refused_elsewhere)
}

/// Whether Windows takes the name for a device: whatever its ending, and with spaces before that.
///
/// Source: Microsoft, "Naming Files, Paths, and Namespaces".
fn is_reserved(name: &[u8]) -> bool {
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end().to_ascii_lowercase();
    let port = stem.strip_prefix(b"com").or_else(|| stem.strip_prefix(b"lpt"));
    let is_port = port.is_some_and(|number| {
        let is_raised = ["\u{b9}", "\u{b2}", "\u{b3}"].iter().any(|it| it.as_bytes() == number);
        is_raised || matches!(number, [digit] if digit.is_ascii_digit())
    });
    is_port || RESERVED.iter().any(|reserved| reserved.as_bytes() == stem)
}

/// At most [`COMPONENT_BYTES_MAX`] bytes, the extension kept, no character halved.
fn cut(component: Vec<u8>) -> Vec<u8> {
    if component.len() <= COMPONENT_BYTES_MAX {
        return component;
    }
    let dot = component.iter().rposition(|byte| *byte == b'.');
    let extension = match dot {
        Some(dot) if dot > 0 && component.len() - dot <= EXTENSION_BYTES_MAX => &component[dot..],
        _ => &[],
    };
    let mut end = COMPONENT_BYTES_MAX - extension.len();
    // A continuation byte of UTF-8 begins with the bits 10; a character has at most three.
    for _ in 0..3 {
        if end > 0 && component[end] & 0xc0 == 0x80 {
            end -= 1;
        }
    }
    let mut short = component[..end].to_vec();
    short.extend_from_slice(extension);
    short
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> String {
        String::from_utf8(sanitize(value.as_bytes(), Origin::Text)).unwrap()
    }

    #[test]
    fn only_the_beginning_of_a_long_value_counts() {
        for unit in ["x", "\u{e4}\u{10ffff}", "\\:", "  .."] {
            let long = format!("  {unit}{}", unit.repeat(300_000));
            let short = text(&long);
            assert!(short.len() <= VALUE_BYTES_MAX + 4, "{} of {unit}", short.len());
            let whole = long.trim_start().replace(['\\', ':'], "_");
            let whole = whole.trim_start_matches(['.', ' ']);
            assert_eq!(
                &short[..short.len().min(COMPONENT_BYTES_MAX - 3)],
                if whole.is_empty() { UNKNOWN } else { &whole[..COMPONENT_BYTES_MAX - 3] }
            );
        }
    }

    #[test]
    fn values_become_one_harmless_component() {
        assert_eq!(text("../../etc/passwd"), "_.._etc_passwd");
        assert_eq!(text("a/b\\c:d"), "a_b_c_d");
        assert_eq!(text("..."), "unknown");
        assert_eq!(text(""), "unknown");
        assert_eq!(text(" .hidden. "), "hidden");
        assert_eq!(text("line\nbreak\0\u{7f}\u{85}"), "line_break___");
        assert_eq!(text("nul"), "_nul");
        assert_eq!(text("nul .wav"), "_nul .wav");
        assert_eq!(text("COM1.x"), "_COM1.x");
        assert_eq!(text("lpt\u{b2}"), "_lpt\u{b2}");
        assert_eq!(text("console"), "console");
        assert_eq!(text("ab\u{202e}gpj.exe"), "ab_gpj.exe");
    }

    #[test]
    fn file_names_keep_what_only_other_systems_refuse() {
        assert_eq!(sanitize(b"take: 2?", Origin::FileName), b"take: 2?");
        assert_eq!(sanitize(b"caf\xe9\n", Origin::FileName), b"caf\xe9_");
    }

    #[test]
    fn long_names_keep_extension_and_whole_characters() {
        let long = format!("{}.flac", "ä".repeat(130));
        let short = String::from_utf8(cut(long.into_bytes())).unwrap();
        assert!(short.len() <= COMPONENT_BYTES_MAX && short.len() > COMPONENT_BYTES_MAX - 2);
        assert!(short.ends_with("ä.flac"));
    }
}
