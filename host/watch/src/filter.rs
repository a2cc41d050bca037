//! Which paths below a watched folder are looked at.

use super::WatchSpec;
use super::marker::{MarkedFiles, Marker};
use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use wavemill_core::decode::FORMATS;

/// Endings of files that are still being written by browsers, copy programs and Wavemill itself.
const TEMPORARY: &[&str] = &["part", "tmp", "crdownload"];

/// Folders nested deeper are not entered: surely a loop of bind mounts or a mistake.
const DEPTH_MAX: usize = 64;

/// The rules of one watched folder.
pub(super) struct Filter {
    include: Option<Rules>,
    ignore: Rules,
    /// Below the root.
    excluded: Vec<PathBuf>,
    marker: Option<Marker>,
}

impl Filter {
    /// Compiles the rules of a spec.
    ///
    /// # Errors
    /// A glob that cannot be parsed, by name.
    pub(super) fn new(spec: &WatchSpec) -> io::Result<Self> {
        let include = (!spec.include.is_empty()).then(|| Rules::new(&spec.include)).transpose()?;
        Ok(Self {
            include,
            ignore: Rules::new(&spec.ignore)?,
            excluded: spec.excluded.iter().filter_map(|path| below(&spec.root, path)).collect(),
            marker: spec.marker.as_deref().map(Marker::new),
        })
    }

    /// Whether a file is taken, by its path below the root. The folders above it are not judged.
    pub(super) fn takes_file(&self, relative: &Path) -> bool {
        self.spares(relative)
            && self.released_by(relative).is_none()
            && match &self.include {
                Some(rules) => rules.matches(relative),
                None => has_audio_name(relative),
            }
    }

    /// Whether a folder is entered, by its path below the root. The folders above are not judged.
    pub(super) fn enters_folder(&self, relative: &Path) -> bool {
        self.spares(relative) && relative.components().count() <= DEPTH_MAX
    }

    /// Whether all folders above a path are entered.
    pub(super) fn reaches(&self, relative: &Path) -> bool {
        let parents = relative.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty());
        parents.into_iter().all(|parent| self.enters_folder(parent))
    }

    /// What the file is a marker of, if it is one.
    pub(super) fn released_by(&self, relative: &Path) -> Option<MarkedFiles> {
        self.marker.as_ref()?.released_by(relative.file_name()?)
    }

    /// The rule for marker files, if there is one.
    pub(super) fn marker(&self) -> Option<&Marker> {
        self.marker.as_ref()
    }

    /// Whether neither a built-in rule nor the user's keeps a path out.
    fn spares(&self, relative: &Path) -> bool {
        let name = relative.file_name().unwrap_or_default().as_bytes();
        !name.starts_with(b".")
            && !has_extension(relative, TEMPORARY)
            && !self.excluded.iter().any(|excluded| relative.starts_with(excluded))
            && !self.ignore.matches(relative)
    }
}

/// Whether two watches take a file of the same name in the same folder: of one that lies in the other, or is the same.
/// Names are tried, one of each kind; rules that distinguish files by other parts of their names are not seen through.
pub fn share_files(a: &WatchSpec, b: &WatchSpec) -> bool {
    let (outer, inner) = if a.root.starts_with(&b.root) { (b, a) } else { (a, b) };
    let Some(way) = inner.root.strip_prefix(&outer.root).ok() else { return false };
    let (Ok(outer), Ok(inner)) = (Filter::new(outer), Filter::new(inner)) else { return false };
    let endings = FORMATS.iter().flat_map(|format| format.extensions);
    endings.map(|ending| PathBuf::from(format!("a.{ending}"))).any(|name| {
        let below = way.join(&name);
        inner.takes_file(&name) && outer.reaches(&below) && outer.takes_file(&below)
    })
}

/// Globs: those without `/` are held against the name, the others against the whole path.
struct Rules {
    names: GlobSet,
    paths: GlobSet,
}

impl Rules {
    fn new(globs: &[String]) -> io::Result<Self> {
        let (mut names, mut paths) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        for glob in globs {
            let trimmed = glob.trim_start_matches("./").trim_matches('/');
            let is_path = trimmed.contains('/') || glob.starts_with('/');
            let set = if is_path { &mut paths } else { &mut names };
            set.add(parse(trimmed, glob)?);
        }
        Ok(Self { names: build(&names)?, paths: build(&paths)? })
    }

    fn matches(&self, relative: &Path) -> bool {
        let name = Path::new(relative.file_name().unwrap_or_default());
        self.names.is_match(name) || self.paths.is_match(relative)
    }
}

fn parse(pattern: &str, as_typed: &str) -> io::Result<Glob> {
    GlobBuilder::new(pattern).case_insensitive(true).literal_separator(true).build().map_err(
        |error| {
            let message = format!("invalid glob `{as_typed}`: {}", error.kind());
            io::Error::new(io::ErrorKind::InvalidInput, message)
        },
    )
}

fn build(builder: &GlobSetBuilder) -> io::Result<GlobSet> {
    builder.build().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
}

/// Whether a name ends as those of files that can be decoded.
pub fn has_audio_name(path: &Path) -> bool {
    FORMATS.iter().any(|format| has_extension(path, format.extensions))
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|own| extensions.iter().any(|other| own.eq_ignore_ascii_case(other)))
}

/// `path` below `root`, by what was typed or, where links lead around, by what is really there.
fn below(root: &Path, path: &Path) -> Option<PathBuf> {
    let typed = path.strip_prefix(root).ok().map(Path::to_owned);
    typed.or_else(|| {
        let root = root.canonicalize().ok()?;
        resolve(path).strip_prefix(root).ok().map(Path::to_owned)
    })
}

/// The path with the links in its existing part resolved; an output folder may not exist yet.
fn resolve(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|ancestor| {
        let real = ancestor.canonicalize().ok()?;
        Some((real, path.strip_prefix(ancestor).ok()?))
    });
    let Some((mut resolved, rest)) = existing else { return path.to_owned() };
    for component in rest.components() {
        match component {
            Component::ParentDir => drop(resolved.pop()),
            Component::Normal(name) => resolved.push(name),
            _ => {}
        }
    }
    resolved
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_pipelines::model::WatchMode;

    fn filter(include: &[&str], ignore: &[&str], excluded: &[&str]) -> Filter {
        try_filter(include, ignore, excluded).unwrap()
    }

    fn try_filter(include: &[&str], ignore: &[&str], excluded: &[&str]) -> io::Result<Filter> {
        Filter::new(&spec(include, ignore, excluded))
    }

    fn spec(include: &[&str], ignore: &[&str], excluded: &[&str]) -> WatchSpec {
        let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        WatchSpec {
            pipeline: "test".into(),
            root: "/srv/in".into(),
            include: strings(include),
            ignore: strings(ignore),
            mode: WatchMode::Auto,
            rescan: None,
            stable_for: None,
            marker: Some("{name}.done".into()),
            takes_incomplete: false,
            excluded: excluded.iter().map(PathBuf::from).collect(),
        }
    }

    #[test]
    fn watches_share_files_where_both_take_one_of_some_kind() {
        let spec = |root: &str, include: &[&str], ignore: &[&str], excluded: &[&str]| WatchSpec {
            root: root.into(),
            ..spec(include, ignore, excluded)
        };
        let all = spec("/in", &[], &[], &[]);
        for (other, is_shared) in [
            (spec("/in", &[], &[], &[]), true),
            (spec("/in/sub", &[], &[], &[]), true),
            (spec("/", &[], &[], &[]), true),
            (spec("/inside", &[], &[], &[]), false),
            (spec("/in", &["*.WAV"], &[], &[]), true),
            (spec("/", &[], &["in"], &[]), false),
            (spec("/", &[], &["in/**"], &[]), false),
            (spec("/", &[], &[], &["/in"]), false),
        ] {
            assert_eq!(share_files(&all, &other), is_shared, "{other:?}");
            assert_eq!(share_files(&other, &all), is_shared, "{other:?}");
        }
        let wav = spec("/in", &["*.wav"], &[], &[]);
        assert!(!share_files(&wav, &spec("/in", &["*.flac"], &[], &[])));
    }

    #[test]
    fn default_takes_every_decodable_extension_in_any_case() {
        let filter = filter(&[], &[], &[]);
        for name in ["a.wav", "a.WAV", "b/c.Flac", "x.mp3", "x.aifc", "x.oga"] {
            assert!(filter.takes_file(Path::new(name)), "{name}");
        }
        for name in ["a.txt", "wav", "a.wav.part", "a.wav.tmp", "a.crdownload", ".a.wav"] {
            assert!(!filter.takes_file(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn glob_without_slash_matches_names_at_every_depth() {
        let filter = filter(&["take*.wav"], &[], &[]);
        assert!(filter.takes_file(Path::new("a/b/Take1.wav")));
        assert!(!filter.takes_file(Path::new("a/b/mix.wav")));
    }

    #[test]
    fn glob_with_slash_matches_the_path() {
        let filter = filter(&["a/*.wav", "deep/**/*.flac"], &[], &[]);
        assert!(filter.takes_file(Path::new("a/x.wav")));
        assert!(!filter.takes_file(Path::new("a/b/x.wav")));
        assert!(filter.takes_file(Path::new("deep/1/2/x.flac")));
    }

    #[test]
    fn ignored_folders_hidden_folders_and_outputs_are_not_entered() {
        let filter = filter(&[], &["old", "*.bak.wav"], &["/srv/in/out", "/srv/elsewhere"]);
        for name in ["old", "a/old", ".trash", "out", "out/podcast"] {
            assert!(!filter.enters_folder(Path::new(name)), "{name}");
        }
        assert!(filter.enters_folder(Path::new("outer")));
        assert!(!filter.reaches(Path::new("a/.git/b/x.wav")));
        assert!(filter.reaches(Path::new("a/b/x.wav")));
        assert!(!filter.takes_file(Path::new("a/x.bak.wav")));
    }

    #[test]
    fn marker_files_are_not_taken() {
        let filter = filter(&["*"], &[], &[]);
        assert!(filter.takes_file(Path::new("a.wav")));
        assert!(!filter.takes_file(Path::new("a.wav.done")));
    }

    #[test]
    fn names_that_are_no_text_are_matched() {
        let filter = filter(&["*.wav"], &[], &[]);
        assert!(filter.takes_file(Path::new(OsStr::from_bytes(b"a\xff\n.wav"))));
    }

    #[test]
    fn broken_glob_is_an_error_that_names_it() {
        let error = try_filter(&["a["], &[], &[]).err().unwrap();
        assert!(error.to_string().contains("`a[`"), "{error}");
    }
}
