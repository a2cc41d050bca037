//! Bars for what runs, on a terminal only.

use super::Context;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Ticks of a bar: a thousandth is finer than any terminal is wide.
const TICKS: u64 = 1000;

/// Most columns of a name in front of its bar.
const NAME_COLUMNS: usize = 32;

/// Bars by key, below everything else that is printed. Without a terminal it draws nothing.
pub(super) struct Bars {
    multi: MultiProgress,
    style: ProgressStyle,
    running: HashMap<String, ProgressBar>,
}

impl Bars {
    /// No bars yet.
    pub(super) fn new(context: &Context) -> Self {
        let target = if context.report.shows_progress() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let characters = context.report.note_paint().glyph("\u{2501}\u{2578}\u{2500}", "=>-");
        let bar = if context.report.note_paint().color { "{bar:24.cyan/dim}" } else { "{bar:24}" };
        let style = ProgressStyle::with_template(&format!("  {{msg}}  {bar} {{percent:>3}} %"))
            .expect("the template is one of two fixed texts")
            .progress_chars(characters);
        let multi = MultiProgress::with_draw_target(target);
        crate::report::show_bars(&multi);
        Self { multi, style, running: HashMap::new() }
    }

    /// Shows a new bar.
    pub(super) fn begin(&mut self, key: &str, name: &str) {
        let bar = ProgressBar::new(TICKS).with_style(self.style.clone()).with_message(fitted(name));
        let bar = self.multi.add(bar);
        bar.tick();
        self.running.insert(key.to_owned(), bar);
    }

    /// Gives a bar another name.
    pub(super) fn rename(&self, key: &str, name: &str) {
        if let Some(bar) = self.running.get(key) {
            bar.set_message(fitted(name));
        }
    }

    /// Moves a bar.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=TICKS"
    )]
    pub(super) fn set(&self, key: &str, share: f64) {
        if let Some(bar) = self.running.get(key) {
            bar.set_position((share.clamp(0.0, 1.0) * TICKS as f64) as u64);
        }
    }

    /// Takes a bar away.
    pub(super) fn end(&mut self, key: &str) {
        if let Some(bar) = self.running.remove(key) {
            bar.finish_and_clear();
            self.multi.remove(&bar);
        }
    }

    /// Prints something while the bars are out of the way.
    pub(super) fn print<T>(&self, print: impl FnOnce() -> T) -> T {
        self.multi.suspend(print)
    }
}

/// One bar over many files, by their bytes; shared by threads. Without a terminal it draws nothing.
pub(super) struct Sum {
    bar: ProgressBar,
    file_count: usize,
    files_done: AtomicUsize,
}

/// Bytes from which a bar is worth looking at: less is analyzed before it could be read.
const BAR_BYTES_MIN: u64 = 20 << 20;

impl Sum {
    /// A bar over so many files and bytes.
    pub(super) fn new(context: &Context, file_count: usize, byte_count: u64) -> Self {
        let is_shown = context.report.shows_progress() && byte_count >= BAR_BYTES_MIN;
        let target =
            if is_shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let paint = context.report.note_paint();
        let bar = if paint.color { "{bar:24.cyan/dim}" } else { "{bar:24}" };
        let style = ProgressStyle::with_template(&format!("  {bar} {{percent:>3}} %  {{msg}}"))
            .expect("the template is one of two fixed texts")
            .progress_chars(paint.glyph("\u{2501}\u{2578}\u{2500}", "=>-"));
        let bar = ProgressBar::with_draw_target(Some(byte_count), target).with_style(style);
        let sum = Self { bar, file_count, files_done: AtomicUsize::new(0) };
        sum.show_count(0);
        sum
    }

    /// A file that is begun.
    pub(super) fn file(&self, byte_count: u64) -> Piece<'_> {
        Piece { sum: self, byte_count, reported: 0 }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }

    fn show_count(&self, done: usize) {
        let files = crate::report::counted(self.file_count, "file");
        self.bar.set_message(format!("{done} of {files}"));
    }
}

/// The share of one file in a [`Sum`]; all of it when it is dropped.
pub(super) struct Piece<'s> {
    sum: &'s Sum,
    byte_count: u64,
    reported: u64,
}

impl Piece<'_> {
    /// Moves the bar.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a count"
    )]
    pub(super) fn set(&mut self, share: f64) {
        let done = (share.clamp(0.0, 1.0) * self.byte_count as f64) as u64;
        self.sum.bar.inc(done.saturating_sub(self.reported));
        self.reported = self.reported.max(done);
    }
}

impl Drop for Piece<'_> {
    fn drop(&mut self) {
        self.set(1.0);
        self.sum.show_count(self.sum.files_done.fetch_add(1, Ordering::Relaxed) + 1);
    }
}

/// A name cut or filled to [`NAME_COLUMNS`] terminal cells, so that bars stand below each other.
fn fitted(name: &str) -> String {
    use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
    if name.width() <= NAME_COLUMNS {
        return format!("{name}{}", " ".repeat(NAME_COLUMNS - name.width()));
    }
    let mut kept = String::new();
    let mut columns = 0;
    for character in name.chars() {
        columns += character.width().unwrap_or(0);
        if columns > NAME_COLUMNS - 3 {
            break;
        }
        kept.push(character);
    }
    format!("{kept}{}", ".".repeat(NAME_COLUMNS - kept.width()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn names_of_any_width_take_the_same_columns() {
        for name in ["a.wav", &"x".repeat(80), &"\u{6587}".repeat(40)] {
            assert_eq!(fitted(name).width(), NAME_COLUMNS, "{name}");
        }
    }
}
