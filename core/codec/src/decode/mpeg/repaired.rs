//! The frames of a damaged MP3 file.

use super::header::{FrameHeader, HEADER_BYTES};
use super::walk::{Walk, is_trailer};
use crate::decode::compressed::CodedDecoder;
use crate::decode::scan::{Framing, Scan, ScannedPackets};
use crate::decode::window::Window;
use crate::decode::{Damaged, DecodeError, Decoder, Source, claims};

/// Opens what a walk that stops at damage knows the start of.
pub(super) fn open(
    source: Box<dyn Source>,
    container: &'static str,
    walk: &Walk,
    byte_count: u64,
    warning: Option<String>,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let header = walk.header;
    let rate = claims::check_stream(header.sample_rate_hz.into(), u64::from(header.channel_count))?;
    let start = walk.audio_start.min(byte_count);
    let window = Window::new(source, start, byte_count)?;
    let mut scan = Scan::new(window, byte_count - start, MpegFraming(header));
    let fault = scan.fault();
    let stated = walk.tag.and_then(|tag| tag.mpeg_frame_count);
    let mpeg_frame_count = scan.count(stated)?;
    let decoded = mpeg_frame_count.saturating_mul(header.frame_count());
    claims::check_frames(decoded, rate)?;
    let stated = stated.map(|count| super::cut(walk, count));
    let promised = stated.map(|cut| claims::check_frames(cut.frame_count(), rate)).transpose()?;
    let cut = super::cut(walk, mpeg_frame_count);
    let packets = ScannedPackets::new(scan, cut, header.frame_count());
    let info = super::info(container, header, rate, promised, warning);
    let (params, damaged) = (super::params(rate), Damaged::Repair);
    CodedDecoder::open(info, Box::new(packets), params, fault, damaged)
}

struct MpegFraming(FrameHeader);

impl Framing for MpegFraming {
    const HEAD_BYTES: usize = HEADER_BYTES;

    fn frame_bytes(&self, head: &[u8]) -> Option<u64> {
        let header = FrameHeader::parse(*head.first_chunk()?).ok()?;
        header.continues(&self.0).then_some(header.frame_bytes)
    }

    fn is_trailer(&self, head: &[u8]) -> bool {
        head.first_chunk().is_some_and(|head| is_trailer(*head))
    }
}
