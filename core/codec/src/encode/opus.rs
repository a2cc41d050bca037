//! Opus in Ogg: 20 ms a packet, a second a page, as long as what went in.
//!
//! The encoder's delay is stated as pre-skip, what the last packet has too much is cut by the last page's
//! granule position. Levels are stated by `R128_TRACK_GAIN`, since `ReplayGain` must not be in such a file.
//!
//! Sources: RFC 6716; RFC 7845; RFC 8486 is not written.

use super::ogg::{self, Pages};
use super::ogg_crc;
use super::{
    BitRateMode, BitRates, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Lossy,
    LossyQuality, Refusal, Sink, comments,
};
use crate::opus::{self, Head, INPUT_RATES_HZ, RATE_HZ};
use crate::tags::{GainBasis, Tags};
use crate::vorbis_order;
use std::io::SeekFrom;
use wavemill_audio::units::Lufs;
use wavemill_audio::{PcmFormat, Samples, StreamSpec};

/// Name of the format.
const NAME: &str = "opus";

/// `opus`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "opus",
    summary: "Best quality at low bit rates, with tags and pictures; exact length.",
    lossy: Some(Lossy {
        bit_rates_kbps: BitRates::Between(KBPS_A_CHANNEL.0, KBPS_A_CHANNEL.1 * 8),
        bit_rate_modes: &[BitRateMode::Average, BitRateMode::Constant],
        vbr_qualities: None,
        default: "64 kbit/s per channel, on average",
        usual_kbps: 128,
        decoded_rate_hz: Some(RATE_HZ),
        resolve,
    }),
    formats: &[PcmFormat::FLOAT],
    channel_count_max: vorbis_order::CHANNEL_COUNT_MAX,
    sample_rate_hz_max: RATE_HZ,
    sample_rates_hz: Some(INPUT_RATES_HZ),
    byte_count_max: None,
    compression_levels: None,
    create,
    retag,
};

/// Lowest and highest bit rate of a channel. Below there is no speech; above, no difference.
const KBPS_A_CHANNEL: (u16, u16) = (6, 256);

/// What a channel gets when nothing is asked: transparent for most music.
const DEFAULT_KBPS_A_CHANNEL: u16 = 64;

/// Packets a second; so many make a page, as RFC 7845, 6, recommends.
const PACKETS_A_SECOND: u32 = 50;

/// Room behind the comments, for taggers and for gains that are known after the samples. The longest two
/// take 50 bytes. Zeros there are to be ignored (RFC 7845, 5.2).
const TAGS_ROOM_BYTES: usize = 512;

/// Most bytes of the comments with pictures: readers give up on larger packets.
const TAGS_BYTES_MAX: usize = 12 << 20;

/// Loudness that `R128_TRACK_GAIN` brings a file to. Source: RFC 7845, 5.2.1; EBU R 128.
const REFERENCE: Lufs = Lufs(-23.0);

/// What is spent on such a stream.
fn resolve(spec: &StreamSpec, asked: Option<LossyQuality>) -> Result<LossyQuality, Refusal> {
    if vorbis_order::indices(&spec.layout).is_none() {
        return Err(Refusal {
            what: "this channel layout".to_owned(),
            instead: "it stores mono, stereo and the usual layouts up to 7.1".to_owned(),
        });
    }
    let channel_count = u16::try_from(spec.channel_count()).unwrap_or(u16::MAX);
    let (min, max) = KBPS_A_CHANNEL;
    let (min, max) = (min.saturating_mul(channel_count), max.saturating_mul(channel_count));
    let asked = asked.unwrap_or(LossyQuality::AverageKbps(DEFAULT_KBPS_A_CHANNEL * channel_count));
    match asked.bit_rate() {
        Some((kbps, _)) if (min..=max).contains(&kbps) => Ok(asked),
        Some((kbps, _)) => Err(Refusal {
            what: format!("{kbps} kbit/s of {channel_count} channels"),
            instead: format!("it has {min} to {max} there"),
        }),
        None => Err(Refusal {
            what: asked.to_string(),
            instead: "it has no such setting; use a bit rate".to_owned(),
        }),
    }
}

fn create(
    mut sink: Box<dyn Sink>,
    settings: EncodeSettings,
) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let settings = timed(settings);
    let channel_count = settings.spec.channel_count();
    let rate_hz = settings.spec.sample_rate.0;
    let (encoder, head) = prepare(&settings)?;
    let order = vorbis_order::indices(&settings.spec.layout)
        .ok_or_else(|| failed("its channels have no defined order"))?;
    let (bytes, sequence) = header_pages(&head, &settings);
    sink.write_all(&bytes)?;
    let packet_frames = (rate_hz / PACKETS_A_SECOND) as usize;
    Ok(Box::new(OpusEncoder {
        sink,
        pages: Pages::new(serial(&settings), sequence, PACKETS_A_SECOND as usize),
        encoder,
        order,
        pre_skip: u64::from(head.pre_skip),
        scale: u64::from(RATE_HZ / rate_hz),
        frame_count: 0,
        coded: 0,
        pending: Vec::with_capacity(packet_frames * channel_count),
        packet_samples: packet_frames * channel_count,
        packet: Vec::new(),
        settings,
    }))
}

/// The settings with the time of the first frame as who decodes the file counts.
fn timed(settings: EncodeSettings) -> EncodeSettings {
    let scale = u64::from(RATE_HZ / settings.spec.sample_rate.0);
    let time = settings.tags.broadcast.as_ref().and_then(|it| it.time_reference);
    let Some(time) = time.filter(|_| scale > 1) else { return settings };
    let mut tags = Tags::clone(&settings.tags);
    if let Some(broadcast) = &mut tags.broadcast {
        broadcast.time_reference = time.checked_mul(scale);
    }
    EncodeSettings { tags: tags.into(), ..settings }
}

/// An encoder for these settings, and the header of what it makes.
fn prepare(settings: &EncodeSettings) -> Result<(opus::Encoder, Head), EncodeError> {
    let quality =
        resolve(&settings.spec, settings.quality).map_err(|Refusal { what, .. }| failed(&what))?;
    let (kbps, mode) = quality.bit_rate().ok_or_else(|| failed("there is no bit rate"))?;
    let (mut encoder, head) =
        opus::Encoder::new(settings.spec.sample_rate.0, settings.spec.channel_count())
            .ok_or_else(|| failed("libopus refuses the rate or the channels"))?;
    if !encoder.set(i32::from(kbps) * 1000, mode == BitRateMode::Constant) {
        return Err(failed("libopus refuses the bit rate"));
    }
    Ok((encoder, head))
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    let (_, head) = prepare(settings)?;
    sink.seek(SeekFrom::Start(0))?;
    sink.write_all(&header_pages(&head, &timed(settings.clone())).0)?;
    sink.flush()?;
    Ok(())
}

/// The pages before the sound, of one size whatever the gains are, and the number of the next one.
fn header_pages(head: &Head, settings: &EncodeSettings) -> (Vec<u8>, u32) {
    ogg::headers(serial(settings), &head.to_bytes(), &[&tags_packet(settings)])
}

/// The number of the stream: that of its tags but for the gains, so that files that are put one behind the
/// other have two, and the same file has the same one twice.
fn serial(settings: &EncodeSettings) -> u32 {
    ogg_crc(&[&comments::body(comments::texts(settings))])
}

fn tags_packet(settings: &EncodeSettings) -> Vec<u8> {
    let packet = |gains: Vec<comments::Field>| {
        let pictures = comments::pictures_within(&settings.tags, TAGS_BYTES_MAX);
        let fields = comments::texts(settings).chain(pictures).chain(gains);
        [b"OpusTags", &comments::body(fields)[..]].concat()
    };
    let byte_count = packet(Vec::new()).len() + TAGS_ROOM_BYTES;
    let gain =
        |name: &'static str, leveled: Option<GainBasis>| Some((name.into(), gain_q8(leveled?)));
    let replay_gain = settings.tags.replay_gain.unwrap_or_default();
    let gains =
        [gain("R128_TRACK_GAIN", replay_gain.track), gain("R128_ALBUM_GAIN", replay_gain.album)];
    let mut packet = packet(gains.into_iter().flatten().collect());
    packet.resize(byte_count, 0);
    packet
}

/// The gain to [`REFERENCE`] in 1/256 dB, as text.
fn gain_q8(leveled: GainBasis) -> String {
    let steps = (REFERENCE - leveled.loudness).0 * 256.0;
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, as is meant")]
    let steps = steps.round() as i16;
    steps.to_string()
}

fn failed(reason: &str) -> EncodeError {
    EncodeError::Failed { format: NAME, reason: reason.to_owned() }
}

/// An Opus file being written.
struct OpusEncoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    pages: Pages,
    encoder: opus::Encoder,
    /// For each channel of the stream which one of the samples it is.
    order: Vec<usize>,
    /// Frames at 48 kHz that a decoder leaves out at the start.
    pre_skip: u64,
    /// Frames at 48 kHz for one that comes.
    scale: u64,
    /// Frames that came.
    frame_count: u64,
    /// Frames at 48 kHz in the packets so far.
    coded: u64,
    /// Interleaved samples on their way to the encoder.
    pending: Vec<f32>,
    /// Samples of a packet, all channels together.
    packet_samples: usize,
    packet: Vec<u8>,
}

impl OpusEncoder {
    /// Appends frames `[start, start + count)` to what is pending, in the stream's order.
    fn interleave(&mut self, planes: &[Vec<f32>], start: usize, count: usize) {
        let (from, channel_count) = (self.pending.len(), self.order.len());
        self.pending.resize(from + count * channel_count, 0.0);
        for (place, &channel) in self.order.iter().enumerate() {
            let frames = self.pending[from..].chunks_exact_mut(channel_count);
            for (frame, &sample) in frames.zip(&planes[channel][start..start + count]) {
                frame[place] = sample;
            }
        }
    }

    /// Encodes what is pending, a whole packet.
    fn encode(&mut self) -> Result<(), EncodeError> {
        self.encoder
            .encode(&self.pending, &mut self.packet)
            .ok_or_else(|| failed("libopus failed"))?;
        self.pending.clear();
        self.coded += u64::from(RATE_HZ / PACKETS_A_SECOND);
        self.pages.push(&self.packet, self.coded, self.sink.as_mut())
    }
}

impl Encoder for OpusEncoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Float { planes } = samples else {
            return Err(failed("it accepts only floats"));
        };
        if planes.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err(failed("a sample is NaN or infinite"));
        }
        let (mut start, end) = (0, samples.frame_count());
        while start < end {
            let room = (self.packet_samples - self.pending.len()) / self.order.len();
            let count = room.min(end - start);
            self.interleave(planes, start, count);
            start += count;
            if self.pending.len() == self.packet_samples {
                self.encode()?;
            }
        }
        self.frame_count += samples.frame_count() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        // Silence drives out what the delay holds back.
        let end = self.pre_skip + self.frame_count * self.scale;
        while self.coded < end {
            self.pending.resize(self.packet_samples, 0.0);
            self.encode()?;
        }
        self.pages.finish(end, self.sink.as_mut())?;
        self.sink.flush()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::ReplayGain;
    use std::sync::Arc;
    use wavemill_audio::ChannelLayout;
    use wavemill_audio::units::Dbtp;

    fn settings() -> EncodeSettings {
        EncodeSettings {
            spec: StreamSpec::new(48_000, 2),
            format: PcmFormat::FLOAT,
            frame_count: None,
            compression_level: None,
            quality: None,
            tags: Arc::default(),
        }
    }

    fn leveled(loudness: f64) -> GainBasis {
        GainBasis { loudness: Lufs(loudness), true_peak: Dbtp(0.0) }
    }

    #[test]
    fn gain_is_in_256ths_of_a_decibel_to_minus_23_lufs() {
        assert_eq!(gain_q8(leveled(-23.0)), "0");
        assert_eq!(gain_q8(leveled(-14.0)), "-2304");
        assert_eq!(gain_q8(leveled(-30.5)), "1920");
        assert_eq!(gain_q8(leveled(-300.0)), "32767");
    }

    #[test]
    fn tags_have_one_size_before_and_after_the_gain_is_known() {
        let of = |replay_gain| {
            let tags = Arc::new(Tags { replay_gain, ..Tags::default() });
            tags_packet(&EncodeSettings { tags, ..settings() })
        };
        let longest = Some(leveled(200.0));
        let after = of(Some(ReplayGain { track: longest, album: longest }));
        assert_eq!(of(None).len(), after.len());
        assert!(after.ends_with(&[0; 100]));
        let text = String::from_utf8_lossy(&after).into_owned();
        assert!(text.contains("R128_TRACK_GAIN=-32768"), "{text}");
    }

    #[test]
    fn default_is_64_kbps_a_channel_and_other_rates_are_refused() {
        let spec = |count| StreamSpec::new(48_000, count);
        assert_eq!(resolve(&spec(2), None), Ok(LossyQuality::AverageKbps(128)));
        assert_eq!(resolve(&spec(6), None), Ok(LossyQuality::AverageKbps(384)));
        let refused = |count, asked| resolve(&spec(count), Some(asked)).unwrap_err();
        let refusal = refused(2, LossyQuality::BitRateKbps(600));
        assert_eq!(refusal.what, "600 kbit/s of 2 channels");
        assert_eq!(refusal.instead, "it has 12 to 512 there");
        assert!(refused(1, LossyQuality::Vbr(3)).instead.contains("bit rate"));
        let mut strange = spec(2);
        strange.layout = ChannelLayout::from_mask(5, 2);
        assert!(resolve(&strange, None).unwrap_err().what.contains("channel layout"));
    }
}
