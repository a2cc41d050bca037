//! The log's thread.

use super::LogShared;
use super::second::HEADER;
use crossbeam_queue::ArrayQueue;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often it looks for seconds.
const INTERVAL: Duration = Duration::from_millis(250);

/// Names that are tried when others are taken.
const NAMES_MAX: usize = 1000;

/// Writes until the log is off and everything is written.
pub(super) fn run(shared: &LogShared, file: &Path) {
    let mut open = None;
    loop {
        // Asked before: what was sent while it was on is written.
        let is_last = !shared.is_on.load(Ordering::Relaxed);
        if let Err(error) = drain(shared, file, &mut open) {
            shared.fail(format!("the log in {} ended: {error}", folder(file).display()));
            return;
        }
        if is_last {
            return;
        }
        std::thread::park_timeout(INTERVAL);
    }
}

fn drain(shared: &LogShared, file: &Path, open: &mut Option<File>) -> io::Result<()> {
    while let Some(second) = shared.ring.get().and_then(ArrayQueue::pop) {
        let to = match open {
            Some(to) => to,
            None => open.insert(create(shared, file)?),
        };
        let now = jiff::Zoned::now().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
        // One call: a crash leaves whole lines.
        to.write_all(second.line(&now).as_bytes())?;
    }
    Ok(())
}

/// Makes a file under a name that is free; nothing is overwritten.
fn create(shared: &LogShared, file: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder(file))?;
    let mut attempt = 1;
    loop {
        let path = named(file, attempt);
        // Each write goes to the end, whatever others do to the file.
        match OpenOptions::new().append(true).create_new(true).open(&path) {
            Ok(mut new) => {
                new.write_all(HEADER.as_bytes())?;
                shared.state.lock().path = Some(path);
                return Ok(new);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists && attempt < NAMES_MAX => {
                attempt += 1;
            }
            Err(error) => return Err(error),
        }
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new("."))
}

/// `NAME loudness.csv`, then `NAME loudness (2).csv`.
fn named(file: &Path, attempt: usize) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(" loudness");
    if attempt > 1 {
        name.push(format!(" ({attempt})"));
    }
    name.push(".csv");
    file.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use crate::log::{Log, Second};
    use std::path::Path;

    fn second(position_s: f64) -> Second {
        Second { position_s: Some(position_s), ..Second::default() }
    }

    fn positions(path: &Path) -> Vec<String> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("position,written,") && text.ends_with('\n'));
        let position = |line: &str| line.split(',').next().unwrap().to_owned();
        text.lines().skip(1).map(position).collect()
    }

    #[test]
    fn seconds_are_lines_and_each_turn_on_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::default();
        let file = || folder.path().join("logs/Mix 1");
        for (attempt, name) in ["Mix 1 loudness.csv", "Mix 1 loudness (2).csv"].iter().enumerate() {
            log.turn(true, file);
            log.turn(true, || unreachable!("it is on"));
            let start = 60.0 * (attempt + 1) as f64;
            (0..3u8).for_each(|index| log.send(second(start + f64::from(index))));
            log.end();
            let path = folder.path().join("logs").join(name);
            assert_eq!(log.state().path.as_ref(), Some(&path));
            let minute = format!("00:0{}:0", attempt + 1);
            assert_eq!(
                positions(&path),
                ["0.000", "1.000", "2.000"].map(|s| format!("{minute}{s}"))
            );
            log.turn(false, file);
        }
    }

    #[test]
    fn log_that_is_off_makes_no_file_and_counts_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::default();
        log.turn(true, || folder.path().join("a"));
        log.end();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was measured");
        assert_eq!(log.state(), crate::log::LogState::default());
    }

    #[test]
    fn folder_that_cannot_be_made_is_reported_once_and_tried_again_when_turned_on_anew() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::File::create(folder.path().join("taken")).unwrap();
        let log = Log::default();
        log.turn(true, || folder.path().join("taken/Mix"));
        log.send(second(1.0));
        while log.state().error.is_none() {
            std::thread::yield_now();
        }
        assert!(log.state().error.unwrap().contains("taken"));
        log.turn(true, || unreachable!("it failed"));
        assert!(!log.is_on());
        log.turn(false, || unreachable!("off"));
        while !log.is_on() {
            log.turn(true, || folder.path().join("Mix"));
            std::thread::yield_now();
        }
        log.send(second(2.0));
        log.end();
        assert!(log.state().path.is_some());
    }
}
