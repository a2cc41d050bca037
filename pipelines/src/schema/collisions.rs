//! Mistakes between sections: outputs that collide, and outputs that would be taken as inputs.

use super::globs::{self, matches_any};
use crate::model::Watch;
use crate::reader::Sink;
use crate::template::Template;
use std::path::{Component, Path, PathBuf};
use toml::Spanned;

/// A path a pipeline writes to.
pub(super) struct Target<'a> {
    /// Its template.
    pub(super) path: &'a Spanned<Template>,
    /// What `{ext}` becomes.
    pub(super) extension: &'a str,
    /// What writes it, for messages.
    pub(super) what: &'static str,
    /// Whether files of any name are put into it.
    pub(super) is_folder: bool,
}

/// Notes outputs that would have the same name, whatever the input.
pub(super) fn check_same_paths(sink: &mut Sink<'_>, targets: &[Target<'_>]) {
    let key = |target: &Target<'_>| {
        target.path.get_ref().text().replace("{ext}", target.extension).replace("//", "/")
    };
    for (index, target) in targets.iter().enumerate() {
        let earlier = targets[..index].iter().find(|earlier| key(earlier) == key(target));
        if let Some(earlier) = earlier {
            sink.error(
                "same-path",
                target.path.span(),
                format!("this {} has the same path as the {} before it", target.what, earlier.what),
            )
            .help("give each output its own name, for example with {ext}");
        }
    }
}

/// Notes outputs inside a watched folder of the same pipeline that the watch would take as inputs.
pub(super) fn check_loops(sink: &mut Sink<'_>, watches: &[Watch], targets: &[Target<'_>]) {
    if !globs::AVAILABLE {
        return;
    }
    for target in targets {
        for watch in watches {
            if is_taken(watch, target) {
                sink.error(
                    "output-in-watch",
                    target.path.span(),
                    format!(
                        "this {} is in the watched folder `{}`: it would be processed again",
                        target.what,
                        watch.path.display()
                    ),
                )
                .help("write to another folder, or exclude it with ready = { ignore = [..] }");
            }
        }
    }
}

fn is_taken(watch: &Watch, target: &Target<'_>) -> bool {
    let sample = sample_path(target);
    let Ok(below) = sample.strip_prefix(normalize(&watch.path)) else {
        return false;
    };
    let is_hidden = below
        .components()
        .any(|component| component.as_os_str().to_string_lossy().starts_with('.'));
    if is_hidden || matches_any(&watch.ignore, below) {
        return false;
    }
    // Without `include` everything decodable is taken, which reports and chapters are not.
    let is_included = match watch.include.as_slice() {
        [] => !matches!(target.extension, "json" | "html"),
        include => matches_any(include, below),
    };
    is_included || target.is_folder
}

/// The path with something put in for every placeholder.
fn sample_path(target: &Target<'_>) -> PathBuf {
    let text = target.path.get_ref().text();
    let mut sample = String::new();
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        sample.push_str(&rest[..start]);
        let end = rest[start..].find('}').map_or(rest.len(), |end| start + end + 1);
        match &rest[start..end] {
            "{ext}" => sample.push_str(target.extension),
            _ => sample.push('x'),
        }
        rest = &rest[end..];
    }
    sample.push_str(rest);
    if target.is_folder {
        sample.push_str("/x");
    }
    normalize(Path::new(&sample))
}

/// The path without `.` and with `..` resolved where that can be done without the disk.
fn normalize(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if normal.file_name().is_some() => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}
