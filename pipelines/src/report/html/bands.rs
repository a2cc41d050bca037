//! Where the energy lies: five bands over a scale of frequencies.

use super::chart::{Chart, HEIGHT, Tick, multiples};
use super::number::{self, shown};
use super::{PageFile, Scope, Signal};
use std::fmt::Write as _;
use wavemill_core::advice::Profile;
use wavemill_core::measure::BandReport;
use wavemill_core::units::{Decibels, Hertz};

/// What the scale of frequencies covers.
const LOW_HZ: f64 = 20.0;
const HIGH_HZ: f64 = 20_000.0;

/// Units across.
const WIDTH: f64 = 1000.0;

/// What the scale of levels covers, in dB.
const SPAN_DB: f64 = 48.0;

/// Distance of the scale's lines, in dB.
const STEP_DB: f64 = 12.0;

/// Frequencies that have a label.
const LABELS_HZ: &[f64] = &[50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0];

/// Bands as blocks and as numbers; `None` where they were not measured or are silent.
pub(super) fn section(file: &PageFile, _scope: Scope) -> Option<String> {
    let latest = bands(file.latest())?;
    let before = file.export.as_ref().and_then(|_| bands(&file.source));
    let levels = |bands: &[BandReport]| -> Vec<f64> {
        bands.iter().filter_map(|band| band.level_dbfs.map(|level| level.0)).collect()
    };
    let all = before.map(levels).unwrap_or_default().into_iter().chain(levels(latest));
    let loudest = all.reduce(f64::max)?;
    let top_db = (loudest / STEP_DB).ceil() * STEP_DB;
    let mut shapes = grid(top_db);
    for band in latest {
        shapes.push_str(&block(band, top_db, "band"));
    }
    for band in before.into_iter().flatten() {
        shapes.push_str(&block(band, top_db, "outline"));
    }
    let profile = file.recommendations.as_ref().map(|it| &it.profile);
    shapes.push_str(&profile.map(|profile| wanted(latest, profile, top_db)).unwrap_or_default());
    shapes.push_str(&marks(file.latest()));
    let chart = Chart {
        label: &label(latest),
        class: "bands",
        width: WIDTH,
        shapes: &shapes,
        y_ticks: &y_ticks(top_db),
        x_ticks: &x_ticks(),
    };
    Some(chart.markup() + &legend(file, before.is_some()) + &table(latest, before))
}

fn bands(signal: &Signal) -> Option<&[BandReport]> {
    signal.analysis.bands.as_deref().filter(|bands| !bands.is_empty())
}

/// From the left edge, 0 to 1.
fn place(hertz: f64) -> f64 {
    ((hertz / LOW_HZ).ln() / (HIGH_HZ / LOW_HZ).ln()).clamp(0.0, 1.0)
}

fn y_ticks(top_db: f64) -> Vec<Tick> {
    multiples(top_db - SPAN_DB + 1.0, top_db - 1.0, STEP_DB)
        .map(|db| Tick { at: (top_db - db) / SPAN_DB, label: number::fixed(db, 0) })
        .collect()
}

fn x_ticks() -> Vec<Tick> {
    LABELS_HZ
        .iter()
        .map(|&hertz| {
            let label = if hertz < 1000.0 {
                format!("{hertz:.0}")
            } else {
                format!("{:.0}k", hertz / 1000.0)
            };
            Tick { at: place(hertz), label }
        })
        .collect()
}

fn grid(top_db: f64) -> String {
    let rows = y_ticks(top_db).into_iter().map(|tick| tick.at * HEIGHT);
    rows.fold(String::new(), |mut out, y| {
        let _ = write!(out, "<path class=\"l grid\" d=\"M0 {y:.0}h{WIDTH}\"/>");
        out
    })
}

fn block(band: &BandReport, top_db: f64, class: &str) -> String {
    let Some(level) = band.level_dbfs else { return String::new() };
    let y = ((top_db - level.0) / SPAN_DB).clamp(0.0, 1.0) * HEIGHT;
    let (left, right) = (place(band.low_hz.0) * WIDTH, place(band.high_hz.0) * WIDTH);
    // Blocks stand apart by a hair, outlines do not.
    let gap = if class == "band" { 2.0 } else { 0.0 };
    format!(
        "<path class=\"{class}\" d=\"M{:.0} {HEIGHT}V{y:.0}H{:.0}V{HEIGHT}\"/>",
        left + gap,
        right - gap
    )
}

/// The levels that a profile wants of each band. It gives them by the level of all bands together.
fn wanted(bands: &[BandReport], profile: &Profile, top_db: f64) -> String {
    let all = bands.iter().find_map(|band| {
        Some(
            band.level_dbfs?.0 - Decibels::from_power(band.energy_share.filter(|it| *it > 0.0)?)?.0,
        )
    });
    let Some(all_dbfs) = all else { return String::new() };
    let at = |db: f64| ((top_db - all_dbfs - db) / SPAN_DB).clamp(0.0, 1.0) * HEIGHT;
    let mut out = String::new();
    for (band, ranges) in bands.iter().zip(&profile.bands) {
        let (Some(low), Some(high)) = (ranges.level_db.min, ranges.level_db.max) else { continue };
        let (left, right) = (place(band.low_hz.0) * WIDTH, place(band.high_hz.0) * WIDTH);
        let (top, bottom) = (at(high.0), at(low.0));
        let _ = write!(
            out,
            "<path class=\"wanted\" d=\"M{left:.0} {bottom:.0}V{top:.0}H{right:.0}V{bottom:.0}\"/>"
        );
    }
    out
}

/// Lines at the centroid and at the rolloff.
fn marks(signal: &Signal) -> String {
    let Some(spectrum) = &signal.analysis.spectrum else { return String::new() };
    let mark = |hertz: Option<Hertz>, class: &str| {
        hertz.map_or(String::new(), |hertz| {
            let x = place(hertz.0) * WIDTH;
            format!("<path class=\"l {class}\" d=\"M{x:.0} 0V{HEIGHT}\"/>")
        })
    };
    mark(spectrum.centroid_hz, "centroid") + &mark(spectrum.rolloff_hz, "rolloff")
}

fn legend(file: &PageFile, has_before: bool) -> String {
    let mut out = String::from("<p class=\"legend\">");
    if has_before {
        out.push_str(
            "<span class=\"k band\">Export</span> <span class=\"k outline\">Source</span>",
        );
    } else {
        out.push_str("<span class=\"k band\">Level, dBFS</span>");
    }
    if let Some(advised) = &file.recommendations {
        let name = super::markup::Text(&advised.profile.name);
        let _ = write!(out, " <span class=\"k wanted\">Wanted by {name}</span>");
    }
    if let Some(spectrum) = &file.latest().analysis.spectrum {
        let marks = [
            ("centroid", "Centroid", spectrum.centroid_hz),
            ("rolloff", "85% of the magnitude below", spectrum.rolloff_hz),
        ];
        for (class, name, hertz) in marks {
            if let Some(hertz) = hertz {
                let hertz = number::frequency(hertz.0);
                let _ = write!(out, " <span class=\"k {class}\">{name} {hertz}</span>");
            }
        }
    }
    out + "</p>"
}

fn label(bands: &[BandReport]) -> String {
    let mut label = "Level by band:".to_owned();
    for (index, band) in bands.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let level = shown(band.level_dbfs.map(|level| level.0), 1);
        let _ = write!(label, "{comma} {} {level} dBFS", name(band).to_lowercase());
    }
    label
}

fn name(band: &BandReport) -> String {
    let mut name = band.name.replace('_', "-");
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn table(latest: &[BandReport], before: Option<&[BandReport]>) -> String {
    let mut out = String::from(
        "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Bands\"><table class=\"numbers\"><caption class=\"sr\">Bands</caption><thead><tr>\
         <th scope=\"col\">Band</th><th scope=\"col\" class=\"wide\">Range</th>\
         <th scope=\"col\">Level <small>dBFS</small></th>",
    );
    if before.is_some() {
        out.push_str("<th scope=\"col\">Change <small>dB</small></th>");
    }
    out.push_str(
        "<th scope=\"col\">Share</th><th scope=\"col\">Crest <small>dB</small></th>\
         <th scope=\"col\">Width</th><th scope=\"col\">Correlation</th></tr></thead><tbody>",
    );
    for (index, band) in latest.iter().enumerate() {
        let _ = write!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"wide\">{} to {}</td><td>{}</td>",
            super::markup::Text(&name(band)),
            number::frequency(band.low_hz.0),
            number::frequency(band.high_hz.0),
            shown(band.level_dbfs.map(|level| level.0), 1),
        );
        if let Some(before) = before {
            let earlier = before.get(index).and_then(|band| band.level_dbfs);
            let change = band.level_dbfs.zip(earlier).map(|(now, earlier)| now.0 - earlier.0);
            let change = change.map_or(number::NONE.to_owned(), |db| number::signed(db, 1));
            let _ = write!(out, "<td>{change}</td>");
        }
        let share = band.energy_share.map(|share| share * 100.0);
        let _ = write!(
            out,
            "<td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            shown(share, 1),
            if share.is_some() { "%" } else { "" },
            shown(band.crest_factor_db.map(|crest| crest.0), 1),
            shown(band.width, 2),
            shown(band.correlation, 2),
        );
    }
    out + "</tbody></table></div>"
}
