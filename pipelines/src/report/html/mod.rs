//! The page that people send to clients: what a file is, how it measures, and what a job made of it.
//!
//! One file without scripts, fonts or links, so that it reads the same in a browser, in a mail and on paper. The
//! same input gives the same bytes. Charts stretch with the page; their labels are text. **Adding a section: a
//! function and a line in `SECTIONS`.**

mod advice;
mod album;
mod bands;
mod chart;
mod facts;
mod job;
mod logo;
mod loudness;
mod markup;
mod measures;
mod music;
mod number;
mod stereo;
mod verdicts;
mod waveform;

pub use logo::{LOGO_BYTES_MAX, Logo, LogoError};

use super::{FileFacts, Report};
use markup::Text;
use serde_json::Value;
use std::fmt::Write as _;
use wavemill_core::advice::{Advice, Profile};
use wavemill_core::analysis::Analysis;
use wavemill_core::delivery::Judgment;
use wavemill_core::loudness::{GroupLoudness, HistoryPoint};
use wavemill_core::waveform::Waveform;

/// Points of a waveform that a page can use at most.
pub const WAVEFORM_POINTS_MAX: usize = 1000;

/// Most files that are shown one by one; of more there is the summary alone, so that the page stays small.
const DETAILED_FILES_MAX: usize = 24;

/// Points of all charts of a page: each needs about 20 bytes.
const POINTS_MAX: usize = 8000;

/// Fewest points of a chart.
const POINTS_MIN: usize = 200;

/// What a page shows.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Who sends it, or what it is; above the heading.
    pub title: Option<String>,
    /// A picture beside it.
    pub logo: Option<Logo>,
    /// The files, in order; several are an album.
    pub files: Vec<PageFile>,
    /// Loudness of all files together, where that was measured.
    pub album: Option<GroupLoudness>,
}

/// A file on a page.
#[derive(Clone, Debug, Default)]
pub struct PageFile {
    /// What the file is.
    pub facts: FileFacts,
    /// Its tags, as `wavemill tags` has them.
    pub tags: Value,
    /// The file as it is; of a job, its source.
    pub source: Signal,
    /// What a job delivered; `None` where there is no job.
    pub export: Option<Signal>,
    /// How what is delivered stands to delivery targets.
    pub judgments: Vec<Judgment>,
    /// What is advised on it; `None` where nobody asked.
    pub recommendations: Option<Recommendations>,
    /// What is odd about the file, a line each.
    pub warnings: Vec<String>,
    /// What a job did; `None` where there is none.
    pub report: Option<Report>,
}

/// What is advised on a file.
#[derive(Clone, Debug, Default)]
pub struct Recommendations {
    /// What it was held against.
    pub profile: Profile,
    /// What to change, most audible first.
    pub advice: Vec<Advice>,
}

/// What was measured of a signal; what was not is left out.
#[derive(Clone, Debug, Default)]
pub struct Signal {
    /// Its measures.
    pub analysis: Analysis,
    /// Its loudness over time, all of it: the page keeps what it can show.
    pub history: Vec<HistoryPoint>,
    /// How it looks; the first level is drawn.
    pub waveform: Option<Waveform>,
}

/// What the parts of a page must know of the whole.
#[derive(Clone, Copy, Debug)]
struct Scope {
    /// Whether there are several files.
    is_album: bool,
    /// Points of a chart.
    points: usize,
}

/// A part of a file's page.
struct Section {
    heading: &'static str,
    /// Its markup; `None` where there is nothing to show.
    body: fn(&PageFile, Scope) -> Option<String>,
}

const fn section(heading: &'static str, body: fn(&PageFile, Scope) -> Option<String>) -> Section {
    Section { heading, body }
}

/// The sections of a file, in their order.
const SECTIONS: &[Section] = &[
    section("Verdict", verdicts::section),
    section("Main measures", measures::main),
    section("Advice", advice::section),
    section("Waveform", waveforms),
    section("Loudness over time", curves),
    section("Spectrum and bands", bands::section),
    section("Stereo", stereo::section),
    section("Music", music::section),
    section("Further measures", measures::others),
    section("Exports", job::exports),
    section("Processing", job::steps),
    section("File", facts::section),
];

const STYLE: &str = include_str!("style.css");

/// What a page may load: nothing but what it holds.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// The page as one HTML document.
pub fn render(page: &Page) -> String {
    let scope = Scope {
        is_album: page.files.len() > 1,
        points: (POINTS_MAX / page.files.len().max(1))
            .clamp(POINTS_MIN, WAVEFORM_POINTS_MAX * 4 / 5),
    };
    let mut out = head(page);
    out.push_str("<body>\n<main>\n");
    out.push_str(&header(page));
    if let Some(summary) = album::summary(page) {
        let _ = writeln!(out, "<section><h2>Summary</h2>{summary}</section>");
    }
    if page.files.len() <= DETAILED_FILES_MAX {
        for (index, file) in page.files.iter().enumerate() {
            write_file(&mut out, index + 1, file, scope);
        }
    } else {
        out.push_str(
            "<p class=\"remark\">There are too many files to show each of them here.</p>\n",
        );
    }
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        out,
        "</main>\n<footer><p>Loudness and true peak by ITU-R BS.1770-5, loudness range by EBU Tech 3342.</p>\
         <p>Measured with Wavemill {version}</p></footer>\n</body>\n</html>\n"
    );
    out
}

fn head(page: &Page) -> String {
    let subject = subject(page);
    let name = match &page.title {
        Some(title) => format!("{subject} \u{2013} {title}"),
        None => subject,
    };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n",
        Text(&name)
    )
}

/// Who sends the page, and what it is about.
fn header(page: &Page) -> String {
    let mut out = String::from("<header class=\"top\">");
    if let Some(logo) = &page.logo {
        let _ = write!(out, "<img class=\"logo\" src=\"{}\" alt=\"Logo\">", logo.address());
    }
    let title = page.title.as_deref().unwrap_or_else(|| kind(page));
    let _ = writeln!(
        out,
        "<div><p class=\"kicker\">{}</p><h1>{}</h1><p class=\"sub\">{}</p></div></header>",
        Text(title),
        Text(&subject(page)),
        Text(&subtitle(page))
    );
    out
}

/// What a page is, where nobody gave it a title.
fn kind(page: &Page) -> &'static str {
    if page.files.iter().any(|file| file.report.is_some()) {
        "Delivery report"
    } else {
        "Audio report"
    }
}

/// What a page is about: a title, or an album's.
fn subject(page: &Page) -> String {
    match page.files.as_slice() {
        [] => "No files".to_owned(),
        [file] => file.heading(),
        files => shared(files, "album").map_or(format!("{} files", files.len()), str::to_owned),
    }
}

/// Artist, album, length and format, as far as they are those of all files.
fn subtitle(page: &Page) -> String {
    let files = page.files.as_slice();
    let mut parts: Vec<String> = Vec::new();
    let artist = shared(files, "album_artist").filter(|_| files.len() > 1);
    parts.extend(artist.or_else(|| shared(files, "artist")).map(str::to_owned));
    if let [file] = files {
        parts.extend(file.tag("album").map(str::to_owned));
        parts.extend(file.facts.duration_s.map(number::duration));
    } else if shared(files, "album").is_some() {
        parts.push(format!("{} files", files.len()));
    }
    let mut formats = files.iter().map(|file| facts::line(&file.facts));
    if let Some(first) = formats.next().filter(|first| formats.all(|other| other == *first)) {
        parts.push(first);
    }
    let created = |file: &PageFile| Some(file.report.as_ref()?.job.created.get(..10)?.to_owned());
    parts.extend(files.first().and_then(created));
    parts.join(" \u{b7} ")
}

/// The text of a tag that all files share.
fn shared<'f>(files: &'f [PageFile], key: &str) -> Option<&'f str> {
    let first = files.first()?.tag(key)?;
    files.iter().all(|file| file.tag(key) == Some(first)).then_some(first)
}

/// A file with its sections. One alone needs no heading: the page has it.
fn write_file(out: &mut String, number: usize, file: &PageFile, scope: Scope) {
    let (class, level) = if scope.is_album { ("file track", 3) } else { ("file", 2) };
    let _ = writeln!(out, "<div class=\"{class}\" id=\"f{number}\">");
    if scope.is_album {
        let length = file.facts.duration_s.map(number::duration).unwrap_or_default();
        let _ = writeln!(
            out,
            "<h2><span>{number}</span> {} <small>{length}</small></h2>",
            Text(&file.heading())
        );
    }
    for section in SECTIONS {
        if let Some(body) = (section.body)(file, scope) {
            let heading = section.heading;
            let _ = writeln!(out, "<section><h{level}>{heading}</h{level}>{body}</section>");
        }
    }
    out.push_str("</div>\n");
}

/// The waveform, of a job before and after.
fn waveforms(file: &PageFile, scope: Scope) -> Option<String> {
    both(file, |signal| waveform::section(signal, scope))
}

/// Loudness over time, of a job before and after on one scale.
fn curves(file: &PageFile, scope: Scope) -> Option<String> {
    let scale = loudness::Scale::of([&file.source].into_iter().chain(&file.export))?;
    both(file, |signal| loudness::section(signal, scale, scope))
}

/// Charts of source and export below each other, each with its name; one alone needs none.
fn both(file: &PageFile, chart: impl Fn(&Signal) -> Option<String>) -> Option<String> {
    let Some(export) = &file.export else { return chart(&file.source) };
    let named =
        |name: &str, signal| Some(format!("<p class=\"part\">{name}</p>{}", chart(signal)?));
    let charts = [named("Source", &file.source), named("Export", export)];
    let charts: String = charts.into_iter().flatten().collect();
    (!charts.is_empty()).then_some(charts)
}

impl PageFile {
    /// What was delivered: the export of a job, or the file itself.
    fn latest(&self) -> &Signal {
        self.export.as_ref().unwrap_or(&self.source)
    }

    /// Its title, or its name without folders.
    fn heading(&self) -> String {
        self.tag("title").map_or_else(|| facts::file_name(&self.facts.path), str::to_owned)
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.tags.get(key)?.as_str().filter(|text| !text.trim().is_empty())
    }
}

/// A text that begins with a capital letter.
fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests;
