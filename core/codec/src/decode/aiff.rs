//! AIFF and AIFF-C files.
//!
//! Sources: Apple, "Audio Interchange File Format: AIFF", version 1.3 (1989); "AIFF-C", draft of
//! 1991-08-26; the later compression types and the `CHAN` chunk as Apple's `CoreAudio` writes them.

use super::adpcm::{AdpcmSetup, AdpcmStream};
use super::chunks::{Chunks, Order, missing, read_up_to, u16_be, u32_be};
use super::companding::{self, Law};
use super::core_audio;
use super::pcm::{Coding, PcmDecoder, PcmStream};
use super::{Damaged, DecodeError, Decoder, Source};
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat};

/// Offset and block size before the samples in the `SSND` chunk.
const SSND_HEADER_BYTES: u64 = 8;

/// What `sox` writes as the number of sample bytes when it writes into a pipe.
const LENGTH_UNKNOWN_SOX: u64 = 0x7f00_0000;

/// Most bytes of the markers that are read: thousands of them with names.
const MARKERS_BYTES_MAX: usize = 1024 * 1024;

/// Where everything is.
pub(super) struct Header {
    /// Bytes the file has by its own account; `None` when its writer did not know.
    pub(super) promised_bytes: Option<u64>,
    pub(super) comm: Option<Vec<u8>>,
    /// The channel layout, where it stands before the samples.
    chan: Option<Vec<u8>>,
    pub(super) sound: Option<Sound>,
}

/// The `SSND` chunk.
pub(super) struct Sound {
    /// First byte of the samples.
    pub(super) start: u64,
    /// Bytes of samples by the chunk's length; `None` when its writer did not know.
    pub(super) claimed: Option<u64>,
}

pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
    damaged: Damaged,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let header = read_header(source.as_mut(), byte_count)?;
    let comm = header.comm.ok_or_else(|| missing("COMM", header.promised_bytes, byte_count))?;
    let common = Common::parse(&comm, header.chan.as_deref())?;
    if common.is_ima {
        return common.open_ima(source, header.sound, byte_count, damaged);
    }
    let Some(sound) = header.sound else {
        // The chunk may be left out of a file without samples.
        if common.frame_count == 0 {
            return common.decoder(
                source,
                byte_count,
                Length { promised: 0, available: 0 },
                damaged,
            );
        }
        return Err(missing("SSND", header.promised_bytes, byte_count));
    };
    let frame_bytes = common.frame_bytes();
    let mut available = byte_count.saturating_sub(sound.start) / frame_bytes;
    let promised = match sound.claimed {
        None => available,
        Some(claimed) if claimed / frame_bytes < common.frame_count && damaged.is_repaired() => {
            available = available.min(claimed / frame_bytes);
            common.frame_count
        }
        Some(claimed) if claimed / frame_bytes < common.frame_count => {
            return Err(DecodeError::damaged(format!(
                "its header states {} frames, but its sound chunk has room for {}",
                common.frame_count,
                claimed / frame_bytes
            )));
        }
        Some(_) => common.frame_count,
    };
    common.decoder(source, sound.start, Length { promised, available }, damaged)
}

/// Finds the chunks that matter.
pub(super) fn read_header(source: &mut dyn Source, byte_count: u64) -> Result<Header, DecodeError> {
    let start = read_up_to(source, 0, 12)?;
    let form_length = u32_be(&start, 4).map_or(0, u64::from);
    let mut header = Header {
        promised_bytes: (form_length != 0).then_some(form_length + 8),
        comm: None,
        chan: None,
        sound: None,
    };
    let mut chunks = Chunks::new(source, Order::Big, 12, byte_count);
    while let Some(chunk) = chunks.next()? {
        match &chunk.id {
            b"COMM" if header.comm.is_none() => header.comm = Some(chunks.data(chunk, 64)?),
            b"CHAN" if header.chan.is_none() => {
                header.chan = Some(chunks.data(chunk, core_audio::CHAN_BYTES)?);
            }
            b"SSND" if header.sound.is_none() => {
                let offset = u32_be(&chunks.data(chunk, 4)?, 0).map_or(0, u64::from);
                let claimed = chunk.claimed.saturating_sub(SSND_HEADER_BYTES + offset);
                let is_known =
                    chunk.claimed > SSND_HEADER_BYTES && chunk.claimed < LENGTH_UNKNOWN_SOX;
                // Nothing after samples of unknown length can be found.
                chunks.skip(chunk, if is_known { chunk.claimed } else { u64::MAX });
                header.sound = Some(Sound {
                    start: chunk.start + SSND_HEADER_BYTES + offset,
                    claimed: is_known.then_some(claimed),
                });
            }
            _ => {}
        }
        if header.comm.is_some() && header.sound.is_some() {
            break;
        }
    }
    Ok(header)
}

/// The data of the chunk with markers, wherever it stands; `None` where there is none that can be read.
///
/// # Errors
/// When reading fails.
pub(crate) fn markers(
    source: &mut dyn Source,
    byte_count: u64,
) -> Result<Option<Vec<u8>>, DecodeError> {
    data_of(*b"MARK", source, byte_count, MARKERS_BYTES_MAX)
}

/// The body of the chunk with an ID3 tag, if there is one.
pub(crate) fn id3(
    source: &mut dyn Source,
    byte_count: u64,
    byte_count_max: usize,
) -> Result<Option<Vec<u8>>, DecodeError> {
    data_of(*b"ID3 ", source, byte_count, byte_count_max)
}

/// The body of the first chunk of this name; what is broken before it ends the search.
fn data_of(
    id: [u8; 4],
    source: &mut dyn Source,
    byte_count: u64,
    byte_count_max: usize,
) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut chunks = Chunks::new(source, Order::Big, 12, byte_count);
    loop {
        match chunks.next() {
            Ok(Some(chunk)) if chunk.id == id => {
                return chunks.data(chunk, byte_count_max).map(Some);
            }
            Ok(Some(_)) => {}
            Err(DecodeError::Io(error)) => return Err(error.into()),
            Ok(None) | Err(_) => return Ok(None),
        }
    }
}

/// Frames of the sound.
#[derive(Clone, Copy, Debug)]
struct Length {
    promised: u64,
    available: u64,
}

/// A parsed `COMM` chunk.
struct Common {
    coding: Coding,
    sample_rate_hz: u64,
    layout: ChannelLayout,
    /// Of IMA ADPCM the number of blocks.
    frame_count: u64,
    /// Whether the sound is IMA ADPCM, which `coding` knows nothing of.
    is_ima: bool,
}

impl Common {
    fn parse(comm: &[u8], chan: Option<&[u8]>) -> Result<Self, DecodeError> {
        let short = || DecodeError::damaged("its `COMM` chunk is too short");
        let channel_count = u16_be(comm, 0).ok_or_else(short)?;
        let frame_count = u32_be(comm, 2).ok_or_else(short)?;
        let bits = u16_be(comm, 6).ok_or_else(short)?;
        let rate = comm.get(8..18).and_then(<[u8]>::first_chunk).ok_or_else(short)?;
        let compression = comm.get(18..22).and_then(<[u8]>::first_chunk).unwrap_or(b"NONE");
        let sample_rate_hz = rate_of_extended(*rate)?;
        super::claims::check_stream(sample_rate_hz, u64::from(channel_count))?;
        let channel_count = usize::from(channel_count);
        let layout = chan.and_then(|chan| core_audio::layout(chan, channel_count));
        Ok(Self {
            coding: coding(*compression, bits)?,
            sample_rate_hz,
            layout: layout.unwrap_or_else(|| ChannelLayout::usual(channel_count)),
            frame_count: u64::from(frame_count),
            is_ima: compression == b"ima4",
        })
    }

    /// Opens blocks of IMA ADPCM.
    fn open_ima(
        self,
        source: Box<dyn Source>,
        sound: Option<Sound>,
        byte_count: u64,
        damaged: Damaged,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let setup = AdpcmSetup::quick_time(self.layout.channel_count())?;
        let promised = self.frame_count * setup.block_bytes();
        let room = sound.as_ref().map_or(Some(0), |sound| sound.claimed);
        if room.is_some_and(|room| room < promised) && !damaged.is_repaired() {
            return Err(DecodeError::damaged(format!(
                "its header states {} blocks, but its sound chunk has room for {}",
                self.frame_count,
                room.unwrap_or(0) / setup.block_bytes()
            )));
        }
        let stream = AdpcmStream {
            container: "aiff",
            setup,
            sample_rate_hz: self.sample_rate_hz,
            layout: self.layout,
            start: sound.map_or(byte_count, |sound| sound.start),
            claimed: Some(promised),
            valid: None,
        };
        stream.open(source, byte_count, damaged)
    }

    fn frame_bytes(&self) -> u64 {
        (self.coding.container_bytes * self.layout.channel_count()) as u64
    }

    fn decoder(
        self,
        source: Box<dyn Source>,
        data_start: u64,
        length: Length,
        damaged: Damaged,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let stream = PcmStream {
            container: "aiff",
            coding: self.coding,
            sample_rate_hz: self.sample_rate_hz,
            layout: self.layout,
            data_start,
            promised: length.promised,
            available: length.available,
            warnings: Vec::new(),
            leaves_out: false,
        };
        PcmDecoder::open(source, stream, damaged)
    }
}

fn coding(compression: [u8; 4], bits: u16) -> Result<Coding, DecodeError> {
    let law = match &compression {
        b"ulaw" | b"ULAW" => Some(Law::Mu),
        b"alaw" | b"ALAW" => Some(Law::A),
        _ => None,
    };
    if law.is_some() {
        return Ok(Coding {
            format: PcmFormat::int(companding::BIT_DEPTH),
            container_bytes: 1,
            big_endian: true,
            is_unsigned: false,
            law,
        });
    }
    let (sample_format, bits, big_endian) = match &compression {
        b"NONE" | b"twos" => (SampleFormat::Int, bits, true),
        b"sowt" => (SampleFormat::Int, bits, false),
        b"raw " => (SampleFormat::Int, 8, true),
        b"in24" => (SampleFormat::Int, 24, true),
        b"in32" => (SampleFormat::Int, 32, true),
        b"ima4" => (SampleFormat::Int, 16, true),
        b"42ni" => (SampleFormat::Int, 24, false),
        b"23ni" => (SampleFormat::Int, 32, false),
        b"fl32" | b"FL32" => (SampleFormat::Float, 32, true),
        b"fl64" | b"FL64" => (SampleFormat::Float, 64, true),
        _ => {
            let name = compression.escape_ascii();
            return Err(DecodeError::unsupported(format!("compression `{name}` in AIFF-C")));
        }
    };
    if sample_format == SampleFormat::Int && !(1..=32).contains(&bits) {
        return Err(DecodeError::unsupported(format!("{bits}-bit integers in AIFF")));
    }
    Ok(Coding {
        format: PcmFormat { sample_format, bit_depth: bits.max(8) },
        container_bytes: usize::from(bits.div_ceil(8)),
        big_endian,
        is_unsigned: &compression == b"raw ",
        law,
    })
}

/// A sample rate stored as an 80-bit extended float, rounded to whole Hz.
///
/// Source: Apple, "Apple Numerics Manual", 2nd edition: sign, 15-bit exponent with bias 16383, 64-bit
/// significand with explicit integer bit.
fn rate_of_extended(bytes: [u8; 10]) -> Result<u64, DecodeError> {
    let [high, low, significand @ ..] = bytes;
    let sign_and_exponent = u16::from_be_bytes([high, low]);
    let significand = u64::from_be_bytes(significand);
    let exponent = i32::from(sign_and_exponent & 0x7fff) - 16383;
    match exponent {
        _ if significand == 0 => Ok(0),
        _ if sign_and_exponent & 0x8000 != 0 => Err(DecodeError::damaged("negative sample rate")),
        // Below 0.5 Hz.
        ..-1 => Ok(0),
        -1..=62 => {
            let fraction_bits = 63 - exponent;
            let rounded = (u128::from(significand) + (1 << (fraction_bits - 1))) >> fraction_bits;
            Ok(u64::try_from(rounded).unwrap_or(u64::MAX))
        }
        _ => Ok(u64::MAX),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(exponent: u16, significand: u64) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..2].copy_from_slice(&exponent.to_be_bytes());
        bytes[2..].copy_from_slice(&significand.to_be_bytes());
        bytes
    }

    #[test]
    fn extended_44100_is_read_exactly() {
        assert_eq!(rate_of_extended(extended(0x400e, 0xac44 << 48)).unwrap(), 44100);
    }

    #[test]
    fn extended_extremes_neither_panic_nor_pass() {
        assert_eq!(rate_of_extended(extended(0, 0)).unwrap(), 0);
        assert_eq!(rate_of_extended(extended(0x7fff, u64::MAX)).unwrap(), u64::MAX);
        assert!(rate_of_extended(extended(0xc00e, 0xac44 << 48)).is_err());
        for exponent in 0..=u16::MAX {
            let _ = rate_of_extended(extended(exponent, u64::MAX));
            let _ = rate_of_extended(extended(exponent, 1));
        }
    }
}
