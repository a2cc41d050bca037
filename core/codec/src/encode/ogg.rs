//! Pages of Ogg.
//!
//! Source: RFC 3533, 6.

use super::EncodeError;
use super::Sink;
#[cfg(feature = "opus")]
use super::page_crc::crc;
#[cfg(feature = "vorbis")]
use std::io::{self, Write};

/// Page flags.
const CONTINUED: u8 = 1;
const FIRST: u8 = 2;
#[cfg(feature = "opus")]
const LAST: u8 = 4;

/// Bytes of a page's header before its segment table.
const HEADER_BYTES: usize = 27;

/// Most segments of a page, of up to 255 bytes each.
const SEGMENT_COUNT_MAX: usize = 255;

/// What a page states on which no packet ends.
const NOWHERE: u64 = u64::MAX;

/// Packets of a stream on their way into pages.
#[cfg(feature = "opus")]
pub(super) struct Pages {
    serial: u32,
    sequence: u32,
    /// Packets that make a page full, where they are small: what players like to have at once.
    packets_a_page: usize,
    segments: Vec<u8>,
    body: Vec<u8>,
    packet_count: usize,
    /// Where the last packet of the page ends.
    granule: u64,
}

#[cfg(feature = "opus")]
impl Pages {
    /// Pages of a stream with this number, the first of them with this sequence number.
    pub(super) fn new(serial: u32, sequence: u32, packets_a_page: usize) -> Self {
        Self {
            serial,
            sequence,
            packets_a_page,
            segments: Vec::new(),
            body: Vec::new(),
            packet_count: 0,
            granule: 0,
        }
    }

    /// Appends a packet that ends at `granule`. A page is written when the next one does not fit, so
    /// that the last one can be marked.
    ///
    /// # Errors
    /// When writing fails.
    ///
    /// # Panics
    /// When the packet has more than a page's bytes: headers do, see [`headers`], sound does not.
    pub(super) fn push(
        &mut self,
        packet: &[u8],
        granule: u64,
        sink: &mut dyn Sink,
    ) -> Result<(), EncodeError> {
        let segment_count = packet.len() / 255 + 1;
        assert!(segment_count <= SEGMENT_COUNT_MAX, "a packet of sound fits a page");
        let is_full = self.packet_count == self.packets_a_page
            || self.segments.len() + segment_count > SEGMENT_COUNT_MAX;
        if is_full {
            self.write(0, sink)?;
        }
        self.segments.extend(lacing(packet.len()));
        self.body.extend(packet);
        self.packet_count += 1;
        self.granule = granule;
        Ok(())
    }

    /// Writes the last page; the sound ends at `granule`, within its last packet.
    ///
    /// # Errors
    /// When writing fails.
    pub(super) fn finish(&mut self, granule: u64, sink: &mut dyn Sink) -> Result<(), EncodeError> {
        self.granule = granule;
        self.write(LAST, sink)
    }

    fn write(&mut self, flags: u8, sink: &mut dyn Sink) -> Result<(), EncodeError> {
        let head =
            PageHead { flags, granule: self.granule, serial: self.serial, sequence: self.sequence };
        sink.write_all(&head.page(&self.segments, &self.body))?;
        self.sequence += 1;
        self.segments.clear();
        self.body.clear();
        self.packet_count = 0;
        Ok(())
    }
}

/// The first pages of a stream: a header that has a page of its own, then the others, whose last page ends
/// with them. How many pages there are is the sequence number of the next one.
pub(super) fn headers(serial: u32, first: &[u8], others: &[&[u8]]) -> (Vec<u8>, u32) {
    let head = PageHead { flags: FIRST, granule: 0, serial, sequence: 0 };
    let lengths: Vec<u8> = lacing(first.len()).collect();
    let mut bytes = head.page(&lengths, first);
    // For each segment whether a packet ends with it.
    let segments: Vec<(u8, bool)> = others
        .iter()
        .flat_map(|packet| lacing(packet.len()).map(|length| (length, length < 255)))
        .collect();
    let body = others.concat();
    let (mut at, mut sequence, mut is_inside) = (0, 1, false);
    for page in segments.chunks(SEGMENT_COUNT_MAX) {
        let lengths: Vec<u8> = page.iter().map(|(length, _)| *length).collect();
        let end = at + lengths.iter().map(|length| usize::from(*length)).sum::<usize>();
        let granule = if page.iter().any(|(_, is_end)| *is_end) { 0 } else { NOWHERE };
        let flags = if is_inside { CONTINUED } else { 0 };
        let head = PageHead { flags, granule, serial, sequence };
        bytes.extend(head.page(&lengths, &body[at..end]));
        is_inside = page.last().is_some_and(|(_, is_end)| !is_end);
        at = end;
        sequence += 1;
    }
    (bytes, sequence)
}

/// The first packets of a stream whose pages another library wrote one behind the other, and on how many
/// pages they are; `None` where there are fewer.
#[cfg(feature = "vorbis")]
pub(super) fn first_packets(pages: &[u8], count: usize) -> Option<(Vec<Vec<u8>>, u32)> {
    let (mut packets, mut packet, mut at, mut page_count) = (Vec::new(), Vec::new(), 0, 0);
    while packets.len() < count {
        let length = page_length(&pages[at..])?;
        let segment_count = usize::from(pages[at + 26]);
        let mut from = at + HEADER_BYTES + segment_count;
        for &segment in &pages[at + HEADER_BYTES..at + HEADER_BYTES + segment_count] {
            packet.extend_from_slice(&pages[from..from + usize::from(segment)]);
            from += usize::from(segment);
            if segment < 255 {
                packets.push(std::mem::take(&mut packet));
            }
        }
        at += length;
        page_count += 1;
    }
    Some((packets, page_count))
}

/// Bytes of the page that begins here, once all of it is there.
#[cfg(feature = "vorbis")]
fn page_length(bytes: &[u8]) -> Option<usize> {
    let segment_count = usize::from(*bytes.get(26)?);
    let lengths = bytes.get(HEADER_BYTES..HEADER_BYTES + segment_count)?;
    let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
    let length = HEADER_BYTES + segment_count + body;
    (bytes.len() >= length).then_some(length)
}

/// Takes the pages another library writes: drops the first ones, and numbers the others anew.
#[cfg(feature = "vorbis")]
pub(super) struct PageRenumberer {
    sink: Box<dyn Sink>,
    /// Pages to be dropped still.
    dropped: u32,
    /// Number of the next page.
    sequence: u32,
    /// What came of a page that is not complete.
    bytes: Vec<u8>,
}

#[cfg(feature = "vorbis")]
impl PageRenumberer {
    /// Drops so many pages and gives the next one the number `sequence`.
    pub(super) fn new(sink: Box<dyn Sink>, dropped: u32, sequence: u32) -> Self {
        Self { sink, dropped, sequence, bytes: Vec::new() }
    }

    fn pass(&mut self, length: usize) -> io::Result<()> {
        if self.dropped > 0 {
            self.dropped -= 1;
            return Ok(());
        }
        let page = &mut self.bytes[..length];
        page[18..22].copy_from_slice(&self.sequence.to_le_bytes());
        page[22..26].fill(0);
        let checksum = crc(&[page]).to_le_bytes();
        page[22..26].copy_from_slice(&checksum);
        self.sequence += 1;
        self.sink.write_all(page)
    }
}

#[cfg(feature = "vorbis")]
impl Write for PageRenumberer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        while let Some(length) = page_length(&self.bytes) {
            self.pass(length)?;
            self.bytes.drain(..length);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}

/// The segment lengths of a packet: the last one is below 255.
fn lacing(byte_count: usize) -> impl Iterator<Item = u8> {
    let rest = u8::try_from(byte_count % 255).expect("below 255");
    std::iter::repeat_n(255, byte_count / 255).chain([rest])
}

/// What a page says of itself.
struct PageHead {
    flags: u8,
    granule: u64,
    serial: u32,
    sequence: u32,
}

impl PageHead {
    fn page(&self, segments: &[u8], body: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_BYTES + segments.len() + body.len());
        bytes.extend(b"OggS\0");
        bytes.push(self.flags);
        bytes.extend(self.granule.to_le_bytes());
        bytes.extend(self.serial.to_le_bytes());
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend([0; 4]); // the checksum, which counts as 0 in itself
        bytes.push(u8::try_from(segments.len()).expect("was held against the most"));
        bytes.extend(segments);
        bytes.extend(body);
        let checksum = crc(&[&bytes]).to_le_bytes();
        bytes[22..26].copy_from_slice(&checksum);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksum_is_that_of_the_page_with_zeros_in_its_place() {
        let head = PageHead { flags: CONTINUED, granule: 0, serial: 0x0403_0201, sequence: 7 };
        let page = head.page(&[], &[]);
        assert_eq!(page.len(), HEADER_BYTES);
        let mut blank = page.clone();
        blank[22..26].fill(0);
        assert_eq!(page[22..26], crc(&[&blank]).to_le_bytes());
        // The check value of CRC-32/CKSUM, which inverts the result.
        assert_eq!(!crc(&[b"123456789"]), 0x765e_7680);
    }

    #[test]
    fn packet_of_many_pages_is_continued_and_ends_once() {
        let packet = vec![7; 255 * 300];
        let (bytes, sequence) = headers(1, b"head", &[&packet]);
        assert_eq!(sequence, 3);
        let second = HEADER_BYTES + 1 + 4;
        assert_eq!(bytes[5], FIRST);
        assert_eq!(bytes[second + 5], 0);
        assert_eq!(bytes[second + 6..second + 14], [0xff; 8]);
        assert_eq!(bytes[second + 26], 255);
        let third = second + HEADER_BYTES + 255 + 255 * 255;
        assert_eq!(bytes[third + 5], CONTINUED);
        assert_eq!(bytes[third + 6..third + 14], [0; 8]);
        // 45 full segments, and an empty one that ends the packet.
        assert_eq!(bytes[third + 26], 46);
        assert_eq!(bytes[third + 27 + 45], 0);
    }
}
