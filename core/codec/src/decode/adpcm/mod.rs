//! ADPCM: differences of 4 bits, in blocks that begin with whole samples.
//!
//! The decoders of the three kinds are [`codec`]; where a block begins and how many frames it holds is
//! the same for all of them, and said here.

mod codec;

use super::compressed::{CodedDecoder, Packets};
use super::cut::Cut;
use super::window::{Fault, Window};
use super::{Damaged, DecodeError, Decoder, Source, StreamInfo, claims};
pub(super) use codec::AdpcmCodec;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use symphonia::core::packet::Packet;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{ChannelLayout, PcmFormat, StreamSpec};

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// Bits of what is decoded.
const BIT_DEPTH: u16 = 16;

/// Bytes and frames of one channel's block of `QuickTime`'s IMA ADPCM, which are always these.
const QUICK_TIME_BYTES: usize = 34;
const QUICK_TIME_FRAMES: usize = 64;

/// How differences become samples.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// WAVE's blocks: a header of 4 bytes a channel, then 4 bytes of each channel in turn.
    Ima,
    /// That of `QuickTime`: the block of one channel after that of another.
    ImaQuickTime,
    /// Microsoft's, with its pairs of coefficients; for mono and stereo.
    Microsoft(Vec<[i32; 2]>),
}

/// All that a decoder of blocks is made of.
#[derive(Clone, Debug)]
pub(super) struct AdpcmSetup {
    scheme: Scheme,
    /// For each channel of the layout its index in the file.
    order: Vec<usize>,
    block_bytes: usize,
    /// Frames of a whole block.
    block_frames: usize,
}

impl AdpcmSetup {
    /// Blocks of `block_bytes` bytes. A header may say that they hold fewer frames than there is room for.
    ///
    /// # Errors
    /// When such blocks hold nothing, or there are more channels than the kind has.
    pub(super) fn new(
        scheme: Scheme,
        channel_count: usize,
        block_bytes: usize,
        block_frames: Option<usize>,
    ) -> Result<Self, DecodeError> {
        if matches!(scheme, Scheme::Microsoft(_)) && channel_count > 2 {
            let what = format!("Microsoft ADPCM of {channel_count} channels");
            return Err(DecodeError::unsupported(what));
        }
        let order = (0..channel_count).collect();
        let mut setup = Self { scheme, order, block_bytes, block_frames: usize::MAX };
        let room = setup.frames_in(block_bytes);
        if room == 0 {
            return Err(DecodeError::damaged(format!(
                "blocks of {block_bytes} bytes cannot hold {channel_count} channels of ADPCM"
            )));
        }
        let stated = block_frames.filter(|&count| count > 0);
        setup.block_frames = stated.map_or(room, |count| count.min(room));
        Ok(setup)
    }

    /// Blocks of `QuickTime`.
    pub(super) fn quick_time(channel_count: usize) -> Result<Self, DecodeError> {
        Self::new(Scheme::ImaQuickTime, channel_count, QUICK_TIME_BYTES * channel_count, None)
    }

    pub(super) fn block_bytes(&self) -> u64 {
        self.block_bytes as u64
    }

    fn codec_name(&self) -> &'static str {
        match self.scheme {
            Scheme::Ima | Scheme::ImaQuickTime => "ima-adpcm",
            Scheme::Microsoft(_) => "ms-adpcm",
        }
    }

    fn channel_count(&self) -> usize {
        self.order.len()
    }

    /// Frames of a block of which `byte_count` bytes are there.
    fn frames_in(&self, byte_count: usize) -> usize {
        let channel_count = self.channel_count();
        let after = |header: usize| byte_count.checked_sub(header * channel_count);
        let room = match self.scheme {
            Scheme::Ima => after(4).map_or(0, |rest| 1 + rest / (4 * channel_count) * 8),
            Scheme::ImaQuickTime => {
                byte_count / (QUICK_TIME_BYTES * channel_count) * QUICK_TIME_FRAMES
            }
            Scheme::Microsoft(_) => after(7).map_or(0, |rest| 2 + rest * 2 / channel_count),
        };
        room.min(self.block_frames)
    }

    /// Frames of so many bytes of blocks.
    fn frames_of(&self, byte_count: u64) -> u64 {
        let whole = byte_count / self.block_bytes();
        let rest = Frames(byte_count % self.block_bytes()).as_usize();
        whole.saturating_mul(self.block_frames as u64).saturating_add(self.frames_in(rest) as u64)
    }
}

/// What a container's header says.
pub(super) struct AdpcmStream {
    pub(super) container: &'static str,
    pub(super) setup: AdpcmSetup,
    pub(super) sample_rate_hz: u64,
    pub(super) layout: ChannelLayout,
    /// First byte of the blocks.
    pub(super) start: u64,
    /// Bytes of blocks; `None` when the writer did not know.
    pub(super) claimed: Option<u64>,
    /// Which frames are audio, where the header says so.
    pub(super) valid: Option<Range<u64>>,
}

impl AdpcmStream {
    /// Checks what the header claims and makes a decoder of the blocks.
    pub(super) fn open(
        mut self,
        source: Box<dyn Source>,
        byte_count: u64,
        damaged: Damaged,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let rate = claims::check_stream(self.sample_rate_hz, self.setup.channel_count() as u64)?;
        let there = byte_count.saturating_sub(self.start);
        let claimed = self.claimed.unwrap_or(there);
        let promised = claims::check_frames(self.setup.frames_of(claimed), rate)?;
        let held = self.setup.frames_of(claimed.min(there));
        if held < promised.0 && (!damaged.is_repaired() || held == 0) {
            return Err(DecodeError::truncated(promised, Frames(held)));
        }
        let mut warnings = Vec::new();
        let valid = self.valid_frames(promised.0, &mut warnings);
        let cut = Cut::new(valid.start, valid.end, held);
        let (layout, order) = self.layout.into_mask_order();
        self.setup.order = order;
        let info = StreamInfo {
            container: self.container,
            codec: self.setup.codec_name(),
            spec: StreamSpec { sample_rate: SampleRate(rate), layout },
            format: PcmFormat::int(BIT_DEPTH),
            lossless: false,
            frame_count: Some(Frames(valid.end - valid.start)),
            warnings,
        };
        let window = Window::new(source, self.start, self.start + claimed.min(there))?;
        let fault = window.fault();
        let packets = BlockPackets {
            reader: BufReader::with_capacity(BUFFER_BYTES, window),
            fault: fault.clone(),
            setup: self.setup.clone(),
            cut,
            byte_count: claimed.min(there),
            left: claimed.min(there),
            position: 0,
        };
        CodedDecoder::open(info, Box::new(packets), self.setup, fault, damaged)
    }

    /// Which of `held` frames are audio. The last block is filled up, so that what a header says is
    /// believed within that block; writers are known that state something else.
    fn valid_frames(&self, held: u64, warnings: &mut Vec<String>) -> Range<u64> {
        let Some(valid) = self.valid.clone() else { return 0..held };
        let block_frames = self.setup.block_frames as u64;
        let is_padding =
            valid.start <= valid.end && valid.end <= held && held - valid.end < block_frames;
        if is_padding {
            return valid;
        }
        warnings.push(format!(
            "its header states {} frames, but its blocks hold {held}; all of them were read",
            valid.end.saturating_sub(valid.start)
        ));
        0..held
    }
}

/// The blocks of a file.
struct BlockPackets {
    reader: BufReader<Window>,
    fault: Fault,
    setup: AdpcmSetup,
    cut: Cut,
    byte_count: u64,
    /// Bytes not read yet.
    left: u64,
    /// Frames decoded so far.
    position: u64,
}

impl Packets for BlockPackets {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let length = Frames(self.left.min(self.setup.block_bytes())).as_usize();
        let frame_count = self.setup.frames_in(length) as u64;
        if frame_count == 0 {
            return Ok(None);
        }
        let mut data = vec![0; length];
        self.reader
            .read_exact(&mut data)
            .map_err(|error| DecodeError::Io(self.fault.take().unwrap_or(error)))?;
        self.left -= length as u64;
        let first = self.position;
        self.position += frame_count;
        Ok(Some(self.cut.packet(first, frame_count, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.reader.seek(SeekFrom::Start(0))?;
        (self.left, self.position) = (self.byte_count, 0);
        Ok(self)
    }
}
