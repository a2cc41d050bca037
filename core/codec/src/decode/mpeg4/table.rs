//! Where a track's packets are.
//!
//! Source: ISO/IEC 14496-12:2022, 8.6.1.2 (`stts`), 8.7.3.2 (`stsz`), 8.7.4 (`stsc`), 8.7.5 (`stco`,
//! `co64`). The tables stay in the file: each is read through a window of its own, so that the longest
//! file needs no more memory than a short one, and a lie no more than the truth.

use super::atoms::Atom;
use super::movie::{Tables, number};
use crate::decode::chunks::{read_at, u32_be};
use crate::decode::{DecodeError, Source};
use wavemill_audio::limits::PACKET_BYTES_MAX;

/// Rows of a table that are read at once.
const WINDOW_ROWS: u64 = 4096;

/// One table.
pub(super) struct Table {
    /// First byte of its rows.
    start: u64,
    row_count: u64,
    row_bytes: usize,
    /// The rows from `first` on.
    window: Vec<u8>,
    first: u64,
}

impl Table {
    /// The rows of `atom`, whose number stands in the four bytes before them.
    fn new(
        source: &mut dyn Source,
        atom: Option<Atom>,
        name: &str,
        head_bytes: usize,
        row_bytes: usize,
    ) -> Result<Self, DecodeError> {
        let atom = atom.ok_or_else(|| DecodeError::damaged(format!("it has no `{name}` table")))?;
        let short = || DecodeError::damaged(format!("its `{name}` table is cut short"));
        let head = atom.data(source, head_bytes)?;
        let row_count = head_bytes.checked_sub(4).and_then(|offset| u32_be(&head, offset));
        let row_count = u64::from(row_count.ok_or_else(short)?);
        if row_count * row_bytes as u64 > atom.length() - head_bytes as u64 {
            return Err(short());
        }
        let start = atom.start + head_bytes as u64;
        Ok(Self { start, row_count, row_bytes, window: Vec::new(), first: 0 })
    }

    /// `row_count` rows of `row_bytes` from byte `start` on.
    pub(super) fn at(start: u64, row_count: u64, row_bytes: usize) -> Self {
        Self { start, row_count, row_bytes, window: Vec::new(), first: 0 }
    }

    pub(super) fn row_count(&self) -> u64 {
        self.row_count
    }

    /// A row, if there is one of this index.
    pub(super) fn row(
        &mut self,
        source: &mut dyn Source,
        index: u64,
    ) -> Result<Option<&[u8]>, DecodeError> {
        if index >= self.row_count {
            return Ok(None);
        }
        if self.row_bytes == 0 {
            return Ok(Some(&[]));
        }
        let held = (self.window.len() / self.row_bytes) as u64;
        if index < self.first || index - self.first >= held {
            let rows = WINDOW_ROWS.min(self.row_count - index);
            let rows = usize::try_from(rows).expect("is no more than a window's");
            self.window.clear();
            self.window.resize(rows * self.row_bytes, 0);
            self.first = index;
            read_at(source, self.start + index * self.row_bytes as u64, &mut self.window)?;
        }
        let offset = usize::try_from(index - self.first).expect("is in the window");
        Ok(self.window.get(offset * self.row_bytes..(offset + 1) * self.row_bytes))
    }
}

/// How long packets are.
enum Sizes {
    All { bytes: u64, count: u64 },
    Each(Table),
}

/// A packet's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) start: u64,
    pub(super) length: u64,
}

impl Place {
    /// Whether a packet can have this length.
    pub(super) fn can_be(self) -> bool {
        (1..=PACKET_BYTES_MAX).contains(&self.length)
    }

    /// What stands against it in a file of `byte_count` bytes.
    pub(super) fn refusal(self, byte_count: u64) -> DecodeError {
        let end = self.start.saturating_add(self.length);
        if end > byte_count {
            return DecodeError::truncated(
                format_args!("{end} bytes"),
                format_args!("{byte_count} bytes"),
            );
        }
        DecodeError::damaged(format!(
            "a packet of {} bytes; 1 to {PACKET_BYTES_MAX} are possible",
            self.length
        ))
    }
}

/// The places of a track's packets, one after another.
pub(super) struct PacketTable {
    chunks: Table,
    offsets: Table,
    is_long: bool,
    sizes: Sizes,
    /// Packets passed.
    position: u64,
    /// Chunks begun.
    chunk_count: u64,
    /// Packets left in the chunk.
    chunk_left: u64,
    /// Where the chunk's next packet starts.
    next_start: u64,
    /// The row of `chunks` that holds.
    chunk_row: u64,
}

impl PacketTable {
    /// The packets that `tables` describe, of which each is a frame of `frame_bytes` where they are samples
    /// that are not compressed.
    pub(super) fn new(
        source: &mut dyn Source,
        tables: &Tables,
        frame_bytes: Option<u64>,
    ) -> Result<Self, DecodeError> {
        let mut sizes = Self::sizes(source, tables.sizes)?;
        // QuickTime's old descriptions call every sample of 16 bits one byte long.
        if let (Sizes::All { bytes, .. }, Some(frame_bytes)) = (&mut sizes, frame_bytes)
            && *bytes == 1
        {
            *bytes = frame_bytes;
        }
        let name = if tables.is_long { "co64" } else { "stco" };
        let offset_bytes = if tables.is_long { 8 } else { 4 };
        Ok(Self {
            chunks: Table::new(source, tables.chunks, "stsc", 8, 12)?,
            offsets: Table::new(source, tables.offsets, name, 8, offset_bytes)?,
            is_long: tables.is_long,
            sizes,
            position: 0,
            chunk_count: 0,
            chunk_left: 0,
            next_start: 0,
            chunk_row: 0,
        })
    }

    fn sizes(source: &mut dyn Source, atom: Option<Atom>) -> Result<Sizes, DecodeError> {
        let atom = atom.ok_or_else(|| DecodeError::damaged("it has no `stsz` table"))?;
        let head = atom.data(source, 12)?;
        let field = |offset| u32_be(&head, offset).map(u64::from);
        let (Some(bytes), Some(count)) = (field(4), field(8)) else {
            return Err(DecodeError::damaged("its `stsz` table is cut short"));
        };
        if bytes == 0 {
            return Ok(Sizes::Each(Table::new(source, Some(atom), "stsz", 12, 4)?));
        }
        Ok(Sizes::All { bytes, count })
    }

    /// How many packets there are.
    pub(super) fn packet_count(&self) -> u64 {
        match &self.sizes {
            Sizes::All { count, .. } => *count,
            Sizes::Each(table) => table.row_count,
        }
    }

    /// Goes back to the first packet.
    pub(super) fn rewind(&mut self) {
        (self.position, self.chunk_count, self.chunk_left) = (0, 0, 0);
        (self.next_start, self.chunk_row) = (0, 0);
    }

    /// The next packet's place.
    pub(super) fn next(&mut self, source: &mut dyn Source) -> Result<Option<Place>, DecodeError> {
        if self.position == self.packet_count() {
            return Ok(None);
        }
        while self.chunk_left == 0 {
            self.next_chunk(source)?;
        }
        let length = match &mut self.sizes {
            Sizes::All { bytes, .. } => *bytes,
            Sizes::Each(table) => {
                let row = table.row(source, self.position)?;
                row.and_then(|row| u32_be(row, 0)).map_or(0, u64::from)
            }
        };
        let place = Place { start: self.next_start, length };
        self.next_start = self.next_start.saturating_add(length);
        self.position += 1;
        self.chunk_left -= 1;
        Ok(Some(place))
    }

    /// The place of up to `count_max` packets of one length that follow each other.
    pub(super) fn next_run(
        &mut self,
        source: &mut dyn Source,
        count_max: u64,
    ) -> Result<Option<Place>, DecodeError> {
        let Some(first) = self.next(source)? else { return Ok(None) };
        let Sizes::All { bytes, .. } = &self.sizes else { return Ok(Some(first)) };
        let left = self.packet_count() - self.position;
        let more = self.chunk_left.min(left).min(count_max - 1);
        let length = bytes.saturating_mul(more);
        self.next_start = self.next_start.saturating_add(length);
        self.position += more;
        self.chunk_left -= more;
        Ok(Some(Place { start: first.start, length: first.length + length }))
    }

    /// Begins the next chunk.
    fn next_chunk(&mut self, source: &mut dyn Source) -> Result<(), DecodeError> {
        let missing = || DecodeError::damaged("its chunk tables hold too few packets");
        let offset = self.offsets.row(source, self.chunk_count)?;
        self.next_start =
            offset.and_then(|row| number(row, 0, self.is_long)).ok_or_else(missing)?;
        self.chunk_count += 1;
        // A row holds from its first chunk, counted from 1, to that of the next row.
        if let Some(next) = self.chunks.row(source, self.chunk_row + 1)?
            && u32_be(next, 0).is_some_and(|first| u64::from(first) <= self.chunk_count)
        {
            self.chunk_row += 1;
        }
        let row = self.chunks.row(source, self.chunk_row)?.ok_or_else(missing)?;
        let field = |offset| u32_be(row, offset).unwrap_or(0);
        self.chunk_left = field(4).into();
        if field(8) > 1 {
            return Err(DecodeError::unsupported("packets of several sample descriptions"));
        }
        if u64::from(field(0)) > self.chunk_count {
            return Err(DecodeError::damaged("its chunk table does not start at the first chunk"));
        }
        Ok(())
    }
}

/// The sum of all packets' durations, in units of the track's timescale.
pub(super) fn duration(source: &mut dyn Source, tables: &Tables) -> Result<u64, DecodeError> {
    let mut table = Table::new(source, tables.durations, "stts", 8, 8)?;
    let mut sum = 0u64;
    for index in 0..table.row_count {
        if let Some(row) = table.row(source, index)? {
            let field = |offset| u32_be(row, offset).map_or(0, u64::from);
            sum = sum.saturating_add(field(0) * field(4));
        }
    }
    Ok(sum)
}
