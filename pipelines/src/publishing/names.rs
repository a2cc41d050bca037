//! Names of files: temporary ones and free ones.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Longest file name of all common file systems, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 255;

/// The temporary name of output number `index`: hidden, in the destination's folder, and different
/// for every attempt. A long name is cut; the index keeps two cut names apart.
pub fn part_path(path: &Path, job: &str, attempt: u32, index: usize) -> PathBuf {
    let end = format!(".{job}.{attempt}.{index}.part");
    let name = path.file_name().unwrap_or_default();
    let mut part = OsString::from(".");
    part.push(cut(name, (NAME_BYTES_MAX - 1).saturating_sub(end.len())));
    part.push(end);
    path.with_file_name(part)
}

/// `name-2.ext` for number 2. A long stem is cut.
pub fn suffixed(path: &Path, number: u32) -> PathBuf {
    let mut end = OsString::from(format!("-{number}"));
    if let Some(extension) = path.extension() {
        end.push(".");
        end.push(extension);
    }
    let stem = path.file_stem().unwrap_or_default();
    let mut name = cut(stem, NAME_BYTES_MAX.saturating_sub(end.len()));
    name.push(end);
    path.with_file_name(name)
}

/// At most `bytes_max` bytes of a name, without cutting a character in two. What is no text in a name
/// that is too long is replaced.
fn cut(name: &OsStr, bytes_max: usize) -> OsString {
    if name.len() <= bytes_max {
        return name.to_owned();
    }
    let mut text = name.to_string_lossy().into_owned();
    text.truncate(text.floor_char_boundary(bytes_max));
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn part_path_is_hidden_beside_its_destination() {
        let part = part_path(Path::new("/out/a.wav"), "0123456789abc", 3, 1);
        assert_eq!(part, Path::new("/out/.a.wav.0123456789abc.3.1.part"));
    }

    #[test]
    fn part_path_of_a_long_name_fits_and_stays_text() {
        for name in ["x".repeat(255), "\u{e9}".repeat(127), "\u{1f3b5}".repeat(63)] {
            let part = part_path(&Path::new("/out").join(&name), "0123456789abc", u32::MAX, 99);
            let part = part.file_name().unwrap().to_str().expect("whole characters");
            assert!(part.len() <= NAME_BYTES_MAX, "{}", part.len());
            assert!(part.len() > NAME_BYTES_MAX - 8, "{}", part.len());
        }
    }

    #[test]
    fn suffix_stands_before_the_extension() {
        assert_eq!(suffixed(Path::new("/o/a.b.flac"), 2), Path::new("/o/a.b-2.flac"));
        assert_eq!(suffixed(Path::new("/o/plain"), 10), Path::new("/o/plain-10"));
        let long = suffixed(&Path::new("/o").join(format!("{}.flac", "x".repeat(250))), 2);
        assert_eq!(long.file_name().unwrap().len(), NAME_BYTES_MAX);
        assert!(long.to_str().unwrap().ends_with("x-2.flac"));
    }
}
