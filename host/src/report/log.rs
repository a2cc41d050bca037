//! Log lines and progress bars on one terminal.

use indicatif::MultiProgress;
use std::io::{self, Write};
use std::sync::{Mutex, OnceLock, PoisonError};
use tracing_subscriber::EnvFilter;

/// The bars that stand on standard error. A log line must find them out of the way; the subscriber
/// exists before any command, so this is where they meet.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Tells log lines about bars that will be drawn.
pub fn show_bars(bars: &MultiProgress) {
    *BARS.lock().unwrap_or_else(PoisonError::into_inner) = Some(bars.clone());
}

/// Changes what is logged; set once logging begins.
static FILTER: OnceLock<SetFilter> = OnceLock::new();

/// Takes another filter.
type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

/// Levels, the quietest first.
pub const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads a level, or filters such as `wavemill::daemon=debug`.
///
/// # Errors
/// One line that says what would be right.
pub fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let wrong = || {
        let levels = LOG_LEVELS.join(", ");
        format!(
            "the log level `{text}` is none of {levels}, and no filter as wavemill::daemon=debug"
        )
    };
    // A single other word would be taken for the name of a module, and nothing would be logged.
    let is_level = LOG_LEVELS.contains(&text.to_ascii_lowercase().as_str());
    if !is_level && !text.contains('=') {
        return Err(wrong());
    }
    EnvFilter::builder().parse(text).map_err(|_| wrong())
}

/// Begins to log. Only the first call of a process counts; tests build several contexts.
pub fn start_log(filter: EnvFilter, is_colored: bool) {
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(is_colored);
    let log = log.with_writer(|| LogWriter).with_target(false).with_filter_reloading();
    let handle = log.reload_handle();
    if log.try_init().is_ok() {
        let set = move |filter| handle.reload(filter).map_err(|error| error.to_string());
        let _ = FILTER.set(Box::new(set));
    }
}

/// Logs more or less from now on.
///
/// # Errors
/// When the text is no filter, or nothing is logged.
pub fn set_log_level(text: &str) -> Result<(), String> {
    let filter = log_filter(text)?;
    FILTER.get().ok_or_else(|| "nothing is logged by this process".to_owned())?(filter)
}

/// Writes log lines to standard error, above the bars if there are any.
#[derive(Clone, Copy, Debug, Default)]
struct LogWriter;

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
