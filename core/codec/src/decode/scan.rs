//! Frames that follow each other without a container, in a file that may be damaged: MP3 and ADTS.
//!
//! Nothing in such a file says where a frame belongs. How many are lost where bytes are none is therefore
//! judged by how long frames are there: what follows stays in its place as nearly as can be known.

use super::DecodeError;
use super::compressed::{Between, Packets};
use super::cut::Cut;
use super::repair::{Note, RepairKind};
use super::window::{Fault, Window};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use symphonia::core::packet::Packet;

/// Bytes read at once.
const BUFFER_BYTES: usize = 128 * 1024;

/// Frames in a row, or fewer and the end, that are found again by no chance.
const CHAIN_FRAMES: usize = 3;

/// How the frames of a stream are distinguished from other bytes.
pub(super) trait Framing: Send {
    /// Bytes of a header.
    const HEAD_BYTES: usize;

    /// Bytes of the frame that begins with `head`; `None` where that begins no frame of the stream.
    fn frame_bytes(&self, head: &[u8]) -> Option<u64>;

    /// Whether a tag that follows the sound begins with `head`.
    fn is_trailer(&self, head: &[u8]) -> bool;

    /// Bytes at the start of `frame` that the codec is not shown.
    fn skipped_bytes(&self, _frame: &[u8]) -> usize {
        0
    }
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ScanItem {
    /// A frame.
    Frame(Vec<u8>),
    /// So many frames are lost; 0 where bytes were added.
    Lost(u64),
    /// Nothing.
    End,
}

/// Goes over the frames.
pub(super) struct Scan<F> {
    reader: BufReader<Window>,
    fault: Fault,
    framing: F,
    /// Bytes of the window.
    end: u64,
    /// Where the reader is.
    place: u64,
    /// Where the next frame should begin.
    position: u64,
    /// Bytes of the last frame.
    usual: u64,
    /// Frames that can be lost still, where it is known how many there should be.
    budget: u64,
    budget_max: u64,
    between: Between,
}

impl<F: Framing> Scan<F> {
    /// The frames of `window`, from its first byte on; it has `byte_count` bytes.
    pub(super) fn new(window: Window, byte_count: u64, framing: F) -> Self {
        Self {
            fault: window.fault(),
            reader: BufReader::with_capacity(BUFFER_BYTES, window),
            framing,
            end: byte_count,
            place: 0,
            position: 0,
            usual: 0,
            budget: u64::MAX,
            budget_max: u64::MAX,
            between: Between::default(),
        }
    }

    /// The number of frames, those that are lost among them; ends at the first one again. There are no
    /// more than `promised`, where that is known, but for those that are there.
    pub(super) fn count(&mut self, promised: Option<u64>) -> Result<u64, DecodeError> {
        let (mut whole, mut lost) = (0u64, 0u64);
        loop {
            match self.next()? {
                ScanItem::Frame(_) => whole += 1,
                ScanItem::Lost(count) => lost = lost.saturating_add(count),
                ScanItem::End => break,
            }
        }
        if let Some(promised) = promised {
            self.budget_max = promised.saturating_sub(whole);
        }
        self.rewind()?;
        Ok(whole.saturating_add(lost.min(self.budget_max)))
    }

    /// Where errors of the source are kept.
    pub(super) fn fault(&self) -> Fault {
        self.fault.clone()
    }

    /// Goes back to the first frame.
    pub(super) fn rewind(&mut self) -> Result<(), DecodeError> {
        self.reader.seek(SeekFrom::Start(0))?;
        (self.place, self.position, self.usual) = (0, 0, 0);
        self.between = Between::default();
        self.budget = self.budget_max;
        Ok(())
    }

    /// What was wrong since this was asked last.
    pub(super) fn between(&mut self) -> Between {
        std::mem::take(&mut self.between)
    }

    /// What comes next.
    pub(super) fn next(&mut self) -> Result<ScanItem, DecodeError> {
        let at = self.position;
        if at >= self.end {
            return Ok(ScanItem::End);
        }
        let next = match self.frame_at(at)? {
            Some(length) => {
                let after = at + length;
                let is_whole = after <= self.end;
                if is_whole && self.is_followed(after)? {
                    return self.deliver(length);
                }
                // Either its length is wrong, or what follows.
                let next = self.find(at + 1)?;
                if is_whole && next.is_none_or(|next| next >= after) {
                    return self.deliver(length);
                }
                if let Some(next) = next {
                    self.note(RepairKind::LeftOut, format!("{} bytes first", next - at));
                    return Ok(self.lose(next, 1));
                }
                let detail = format!("{} bytes of {length} of its last frame", self.end - at);
                self.note(RepairKind::CutShort, detail);
                None
            }
            None if self.is_end(at)? => None,
            None => {
                let next = self.find(at + 1)?;
                let count = next.unwrap_or(self.end) - at;
                self.note(RepairKind::LeftOut, format!("{count} bytes first"));
                next
            }
        };
        let Some(next) = next else {
            self.position = self.end;
            return Ok(ScanItem::End);
        };
        Ok(self.lose(next, 0))
    }

    /// Goes on at byte `next`: `least` frames were lost, or as many as there was room for.
    fn lose(&mut self, next: u64, least: u64) -> ScanItem {
        self.between.is_torn = true;
        let usual = self.usual.max(1);
        let room = if self.usual == 0 { 0 } else { (next - self.position + usual / 2) / usual };
        self.position = next;
        let lost = room.max(least).min(self.budget);
        self.budget -= lost;
        ScanItem::Lost(lost)
    }

    fn note(&mut self, kind: RepairKind, detail: String) {
        self.between.notes.push(Note { kind, detail: Some(detail) });
    }

    fn deliver(&mut self, length: u64) -> Result<ScanItem, DecodeError> {
        let mut frame = vec![0; usize::try_from(length).expect("a frame has a few thousand bytes")];
        let count = self.read_at(self.position, &mut frame)?;
        frame.truncate(count);
        self.position += length;
        self.usual = length;
        Ok(ScanItem::Frame(frame))
    }

    /// Where a chain of frames begins, from byte `start` on.
    fn find(&mut self, start: u64) -> Result<Option<u64>, DecodeError> {
        for at in start..self.end {
            if self.is_chain(at)? {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }

    fn is_chain(&mut self, at: u64) -> Result<bool, DecodeError> {
        let mut position = at;
        for count in 0..CHAIN_FRAMES {
            match self.frame_at(position)? {
                Some(length) if position + length <= self.end => position += length,
                _ => return Ok(count > 0 && (position >= self.end || self.is_end(position)?)),
            }
        }
        Ok(true)
    }

    /// Whether byte `at` is where a frame can end.
    fn is_followed(&mut self, at: u64) -> Result<bool, DecodeError> {
        Ok(at >= self.end || self.frame_at(at)?.is_some() || self.is_end(at)?)
    }

    /// Whether nothing of the sound follows byte `at`: tags, or zeros up to the end.
    fn is_end(&mut self, at: u64) -> Result<bool, DecodeError> {
        let head = self.head(at)?;
        if self.framing.is_trailer(&head) {
            return Ok(true);
        }
        let (mut at, mut buffer) = (at, [0; 4096]);
        loop {
            match self.read_at(at, &mut buffer)? {
                0 => return Ok(true),
                count if buffer[..count].iter().any(|&byte| byte != 0) => return Ok(false),
                count => at += count as u64,
            }
        }
    }

    fn frame_at(&mut self, at: u64) -> Result<Option<u64>, DecodeError> {
        let head = self.head(at)?;
        Ok(if head.len() == F::HEAD_BYTES { self.framing.frame_bytes(&head) } else { None })
    }

    fn head(&mut self, at: u64) -> Result<Vec<u8>, DecodeError> {
        let mut head = vec![0; F::HEAD_BYTES];
        let count = self.read_at(at, &mut head)?;
        head.truncate(count);
        Ok(head)
    }

    /// Fills as much of `buffer` from byte `at` on as there is.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize, DecodeError> {
        let distance = at.min(self.end).cast_signed() - self.place.cast_signed();
        self.reader.seek_relative(distance)?;
        self.place = at.min(self.end);
        let mut there = 0;
        while there < buffer.len() {
            match self.reader.read(&mut buffer[there..]) {
                Ok(0) => break,
                Ok(count) => there += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.fault.take().unwrap_or(error).into()),
            }
        }
        self.place += there as u64;
        Ok(there)
    }
}

/// The packets of a scan; those that are lost have no data.
pub(super) struct ScannedPackets<F> {
    scan: Scan<F>,
    cut: Cut,
    frames_per_packet: u64,
    /// Frames so far.
    position: u64,
    /// Packets without data that are still to come.
    lost: u64,
}

impl<F: Framing> ScannedPackets<F> {
    pub(super) fn new(scan: Scan<F>, cut: Cut, frames_per_packet: u64) -> Self {
        Self { scan, cut, frames_per_packet, position: 0, lost: 0 }
    }
}

impl<F: Framing + 'static> Packets for ScannedPackets<F> {
    fn next(&mut self) -> Result<Option<Packet>, DecodeError> {
        let mut data = Vec::new();
        while self.lost == 0 {
            match self.scan.next()? {
                ScanItem::Frame(mut frame) => {
                    frame.drain(..self.scan.framing.skipped_bytes(&frame).min(frame.len()));
                    data = frame;
                    break;
                }
                ScanItem::Lost(count) => self.lost = count,
                ScanItem::End => return Ok(None),
            }
        }
        self.lost = self.lost.saturating_sub(1);
        let first = self.position;
        self.position += self.frames_per_packet;
        Ok(Some(self.cut.packet(first, self.frames_per_packet, data)))
    }

    fn rewind(mut self: Box<Self>) -> Result<Box<dyn Packets>, DecodeError> {
        self.scan.rewind()?;
        (self.position, self.lost) = (0, 0);
        Ok(self)
    }

    fn between(&mut self) -> Between {
        self.scan.between()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    /// Frames of a marker, their length, and data.
    struct Plain;

    impl Framing for Plain {
        const HEAD_BYTES: usize = 2;

        fn frame_bytes(&self, head: &[u8]) -> Option<u64> {
            (head[0] == 0xff && head[1] >= 2).then(|| head[1].into())
        }

        fn is_trailer(&self, head: &[u8]) -> bool {
            head == b"TA"
        }
    }

    fn frame(length: u8) -> Vec<u8> {
        [vec![0xff, length], vec![7; usize::from(length) - 2]].concat()
    }

    /// Lengths of the frames, negative where some are lost, and the kinds of the notes.
    fn scan(bytes: &[u8]) -> (Vec<isize>, Vec<RepairKind>) {
        let window = Window::new(Box::new(Cursor::new(bytes.to_vec())), 0, bytes.len() as u64);
        let mut scan = Scan::new(window.unwrap(), bytes.len() as u64, Plain);
        let (mut found, mut kinds) = (Vec::new(), Vec::new());
        loop {
            let next = scan.next().unwrap();
            kinds.extend(scan.between().notes.into_iter().map(|note| note.kind));
            match next {
                ScanItem::Frame(frame) => found.push(frame.len().cast_signed()),
                ScanItem::Lost(count) => found.push(-isize::try_from(count).unwrap()),
                ScanItem::End => return (found, kinds),
            }
        }
    }

    #[test]
    fn sound_frames_are_delivered_up_to_tags_and_zeros() {
        for tail in [&b""[..], b"TAG and more", &[0; 9000]] {
            let bytes = [frame(10), frame(12), frame(10), tail.to_vec()].concat();
            assert_eq!(scan(&bytes), (vec![10, 12, 10], vec![]));
        }
    }

    #[test]
    fn frames_whose_headers_are_gone_are_lost_in_their_number() {
        let mut bytes = frame(10).repeat(12);
        bytes[30] = 0;
        bytes[40] = 0;
        let expected = [vec![10; 3], vec![-2], vec![10; 7]].concat();
        assert_eq!(scan(&bytes), (expected, vec![RepairKind::LeftOut]));
    }

    #[test]
    fn bytes_that_were_added_lose_no_frame() {
        let bytes = [frame(10).repeat(5), vec![9; 4], frame(10).repeat(5)].concat();
        let expected = [vec![10; 5], vec![0], vec![10; 5]].concat();
        assert_eq!(scan(&bytes), (expected, vec![RepairKind::LeftOut]));
    }

    #[test]
    fn frame_that_lies_about_its_length_is_lost_and_the_next_are_found() {
        let mut bytes = frame(10).repeat(10);
        bytes[21] = 15;
        assert_eq!(scan(&bytes).0, [vec![10; 2], vec![-1], vec![10; 7]].concat());
    }

    #[test]
    fn truncated_last_frame_is_reported() {
        let bytes = frame(10).repeat(6);
        assert_eq!(scan(&bytes[..57]), (vec![10; 5], vec![RepairKind::CutShort]));
    }
}
