//! What people and programs read: results on standard output, everything else on standard error.

mod log;
mod log_file;
mod paint;
mod table;
mod wrap;

pub(crate) use log::{log_filter, log_to, set_log_level, show_bars, start_log};
pub(crate) use log_file::LogFile;
pub(crate) use paint::{Paint, Tone};
pub(crate) use table::{Align, Table};
pub(crate) use wavemill_pipelines::number::{duration, size};
pub(crate) use wavemill_platform::{one_line, shown};

use serde::Serialize;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Version of everything printed under `--json`.
pub(crate) const JSON_VERSION: u32 = 1;

/// The process' two outputs. Shared by threads; each line is written in one piece.
#[derive(Debug)]
pub(crate) struct Report {
    json: bool,
    quiet: bool,
    results: Paint,
    notes: Paint,
    /// The reader of standard output went away (`| head`). That ends the output, not the work.
    closed: AtomicBool,
}

impl Report {
    /// Looks at the terminal and at `NO_COLOR`.
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self {
            json,
            quiet,
            results: Paint::of(io::stdout().is_terminal()),
            notes: Paint::of(io::stderr().is_terminal()),
            closed: AtomicBool::new(false),
        }
    }

    /// Whether results are JSON.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether only results and errors are wanted.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether bars may be drawn: a person watches standard error.
    pub(crate) fn shows_progress(&self) -> bool {
        !self.json && !self.quiet && io::stderr().is_terminal()
    }

    /// Columns of the terminal that results go to; `None` where they go elsewhere.
    #[expect(clippy::unused_self, reason = "what is written goes through the report")]
    pub(crate) fn columns(&self) -> Option<usize> {
        let size = console::Term::stdout().size_checked();
        size.filter(|_| io::stdout().is_terminal()).map(|(_, columns)| columns.into())
    }

    /// A result for people as it fits the terminal, if there is one; a line break is added.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub(crate) fn wrapped_line(&self, text: &str) -> io::Result<()> {
        self.line(&wrap::wrapped(text, self.columns()))
    }

    /// How results may be painted.
    pub(crate) fn paint(&self) -> Paint {
        self.results
    }

    /// How notes and errors may be painted.
    pub(crate) fn note_paint(&self) -> Paint {
        self.notes
    }

    /// A result for people; a line break is added.
    ///
    /// # Errors
    /// When standard output cannot be written for another reason than that nobody reads it.
    pub(crate) fn line(&self, text: &str) -> io::Result<()> {
        self.print(format!("{text}\n").as_bytes())
    }

    /// A result that has its own line breaks.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        self.print(text.as_bytes())
    }

    /// A result for programs, as one document over several lines.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub(crate) fn document(&self, value: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(value)?;
        bytes.push(b'\n');
        self.print(&bytes)
    }

    /// One event of a stream, as one line of JSON.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub(crate) fn event(&self, value: &impl Serialize) -> io::Result<()> {
        let mut bytes = serde_json::to_vec(value)?;
        bytes.push(b'\n');
        self.print(&bytes)
    }

    /// A result for programs, as it is.
    ///
    /// # Errors
    /// As for [`Self::line`].
    pub(crate) fn bytes(&self, bytes: &[u8]) -> io::Result<()> {
        self.print(bytes)
    }

    /// Something worth knowing that is no result. Not printed with `--quiet`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            eprint_wrapped(text);
        }
    }

    /// Something that went wrong.
    pub(crate) fn error(&self, text: &str) {
        eprint_wrapped(&format!("{} {text}", self.notes.tone(Tone::Bad, "error:")));
    }

    /// Something that may be wrong.
    pub(crate) fn warning(&self, text: &str) {
        eprint_wrapped(&format!("{} {text}", self.notes.tone(Tone::Doubt, "warning:")));
    }

    /// Text for standard error as it is.
    #[expect(clippy::unused_self, reason = "what is written goes through the report")]
    pub(crate) fn raw_error(&self, text: &str) {
        eprint(text.trim_end_matches('\n'));
    }

    /// Whether the reader of standard output went away.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    fn print(&self, bytes: &[u8]) -> io::Result<()> {
        if self.is_closed() {
            return Ok(());
        }
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed.store(true, Ordering::Relaxed);
                Ok(())
            }
            result => result,
        }
    }
}

/// A line for standard error, broken where a terminal would break it within a word.
fn eprint_wrapped(text: &str) {
    let size = console::Term::stderr().size_checked().filter(|_| io::stderr().is_terminal());
    eprint(&wrap::wrapped(text, size.map(|(_, columns)| columns.into())));
}

/// A line for standard error. Nothing can be done when that fails.
fn eprint(text: &str) {
    let _ = io::stderr().lock().write_all(format!("{text}\n").as_bytes());
}

/// `1 file`, `2 files`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
