//! The user's targets on the disk. Nothing here is for the window's thread: see [`crate::lookup`].

use crate::window::replaced_file::replace;
use parking_lot::Mutex;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use wavemill_core::delivery::Target;
use wavemill_pipelines::delivery;

/// Largest file that is read, in bytes. As `pipelines` has it.
const BYTES_MAX: u64 = 1 << 20;

/// Most favorites.
const FAVORITES_MAX: usize = 100;

/// One change at a time: each reads what the one before wrote.
static CHANGES: Mutex<()> = Mutex::new(());

/// What the disk has.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct UserTargets {
    pub(crate) targets: Vec<Target>,
    /// One line: why there are no targets, though there is a file.
    pub(crate) error: Option<String>,
    /// Names of targets, those of files included.
    pub(crate) favorites: Vec<String>,
}

/// What is to be different.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// A target is added, or takes the place of the one with the id.
    Put(Box<Target>, Option<String>),
    /// The target with the id goes.
    Remove(String),
    /// A target becomes a favorite, or is none any more.
    Favorite(String, bool),
}

/// Where the user's targets are.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Store {
    folder: PathBuf,
}

impl Store {
    /// In a folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The folder of the user who runs the DAW; `None` without a home.
    pub(crate) fn of_user() -> Option<Self> {
        crate::rack::folders::config().map(Self::new)
    }

    /// The name as [`delivery::find`] knows it: one of the user's file becomes that of a file.
    pub(crate) fn resolved(&self, name: &str) -> String {
        match super::own_id(name) {
            Some(id) => format!("{}#{id}", self.targets().display()),
            None => name.to_owned(),
        }
    }

    /// The file.
    pub(crate) fn targets(&self) -> PathBuf {
        self.folder.join("targets.toml")
    }

    /// One name a line.
    fn favorites(&self) -> PathBuf {
        self.folder.join("favorite-targets")
    }

    /// What is there.
    pub(crate) fn read(&self) -> UserTargets {
        let (targets, error) = match self.read_targets() {
            Ok(targets) => (targets, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let favorites = text(&self.favorites()).unwrap_or_default();
        let favorites = favorites.lines().map(str::trim).filter(|line| !line.is_empty());
        let favorites = favorites.map(str::to_owned).take(FAVORITES_MAX).collect();
        UserTargets { targets, error, favorites }
    }

    fn read_targets(&self) -> Result<Vec<Target>, String> {
        let path = self.targets();
        if !path.exists() {
            return Ok(Vec::new());
        }
        if !path.is_file() {
            return Err(format!("{} is not a file", path.display()));
        }
        delivery::find(&path.to_string_lossy(), Path::new("")).map_err(|error| error.to_string())
    }

    /// Changes it.
    ///
    /// # Errors
    /// One line: what is wrong, and where.
    pub(crate) fn change(&self, change: &Change) -> Result<(), String> {
        let _one = CHANGES.lock();
        let (path, changed) = match change {
            Change::Favorite(name, is_favorite) => {
                let mut names = self.read().favorites;
                names.retain(|other| other != name);
                names.truncate(FAVORITES_MAX - 1);
                names.extend(is_favorite.then(|| name.clone()));
                let lines = names.into_iter().map(|name| name + "\n").collect::<String>();
                (self.favorites(), Ok(Some(lines)))
            }
            Change::Put(target, replaced) => {
                let old = self.text_of_targets()?;
                (self.targets(), delivery::put(&old, target, replaced.as_deref()).map(Some))
            }
            Change::Remove(id) => (self.targets(), delivery::remove(&self.text_of_targets()?, id)),
        };
        let failed = |error: io::Error| format!("{}: {error}", path.display());
        match changed {
            Ok(Some(text)) => replace(&path, &text).map_err(failed),
            Ok(None) => fs::remove_file(&path).map_err(failed),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Empty where there is no file.
    fn text_of_targets(&self) -> Result<String, String> {
        let path = self.targets();
        match text(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read.map_err(|error| format!("{}: {error}", path.display())),
        }
    }
}

/// The text of a file; a pipe, which would be waited for, is none.
fn text(path: &Path) -> io::Result<String> {
    if path.exists() && !path.is_file() {
        return Err(io::Error::other("is not a file"));
    }
    let mut text = String::new();
    let read = fs::File::open(path)?.take(BYTES_MAX + 1).read_to_string(&mut text)?;
    if read as u64 > BYTES_MAX {
        return Err(io::Error::other("is larger than 1 MiB"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::units::Lufs;

    fn target(id: &str, lufs: f64) -> Target {
        Target {
            id: id.into(),
            name: format!("House {id}"),
            integrated_lufs: Some(Lufs(lufs)),
            ..Target::default()
        }
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path().join("wavemill"));
        (folder, store)
    }

    #[test]
    fn targets_are_added_changed_and_removed() {
        let (_folder, store) = store();
        assert_eq!(store.read(), UserTargets::default());
        let put = |target: Target, replaced: Option<&str>| {
            store.change(&Change::Put(Box::new(target), replaced.map(str::to_owned)))
        };
        put(target("a", -20.0), None).unwrap();
        put(target("b", -18.0), None).unwrap();
        assert_eq!(
            put(target("a", -9.0), None).unwrap_err(),
            "the id `a` is taken; choose another one"
        );
        put(target("c", -16.0), Some("a")).unwrap();
        assert_eq!(store.read().targets, [target("c", -16.0), target("b", -18.0)]);
        // Elsewhere the file is one as people write it.
        let name = store.resolved("own/b");
        assert_eq!(store.resolved("spotify"), "spotify");
        assert_eq!(delivery::find_one(&name, Path::new("")).unwrap(), target("b", -18.0));
        for id in ["c", "b"] {
            store.change(&Change::Remove(id.into())).unwrap();
        }
        assert_eq!(store.read(), UserTargets::default());
        assert!(store.change(&Change::Remove("b".into())).unwrap_err().contains("no target `b`"));
    }

    #[test]
    fn favorites_are_kept_once_and_go() {
        let (_folder, store) = store();
        let set = |name: &str, is| store.change(&Change::Favorite(name.into(), is)).unwrap();
        set("spotify", true);
        set("own/house", true);
        set("spotify", true);
        assert_eq!(store.read().favorites, ["own/house", "spotify"]);
        set("own/house", false);
        assert_eq!(store.read().favorites, ["spotify"]);
        for index in 0..2 * FAVORITES_MAX {
            set(&format!("t{index}"), true);
        }
        assert_eq!(store.read().favorites.len(), FAVORITES_MAX);
    }

    #[test]
    fn file_with_mistakes_is_reported_and_not_touched() {
        let (_folder, store) = store();
        let bad = "version = 1\n[[target]]\nid = \"a\"\n";
        replace(&store.targets(), bad).unwrap();
        let error = store.read().error.unwrap();
        assert!(error.contains("targets.toml:2:") && error.contains("`name`"), "{error}");
        let refused = store.change(&Change::Put(Box::new(target("b", -9.0)), None)).unwrap_err();
        assert!(refused.contains("fix the file first"), "{refused}");
        assert_eq!(fs::read_to_string(store.targets()).unwrap(), bad);
    }

    #[test]
    fn changes_of_many_windows_are_all_there() {
        let (_folder, store) = store();
        std::thread::scope(|scope| {
            for index in 0..16 {
                let store = &store;
                scope.spawn(move || {
                    let target = target(&format!("t{index}"), -20.0);
                    store.change(&Change::Put(Box::new(target), None)).unwrap();
                });
            }
        });
        assert_eq!(store.read().targets.len(), 16);
    }
}
