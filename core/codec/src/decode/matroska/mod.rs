//! Matroska and `WebM` files: the first audio track of Vorbis, FLAC, MP3, AAC, Apple Lossless or PCM.
//!
//! Packets do not say how many frames they hold; the decoder counts. What Matroska calls codec delay and
//! discard padding is cut. Times are those of a player, in milliseconds: they only show holes.

mod blocks;
mod codec;
mod ebml;
mod header;
mod resync;
mod tags;

#[cfg(feature = "mpeg4")]
use super::aac;
use super::compressed::{CodedDecoder, DRIFT_S, Packets, UNKNOWN_PLACE};
use super::window::Fault;
use super::{Completeness, Damaged, DecodeError, Decoder, Source, StreamInfo, claims, streams};
use blocks::{Blocks, Stream};
use codec::{Choice, TrackCodec};
use ebml::Elements;
use header::{Header, Track};
pub(crate) use tags::description;
use wavemill_audio::units::{Frames, SampleRate, Seconds};

pub(super) fn open(
    source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let mut elements = Elements::new(source, byte_count)?;
    let header = Header::read(&mut elements, damaged)?;
    let (track, choice, warnings) = choose(&header)?;
    let stream = |sample_rate_hz, delay, is_first_silent| Stream {
        track: track.number,
        sample_rate_hz,
        tick_ns: header.tick_ns,
        delay,
        is_first_silent,
        start: header.clusters_start,
        end: header.end,
        prefix: track.prefix.clone(),
        damaged,
    };
    let coded = match choice {
        Choice::Known(coded) => coded,
        #[cfg(feature = "mpeg4")]
        Choice::Aac(config) => {
            // Its rate is not known before, but no times are looked at.
            let mut blocks = Blocks::new(elements, stream(1, 0, false))?;
            let packets = first_packets(&mut blocks)?;
            elements = blocks.into_elements();
            TrackCodec::aac(config.probed(&packets)?)
        }
    };
    let rate = coded.spec.sample_rate.0;
    let delay = coded.delay.unwrap_or_else(|| track.delay(rate));
    let mut blocks = Blocks::new(elements, stream(rate, delay, coded.codec == "vorbis"))?;
    let frame_count = match coded.frame_bytes() {
        Some(frame_bytes) if !damaged.is_repaired() => {
            let count = pcm_frames(&mut blocks, frame_bytes, coded.spec.sample_rate)?;
            count.map(|count| claims::check_frames(count.0, rate)).transpose()?
        }
        _ => None,
    };
    let info = StreamInfo {
        container: "matroska",
        codec: coded.codec,
        spec: coded.spec,
        format: coded.format,
        lossless: matches!(coded.codec, "flac" | "alac" | "pcm"),
        frame_count,
        warnings,
    };
    CodedDecoder::open(info, Box::new(blocks), coded.setup, Fault::default(), damaged)
}

/// The first audio track that is decoded, and what to report of the others.
fn choose(header: &Header) -> Result<(&Track, Choice, Vec<String>), DecodeError> {
    let mut refusal = None;
    for (index, track) in header.tracks.iter().enumerate() {
        match track.choice() {
            Ok(choice) => {
                let others = header.tracks.iter().enumerate();
                let others = others.filter(|(other, _)| *other != index);
                let names: Vec<_> = others.map(|(_, track)| track.name()).collect();
                return Ok((track, choice, streams::left_out(&names)));
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| DecodeError::unsupported("Matroska without audio")))
}

/// The packets that are listened to.
#[cfg(feature = "mpeg4")]
fn first_packets(blocks: &mut Blocks) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut packets = Vec::new();
    while packets.len() < aac::LISTENED_TO
        && let Some(packet) = blocks.next()?
    {
        packets.push(packet.data.to_vec());
    }
    Ok(packets)
}

/// The number of frames of PCM, by the lengths of all blocks; `None` where their times pause, so that only
/// decoding shows it.
fn pcm_frames(
    blocks: &mut Blocks,
    frame_bytes: usize,
    rate: SampleRate,
) -> Result<Option<Frames>, DecodeError> {
    let drift = Seconds(DRIFT_S).to_frames(rate).0.cast_signed();
    let (mut count, mut late) = (0u64, None);
    let mut pauses = false;
    while let Some(packet) = blocks.next()? {
        if packet.pts.get() != UNKNOWN_PLACE {
            let now = packet.pts.get().saturating_sub(count.cast_signed());
            pauses |= now.saturating_sub(*late.get_or_insert(now)) > drift;
            late = Some(now);
        }
        count = count.saturating_add((packet.data.len() / frame_bytes) as u64);
    }
    blocks.restart()?;
    Ok((!pauses).then_some(Frames(count)))
}

/// Whether the segment is there up to the end it states.
pub(super) fn completeness(
    source: &mut dyn Source,
    byte_count: u64,
) -> Result<Completeness, DecodeError> {
    header::segment_end(source, byte_count).map(|end| match end {
        Some(_) => Completeness::Complete,
        None => Completeness::Unknown,
    })
}
