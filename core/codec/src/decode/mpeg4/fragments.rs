//! Packets that are described in fragments behind the movie header.
//!
//! Source: ISO/IEC 14496-12:2022, 8.8: `mvex` and `trex` (defaults), `moof`, `traf`, `tfhd`, `tfdt` and
//! `trun`. The tables stay in the file, as those of the movie header do.

use super::atoms::{Atom, Atoms};
use super::table::{Place, Table};
use crate::decode::chunks::{u32_be, u64_be};
use crate::decode::{DecodeError, Source};
use std::collections::VecDeque;

/// Bytes looked at of atoms that hold a few fields.
const FIELDS_BYTES: usize = 64;

/// What holds for packets of a track of which nothing else is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Defaults {
    duration: u32,
    length: u32,
}

/// Reads a `mvex` atom: the defaults by number of the track.
pub(super) fn defaults(
    source: &mut dyn Source,
    extends: Atom,
) -> Result<Vec<(u32, Defaults)>, DecodeError> {
    let mut found = Vec::new();
    let mut children = extends.children();
    while let Some(atom) = children.next(source)? {
        if &atom.kind == b"trex" {
            let fields = atom.data(source, FIELDS_BYTES)?;
            let field = |offset| u32_be(&fields, offset).unwrap_or(0);
            found.push((field(4), Defaults { duration: field(12), length: field(16) }));
        }
    }
    Ok(found)
}

/// The packets of a track in all fragments, one after another.
pub(super) struct Fragments {
    track_id: u32,
    defaults: Defaults,
    byte_count: u64,
    atoms: Atoms,
    runs: VecDeque<Run>,
    /// Units of the track's timescale up to here, as the packets' durations have it.
    time: u64,
    /// The time of the first fragment.
    first_time: Option<u64>,
}

/// Packets in a row.
struct Run {
    /// What stands before them is missing: so many units.
    missing: u64,
    table: Table,
    position: u64,
    /// Where a row has the duration and the length, if it has.
    duration: Option<usize>,
    length: Option<usize>,
    defaults: Defaults,
    /// Where the next packet starts.
    start: u64,
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Packet(Place),
    /// So many units of the track's timescale.
    Missing(u64),
    End,
}

impl Fragments {
    pub(super) fn new(track_id: u32, defaults: Defaults, byte_count: u64) -> Self {
        Self {
            track_id,
            defaults,
            byte_count,
            atoms: Atoms::of_file(byte_count),
            runs: VecDeque::new(),
            time: 0,
            first_time: None,
        }
    }

    /// Goes back to the first packet.
    pub(super) fn rewind(&mut self) {
        *self = Self::new(self.track_id, self.defaults, self.byte_count);
    }

    /// Units of the track's timescale up to here.
    pub(super) fn time(&self) -> u64 {
        self.time
    }

    /// What comes next.
    pub(super) fn next(&mut self, source: &mut dyn Source) -> Result<Next, DecodeError> {
        loop {
            let Some(run) = self.runs.front_mut() else {
                if !self.next_fragment(source)? {
                    return Ok(Next::End);
                }
                continue;
            };
            let missing = std::mem::take(&mut run.missing);
            if missing > 0 {
                self.time = self.time.saturating_add(missing);
                return Ok(Next::Missing(missing));
            }
            let Some(row) = run.table.row(source, run.position)? else {
                self.runs.pop_front();
                continue;
            };
            let field = |offset: Option<usize>, default: u32| {
                offset.and_then(|offset| u32_be(row, offset)).unwrap_or(default)
            };
            let duration = field(run.duration, run.defaults.duration);
            let length = u64::from(field(run.length, run.defaults.length));
            let place = Place { start: run.start, length };
            run.start = run.start.saturating_add(length);
            run.position += 1;
            self.time = self.time.saturating_add(duration.into());
            return Ok(Next::Packet(place));
        }
    }

    /// Reads the runs of the next fragment; `false` at the end.
    fn next_fragment(&mut self, source: &mut dyn Source) -> Result<bool, DecodeError> {
        loop {
            let at = self.atoms.position();
            let atom = match self.atoms.next_claimed(source) {
                Ok(Some(atom)) if atom.start <= self.byte_count => atom,
                Ok(_) => return Ok(false),
                Err(error) => return Err(error),
            };
            if &atom.kind != b"moof" {
                continue;
            }
            if atom.end > self.byte_count {
                return Err(DecodeError::truncated(
                    format_args!("{} bytes", atom.end),
                    format_args!("{} bytes", self.byte_count),
                ));
            }
            self.read_fragment(source, atom, at)?;
            return Ok(true);
        }
    }

    fn read_fragment(
        &mut self,
        source: &mut dyn Source,
        fragment: Atom,
        fragment_start: u64,
    ) -> Result<(), DecodeError> {
        let mut children = fragment.children();
        while let Some(atom) = children.next(source)? {
            if &atom.kind == b"traf" {
                self.read_track(source, atom, fragment_start)?;
            }
        }
        Ok(())
    }

    /// Reads a `traf` atom.
    fn read_track(
        &mut self,
        source: &mut dyn Source,
        track: Atom,
        fragment_start: u64,
    ) -> Result<(), DecodeError> {
        let (mut base, mut defaults, mut is_ours) = (fragment_start, self.defaults, false);
        let mut missing = 0;
        let mut children = track.children();
        while let Some(atom) = children.next(source)? {
            match &atom.kind {
                b"tfhd" => {
                    let fields = atom.data(source, FIELDS_BYTES)?;
                    is_ours = u32_be(&fields, 4) == Some(self.track_id);
                    (base, defaults) = header(&fields, fragment_start, self.defaults);
                }
                b"tfdt" if is_ours => {
                    let fields = atom.data(source, FIELDS_BYTES)?;
                    let is_long = fields.first() == Some(&1);
                    let time = super::movie::number(&fields, 4, is_long).unwrap_or(0);
                    let first = *self.first_time.get_or_insert(time.saturating_sub(self.time));
                    let expected = self.time.saturating_add(self.queued(source)?);
                    missing = time.saturating_sub(first).saturating_sub(expected);
                }
                b"trun" if is_ours => {
                    let mut run = Run::read(source, atom, base, defaults)?;
                    run.missing = std::mem::take(&mut missing);
                    base = run.end(source)?;
                    self.runs.push_back(run);
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Units of the runs that were read and not passed.
    fn queued(&mut self, source: &mut dyn Source) -> Result<u64, DecodeError> {
        let mut sum = 0u64;
        for run in &mut self.runs {
            sum = sum.saturating_add(run.duration(source)?);
        }
        Ok(sum)
    }
}

/// Where offsets count from, and the defaults of a track's fragment.
fn header(fields: &[u8], fragment_start: u64, outer: Defaults) -> (u64, Defaults) {
    let flags = u32_be(fields, 0).unwrap_or(0);
    let mut offset = 8;
    let (mut base, mut defaults) = (fragment_start, outer);
    if flags & 1 != 0 {
        base = u64_be(fields, offset).unwrap_or(fragment_start);
        offset += 8;
    }
    if flags & 2 != 0 {
        offset += 4;
    }
    if flags & 8 != 0 {
        defaults.duration = u32_be(fields, offset).unwrap_or(0);
        offset += 4;
    }
    if flags & 0x10 != 0 {
        defaults.length = u32_be(fields, offset).unwrap_or(0);
    }
    (base, defaults)
}

impl Run {
    /// Reads a `trun` atom, whose packets start at byte `base` unless it says more.
    fn read(
        source: &mut dyn Source,
        atom: Atom,
        base: u64,
        defaults: Defaults,
    ) -> Result<Self, DecodeError> {
        let fields = atom.data(source, FIELDS_BYTES)?;
        let bad = || DecodeError::damaged("a run of packets is cut short");
        let flags = u32_be(&fields, 0).ok_or_else(bad)?;
        let row_count = u64::from(u32_be(&fields, 4).ok_or_else(bad)?);
        let mut head_bytes = 8;
        let mut start = base;
        if flags & 1 != 0 {
            let offset = u32_be(&fields, head_bytes).ok_or_else(bad)?.cast_signed();
            start = base.checked_add_signed(offset.into()).ok_or_else(bad)?;
            head_bytes += 4;
        }
        if flags & 4 != 0 {
            head_bytes += 4;
        }
        // A row holds duration, length, flags and offset, as far as the flags say so.
        let has = |flag: u32| usize::from(flags & flag != 0) * 4;
        let duration = (has(0x100) > 0).then_some(0);
        let length = (has(0x200) > 0).then_some(has(0x100));
        let row_bytes = has(0x100) + has(0x200) + has(0x400) + has(0x800);
        let rows_start = atom.start + head_bytes as u64;
        let room = atom.end.saturating_sub(rows_start);
        if row_count.saturating_mul(row_bytes as u64) > room {
            return Err(bad());
        }
        if length.is_none() && defaults.length == 0 && row_count > 0 {
            return Err(DecodeError::damaged("a run of packets without a length"));
        }
        let table = Table::at(rows_start, row_count, row_bytes);
        Ok(Self { missing: 0, table, position: 0, duration, length, defaults, start })
    }

    /// The sum of a field over all rows.
    fn sum(
        &mut self,
        source: &mut dyn Source,
        offset: Option<usize>,
        default: u32,
    ) -> Result<u64, DecodeError> {
        let Some(offset) = offset else {
            return Ok(self.table.row_count().saturating_mul(default.into()));
        };
        let mut sum = 0u64;
        for index in 0..self.table.row_count() {
            let row = self.table.row(source, index)?;
            let value = row.and_then(|row| u32_be(row, offset)).unwrap_or(0);
            sum = sum.saturating_add(value.into());
        }
        Ok(sum)
    }

    /// Units of all its packets.
    fn duration(&mut self, source: &mut dyn Source) -> Result<u64, DecodeError> {
        self.sum(source, self.duration, self.defaults.duration)
    }

    /// First byte behind its packets, none of which was passed.
    fn end(&mut self, source: &mut dyn Source) -> Result<u64, DecodeError> {
        let sum = self.sum(source, self.length, self.defaults.length)?;
        Ok(self.start.saturating_add(sum))
    }
}
