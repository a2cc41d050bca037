//! The generated reference manual says what the program knows.

use crate::metadata::root;
use wavemill_core::encode;
use wavemill_pipelines::{Effects, reference};

#[test]
#[expect(clippy::disallowed_methods, reason = "a file of the repository, not of a user")]
fn reference_manual_is_up_to_date() {
    if !encode::missing_formats().map(|(name, _)| name).eq(["aac"]) {
        eprintln!(
            "skipped: the reference describes the formats of the default build, and this one has others"
        );
        return;
    }
    let text = reference::markdown(&Effects::new(None)).unwrap();
    let path = root().join("pipelines/REFERENCE.md");
    if std::env::var_os("WAVEMILL_WRITE_REFERENCE").is_some() {
        std::fs::write(path, text).unwrap();
        return;
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == text, "pipelines/REFERENCE.md is out of date: run `cargo xtask reference`");
}
