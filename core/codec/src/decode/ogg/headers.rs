//! The first packets of the streams in a file, and what they say of them.

use super::pages::{Page, Pages};
use crate::decode::chunks::read_up_to;
use crate::decode::flac::{STREAMINFO_BYTES, StreamFacts, parse_streaminfo};
use crate::decode::vorbis_setup::reverse_couplings;
use crate::decode::{DecodeError, Source};
use std::io::{BufReader, SeekFrom};
use symphonia::core::codecs::audio::well_known::{CODEC_ID_FLAC, CODEC_ID_VORBIS};
use symphonia::core::codecs::audio::{AudioCodecParameters, VerificationCheck};
use wavemill_audio::limits::CHUNK_COUNT_MAX;

/// Bytes of a Vorbis identification header.
const IDENTIFICATION_BYTES: usize = 30;

/// What the first packet of FLAC in Ogg begins with, and its bytes before `STREAMINFO`: this, two of a
/// version, two of a count, `fLaC`, the header of a block.
const FLAC_MAGIC: &[u8] = b"\x7fFLAC\x01";
const FLAC_HEAD_BYTES: usize = 17;

/// Bytes of the sum of the samples at the end of `STREAMINFO`.
const SUM_BYTES: usize = 16;

/// Codecs that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coded {
    Vorbis,
    Flac,
    #[cfg(feature = "opus")]
    Opus,
}

impl Coded {
    fn of(packet: &[u8]) -> Option<Self> {
        match packet {
            _ if packet.starts_with(b"\x01vorbis") => Some(Self::Vorbis),
            _ if packet.starts_with(FLAC_MAGIC) => Some(Self::Flac),
            #[cfg(feature = "opus")]
            _ if packet.starts_with(b"OpusHead") => Some(Self::Opus),
            _ => None,
        }
    }
}

/// The number of the first stream that is read: their first pages stand at the start of the file.
pub(super) fn find(source: &mut dyn Source) -> Result<(u32, Coded), DecodeError> {
    source.seek(SeekFrom::Start(0))?;
    let mut reader = BufReader::new(&mut *source);
    for _ in 0..CHUNK_COUNT_MAX {
        let Some(page) = Page::read(&mut reader)?.filter(Page::is_first) else { break };
        if let Some(coded) = Coded::of(page.body()) {
            return Ok((page.serial, coded));
        }
    }
    drop(reader);
    let head = read_up_to(source, 0, 4096)?;
    Err(DecodeError::unsupported(refusal(&head).unwrap_or("Ogg without Vorbis, Opus or FLAC")))
}

/// What stands on the first page.
pub(crate) fn first_packet(head: &[u8]) -> Option<&[u8]> {
    head.get(27 + usize::from(*head.get(26)?)..)
}

/// Names what the first page holds when it is known and not read.
fn refusal(head: &[u8]) -> Option<&'static str> {
    let packet = first_packet(head)?;
    let known: [(&[u8], &str); 4] = [
        (b"OpusHead", "Opus (needs a build with `--features opus`)"),
        (b"Speex   ", "Speex"),
        (b"\x80theora", "Theora video"),
        (b"PCM     ", "PCM in Ogg"),
    ];
    known.iter().find(|(magic, _)| packet.starts_with(magic)).map(|(_, what)| *what)
}

/// The headers of a Vorbis stream.
pub(super) struct Headers {
    pub(super) identification: Vec<u8>,
    pub(super) setup: Vec<u8>,
    pub(super) sample_rate_hz: u32,
    pub(super) channel_count: u64,
}

impl Headers {
    /// Reads the three of a Vorbis stream, of which the comments are left out.
    pub(super) fn vorbis(pages: &mut Pages) -> Result<Self, DecodeError> {
        let mut packets = Vec::new();
        while packets.len() < 3 {
            let page = pages.next()?;
            packets.extend(page.ok_or_else(cut)?.packets);
        }
        let bad = || DecodeError::damaged("its Vorbis headers cannot be read");
        packets.truncate(3);
        let [identification, _, setup] = <[Vec<u8>; 3]>::try_from(packets).map_err(|_| bad())?;
        let is_whole =
            identification.len() == IDENTIFICATION_BYTES && setup.starts_with(b"\x05vorbis");
        let rate = identification.get(12..16).and_then(<[u8]>::first_chunk);
        let rate = *rate.filter(|_| is_whole).ok_or_else(bad)?;
        Ok(Self {
            sample_rate_hz: u32::from_le_bytes(rate),
            channel_count: identification[11].into(),
            identification,
            setup,
        })
    }

    /// What Symphonia is given; see [`reverse_couplings`]. With one or two channels there is one coupling
    /// at most.
    pub(super) fn params(&self) -> Option<AudioCodecParameters> {
        let mut setup = self.setup.clone();
        if self.channel_count > 2 {
            reverse_couplings(&mut setup, u32::try_from(self.channel_count).ok()?)?;
        }
        let headers = [&self.identification[..], &setup].concat();
        let mut params = AudioCodecParameters::new();
        params.for_codec(CODEC_ID_VORBIS).with_sample_rate(self.sample_rate_hz);
        params.with_extra_data(headers.into());
        Some(params)
    }
}

/// Reads the first packet of FLAC in Ogg, and returns what Symphonia is given.
pub(super) fn flac(pages: &mut Pages) -> Result<(StreamFacts, AudioCodecParameters), DecodeError> {
    let page = pages.next()?.ok_or_else(cut)?;
    let packet = page.packets.first();
    let block = packet.and_then(|packet| packet.get(FLAC_HEAD_BYTES..)?.first_chunk());
    let block: &[u8; STREAMINFO_BYTES] =
        block.ok_or_else(|| DecodeError::damaged("its FLAC header cannot be read"))?;
    let facts = parse_streaminfo(block);
    let mut params = AudioCodecParameters::new();
    params.for_codec(CODEC_ID_FLAC).with_sample_rate(facts.sample_rate_hz);
    params.with_extra_data(block[..].into());
    if let Some(sum) = block.last_chunk::<SUM_BYTES>().filter(|sum| **sum != [0; SUM_BYTES]) {
        params.with_verification_code(VerificationCheck::Md5(*sum));
    }
    Ok((facts, params))
}

pub(super) fn cut() -> DecodeError {
    DecodeError::truncated("a page with audio", "none")
}
