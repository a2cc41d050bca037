//! Opus in Matroska: the header is the track's configuration, the delay is the container's or, where that
//! states none, the header's.
//!
//! Source: "Matroska Media Container Codec Specifications" (draft-ietf-cellar-codec), `A_OPUS`; RFC 7845.

use super::blocks::Blocks;
use super::header::Track;
use crate::audio::{PcmFormat, Samples, StreamSpec};
use crate::decode::coded::{DRIFT_S, Packets, UNKNOWN_PLACE};
use crate::decode::{DecodeError, Decoder, StreamInfo, claims, opus as ogg_opus, pcm};
use crate::opus::{self, Head, RATE_HZ, packet_frames};
use crate::units::{Decibels, Frames, SampleRate, Seconds};
use std::panic::{AssertUnwindSafe, catch_unwind};
use symphonia::core::packet::Packet;

/// What is known before the first packet.
pub(super) struct Setup {
    pub(super) spec: StreamSpec,
    /// Frames before the sound.
    pub(super) delay: u64,
    head: Head,
    /// For each channel which one of the stream's it is.
    order: Vec<usize>,
}

impl Setup {
    /// Reads a track's configuration.
    pub(super) fn read(track: &Track) -> Result<Self, DecodeError> {
        let bad = || DecodeError::damaged("its Opus header cannot be read");
        let head = Head::parse(&track.private).ok_or_else(bad)?;
        let (layout, order) = ogg_opus::channels(&head)?;
        claims::check_stream(RATE_HZ.into(), head.channel_count.into())?;
        let spec = StreamSpec { sample_rate: SampleRate(RATE_HZ), layout };
        let delay = match track.delay_ns {
            0 => u64::from(head.pre_skip),
            _ => track.delay(RATE_HZ),
        };
        Ok(Self { spec, delay, head, order })
    }
}

/// Decodes the packets of a track.
pub(super) struct OpusBlocks {
    info: StreamInfo,
    setup: Setup,
    gain: Option<f32>,
    codec: opus::Decoder,
    /// `None` after a failure: nothing more can be had.
    blocks: Option<Blocks>,
    /// Frames to leave out still.
    skip: u64,
    /// Place the next packet should have.
    expected: Option<i64>,
    /// Interleaved samples that were decoded.
    decoded: Vec<f32>,
    /// Frames of them that were delivered or left out.
    used: usize,
    /// Frames delivered.
    position: u64,
}

impl OpusBlocks {
    pub(super) fn open(
        blocks: Blocks,
        setup: Setup,
        warnings: Vec<String>,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let info = StreamInfo {
            container: "matroska",
            codec: "opus",
            spec: setup.spec.clone(),
            format: PcmFormat::FLOAT,
            lossless: false,
            frame_count: None,
            warnings,
        };
        let gain = Decibels(f64::from(setup.head.gain_q8) / 256.0).to_amplitude();
        #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
        let gain = (setup.head.gain_q8 != 0).then_some(gain as f32);
        Ok(Box::new(Self {
            info,
            gain,
            codec: make_codec(&setup.head)?,
            blocks: Some(blocks),
            skip: setup.delay,
            setup,
            expected: None,
            decoded: Vec::new(),
            used: 0,
            position: 0,
        }))
    }

    fn channel_count(&self) -> usize {
        self.setup.head.channel_count.into()
    }

    /// Frames decoded and not used.
    fn pending(&self) -> usize {
        self.decoded.len() / self.channel_count() - self.used
    }

    /// Decodes until there is something; `false` at the end.
    fn fill(&mut self) -> Result<bool, DecodeError> {
        while self.pending() == 0 {
            let Some(blocks) = &mut self.blocks else {
                return Err(DecodeError::damaged("decoding failed before"));
            };
            let Some(packet) = blocks.next()? else { return Ok(false) };
            self.decode(&packet)?;
        }
        Ok(true)
    }

    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let position = self.position;
        let place = match (packet.pts.get(), self.expected) {
            (UNKNOWN_PLACE, expected) => expected.unwrap_or(0),
            (place, _) => place,
        };
        let drift = Seconds(DRIFT_S).to_frames(SampleRate(RATE_HZ)).0;
        if self.expected.is_some_and(|expected| expected.abs_diff(place) > drift) {
            return Err(DecodeError::damaged(format!(
                "some of it is missing or unreadable near frame {position}"
            )));
        }
        let (codec, decoded) = (&mut self.codec, &mut self.decoded);
        let result = catch_unwind(AssertUnwindSafe(|| codec.decode(&packet.data, decoded)));
        self.used = 0;
        let frames = self.decoded.len() / self.channel_count();
        let is_whole = matches!(result, Ok(Some(())))
            && packet_frames(&packet.data).is_some_and(|stated| stated as usize == frames);
        if !is_whole {
            self.decoded.clear();
            return Err(DecodeError::damaged(format!("a packet is broken near frame {position}")));
        }
        self.expected = place.checked_add(i64::try_from(frames).unwrap_or(i64::MAX));
        let skipped = Frames(self.skip).as_usize().min(frames);
        self.skip -= skipped as u64;
        let trimmed = Frames(packet.trim_start.get()).as_usize().min(frames);
        self.used = skipped.max(trimmed);
        let kept = frames.saturating_sub(Frames(packet.trim_end.get()).as_usize()).max(self.used);
        self.decoded.truncate(kept * self.channel_count());
        Ok(())
    }

    fn try_read(&mut self, planes: &mut [Vec<f32>], most: usize) -> Result<usize, DecodeError> {
        planes.iter_mut().for_each(Vec::clear);
        if most == 0 || !self.fill()? {
            return Ok(0);
        }
        let frame_count = self.pending().min(most);
        let channel_count = self.channel_count();
        let frames = self.decoded[self.used * channel_count..].chunks_exact(channel_count);
        for (plane, &from) in planes.iter_mut().zip(&self.setup.order) {
            let gain = self.gain.unwrap_or(1.0);
            plane.extend(frames.clone().take(frame_count).map(|frame| frame[from] * gain));
        }
        self.used += frame_count;
        pcm::check_finite(planes, Frames(self.position))?;
        self.position += frame_count as u64;
        Ok(frame_count)
    }
}

fn make_codec(head: &Head) -> Result<opus::Decoder, DecodeError> {
    opus::Decoder::new(head).ok_or_else(|| DecodeError::damaged("its Opus header makes no sense"))
}

impl Decoder for OpusBlocks {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, out: &mut Samples, frame_count_max: usize) -> Result<usize, DecodeError> {
        let channel_count = self.info.spec.channel_count();
        if out.format() != PcmFormat::FLOAT || out.channel_count() != channel_count {
            *out = Samples::empty(PcmFormat::FLOAT, channel_count);
        }
        let Samples::Float { planes } = out else { unreachable!("the variant was set above") };
        let result = self.try_read(planes, frame_count_max);
        if result.is_err() {
            self.blocks = None;
            self.decoded.clear();
            self.used = 0;
        }
        result
    }

    fn rewind(&mut self) -> Result<(), DecodeError> {
        let blocks = self.blocks.as_mut();
        blocks.ok_or_else(|| DecodeError::damaged("decoding failed before"))?.restart()?;
        self.codec = make_codec(&self.setup.head)?;
        self.skip = self.setup.delay;
        self.expected = None;
        self.decoded.clear();
        (self.used, self.position) = (0, 0);
        Ok(())
    }
}
