//! Compiled code on disk saves compiling and is never trusted blindly.

use super::fixtures::{Source, half, run, short};
use crate::budgets::Budgets;
use crate::sandbox::{Mode, Sandbox};
use crate::{LoadError, Module, Settings, limits};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wavemill_core::audio::StreamSpec;

/// Loads with time for compiling.
fn load(folder: &Path, wasm: &[u8]) -> Result<Module, LoadError> {
    sandbox(folder, Mode::File).load(wasm, limits::MEMORY_MIB)
}

fn sandbox(folder: &Path, mode: Mode) -> Sandbox {
    let sandbox = Sandbox::with_budgets(mode, Some(folder), short()).unwrap();
    assert_eq!(sandbox.uncached_because(), None);
    sandbox
}

/// Loads from the cache, or not at all.
fn load_cached(folder: &Path, wasm: &[u8]) -> Result<Module, LoadError> {
    let budgets = Budgets { compile: Duration::ZERO, ..short() };
    let sandbox = Sandbox::with_budgets(Mode::File, Some(folder), budgets).unwrap();
    sandbox.load(wasm, limits::MEMORY_MIB)
}

fn halves(module: &Module) -> bool {
    let settings = Settings::defaults(module.description());
    let mut effect = module.instantiate(&StreamSpec::new(48_000, 1), &settings, 64).unwrap();
    run(&mut effect, &[vec![1.0; 3]], &[3]) == [[0.5; 3]]
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn overwrite(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

#[test]
fn module_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(load_cached(folder.path(), &half()), Err(LoadError::SlowCompile { .. })));
    let first = load(folder.path(), &half()).unwrap();
    let second = load_cached(folder.path(), &half()).unwrap();
    assert_eq!(second.description(), first.description());
    assert!(halves(&first) && halves(&second));
    assert_eq!(entries(folder.path()).len(), 1);
}

#[test]
fn corrupted_entry_is_compiled_again_and_replaced() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &half()).unwrap();
    let path = entries(folder.path()).remove(0);
    let whole = fs::read(&path).unwrap();
    for index in (0..whole.len()).step_by(whole.len() / 23) {
        let mut flipped = whole.clone();
        flipped[index] ^= 0x10;
        overwrite(&path, &flipped);
        assert!(load_cached(folder.path(), &half()).is_err(), "byte {index} of {}", whole.len());
    }
    overwrite(&path, &whole[..whole.len() / 2]);
    assert!(halves(&load(folder.path(), &half()).unwrap()));
    assert!(halves(&load_cached(folder.path(), &half()).unwrap()));
}

#[test]
fn entry_under_another_modules_name_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &half()).unwrap();
    let path = entries(folder.path()).remove(0);
    let code = fs::read(&path).unwrap();
    load(folder.path(), &Source::new().wasm()).unwrap();
    let other = entries(folder.path()).into_iter().find(|entry| *entry != path).unwrap();
    overwrite(&other, &code);
    assert!(load_cached(folder.path(), &Source::new().wasm()).is_err());
}

#[test]
fn modes_do_not_share_code() {
    let folder = tempfile::tempdir().unwrap();
    for mode in [Mode::File, Mode::Live, Mode::Metered] {
        let module = sandbox(folder.path(), mode).load(&half(), limits::MEMORY_MIB).unwrap();
        assert!(halves(&module), "{mode:?}");
    }
    assert_eq!(entries(folder.path()).len(), 3);
}

#[test]
fn module_that_is_refused_leaves_no_entry() {
    let folder = tempfile::tempdir().unwrap();
    assert!(load(folder.path(), &Source::new().json("{}").wasm()).is_err());
    assert!(load(folder.path(), &Source::new().without("fx_set_param").wasm()).is_err());
    assert_eq!(entries(folder.path()).len(), 0);
}

#[test]
fn memory_cap_holds_for_cached_modules() {
    let folder = tempfile::tempdir().unwrap();
    load(folder.path(), &half()).unwrap();
    let sandbox = sandbox(folder.path(), Mode::File);
    let error = sandbox.load(&half(), 2).err().unwrap();
    assert_eq!(error, LoadError::MemoryTooLarge { mib: 3, max_mib: 2 });
}

#[cfg(unix)]
mod permissions {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn folder_is_made_for_this_user_only() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("a/effects");
        load(&folder, &half()).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&entries(&folder)[0]), 0o600);
    }

    #[test]
    fn folder_that_others_may_write_to_is_not_used() {
        for mode in [0o770, 0o707, 0o777] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            let sandbox = Sandbox::new(Mode::File, Some(folder.path())).unwrap();
            let reason = sandbox.uncached_because().unwrap().to_owned();
            assert!(reason.contains("is writable by others; `chmod 700` it"), "{reason}");
            assert!(halves(&sandbox.load(&half(), limits::MEMORY_MIB).unwrap()));
            assert_eq!(entries(folder.path()).len(), 0);
        }
    }

    #[test]
    fn file_in_the_place_of_the_folder_is_not_used() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let sandbox = Sandbox::new(Mode::File, Some(file.path())).unwrap();
        assert!(sandbox.uncached_because().is_some());
        assert!(halves(&sandbox.load(&half(), limits::MEMORY_MIB).unwrap()));
    }
}
