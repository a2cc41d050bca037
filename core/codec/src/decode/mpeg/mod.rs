//! MP3 files: MPEG-1, 2 and 2.5 audio, layer III.
//!
//! The frames are found by our own code, Symphonia decodes them. A walk over all headers when the
//! file is opened gives the exact length, finds holes before anything was delivered and finds a file
//! that was cut short.

mod header;
mod info;
mod repaired;
mod walk;

use super::compressed::{CodedDecoder, Packets};
use super::cut::Cut;
use super::window::{Fault, Window};
use super::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
use header::FrameHeader;
use info::InfoTag;
use std::io::{BufReader, Read, Seek, SeekFrom};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::CODEC_ID_MP3;
use symphonia::core::packet::Packet;
use walk::Walk;
pub(super) use walk::{find, promised_bytes};
use wavemill_audio::units::Frames;
use wavemill_audio::{PcmFormat, StreamSpec};

/// Frames by which every decoder is late: 528 of the filter bank and one of the overlap.
///
/// Source: LAME, `doc/html/gapless` and "MP3 Info Tag": decoders start 529 samples late.
const DECODER_DELAY: u64 = 528 + 1;

/// Bytes read at once.
pub(super) const BUFFER_BYTES: usize = 128 * 1024;

pub(super) fn open(
    mut source: Box<dyn Source>,
    container: &'static str,
    start: u64,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let warning = walk::passed_over(source.as_mut(), start, byte_count)?;
    let walk = walk::walk(source.as_mut(), start, byte_count)?;
    if damaged.is_repaired() {
        return repaired::open(source, container, &walk, byte_count, warning);
    }
    walk.check()?;
    let header = walk.header;
    let rate = claims::check_stream(header.sample_rate_hz.into(), u64::from(header.channel_count))?;
    let cut = cut(&walk, walk.mpeg_frame_count);
    let frame_count = claims::check_frames(cut.frame_count(), rate)?;
    let window = Window::new(source, walk.audio_start, walk.end)?;
    let fault = window.fault();
    let info = info(container, header, rate, Some(frame_count), warning);
    let packets = MpegPackets {
        reader: BufReader::with_capacity(BUFFER_BYTES, window),
        fault: fault.clone(),
        cut,
        frames_per_packet: header.frame_count(),
        position: 0,
    };
    CodedDecoder::open(info, Box::new(packets), params(rate), fault, damaged)
}

/// Rate in Hz, channels, and frames (in the sense of audio) of the MP3 frame that begins with `head`.
#[cfg(feature = "mpeg4")]
pub(super) fn facts_of_frame(head: &[u8]) -> Result<(u32, usize, u64), DecodeError> {
    let header = head.first_chunk().and_then(|head| FrameHeader::parse(*head).ok());
    let header = header.filter(|header| header.layer == 3);
    let header =
        header.ok_or_else(|| DecodeError::damaged("its first packet is not an MP3 frame"))?;
    Ok((header.sample_rate_hz, header.channel_count.into(), header.frame_count()))
}

fn info(
    container: &'static str,
    header: FrameHeader,
    rate: u32,
    frame_count: Option<Frames>,
    warning: Option<String>,
) -> StreamInfo {
    StreamInfo {
        container,
        codec: "mp3",
        spec: StreamSpec::new(rate, usize::from(header.channel_count)),
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count,
        warnings: warning.into_iter().collect(),
    }
}

fn params(rate: u32) -> AudioCodecParameters {
    let mut params = AudioCodecParameters::new();
    params.for_codec(CODEC_ID_MP3).with_sample_rate(rate);
    params
}

/// Which of the frames of `mpeg_frame_count` that are decoded are audio.
fn cut(walk: &Walk, mpeg_frame_count: u64) -> Cut {
    let decoded = mpeg_frame_count * walk.header.frame_count();
    let tag = walk.tag.unwrap_or_default();
    let Some(gaps) = tag.gaps else { return Cut::new(0, decoded, decoded) };
    let start = gaps.delay + DECODER_DELAY;
    // The padding belongs to the last frame the tag counts. After more frames, as of files that
    // were joined, it is not known what to cut.
    let is_counted = tag.mpeg_frame_count.is_none_or(|count| count == mpeg_frame_count);
    let padding = if is_counted { gaps.padding.saturating_sub(DECODER_DELAY) } else { 0 };
    Cut::new(start, decoded.saturating_sub(padding), decoded)
}

/// The frames of an MP3 file.
struct MpegPackets {
    reader: BufReader<Window>,
    fault: Fault,
    cut: Cut,
    frames_per_packet: u64,
    /// Frames decoded so far.
    position: u64,
}

impl Packets for MpegPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut bytes = [0; header::HEADER_BYTES];
        match self.reader.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) => return self.end(error),
        }
        let header = FrameHeader::parse(bytes)
            .map_err(|_| DecodeError::damaged("it changed while it was being read"))?;
        let frame_bytes = usize::try_from(header.frame_bytes).expect("has a few thousand bytes");
        let mut data = vec![0; frame_bytes];
        data[..bytes.len()].copy_from_slice(&bytes);
        if let Err(error) = self.reader.read_exact(&mut data[bytes.len()..]) {
            return self.end(error);
        }
        let first = self.position;
        self.position += self.frames_per_packet;
        Ok(Some(self.cut.packet(first, self.frames_per_packet, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.reader.seek(SeekFrom::Start(0))?;
        self.position = 0;
        Ok(self)
    }
}

impl MpegPackets {
    /// The end of the frames; the walk made sure that it is not in the middle of one.
    fn end(&self, error: std::io::Error) -> Result<Option<Packet>, DecodeError> {
        match self.fault.take() {
            Some(fault) => Err(DecodeError::Io(fault)),
            None if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(None),
            None => Err(DecodeError::Io(error)),
        }
    }
}
