//! Several files at a glance.

use super::markup::Text;
use super::measures::MAIN;
use super::number::{self, NONE};
use super::verdicts::{self, Tone};
use super::{Page, PageFile};
use std::fmt::Write as _;
use wavemill_core::delivery::Judgment;

/// Most targets that have a column each; of more it is said how many are met.
const COLUMNS_MAX: usize = 4;

/// The summary table of several files; `None` for one.
pub(super) fn summary(page: &Page) -> Option<String> {
    if page.files.len() < 2 {
        return None;
    }
    let targets: &[Judgment] = page.files.first().map_or(&[], |file| &file.judgments);
    let is_split = targets.len() <= COLUMNS_MAX;
    let mut out = banner(page).unwrap_or_default();
    out.push_str(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"All files\"><table class=\"numbers album\"><caption class=\"sr\">All files</caption><thead><tr>\
         <th scope=\"col\">#</th><th scope=\"col\" class=\"words\">Title</th>",
    );
    out.push_str(&target_heads(targets, is_split));
    out.push_str("<th scope=\"col\">Length</th>");
    for measure in MAIN {
        let _ = write!(
            out,
            "<th scope=\"col\">{} <small>{}</small></th>",
            short(measure.name),
            measure.unit
        );
    }
    out.push_str("</tr></thead><tbody>");
    for (index, file) in page.files.iter().enumerate() {
        out.push_str(&row(index + 1, file, is_split));
    }
    out.push_str("</tbody>");
    out.push_str(&footer(page, if is_split { targets.len() } else { 1 }));
    Some(out + "</table></div>")
}

/// Verdicts stand first, where a phone shows them.
fn target_heads(targets: &[Judgment], is_split: bool) -> String {
    if !is_split {
        return "<th scope=\"col\">Targets met</th>".to_owned();
    }
    targets.iter().fold(String::new(), |mut heads, target| {
        let _ = write!(heads, "<th scope=\"col\" class=\"words\">{}</th>", Text(&target.name));
        heads
    })
}

/// A name that fits the head of a column.
fn short(name: &str) -> &str {
    match name {
        "Integrated loudness" => "Integrated",
        "Loudness range" => "Range",
        "Peak to loudness" => "PLR",
        "Dynamic range" => "Dynamics",
        name => name,
    }
}

fn row(number: usize, file: &PageFile, is_split: bool) -> String {
    let analysis = &file.latest().analysis;
    let mut out = format!(
        "<tr><td>{number}</td><th scope=\"row\" class=\"words\"><a href=\"#f{number}\">{}</a></th>",
        Text(&file.heading())
    );
    if is_split {
        for judgment in &file.judgments {
            let badge = match judgment.passed {
                Some(true) => Tone::Good.badge("Passed"),
                Some(false) => Tone::Bad.badge("Failed"),
                None => Tone::Doubt.badge("Open"),
            };
            let _ = write!(out, "<td class=\"words\">{badge}</td>");
        }
    } else {
        let met = file.judgments.iter().filter(|it| it.passed == Some(true)).count();
        let _ = write!(out, "<td>{met} of {}</td>", file.judgments.len());
    }
    let length = file.facts.duration_s.map_or(NONE.to_owned(), number::duration);
    let _ = write!(out, "<td>{length}</td>");
    for measure in MAIN {
        let _ = write!(out, "<td>{}</td>", measure.shown(analysis));
    }
    out + "</tr>"
}

/// The whole: its length, loudness and largest peak.
fn footer(page: &Page, verdict_count: usize) -> String {
    let Some(album) = &page.album else { return String::new() };
    let length: f64 = page.files.iter().filter_map(|file| file.facts.duration_s).sum();
    format!(
        "<tfoot><tr><td></td><th scope=\"row\" class=\"words\">Album</th>{}<td>{}</td><td>{}</td><td>{}</td></tr></tfoot>",
        "<td></td>".repeat(verdict_count),
        number::duration(length),
        number::shown(album.integrated_lufs.map(|lufs| lufs.0), 1),
        number::shown(album.true_peak_dbtp.map(|peak| peak.0), 1),
    )
}

/// Whether all files are as they were asked for.
fn banner(page: &Page) -> Option<String> {
    let tones: Vec<Tone> =
        page.files.iter().filter_map(|file| Some(verdicts::headline(file)?.0)).collect();
    let total = tones.len();
    let count = |tone| tones.iter().filter(|it| **it == tone).count();
    let (failed, open) = (count(Tone::Bad), count(Tone::Doubt));
    let (tone, line) = match (total, failed, open) {
        (0, ..) => return None,
        (_, 0, 0) => (Tone::Good, format!("All {total} files pass")),
        (_, 0, open) => {
            (Tone::Doubt, format!("{open} of {total} files could not be checked fully"))
        }
        (_, failed, _) => (Tone::Bad, format!("{failed} of {total} files fail")),
    };
    Some(verdicts::banner(tone, &line))
}
