//! What the movie header says: the tracks, where their packets are, which part of them is shown.
//!
//! Source: ISO/IEC 14496-12:2022, 8; Apple, "`QuickTime` File Format" (2001).

use super::atoms::{Atom, Atoms};
use super::edits::{Edit, Gaps};
use super::entry::SampleEntry;
use super::fragments::Defaults;
use super::{edits, entry, fragments};
use crate::decode::chunks::{u32_be, u64_be};
use crate::decode::{DecodeError, Source, streams};

/// Most tracks looked at.
const TRACK_COUNT_MAX: usize = 256;

/// Bytes looked at of atoms that hold a few fields.
pub(super) const FIELDS_BYTES: usize = 64;

/// Handlers of sound, and of texts.
const SOUND: &[&[u8]] = &[b"soun"];
const TEXTS: &[&[u8]] = &[b"text", b"sbtl"];

/// Where the parts of a file are.
pub(super) struct Places {
    pub(super) movie: Option<Atom>,
    /// Whether there is an atom with media, of known length.
    pub(super) media: Option<Atom>,
    /// Whether parts of the movie are described behind it.
    pub(super) has_fragments: bool,
    /// The furthest end that an atom claims.
    pub(super) promised_bytes: u64,
}

/// Finds the atoms of the file.
pub(super) fn places(source: &mut dyn Source, byte_count: u64) -> Result<Places, DecodeError> {
    let mut places = Places { movie: None, media: None, has_fragments: false, promised_bytes: 0 };
    let mut atoms = Atoms::of_file(byte_count);
    loop {
        let is_whole = places.movie.is_some() && places.media.is_some();
        let atom = match atoms.next_claimed(source) {
            Ok(Some(atom)) => atom,
            Ok(None) => break,
            // What follows the media need not be atoms.
            Err(DecodeError::Damaged { .. }) if is_whole => break,
            Err(error) => return Err(error),
        };
        let is_known = is_name(atom.kind);
        if is_whole && !is_known {
            break;
        }
        places.promised_bytes = places.promised_bytes.max(atom.end);
        match &atom.kind {
            b"moov" if places.movie.is_none() => places.movie = Some(atom),
            b"moof" => places.has_fragments = true,
            b"mdat" if places.media.is_none() => places.media = Some(atom),
            _ => {}
        }
    }
    Ok(places)
}

/// Whether four bytes can be the name of an atom.
fn is_name(kind: [u8; 4]) -> bool {
    kind.iter().all(|&byte| byte.is_ascii_graphic() || byte == b' ' || byte == 0xa9)
}

/// A parsed `moov` atom.
pub(super) struct Movie {
    /// Units of the edits' durations in a second.
    pub(super) timescale: u32,
    /// The audio tracks.
    pub(super) tracks: Vec<Track>,
    /// What iTunes notes of delay and padding, for all tracks.
    pub(super) gaps: Option<Gaps>,
    /// Whether the packets are described in fragments.
    pub(super) is_fragmented: bool,
    /// What holds for packets in fragments, by number of the track.
    pub(super) defaults: Vec<(u32, Defaults)>,
}

/// An audio track.
pub(super) struct Track {
    /// Its number.
    pub(super) id: u32,
    /// Units of the media's times in a second.
    pub(super) timescale: u32,
    pub(super) language: Option<String>,
    pub(super) edits: Vec<Edit>,
    /// How the packets are coded.
    pub(super) entry: SampleEntry,
    pub(super) tables: Tables,
}

/// The atoms that say where the packets are.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) durations: Option<Atom>,
    pub(super) chunks: Option<Atom>,
    pub(super) sizes: Option<Atom>,
    pub(super) offsets: Option<Atom>,
    /// Whether offsets have 64 bits.
    pub(super) is_long: bool,
}

impl Movie {
    /// Reads the `moov` atom.
    pub(super) fn read(source: &mut dyn Source, movie: Atom) -> Result<Self, DecodeError> {
        let mut read = Self {
            timescale: 0,
            tracks: Vec::new(),
            gaps: None,
            is_fragmented: false,
            defaults: Vec::new(),
        };
        let mut track_count = 0;
        let mut children = movie.children();
        while let Some(atom) = children.next(source)? {
            match &atom.kind {
                b"mvhd" => {
                    let fields = atom.data(source, FIELDS_BYTES)?;
                    read.timescale = timescale(&fields).unwrap_or(0);
                }
                b"trak" => {
                    track_count += 1;
                    if track_count > TRACK_COUNT_MAX {
                        return Err(DecodeError::damaged(format!(
                            "more than {TRACK_COUNT_MAX} tracks"
                        )));
                    }
                    read.tracks.extend(Track::read(source, atom)?);
                }
                b"mvex" => {
                    read.is_fragmented = true;
                    read.defaults = fragments::defaults(source, atom)?;
                }
                b"udta" if read.gaps.is_none() => read.gaps = edits::itunes_gaps(source, atom)?,
                _ => {}
            }
        }
        Ok(read)
    }
}

impl Track {
    fn new() -> Self {
        Self {
            id: 0,
            timescale: 0,
            language: None,
            edits: Vec::new(),
            entry: SampleEntry::default(),
            tables: Tables::default(),
        }
    }

    /// The timescale of a `trak` atom with texts, and where they are.
    pub(super) fn of_texts(
        source: &mut dyn Source,
        track: Atom,
    ) -> Result<(Option<u32>, Tables), DecodeError> {
        let mut read = Self::new();
        let mut children = track.children();
        while let Some(atom) = children.next(source)? {
            if &atom.kind == b"mdia" && read.read_media(source, atom, TEXTS)? {
                return Ok((Some(read.timescale), read.tables));
            }
        }
        Ok((None, Tables::default()))
    }

    /// Reads a `trak` atom; `None` when it is none of audio.
    fn read(source: &mut dyn Source, track: Atom) -> Result<Option<Self>, DecodeError> {
        let mut is_audio = false;
        let mut read = Self::new();
        let mut children = track.children();
        while let Some(atom) = children.next(source)? {
            match &atom.kind {
                b"tkhd" => {
                    let fields = atom.data(source, FIELDS_BYTES)?;
                    let offset = if fields.first() == Some(&1) { 20 } else { 12 };
                    read.id = u32_be(&fields, offset).unwrap_or(0);
                }
                b"edts" => read.edits = edits::read(source, atom)?,
                b"mdia" => is_audio = read.read_media(source, atom, SOUND)?,
                _ => {}
            }
        }
        Ok(is_audio.then_some(read))
    }

    /// Reads a `mdia` atom; says whether it is of one of these kinds.
    fn read_media(
        &mut self,
        source: &mut dyn Source,
        media: Atom,
        kinds: &[&[u8]],
    ) -> Result<bool, DecodeError> {
        let mut is_wanted = false;
        let mut information = None;
        let mut children = media.children();
        while let Some(atom) = children.next(source)? {
            match &atom.kind {
                b"mdhd" => {
                    let fields = atom.data(source, FIELDS_BYTES)?;
                    self.timescale = timescale(&fields).unwrap_or(0);
                    self.language = language(&fields);
                }
                b"hdlr" => {
                    let fields = atom.data(source, 12)?;
                    is_wanted = fields.get(8..12).is_some_and(|kind| kinds.contains(&kind));
                }
                b"minf" => information = Some(atom),
                _ => {}
            }
        }
        if let Some(information) = information.filter(|_| is_wanted) {
            let mut children = information.children();
            while let Some(atom) = children.next(source)? {
                if &atom.kind == b"stbl" {
                    self.read_tables(source, atom)?;
                }
            }
        }
        Ok(is_wanted)
    }

    /// Reads a `stbl` atom.
    fn read_tables(&mut self, source: &mut dyn Source, tables: Atom) -> Result<(), DecodeError> {
        let mut children = tables.children();
        while let Some(atom) = children.next(source)? {
            match &atom.kind {
                b"stsd" => {
                    self.entry = SampleEntry::read(&atom.data(source, entry::BYTES_MAX)?);
                }
                b"stts" => self.tables.durations = Some(atom),
                b"stsc" => self.tables.chunks = Some(atom),
                b"stsz" => self.tables.sizes = Some(atom),
                b"stco" => self.tables.offsets = Some(atom),
                b"co64" => {
                    self.tables.offsets = Some(atom);
                    self.tables.is_long = true;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What it is called where it is left out.
    pub(super) fn name(&self) -> streams::StreamName {
        streams::StreamName {
            codec: self.entry.name(),
            channel_count: self.entry.channel_count,
            language: self.language.clone(),
        }
    }
}

/// The timescale of a `mvhd` or `mdhd` atom.
///
/// Source: 8.2.2 and 8.4.2: version and flags, then two times of 32 or 64 bits.
fn timescale(fields: &[u8]) -> Option<u32> {
    u32_be(fields, if fields.first() == Some(&1) { 20 } else { 12 })
}

/// The language of a `mdhd` atom: three letters of 5 bits.
///
/// Source: 8.4.2.3. `QuickTime` has numbers up to 0x7fff there, which are none.
fn language(fields: &[u8]) -> Option<String> {
    let offset = if fields.first() == Some(&1) { 32 } else { 20 };
    let packed = u32_be(fields, offset)? >> 16;
    let letters = [10, 5, 0].map(|shift| packed >> shift & 0x1f);
    let letter = |letter: u32| char::from_u32(0x60 + letter).filter(char::is_ascii_lowercase);
    let code: Option<String> = letters.into_iter().map(letter).collect();
    streams::language(&code?)
}

/// The 32-bit or, in version 1, 64-bit number at the `index`th of such places after the first four bytes.
pub(super) fn number(fields: &[u8], offset: usize, is_long: bool) -> Option<u64> {
    if is_long { u64_be(fields, offset) } else { u32_be(fields, offset).map(u64::from) }
}
