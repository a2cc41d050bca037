//! Opus in Ogg: pre-skip and padding removed, every page held against the place it states.
//!
//! Source: RFC 7845.

use super::End;
use super::headers::cut;
use super::packets::{PagedPackets, Timing};
use super::pages::Pages;
use crate::audio::PcmFormat;
use crate::decode::coded::CodedDecoder;
use crate::decode::opus::OpusSetup;
use crate::decode::window::Fault;
use crate::decode::{Damaged, DecodeError, Decoder, StreamInfo};
use crate::opus::{Head, RATE_HZ};

/// Opens a stream whose first page holds an Opus header.
pub(super) fn open(
    mut pages: Pages,
    end: &End,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
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
    let info = StreamInfo {
        container: "ogg",
        codec: "opus",
        spec: setup.spec.clone(),
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count: end.frame_count(&packets, RATE_HZ)?,
        warnings: Vec::new(),
    };
    CodedDecoder::open(info, Box::new(packets), setup, Fault::default(), damaged)
}
