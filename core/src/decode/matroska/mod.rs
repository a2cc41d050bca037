//! Matroska and `WebM` files: the first audio track of Vorbis, FLAC, MP3, AAC, Apple Lossless or PCM.
//!
//! Packets do not say how many frames they hold; the decoder counts. What Matroska calls codec delay and
//! discard padding is cut. Times are those of a player, in milliseconds: they only tell holes.

mod blocks;
mod codec;
mod ebml;
mod header;
#[cfg(feature = "opus")]
mod opus;
mod tags;

#[cfg(feature = "mpeg4")]
use super::aac;
use super::coded::{CodedDecoder, Packets};
use super::pcm::{PcmDecoder, PcmStream};
use super::window::Fault;
use super::{Completeness, DecodeError, Decoder, Source, StreamInfo, streams};
use blocks::{Blocks, Stream};
use codec::{Coded, Decoding};
use ebml::Elements;
use header::{Header, Track};
use std::io::{self, Read, Seek, SeekFrom};
pub(crate) use tags::description;

pub(super) fn open(
    source: Box<dyn Source>,
    byte_count: u64,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let mut elements = Elements::new(source, byte_count)?;
    let header = Header::read(&mut elements)?;
    let (track, coded, warnings) = choose(&header)?;
    let rate = coded.spec.sample_rate.0;
    let stream = Stream {
        track: track.number,
        sample_rate_hz: rate,
        tick_ns: header.tick_ns,
        delay: track.delay(rate),
        is_first_silent: coded.codec == "vorbis",
        start: header.clusters_start,
        end: header.end,
        prefix: track.prefix.clone(),
    };
    let blocks = Blocks::new(elements, stream)?;
    let params = match coded.decoding {
        Decoding::By(params) => params,
        Decoding::Of(_) => return open_pcm(blocks, coded, warnings),
        #[cfg(feature = "opus")]
        Decoding::Opus(setup) => return opus::OpusBlocks::open(blocks, *setup, warnings),
    };
    #[cfg(feature = "mpeg4")]
    let blocks = if coded.codec == "aac" { check_replication(blocks)? } else { blocks };
    let info = StreamInfo {
        container: "matroska",
        codec: coded.codec,
        spec: coded.spec,
        format: coded.format,
        lossless: matches!(coded.codec, "flac" | "alac"),
        frame_count: None,
        warnings,
    };
    CodedDecoder::open(info, Box::new(blocks), params, Fault::default(), false)
}

/// The first audio track that is decoded, and what to tell of the others.
fn choose(header: &Header) -> Result<(&Track, Coded, Vec<String>), DecodeError> {
    let mut refusal = None;
    for (index, track) in header.tracks.iter().enumerate() {
        match track.coded() {
            Ok(coded) => {
                let others = header.tracks.iter().enumerate();
                let others = others.filter(|(other, _)| *other != index);
                let names: Vec<_> = others.map(|(_, track)| track.name()).collect();
                return Ok((track, coded, streams::left_out(&names)));
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| DecodeError::unsupported("Matroska without sound")))
}

/// Refuses what is only half of the sound.
#[cfg(feature = "mpeg4")]
fn check_replication(mut blocks: Blocks) -> Result<Blocks, DecodeError> {
    let mut first = Vec::new();
    while first.len() < aac::LOOKED_AT
        && let Some(packet) = blocks.next()?
    {
        first.push(packet.data.to_vec());
    }
    if aac::has_replication(&first) {
        return Err(DecodeError::unsupported("HE-AAC (spectral band replication, not announced)"));
    }
    blocks.restart()?;
    Ok(blocks)
}

/// Opens samples that lie in blocks as if they lay in a row.
fn open_pcm(
    mut blocks: Blocks,
    coded: Coded,
    warnings: Vec<String>,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let Decoding::Of(coding) = coded.decoding else { unreachable!("it was asked for PCM") };
    let mut byte_count = 0u64;
    while let Some(packet) = blocks.next()? {
        byte_count += packet.data.len() as u64;
    }
    blocks.restart()?;
    let frame_count = byte_count / (coding.container_bytes * coded.spec.channel_count()) as u64;
    let stream = PcmStream {
        container: "matroska",
        coding,
        sample_rate_hz: coded.spec.sample_rate.0.into(),
        layout: coded.spec.layout,
        data_start: 0,
        promised: frame_count,
        available: frame_count,
        warnings,
    };
    PcmDecoder::open(Box::new(Payload { blocks, current: Box::default(), used: 0 }), stream)
}

/// The data of all blocks, one after another.
struct Payload {
    blocks: Blocks,
    current: Box<[u8]>,
    /// Bytes of `current` that were read.
    used: usize,
}

/// An error as readers give it.
fn as_io(error: DecodeError) -> io::Error {
    match error {
        DecodeError::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

impl Read for Payload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.used == self.current.len() {
            let Some(packet) = self.blocks.next().map_err(as_io)? else { return Ok(0) };
            self.current = packet.data;
            self.used = 0;
        }
        let count = buffer.len().min(self.current.len() - self.used);
        buffer[..count].copy_from_slice(&self.current[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}

impl Seek for Payload {
    /// Goes to the start, wherever else is asked for: nothing else is.
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        if to != SeekFrom::Start(0) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.blocks.restart().map_err(as_io)?;
        self.current = Box::default();
        self.used = 0;
        Ok(0)
    }
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
