//! Which paths requests may name.

use crate::settings::HttpSettings;
use std::path::{Component, Path, PathBuf};
use wavemill_api::types::Problem;

/// Longest path taken, bytes.
const PATH_BYTES_MAX: usize = 4096;

impl HttpSettings {
    /// Where a request may write: below the folder of processed files, or another named folder. Links on the way are
    /// followed before that is asked.
    ///
    /// # Errors
    /// When the path leads anywhere else.
    pub(crate) fn output(&self, path: &str) -> Result<PathBuf, Problem> {
        self.within(path, &self.processed_dir)
    }

    /// Which file a request may read: relative paths are below the folder of uploads.
    ///
    /// # Errors
    /// When the path leads anywhere else.
    pub(crate) fn input(&self, path: &str) -> Result<PathBuf, Problem> {
        self.within(path, &self.uploads_dir)
    }

    /// Which module a live stream may load: one below a folder that the configuration names. Links are followed.
    ///
    /// # Errors
    /// When the path leads anywhere else, or to nothing.
    pub(crate) fn module(&self, text: &str) -> Result<PathBuf, Problem> {
        let is_named = !text.is_empty() && text.len() <= PATH_BYTES_MAX && !text.contains('\0');
        let is_inside = |path: &Path| {
            let roots = self.roots.iter();
            path.is_file() && roots.map(|root| resolved(root)).any(|root| path.starts_with(root))
        };
        let paths = self.roots.iter().filter(|_| is_named).map(|root| root.join(text));
        let found = paths.filter_map(|path| path.canonicalize().ok()).find(|path| is_inside(path));
        found.ok_or_else(|| {
            let detail =
                "modules must be files below a folder that the configuration names in `roots`";
            Problem::new(403, "path not allowed", detail)
        })
    }

    fn within(&self, text: &str, base: &Path) -> Result<PathBuf, Problem> {
        let is_named = !text.is_empty() && text.len() <= PATH_BYTES_MAX && !text.contains('\0');
        let path = base.join(text);
        let is_plain =
            !path.components().any(|part| matches!(part, Component::ParentDir | Component::CurDir));
        let resolved = resolved(&path);
        let is_inside = self.folders().any(|folder| resolved.starts_with(self::resolved(folder)));
        if is_named && is_plain && is_inside {
            return Ok(path);
        }
        let detail = "paths must be relative, without `..`, or below a folder that the configuration names in `roots`";
        Err(Problem::new(403, "path not allowed", detail))
    }

    fn folders(&self) -> impl Iterator<Item = &Path> {
        let own = [&self.uploads_dir, &self.processed_dir];
        own.into_iter().chain(&self.roots).map(PathBuf::as_path)
    }
}

/// A path with the links of what exists of it followed.
fn resolved(path: &Path) -> PathBuf {
    let there = path.ancestors().find_map(|part| Some((part, part.canonicalize().ok()?)));
    let Some((part, real)) = there else { return path.to_owned() };
    path.strip_prefix(part).map_or_else(|_| path.to_owned(), |rest| real.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn path_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let dir = |name: &str| folder.path().join(name);
        for name in ["up", "out", "more", "secret"] {
            std::fs::create_dir(dir(name)).unwrap();
        }
        symlink(dir("secret"), dir("out/link")).unwrap();
        symlink(dir("more"), dir("out/fine")).unwrap();
        let settings = HttpSettings {
            address: ([127, 0, 0, 1], 0).into(),
            needs_token: true,
            origins: Vec::new(),
            uploads_dir: dir("up"),
            processed_dir: dir("out"),
            roots: vec![dir("more")],
            upload_bytes_max: 1,
            log_file: None,
            sample_rate_hz: 44_100,
        };
        let more = dir("more").join("x.wav").display().to_string();
        for path in ["a.wav", "new/folder/a.wav", "fine/a.wav", &more] {
            assert!(settings.output(path).is_ok(), "{path}");
        }
        let secret = dir("secret").join("x.wav").display().to_string();
        let beside = format!("{}x/a.wav", dir("out").display());
        for path in ["", "../secret/a.wav", "/etc/passwd", "link/a.wav", "a\0b", &secret, &beside] {
            assert_eq!(settings.output(path).unwrap_err().status, 403, "{path}");
        }
        for name in ["secret/x.wasm", "more/x.wasm"] {
            std::fs::File::create_new(dir(name)).unwrap();
        }
        symlink(dir("secret/x.wasm"), dir("more/link.wasm")).unwrap();
        let own = dir("more/x.wasm").canonicalize().unwrap();
        assert_eq!(settings.module("x.wasm").unwrap(), own);
        assert_eq!(settings.module(&dir("more/x.wasm").display().to_string()).unwrap(), own);
        for path in ["", "link.wasm", "../secret/x.wasm", "y.wasm", ".", "/etc/passwd"] {
            assert_eq!(settings.module(path).unwrap_err().status, 403, "{path}");
        }
        assert_eq!(settings.input("a.wav").unwrap(), dir("up").join("a.wav"));
    }
}
