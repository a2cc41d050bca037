//! MP3, encoded by LAME: streaming, and as long as what went in.
//!
//! The file begins with an ID3v2.4 tag where there are tags, then with a frame without sound that
//! states the exact length (`Info` or `Xing`). LAME leaves room for that frame at the start of its
//! stream; it is filled in at the end, when the padding is known.
//!
//! Sources: LAME 3.100, `API` and `VbrTag.c`; G. Gandhi, "MP3 Info Tag revision 1 specifications".

mod rates;

use super::{
    BitRateMode, BitRates, EncodeError, EncodeSettings, Encoder, FormatDescriptor, Lossy,
    LossyQuality, Refusal, Sink, id3,
};
use mp3lame_encoder::{Bitrate, Builder, DualPcm, FlushGap, Mode, MonoPcm, Quality, VbrMode, ffi};
use std::fmt::Debug;
use std::io::SeekFrom;
use wavemill_audio::{PcmFormat, Samples, StreamSpec};

/// Name of the format.
const NAME: &str = "mp3";

/// `mp3`
pub(super) const DESCRIPTOR: FormatDescriptor = FormatDescriptor {
    name: NAME,
    extension: "mp3",
    summary: "Small files that play everywhere, with tags and pictures; exact length.",
    lossy: Some(Lossy {
        bit_rates_kbps: BitRates::Of(rates::BIT_RATES_KBPS),
        bit_rate_modes: &[BitRateMode::Constant, BitRateMode::Average],
        vbr_qualities: Some(rates::VBR_QUALITIES),
        default: "192 kbit/s for stereo, 96 for mono, or the highest that the sample rate allows",
        usual_kbps: 192,
        decoded_rate_hz: None,
        resolve: rates::resolve,
    }),
    formats: &[PcmFormat::FLOAT],
    channel_count_max: 2,
    sample_rate_hz_max: 48_000,
    sample_rates_hz: Some(rates::SAMPLE_RATES_HZ),
    byte_count_max: None,
    compression_levels: None,
    create,
    retag,
};

/// LAME's effort. It asks for nothing in size, so there is nothing to choose: 2 is what LAME's manual
/// recommends, 0 and 1 take much longer for no certain gain.
const EFFORT: Quality = Quality::NearBest;

/// Frames given to LAME at once.
const CHUNK_FRAMES: usize = 4608;

/// Bytes collected before they go to the sink.
const WRITE_BYTES: usize = 64 * 1024;

fn create(
    mut sink: Box<dyn Sink>,
    settings: EncodeSettings,
) -> Result<Box<dyn Encoder>, EncodeError> {
    DESCRIPTOR.check(&settings)?;
    let quality = rates::resolve(&settings.spec, settings.quality)
        .map_err(|Refusal { what, .. }| failed(&what))?;
    let lame = lame(&settings.spec, quality)?;
    let tag = tag(&settings);
    sink.write_all(&tag)?;
    Ok(Box::new(Mp3Encoder {
        sink,
        lame,
        out: Vec::with_capacity(WRITE_BYTES + room(CHUNK_FRAMES)),
        info_at: tag.len() as u64,
        scale: rates::scale_by_lame(quality).recip(),
        planes: vec![Vec::with_capacity(CHUNK_FRAMES); settings.spec.channel_count()],
        settings,
    }))
}

/// The tag before the sound, which may be none.
fn tag(settings: &EncodeSettings) -> Vec<u8> {
    let broadcast = settings.tags.broadcast.as_ref();
    let further = id3::ExtraTags { chapters: &settings.chapters(), broadcast };
    id3::tag(&settings.tags, further).unwrap_or_default()
}

/// See [`crate::encode::Retag`].
fn retag(sink: &mut dyn Sink, settings: &EncodeSettings) -> Result<(), EncodeError> {
    sink.seek(SeekFrom::Start(0))?;
    sink.write_all(&tag(settings))?;
    sink.flush()?;
    Ok(())
}

/// Bytes that LAME may write for so many frames.
const fn room(frames: usize) -> usize {
    mp3lame_encoder::max_required_buffer_size(frames)
}

fn lame(spec: &StreamSpec, quality: LossyQuality) -> Result<mp3lame_encoder::Encoder, EncodeError> {
    let mut builder = Builder::new().ok_or_else(|| failed("LAME has no memory"))?;
    let is_mono = spec.channel_count() == 1;
    let rate = spec.sample_rate.0;
    builder.set_num_channels(if is_mono { 1 } else { 2 }).map_err(failed_by)?;
    builder.set_mode(if is_mono { Mode::Mono } else { Mode::JointStereo }).map_err(failed_by)?;
    builder.set_sample_rate(rate).map_err(failed_by)?;
    // Else LAME converts the rate where it finds few bits for it.
    builder.set_output_sample_rate(std::num::NonZeroU32::new(rate)).map_err(failed_by)?;
    builder.set_quality(EFFORT).map_err(failed_by)?;
    builder.set_to_write_vbr_tag(true).map_err(failed_by)?;
    match quality {
        LossyQuality::BitRateKbps(kbps) => {
            let rate = bit_rate(kbps).ok_or_else(|| failed("LAME has no such bit rate"))?;
            builder.set_vbr_mode(VbrMode::Off).map_err(failed_by)?;
            builder.set_brate(rate).map_err(failed_by)?;
        }
        LossyQuality::AverageKbps(kbps) => {
            builder.set_vbr_mode(VbrMode::Abr).map_err(failed_by)?;
            set_average(&mut builder, kbps)?;
        }
        LossyQuality::Vbr(quality) => {
            let quality = vbr_quality(quality).ok_or_else(|| failed("LAME has no such quality"))?;
            builder.set_vbr_mode(VbrMode::Mtrh).map_err(failed_by)?;
            builder.set_vbr_quality(quality).map_err(failed_by)?;
        }
    }
    builder.build().map_err(failed_by)
}

/// What the binding has no function for.
fn set_average(builder: &mut Builder, kbps: u16) -> Result<(), EncodeError> {
    // SAFETY: the pointer is that of the builder, which lives on and is used for this call only.
    let error = unsafe { ffi::lame_set_VBR_mean_bitrate_kbps(builder.as_ptr(), i32::from(kbps)) };
    if error == 0 { Ok(()) } else { Err(failed("LAME refuses the average")) }
}

/// Of [`rates::BIT_RATES_KBPS`].
fn bit_rate(kbps: u16) -> Option<Bitrate> {
    Some(match kbps {
        24 => Bitrate::Kbps24,
        32 => Bitrate::Kbps32,
        40 => Bitrate::Kbps40,
        48 => Bitrate::Kbps48,
        64 => Bitrate::Kbps64,
        80 => Bitrate::Kbps80,
        96 => Bitrate::Kbps96,
        112 => Bitrate::Kbps112,
        128 => Bitrate::Kbps128,
        160 => Bitrate::Kbps160,
        192 => Bitrate::Kbps192,
        224 => Bitrate::Kbps224,
        256 => Bitrate::Kbps256,
        320 => Bitrate::Kbps320,
        _ => return None,
    })
}

/// Of [`rates::VBR_QUALITIES`].
fn vbr_quality(quality: u8) -> Option<Quality> {
    let qualities = [
        Quality::Best,
        Quality::SecondBest,
        Quality::NearBest,
        Quality::VeryNice,
        Quality::Nice,
        Quality::Good,
        Quality::Decent,
        Quality::Ok,
        Quality::SecondWorst,
        Quality::Worst,
    ];
    qualities.get(usize::from(quality)).copied()
}

fn failed(reason: &str) -> EncodeError {
    EncodeError::Failed { format: NAME, reason: reason.to_owned() }
}

fn failed_by(error: impl Debug) -> EncodeError {
    failed(&format!("LAME says {error:?}"))
}

/// An MP3 file being written.
struct Mp3Encoder {
    sink: Box<dyn Sink>,
    settings: EncodeSettings,
    lame: mp3lame_encoder::Encoder,
    /// Bytes on their way to the sink.
    out: Vec<u8>,
    /// Where the frame with the length is, in bytes.
    info_at: u64,
    /// What samples are multiplied with, so that LAME's own scale is undone.
    scale: f32,
    /// Samples on their way to LAME.
    planes: Vec<Vec<f32>>,
}

impl Mp3Encoder {
    /// Encodes what is in `planes`.
    fn encode(&mut self) -> Result<(), EncodeError> {
        self.out.reserve(room(CHUNK_FRAMES));
        match &self.planes[..] {
            [mono] => self.lame.encode_to_vec(MonoPcm(mono), &mut self.out),
            [left, right] => self.lame.encode_to_vec(DualPcm { left, right }, &mut self.out),
            _ => return Err(failed("it stores one or two channels")),
        }
        .map_err(failed_by)?;
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
}

impl Encoder for Mp3Encoder {
    fn write(&mut self, samples: &Samples) -> Result<(), EncodeError> {
        self.settings.expect_samples(NAME, samples)?;
        let Samples::Float { planes } = samples else {
            return Err(failed("it accepts only floats"));
        };
        // LAME computes indices from samples.
        if planes.iter().flatten().any(|sample| !sample.is_finite()) {
            return Err(failed("a sample is NaN or infinite"));
        }
        let end = samples.frame_count();
        for start in (0..end).step_by(CHUNK_FRAMES) {
            let chunk = start..end.min(start + CHUNK_FRAMES);
            for (scaled, plane) in self.planes.iter_mut().zip(planes) {
                scaled.clear();
                scaled.extend(plane[chunk.clone()].iter().map(|sample| sample * self.scale));
            }
            self.encode()?;
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), EncodeError> {
        self.out.reserve(room(CHUNK_FRAMES));
        // The other flush loses the last frames.
        self.lame.flush_to_vec::<FlushGap>(&mut self.out).map_err(failed_by)?;
        self.flush()?;
        self.out.reserve(self.lame.lame_tag_size());
        self.lame
            .lame_tag_encode_to_vec(&mut self.out)
            .ok_or_else(|| failed("LAME left no room for the length"))?;
        self.sink.seek(SeekFrom::Start(self.info_at))?;
        self.flush()?;
        self.sink.seek(SeekFrom::End(0))?;
        self.sink.flush()?;
        Ok(())
    }
}
