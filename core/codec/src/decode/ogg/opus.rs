//! Opus in Ogg: pre-skip and padding removed, every page held against the place it states.
//!
//! Source: RFC 7845.

use super::Counted;
use super::headers::cut;
use super::packets::{PagedPackets, Timing};
use super::pages::Pages;
use crate::decode::compressed::CodedDecoder;
use crate::decode::opus::OpusSetup;
use crate::decode::window::Fault;
use crate::decode::{Damaged, DecodeError, Decoder, StreamInfo};
use crate::opus::{Head, RATE_HZ};
use wavemill_audio::PcmFormat;
use wavemill_audio::units::SampleRate;

/// Opens a stream whose first page holds an Opus header.
pub(super) fn open(mut pages: Pages, damaged: Damaged) -> Result<Box<dyn Decoder>, DecodeError> {
    let first = pages.next()?.ok_or_else(cut)?;
    let head = match &first.packets[..] {
        [packet] => Head::parse(packet),
        _ => None,
    };
    let head = head.ok_or_else(|| DecodeError::damaged("its Opus header cannot be read"))?;
    if !damaged.is_repaired() {
        let tags = pages.next()?.ok_or_else(cut)?;
        if !matches!(&tags.packets[..], [packet] if packet.starts_with(b"OpusTags")) {
            return Err(DecodeError::damaged("its Opus comments cannot be read"));
        }
    }
    let timing = Timing::Opus { pre_skip: head.pre_skip };
    let setup = OpusSetup::new(head)?;
    let packets = PagedPackets::begin(pages, timing, damaged)?;
    let counted = Counted::new(packets, SampleRate(RATE_HZ))?;
    let info = StreamInfo {
        container: "ogg",
        codec: "opus",
        spec: setup.spec.clone(),
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count: counted.frame_count,
        warnings: counted.warnings,
    };
    CodedDecoder::open(info, Box::new(counted.packets), setup, Fault::default(), damaged)
}

#[cfg(test)]
mod tests {
    use crate::decode;
    use crate::encode::ogg_crc;
    use std::io::Cursor;
    use wavemill_audio::Samples;

    fn frames(decoder: &mut dyn decode::Decoder) -> u64 {
        let mut samples =
            Samples::empty(decoder.info().format, decoder.info().spec.channel_count());
        std::iter::from_fn(|| match decoder.read(&mut samples, 4096).unwrap() {
            0 => None,
            count => Some(count as u64),
        })
        .sum()
    }

    #[test]
    fn end_of_stream_on_comments_ends_nothing_the_second_time_either() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/fuzz/tone-6ch.opus");
        let mut bytes = std::fs::read(path).unwrap();
        let place = 1 + bytes[1..].windows(4).position(|it| it == b"OggS").unwrap();
        let page = &mut bytes[place..];
        let segments = usize::from(page[26]);
        let body: usize = page[27..27 + segments].iter().map(|&length| usize::from(length)).sum();
        let page = &mut page[..27 + segments + body];
        // The flag for the end of a stream.
        page[5] |= 4;
        page[22..26].fill(0);
        let sum = ogg_crc(&[page]);
        page[22..26].copy_from_slice(&sum.to_le_bytes());
        let mut decoder = decode::open(Box::new(Cursor::new(bytes)), None).unwrap();
        let first = frames(decoder.as_mut());
        decoder.rewind().unwrap();
        assert!(first > 0);
        assert_eq!(frames(decoder.as_mut()), first);
    }
}
