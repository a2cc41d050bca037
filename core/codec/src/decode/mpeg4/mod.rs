//! MPEG-4 and `QuickTime` files with AAC, Apple Lossless, FLAC, MP3, Opus or PCM.
//!
//! The atoms are read by our own code; codecs decode the packets. A walk over all packets' places when the
//! file is opened gives the exact length and finds a file that was cut short. Of a file with pictures only
//! the sound is read.

mod atoms;
mod chapters;
mod edits;
mod entry;
mod fragments;
mod movie;
mod packets;
mod samples;
mod table;

use super::aac;
use super::alac;
use super::compressed::{CodedDecoder, Setup};
use super::flac::{STREAMINFO_BYTES, parse_streaminfo};
use super::mpeg;
use super::window::Fault;
use super::{
    Completeness, Damaged, DecodeError, Decoder, ReadAhead, Source, StreamInfo, claims, streams,
};
pub(crate) use chapters::chapters;
use edits::{Gaps, Times};
use entry::EntryCodec;
use fragments::Fragments;
use movie::{Movie, Track};
use packets::{Mpeg4Packets, Places, Scale, Timing, Walk};
use symphonia::core::codecs::audio::AudioCodecParameters;
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_MP3};
use table::PacketTable;
use wavemill_audio::units::SampleRate;
use wavemill_audio::{ChannelLayout, PcmFormat, StreamSpec};

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let movie = read_movie(source.as_mut(), byte_count, damaged)?;
    let (track, coded, warnings) = choose(&movie)?;
    let frame_bytes = match &coded {
        EntryCodec::Pcm(pcm) => Some(pcm.frame_bytes()),
        _ => None,
    };
    let mut places = places(source.as_mut(), &movie, track, frame_bytes, byte_count)?;
    let facts = Facts::new(coded, source.as_mut(), &mut places, byte_count)?;
    // Before the walk, whose length they bound.
    let rate = facts.spec.sample_rate.0;
    claims::check_stream(rate.into(), facts.spec.channel_count() as u64)?;
    let scale = Scale { timing: facts.timing, sample_rate_hz: rate, timescale: track.timescale };
    let walk = Walk::over(source.as_mut(), &mut places, byte_count, damaged)?;
    let of_table = match &places.table {
        Some(_) => table::duration(source.as_mut(), &track.tables)?,
        None => 0,
    };
    let duration = of_table.saturating_add(walk.fragments);
    let decoded = walk.decoded(source.as_mut(), &scale, duration)?;
    claims::check_frames(decoded, rate)?;
    let times = Times {
        sample_rate_hz: rate,
        timescale: track.timescale,
        movie_timescale: movie.timescale,
        duration,
        decoded,
    };
    let cut = edits::cut(&track.edits, movie.gaps.or(facts.gaps), &times)?;
    let info = StreamInfo {
        container: "mp4",
        codec: facts.codec,
        spec: facts.spec,
        format: facts.format,
        lossless: matches!(facts.codec, "alac" | "flac" | "pcm"),
        frame_count: Some(claims::check_frames(cut.frame_count(), rate)?),
        warnings,
    };
    let reader = ReadAhead::new(BUFFER_BYTES, source);
    let packets = Mpeg4Packets { reader, places, scale, cut, position: 0, usual: 0, byte_count };
    CodedDecoder::open(info, Box::new(packets), facts.setup, Fault::default(), damaged)
}

/// Where a track's packets are.
fn places(
    source: &mut dyn Source,
    movie: &Movie,
    track: &Track,
    frame_bytes: Option<u64>,
    byte_count: u64,
) -> Result<Places, DecodeError> {
    let fragments = movie.is_fragmented.then(|| {
        let defaults = movie.defaults.iter().find(|(id, _)| *id == track.id);
        let defaults = defaults.map(|(_, defaults)| *defaults).unwrap_or_default();
        Fragments::new(track.id, defaults, byte_count)
    });
    // In front of fragments the tables may be left out, and are empty otherwise.
    let table = match fragments {
        Some(_) if track.tables.sizes.is_none() => None,
        _ => Some(PacketTable::new(source, &track.tables, frame_bytes)?),
    };
    Ok(Places::new(table, fragments, frame_bytes))
}

/// What the codec's configuration says of the stream.
struct Facts {
    codec: &'static str,
    spec: StreamSpec,
    format: PcmFormat,
    timing: Timing,
    setup: Setup,
    /// Delay by the codec's own account, where the container has none.
    gaps: Option<Gaps>,
}

impl Facts {
    fn new(
        coded: EntryCodec,
        source: &mut dyn Source,
        places: &mut Places,
        byte_count: u64,
    ) -> Result<Self, DecodeError> {
        let spec = |rate, layout| StreamSpec { sample_rate: SampleRate(rate), layout };
        let facts = |codec, spec, format, timing, setup| Self {
            codec,
            spec,
            format,
            timing,
            setup,
            gaps: None,
        };
        Ok(match coded {
            EntryCodec::Aac(config) => {
                let setup = config.probed(&first_packets(source, places, byte_count)?)?;
                let timing = Timing::Fixed(setup.packet_frames);
                facts("aac", setup.spec.clone(), PcmFormat::FLOAT, timing, setup.into())
            }
            EntryCodec::Alac(config) => facts(
                "alac",
                spec(config.sample_rate_hz, config.layout()),
                PcmFormat::int(config.bit_depth),
                Timing::Alac(config.clone()),
                config.params().into(),
            ),
            EntryCodec::Flac(block) => Self::flac(&block)?,
            EntryCodec::Mp3 => Self::mp3(source, places)?,
            #[cfg(feature = "opus")]
            EntryCodec::Opus(setup) => Self {
                gaps: Some(Gaps::of_delay(setup.head.pre_skip.into())),
                ..facts(
                    "opus",
                    setup.spec.clone(),
                    PcmFormat::FLOAT,
                    Timing::Opus,
                    Setup::Opus(setup),
                )
            },
            EntryCodec::Pcm(pcm) => {
                let (layout, order) = pcm.layout.clone().into_mask_order();
                facts(
                    "pcm",
                    spec(pcm.sample_rate_hz, layout),
                    pcm.coding.format,
                    Timing::Pcm(pcm.frame_bytes()),
                    Setup::Pcm { coding: pcm.coding, order },
                )
            }
        })
    }

    fn flac(block: &[u8; STREAMINFO_BYTES]) -> Result<Self, DecodeError> {
        let stream = parse_streaminfo(block);
        if stream.bit_depth == 32 && stream.channel_count == 2 {
            // See `flac::needs_checksum`; none can be had here.
            return Err(DecodeError::unsupported("32-bit stereo FLAC in MPEG-4"));
        }
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_FLAC).with_sample_rate(stream.sample_rate_hz);
        params.with_extra_data(block[..].into());
        Ok(Self {
            codec: "flac",
            spec: StreamSpec {
                sample_rate: SampleRate(stream.sample_rate_hz),
                layout: ChannelLayout::usual(stream.channel_count.into()),
            },
            format: PcmFormat::int(stream.bit_depth.max(8)),
            timing: Timing::Flac(Box::new(stream)),
            setup: Setup::checked_flac(params),
            gaps: None,
        })
    }

    /// What the first packet says.
    fn mp3(source: &mut dyn Source, places: &mut Places) -> Result<Self, DecodeError> {
        let first = places.next(source)?;
        places.rewind();
        let fragments::Next::Packet(first) = first else {
            return Err(DecodeError::damaged("it holds no audio"));
        };
        let head = super::chunks::read_up_to(source, first.start, 4)?;
        let (rate, channel_count, frames) = mpeg::facts_of_frame(&head)?;
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_MP3).with_sample_rate(rate);
        Ok(Self {
            codec: "mp3",
            spec: StreamSpec::new(rate, channel_count),
            format: PcmFormat::FLOAT,
            timing: Timing::Fixed(frames),
            setup: params.into(),
            gaps: None,
        })
    }
}

/// The packets that are listened to before all of them are looked at; fewer where they are not there.
fn first_packets(
    source: &mut dyn Source,
    places: &mut Places,
    byte_count: u64,
) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut packets = Vec::new();
    while packets.len() < aac::LISTENED_TO {
        let place = match places.next(source) {
            Ok(fragments::Next::Packet(place)) if place.can_be() => place,
            Err(error @ DecodeError::Io(_)) => return Err(error),
            // The walk over all of them says what is wrong.
            Ok(_) | Err(_) => break,
        };
        if place.start.saturating_add(place.length) > byte_count {
            break;
        }
        let length = usize::try_from(place.length).expect("is within the limit");
        packets.push(super::chunks::read_up_to(source, place.start, length)?);
    }
    places.rewind();
    Ok(packets)
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
    let mut movie = Movie::read(source, header)?;
    movie.is_fragmented |= places.has_fragments;
    Ok(movie)
}

/// Whether the atoms, and the packets that the tables know, are all there. Whether more fragments should
/// follow, nothing says.
pub(super) fn completeness(
    source: &mut dyn Source,
    byte_count: u64,
) -> Result<Completeness, DecodeError> {
    let movie = read_movie(source, byte_count, Damaged::Refuse)?;
    let Some(track) = movie.tracks.first() else { return Ok(Completeness::Complete) };
    let mut places = places(source, &movie, track, track.entry.frame_bytes(), byte_count)?;
    loop {
        let place = match places.next(source)? {
            fragments::Next::Packet(place) => place,
            fragments::Next::Missing(_) => continue,
            fragments::Next::End => break,
        };
        if place.start.saturating_add(place.length) > byte_count || !place.can_be() {
            return Err(place.refusal(byte_count));
        }
    }
    Ok(if movie.is_fragmented { Completeness::Unknown } else { Completeness::Complete })
}

/// The first audio track that is decoded, and what to report of the others.
fn choose(movie: &Movie) -> Result<(&Track, EntryCodec, Vec<String>), DecodeError> {
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
    Err(refusal.unwrap_or_else(|| DecodeError::unsupported("MPEG-4 without audio")))
}
