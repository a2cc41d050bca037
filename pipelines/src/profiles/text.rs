//! A profile as its file has it.

use std::fmt::Write as _;
use wavemill_core::advice::{Band, Profile, Range};

/// A profiles file with one profile, which [`super::read`] reads.
pub fn text_of(profile: &Profile) -> String {
    let mut text = "version = 1\n\n[[profile]]\n".to_owned();
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let mut line = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "{key} = {value}");
        }
    };
    line("id", Some(quoted(&profile.id)));
    line("name", Some(quoted(&profile.name)));
    line("genre", Some(quoted(&profile.genre)));
    line("character", Some(quoted(&profile.character)));
    line("integrated_lufs", range(profile.integrated_lufs.map(|lufs| lufs.0)));
    line("loudness_range_lu", range(profile.loudness_range_lu.map(|lu| lu.0)));
    line("peak_to_loudness_lu", range(profile.peak_to_loudness_lu.map(|lu| lu.0)));
    line("crest_factor_db", range(profile.crest_factor_db.map(|crest| crest.0)));
    line("true_peak_max_dbtp", profile.true_peak_max_dbtp.map(|peak| number(peak.0)));
    line("width", range(profile.width));
    line("correlation_min", profile.correlation_min.map(number));
    line("tempo_bpm", range(profile.tempo_bpm));
    line("source", Some(quoted(&profile.source)));
    let bands = || Band::ALL.iter().zip(&profile.bands);
    let levels = bands().map(|(band, it)| (band, it.level_db.map(|level| level.0)));
    table(&mut text, "band_level_db", levels);
    table(&mut text, "band_width", bands().map(|(band, it)| (band, it.width)));
    text
}

fn table<'a>(text: &mut String, name: &str, ranges: impl Iterator<Item = (&'a Band, Range<f64>)>) {
    let lines: String = ranges
        .filter_map(|(band, of_band)| Some(format!("{} = {}\n", band.name(), range(of_band)?)))
        .collect();
    if !lines.is_empty() {
        let _ = write!(text, "[profile.{name}]\n{lines}");
    }
}

/// `{ min = -9.0, max = -6.0 }`; `None` without ends.
fn range(range: Range<f64>) -> Option<String> {
    let end = |name: &str, end: Option<f64>| end.map(|end| format!("{name} = {}", number(end)));
    let ends: Vec<String> =
        [end("min", range.min), end("max", range.max)].into_iter().flatten().collect();
    (!ends.is_empty()).then(|| format!("{{ {} }}", ends.join(", ")))
}

/// With a point, as TOML's numbers of that kind have.
fn number(value: f64) -> String {
    toml::Value::from((value * 100.0).round() / 100.0 + 0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profiles::{read, shipped};

    #[test]
    fn text_of_a_profile_reads_as_that_profile() {
        for profile in shipped() {
            let text = text_of(profile);
            assert_eq!(read(&text).unwrap(), std::slice::from_ref(profile), "{text}");
        }
    }
}
