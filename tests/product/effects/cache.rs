//! Compiled code on disk.

use crate::bench::Bench;
use crate::module::Source;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use wavemill_tests::lab::put;

fn entries(bench: &Bench) -> Vec<PathBuf> {
    let folder = bench.lab.state().join("cache/effects");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn compiled_code_is_kept_for_this_user_alone() {
    let bench = Bench::with(&Source::gain());
    bench.drop_noise("in/a.wav", 1, 1);
    assert_eq!(bench.lab.until_idle(&[&bench.pipeline]).code, Some(0));
    let folder = bench.lab.state().join("cache/effects");
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(entries(&bench).len(), 1);
}

#[test]
fn damaged_entry_is_made_anew_and_the_output_is_the_same() {
    let bench = Bench::with(&Source::gain());
    bench.drop_noise("in/a.wav", 1, 1);
    assert_eq!(bench.lab.until_idle(&[&bench.pipeline]).code, Some(0));
    let right = bench.hash("out/a.wav");
    let entry = entries(&bench).remove(0);
    let whole = std::fs::read(&entry).unwrap();
    for at in [0, whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x10;
        put(&entry, &damaged);
        std::fs::remove_dir_all(bench.lab.root().join("out")).unwrap();
        let input = bench.lab.root().join("in/a.wav");
        let words = ["run".as_ref(), bench.pipeline.as_path(), &input];
        assert_eq!(bench.lab.run(words).code, Some(0));
        assert_eq!(bench.hash("out/a.wav"), right, "byte {at}");
        assert!(std::fs::read(&entry).unwrap() == whole, "byte {at} was not healed");
    }
}
