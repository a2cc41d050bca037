//! Ogg files: Vorbis, Opus, and FLAC in Ogg.
//!
//! Source: RFC 3533; Xiph.Org, "Vorbis I specification", A.2: the granule position of a page is the
//! number of frames up to its end, that of the last page cuts the padding; "Ogg FLAC mapping".

mod headers;
#[cfg(feature = "opus")]
mod opus;
mod packets;
mod pages;
mod vorbis_blocks;

use super::chunks::read_up_to;
use super::compressed::{CodedDecoder, Setup, delivered_layout};
use super::flac::needs_checksum;
use super::window::Fault;
use super::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
pub(crate) use headers::first_packet;
use headers::{Coded, Headers};
use packets::{PagedPackets, Timing};
use pages::{PAGE_BYTES_MAX, Page, Pages};
use vorbis_blocks::Blocks;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{ChannelLayout, PcmFormat, StreamSpec};

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let tail_start = byte_count.saturating_sub(PAGE_BYTES_MAX as u64);
    let tail = read_up_to(source.as_mut(), tail_start, PAGE_BYTES_MAX)?;
    let (serial, coded) = headers::find(source.as_mut())?;
    let pages = Pages::new(source, serial, damaged)?;
    let end = End { tail, serial };
    match coded {
        #[cfg(feature = "opus")]
        Coded::Opus => opus::open(pages, &end, damaged),
        Coded::Vorbis => open_vorbis(pages, &end, damaged),
        Coded::Flac => open_flac(pages, &end, damaged),
    }
}

/// What the end of the file says.
struct End {
    /// Its last bytes.
    tail: Vec<u8>,
    serial: u32,
}

impl End {
    /// The number of frames by the last page, where that is there.
    fn frame_count(
        &self,
        packets: &PagedPackets,
        sample_rate_hz: u32,
    ) -> Result<Option<Frames>, DecodeError> {
        let last = Page::find_last(&self.tail, self.serial).filter(Page::is_last);
        let offset = u64::try_from(packets.offset()).unwrap_or(0);
        let count = last.map(|page| page.granule.saturating_sub(offset));
        count.map(|count| claims::check_frames(count, sample_rate_hz)).transpose()
    }
}

fn open_vorbis(
    mut pages: Pages,
    end: &End,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let headers = Headers::vorbis(&mut pages)?;
    let rate = claims::check_stream(headers.sample_rate_hz.into(), headers.channel_count)?;
    let bad = || DecodeError::damaged("its Vorbis setup header cannot be read");
    let timing = Blocks::new(&headers.identification, &headers.setup).map(Timing::Vorbis);
    let params = headers.params().ok_or_else(bad)?;
    let packets = PagedPackets::begin(pages.restart()?, timing.ok_or_else(bad)?, damaged)?;
    let info = StreamInfo {
        container: "ogg",
        codec: "vorbis",
        spec: StreamSpec { sample_rate: SampleRate(rate), layout: delivered_layout(&params)? },
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count: end.frame_count(&packets, rate)?,
        warnings: Vec::new(),
    };
    CodedDecoder::open(info, Box::new(packets), params, Fault::default(), damaged)
}

fn open_flac(
    mut pages: Pages,
    end: &End,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let (facts, params) = headers::flac(&mut pages)?;
    let rate = claims::check_stream(facts.sample_rate_hz.into(), facts.channel_count.into())?;
    let spec = StreamSpec {
        sample_rate: SampleRate(rate),
        layout: ChannelLayout::usual(facts.channel_count.into()),
    };
    let format = PcmFormat::int(facts.bit_depth.max(8));
    let packets = PagedPackets::begin(pages.restart()?, Timing::Flac(facts), damaged)?;
    let info = StreamInfo {
        container: "ogg",
        codec: "flac",
        spec,
        format,
        lossless: true,
        frame_count: end.frame_count(&packets, rate)?,
        warnings: Vec::new(),
    };
    let is_verified = needs_checksum(&info, &params)?;
    let setup = Setup::verified_flac(params, is_verified);
    CodedDecoder::open(info, Box::new(packets), setup, Fault::default(), damaged)
}
