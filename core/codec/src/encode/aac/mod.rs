//! AAC-LC in MPEG-4 (`.m4a`), encoded by Fraunhofer's library, in files of our own: as long as what went in.
//!
//! Silence before the sound fills up the encoder's delay to whole packets, so that a file needs no padding
//! behind it, which not every player cuts. The movie header stands before the sound where the length is known
//! beforehand: it has one size whatever its numbers are.

mod atoms;
mod fdk;
mod items;
mod movie;

use self::fdk::{Fdk, PACKET_BITS_A_CHANNEL_MAX, PACKET_FRAMES};
use self::items::Gaps;
use self::movie::Movie;
use super::{
    BitRateMode, BitRates, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Lossy,
    LossyQuality, Refusal, Sink,
};
use std::io::SeekFrom;
use wavemill_audio::{ChannelLayout, ChannelPosition, PcmFormat, Samples, StreamSpec};

/// Name of the format.
const NAME: &str = "aac";

/// `aac`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "m4a",
    summary: "AAC-LC in MPEG-4, for phones and Apple software, with tags and pictures.",
    lossy: Some(Lossy {
        bit_rates_kbps: BitRates::Between(8, 576),
        bit_rate_modes: &[BitRateMode::Constant],
        vbr_qualities: Some(VBR_QUALITIES),
        default: "96 kbit/s per channel, not counting LFE, or the highest that the sample rate \
            allows",
        usual_kbps: 192,
        decoded_rate_hz: None,
        resolve,
    }),
    // The library computes with 16 bits; what is more is dithered before.
    formats: &[PcmFormat::int(16)],
    channel_count_max: 6,
    sample_rate_hz_max: 96_000,
    sample_rates_hz: Some(SAMPLE_RATES_HZ),
    byte_count_max: None,
    compression_levels: None,
    create,
    retag,
};

/// In Hz. Source: ISO/IEC 14496-3, table 1.18, as far as the library has them.
const SAMPLE_RATES_HZ: &[u32] = &[
    8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 64_000, 88_200, 96_000,
];

/// Counts of channels that have a channel configuration in their usual layout: mono, stereo, 3.0, 5.0, 5.1.
///
/// Source: ISO/IEC 14496-3:2019, table 1.19. That of four channels has one in the back, and that of eight two more in
/// front.
const LAYOUTS: [usize; 5] = [1, 2, 3, 5, 6];

/// VBR qualities: of the best sound, and of the smallest files.
const VBR_QUALITIES: (u8, u8) = (5, 1);

/// What a channel gets when nothing is asked.
const DEFAULT_KBPS_A_CHANNEL: u32 = 96;

/// Bytes collected before they go to the sink.
const WRITE_BYTES: usize = 64 * 1024;

/// An atom without content, and the head of that with the packets: room for a length of 64 bits.
const MEDIA_HEAD_BYTES: u64 = 16;

/// What is spent on such a stream.
fn resolve(spec: &StreamSpec, asked: Option<LossyQuality>) -> Result<LossyQuality, Refusal> {
    let channel_count = spec.channel_count();
    if spec.layout != ChannelLayout::usual(channel_count) || !LAYOUTS.contains(&channel_count) {
        return Err(Refusal {
            what: format!("this channel layout ({})", spec.layout),
            instead: "it stores mono, stereo, 3.0, 5.0 and 5.1".to_owned(),
        });
    }
    // That of low frequencies does not count.
    let full = spec.layout.positions().iter().filter(|&&it| it != ChannelPosition::LowFrequency);
    let channels = u32::try_from(full.count()).unwrap_or(u32::MAX);
    let rate = spec.sample_rate.0;
    // A packet has no more bits than this. Source: ISO/IEC 14496-3:2019, 4.5.3.1.
    let most = channels.saturating_mul(PACKET_BITS_A_CHANNEL_MAX).saturating_mul(rate);
    let most = u16::try_from(most / 1_024_000).unwrap_or(u16::MAX);
    let usual = u16::try_from(DEFAULT_KBPS_A_CHANNEL.saturating_mul(channels)).unwrap_or(most);
    let asked = asked.unwrap_or(LossyQuality::BitRateKbps(usual.min(most)));
    let there = match asked {
        LossyQuality::Vbr(quality) if !(VBR_QUALITIES.1..=VBR_QUALITIES.0).contains(&quality) => {
            Some(format!("it has {} (best) to {}", VBR_QUALITIES.0, VBR_QUALITIES.1))
        }
        LossyQuality::AverageKbps(_) => {
            Some("its bit rates are constant; for a variable one, use `vbr_quality`".to_owned())
        }
        // What else there is for which stream only the library knows.
        asked if Fdk::new(rate, channel_count, asked).is_some() => None,
        LossyQuality::BitRateKbps(_) => {
            let takes = |kbps: &u16| {
                Fdk::new(rate, channel_count, LossyQuality::BitRateKbps(*kbps)).is_some()
            };
            let lowest = (1..=most).step_by(8).find(takes).unwrap_or(most);
            Some(format!("it has about {lowest} to {most} kbit/s there"))
        }
        LossyQuality::Vbr(_) => Some("use a bit rate instead".to_owned()),
    };
    let Some(instead) = there else { return Ok(asked) };
    Err(Refusal { what: format!("{asked} at {} {}", spec.sample_rate, spec.layout), instead })
}

fn create(sink: Box<dyn Sink>, settings: EncodeSettings) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let quality =
        resolve(&settings.spec, settings.quality).map_err(|Refusal { what, .. }| failed(&what))?;
    let channel_count = settings.spec.channel_count();
    let fdk = Fdk::new(settings.spec.sample_rate.0, channel_count, quality)
        .ok_or_else(|| failed("the library refuses"))?;
    let mut encoder = AacEncoder {
        sink,
        lead: fdk.delay,
        fdk,
        settings,
        head_bytes: 0,
        movie_bytes: None,
        is_long: true,
        frame_count: 0,
        pending: Vec::with_capacity(PACKET_FRAMES * channel_count),
        packets: Vec::new(),
        out: Vec::with_capacity(WRITE_BYTES + 8 * 1024),
    };
    let mut head = movie::file_type();
    encoder.head_bytes = head.len() as u64;
    if let Some(frames) = encoder.settings.frame_count {
        let silence = (encoder.lead + frames.0).wrapping_neg() % PACKET_FRAMES as u64;
        encoder.lead += silence;
        let silence = usize::try_from(silence).expect("less than a packet");
        encoder.pending.resize(silence * channel_count, 0);
        let movie = encoder.reserved(frames.0)?;
        head.extend(atoms::atom(*b"free", &[&movie[8..]]));
        encoder.movie_bytes = Some(movie.len());
    }
    head.extend(atoms::atom(*b"free", &[]));
    head.extend(atoms::atom(*b"mdat", &[]));
    encoder.sink.write_all(&head)?;
    Ok(Box::new(encoder))
}

fn failed(reason: &str) -> EncodeError {
    EncodeError::Failed { format: NAME, reason: reason.to_owned() }
}

/// An AAC file being written.
struct AacEncoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    fdk: Fdk,
    /// Frames that are decoded before the first one that is shown.
    lead: u64,
    /// Bytes before the movie header.
    head_bytes: u64,
    /// Bytes kept for the movie header; `None` where it comes at the end.
    movie_bytes: Option<usize>,
    /// Whether the movie header has places of 64 bits.
    is_long: bool,
    /// Frames that came.
    frame_count: u64,
    /// Interleaved samples on their way to the encoder.
    pending: Vec<i16>,
    /// Bytes of each packet so far.
    packets: Vec<u32>,
    /// Bytes on their way to the sink.
    out: Vec<u8>,
}

impl AacEncoder {
    /// Packets that hold so many frames, and what is before them.
    fn packets_for(&self, frame_count: u64) -> u64 {
        (self.lead + frame_count).div_ceil(PACKET_FRAMES as u64)
    }

    /// A movie header as large as that of a file of so many frames.
    fn reserved(&mut self, frame_count: u64) -> Result<Vec<u8>, EncodeError> {
        let count = self.packets_for(frame_count);
        let channels = self.settings.spec.channel_count() as u64;
        let packet_bytes_max = u64::from(PACKET_BITS_A_CHANNEL_MAX / 8) * channels;
        // A quarter of it for the table of packets and the like, pictures aside.
        let most = count.saturating_mul(packet_bytes_max) + (1 << 30);
        self.is_long = u32::try_from(most).is_err();
        let count = usize::try_from(count).map_err(|_| failed("the file is too long"))?;
        Ok(self.movie(frame_count, &vec![0; count], 0))
    }

    /// The movie header of a file with these packets.
    fn movie(&self, frame_count: u64, packets: &[u32], start: u64) -> Vec<u8> {
        let decoded = packets.len() as u64 * PACKET_FRAMES as u64;
        let padding = decoded.saturating_sub(self.lead + frame_count);
        let note = Gaps { lead: self.lead, padding, frame_count }.note();
        let movie = Movie {
            sample_rate_hz: self.settings.spec.sample_rate.0,
            channel_count: u16::try_from(self.settings.spec.channel_count()).unwrap_or(u16::MAX),
            config: &self.fdk.config,
            lead: self.lead,
            frame_count,
            packets,
            start,
            is_long: self.is_long,
            user_data: &items::user_data(&self.settings, &note),
        };
        movie.to_bytes()
    }

    /// Encodes what is pending, a whole packet.
    fn encode(&mut self) -> Result<(), EncodeError> {
        let packet = self.fdk.encode(&self.pending).ok_or_else(|| failed("the library failed"))?;
        self.out.extend_from_slice(packet);
        if !packet.is_empty() {
            self.packets.push(u32::try_from(packet.len()).expect("has a few thousand bytes"));
        }
        self.pending.clear();
        if self.out.len() >= WRITE_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EncodeError> {
        self.sink.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }

    /// Feeds silence until every frame came out.
    fn drain(&mut self) -> Result<(), EncodeError> {
        let count = self.packets_for(self.frame_count);
        let samples = PACKET_FRAMES * self.settings.spec.channel_count();
        // The library holds back a few packets at most.
        for _ in 0..count.saturating_add(16) {
            if self.packets.len() as u64 >= count {
                return Ok(());
            }
            self.pending.resize(samples, 0);
            self.encode()?;
        }
        Err(failed("the library holds packets back"))
    }
}

impl Encoder for AacEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Int { planes, .. } = samples else {
            return Err(failed("it accepts only integers"));
        };
        let (channel_count, end) = (planes.len(), samples.frame_count());
        let mut start = 0;
        while start < end {
            let room = PACKET_FRAMES - self.pending.len() / channel_count;
            let count = room.min(end - start);
            for frame in start..start + count {
                let clamp = |sample: i32| sample.clamp(i16::MIN.into(), i16::MAX.into());
                let sample = |plane: &Vec<i32>| i16::try_from(clamp(plane[frame])).unwrap_or(0);
                self.pending.extend(planes.iter().map(sample));
            }
            start += count;
            if self.pending.len() == PACKET_FRAMES * channel_count {
                self.encode()?;
            }
        }
        self.frame_count += end as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        if let Some(announced) = self.settings.frame_count.filter(|it| it.0 != self.frame_count) {
            let reason = format!("{announced} were announced, but {} came", self.frame_count);
            return Err(EncodeError::Failed { format: NAME, reason });
        }
        self.drain()?;
        self.flush()?;
        let data_bytes = self.packets.iter().map(|size| u64::from(*size)).sum::<u64>();
        let reserved = self.movie_bytes.unwrap_or(0) as u64;
        let media_at = self.head_bytes + reserved;
        let start = media_at + MEDIA_HEAD_BYTES;
        let packets = std::mem::take(&mut self.packets);
        if self.movie_bytes.is_none() {
            self.is_long = u32::try_from(start + data_bytes).is_err();
        }
        let movie = self.movie(self.frame_count, &packets, start);
        match self.movie_bytes {
            Some(room) if room != movie.len() => return Err(failed("its header has another size")),
            Some(_) => {
                self.sink.seek(SeekFrom::Start(self.head_bytes))?;
                self.sink.write_all(&movie)?;
            }
            None => self.sink.write_all(&movie)?,
        }
        self.sink.seek(SeekFrom::Start(media_at))?;
        self.sink.write_all(&media_head(data_bytes))?;
        self.sink.seek(SeekFrom::End(0))?;
        self.sink.flush()?;
        Ok(())
    }
}

/// What stands before so many bytes of packets, always as long.
fn media_head(data_bytes: u64) -> Vec<u8> {
    if let Ok(short) = u32::try_from(data_bytes + 8) {
        let empty = atoms::atom(*b"free", &[]);
        return [&empty, &short.to_be_bytes()[..], b"mdat"].concat();
    }
    let long = (data_bytes + MEDIA_HEAD_BYTES).to_be_bytes();
    [&1u32.to_be_bytes()[..], b"mdat", &long].concat()
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let missing = || failed("its header is not where it was");
    let end = sink.seek(SeekFrom::End(0))?;
    let movie = find(sink, 0..end, *b"moov")?.ok_or_else(missing)?;
    let place = find(sink, movie.start + 8..movie.end, *b"udta")?.ok_or_else(missing)?;
    let length = usize::try_from(place.end - place.start).map_err(|_| missing())?;
    let mut user_data = vec![0; length];
    sink.seek(SeekFrom::Start(place.start))?;
    sink.read_exact(&mut user_data)?;
    let note = items::note_in(&user_data).ok_or_else(missing)?;
    let made = items::user_data(settings, &note);
    if made.len() != length {
        return Err(failed("its tags have another size"));
    }
    sink.seek(SeekFrom::Start(place.start))?;
    sink.write_all(&made)?;
    sink.flush()?;
    Ok(())
}

/// The place of an atom among those within `range`, its head included.
fn find(
    sink: &mut dyn Sink,
    range: std::ops::Range<u64>,
    kind: [u8; 4],
) -> Result<Option<std::ops::Range<u64>>, EncodeError> {
    let mut at = range.start;
    while at + 8 <= range.end {
        let mut head = [0; 16];
        let count = if range.end - at < 16 { 8 } else { 16 };
        sink.seek(SeekFrom::Start(at))?;
        sink.read_exact(&mut head[..count])?;
        let [a, b, c, d, name @ ..] = *head.first_chunk::<8>().expect("16 bytes");
        let long = u64::from_be_bytes(*head.last_chunk().expect("16 bytes"));
        let length = match u32::from_be_bytes([a, b, c, d]) {
            1 => long,
            short => u64::from(short),
        };
        let end = at.saturating_add(length);
        if length < 8 || end > range.end {
            return Ok(None);
        }
        if name == kind {
            return Ok(Some(at..end));
        }
        at = end;
    }
    Ok(None)
}
