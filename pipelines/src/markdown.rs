//! Tables and code in Markdown.

use std::fmt::Display;

/// A table of Markdown.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text = line(&header.map(str::to_owned)) + "|" + &"---|".repeat(N) + "\n";
    text.extend(rows.into_iter().map(|row| line(&row.map(|text| cell(&text)))));
    text
}

/// On one line, without what would end a cell.
pub(crate) fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

pub(crate) fn code(text: impl Display) -> String {
    format!("`{text}`")
}

pub(crate) fn quoted(text: &impl Display) -> String {
    format!("\"{text}\"")
}

/// Each as code.
pub(crate) fn words(items: impl Iterator<Item = String>, between: &str) -> String {
    items.map(code).collect::<Vec<_>>().join(between)
}
