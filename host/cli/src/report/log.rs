//! Log lines and progress bars on one terminal.

use super::log_file::{self, FileWriter, LogFile};
use indicatif::MultiProgress;
use parking_lot::Mutex;
use std::io::{self, Write};
use std::sync::OnceLock;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt, reload};

/// The bars that stand on standard error. A log line must find them out of the way; the subscriber
/// exists before any command, so this is where they meet.
static BARS: Mutex<Option<MultiProgress>> = Mutex::new(None);

/// Makes log lines clear bars that will be drawn.
pub(crate) fn show_bars(bars: &MultiProgress) {
    *BARS.lock() = Some(bars.clone());
}

/// Change what is logged on standard error and in the file; set once logging begins.
static FILTERS: OnceLock<[SetFilter; 2]> = OnceLock::new();

/// Takes another filter.
type SetFilter = Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>;

/// Levels, the quietest first.
pub(super) const LOG_LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// Reads a level, or filters such as `wavemill_daemon=debug`.
///
/// # Errors
/// One line that says what would be right.
pub(crate) fn log_filter(text: &str) -> Result<EnvFilter, String> {
    let wrong = || {
        let levels = LOG_LEVELS.join(", ");
        format!(
            "unknown log level `{text}`: use one of {levels}, or a filter such as \
            wavemill_daemon=debug"
        )
    };
    // A single other word would be taken for the name of a module, and nothing would be logged.
    let is_level = LOG_LEVELS.contains(&text.to_ascii_lowercase().as_str());
    if !is_level && !text.contains('=') {
        return Err(wrong());
    }
    // What lofty finds odd in tags is reported as a warning of the file, where it matters.
    let is_quiet = is_level && !matches!(&*text.to_ascii_lowercase(), "off" | "debug" | "trace");
    let text = if is_quiet { format!("{text},lofty=error") } else { text.to_owned() };
    EnvFilter::builder().parse(text).map_err(|_| wrong())
}

/// Begins to log. Only the first call of a process counts; tests build several contexts.
pub(crate) fn start_log(filter: EnvFilter, is_colored: bool) {
    let (errors, set_errors) = reload::Layer::new(filter);
    let (file, set_file) = reload::Layer::new(EnvFilter::new("off"));
    let to_errors = fmt::layer().with_ansi(is_colored).with_target(false);
    let to_file = fmt::layer().json().flatten_event(true).with_current_span(false);
    let log = tracing_subscriber::registry()
        .with(to_errors.with_writer(|| LogWriter).with_filter(errors))
        .with(to_file.with_writer(|| FileWriter).with_span_list(false).with_filter(file));
    if log.try_init().is_ok() {
        let set_errors: SetFilter =
            Box::new(move |filter| set_errors.reload(filter).map_err(|error| error.to_string()));
        let set_file: SetFilter =
            Box::new(move |filter| set_file.reload(filter).map_err(|error| error.to_string()));
        let _ = FILTERS.set([set_errors, set_file]);
    }
}

/// Logs to a file too from now on: what goes to standard error, and whatever is worth noting.
///
/// # Errors
/// One line, when it cannot be written; it has the kind of what stands against it.
pub(crate) fn log_to(file: LogFile, level: &str) -> io::Result<()> {
    let path = file.path.clone();
    log_file::begin(file).map_err(|error| {
        io::Error::new(error.kind(), format!("log file {}: {error}", path.display()))
    })?;
    let filter = log_filter(&level_in_file(level)).map_err(io::Error::other)?;
    match FILTERS.get() {
        Some([_, set_file]) => set_file(filter).map_err(io::Error::other),
        None => Ok(()),
    }
}

/// Logs more or less from now on.
///
/// # Errors
/// When the text is no filter, or nothing is logged.
pub(crate) fn set_log_level(text: &str) -> Result<(), String> {
    let [set_errors, set_file] = FILTERS.get().ok_or("nothing is logged by this process")?;
    set_errors(log_filter(text)?)?;
    // What has no file logs to nowhere.
    set_file(log_filter(&level_in_file(text))?)
}

/// The filter of the file: jobs and their ends are always in it.
fn level_in_file(text: &str) -> String {
    match text.to_ascii_lowercase().as_str() {
        "off" | "error" | "warn" => "info".to_owned(),
        _ if text.contains('=') => format!("info,{text}"),
        _ => text.to_owned(),
    }
}

/// Writes log lines to standard error, above the bars if there are any.
#[derive(Clone, Copy, Debug, Default)]
struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bars = BARS.lock().clone();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_has_what_is_worth_noting_however_quiet_the_terminal_is() {
        for (level, expected) in [
            ("warn", "info"),
            ("Off", "info"),
            ("info", "info"),
            ("trace", "trace"),
            ("wavemill_daemon=debug", "info,wavemill_daemon=debug"),
        ] {
            assert_eq!(level_in_file(level), expected);
            assert!(log_filter(&level_in_file(level)).is_ok(), "{level}");
        }
    }
}
