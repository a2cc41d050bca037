//! Changes to a file of targets: what else stands in it, comments included, stays as it was written.

use super::file::read_targets;
use super::text::section;
use crate::diagnostic::Diagnostic;
use std::ops::Range;
use thiserror::Error;
use wavemill_core::delivery::Target;

/// What a file of targets begins with.
const HEAD: &str = "# Delivery targets. In Wavemill's plugin they are in the list of targets; elsewhere a target is\n\
    # named by this file and its id: `wavemill analyze --target FILE.toml#ID`.\n\nversion = 1\n";

/// The line that begins a target.
const HEADER: &str = "[[target]]";

/// Why a file of targets is left as it is; one line.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EditError {
    /// The file has mistakes already.
    #[error("line {}: {}; fix the file first", .0.line, .0.message)]
    Mistake(Box<Diagnostic>),
    /// The target is not one that can be read.
    #[error("{}{}", .0.message, .0.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default())]
    Refused(Box<Diagnostic>),
    /// Another target has the id.
    #[error("the id `{0}` is taken; choose another one")]
    Taken(String),
    /// There is no such target.
    #[error("there is no target `{0}` in the file any more")]
    Missing(String),
    /// The sections cannot be told apart without reading them as a person would.
    #[error("the file is written in a way that cannot be changed here; edit it by hand")]
    Unusual,
}

/// The text of a file, empty where there is none, with `target` in the place of the target `replaced`, or behind all
/// others.
///
/// # Errors
/// When the file or the target has mistakes, the id is taken, or the target to replace is gone.
pub fn put(text: &str, target: &Target, replaced: Option<&str>) -> Result<String, EditError> {
    let mut targets = targets(text)?;
    check(target)?;
    let is_taken = |other: &Target| other.id == target.id && Some(other.id.as_str()) != replaced;
    if targets.iter().any(is_taken) {
        return Err(EditError::Taken(target.id.clone()));
    }
    let changed = if let Some(id) = replaced {
        let index = place(&targets, id)?;
        targets[index] = target.clone();
        spliced(text, index, &section(target))?
    } else {
        targets.push(target.clone());
        let head = if text.trim().is_empty() { HEAD } else { text };
        format!("{}\n\n{}", head.trim_end(), section(target))
    };
    confirmed(changed, &targets)
}

/// The text without the target `id`; `None` where it was the last one: a file without targets is no file of targets.
///
/// # Errors
/// When the file has mistakes, or the target is gone.
pub fn remove(text: &str, id: &str) -> Result<Option<String>, EditError> {
    let mut targets = targets(text)?;
    let index = place(&targets, id)?;
    targets.remove(index);
    if targets.is_empty() {
        return Ok(None);
    }
    confirmed(spliced(text, index, "")?, &targets).map(Some)
}

fn targets(text: &str) -> Result<Vec<Target>, EditError> {
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    read_targets(text).map_err(|all| first(all, EditError::Mistake))
}

/// By the reader of files: what it refuses is not written.
fn check(target: &Target) -> Result<(), EditError> {
    let text = format!("version = 1\n\n{}", section(target));
    read_targets(&text).map(|_| ()).map_err(|all| first(all, EditError::Refused))
}

fn first(all: Vec<Diagnostic>, error: fn(Box<Diagnostic>) -> EditError) -> EditError {
    all.into_iter().next().map_or(EditError::Unusual, |found| error(Box::new(found)))
}

fn place(targets: &[Target], id: &str) -> Result<usize, EditError> {
    let place = targets.iter().position(|target| target.id == id);
    place.ok_or_else(|| EditError::Missing(id.to_owned()))
}

/// The text with another section in the place of one.
fn spliced(text: &str, index: usize, section: &str) -> Result<String, EditError> {
    let range = sections(text).into_iter().nth(index).ok_or(EditError::Unusual)?;
    let (before, behind) = (&text[..range.start], &text[range.end..]);
    let gap = if section.is_empty() || behind.is_empty() { "" } else { "\n" };
    Ok(format!("{before}{section}{gap}{behind}"))
}

/// From each header to the comment before the next one.
fn sections(text: &str) -> Vec<Range<usize>> {
    let mut starts = Vec::new();
    // Where the comment began that the current line ends.
    let (mut at, mut comment) = (0, None);
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        if words.starts_with(HEADER) {
            starts.push((comment.unwrap_or(at), at));
        }
        comment = if words.starts_with('#') { comment.or(Some(at)) } else { None };
        at += line.len();
    }
    let ends = starts.iter().skip(1).map(|&(comment, _)| comment).chain([text.len()]);
    starts.iter().zip(ends).map(|(&(_, header), end)| header..end).collect()
}

/// A changed text is right when the reader finds in it what is meant.
fn confirmed(text: String, meant: &[Target]) -> Result<String, EditError> {
    match read_targets(&text) {
        Ok(found) if found == meant => Ok(text),
        _ => Err(EditError::Unusual),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::delivery::{Playback, Source};
    use wavemill_core::units::{Dbtp, Lu, Lufs};

    fn target(id: &str) -> Target {
        Target {
            id: id.into(),
            name: "The \"house\" \\ of\tus".into(),
            integrated_lufs: Some(Lufs(-18.5)),
            tolerance_lu: Some(Lu(0.5)),
            true_peak_max_dbtp: Some(Dbtp(-1.0)),
            ..Target::default()
        }
    }

    /// As people write it.
    const BY_HAND: &str = "# Ours.\nversion = 1\n\n[[target]] # first\nid = 'a'\nname = 'A'\n# loud\n\
        integrated_lufs = -9\n\n# The second one.\n[[target]]\nid = 'b'\nname = 'B'\n[target.playback]\nlevel_lufs = -14\n\n\
        # The third one.\n[[target]]\nid = 'c'\nname = 'C'\n";

    #[test]
    fn every_key_of_a_target_survives() {
        let full = Target {
            purpose: "all of it".into(),
            is_dialogue_gated: true,
            short_term_max_lufs: Some(Lufs(-15.0)),
            momentary_max_lufs: Some(Lufs(-12.0)),
            loudness_range_max_lu: Some(Lu(18.0)),
            true_peak_max_if_louder_dbtp: Some(Dbtp(-2.0)),
            channels: vec![2, 6],
            playback: Some(Playback {
                level_lufs: Lufs(-14.0),
                raises: true,
                ceiling_dbtp: Some(Dbtp(-1.0)),
            }),
            source: Source {
                document: "House rules".into(),
                url: Some("https://example.org".into()),
                checked: "2026-11-25".into(),
                is_confirmed: true,
            },
            note: Some("two\nlines".into()),
            ..target("full")
        };
        let text = put("", &full, None).unwrap();
        assert_eq!(read_targets(&text).unwrap(), std::slice::from_ref(&full));
        let text = put(&text, &target("plain"), None).unwrap();
        assert_eq!(read_targets(&text).unwrap(), [full, target("plain")]);
    }

    /// Written for this test by hand.
    #[test]
    fn what_else_stands_in_a_file_stays() {
        let changed = put(BY_HAND, &target("new"), Some("b")).unwrap();
        let expected = BY_HAND.replace(
            "id = 'b'\nname = 'B'\n[target.playback]\nlevel_lufs = -14\n\n",
            "id = \"new\"\nname = 'The \"house\" \\ of\tus'\nintegrated_lufs = -18.5\ntolerance_lu = 0.5\n\
            true_peak_max_dbtp = -1.0\n\n",
        );
        assert_eq!(changed, expected);
        let shorter = remove(BY_HAND, "b").unwrap().unwrap();
        assert!(
            shorter.contains("# loud")
                && shorter.contains("# The third one.\n[[target]]\nid = 'c'")
        );
        assert!(!shorter.contains("'b'"), "{shorter}");
        let longer = put(BY_HAND, &target("d"), None).unwrap();
        assert!(longer.starts_with(BY_HAND) && longer.ends_with("true_peak_max_dbtp = -1.0\n"));
    }

    #[test]
    fn last_target_takes_the_file_with_it() {
        let text = put("", &target("a"), None).unwrap();
        assert_eq!(remove(&text, "a").unwrap(), None);
    }

    #[test]
    fn mistakes_are_refused_in_one_line() {
        let bad = |change: &dyn Fn(&mut Target)| {
            let mut target = target("a");
            change(&mut target);
            put("", &target, None).unwrap_err().to_string()
        };
        for (error, expected) in [
            (bad(&|target| target.id = "My House".into()), "the id \"My House\" has characters"),
            (bad(&|target| target.id = "all".into()), "the id `all` is reserved"),
            (bad(&|target| target.integrated_lufs = Some(Lufs(-99.0))), "-99"),
            (bad(&|target| target.integrated_lufs = None), "`tolerance_lu` without"),
        ] {
            assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        }
        let error = |result: Result<String, EditError>| result.unwrap_err().to_string();
        let taken = error(put(BY_HAND, &target("b"), None));
        assert_eq!(taken, "the id `b` is taken; choose another one");
        assert!(error(put(BY_HAND, &target("c"), Some("a"))).contains("taken"));
        assert!(error(put(BY_HAND, &target("q"), Some("z"))).contains("no target `z`"));
        let broken = error(put("version = 1\n[[target]]\nid = 'a'\n", &target("b"), None));
        assert!(
            broken.starts_with("line 2: ") && broken.ends_with("; fix the file first"),
            "{broken}"
        );
    }

    /// Sections that lines do not show are left to people.
    #[test]
    fn unusual_files_are_not_touched() {
        let inline = "version = 1\ntarget = [{ id = 'a', name = 'A' }, { id = 'b', name = 'B' }]\n";
        assert!(matches!(put(inline, &target("c"), Some("a")), Err(EditError::Unusual)));
        assert!(matches!(put(inline, &target("c"), None), Err(EditError::Unusual)));
        let note = "version = 1\n[[target]]\nid = 'a'\nname = 'A'\nnote = '''\n[[target]]\n'''\n\
            [[target]]\nid = 'b'\nname = 'B'\n";
        assert!(matches!(remove(note, "b"), Err(EditError::Unusual)));
    }
}
