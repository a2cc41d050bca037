//! Everything of a WAV file before its samples.

use super::{chunks, ixml};
use crate::encode::EncodeSettings;
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat};

/// Format tags. Source: Microsoft `mmreg.h`.
const FORMAT_PCM: u16 = 1;
const FORMAT_IEEE_FLOAT: u16 = 3;
const FORMAT_EXTENSIBLE: u16 = 0xfffe;

/// The last 14 bytes of the sub-format GUIDs that begin with a format tag.
///
/// Source: Microsoft `ksmedia.h`, `KSDATAFORMAT_SUBTYPE_PCM` and `.._IEEE_FLOAT`.
const SUB_FORMAT_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71];

/// Bytes of a `ds64` chunk without its own header: three 64-bit sizes and an empty table.
///
/// Source: EBU Tech 3306.
const DS64_BYTES: u32 = 28;

/// `RIFF`, the size, `WAVE`.
const RIFF_HEADER_BYTES: usize = 12;

/// The header of a file with known format and tags; sizes are filled in when it is written.
#[derive(Debug)]
pub(super) struct Header {
    format: PcmFormat,
    channel_count: u16,
    /// Chunks between the place of `ds64` and `data`, complete; the `fact` chunk's count is patched.
    chunks: Vec<u8>,
    /// Where in `chunks` the 32-bit frame count of `fact` is, if there is one.
    fact_at: Option<usize>,
    /// Where in `chunks` those with tags begin, which are the last ones.
    tags_at: usize,
    /// Whether room for a `ds64` chunk is kept.
    has_placeholder: bool,
}

impl Header {
    /// The header for `settings`. Room for 64-bit sizes is kept unless the announced length fits
    /// 32 bits.
    pub(super) fn new(settings: &EncodeSettings) -> Self {
        let mut header = Self {
            format: settings.format,
            channel_count: u16::try_from(settings.spec.channel_count())
                .expect("the channel count was checked against the format's limit"),
            chunks: Vec::new(),
            fact_at: None,
            tags_at: 0,
            has_placeholder: false,
        };
        header.push_format(settings.spec.sample_rate.0, &settings.spec.layout);
        if header.format.sample_format == SampleFormat::Float {
            chunks::push(&mut header.chunks, *b"fact", &[0; 4]);
            header.fact_at = Some(header.chunks.len() - 4);
        }
        header.tags_at = header.chunks.len();
        if let Some(broadcast) = &settings.tags.broadcast {
            chunks::push_even(&mut header.chunks, *b"bext", chunks::bext(broadcast, settings), 0);
        }
        if let Some(recording) = &settings.tags.recording {
            chunks::push_even(&mut header.chunks, *b"iXML", ixml::body(recording, settings), b'\n');
        }
        chunks::push_info(&mut header.chunks, &settings.tags);
        chunks::push_cues(&mut header.chunks, settings);
        if let Some(id3) = chunks::id3_tag(&settings.tags) {
            chunks::push(&mut header.chunks, *b"id3 ", &id3);
        }
        let announced = settings
            .frame_count
            .and_then(|frames| frames.0.checked_mul(header.frame_bytes() as u64));
        header.has_placeholder =
            announced.is_none_or(|data_bytes| header.riff_bytes(data_bytes) > u64::from(u32::MAX));
        header
    }

    /// Where the chunks with tags begin, and their bytes; none where the header has none.
    pub(super) fn tags(&self) -> (u64, Vec<u8>) {
        let placeholder = if self.has_placeholder { 8 + DS64_BYTES as usize } else { 0 };
        let offset = RIFF_HEADER_BYTES + placeholder + self.tags_at;
        (offset as u64, self.chunks[self.tags_at..].to_vec())
    }

    /// Bytes of one frame.
    pub(super) fn frame_bytes(&self) -> usize {
        usize::from(self.channel_count) * usize::from(self.format.bit_depth / 8)
    }

    /// Whether `data_bytes` of samples can be stated.
    pub(super) fn can_hold(&self, data_bytes: u64) -> bool {
        self.has_placeholder || u32::try_from(self.riff_bytes(data_bytes)).is_ok()
    }

    /// All bytes before the samples, for `data_bytes` of them.
    pub(super) fn to_bytes(&self, data_bytes: u64) -> Vec<u8> {
        let riff_bytes = self.riff_bytes(data_bytes);
        let frame_count = data_bytes / self.frame_bytes() as u64;
        // All ones in a 32-bit size of an RF64 file means: look into ds64.
        let small = |size: u64| u32::try_from(size).unwrap_or(u32::MAX).to_le_bytes();
        let is_rf64 = riff_bytes > u64::from(u32::MAX);
        let mut bytes = Vec::with_capacity(self.chunks.len() + 64);
        bytes.extend(if is_rf64 { b"RF64" } else { b"RIFF" });
        bytes.extend(small(riff_bytes));
        bytes.extend(b"WAVE");
        if self.has_placeholder {
            bytes.extend(if is_rf64 { b"ds64" } else { b"JUNK" });
            bytes.extend(DS64_BYTES.to_le_bytes());
            for size in [riff_bytes, data_bytes, frame_count] {
                bytes.extend(if is_rf64 { size.to_le_bytes() } else { [0; 8] });
            }
            bytes.extend([0; 4]);
        }
        let chunks_at = bytes.len();
        bytes.extend(&self.chunks);
        if let Some(at) = self.fact_at {
            bytes[chunks_at + at..chunks_at + at + 4].copy_from_slice(&small(frame_count));
        }
        bytes.extend(b"data");
        bytes.extend(if is_rf64 { [0xff; 4] } else { small(data_bytes) });
        bytes
    }

    /// The size the RIFF header states: everything after it.
    fn riff_bytes(&self, data_bytes: u64) -> u64 {
        let placeholder = if self.has_placeholder { 8 + u64::from(DS64_BYTES) } else { 0 };
        4 + placeholder + self.chunks.len() as u64 + 8 + data_bytes + data_bytes % 2
    }

    fn push_format(&mut self, sample_rate_hz: u32, layout: &ChannelLayout) {
        let tag = match self.format.sample_format {
            SampleFormat::Int => FORMAT_PCM,
            SampleFormat::Float => FORMAT_IEEE_FLOAT,
        };
        let is_extensible = needs_extensible(self.format, layout);
        let frame_bytes = u16::try_from(self.frame_bytes())
            .expect("the channel count was checked against the format's limit");
        let mut body = Vec::with_capacity(40);
        body.extend(if is_extensible { FORMAT_EXTENSIBLE } else { tag }.to_le_bytes());
        body.extend(self.channel_count.to_le_bytes());
        body.extend(sample_rate_hz.to_le_bytes());
        body.extend((sample_rate_hz * u32::from(frame_bytes)).to_le_bytes());
        body.extend(frame_bytes.to_le_bytes());
        body.extend(self.format.bit_depth.to_le_bytes());
        if is_extensible {
            body.extend(22u16.to_le_bytes()); // bytes that follow
            body.extend(self.format.bit_depth.to_le_bytes());
            body.extend(layout.mask().unwrap_or(0).to_le_bytes());
            body.extend(tag.to_le_bytes());
            body.extend(SUB_FORMAT_TAIL);
        } else if tag != FORMAT_PCM {
            body.extend(0u16.to_le_bytes()); // no bytes follow
        }
        chunks::push(&mut self.chunks, *b"fmt ", &body);
    }
}

/// Whether the plain header cannot say what the samples are: more than 16 bits, more than two
/// channels, or channels that are not mono or left and right.
///
/// Source: Microsoft, `WAVEFORMATEXTENSIBLE`, remarks.
fn needs_extensible(format: PcmFormat, layout: &ChannelLayout) -> bool {
    let count = layout.channel_count();
    let is_wide = format.sample_format == SampleFormat::Int && format.bit_depth > 16;
    is_wide || count > 2 || *layout != ChannelLayout::usual(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wavemill_audio::StreamSpec;
    use wavemill_audio::units::Frames;

    fn header(frame_count: Option<u64>) -> Header {
        Header::new(&EncodeSettings {
            spec: StreamSpec::new(48_000, 2),
            format: PcmFormat::int(16),
            frame_count: frame_count.map(Frames),
            compression_level: None,
            quality: None,
            tags: std::sync::Arc::default(),
        })
    }

    #[test]
    fn file_beyond_4_gb_becomes_rf64_with_its_sizes_in_ds64() {
        let frame_count = 2_000_000_000u64;
        let data_bytes = frame_count * 4;
        let bytes = header(Some(frame_count)).to_bytes(data_bytes);
        assert_eq!(&bytes[..20], b"RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0");
        let size = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        assert_eq!(size(20), data_bytes + bytes.len() as u64 - 8);
        assert_eq!(size(28), data_bytes);
        assert_eq!(size(36), frame_count);
        assert_eq!(&bytes[bytes.len() - 8..], b"data\xff\xff\xff\xff");
    }

    #[test]
    fn unannounced_length_beyond_4_gb_fits_the_room_kept_for_it() {
        let header = header(None);
        assert!(header.can_hold(1 << 40));
        assert_eq!(header.to_bytes(0).len(), header.to_bytes(1 << 40).len());
    }

    #[test]
    fn announced_short_length_cannot_grow_beyond_4_gb() {
        assert!(!header(Some(1000)).can_hold(1 << 40));
    }
}
