//! Opus in Ogg: pre-skip and padding removed, the header's gain applied, every page held against the
//! place it states.
//!
//! Source: RFC 7845.

mod pages;

use self::pages::{PAGE_BYTES_MAX, Page, Pages};
use super::chunks::read_up_to;
use super::{DecodeError, Decoder, Source, StreamInfo, claims, pcm};
use crate::audio::{ChannelLayout, ChannelPosition, PcmFormat, Samples, StreamSpec, vorbis_order};
use crate::opus::{self, Head, RATE_HZ, packet_frames};
use crate::units::{Decibels, Frames, SampleRate};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Opens a file whose first page holds an Opus header.
pub(super) fn open(
    mut source: Box<dyn Source>,
    byte_count: u64,
) -> Result<Box<dyn Decoder>, DecodeError> {
    let tail_start = byte_count.saturating_sub(PAGE_BYTES_MAX as u64);
    let tail = read_up_to(source.as_mut(), tail_start, PAGE_BYTES_MAX)?;
    let stream = Stream::begin(source)?;
    let head = stream.head.clone();
    let (layout, order) = channels(&head)?;
    claims::check_stream(RATE_HZ.into(), u64::from(head.channel_count))?;
    let last = Page::find_last(&tail, stream.pages.serial()).filter(Page::is_last);
    let end = last.map(|page| page.granule.saturating_sub(stream.first_granule));
    let frame_count = end.map(|end| end.saturating_sub(head.pre_skip.into()));
    let frame_count = frame_count.map(|count| claims::check_frames(count, RATE_HZ)).transpose()?;
    let info = StreamInfo {
        container: "ogg",
        codec: "opus",
        spec: StreamSpec { sample_rate: SampleRate(RATE_HZ), layout },
        format: PcmFormat::FLOAT,
        lossless: false,
        frame_count,
        warnings: Vec::new(),
    };
    let gain = Decibels(f64::from(head.gain_q8) / 256.0).to_amplitude();
    #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
    let gain = (head.gain_q8 != 0).then_some(gain as f32);
    Ok(Box::new(OpusDecoder { info, order, gain, stream: Some(stream), position: 0 }))
}

/// The layout, and for each of its channels which one of the stream's it is.
pub(super) fn channels(head: &Head) -> Result<(ChannelLayout, Vec<usize>), DecodeError> {
    let count = usize::from(head.channel_count);
    match head.family {
        0 | 1 => {
            let layout = ChannelLayout::usual(count);
            let stored = vorbis_order::indices(&layout)
                .ok_or_else(|| DecodeError::damaged("its channels have no order"))?;
            let place = |channel| stored.iter().position(|index| *index == channel);
            let order = (0..count).filter_map(place).collect();
            Ok((layout, order))
        }
        255 => {
            let layout = match count {
                1 | 2 => ChannelLayout::usual(count),
                _ => ChannelLayout::new(vec![ChannelPosition::Unknown; count]),
            };
            Ok((layout, (0..count).collect()))
        }
        2 | 3 => Err(DecodeError::unsupported("ambisonics in Opus")),
        family => Err(DecodeError::unsupported(format!("Opus channel mapping family {family}"))),
    }
}

/// The packets of a stream from its first sound on, and what decodes them.
struct Stream {
    head: Head,
    pages: Pages,
    codec: opus::Decoder,
    /// Position of the first frame: a stream that was cut from a longer one starts later than 0.
    first_granule: u64,
    packets: VecDeque<Vec<u8>>,
    /// Position behind the packets decoded or dropped so far.
    granule: u64,
    /// Position stated by the page the packets are from.
    page_end: u64,
    is_last: bool,
    /// Frames to leave out still.
    skip: usize,
    /// Interleaved samples that were decoded.
    decoded: Vec<f32>,
    /// Frames of them that were delivered or left out.
    used: usize,
}

impl Stream {
    /// Reads the headers and the first page with sound.
    fn begin(source: Box<dyn Source>) -> Result<Self, DecodeError> {
        let mut pages = Pages::new(source)?;
        let cut = || DecodeError::truncated("a page with sound", "none");
        let first = pages.next()?.ok_or_else(cut)?;
        let head = match &first.packets[..] {
            [packet] => Head::parse(packet),
            _ => None,
        };
        let head = head.ok_or_else(|| DecodeError::damaged("its Opus header cannot be read"))?;
        let tags = pages.next()?.ok_or_else(cut)?;
        if !matches!(&tags.packets[..], [packet] if packet.starts_with(b"OpusTags")) {
            return Err(DecodeError::damaged("its Opus comments cannot be read"));
        }
        let sound = pages.next()?.ok_or_else(cut)?;
        let mut duration = 0;
        for packet in &sound.packets {
            let frames = packet_frames(packet);
            duration +=
                u64::from(frames.ok_or_else(|| DecodeError::damaged("a packet is broken"))?);
        }
        // Only the last page may state less than it holds.
        let first_granule = match sound.granule.checked_sub(duration) {
            Some(start) => start,
            None if sound.is_last => 0,
            None => return Err(DecodeError::damaged("its first page states too early a position")),
        };
        let codec = opus::Decoder::new(&head)
            .ok_or_else(|| DecodeError::damaged("its Opus header makes no sense"))?;
        Ok(Self {
            skip: usize::from(head.pre_skip),
            head,
            pages,
            codec,
            first_granule,
            packets: sound.packets.into(),
            granule: first_granule,
            page_end: sound.granule,
            is_last: sound.is_last,
            decoded: Vec::new(),
            used: 0,
        })
    }

    /// Frames decoded and not used.
    fn pending(&self) -> usize {
        self.decoded.len() / usize::from(self.head.channel_count) - self.used
    }

    /// Decodes until there is something; `false` at the end.
    fn fill(&mut self, position: u64) -> Result<bool, DecodeError> {
        while self.pending() == 0 {
            let Some(packet) = self.packets.pop_front() else {
                if !self.next_page(position)? {
                    return Ok(false);
                }
                continue;
            };
            self.decode(&packet, position)?;
        }
        Ok(true)
    }

    /// Goes on to the next page; `false` behind the last one.
    fn next_page(&mut self, position: u64) -> Result<bool, DecodeError> {
        if self.is_last {
            self.pages.check_end()?;
            return Ok(false);
        }
        if self.granule != self.page_end {
            return Err(missing(position));
        }
        let page = self.pages.next()?;
        let page = page.ok_or_else(|| DecodeError::truncated("a last page", "none"))?;
        self.packets = page.packets.into();
        // A last page without a packet states where the one before it ended.
        self.page_end = page.granule;
        self.is_last = page.is_last;
        Ok(true)
    }

    fn decode(&mut self, packet: &[u8], position: u64) -> Result<(), DecodeError> {
        let (codec, decoded) = (&mut self.codec, &mut self.decoded);
        let result = catch_unwind(AssertUnwindSafe(|| codec.decode(packet, decoded)));
        self.used = 0;
        let frames = self.decoded.len() / usize::from(self.head.channel_count);
        let is_whole = matches!(result, Ok(Some(())))
            && packet_frames(packet).is_some_and(|stated| stated as usize == frames);
        if !is_whole {
            self.decoded.clear();
            return Err(DecodeError::damaged(format!("a packet is broken near frame {position}")));
        }
        self.granule += frames as u64;
        let skipped = self.skip.min(frames);
        self.skip -= skipped;
        self.used = skipped;
        if self.is_last {
            let beyond = Frames(self.granule.saturating_sub(self.page_end)).as_usize();
            let kept = frames.saturating_sub(beyond).max(self.used);
            self.decoded.truncate(kept * usize::from(self.head.channel_count));
            if self.packets.is_empty() && self.granule < self.page_end {
                return Err(missing(position));
            }
        }
        Ok(())
    }
}

/// What a stream is whose pages and packets disagree.
fn missing(position: u64) -> DecodeError {
    DecodeError::damaged(format!("some of it is missing or unreadable near frame {position}"))
}

/// Decodes a [`Stream`].
struct OpusDecoder {
    info: StreamInfo,
    /// For each channel which one of the stream's it is.
    order: Vec<usize>,
    /// What the header wants everything multiplied with.
    gain: Option<f32>,
    /// `None` after a failure: nothing more can be had.
    stream: Option<Stream>,
    /// Frames delivered.
    position: u64,
}

impl OpusDecoder {
    fn try_read(&mut self, planes: &mut [Vec<f32>], most: usize) -> Result<usize, DecodeError> {
        let Some(stream) = &mut self.stream else {
            return Err(DecodeError::damaged("decoding failed before"));
        };
        planes.iter_mut().for_each(Vec::clear);
        if most == 0 || !stream.fill(self.position)? {
            if most > 0 {
                self.check_end()?;
            }
            return Ok(0);
        }
        let frame_count = stream.pending().min(most);
        let channel_count = planes.len();
        let frames = stream.decoded[stream.used * channel_count..].chunks_exact(channel_count);
        for (plane, &from) in planes.iter_mut().zip(&self.order) {
            let samples = frames.clone().take(frame_count).map(|frame| frame[from]);
            match self.gain {
                Some(gain) => plane.extend(samples.map(|sample| sample * gain)),
                None => plane.extend(samples),
            }
        }
        stream.used += frame_count;
        pcm::check_finite(planes, Frames(self.position))?;
        self.position += frame_count as u64;
        Ok(frame_count)
    }

    fn check_end(&self) -> Result<(), DecodeError> {
        match self.info.frame_count {
            Some(promised) if promised.0 != self.position => {
                Err(DecodeError::truncated(promised, Frames(self.position)))
            }
            _ => Ok(()),
        }
    }
}

impl Decoder for OpusDecoder {
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
            self.stream = None;
        }
        result
    }

    fn rewind(&mut self) -> Result<(), DecodeError> {
        let stream = self.stream.take();
        let stream = stream.ok_or_else(|| DecodeError::damaged("decoding failed before"))?;
        self.stream = Some(Stream::begin(stream.pages.into_source())?);
        self.position = 0;
        Ok(())
    }
}
