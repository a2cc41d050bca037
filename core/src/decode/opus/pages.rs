//! Pages of an Ogg stream, one after the other, and the packets in them.
//!
//! Source: RFC 3533, 6.

use crate::decode::{DecodeError, Source};
use crate::encode::ogg_crc;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// Bytes of a page's header before its segment table.
pub(super) const HEADER_BYTES: usize = 27;

/// Longest page.
pub(super) const PAGE_BYTES_MAX: usize = HEADER_BYTES + 255 + 255 * 255;

/// Most bytes of a packet: tags with pictures are the largest.
const PACKET_BYTES_MAX: usize = 64 << 20;

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

    /// Reads the page that begins where the source stands; `None` at the end of the file.
    fn read(source: &mut impl Read) -> Result<Option<Self>, DecodeError> {
        let mut head = [0; HEADER_BYTES];
        let there = read_up_to(source, &mut head)?;
        if there == 0 {
            return Ok(None);
        }
        if !head.starts_with(&b"OggS\0"[..there.min(5)]) {
            return Err(DecodeError::damaged("something that is no page stands between its pages"));
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
        if ogg_crc(&[&head[..], &segments, &body].concat()) != checksum {
            return Err(DecodeError::damaged(format!("the checksum of page {sequence} is wrong")));
        }
        Ok(Some(Self { flags, granule, serial, sequence, segments, body }))
    }

    /// The last page of a stream in the last bytes of its file, if it is there and whole.
    pub(super) fn find_last(tail: &[u8], serial: u32) -> Option<Self> {
        let starts = (0..tail.len().saturating_sub(4)).rev();
        starts.filter(|at| tail[*at..].starts_with(b"OggS\0")).find_map(|at| {
            Self::read(&mut &tail[at..]).ok().flatten().filter(|page| page.serial == serial)
        })
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
}

/// The first stream of a file.
pub(super) struct Pages {
    source: BufReader<Box<dyn Source>>,
    /// Number of the stream and of the page that must follow, once its first page was read.
    next: Option<(u32, u32)>,
    /// The start of a packet that goes on.
    partial: Vec<u8>,
    is_inside: bool,
}

impl Pages {
    /// From the file's start.
    pub(super) fn new(mut source: Box<dyn Source>) -> Result<Self, DecodeError> {
        source.seek(SeekFrom::Start(0))?;
        let source = BufReader::with_capacity(PAGE_BYTES_MAX, source);
        Ok(Self { source, next: None, partial: Vec::new(), is_inside: false })
    }

    /// The source again.
    pub(super) fn into_source(self) -> Box<dyn Source> {
        self.source.into_inner()
    }

    /// Number of the stream; 0 before its first page.
    pub(super) fn serial(&self) -> u32 {
        self.next.map_or(0, |(serial, _)| serial)
    }

    /// Whether only pages of other streams follow. A stream that begins behind it is refused.
    pub(super) fn check_end(&mut self) -> Result<(), DecodeError> {
        match Page::read(&mut self.source) {
            Ok(Some(page)) if page.flags & FIRST != 0 => {
                Err(DecodeError::unsupported("several streams one after another"))
            }
            // What stands behind the last page is none of the stream's business.
            _ => Ok(()),
        }
    }

    /// The next page of the stream on which a packet ends; `None` at the end of the file.
    pub(super) fn next(&mut self) -> Result<Option<PagePackets>, DecodeError> {
        while let Some(page) = Page::read(&mut self.source)? {
            if self.next.is_some_and(|(serial, _)| serial != page.serial) {
                continue;
            }
            if self.next.is_some_and(|(_, sequence)| sequence != page.sequence) {
                return Err(DecodeError::damaged(format!(
                    "page {} follows where another one should",
                    page.sequence
                )));
            }
            self.next = Some((page.serial, page.sequence.wrapping_add(1)));
            let packets = self.packets_of(&page)?;
            if !packets.is_empty() || page.is_last() {
                let is_last = page.is_last();
                return Ok(Some(PagePackets { packets, granule: page.granule, is_last }));
            }
        }
        Ok(None)
    }

    fn packets_of(&mut self, page: &Page) -> Result<Vec<Vec<u8>>, DecodeError> {
        if self.is_inside != (page.flags & CONTINUED != 0) {
            return Err(DecodeError::damaged("a packet has no end or no start"));
        }
        let (mut packets, mut at) = (Vec::new(), 0);
        for &length in &page.segments {
            let end = at + usize::from(length);
            self.partial.extend(&page.body[at..end]);
            at = end;
            self.is_inside = length == 255;
            if !self.is_inside {
                packets.push(std::mem::take(&mut self.partial));
            } else if self.partial.len() > PACKET_BYTES_MAX {
                return Err(DecodeError::damaged("a packet is beyond the limit"));
            }
        }
        Ok(packets)
    }
}
