//! Pages of an Ogg stream, one after the other, and the packets in them.
//!
//! Source: RFC 3533, 6.

use crate::decode::{Damaged, DecodeError, Source};
use crate::encode::ogg_crc;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Bytes of a page's header before its segment table.
pub(super) const HEADER_BYTES: usize = 27;

/// Longest page.
pub(super) const PAGE_BYTES_MAX: usize = HEADER_BYTES + 255 + 255 * 255;

/// Most bytes of a packet: tags with pictures are the largest.
const PACKET_BYTES_MAX: usize = 64 << 20;

/// What a page begins with: its name and version.
const CAPTURE: &[u8] = b"OggS\0";

/// Page flags.
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
const LAST: u8 = 4;

/// A page as it stands in the file.
pub(super) struct Page {
    flags: u8,
    /// Where its last packet ends; all ones where none does.
    pub(super) granule: u64,
    pub(super) serial: u32,
    sequence: u32,
    segments: Vec<u8>,
    body: Vec<u8>,
}

impl Page {
    /// Whether it ends its stream.
    pub(super) fn is_last(&self) -> bool {
        self.flags & LAST != 0
    }

    /// Whether it begins its stream.
    pub(super) fn is_first(&self) -> bool {
        self.flags & FIRST != 0
    }

    /// The packets on it, one after another.
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Bytes of it.
    fn byte_count(&self) -> u64 {
        (HEADER_BYTES + self.segments.len() + self.body.len()) as u64
    }

    /// Reads the page that begins where the source stands; `None` at the end of the file.
    pub(super) fn read(source: &mut impl Read) -> Result<Option<Self>, DecodeError> {
        let mut head = [0; HEADER_BYTES];
        let there = read_up_to(source, &mut head)?;
        if there == 0 {
            return Ok(None);
        }
        if !head.starts_with(&CAPTURE[..there.min(CAPTURE.len())]) {
            return Err(DecodeError::damaged("there is other data between its pages"));
        }
        let cut = || DecodeError::truncated("a whole page", "only the start of one");
        if there < HEADER_BYTES {
            return Err(cut());
        }
        let mut segments = vec![0; usize::from(head[26])];
        let mut is_whole = read_up_to(source, &mut segments)? == segments.len();
        let mut body = vec![0; segments.iter().map(|length| usize::from(*length)).sum()];
        is_whole = is_whole && read_up_to(source, &mut body)? == body.len();
        if !is_whole {
            return Err(cut());
        }
        let number =
            |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let (serial, sequence, checksum) = (number(14), number(18), number(22));
        let granule = u64::from(number(10)) << 32 | u64::from(number(6));
        let flags = head[5];
        head[22..26].fill(0);
        if ogg_crc(&[&head, &segments, &body]) != checksum {
            return Err(DecodeError::damaged(format!("the checksum of page {sequence} is wrong")));
        }
        Ok(Some(Self { flags, granule, serial, sequence, segments, body }))
    }
}

/// Fills as much of `bytes` as there is.
fn read_up_to(source: &mut impl Read, bytes: &mut [u8]) -> Result<usize, DecodeError> {
    let mut there = 0;
    while there < bytes.len() {
        match source.read(&mut bytes[there..]) {
            Ok(0) => break,
            Ok(count) => there += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(there)
}

/// The packets that end on a page.
pub(super) struct PagePackets {
    pub(super) packets: Vec<Vec<u8>>,
    /// Where the last of them ends.
    pub(super) granule: u64,
    /// Whether the stream ends here.
    pub(super) is_last: bool,
    /// Whether packets before them are missing.
    pub(super) is_torn: bool,
    /// Bytes before the page that are no pages.
    pub(super) left_out: u64,
}

/// The pages of one stream of a file.
pub(super) struct Pages {
    source: BufReader<Box<dyn Source>>,
    damaged: Damaged,
    /// Where the next page should begin.
    position: u64,
    /// Number of the stream.
    serial: u32,
    /// Number of the page that must follow.
    sequence: Option<u32>,
    /// The start of a packet that goes on.
    partial: Vec<u8>,
    is_inside: bool,
    /// Whether the rest of a packet whose start is missing follows.
    is_skipping: bool,
    is_torn: bool,
    left_out: u64,
}

impl Pages {
    /// From the file's start; of the stream `serial`.
    pub(super) fn new(
        mut source: Box<dyn Source>,
        serial: u32,
        damaged: Damaged,
    ) -> Result<Self, DecodeError> {
        source.seek(SeekFrom::Start(0))?;
        Ok(Self {
            source: BufReader::with_capacity(PAGE_BYTES_MAX, source),
            damaged,
            position: 0,
            serial,
            sequence: None,
            partial: Vec::new(),
            is_inside: false,
            is_skipping: false,
            is_torn: false,
            left_out: 0,
        })
    }

    /// From the file's start again.
    pub(super) fn restart(self) -> Result<Self, DecodeError> {
        Self::new(self.source.into_inner(), self.serial, self.damaged)
    }

    /// Whether the stream goes on behind a page that ends it, as some encoders flag several. Another
    /// stream that begins there is refused.
    pub(super) fn goes_on(&mut self) -> Result<bool, DecodeError> {
        let position = self.position;
        let next = Page::read(&mut self.source);
        self.source.seek(SeekFrom::Start(position))?;
        match next {
            Ok(Some(page)) if page.is_first() => {
                Err(DecodeError::unsupported("several streams one after another"))
            }
            // What else stands behind the last page is none of the stream's business.
            Ok(Some(page)) => {
                Ok(page.serial == self.serial && self.sequence == Some(page.sequence))
            }
            _ => Ok(false),
        }
    }

    /// The next page of the stream on which a packet ends; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<PagePackets>, DecodeError> {
        while let Some(page) = self.read_page()? {
            if self.serial != page.serial {
                continue;
            }
            if self.sequence.is_some_and(|sequence| sequence != page.sequence) {
                if !self.damaged.is_repaired() {
                    return Err(DecodeError::damaged(format!(
                        "page {} is out of order",
                        page.sequence
                    )));
                }
                if self.sequence.is_some_and(|sequence| sequence > page.sequence) {
                    // It was there before.
                    self.left_out += page.byte_count();
                    continue;
                }
                self.tear();
                self.left_out = 0;
            }
            self.sequence = Some(page.sequence.wrapping_add(1));
            let packets = self.packets_of(&page)?;
            if !packets.is_empty() || page.is_last() {
                return Ok(Some(PagePackets {
                    packets,
                    granule: page.granule,
                    is_last: page.is_last(),
                    is_torn: std::mem::take(&mut self.is_torn),
                    left_out: std::mem::take(&mut self.left_out),
                }));
            }
        }
        Ok(None)
    }

    /// Forgets a packet whose rest is missing.
    fn tear(&mut self) {
        self.is_torn = true;
        self.partial.clear();
        (self.is_inside, self.is_skipping) = (false, false);
    }

    /// The next page of any stream. Where damage is repaired, what is none is passed over.
    fn read_page(&mut self) -> Result<Option<Page>, DecodeError> {
        loop {
            match Page::read(&mut self.source) {
                Ok(page) => {
                    self.position += page.as_ref().map_or(0, Page::byte_count);
                    return Ok(page);
                }
                Err(DecodeError::Damaged { .. } | DecodeError::Truncated { .. })
                    if self.damaged.is_repaired() =>
                {
                    let Some(next) = self.find(self.position + 1)? else { return Ok(None) };
                    self.left_out += next - self.position;
                    self.source.seek(SeekFrom::Start(next))?;
                    self.position = next;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Where a page begins, from byte `start` on.
    fn find(&mut self, start: u64) -> Result<Option<u64>, DecodeError> {
        self.source.seek(SeekFrom::Start(start))?;
        let (mut window, mut at): (Vec<u8>, u64) = (Vec::new(), start);
        loop {
            let mut more = vec![0; PAGE_BYTES_MAX];
            let count = read_up_to(&mut self.source, &mut more)?;
            window.extend(&more[..count]);
            if let Some(found) = window.windows(CAPTURE.len()).position(|bytes| bytes == CAPTURE) {
                return Ok(Some(at + found as u64));
            }
            if count == 0 {
                return Ok(None);
            }
            // A capture pattern may be split between two reads.
            let used = window.len().saturating_sub(CAPTURE.len() - 1);
            window.drain(..used);
            at += used as u64;
        }
    }

    fn packets_of(&mut self, page: &Page) -> Result<Vec<Vec<u8>>, DecodeError> {
        let is_continued = page.flags & CONTINUED != 0;
        if self.damaged.is_repaired() {
            let is_inside = self.is_inside || self.is_skipping;
            if is_inside != is_continued {
                self.tear();
                self.is_skipping = is_continued;
            }
        } else if self.is_inside != is_continued {
            return Err(DecodeError::damaged("a packet has no start or no end"));
        }
        let (mut packets, mut at) = (Vec::new(), 0);
        for &length in &page.segments {
            let end = at + usize::from(length);
            if !self.is_skipping {
                self.partial.extend(&page.body[at..end]);
            }
            at = end;
            let goes_on = length == 255;
            if self.is_skipping {
                self.is_skipping = goes_on;
                continue;
            }
            self.is_inside = goes_on;
            if !goes_on {
                packets.push(std::mem::take(&mut self.partial));
            } else if self.partial.len() > PACKET_BYTES_MAX {
                return Err(DecodeError::damaged("a packet exceeds the limit"));
            }
        }
        Ok(packets)
    }
}
