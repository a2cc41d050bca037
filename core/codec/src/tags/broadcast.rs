//! Broadcast information where there is no `bext` chunk: as named fields.
//!
//! The names are those by which ffmpeg carries a `bext` chunk through other formats. Underlines and hyphens do
//! not count, so that names that others write without them are known too.

use super::Broadcast;
use super::text::clean;
use lofty::id3::v2::{Frame, Id3v2Tag};
use lofty::mp4::{Atom, AtomData, AtomIdent, Ilst};
use lofty::ogg::tag::VorbisComments;

impl Broadcast {
    /// Its fields by name, those that there are.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, String)> {
        [
            ("DESCRIPTION", self.description.clone()),
            ("ORIGINATOR", self.originator.clone()),
            ("ORIGINATOR_REFERENCE", self.reference.clone()),
            ("ORIGINATION_DATE", self.date.clone()),
            ("ORIGINATION_TIME", self.time.clone()),
            ("TIME_REFERENCE", self.time_reference.map(|time| time.to_string())),
            ("CODING_HISTORY", self.coding_history.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
    }
}

/// That of an ID3 tag.
pub(super) fn of_id3(tag: &Id3v2Tag) -> Option<Broadcast> {
    of_fields(tag.into_iter().filter_map(|frame| match frame {
        Frame::UserText(text) => Some((text.description.as_ref(), text.content.as_ref())),
        _ => None,
    }))
}

/// That of Vorbis comments.
pub(super) fn of_comments(comments: &VorbisComments) -> Option<Broadcast> {
    of_fields(comments.items())
}

/// That of items of MPEG-4 with names of their own.
pub(super) fn of_items(items: &Ilst) -> Option<Broadcast> {
    let field = |atom: &Atom<'_>| match (atom.ident(), atom.data().next()) {
        (AtomIdent::Freeform { name, .. }, Some(AtomData::UTF8(text))) => {
            Some((name.clone().into_owned(), text.clone()))
        }
        _ => None,
    };
    let fields: Vec<(String, String)> = items.into_iter().filter_map(field).collect();
    of_fields(fields.iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// Broadcast information, if there is a field that nothing else has: a description is one of anything.
fn of_fields<'a>(fields: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Broadcast> {
    let mut found = Broadcast::default();
    let (mut description, mut encoder) = (None, None);
    for (name, value) in fields {
        let name: String = name.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect();
        let field = match name.to_ascii_uppercase().as_str() {
            "DESCRIPTION" => &mut description,
            "ENCODEDBY" => &mut encoder,
            "ORIGINATOR" => &mut found.originator,
            "ORIGINATORREFERENCE" => &mut found.reference,
            "ORIGINATIONDATE" => &mut found.date,
            "ORIGINATIONTIME" => &mut found.time,
            "CODINGHISTORY" => &mut found.coding_history,
            "TIMEREFERENCE" => {
                found.time_reference = found.time_reference.or(value.trim().parse().ok());
                continue;
            }
            _ => continue,
        };
        if field.is_none() {
            *field = clean(value);
        }
    }
    (found != Broadcast::default()).then(|| Broadcast {
        description,
        originator: found.originator.or(encoder),
        ..found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_known_by_several_spellings_and_description_alone_is_none() {
        let of = |fields: &[(&'static str, &'static str)]| of_fields(fields.iter().copied());
        assert_eq!(of(&[("DESCRIPTION", "x"), ("ENCODED-BY", "y")]), None);
        let found = of(&[
            ("description", "x"),
            ("Encoded-By", "y"),
            ("TIMEREFERENCE", " 90000 "),
            ("origination_time", "12:30:00"),
        ]);
        let expected = Broadcast {
            description: Some("x".to_owned()),
            originator: Some("y".to_owned()),
            time: Some("12:30:00".to_owned()),
            time_reference: Some(90_000),
            ..Broadcast::default()
        };
        assert_eq!(found, Some(expected));
        assert_eq!(of(&[("TIME_REFERENCE", "-1")]), None);
    }

    #[test]
    fn own_fields_come_back() {
        let text = |text: &str| Some(text.to_owned());
        let broadcast = Broadcast {
            description: text("d"),
            originator: text("o"),
            reference: text("r"),
            date: text("2024-05-01"),
            time: text("12:30:00"),
            time_reference: Some(u64::MAX),
            coding_history: text("A=PCM"),
            loudness: None,
        };
        let fields: Vec<_> = broadcast.fields().collect();
        let fields = fields.iter().map(|(name, value)| (*name, value.as_str()));
        assert_eq!(of_fields(fields), Some(broadcast));
    }
}
