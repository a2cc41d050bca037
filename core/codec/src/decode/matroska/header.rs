//! What stands before the sound: the tracks and the unit of time.
//!
//! Source: RFC 9559, 5 (elements) and 6 (their order).

use super::ebml::{Element, Elements, float, inside, text, unsigned};
use crate::decode::{Damaged, DecodeError, Source, streams};
use std::io::{Read, Seek};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// Bytes of a track's description, most of which are its codec's tables.
const TRACK_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// Bytes of the other elements that are read.
const FIELDS_BYTES_MAX: u64 = 64 * 1024;

/// Most tracks looked at.
const TRACK_COUNT_MAX: usize = 256;

/// `TrackType` of audio.
const AUDIO: u64 = 2;

/// `ContentCompAlgo` of bytes that are taken from the start of every frame.
const HEADER_STRIPPING: u64 = 3;

/// Names of elements.
pub(super) mod id {
    pub(crate) const EBML: u32 = 0x1a45_dfa3;
    pub(crate) const DOC_TYPE: u32 = 0x4282;
    pub(crate) const SEGMENT: u32 = 0x1853_8067;
    pub(crate) const INFO: u32 = 0x1549_a966;
    pub(crate) const TIMESTAMP_SCALE: u32 = 0x2a_d7b1;
    pub(crate) const TRACKS: u32 = 0x1654_ae6b;
    pub(crate) const TRACK_ENTRY: u32 = 0xae;
    pub(crate) const CLUSTER: u32 = 0x1f43_b675;
    pub(crate) const TIMESTAMP: u32 = 0xe7;
    pub(crate) const SIMPLE_BLOCK: u32 = 0xa3;
    pub(crate) const BLOCK_GROUP: u32 = 0xa0;
    pub(crate) const BLOCK: u32 = 0xa1;
    pub(crate) const DISCARD_PADDING: u32 = 0x75a2;
}

/// What is known before the first cluster.
pub(super) struct Header {
    /// Nanoseconds of a tick.
    pub(super) tick_ns: u64,
    /// The audio tracks.
    pub(super) tracks: Vec<Track>,
    /// First byte of the first cluster's name.
    pub(super) clusters_start: u64,
    /// First byte after the segment; `None` when its writer did not know.
    pub(super) end: Option<u64>,
}

/// An audio track.
#[derive(Clone, Debug, Default)]
pub(super) struct Track {
    pub(super) number: u64,
    kind: u64,
    pub(super) codec: String,
    /// The codec's configuration.
    pub(super) private: Vec<u8>,
    /// Nanoseconds that are no part of the sound.
    pub(super) delay_ns: u64,
    language: Option<String>,
    pub(super) sample_rate_hz: f64,
    pub(super) channel_count: u64,
    pub(super) bit_depth: u64,
    /// Bytes that every frame begins with and that are left out of the file.
    pub(super) prefix: Vec<u8>,
    /// Whether it is compressed or encrypted as a whole.
    pub(super) is_wrapped: bool,
}

impl Header {
    /// Reads up to the first cluster.
    pub(super) fn read(elements: &mut Elements, damaged: Damaged) -> Result<Self, DecodeError> {
        let segment = segment(elements, damaged)?;
        let mut header =
            Self { tick_ns: 1_000_000, tracks: Vec::new(), clusters_start: 0, end: segment.end };
        if damaged.is_repaired() {
            // What was added or is missing moves the end.
            header.end = None;
        }
        let (mut clusters_start, mut has_tracks) = (None, false);
        let mut seen = 0;
        while clusters_start.is_none() || !has_tracks {
            let at = elements.position();
            if header.end.is_some_and(|end| at >= end) {
                break;
            }
            let Some(element) = elements.next()? else { break };
            seen += 1;
            if seen > CHUNK_COUNT_MAX {
                return Err(DecodeError::damaged(format!("more than {CHUNK_COUNT_MAX} elements")));
            }
            match element.id {
                id::INFO => {
                    let info = elements.data(element, FIELDS_BYTES_MAX)?;
                    let scale = inside(&info).find(|(id, _)| *id == id::TIMESTAMP_SCALE);
                    let scale = scale.and_then(|(_, data)| unsigned(data)).filter(|&ns| ns > 0);
                    header.tick_ns = scale.unwrap_or(header.tick_ns);
                }
                id::TRACKS => {
                    header.read_tracks(elements, element)?;
                    has_tracks = true;
                }
                id::CLUSTER => {
                    clusters_start = clusters_start.or(Some(at));
                    if !has_tracks {
                        elements.skip(element)?;
                    }
                }
                _ => elements.skip(element)?,
            }
        }
        if !has_tracks {
            return Err(DecodeError::damaged("it describes no tracks"));
        }
        header.clusters_start = clusters_start.unwrap_or(elements.byte_count());
        Ok(header)
    }

    fn read_tracks(&mut self, elements: &mut Elements, tracks: Element) -> Result<(), DecodeError> {
        let end = tracks.end.ok_or_else(|| DecodeError::damaged("its tracks have no length"))?;
        let mut seen = 0;
        while elements.position() < end {
            let Some(element) = elements.next()? else { break };
            seen += 1;
            if seen > TRACK_COUNT_MAX {
                return Err(DecodeError::damaged(format!("more than {TRACK_COUNT_MAX} tracks")));
            }
            if element.id == id::TRACK_ENTRY {
                let track = Track::parse(&elements.data(element, TRACK_BYTES_MAX)?);
                self.tracks.extend(Some(track).filter(|track| track.kind == AUDIO));
            } else {
                elements.skip(element)?;
            }
        }
        elements.go_to(end)
    }
}

/// The end of the segment; `None` when its writer did not know.
pub(super) fn segment_end(
    source: &mut dyn Source,
    byte_count: u64,
) -> Result<Option<u64>, DecodeError> {
    Ok(segment(&mut Elements::new(source, byte_count)?, Damaged::Refuse)?.end)
}

/// Finds the segment, which holds everything.
pub(super) fn segment<S: Read + Seek>(
    elements: &mut Elements<S>,
    damaged: Damaged,
) -> Result<Element, DecodeError> {
    let missing = || DecodeError::truncated("a segment", "none");
    let head = elements.next()?.filter(|element| element.id == id::EBML).ok_or_else(missing)?;
    let head = elements.data(head, FIELDS_BYTES_MAX)?;
    let kind = inside(&head).find(|(id, _)| *id == id::DOC_TYPE).map(|(_, data)| text(data));
    match kind.as_deref() {
        None | Some("matroska" | "webm") => {}
        Some(other) => {
            let what = format!("EBML of the kind `{}`", other.escape_default());
            return Err(DecodeError::unsupported(what));
        }
    }
    loop {
        let element = elements.next()?.ok_or_else(missing)?;
        if element.id == id::SEGMENT {
            let end = element.end.filter(|&end| end > elements.byte_count());
            if let Some(end) = end.filter(|_| !damaged.is_repaired()) {
                return Err(DecodeError::truncated(
                    format_args!("{end} bytes"),
                    format_args!("{} bytes", elements.byte_count()),
                ));
            }
            return Ok(element);
        }
        elements.skip(element)?;
    }
}

impl Track {
    fn parse(entry: &[u8]) -> Self {
        let mut track = Self { sample_rate_hz: 8000.0, channel_count: 1, ..Self::default() };
        let (mut short, mut long) = (None, None);
        for (id, data) in inside(entry) {
            let number = || unsigned(data).unwrap_or(0);
            match id {
                0xd7 => track.number = number(),
                0x83 => track.kind = number(),
                0x86 => track.codec = text(data),
                0x63a2 => track.private = data.to_vec(),
                0x56aa => track.delay_ns = number(),
                0x22_b59c => short = Some(text(data)),
                0x22_b59d => long = Some(text(data)),
                0xe1 => track.parse_audio(data),
                0x6d80 => track.parse_encodings(data),
                _ => {}
            }
        }
        // Where nothing is stated, English is meant.
        let language = long.or(short).unwrap_or_else(|| "eng".to_owned());
        track.language = streams::language(&language);
        track
    }

    fn parse_audio(&mut self, audio: &[u8]) {
        for (id, data) in inside(audio) {
            match id {
                0xb5 => self.sample_rate_hz = float(data).unwrap_or(0.0),
                0x9f => self.channel_count = unsigned(data).unwrap_or(0),
                0x6264 => self.bit_depth = unsigned(data).unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Source: RFC 9559, 5.1.4.1.31.
    fn parse_encodings(&mut self, encodings: &[u8]) {
        for (_, encoding) in inside(encodings).filter(|(id, _)| *id == 0x6240) {
            let mut algorithm = None;
            for (id, data) in inside(encoding) {
                match id {
                    // Compression.
                    0x5034 => {
                        let fields = || inside(data);
                        let found = fields().find(|(id, _)| *id == 0x4254);
                        algorithm = Some(found.map_or(0, |(_, data)| unsigned(data).unwrap_or(0)));
                        let settings = fields().find(|(id, _)| *id == 0x4255);
                        self.prefix = settings.map_or_else(Vec::new, |(_, data)| data.to_vec());
                    }
                    // Encryption.
                    0x5035 => self.is_wrapped = true,
                    _ => {}
                }
            }
            self.is_wrapped |= algorithm != Some(HEADER_STRIPPING);
        }
    }

    /// Frames before the sound.
    pub(super) fn delay(&self, sample_rate_hz: u32) -> u64 {
        let frames = u128::from(self.delay_ns) * u128::from(sample_rate_hz) + 500_000_000;
        u64::try_from(frames / 1_000_000_000).unwrap_or(u64::MAX)
    }

    /// What it is called where it is left out.
    pub(super) fn name(&self) -> streams::StreamName {
        streams::StreamName {
            codec: super::codec::name(&self.codec),
            channel_count: usize::try_from(self.channel_count).unwrap_or(0),
            language: self.language.clone(),
        }
    }
}
