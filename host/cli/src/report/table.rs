//! Tables of aligned columns.

use super::{Paint, Tone};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Blanks between columns.
const GAP: usize = 2;

/// Which side of a column is straight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// A table for people: a head, rows, no lines. Widths are counted in terminal cells.
#[derive(Debug)]
pub(crate) struct Table {
    aligns: Vec<Align>,
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    cells: Vec<String>,
    tones: Vec<Option<Tone>>,
}

impl Table {
    /// A table with these column heads; an empty slice of heads' texts gives a table without head.
    pub(crate) fn new(columns: &[(&str, Align)]) -> Self {
        let aligns = columns.iter().map(|(_, align)| *align).collect();
        let cells: Vec<_> = columns.iter().map(|(head, _)| (*head).to_owned()).collect();
        let tones = vec![Some(Tone::Strong); cells.len()];
        let has_head = cells.iter().any(|cell| !cell.is_empty());
        Self { aligns, rows: has_head.then_some(Row { cells, tones }).into_iter().collect() }
    }

    /// Adds a row of plain cells.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.toned(cells.into_iter().map(|cell| (cell, None)));
    }

    /// Adds a row of cells with tones.
    pub(crate) fn toned(&mut self, cells: impl IntoIterator<Item = (String, Option<Tone>)>) {
        let (cells, tones) = cells.into_iter().unzip();
        self.rows.push(Row { cells, tones });
    }

    /// Cells by which the table exceeds `width` when its first column is cut to `min`.
    pub(crate) fn excess(&self, width: usize, min: usize) -> usize {
        let widths = self.widths();
        let rest: usize = widths.iter().skip(1).map(|column| column + GAP).sum();
        let first = widths.first().map_or(0, |first| *first.min(&min));
        (first + rest).saturating_sub(width)
    }

    /// Shortens the first column from its front, where names differ least, until the table fits into
    /// `width` terminal cells or the column has only `min` left.
    pub(crate) fn fit_first(&mut self, width: usize, min: usize) {
        let widths = self.widths();
        let total = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
        let Some(first) = widths.first().filter(|_| total > width) else { return };
        let room = first.saturating_sub(total - width).max(min);
        for cell in self.rows.iter_mut().filter_map(|row| row.cells.first_mut()) {
            *cell = cut_front(cell, room);
        }
    }

    /// Cells of its longest line.
    pub(crate) fn width(&self) -> usize {
        let widths = self.widths();
        let filled = widths.iter().filter(|width| **width > 0);
        widths.iter().sum::<usize>() + GAP * filled.count().saturating_sub(1)
    }

    /// Cuts a column in the middle, where long names of files differ least, until the table fits into `width`
    /// terminal cells or the column has only `min` left.
    pub(crate) fn fit_middle(&mut self, column: usize, width: usize, min: usize) {
        let Some(excess) = self.width().checked_sub(width) else { return };
        let Some(widest) = self.widths().get(column).copied() else { return };
        let room = widest.saturating_sub(excess).max(min);
        for cell in self.rows.iter_mut().filter_map(|row| row.cells.get_mut(column)) {
            *cell = cut_middle(cell, room);
        }
    }

    /// The lines of the table, without trailing blanks.
    pub(crate) fn lines(&self, paint: Paint) -> Vec<String> {
        let widths = self.widths();
        self.rows.iter().map(|row| self.draw(row, &widths, paint)).collect()
    }

    fn widths(&self) -> Vec<usize> {
        (0..self.aligns.len())
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
                cells.map(|cell| cell.width()).max().unwrap_or(0)
            })
            .collect()
    }

    fn draw(&self, row: &Row, widths: &[usize], paint: Paint) -> String {
        let mut line = String::new();
        // Blanks are only written before the next visible cell, so no line ends in blanks.
        let mut blanks = 0;
        for (column, cell) in row.cells.iter().enumerate() {
            let pad = widths[column].saturating_sub(cell.width());
            let (before, after) = match self.aligns[column] {
                Align::Left => (0, pad),
                Align::Right => (pad, 0),
            };
            if cell.is_empty() {
                blanks += pad + GAP;
                continue;
            }
            line.push_str(&" ".repeat(blanks + before));
            match row.tones.get(column).copied().flatten() {
                Some(tone) => line.push_str(&paint.tone(tone, cell)),
                None => line.push_str(cell),
            }
            blanks = after + GAP;
        }
        line
    }
}

/// What marks the place of what was cut off; ASCII, as it must be shown everywhere.
const CUT: &str = "..";

/// Beginning and end of a text that is wider than `room` cells.
fn cut_middle(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let half = room.saturating_sub(CUT.width()) / 2;
    let mut cells = 0;
    let start = text.char_indices().find_map(|(index, character)| {
        cells += character.width().unwrap_or(0);
        (cells > half).then_some(index)
    });
    let start = &text[..start.unwrap_or(text.len())];
    format!("{start}{}", cut_front(&text[start.len()..], room.saturating_sub(start.width())))
}

/// The end of a text that is wider than `room` cells.
fn cut_front(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.to_owned();
    }
    let mut start = text.len();
    let mut cells = CUT.width();
    for (index, character) in text.char_indices().rev() {
        cells += character.width().unwrap_or(0);
        if cells > room {
            break;
        }
        start = index;
    }
    format!("{CUT}{}", &text[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_column_is_cut_from_its_front_to_fit() {
        let mut table = Table::new(&[("FILE", Align::Left), ("LUFS", Align::Right)]);
        table.row(["a/long/folder/\u{6587}\u{6587}.wav".into(), "-16.0".into()]);
        table.row(["short.wav".into(), "-9.5".into()]);
        table.fit_first(20, 8);
        let lines = table.lines(Paint::PLAIN);
        assert_eq!(lines[1], "..er/\u{6587}\u{6587}.wav  -16.0");
        assert_eq!(lines[2], "short.wav       -9.5");
        assert!(lines.iter().all(|line| line.width() <= 20));
    }

    #[test]
    fn column_is_cut_in_the_middle_to_fit() {
        let mut table = Table::new(&[("JOB", Align::Left), ("FILE", Align::Left)]);
        let name = format!("{}\u{6587}.wav", "x".repeat(247));
        table.row(["1m8472gvxhyf2".into(), name]);
        table.row(["1m8472gvxhyf3".into(), "short.wav".into()]);
        table.fit_middle(1, 40, 16);
        let lines = table.lines(Paint::PLAIN);
        assert!(lines.iter().all(|line| line.width() <= 40), "{lines:?}");
        assert!(lines[1].contains("xx..xx") && lines[1].ends_with("\u{6587}.wav"), "{lines:?}");
        assert!(lines[2].ends_with("  short.wav"), "{lines:?}");
    }

    #[test]
    fn table_aligns_by_terminal_cells_without_trailing_blanks() {
        let mut table =
            Table::new(&[("NAME", Align::Left), ("LUFS", Align::Right), ("", Align::Left)]);
        table.row(["\u{6587}.wav".into(), "-16.0".into(), String::new()]);
        table.row(["episode.wav".into(), "-9.5".into(), "loud".into()]);
        let lines = table.lines(Paint::PLAIN);
        assert_eq!(lines[0], "NAME          LUFS");
        assert_eq!(lines[1], "\u{6587}.wav       -16.0");
        assert_eq!(lines[2], "episode.wav   -9.5  loud");
    }
}
