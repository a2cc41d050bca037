//! Uncompressed samples: from interleaved bytes to planes.

use super::companding::Law;
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
use super::compressed::Codec;
use super::repair::{Ledger, RepairKind};
use super::{Damaged, DecodeError, Decoder, Repair, Source, StreamInfo, claims};
use std::io::{ErrorKind, Read, SeekFrom};
use std::ops::Range;
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
use symphonia::core::packet::Packet;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{ChannelLayout, PcmFormat, SampleFormat, Samples, StreamSpec};

/// Bytes read at once. Large enough that a system call's cost vanishes, small enough that they are
/// still in the second-level cache when they are converted.
const BUFFER_BYTES: usize = 256 * 1024;

/// How one sample is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) format: PcmFormat,
    /// Bytes a sample takes; its valid bits are the upper ones.
    pub(super) container_bytes: usize,
    pub(super) big_endian: bool,
    /// 8-bit WAVE and AIFC `raw ` store 128 for silence.
    pub(super) is_unsigned: bool,
    /// Bytes on a logarithmic scale.
    pub(super) law: Option<Law>,
}

/// What a container's header says about its samples.
pub(super) struct PcmStream {
    pub(super) container: &'static str,
    pub(super) coding: Coding,
    pub(super) sample_rate_hz: u64,
    /// The channels as they are stored; they are delivered in the order of the WAVE mask, which is
    /// what the formats that are written can state.
    pub(super) layout: ChannelLayout,
    /// First byte of the samples.
    pub(super) data_start: u64,
    /// Frames promised.
    pub(super) promised: u64,
    /// Frames that are there.
    pub(super) available: u64,
    /// What the caller should be warned of.
    pub(super) warnings: Vec<String>,
    /// Whether what follows the samples was left out, since it is nothing that can be there.
    pub(super) leaves_out: bool,
}

/// Reads the samples a [`PcmStream`] describes.
pub(super) struct PcmDecoder {
    source: Box<dyn Source>,
    info: StreamInfo,
    coding: Coding,
    /// For each channel its index in a stored frame; `None` when that is its own.
    stored_index: Option<Vec<usize>>,
    frame_bytes: usize,
    data_start: u64,
    frame_count: u64,
    /// Frames delivered.
    position: u64,
    buffer: Vec<u8>,
    /// Bytes of `buffer` delivered already.
    consumed: usize,
    /// Where damage is repaired.
    ledger: Option<Ledger>,
    /// Frames promised, where they are more than there are.
    promised: Option<u64>,
    leaves_out: bool,
}

impl PcmDecoder {
    /// Checks what the header claims and goes to the first sample.
    pub(super) fn open(
        mut source: Box<dyn Source>,
        stream: PcmStream,
        damaged: Damaged,
    ) -> Result<Box<dyn Decoder>, DecodeError> {
        let channel_count = stream.layout.channel_count();
        let rate = claims::check_stream(stream.sample_rate_hz, channel_count as u64)?;
        let is_cut = stream.promised > stream.available;
        if is_cut && (!damaged.is_repaired() || stream.available == 0) {
            return Err(DecodeError::truncated(Frames(stream.promised), Frames(stream.available)));
        }
        let frame_count = claims::check_frames(stream.promised.min(stream.available), rate)?;
        source.seek(SeekFrom::Start(stream.data_start))?;
        let (layout, stored_index) = stream.layout.into_mask_order();
        let mut decoder = Self {
            source,
            info: StreamInfo {
                container: stream.container,
                codec: stream.coding.law.map_or("pcm", Law::name),
                spec: StreamSpec { sample_rate: SampleRate(rate), layout },
                format: stream.coding.format,
                lossless: stream.coding.law.is_none(),
                frame_count: Some(frame_count),
                warnings: stream.warnings,
            },
            coding: stream.coding,
            stored_index: Some(stored_index).filter(|indices| !indices.is_sorted()),
            frame_bytes: stream.coding.container_bytes * channel_count,
            data_start: stream.data_start,
            frame_count: frame_count.0,
            position: 0,
            buffer: Vec::new(),
            consumed: 0,
            ledger: damaged.is_repaired().then(|| Ledger::new(SampleRate(rate))),
            promised: is_cut.then_some(stream.promised),
            leaves_out: stream.leaves_out,
        };
        decoder.note_end();
        Ok(Box::new(decoder))
    }

    /// Reports what is wrong with the end; known from the start.
    fn note_end(&mut self) {
        if let Some(ledger) = self.ledger.as_mut().filter(|_| self.leaves_out) {
            ledger.note(RepairKind::LeftOut, self.frame_count, 1, 0);
        }
        if let (Some(ledger), Some(promised)) = (&mut self.ledger, self.promised) {
            let detail = format!("its header states {}", Frames(promised));
            ledger.note(RepairKind::CutShort, self.frame_count, 1, 0).detail = Some(detail);
        }
    }

    /// Reads the next bytes into the empty buffer.
    fn fill(&mut self) -> Result<(), DecodeError> {
        let buffer_frames = (BUFFER_BYTES / self.frame_bytes).max(1);
        let left = self.frame_count - self.position;
        let frame_count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer_frames);
        self.consumed = 0;
        self.buffer.resize(frame_count * self.frame_bytes, 0);
        self.source.read_exact(&mut self.buffer).map_err(|error| {
            self.buffer.clear();
            match error.kind() {
                ErrorKind::UnexpectedEof => DecodeError::truncated(
                    Frames(self.frame_count),
                    format_args!("fewer than {}", Frames(self.position + frame_count as u64)),
                ),
                _ => DecodeError::Io(error),
            }
        })
    }
}

impl Decoder for PcmDecoder {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, out: &mut Samples, frame_count_max: usize) -> Result<usize, DecodeError> {
        let channel_count = self.info.spec.channel_count();
        if out.channel_count() != channel_count || out.format() != held_as(self.coding.format) {
            *out = Samples::empty(self.coding.format, channel_count);
        }
        if self.position == self.frame_count || frame_count_max == 0 {
            out.clear();
            return Ok(0);
        }
        if self.consumed == self.buffer.len() {
            self.fill()?;
        }
        let bytes = &self.buffer[self.consumed..];
        let frame_count = (bytes.len() / self.frame_bytes).min(frame_count_max);
        let byte_count = frame_count * self.frame_bytes;
        match out {
            Samples::Int { planes, .. } => {
                let checked = check_unused_bits(&bytes[..byte_count], self.coding);
                match (&mut self.ledger, checked) {
                    // The bits are cut off as the samples are unpacked.
                    (Some(ledger), Err(_)) => {
                        let frames = bytes[..byte_count].chunks_exact(self.frame_bytes);
                        let first = frames.map(|frame| check_unused_bits(frame, self.coding));
                        let first = first.take_while(Result::is_ok).count() as u64;
                        ledger.note_once(RepairKind::ExtraBits, self.position + first);
                    }
                    (_, checked) => checked?,
                }
                unpack_ints(&bytes[..byte_count], self.coding, planes, frame_count);
                reorder(planes, self.stored_index.as_deref());
            }
            Samples::Float { planes } => {
                unpack_floats(&bytes[..byte_count], self.coding, planes, frame_count);
                reorder(planes, self.stored_index.as_deref());
                match &mut self.ledger {
                    Some(ledger) => ledger.repair_floats(planes, Frames(self.position)),
                    None => check_finite(planes, Frames(self.position))?,
                }
            }
        }
        self.consumed += byte_count;
        self.position += frame_count as u64;
        Ok(frame_count)
    }

    fn rewind(&mut self) -> Result<(), DecodeError> {
        self.source.seek(SeekFrom::Start(self.data_start))?;
        self.position = 0;
        self.consumed = 0;
        self.buffer.clear();
        if let Some(ledger) = &mut self.ledger {
            ledger.rewind();
        }
        self.note_end();
        Ok(())
    }

    fn repairs(&self) -> Vec<Repair> {
        self.ledger.as_ref().map_or_else(Vec::new, Ledger::repairs)
    }
}

/// Samples that lie in packets.
#[cfg(any(feature = "matroska", feature = "mpeg4"))]
pub(super) struct PcmCodec {
    coding: Coding,
    /// For each channel its index in a stored frame; `None` when that is its own.
    stored_index: Option<Vec<usize>>,
    decoded: Samples,
}

#[cfg(any(feature = "matroska", feature = "mpeg4"))]
impl PcmCodec {
    /// For each channel `order` has its index in a stored frame.
    pub(super) fn new(coding: Coding, order: &[usize]) -> Self {
        Self {
            coding,
            stored_index: (!order.is_sorted()).then(|| order.to_vec()),
            decoded: Samples::empty(coding.format, order.len()),
        }
    }
}

#[cfg(any(feature = "matroska", feature = "mpeg4"))]
impl Codec for PcmCodec {
    fn decode(&mut self, packet: &Packet) -> Result<(), DecodeError> {
        let frame_bytes = self.coding.container_bytes * self.decoded.channel_count();
        let frame_count = packet.data.len() / frame_bytes;
        self.decoded.clear();
        if packet.data.len() != frame_count * frame_bytes {
            return Err(DecodeError::damaged("a packet ends within a frame"));
        }
        match &mut self.decoded {
            Samples::Int { planes, .. } => {
                check_unused_bits(&packet.data, self.coding)?;
                unpack_ints(&packet.data, self.coding, planes, frame_count);
                reorder(planes, self.stored_index.as_deref());
            }
            Samples::Float { planes } => {
                unpack_floats(&packet.data, self.coding, planes, frame_count);
                reorder(planes, self.stored_index.as_deref());
            }
        }
        Ok(())
    }

    fn frame_count(&self) -> usize {
        self.decoded.frame_count()
    }

    fn channel_count(&self) -> usize {
        self.decoded.channel_count()
    }

    fn copy(&self, range: Range<usize>, out: &mut Samples) -> Result<(), DecodeError> {
        match (&self.decoded, out) {
            (Samples::Int { planes, .. }, Samples::Int { planes: out, .. }) => {
                copy(planes, range, out);
            }
            (Samples::Float { planes }, Samples::Float { planes: out }) => copy(planes, range, out),
            _ => return Err(DecodeError::unsupported("another sample format")),
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), DecodeError> {
        Ok(())
    }
}

/// Replaces the planes of `out` by `range` of those of `planes`.
pub(super) fn copy<T: Copy>(planes: &[Vec<T>], range: Range<usize>, out: &mut [Vec<T>]) {
    for (plane, out) in planes.iter().zip(out) {
        out.clear();
        out.extend_from_slice(&plane[range.clone()]);
    }
}

/// The format [`Samples`] report when they hold samples stored as `format`.
fn held_as(format: PcmFormat) -> PcmFormat {
    match format.sample_format {
        SampleFormat::Int => format,
        SampleFormat::Float => PcmFormat::FLOAT,
    }
}

/// Fails when a sample is NaN or infinite; `first` is the frame the planes start with.
pub(super) fn check_finite(planes: &[Vec<f32>], first: Frames) -> Result<(), DecodeError> {
    // A fold without an early exit is what the compiler turns into vector code.
    let is_finite = |plane: &Vec<f32>| plane.iter().fold(true, |all, x| all & x.is_finite());
    if planes.iter().all(is_finite) {
        return Ok(());
    }
    let positions = planes.iter().filter_map(|plane| plane.iter().position(|x| !x.is_finite()));
    let offset = positions.min().expect("the fold found one");
    Err(DecodeError::NonFinite { frame: Frames(first.0 + offset as u64) })
}

/// Fails when a sample has bits below those its header says are valid: they would be lost.
fn check_unused_bits(bytes: &[u8], coding: Coding) -> Result<(), DecodeError> {
    let unused = (8 * coding.container_bytes).saturating_sub(coding.format.bit_depth.into());
    if unused == 0 {
        return Ok(());
    }
    let push = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
    let value = |sample: &[u8]| {
        if coding.big_endian {
            sample.iter().fold(0, push)
        } else {
            sample.iter().rev().fold(0, push)
        }
    };
    let samples = bytes.chunks_exact(coding.container_bytes);
    // A fold without an early exit, as in `check_finite`.
    let used = samples.fold(0, |used, sample| used | value(sample));
    if used & ((1 << unused) - 1) == 0 {
        return Ok(());
    }
    Err(DecodeError::damaged("its samples use more bits than its header states"))
}

fn unpack_ints(bytes: &[u8], coding: Coding, planes: &mut [Vec<i32>], frame_count: usize) {
    // Every container is widened to the top of 32 bits and shifted down, so that containers with
    // unused low bits need no code of their own.
    let shift = 32 - u32::from(coding.format.bit_depth);
    match (coding.container_bytes, coding.big_endian) {
        (1, _) if let Some(law) = coding.law => {
            let table = law.table();
            unpack(bytes, planes, frame_count, |[byte]: [u8; 1]| table[usize::from(byte)]);
        }
        (1, _) => {
            let flip = if coding.is_unsigned { 0x80 } else { 0 };
            let widen = |[a]: [u8; 1]| i32::from_le_bytes([0, 0, 0, a ^ flip]) >> shift;
            unpack(bytes, planes, frame_count, widen);
        }
        (2, false) => {
            unpack(bytes, planes, frame_count, |[a, b]| i32::from_le_bytes([0, 0, a, b]) >> shift);
        }
        (2, true) => {
            unpack(bytes, planes, frame_count, |[a, b]| i32::from_be_bytes([a, b, 0, 0]) >> shift);
        }
        (3, false) => {
            unpack(bytes, planes, frame_count, |[a, b, c]| {
                i32::from_le_bytes([0, a, b, c]) >> shift
            });
        }
        (3, true) => {
            unpack(bytes, planes, frame_count, |[a, b, c]| {
                i32::from_be_bytes([a, b, c, 0]) >> shift
            });
        }
        (4, false) => unpack(bytes, planes, frame_count, |b| i32::from_le_bytes(b) >> shift),
        (4, true) => unpack(bytes, planes, frame_count, |b| i32::from_be_bytes(b) >> shift),
        _ => unreachable!("readers accept containers of 1 to 4 bytes"),
    }
}

fn unpack_floats(bytes: &[u8], coding: Coding, planes: &mut [Vec<f32>], frame_count: usize) {
    #[expect(clippy::cast_possible_truncation, reason = "rounding to the nearest f32 is meant")]
    let narrow = |value: f64| value as f32;
    match (coding.container_bytes, coding.big_endian) {
        (4, false) => unpack(bytes, planes, frame_count, f32::from_le_bytes),
        (4, true) => unpack(bytes, planes, frame_count, f32::from_be_bytes),
        (8, false) => unpack(bytes, planes, frame_count, |b| narrow(f64::from_le_bytes(b))),
        (8, true) => unpack(bytes, planes, frame_count, |b| narrow(f64::from_be_bytes(b))),
        _ => unreachable!("readers accept floats of 4 and 8 bytes"),
    }
}

/// Brings planes from stored order into that of the layout.
fn reorder<T>(planes: &mut Vec<Vec<T>>, stored_index: Option<&[usize]>) {
    if let Some(indices) = stored_index {
        *planes = indices.iter().map(|&index| std::mem::take(&mut planes[index])).collect();
    }
}

/// Splits interleaved samples of `BYTES` bytes into planes of `frame_count` frames.
fn unpack<const BYTES: usize, T: Copy + Default>(
    bytes: &[u8],
    planes: &mut [Vec<T>],
    frame_count: usize,
    convert: impl Fn([u8; BYTES]) -> T,
) {
    for plane in planes.iter_mut() {
        plane.resize(frame_count, T::default());
    }
    let samples = bytes.as_chunks::<BYTES>().0;
    match planes {
        [plane] => {
            for (out, &sample) in plane.iter_mut().zip(samples) {
                *out = convert(sample);
            }
        }
        [left, right] => {
            let frames = samples.as_chunks::<2>().0;
            for ((left, right), frame) in left.iter_mut().zip(right).zip(frames) {
                *left = convert(frame[0]);
                *right = convert(frame[1]);
            }
        }
        _ => {
            let channel_count = planes.len();
            for (channel, plane) in planes.iter_mut().enumerate() {
                let channel = samples.iter().skip(channel).step_by(channel_count);
                for (out, &sample) in plane.iter_mut().zip(channel) {
                    *out = convert(sample);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coding(bit_depth: u16, container_bytes: usize) -> Coding {
        Coding {
            format: PcmFormat::int(bit_depth),
            container_bytes,
            big_endian: false,
            is_unsigned: false,
            law: None,
        }
    }

    #[test]
    fn ints_keep_only_their_valid_bits() {
        let mut planes = vec![Vec::new()];
        unpack_ints(&[0xf0, 0xff, 0x7f, 0x00, 0x00, 0x80], coding(20, 3), &mut planes, 2);
        assert_eq!(planes[0], [0x7ffff, -0x80000]);
    }

    #[test]
    fn bits_below_the_valid_ones_are_damage_in_either_byte_order() {
        for (big_endian, unused) in [(false, [0x01, 0, 0x40]), (true, [0x40, 0, 0x01])] {
            let coding = Coding { big_endian, ..coding(20, 3) };
            let error = check_unused_bits(&unused, coding).unwrap_err();
            assert!(error.to_string().contains("more bits than its header states"), "{error}");
        }
        assert!(check_unused_bits(&[0x10, 0, 0x40], coding(20, 3)).is_ok());
        assert!(check_unused_bits(&[0x01, 0, 0x40], coding(24, 3)).is_ok());
    }

    #[test]
    fn unsigned_bytes_are_centered() {
        let mut planes = vec![Vec::new()];
        let coding = Coding { is_unsigned: true, ..coding(8, 1) };
        unpack_ints(&[0, 128, 255], coding, &mut planes, 3);
        assert_eq!(planes[0], [-128, 0, 127]);
    }

    #[test]
    fn three_channels_are_split_in_stored_order() {
        let mut planes = vec![Vec::new(); 3];
        unpack_ints(&[1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0], coding(16, 2), &mut planes, 2);
        assert_eq!(planes, [[1, 4], [2, 5], [3, 6]]);
    }

    #[test]
    fn non_finite_names_the_first_frame_of_any_channel() {
        let planes = vec![vec![0.0, 0.0, f32::NAN], vec![0.0, f32::INFINITY, 0.0]];
        let error = check_finite(&planes, Frames(100)).unwrap_err();
        assert!(matches!(error, DecodeError::NonFinite { frame: Frames(101) }));
    }
}
