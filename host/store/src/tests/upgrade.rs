//! A store that version 1 wrote.

use super::super::upgrade::copy_of;
use super::*;
use std::fs;

/// Written by the last program whose schema was 1: six jobs that ended, of which one failed and one is of a
/// batch that is over, and a job of another batch that waits for a pipeline that is paused.
pub(super) const V1: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/store/v1.redb"));

fn with_v1() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Store::file_in(folder.path());
    fs::File::create(&path).unwrap().write_all(V1).unwrap();
    (folder, path)
}

#[test]
fn store_of_version_1_is_upgraded_and_loses_nothing() {
    let (folder, _) = with_v1();
    for _ in 0..2 {
        let store = Store::open(folder.path()).unwrap();
        let version = store.read().unwrap().record::<u32>(META, SCHEMA_KEY).unwrap();
        assert_eq!(version, Some(SCHEMA_VERSION));
        let counts = store.counts().unwrap();
        assert_eq!(counts[&JobState::Done], 5);
        assert_eq!(counts[&JobState::Failed], 1);
        assert_eq!(counts[&JobState::Ready], 1);
        assert_eq!(store.known_files("archive", "/srv/audio/in".as_ref()).unwrap().len(), 5);
        assert!(store.paused().unwrap().holds("later"));
        // What version 2 has besides.
        let waiting = store.find_batch("two").unwrap();
        let submitted = store.submitted_pipelines().unwrap();
        assert_eq!(submitted, BTreeMap::from([("later".to_owned(), waiting.plan)]));
        assert_eq!(store.open_batches().unwrap(), 1);
    }
}

#[test]
fn store_is_copied_before_it_is_upgraded() {
    let (folder, path) = with_v1();
    drop(Store::open(folder.path()).unwrap());
    let copy = copy_of(&path, 1);
    assert_eq!(copy.file_name().unwrap(), "store.redb.v1");
    assert_ne!(fs::read(&path).unwrap(), V1);
    // The copy is a store of version 1: what it has is what was there.
    let again = tempfile::tempdir().unwrap();
    fs::copy(&copy, Store::file_in(again.path())).unwrap();
    let database = Database::open(Store::file_in(again.path())).unwrap();
    let look = database.begin_read().unwrap();
    assert_eq!(look.record::<u32>(META, SCHEMA_KEY).unwrap(), Some(1));
    let mut jobs = 0;
    look.scan(tables::JOBS, Scan::forward(&[]), &mut |_, _| {
        jobs += 1;
        Ok(true)
    })
    .unwrap();
    assert_eq!(jobs, 7);
}

#[test]
fn new_store_is_not_copied() {
    let (folder, store) = open();
    drop(store);
    drop(Store::open(folder.path()).unwrap());
    assert!(!copy_of(&Store::file_in(folder.path()), SCHEMA_VERSION).exists());
    assert!(!copy_of(&Store::file_in(folder.path()), 1).exists());
}
