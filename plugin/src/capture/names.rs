//! Names of captures.

use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Longest name of a track in a file's name, in characters.
const TRACK_CHARS_MAX: usize = 60;

/// The name of a part: `Bounce 2026-11-21 16.58.03.wav`, then `Bounce 2026-11-21 16.58.03 part 2.wav`.
/// Where that is taken, ` (2)` follows, and so on.
pub(super) fn part(folder: &Path, stem: &str, number: usize, attempt: usize) -> PathBuf {
    let part = if number == 1 { String::new() } else { format!(" part {number}") };
    let attempt = if attempt == 1 { String::new() } else { format!(" ({attempt})") };
    folder.join(format!("{stem}{part}{attempt}.wav"))
}

/// Name of the plugin's track, as the DAW calls it; empty where it does not say.
pub(crate) type Track = Arc<Mutex<String>>;

/// Name of a capture's files, without parts and extension.
#[derive(Clone, Debug)]
pub(crate) enum Stem {
    /// This one.
    #[cfg(test)]
    Given(String),
    /// Name of a track and local time, both those of the first sample.
    Dated(Track),
}

impl Stem {
    /// The name at this moment.
    pub(crate) fn now(&self) -> String {
        match self {
            #[cfg(test)]
            Self::Given(stem) => stem.clone(),
            Self::Dated(track) => dated(&track.lock(), &jiff::Zoned::now()),
        }
    }
}

/// A stem from a track's name and a local time. Characters that some file system refuses become `_`.
fn dated(track: &str, time: &jiff::Zoned) -> String {
    let is_bad = |c: char| c.is_control() || r#"\/:*?"<>|"#.contains(c);
    let track: String = track.chars().map(|c| if is_bad(c) { '_' } else { c }).collect();
    let track: String = track.trim().trim_matches('.').chars().take(TRACK_CHARS_MAX).collect();
    let track = if track.trim().is_empty() { "Wavemill" } else { track.trim() };
    format!("{track} {}", time.strftime("%Y-%m-%d %H.%M.%S"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stem_of_a_track_has_no_character_that_a_file_system_refuses() {
        let time: jiff::Zoned = "2026-11-21T16:58:03+00:00[UTC]".parse().unwrap();
        assert_eq!(dated("Mix: A/B?", &time), "Mix_ A_B_ 2026-11-21 16.58.03");
        assert_eq!(dated(" .. ", &time), "Wavemill 2026-11-21 16.58.03");
        assert_eq!(dated("", &time), "Wavemill 2026-11-21 16.58.03");
    }

    #[test]
    fn first_part_has_no_number() {
        let folder = Path::new("folder");
        assert_eq!(part(folder, "a", 1, 1), Path::new("folder/a.wav"));
        assert_eq!(part(folder, "a", 2, 1), Path::new("folder/a part 2.wav"));
        assert_eq!(part(folder, "a", 2, 3), Path::new("folder/a part 2 (3).wav"));
    }
}
