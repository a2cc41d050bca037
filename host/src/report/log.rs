//! Log lines and progress bars on one terminal.

use indicatif::MultiProgress;
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

/// The bars that stand on standard error. A log line must find them out of the way; the subscriber
/// exists before any command, so this is where they meet.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Tells log lines about bars that will be drawn.
pub fn show_bars(bars: &MultiProgress) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars.clone());
}

/// Writes log lines to standard error, above the bars if there are any.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bars = BARS.lock().unwrap_or_else(PoisonError::into_inner).clone();
        match bars {
            Some(bars) => bars.suspend(|| io::stderr().lock().write_all(bytes)),
            None => io::stderr().lock().write_all(bytes),
        }?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
