//! How a track's packets are coded.
//!
//! Source: ISO/IEC 14496-12:2022, 8.5.2 and 12.2.3; ISO/IEC 14496-14:2020, 6.7.2 (`mp4a`); Apple,
//! "`QuickTime` File Format" (2001), "Sound Sample Descriptions", for versions 1 and 2 and the `wave` atom;
//! Xiph.Org, "Encapsulation of FLAC in ISO Base Media File Format" and "Encapsulation of Opus in ISO Base
//! Media File Format". PCM is in `samples`.

use super::atoms::inside;
use super::samples::{self, SampleStorage};
use crate::decode::aac::AacConfig;
use crate::decode::alac::AlacConfig;
use crate::decode::chunks::{u16_be, u32_be};
use crate::decode::flac::STREAMINFO_BYTES;
#[cfg(feature = "opus")]
use crate::decode::opus::OpusSetup;
use crate::decode::pcm::Coding;
use crate::decode::{DecodeError, claims, core_audio};
#[cfg(feature = "opus")]
use crate::opus::Head;
use wavemill_audio::ChannelLayout;

/// Bytes of the sample descriptions that are looked at.
pub(super) const BYTES_MAX: usize = 16 * 1024;

/// The first sample description of a track.
#[derive(Clone, Debug, Default)]
pub(super) struct SampleEntry {
    kind: [u8; 4],
    pub(super) channel_count: usize,
    pub(super) sample_rate_hz: u32,
    /// What the description says of samples that are not compressed.
    stored: SampleStorage,
    /// The elementary stream descriptor, of `mp4a`.
    descriptor: Option<Descriptor>,
    /// The configuration of ALAC.
    cookie: Option<Vec<u8>>,
    /// The first metadata blocks of FLAC.
    blocks: Option<Vec<u8>>,
    /// The header of Opus.
    #[cfg(feature = "opus")]
    opus: Option<Vec<u8>>,
    /// The layout of the channels.
    chan: Option<Vec<u8>>,
}

/// What is decoded.
pub(super) enum EntryCodec {
    Aac(AacConfig),
    Alac(AlacConfig),
    Flac(Box<[u8; STREAMINFO_BYTES]>),
    Mp3,
    #[cfg(feature = "opus")]
    Opus(Box<OpusSetup>),
    Pcm(Pcm),
}

/// Samples that are not compressed.
#[derive(Clone, Debug)]
pub(super) struct Pcm {
    pub(super) coding: Coding,
    pub(super) sample_rate_hz: u32,
    /// As they are stored.
    pub(super) layout: ChannelLayout,
}

/// Parts of an elementary stream descriptor.
#[derive(Clone, Debug)]
struct Descriptor {
    /// Which codec it is.
    object_type: u8,
    config: Vec<u8>,
}

impl Pcm {
    /// Bytes of a frame.
    pub(super) fn frame_bytes(&self) -> u64 {
        (self.coding.container_bytes * self.layout.channel_count()) as u64
    }
}

impl SampleEntry {
    /// Reads the data of a `stsd` atom.
    pub(super) fn read(data: &[u8]) -> Self {
        let first = data.get(8..).and_then(|entries| inside(entries).next());
        let Some((kind, entry)) = first else { return Self::default() };
        // 6 reserved bytes, the reference, version, revision, vendor, channels.
        let version = u16_be(entry, 8).unwrap_or(0);
        let (channel_count, head_bytes) = match version {
            1 => (u16_be(entry, 16).map_or(0, usize::from), 28 + 16),
            2 => (u32_be(entry, 40).map_or(0, |count| count as usize), 28 + 36),
            _ => (u16_be(entry, 16).map_or(0, usize::from), 28),
        };
        let mut read = Self { kind, channel_count, ..Self::default() };
        (read.sample_rate_hz, read.stored) = samples::read(entry, version);
        let children = entry.get(head_bytes..).unwrap_or_default();
        for (kind, data) in inside(children) {
            if &kind == b"wave" {
                inside(data).for_each(|(kind, data)| read.add(kind, data));
            } else {
                read.add(kind, data);
            }
        }
        read
    }

    /// Looks at an atom inside of the description.
    fn add(&mut self, kind: [u8; 4], data: &[u8]) {
        if &kind == b"enda" {
            self.stored.take_order(data);
        }
        // Version and flags come first.
        let Some(fields) = data.get(4..) else { return };
        match &kind {
            b"esds" if self.descriptor.is_none() => self.descriptor = Descriptor::read(fields),
            b"alac" if self.cookie.is_none() => self.cookie = Some(fields.to_vec()),
            b"dfLa" if self.blocks.is_none() => self.blocks = Some(fields.to_vec()),
            b"chan" if self.chan.is_none() => self.chan = Some(fields.to_vec()),
            // Without version and flags.
            #[cfg(feature = "opus")]
            b"dOps" if self.opus.is_none() => self.opus = Some(data.to_vec()),
            b"pcmC" => self.stored.take_iso(fields),
            _ => {}
        }
    }

    /// What is decoded.
    ///
    /// # Errors
    /// When it is of a kind that is not.
    pub(super) fn coded(&self) -> Result<EntryCodec, DecodeError> {
        match (&self.kind, &self.descriptor, &self.cookie) {
            (b"mp4a", Some(descriptor), _) if descriptor.is_aac() => {
                Ok(EntryCodec::Aac(AacConfig::parse(&descriptor.config)?))
            }
            (b"alac", _, Some(cookie)) => Ok(EntryCodec::Alac(AlacConfig::parse(cookie)?)),
            (b"mp4a", Some(descriptor), _) if descriptor.is_mp3() => Ok(EntryCodec::Mp3),
            (b".mp3", _, _) => Ok(EntryCodec::Mp3),
            (b"fLaC", _, _) => self.flac(),
            #[cfg(feature = "opus")]
            (b"Opus", _, _) => self.opus(),
            (kind, _, _) if samples::is_pcm(*kind) => self.pcm(),
            (b"mp4a", None, _) | (b"alac", _, None) => {
                Err(DecodeError::damaged("its sample description has no configuration"))
            }
            _ => Err(DecodeError::unsupported(format!("{} in MPEG-4", self.name()))),
        }
    }

    fn flac(&self) -> Result<EntryCodec, DecodeError> {
        let bad = || DecodeError::damaged("its FLAC configuration cannot be read");
        // The header of the block is before it: type 0, length.
        let blocks = self.blocks.as_deref().filter(|blocks| {
            blocks[..].starts_with(&[0x80, 0, 0]) || blocks.starts_with(&[0, 0, 0])
        });
        let block = blocks.and_then(|blocks| blocks.get(4..)?.first_chunk()).ok_or_else(bad)?;
        Ok(EntryCodec::Flac(Box::new(*block)))
    }

    #[cfg(feature = "opus")]
    fn opus(&self) -> Result<EntryCodec, DecodeError> {
        let bad = || DecodeError::damaged("its Opus configuration cannot be read");
        let fields = self.opus.as_deref().ok_or_else(bad)?;
        let head = Head::parse_big_endian(fields).ok_or_else(bad)?;
        Ok(EntryCodec::Opus(Box::new(OpusSetup::new(head)?)))
    }

    fn pcm(&self) -> Result<EntryCodec, DecodeError> {
        let coding = self.stored.coding(self.kind)?;
        let chan = self.chan.as_deref();
        let layout = chan.and_then(|chan| core_audio::layout(chan, self.channel_count));
        claims::check_stream(self.sample_rate_hz.into(), self.channel_count as u64)?;
        Ok(EntryCodec::Pcm(Pcm {
            coding,
            sample_rate_hz: self.sample_rate_hz,
            layout: layout.unwrap_or_else(|| ChannelLayout::usual(self.channel_count)),
        }))
    }

    /// Bytes of a frame, of samples that are not compressed.
    pub(super) fn frame_bytes(&self) -> Option<u64> {
        match self.coded() {
            Ok(EntryCodec::Pcm(pcm)) => Some(pcm.frame_bytes()),
            _ => None,
        }
    }

    /// The codec's name.
    ///
    /// Source: the MP4 Registration Authority's lists of codecs and of object types.
    pub(super) fn name(&self) -> String {
        let name = match &self.kind {
            b"mp4a" => return Descriptor::name(self.descriptor.as_ref()),
            b"alac" => "ALAC",
            b"fLaC" => "FLAC",
            b"Opus" => "Opus",
            b"ac-3" => "AC-3",
            b"ec-3" => "E-AC-3",
            b"ac-4" => "AC-4",
            b"dtsc" | b"dtse" | b"dtsh" | b"dtsl" | b"dtsx" => "DTS",
            b".mp3" => "MP3",
            b"samr" | b"sawb" => "AMR",
            b"mha1" | b"mhm1" => "MPEG-H audio",
            b"enca" => "encrypted audio",
            b"drms" => "audio protected by FairPlay",
            kind if samples::is_pcm(*kind) => "PCM",
            b"ulaw" => "mu-law",
            b"alaw" => "A-law",
            b"ima4" => "IMA ADPCM",
            b"QDM2" | b"QDMC" => "QDesign Music",
            [0, 0, 0, 0] => "an unknown codec",
            other => return format!("codec `{}`", other.escape_ascii()),
        };
        name.to_owned()
    }
}

impl Descriptor {
    /// Reads the data of an `esds` atom.
    ///
    /// Source: ISO/IEC 14496-1:2010, 7.2.6.5, 7.2.6.6 and 8.3.3.
    fn read(bytes: &[u8]) -> Option<Self> {
        let (tag, stream) = descriptor(&mut &*bytes)?;
        if tag != 3 {
            return None;
        }
        // Its number, then flags for what follows.
        let flags = *stream.get(2)?;
        let mut offset = 3;
        if flags & 0x80 != 0 {
            offset += 2;
        }
        if flags & 0x40 != 0 {
            offset += 1 + usize::from(*stream.get(offset)?);
        }
        if flags & 0x20 != 0 {
            offset += 2;
        }
        let (tag, decoder) = descriptor(&mut stream.get(offset..)?)?;
        if tag != 4 {
            return None;
        }
        let object_type = *decoder.first()?;
        let mut rest = decoder.get(13..)?;
        let config = match descriptor(&mut rest) {
            Some((5, config)) => config.to_vec(),
            _ => Vec::new(),
        };
        Some(Self { object_type, config })
    }

    /// Whether it is AAC: of MPEG-4, or of MPEG-2 with low complexity.
    fn is_aac(&self) -> bool {
        matches!(self.object_type, 0x40 | 0x67)
    }

    /// Whether it is MP3: of MPEG-1, or of MPEG-2.
    fn is_mp3(&self) -> bool {
        matches!(self.object_type, 0x69 | 0x6b)
    }

    fn name(descriptor: Option<&Self>) -> String {
        let Some(descriptor) = descriptor else { return "MPEG-4 audio".to_owned() };
        let name = match descriptor.object_type {
            0x40 => match AacConfig::parse(&descriptor.config) {
                Err(DecodeError::Unsupported { what }) => return what,
                _ => "AAC",
            },
            0x67 => "AAC",
            0x66 => "AAC Main",
            0x68 => "AAC SSR",
            0x69 | 0x6b => "MP3",
            0xa5 => "AC-3",
            0xa6 => "E-AC-3",
            0xa9..=0xac => "DTS",
            0xad => "Opus",
            0xdd => "Vorbis",
            other => return format!("audio of object type 0x{other:02x}"),
        };
        name.to_owned()
    }
}

/// Splits the first descriptor off: its tag and its data.
fn descriptor<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, mut rest) = bytes.split_first()?;
    let mut length = 0;
    // Seven bits a byte, at most four.
    for _ in 0..4 {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let data = rest.get(..length)?;
    *bytes = &rest[length..];
    Some((tag, data))
}
