//! Tags by name, for those who set, remove or look at them.

use super::Tags;
use super::text::{clean, number_pair, year_of};

/// A tag that is text or a number. Its name is its field's name in [`Tags`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the usual names of tags")]
pub enum Field {
    Title,
    Artist,
    Album,
    AlbumArtist,
    Composer,
    Genre,
    Date,
    Year,
    Track,
    TrackTotal,
    Disc,
    DiscTotal,
    Bpm,
    Key,
    Isrc,
    Comment,
    Copyright,
    Lyrics,
}

/// Why a text is no value of a tag: what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoValue {
    /// As `a whole number, such as 3`.
    pub expected: &'static str,
}

impl Field {
    /// All of them, with their names.
    #[rustfmt::skip]
    pub const ALL: [(&'static str, Self); 18] = [
        ("title", Self::Title), ("artist", Self::Artist), ("album", Self::Album),
        ("album_artist", Self::AlbumArtist), ("composer", Self::Composer), ("genre", Self::Genre),
        ("date", Self::Date), ("year", Self::Year), ("track", Self::Track),
        ("track_total", Self::TrackTotal), ("disc", Self::Disc), ("disc_total", Self::DiscTotal),
        ("bpm", Self::Bpm), ("key", Self::Key), ("isrc", Self::Isrc), ("comment", Self::Comment),
        ("copyright", Self::Copyright), ("lyrics", Self::Lyrics),
    ];

    /// The tag of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, field)| *field)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        // They are listed in their own order.
        Self::ALL[self as usize].0
    }

    /// Whether it can have several values in every format.
    pub const fn has_several(self) -> bool {
        matches!(self, Self::Artist | Self::AlbumArtist | Self::Composer | Self::Genre | Self::Isrc)
    }

    /// Its value as text; several are separated by `; `.
    pub fn get(self, tags: &Tags) -> Option<String> {
        let number = |value: Option<u32>| value.map(|value| value.to_string());
        match self {
            Self::Year => number(tags.year),
            Self::Track => number(tags.track),
            Self::TrackTotal => number(tags.track_total),
            Self::Disc => number(tags.disc),
            Self::DiscTotal => number(tags.disc_total),
            Self::Bpm => tags.bpm.map(|bpm| bpm.to_string()),
            Self::Title => tags.title.clone(),
            Self::Artist => tags.artist.clone(),
            Self::Album => tags.album.clone(),
            Self::AlbumArtist => tags.album_artist.clone(),
            Self::Composer => tags.composer.clone(),
            Self::Genre => tags.genre.clone(),
            Self::Date => tags.date.clone(),
            Self::Key => tags.key.clone(),
            Self::Isrc => tags.isrc.clone(),
            Self::Comment => tags.comment.clone(),
            Self::Copyright => tags.copyright.clone(),
            Self::Lyrics => tags.lyrics.clone(),
        }
    }

    /// Sets it; text of blanks only removes it. A year goes with the date it is part of.
    ///
    /// # Errors
    /// When the tag is a number and the text is none; nothing is changed then.
    pub fn set(self, tags: &mut Tags, text: &str) -> Result<(), NoValue> {
        let text = clean(text);
        match self {
            Self::Title => tags.title = text,
            Self::Artist => tags.artist = text,
            Self::Album => tags.album = text,
            Self::AlbumArtist => tags.album_artist = text,
            Self::Composer => tags.composer = text,
            Self::Genre => tags.genre = text,
            Self::Key => tags.key = text,
            Self::Isrc => tags.isrc = text,
            Self::Comment => tags.comment = text,
            Self::Copyright => tags.copyright = text,
            Self::Lyrics => tags.lyrics = text,
            Self::Date => {
                tags.year = text.as_deref().and_then(year_of);
                tags.date = text;
            }
            Self::Year => {
                let year = number(text.as_deref(), "a year, such as 2026", year_of)?;
                if tags.date.as_deref().and_then(year_of) != year {
                    tags.date = year.map(|year| year.to_string());
                }
                tags.year = year;
            }
            Self::Track => (tags.track, tags.track_total) = pair(text, tags.track_total)?,
            Self::Disc => (tags.disc, tags.disc_total) = pair(text, tags.disc_total)?,
            Self::TrackTotal => tags.track_total = number(text.as_deref(), WHOLE, whole)?,
            Self::DiscTotal => tags.disc_total = number(text.as_deref(), WHOLE, whole)?,
            Self::Bpm => {
                tags.bpm = number(text.as_deref(), "beats per minute, such as 120", beats)?;
            }
        }
        Ok(())
    }

    /// Removes it.
    pub fn remove(self, tags: &mut Tags) {
        // No text is a value of every tag.
        let _ = self.set(tags, "");
    }
}

/// What a number must look like.
const WHOLE: &str = "a whole number, such as 3";

fn whole(text: &str) -> Option<u32> {
    text.parse().ok()
}

fn beats(text: &str) -> Option<f64> {
    text.parse().ok().filter(|bpm: &f64| bpm.is_finite() && *bpm > 0.0)
}

fn number<T>(
    text: Option<&str>,
    expected: &'static str,
    read: fn(&str) -> Option<T>,
) -> Result<Option<T>, NoValue> {
    text.map(|text| read(text).ok_or(NoValue { expected })).transpose()
}

/// `3` leaves the total as it is, `3/9` sets both.
fn pair(text: Option<String>, total: Option<u32>) -> Result<(Option<u32>, Option<u32>), NoValue> {
    let Some(text) = text else { return Ok((None, total)) };
    match number_pair(&text) {
        (Some(part), of) if of.is_some() || !text.contains('/') => Ok((Some(part), of.or(total))),
        _ => Err(NoValue { expected: "a whole number, such as 3 or 3/9" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_comes_back_as_it_was_set_and_can_be_removed() {
        for (name, field) in Field::ALL {
            let mut tags = Tags::default();
            let value = if field.set(&mut tags, "one").is_ok() { "one" } else { "7" };
            let value = if field == Field::Year { "2026" } else { value };
            field.set(&mut tags, value).unwrap();
            assert_eq!(field.get(&tags).as_deref(), Some(value), "{name}");
            assert_eq!((field.name(), Field::named(name)), (name, Some(field)));
            let json = serde_json::to_value(&tags).unwrap();
            assert!(!json[name].is_null(), "{name} is the field's name in JSON");
            field.remove(&mut tags);
            assert_eq!(field.get(&tags), None, "{name}");
        }
    }

    #[test]
    fn numbers_that_are_none_change_nothing() {
        let tags =
            Tags { track: Some(1), track_total: Some(9), bpm: Some(99.5), ..Tags::default() };
        for (field, text) in [
            (Field::Track, "one"),
            (Field::Track, "1/x"),
            (Field::Bpm, "-3"),
            (Field::Bpm, "inf"),
            (Field::Year, "soon"),
            (Field::DiscTotal, "1.5"),
        ] {
            let mut changed = tags.clone();
            assert!(field.set(&mut changed, text).is_err(), "{text}");
            assert_eq!(changed, tags, "{text}");
        }
    }

    #[test]
    fn track_keeps_its_total_unless_it_brings_one() {
        let mut tags = Tags { track_total: Some(9), ..Tags::default() };
        Field::Track.set(&mut tags, "3").unwrap();
        assert_eq!((tags.track, tags.track_total), (Some(3), Some(9)));
        Field::Track.set(&mut tags, "4/12").unwrap();
        assert_eq!((tags.track, tags.track_total), (Some(4), Some(12)));
    }

    #[test]
    fn year_and_date_never_contradict_each_other() {
        let mut tags = Tags::default();
        Field::Date.set(&mut tags, "2024-05-01").unwrap();
        assert_eq!(tags.year, Some(2024));
        Field::Year.set(&mut tags, "2024").unwrap();
        assert_eq!(tags.date.as_deref(), Some("2024-05-01"));
        Field::Year.set(&mut tags, "2026").unwrap();
        assert_eq!(tags.date.as_deref(), Some("2026"));
    }
}
