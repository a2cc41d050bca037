//! Genre profiles: `[[profile]]` in a file of their own.

use crate::diagnostic::Diagnostic;
use crate::reader::{Key, Kind, VERSION_KEY, Values, check_version, read_document};
use toml::Spanned;
use wavemill_core::advice::{Band, BandRanges, Profile, Range};
use wavemill_core::units::{Dbtp, Decibels, Lu, Lufs};

/// The meaning of the keys.
const VERSION: i64 = 1;

const ROOT_KEYS: &[Key] = &[
    VERSION_KEY,
    Key::required("profile", Kind::Tables(KEYS), "at least one section [[profile]]"),
];

/// Share of a band of the sum of all: no band has more than everything.
const BAND_LEVEL: Kind = Kind::Bounds { unit: "dB", min: -60.0, max: 0.0 };
const WIDTH: Kind = Kind::Bounds { unit: "", min: 0.0, max: 1.0 };
const DYNAMICS_LU: Kind = Kind::Bounds { unit: "LU", min: 0.0, max: 60.0 };

const KEYS: &[Key] = &[
    Key::required("id", Kind::Text, "the name for commands: GENRE-CHARACTER"),
    Key::required("name", Kind::Text, "the display name"),
    Key::required("genre", Kind::Text, "the genre: lower-case letters, digits and hyphens"),
    Key::required("character", Kind::Text, "the character within the genre"),
    Key::optional(
        "integrated_lufs",
        Kind::Bounds { unit: "LUFS", min: -70.0, max: 0.0 },
        "Integrated loudness.",
    ),
    Key::optional("loudness_range_lu", DYNAMICS_LU, "Loudness range."),
    Key::optional("peak_to_loudness_lu", DYNAMICS_LU, "PLR."),
    Key::optional(
        "crest_factor_db",
        Kind::Bounds { unit: "dB", min: 0.0, max: 60.0 },
        "Crest factor.",
    ),
    Key::optional(
        "true_peak_max_dbtp",
        Kind::Number { unit: "dBTP", min: -40.0, max: 0.0 },
        "Maximum true peak.",
    ),
    Key::optional("width", WIDTH, "Stereo width of everything."),
    Key::optional(
        "correlation_min",
        Kind::Number { unit: "", min: -1.0, max: 1.0 },
        "Minimum correlation of the sides.",
    ),
    Key::optional("tempo_bpm", Kind::Bounds { unit: "BPM", min: 40.0, max: 240.0 }, "Tempo."),
    Key::optional("band_level_db", Kind::Table(LEVEL_KEYS), "Levels of bands, by the sum of all."),
    Key::optional("band_width", Kind::Table(WIDTH_KEYS), "Stereo width of bands."),
    Key::required("source", Kind::Text, "where the numbers come from"),
];

const LEVEL_KEYS: &[Key] = &of_bands(BAND_LEVEL);
const WIDTH_KEYS: &[Key] = &of_bands(WIDTH);

/// A key for each band.
const fn of_bands(kind: Kind) -> [Key; 5] {
    [
        Key::optional(Band::Low.name(), kind, "20 to 200 Hz."),
        Key::optional(Band::LowMid.name(), kind, "200 to 500 Hz."),
        Key::optional(Band::Mid.name(), kind, "500 to 2000 Hz."),
        Key::optional(Band::HighMid.name(), kind, "2000 to 6000 Hz."),
        Key::optional(Band::High.name(), kind, "6000 to 20000 Hz."),
    ]
}

/// Reads a file of profiles.
///
/// # Errors
/// Every mistake at once, in the order of the text.
pub(super) fn read_profiles(text: &str) -> Result<Vec<Profile>, Vec<Diagnostic>> {
    let mut profiles = Vec::new();
    let mut found = Vec::new();
    read_document(text, ROOT_KEYS, "the profiles file", &mut found, |sink, root| {
        check_version(sink, root, VERSION);
        profiles.extend(root.tables("profile").iter().map(read));
    });
    if found.is_empty() { Ok(profiles) } else { Err(found) }
}

fn read(values: &Values<'_>) -> Profile {
    let text = |key: &str| values.text(key).map(Spanned::into_inner).unwrap_or_default();
    let number = |key: &str| values.number(key).map(Spanned::into_inner);
    let levels = values.table("band_level_db");
    let widths = values.table("band_width");
    let band = |band: Band| BandRanges {
        level_db: levels.map(|all| range(all, band.name()).map(Decibels)).unwrap_or_default(),
        width: widths.map(|all| range(all, band.name())).unwrap_or_default(),
    };
    Profile {
        id: text("id"),
        name: text("name"),
        genre: text("genre"),
        character: text("character"),
        integrated_lufs: range(values, "integrated_lufs").map(Lufs),
        loudness_range_lu: range(values, "loudness_range_lu").map(Lu),
        crest_factor_db: range(values, "crest_factor_db").map(Decibels),
        peak_to_loudness_lu: range(values, "peak_to_loudness_lu").map(Lu),
        true_peak_max_dbtp: number("true_peak_max_dbtp").map(Dbtp),
        bands: Band::ALL.map(band),
        width: range(values, "width"),
        correlation_min: number("correlation_min"),
        tempo_bpm: range(values, "tempo_bpm"),
        source: text("source"),
    }
}

fn range(values: &Values<'_>, key: &str) -> Range<f64> {
    let bounds = values.bounds(key).map(Spanned::into_inner).unwrap_or_default();
    Range { min: bounds.min, max: bounds.max }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_is_read_whole() {
        let text = "version = 1\n[[profile]]\nid = \"a-b\"\nname = \"A, b\"\ngenre = \"a\"\n\
                    character = \"b\"\nintegrated_lufs = { min = -9, max = -6 }\n\
                    true_peak_max_dbtp = -1\nsource = \"me\"\n[profile.band_level_db]\n\
                    high = { max = -12.0 }\n";
        let profile = &read_profiles(text).unwrap()[0];
        assert_eq!(profile.integrated_lufs, Range::new(Lufs(-9.0), Lufs(-6.0)));
        assert_eq!(profile.true_peak_max_dbtp, Some(Dbtp(-1.0)));
        assert_eq!(profile.bands[4].level_db, Range::at_most(Decibels(-12.0)));
        assert_eq!(profile.bands[0], BandRanges::default());
        assert_eq!(profile.width, Range::default());
    }

    #[test]
    fn every_mistake_of_a_profiles_file_is_reported() {
        let text = "version = 1\n[[profile]]\nid = \"a-b\"\nname = \"a\"\ngenre = \"a\"\n\
                    character = \"b\"\nintegrated_lufs = { min = -6, max = -9 }\n\
                    [profile.band_level_db]\nhihg = { max = -12.0 }\n";
        let codes: Vec<(&str, usize)> =
            read_profiles(text).unwrap_err().iter().map(|found| (found.code, found.line)).collect();
        assert_eq!(codes, [("missing-key", 2), ("contradiction", 7), ("unknown-key", 9)]);
    }
}
