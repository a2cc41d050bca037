//! What a measurement leaves behind: a page for people and the raw numbers.

use crate::lab;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

/// Outcome of a measurement.
#[derive(Debug, Default)]
pub struct Record {
    /// Sentences of the result, each with its number.
    pub findings: Vec<String>,
    /// Heading of the raw table.
    pub columns: Vec<&'static str>,
    /// One line a measurement.
    pub rows: Vec<Vec<String>>,
}

impl Record {
    /// The page.
    pub fn text(&self, name: &str, about: &str) -> String {
        let mut text = format!("# {name}: {about}\n\n{}\n\n", machine());
        for finding in &self.findings {
            let _ = writeln!(text, "- {finding}");
        }
        text
    }

    /// Writes the page and the numbers.
    #[expect(clippy::print_stdout, reason = "whoever measures wants to know where")]
    pub fn write(&self, name: &str, about: &str) {
        let folder = folder();
        std::fs::create_dir_all(&folder).expect("the folder of records can be made");
        lab::put(&folder.join(format!("{name}.md")), self.text(name, about).as_bytes());
        let mut csv = self.columns.join(",") + "\n";
        for row in &self.rows {
            csv += &(row.join(",") + "\n");
        }
        lab::put(&folder.join(format!("{name}.csv")), csv.as_bytes());
        println!("written to {}", folder.display());
    }
}

/// `tests/bench/runs/<date>-<cores>-core-<processor>`.
fn folder() -> PathBuf {
    let date = said("date", &["+%Y-%m-%d"]);
    let model = processor().to_lowercase();
    let words: Vec<&str> = model.split_whitespace().take(2).collect();
    let machine: String = format!("{}-core-{}", cores(), words.join("-"))
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || *character == '-')
        .collect();
    lab::repository().join("tests/bench/runs").join(format!("{date}-{machine}"))
}

fn machine() -> String {
    let kernel = said("uname", &["-sr"]);
    format!("{} cores of {}, {kernel}, {}.", cores(), processor(), said("rustc", &["--version"]))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn processor() -> String {
    let facts = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = facts.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "an unnamed processor".to_owned(), |(_, name)| name.to_owned())
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(
        |_| format!("no {program}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

/// The middle one of some numbers.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A number that a tenth of these stay below: what a thing takes when little else disturbs it.
pub fn tenth(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 10]
}
