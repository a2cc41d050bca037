//! MPEG-4 and `QuickTime` files with AAC or Apple Lossless.
//!
//! The atoms are read by our own code, Symphonia decodes the packets. A walk over all packets' places
//! when the file is opened gives the exact length and tells a file that was cut short. Of a file with
//! pictures only the sound is read.

mod atoms;
mod chapters;
mod edits;
mod entry;
mod movie;
mod table;

use super::aac;
use super::alac::{self, AlacConfig};
use super::chunks::{read_at, read_packet};
use super::coded::{CodedDecoder, Packets};
use super::cut::Cut;
use super::window::Fault;
use super::{Completeness, Damaged, DecodeError, Decoder, Source, StreamInfo, claims, streams};
use crate::audio::{PcmFormat, StreamSpec};
use crate::limits::PACKET_BYTES_MAX;
use crate::units::SampleRate;
pub(crate) use chapters::chapters;
use edits::Times;
use entry::Coded;
use movie::{Movie, Track};
use std::io::{BufReader, Seek};
use symphonia::core::packet::Packet;
use table::{PacketTable, Place};

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let movie = read_movie(source.as_mut(), byte_count, damaged)?;
    let (track, coded, warnings) = choose(&movie)?;
    let mut table = PacketTable::new(source.as_mut(), &track.tables, byte_count)?;
    let facts = Facts::new(&coded);
    // Before the walk, whose length they bound.
    let rate =
        claims::check_stream(facts.sample_rate_hz.into(), facts.spec.channel_count() as u64)?;
    claims::check_frames(table.packet_count().saturating_mul(facts.packet_frames), rate)?;
    let walk = Walk::over(source.as_mut(), &mut table, byte_count, damaged)?;
    if let Coded::Aac(_) = coded {
        check_replication(source.as_mut(), &walk.first)?;
    }
    let last_frames = match &coded {
        Coded::Aac(_) => aac::PACKET_FRAMES,
        Coded::Alac(config) => match walk.last {
            Some(last) => last_frames(source.as_mut(), config, last)?,
            None => facts.packet_frames,
        },
    };
    let decoded = (table.packet_count() - 1) * facts.packet_frames + last_frames;
    let times = Times {
        sample_rate_hz: rate,
        timescale: track.timescale,
        movie_timescale: movie.timescale,
        duration: table::duration(source.as_mut(), &track.tables)?,
        decoded,
    };
    let cut = edits::cut(&track.edits, movie.gaps, &times)?;
    let info = StreamInfo {
        container: "mp4",
        codec: facts.codec,
        spec: facts.spec,
        format: facts.format,
        lossless: facts.codec == "alac",
        frame_count: Some(claims::check_frames(cut.frame_count(), rate)?),
        warnings,
    };
    let packets = Mpeg4Packets {
        reader: BufReader::with_capacity(BUFFER_BYTES, source),
        table,
        packet_frames: facts.packet_frames,
        decoded,
        cut,
        position: 0,
        byte_count,
    };
    let params = match &coded {
        Coded::Aac(config) => config.params(),
        Coded::Alac(config) => config.params(),
    };
    CodedDecoder::open(info, Box::new(packets), params, Fault::default(), damaged)
}

/// What the codec's configuration says of the stream.
struct Facts {
    codec: &'static str,
    sample_rate_hz: u32,
    spec: StreamSpec,
    format: PcmFormat,
    /// Frames of every packet but the last.
    packet_frames: u64,
}

impl Facts {
    fn new(coded: &Coded) -> Self {
        let spec = |rate, layout| StreamSpec { sample_rate: SampleRate(rate), layout };
        match coded {
            Coded::Aac(config) => Self {
                codec: "aac",
                sample_rate_hz: config.sample_rate_hz,
                spec: spec(config.sample_rate_hz, config.layout()),
                format: PcmFormat::FLOAT,
                packet_frames: aac::PACKET_FRAMES,
            },
            Coded::Alac(config) => Self {
                codec: "alac",
                sample_rate_hz: config.sample_rate_hz,
                spec: spec(config.sample_rate_hz, config.layout()),
                format: PcmFormat::int(config.bit_depth),
                packet_frames: config.packet_frames.into(),
            },
        }
    }
}

/// Reads the movie header.
fn read_movie(
    source: &mut dyn Source,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Movie, DecodeError> {
    let places = movie::places(source, byte_count)?;
    let cut_short = || {
        DecodeError::truncated(
            format_args!("{} bytes", places.promised_bytes),
            format_args!("{byte_count} bytes"),
        )
    };
    let Some(header) = places.movie else {
        let is_cut = places.promised_bytes > byte_count;
        let missing = || DecodeError::truncated("a movie header", "none");
        return Err(if is_cut { cut_short() } else { missing() });
    };
    if places.promised_bytes > byte_count && (!damaged.is_repaired() || header.end > byte_count) {
        return Err(cut_short());
    }
    let movie = Movie::read(source, header)?;
    if movie.is_fragmented || places.has_fragments {
        return Err(DecodeError::unsupported("fragmented MPEG-4"));
    }
    Ok(movie)
}

/// Whether the atoms, and the packets that the tables know, are all there.
pub(super) fn completeness(
    source: &mut dyn Source,
    byte_count: u64,
) -> Result<Completeness, DecodeError> {
    let movie = read_movie(source, byte_count, Damaged::Refuse)?;
    let Some(track) = movie.tracks.first() else { return Ok(Completeness::Complete) };
    let mut table = PacketTable::new(source, &track.tables, byte_count)?;
    Walk::over(source, &mut table, byte_count, Damaged::Refuse)?;
    Ok(Completeness::Complete)
}

/// The first audio track that is decoded, and what to tell of the others.
fn choose(movie: &Movie) -> Result<(&Track, Coded, Vec<String>), DecodeError> {
    let mut refusal = None;
    for (index, track) in movie.tracks.iter().enumerate() {
        match track.entry.coded() {
            Ok(coded) => {
                let others = movie.tracks.iter().enumerate();
                let others = others.filter(|(other, _)| *other != index);
                let names: Vec<_> = others.map(|(_, track)| track.name()).collect();
                return Ok((track, coded, streams::left_out(&names)));
            }
            Err(error) => refusal = refusal.or(Some(error)),
        }
    }
    Err(refusal.unwrap_or_else(|| DecodeError::unsupported("MPEG-4 without sound")))
}

/// What a walk over all packets found.
struct Walk {
    first: Vec<Place>,
    /// `None` where it is not there.
    last: Option<Place>,
}

impl Walk {
    /// Checks that every packet is there; ends at the first packet again. Of a file to repair, packets may
    /// be missing.
    fn over(
        source: &mut dyn Source,
        table: &mut PacketTable,
        byte_count: u64,
        damaged: Damaged,
    ) -> Result<Self, DecodeError> {
        let mut walk = Self { first: Vec::new(), last: None };
        while let Some(place) = table.next(source)? {
            let end = place.start.saturating_add(place.length);
            let is_there = end <= byte_count && place.can_be();
            if damaged.is_repaired() && !is_there {
                walk.last = None;
                continue;
            }
            if end > byte_count {
                return Err(DecodeError::truncated(
                    format_args!("{end} bytes"),
                    format_args!("{byte_count} bytes"),
                ));
            }
            if !place.can_be() {
                return Err(DecodeError::damaged(format!(
                    "a packet of {} bytes; 1 to {PACKET_BYTES_MAX} can be",
                    place.length
                )));
            }
            if walk.first.len() < aac::LOOKED_AT {
                walk.first.push(place);
            }
            walk.last = Some(place);
        }
        if walk.first.is_empty() {
            return Err(DecodeError::damaged("it holds no audio"));
        }
        table.rewind();
        Ok(walk)
    }
}

/// Refuses what is only half of the sound.
fn check_replication(source: &mut dyn Source, places: &[Place]) -> Result<(), DecodeError> {
    let packets = places.iter().map(|place| {
        let length = usize::try_from(place.length).expect("is within the limit");
        let mut packet = vec![0; length];
        read_at(source, place.start, &mut packet).map(|()| packet)
    });
    if aac::has_replication(&packets.collect::<Result<Vec<_>, _>>()?) {
        return Err(DecodeError::unsupported("HE-AAC (spectral band replication, not announced)"));
    }
    Ok(())
}

/// Frames of the last packet.
fn last_frames(
    source: &mut dyn Source,
    config: &AlacConfig,
    last: Place,
) -> Result<u64, DecodeError> {
    let mut head = [0; alac::HEAD_BYTES];
    let count = head.len().min(usize::try_from(last.length).expect("is within the limit"));
    read_at(source, last.start, &mut head[..count])?;
    Ok(config.frame_count(&head[..count]))
}

/// The packets of a track.
struct Mpeg4Packets {
    reader: BufReader<Box<dyn Source>>,
    table: PacketTable,
    packet_frames: u64,
    /// Frames of all packets.
    decoded: u64,
    cut: Cut,
    /// Frames of the packets so far.
    position: u64,
    byte_count: u64,
}

impl Packets for Mpeg4Packets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let Some(place) = self.table.next(&mut self.reader)? else { return Ok(None) };
        // The walk made sure of both, but where damage is repaired.
        let end = place.start.saturating_add(place.length);
        if end > self.byte_count {
            return Err(DecodeError::truncated(
                format_args!("{end} bytes"),
                format_args!("{} bytes", self.byte_count),
            ));
        }
        let length = if place.can_be() { place.length } else { 0 };
        // What is in the buffer stays there, unless a table was read.
        let there = self.reader.stream_position()?;
        self.reader.seek_relative(place.start.cast_signed() - there.cast_signed())?;
        let length = usize::try_from(length).expect("was checked against the limit");
        let data = read_packet(&mut self.reader, length)?;
        let first = self.position;
        let frame_count = self.packet_frames.min(self.decoded - first);
        self.position += frame_count;
        Ok(Some(self.cut.packet(first, frame_count, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.table.rewind();
        self.position = 0;
        Ok(self)
    }
}
