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

use super::compressed::{CodedDecoder, Setup, delivered_layout};
use super::flac::needs_checksum;
use super::window::Fault;
use super::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
pub(crate) use headers::first_packet;
use headers::{Coded, Headers};
use packets::{Count, PagedPackets, Timing};
use pages::Pages;
use vorbis_blocks::Blocks;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{ChannelLayout, PcmFormat, StreamSpec};

pub(super) fn open(
    mut source: Box<dyn Source>,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let (serial, coded) = headers::find(source.as_mut())?;
    let pages = Pages::new(source, serial, damaged)?;
    match coded {
        #[cfg(feature = "opus")]
        Coded::Opus => opus::open(pages, damaged),
        Coded::Vorbis => open_vorbis(pages, damaged),
        Coded::Flac => open_flac(pages, damaged),
    }
}

/// The packets of a stream, read to the end once, which decodes nothing.
struct Counted {
    packets: PagedPackets,
    /// `None` where they are damaged: decoding says what is wrong, or repairs it.
    frame_count: Option<Frames>,
    warnings: Vec<String>,
}

impl Counted {
    fn new(packets: PagedPackets, rate: SampleRate) -> Result<Self, DecodeError> {
        let (packets, count) = packets.count()?;
        let Some(Count { frames, deviation }) = count else {
            return Ok(Self { packets, frame_count: None, warnings: Vec::new() });
        };
        let warning = (deviation > Frames::ZERO).then(|| {
            format!(
                "its page positions are off by up to {:.3} s; all of the audio was read",
                deviation.duration(rate).0
            )
        });
        Ok(Self {
            packets,
            frame_count: Some(claims::check_frames(frames.0, rate.0)?),
            warnings: warning.into_iter().collect(),
        })
    }
}

fn open_vorbis(mut pages: Pages, damaged: Damaged) -> Result<Box<dyn Decoder>, DecodeError> {
    let headers = Headers::vorbis(&mut pages)?;
    let rate = claims::check_stream(headers.sample_rate_hz.into(), headers.channel_count)?;
    let bad = || DecodeError::damaged("its Vorbis setup header cannot be read");
    let timing = Blocks::new(&headers.identification, &headers.setup).map(Timing::Vorbis);
    let params = headers.params().ok_or_else(bad)?;
    let rate = SampleRate(rate);
    let packets = PagedPackets::begin(pages.restart()?, timing.ok_or_else(bad)?, damaged)?;
    let counted = Counted::new(packets, rate)?;
    let info = StreamInfo {
        container: "ogg",
        codec: "vorbis",
        spec: StreamSpec { sample_rate: rate, layout: delivered_layout(&params)? },
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count: counted.frame_count,
        warnings: counted.warnings,
    };
    CodedDecoder::open(info, Box::new(counted.packets), params, Fault::default(), damaged)
}

fn open_flac(mut pages: Pages, damaged: Damaged) -> Result<Box<dyn Decoder>, DecodeError> {
    let (facts, params) = headers::flac(&mut pages)?;
    let rate = claims::check_stream(facts.sample_rate_hz.into(), facts.channel_count.into())?;
    let rate = SampleRate(rate);
    let spec =
        StreamSpec { sample_rate: rate, layout: ChannelLayout::usual(facts.channel_count.into()) };
    let format = PcmFormat::int(facts.bit_depth.max(8));
    let packets = PagedPackets::begin(pages.restart()?, Timing::Flac(facts), damaged)?;
    let counted = Counted::new(packets, rate)?;
    let info = StreamInfo {
        container: "ogg",
        codec: "flac",
        spec,
        format,
        lossless: true,
        frame_count: counted.frame_count,
        warnings: counted.warnings,
    };
    let is_verified = needs_checksum(&info, &params)?;
    let setup = Setup::verified_flac(params, is_verified);
    CodedDecoder::open(info, Box::new(counted.packets), setup, Fault::default(), damaged)
}
