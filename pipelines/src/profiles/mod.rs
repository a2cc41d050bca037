//! Which genre profiles there are: data of the program, found by name.

mod file;
mod text;

use crate::diagnostic::Diagnostic;
use file::read_profiles;
use std::sync::LazyLock;
use wavemill_core::advice::Profile;
use wavemill_core::suggestion::nearest;

pub use text::text_of;

/// The profiles that come with Wavemill, in the order of their file; the first of a genre is the one that
/// the genre's name means.
pub fn shipped() -> &'static [Profile] {
    static SHIPPED: LazyLock<Vec<Profile>> = LazyLock::new(|| {
        read_profiles(include_str!("../../profiles/profiles.toml")).expect("a test reads this file")
    });
    &SHIPPED
}

/// Reads a file of profiles.
///
/// # Errors
/// Every mistake at once, in the order of the text.
pub fn read(text: &str) -> Result<Vec<Profile>, Vec<Diagnostic>> {
    read_profiles(text)
}

/// What a name means.
#[derive(Clone, Debug, PartialEq)]
pub struct ProfileMatch {
    /// The profile; the general one for a genre that has none.
    pub profile: Profile,
    /// Where the genre has none: one line that says so, with what may have been meant.
    pub note: Option<String>,
}

/// Other names of genres.
const ALIASES: &[(&str, &str)] = &[
    ("d-and-b", "drum-and-bass"),
    ("dnb", "drum-and-bass"),
    ("drum-n-bass", "drum-and-bass"),
    ("drumandbass", "drum-and-bass"),
    ("drumnbass", "drum-and-bass"),
    ("psy", "psytrance"),
    ("psy-trance", "psytrance"),
];

/// The profile of a name: its id (`techno-deep`), its words in any order and spelling (`Deep Techno`,
/// `drum & bass, liquid`), or the genre alone, which means its first character. A genre without a
/// profile is no mistake: there is a general one.
pub fn find(name: &str) -> ProfileMatch {
    let typed = plain_name(name);
    known(&typed)
        .cloned()
        .map_or_else(|| general(name, &typed), |profile| ProfileMatch { profile, note: None })
}

fn known(typed: &str) -> Option<&'static Profile> {
    shipped().iter().find(|profile| {
        let Profile { id, genre, character, .. } = profile;
        let forms = std::iter::once(genre.as_str()).chain(aliases(genre));
        typed == *id
            || forms.into_iter().any(|genre| {
                typed == genre
                    || typed == format!("{genre}-{character}")
                    || typed == format!("{character}-{genre}")
            })
    })
}

/// What a reference that begins so is: a profile.
const REFERENCE: &str = "profile:";

/// The profile that a reference such as `profile:techno-deep` names; `None` for a reference that is a file.
///
/// # Errors
/// One line for a genre that has no profile.
pub fn of_reference(reference: &str) -> Option<Result<&'static Profile, String>> {
    let name = reference.strip_prefix(REFERENCE)?;
    let typed = plain_name(name);
    let profile = known(&typed);
    Some(profile.ok_or_else(|| format!("no profile for `{name}`; {}", help(&typed))))
}

fn general(name: &str, typed: &str) -> ProfileMatch {
    let profile = Profile::general();
    if typed == profile.id {
        return ProfileMatch { profile, note: None };
    }
    let note = format!("no profile for `{name}`, so the advice is general; {}", help(typed));
    ProfileMatch { profile, note: Some(note) }
}

fn help(typed: &str) -> String {
    let genres = genres();
    let ids = shipped().iter().map(|profile| profile.id.as_str());
    match nearest(typed, genres.iter().copied().chain(ids)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("genres are: {}", genres.join(", ")),
    }
}

/// The genres, each once.
pub(crate) fn genres() -> Vec<&'static str> {
    let mut genres: Vec<&str> = shipped().iter().map(|profile| profile.genre.as_str()).collect();
    genres.dedup();
    genres
}

fn aliases(genre: &str) -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(move |(_, meant)| *meant == genre).map(|(alias, _)| *alias)
}

/// A name as names are compared: lower case, `and` for `&`, words joined by one hyphen.
pub fn plain_name(name: &str) -> String {
    let name = name.to_lowercase().replace('&', " and ");
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_core::advice::{Band, Range};
    use wavemill_core::units::Decibels;

    fn id(name: &str) -> String {
        find(name).profile.id
    }

    #[test]
    fn reference_names_a_profile_behind_its_prefix() {
        let id = |name| of_reference(name).map(|found| found.map(|profile| profile.id.as_str()));
        assert_eq!(id("profile:Deep Techno"), Some(Ok("techno-deep")));
        assert_eq!(id("techno-deep"), None);
        let unknown = id("profile:tecno").unwrap().unwrap_err();
        assert_eq!(unknown, "no profile for `tecno`; did you mean `techno`?");
    }

    #[test]
    fn there_are_four_characters_of_six_genres() {
        assert_eq!(shipped().len(), 24);
        assert_eq!(
            genres(),
            ["psytrance", "trance", "techno", "house", "drum-and-bass", "dubstep"]
        );
        for genre in genres() {
            assert_eq!(shipped().iter().filter(|profile| profile.genre == genre).count(), 4);
        }
    }

    #[test]
    fn genre_is_found_however_it_is_written() {
        assert_eq!(id("techno"), "techno-peak-time");
        assert_eq!(id("Techno, deep"), "techno-deep");
        assert_eq!(id("Deep House"), "house-deep");
        assert_eq!(id("drum & bass"), "drum-and-bass-liquid");
        assert_eq!(id("neuro dnb"), "drum-and-bass-neuro");
        assert_eq!(id("PSY_TRANCE"), "psytrance-full-on");
        for profile in shipped() {
            assert_eq!(
                (id(&profile.id), id(&profile.name)),
                (profile.id.clone(), profile.id.clone())
            );
        }
    }

    #[test]
    fn unknown_genre_gets_general_advice_and_a_note() {
        let found = find("rock");
        assert!(found.profile.is_general());
        let note = found.note.unwrap();
        assert!(
            note.starts_with("no profile for `rock`, so the advice is general; genres are: psy")
        );
        let note = find("tekno").note.unwrap();
        assert!(note.ends_with("did you mean `techno`?"), "{note}");
        assert_eq!(find("general"), ProfileMatch { profile: Profile::general(), note: None });
    }

    #[test]
    fn ranges_of_every_profile_are_complete_and_consistent() {
        fn is_range<T: PartialOrd>(range: Range<T>) -> bool {
            range.min.zip(range.max).is_some_and(|(min, max)| min < max)
        }
        for profile in shipped() {
            let id = &profile.id;
            assert_eq!(*id, format!("{}-{}", profile.genre, profile.character));
            assert!(is_range(profile.integrated_lufs), "{id}");
            assert!(is_range(profile.loudness_range_lu), "{id}");
            assert!(is_range(profile.crest_factor_db), "{id}");
            assert!(is_range(profile.peak_to_loudness_lu), "{id}");
            assert!(is_range(profile.width) && is_range(profile.tempo_bpm), "{id}");
            assert!(profile.bands.iter().all(|band| is_range(band.level_db)), "{id}");
            assert!(profile.bands.iter().all(|band| band.width.max.is_some()), "{id}");
            assert!(profile.true_peak_max_dbtp.is_some() && profile.correlation_min.is_some());
            assert!(profile.source.starts_with("tempo: "), "{id}");
            // A PLR that is asked for must be possible with the loudness and peaks that are asked for.
            let (lufs, plr) = (profile.integrated_lufs, profile.peak_to_loudness_lu);
            let (loudest, quietest) = (lufs.max.unwrap().0, lufs.min.unwrap().0);
            assert!(plr.min.unwrap().0 <= -1.0 - loudest, "{id}");
            assert!(plr.max.unwrap().0 >= -1.0 - quietest, "{id}");
        }
    }

    fn nearest(levels: [f64; Band::ALL.len()]) -> Option<&'static str> {
        let balance = levels.map(|level| Some(Decibels(level)));
        wavemill_core::advice::nearest(shipped(), &balance).map(|profile| profile.id.as_str())
    }

    #[test]
    fn balance_in_the_middle_of_a_profile_is_nearest_to_it() {
        for profile in shipped() {
            let middle =
                |range: Range<Decibels>| f64::midpoint(range.min.unwrap().0, range.max.unwrap().0);
            let found = nearest(profile.bands.map(|band| middle(band.level_db)));
            // Some characters of a genre differ in other things than the balance.
            let same = shipped().iter().find(|other| {
                other.bands.iter().zip(&profile.bands).all(|(a, b)| a.level_db == b.level_db)
            });
            assert_eq!(found, same.map(|profile| profile.id.as_str()));
        }
    }

    /// Pink noise has as much in every octave; white noise as much in every Hz; a voice little below 200 Hz.
    #[test]
    fn noise_and_a_voice_are_near_no_profile() {
        let decibels = |shares: [f64; 5]| {
            let sum: f64 = shares.iter().sum();
            shares.map(|share| Decibels::from_power(share / sum).unwrap().0)
        };
        let by = |value: fn(f64) -> f64| {
            Band::ALL.map(|band| {
                let [low_hz, high_hz] = band.edges();
                value(high_hz.0) - value(low_hz.0)
            })
        };
        assert_eq!(nearest(decibels(by(f64::ln))), None);
        assert_eq!(nearest(decibels(by(|hz| hz))), None);
        assert_eq!(nearest([-8.0, -3.0, -5.0, -14.0, -20.0]), None);
    }

    #[test]
    fn levels_of_bands_can_add_up_in_every_profile() {
        let power = |level: Option<Decibels>| 10f64.powf(level.unwrap().0 / 10.0);
        for profile in shipped() {
            let levels = profile.bands.map(|band| band.level_db);
            let least: f64 = levels.iter().map(|range| power(range.min)).sum();
            let most: f64 = levels.iter().map(|range| power(range.max)).sum();
            let middle: f64 =
                levels.iter().map(|range| (power(range.min) * power(range.max)).sqrt()).sum();
            assert!(least < 0.9 && most > 1.1, "{}: {least} to {most}", profile.id);
            assert!((0.75..1.25).contains(&middle), "{}: {middle}", profile.id);
        }
    }
}
