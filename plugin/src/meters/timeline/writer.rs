//! The audio thread's side: a meter on the grid of the song.

use super::{CELLS_PER_SECOND, CellMessage, Timeline};
use wavemill_core::audio::{Block, StreamSpec};
use wavemill_core::loudness::{LoudnessMeter, MonoMode};
use wavemill_core::units::Seconds;

/// Frames measured at once.
const BLOCK_FRAMES: usize = 1024;

/// What a meter keeps: it begins anew with each jump, and its energies are taken as they come.
const KEPT: Seconds = Seconds(60.0);

/// How far a position may be from the expected one: hosts that count in beats round.
const SLACK_FRAMES: u64 = 2;

/// Measures what is played at places of the song. Real-time, but for being made.
pub(crate) struct TimelineWriter {
    meter: LoudnessMeter,
    block: Block,
    rate: i64,
    /// Where the next frame belongs, if nothing jumps.
    expected: Option<i64>,
    /// Frames until the next cell begins, after a jump.
    skipped: i64,
    /// The cell of the meter's first hop.
    first_cell: i64,
    /// Frames since it began.
    position: u64,
    /// Hops that were sent.
    sent: u64,
    /// What energies count: a single channel may count as two.
    weight: f64,
}

impl TimelineWriter {
    /// Allocates.
    pub(crate) fn new(spec: &StreamSpec, mono: MonoMode) -> Self {
        let mut meter = LoudnessMeter::new(spec, MonoMode::Single);
        meter.keep_at_most(KEPT);
        Self {
            meter,
            weight: weight(spec, mono),
            block: Block::new(spec.channel_count(), BLOCK_FRAMES),
            rate: i64::from(spec.sample_rate.0),
            expected: None,
            skipped: 0,
            first_cell: 0,
            position: 0,
            sent: 0,
        }
    }

    /// What a single channel counts as from now on.
    pub(crate) fn set_mono(&mut self, spec: &StreamSpec, mono: MonoMode) {
        self.weight = weight(spec, mono);
        self.clear();
    }

    /// What follows has nothing to do with what came before.
    pub(crate) fn clear(&mut self) {
        self.expected = None;
    }

    /// Measures a block that begins at this frame of the song; nothing where there is none.
    pub(crate) fn push(&mut self, planes: &[&mut [f32]], place: Option<i64>, to: &Timeline) {
        let frame_count = planes.first().map_or(0, |plane| plane.len());
        let Some(place) = place.filter(|_| planes.len() == self.block.channel_count()) else {
            self.expected = None;
            return;
        };
        if self.expected.is_none_or(|expected| expected.abs_diff(place) > SLACK_FRAMES) {
            self.begin(place);
        }
        let end = place.saturating_add(i64::try_from(frame_count).unwrap_or(i64::MAX));
        self.expected = Some(end);
        let skipped = usize::try_from(self.skipped).unwrap_or(0).min(frame_count);
        self.skipped -= i64::try_from(skipped).unwrap_or(0);
        let mut start = skipped;
        while start < frame_count {
            let count = self.until_next_cell().min(BLOCK_FRAMES).min(frame_count - start);
            self.measure(planes, start, count);
            start += count;
            self.send(to);
        }
    }

    /// Begins anew at the next cell.
    fn begin(&mut self, place: i64) {
        self.meter.reset();
        (self.position, self.sent) = (0, 0);
        let per_second = i64::try_from(CELLS_PER_SECOND).unwrap_or(1);
        // The first cell whose first frame is not before `place`.
        let cells = i128::from(place) * i128::from(per_second);
        let rate = i128::from(self.rate.max(1));
        let cell = cells.div_euclid(rate) + i128::from(cells.rem_euclid(rate) > 0);
        self.first_cell = i64::try_from(cell).unwrap_or(i64::MAX);
        let frame = (cell * rate).div_euclid(i128::from(per_second));
        self.skipped = i64::try_from(frame - i128::from(place)).unwrap_or(0).max(0);
    }

    /// Frames until the meter's next hop is complete; at least 1.
    fn until_next_cell(&self) -> usize {
        let rate = self.rate.unsigned_abs().max(1);
        let next = self.position * CELLS_PER_SECOND / rate + 1;
        let frames = (next * rate).div_ceil(CELLS_PER_SECOND) - self.position;
        usize::try_from(frames).unwrap_or(usize::MAX).max(1)
    }

    fn measure(&mut self, planes: &[&mut [f32]], start: usize, count: usize) {
        self.block.set_frame_count(count);
        for (kept, plane) in self.block.planes_mut().zip(planes) {
            kept.copy_from_slice(&plane[start..start + count]);
        }
        self.meter.push(&self.block);
        self.position += count as u64;
    }

    /// Sends the hop that became complete.
    fn send(&mut self, to: &Timeline) {
        let Some(hop) = self.meter.latest_hop().filter(|hop| hop.index >= self.sent) else {
            return;
        };
        self.sent = hop.index + 1;
        let cell = |index: u64| self.first_cell.saturating_add_unsigned(index);
        let peak = self.meter.latest_hop_peak().map(|peak| {
            #[expect(clippy::cast_possible_truncation, reason = "a display")]
            let dbtp = peak.true_peak_dbtp.map_or(f32::NEG_INFINITY, |peak| peak.0 as f32);
            (cell(peak.index), dbtp)
        });
        to.send(CellMessage {
            cell: cell(hop.index),
            energy: hop.energy * self.weight,
            is_settled: hop.index > 0,
            peak,
            generation: to.generation(),
        });
    }
}

/// BS.1770 adds the energies of channels.
fn weight(spec: &StreamSpec, mono: MonoMode) -> f64 {
    let is_double = spec.channel_count() == 1 && mono == MonoMode::Dual;
    if is_double { 2.0 } else { 1.0 }
}
