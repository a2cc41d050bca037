//! Places where tests make crashes; nothing otherwise. Tests of other crates reach them by the
//! feature `crash-points`.

use std::io;

/// A place where a crash is made in tests. Fails when the crash happens, and the caller stops at
/// once, leaving everything as it is.
#[cfg(any(test, feature = "crash-points"))]
pub fn crash_point(name: &'static str) -> io::Result<()> {
    super::crash_tests::pass(name)
}

/// A place where a crash is made in tests; nothing otherwise.
///
/// # Errors
/// In tests only.
#[cfg(not(any(test, feature = "crash-points")))]
pub fn crash_point(_name: &'static str) -> io::Result<()> {
    Ok(())
}

/// A place where no crash is made in tests, but the disk may fail.
#[cfg(any(test, feature = "crash-points"))]
pub(super) fn mishap_point(name: &'static str) -> io::Result<()> {
    super::crash_tests::happen(name)
}

/// A place where the disk may fail in tests; nothing otherwise.
#[cfg(not(any(test, feature = "crash-points")))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(super) fn mishap_point(_name: &'static str) -> io::Result<()> {
    Ok(())
}
