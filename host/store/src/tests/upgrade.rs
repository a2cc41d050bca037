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
        // And version 3.
        for job in store.jobs(&JobQuery::default()).unwrap() {
            assert_eq!(store.find_job(&job.id[1..]).unwrap(), job);
        }
    }
}

/// Makes of a store what version 2 would have written.
fn as_version_2(store: &Store) {
    store
        .write(|tx| {
            for table in [tables::ID_ENDS, tables::PLAN_USES, tables::GROUP_JOBS] {
                tx.remove_prefix(table, &[])?;
            }
            let mut contents = Vec::new();
            tx.scan(tables::CONTENTS, Scan::forward(&[]), &mut |key, value| {
                let id = value.split(|byte| *byte == 0).next().unwrap().to_vec();
                contents.push((key.to_vec(), id));
                Ok(true)
            })?;
            contents.iter().try_for_each(|(key, id)| tx.put_bytes(tables::CONTENTS, key, id))?;
            tx.put(META, SCHEMA_KEY, &2)
        })
        .unwrap();
}

/// Every entry of every table.
fn everything(store: &Store) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let look = store.read().unwrap();
    for table in tables::ALL {
        look.scan(table, Scan::forward(&[]), &mut |key, value| {
            let name = redb::TableHandle::name(&table).to_owned();
            found.push((name, key.to_vec(), value.to_vec()));
            Ok(true)
        })
        .unwrap();
    }
    found
}

#[test]
fn store_of_version_2_gets_the_indexes_that_a_new_one_has() {
    let (folder, store) = open();
    for (name, count) in [("a.wav", 1), ("b.wav", 2), ("c.wav", 0)] {
        settle(&store, name, name, 1);
        for job in claim_now(&store, count) {
            store.group_of(&job.id, Grouping::Folder).unwrap();
            finish(&store, &job);
        }
    }
    let expected = everything(&store);
    as_version_2(&store);
    drop(store);
    let store = Store::open(folder.path()).unwrap();
    assert_eq!(everything(&store), expected);
    assert!(copy_of(&Store::file_in(folder.path()), 2).exists());
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
