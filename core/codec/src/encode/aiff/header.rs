//! Everything of an AIFF file before its samples.

use crate::encode::{EncodeSettings, id3};
use crate::tags::Cue;
use wavemill_audio::{ChannelLayout, SampleFormat};

/// `AIFF-C` version 1, as `FVER` states it. Source: Apple, "AIFF-C", draft of 1991-08-26, 5.
const AIFC_VERSION: u32 = 0xa280_5140;

/// Offset and block size before the samples in the `SSND` chunk, both 0.
const SSND_HEADER_BYTES: usize = 8;

/// `FORM`, the size, `AIFF` or `AIFC`.
const FORM_HEADER_BYTES: usize = 12;

/// Identifier and length of a chunk.
const CHUNK_HEADER_BYTES: usize = 8;

/// Where in `COMM` the frame count is.
const COUNT_IN_COMM: usize = 2;

/// `kAudioChannelLayoutTag_UseChannelBitmap`: the second field has a bit for each channel, those of
/// the WAVE mask; `kAudioChannelLayoutTag_DiscreteInOrder`: nothing is known of the channels.
///
/// Source: Apple, `CoreAudioBaseTypes.h`.
const USE_CHANNEL_BITMAP: u32 = 1 << 16;
const DISCRETE_IN_ORDER: u32 = 147 << 16;

/// The header of a file with known format and tags; sizes are filled in when it is written.
#[derive(Debug)]
pub(super) struct Header {
    form: [u8; 4],
    /// Chunks between the form's header and `SSND`, complete but for the frame count.
    chunks: Vec<u8>,
    /// Where in `chunks` the 32-bit frame count of `COMM` is.
    count_at: usize,
    /// Where in `chunks` the ID3 tag's chunk begins; their end where there is none.
    id3_at: usize,
    frame_bytes: u64,
}

impl Header {
    /// The header for `settings`.
    pub(super) fn new(settings: &EncodeSettings) -> Self {
        let is_float = settings.format.sample_format == SampleFormat::Float;
        let mut chunks = Vec::new();
        if is_float {
            push(&mut chunks, *b"FVER", &AIFC_VERSION.to_be_bytes());
        }
        let count_at = chunks.len() + CHUNK_HEADER_BYTES + COUNT_IN_COMM;
        push(&mut chunks, *b"COMM", &common(settings, is_float));
        if let Some(body) = channels(&settings.spec.layout) {
            push(&mut chunks, *b"CHAN", &body);
        }
        if let Some(body) = markers(settings) {
            push(&mut chunks, *b"MARK", &body);
        }
        let id3_at = chunks.len();
        let further =
            id3::ExtraTags { broadcast: settings.tags.broadcast.as_ref(), ..Default::default() };
        if let Some(tag) = id3::tag(&settings.tags, further) {
            push(&mut chunks, *b"ID3 ", &tag);
        }
        Self {
            form: if is_float { *b"AIFC" } else { *b"AIFF" },
            chunks,
            count_at,
            id3_at,
            frame_bytes: settings.frame_bytes(),
        }
    }

    /// Where the ID3 tag's chunk begins, and its bytes; none where there is none.
    pub(super) fn id3(&self) -> (u64, &[u8]) {
        ((FORM_HEADER_BYTES + self.id3_at) as u64, &self.chunks[self.id3_at..])
    }

    /// Whether the sizes of a file with `data_bytes` of samples fit their 32 bits.
    pub(super) fn can_hold(&self, data_bytes: u64) -> bool {
        u32::try_from(self.form_bytes(data_bytes)).is_ok()
    }

    /// All bytes before the samples, for `data_bytes` of them that [`Self::can_hold`] accepts.
    pub(super) fn to_bytes(&self, data_bytes: u64) -> Vec<u8> {
        let small = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_be_bytes();
        let mut bytes = b"FORM".to_vec();
        bytes.extend(small(self.form_bytes(data_bytes)));
        bytes.extend(self.form);
        let count_at = bytes.len() + self.count_at;
        bytes.extend(&self.chunks);
        bytes[count_at..count_at + 4].copy_from_slice(&small(data_bytes / self.frame_bytes));
        bytes.extend(b"SSND");
        bytes.extend(small(SSND_HEADER_BYTES as u64 + data_bytes));
        bytes.extend([0; SSND_HEADER_BYTES]);
        bytes
    }

    /// What the form's header states: everything after it.
    fn form_bytes(&self, data_bytes: u64) -> u64 {
        let before = 4 + self.chunks.len() + CHUNK_HEADER_BYTES + SSND_HEADER_BYTES;
        (before as u64).saturating_add(data_bytes).saturating_add(data_bytes % 2)
    }
}

/// The body of `COMM`, with a frame count of 0.
fn common(settings: &EncodeSettings, is_float: bool) -> Vec<u8> {
    let channel_count = u16::try_from(settings.spec.channel_count());
    let mut body = Vec::with_capacity(44);
    body.extend(channel_count.expect("was checked against the format's limit").to_be_bytes());
    body.extend(0u32.to_be_bytes());
    body.extend(settings.format.bit_depth.to_be_bytes());
    body.extend(extended(settings.spec.sample_rate.0));
    if is_float {
        // The compression's type, then its name as a Pascal string of an even number of bytes.
        body.extend(b"fl32\x1532-bit floating point");
    }
    body
}

/// A sample rate as an 80-bit float: exactly, since its significand has 64 bits.
///
/// Source: Apple, "Apple Numerics Manual", 2nd edition: sign, 15-bit exponent with bias 16383, 64-bit
/// significand with explicit integer bit.
fn extended(sample_rate_hz: u32) -> [u8; 10] {
    let shift = u64::from(sample_rate_hz).leading_zeros();
    let exponent = u16::try_from(16383 + 63 - shift).expect("at most 16446");
    let mut bytes = [0; 10];
    if sample_rate_hz > 0 {
        bytes[..2].copy_from_slice(&exponent.to_be_bytes());
        bytes[2..].copy_from_slice(&(u64::from(sample_rate_hz) << shift).to_be_bytes());
    }
    bytes
}

/// The body of a `CHAN` chunk; `None` for mono and stereo, which every reader assumes.
fn channels(layout: &ChannelLayout) -> Option<Vec<u8>> {
    let count = layout.channel_count();
    if count == 1 || (count == 2 && *layout == ChannelLayout::usual(2)) {
        return None;
    }
    let (tag, bitmap) = match layout.mask() {
        Some(mask) => (USE_CHANNEL_BITMAP, mask),
        None => (DISCRETE_IN_ORDER | u32::try_from(count).ok()?, 0),
    };
    // No descriptions of single channels follow.
    Some([tag, bitmap, 0].into_iter().flat_map(u32::to_be_bytes).collect())
}

/// Most markers: they are numbered from 1 in 16 bits with a sign.
const MARKER_COUNT_MAX: usize = 0x7fff;

/// Most bytes of a marker's name, of which 8 bits state the length.
const MARKER_NAME_BYTES_MAX: usize = 255;

/// The body of a `MARK` chunk; `None` where nothing is marked. Places that do not fit in 32 bits are left out.
///
/// Source: Apple, "Audio Interchange File Format: AIFF", version 1.3, "Marker Chunk". Names are UTF-8.
fn markers(settings: &EncodeSettings) -> Option<Vec<u8>> {
    let rate = settings.spec.sample_rate;
    let place = |cue: &Cue| Some((u32::try_from(cue.start.frame(rate)).ok()?, cue.label.clone()));
    let placed: Vec<_> = settings.tags.cues.iter().filter_map(place).collect();
    let placed = &placed[..placed.len().min(MARKER_COUNT_MAX)];
    let mut body = u16::try_from(placed.len()).expect("is cut to fewer").to_be_bytes().to_vec();
    for (id, (frame, label)) in (1u16..).zip(placed) {
        let name = label.as_deref().unwrap_or_default();
        let name = &name[..name.floor_char_boundary(MARKER_NAME_BYTES_MAX)];
        body.extend(id.to_be_bytes());
        body.extend(frame.to_be_bytes());
        body.push(u8::try_from(name.len()).expect("is cut to fewer"));
        body.extend(name.bytes());
        if name.len() % 2 == 0 {
            body.push(0); // with its length the name has an even number of bytes
        }
    }
    (!placed.is_empty()).then_some(body)
}

/// Appends a chunk with its header and, after an odd number of bytes, a pad byte.
fn push(bytes: &mut Vec<u8>, id: [u8; 4], body: &[u8]) {
    let size = u32::try_from(body.len()).expect("tags are bounded by the limits");
    bytes.extend(id);
    bytes.extend(size.to_be_bytes());
    bytes.extend(body);
    if body.len() % 2 == 1 {
        bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_audio::{PcmFormat, StreamSpec};

    fn header(format: PcmFormat, channel_count: usize) -> Header {
        Header::new(&EncodeSettings {
            spec: StreamSpec::new(44_100, channel_count),
            format,
            frame_count: None,
            compression_level: None,
            quality: None,
            tags: std::sync::Arc::default(),
        })
    }

    #[test]
    fn rate_is_written_exactly_in_80_bits() {
        // 44100 is 0xac44; shifted to the top of 64 bits its value is 1.345.. * 2^15.
        assert_eq!(extended(44_100), [0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]);
        assert_eq!(extended(1), [0x3f, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(extended(655_350), [0x40, 0x12, 0x9f, 0xff, 0x60, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn header_of_16_bit_stereo_is_54_bytes() {
        let bytes = header(PcmFormat::int(16), 2).to_bytes(8);
        let mut expected = b"FORM\0\0\0\x36AIFFCOMM\0\0\0\x12\0\x02\0\0\0\x02\0\x10".to_vec();
        expected.extend(extended(44_100));
        expected.extend(b"SSND\0\0\0\x10\0\0\0\0\0\0\0\0");
        assert_eq!(bytes, expected);
    }

    #[test]
    fn sizes_end_where_32_bits_do() {
        let header = header(PcmFormat::int(16), 2);
        // What the form counts before the samples, and one frame.
        let before = 54 - 8;
        let largest = u64::from(u32::MAX) - before - 1;
        assert!(header.can_hold(largest) && !header.can_hold(largest + 4));
        assert_eq!(&header.to_bytes(largest)[4..8], [0xff, 0xff, 0xff, 0xfe]);
    }

    #[test]
    fn layout_is_stated_where_readers_would_guess() {
        assert_eq!(channels(&ChannelLayout::usual(1)), None);
        assert_eq!(channels(&ChannelLayout::usual(2)), None);
        let chan = |layout: &ChannelLayout| channels(layout).unwrap();
        assert_eq!(chan(&ChannelLayout::usual(6)), [0, 1, 0, 0, 0, 0, 0, 0x3f, 0, 0, 0, 0]);
        assert_eq!(chan(&ChannelLayout::from_mask(5, 2))[7], 5);
        assert_eq!(chan(&ChannelLayout::usual(9)), [0, 147, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
