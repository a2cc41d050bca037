//! From samples to points.

use super::grid::{Grid, Resolution, grouping};
use super::segment::{Clipping, Extent, Segment};
use wavemill_audio::limits::BLOCK_FRAMES;
use wavemill_audio::units::{Frames, SampleRate};
use wavemill_audio::{Block, ChannelLayout, PcmFormat, StreamSpec};

/// What a stretch of one channel holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Smallest sample; full scale is -1.0.
    pub min: f32,
    /// Largest sample.
    pub max: f32,
    /// Sum of the squares of all samples.
    pub square_sum: f64,
    /// Frames of the stretch, at least one.
    pub frame_count: u64,
    /// Whether a run of three or more samples at full scale ends or goes on here.
    pub is_clipped: bool,
}

impl Point {
    /// Root of the mean square; 0 for silence.
    pub fn rms(&self) -> f64 {
        (self.square_sum / self.frame_count as f64).sqrt()
    }

    fn merge(&mut self, later: &Self) {
        self.min = self.min.min(later.min);
        self.max = self.max.max(later.max);
        self.square_sum += later.square_sum;
        self.frame_count += later.frame_count;
        self.is_clipped |= later.is_clipped;
    }
}

/// The points of one channel, or of the channels' mean, in order.
pub type Lane = Vec<Point>;

/// A waveform at one resolution. All lanes have equally many points, each with the same frames.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// Frames of each point but the last, if all have the same: see [`Resolution::Uniform`].
    pub frames_per_point: Option<u64>,
    /// The channels' mean; clipped where any of them is.
    pub mix: Lane,
    /// The channels in stored order.
    pub channels: Vec<Lane>,
}

/// A waveform at the resolutions asked for, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Waveform {
    /// Frames per second.
    pub sample_rate: SampleRate,
    /// What each channel is.
    pub layout: ChannelLayout,
    /// Frames measured.
    pub frame_count: Frames,
    /// One for each resolution.
    pub levels: Vec<Level>,
}

/// Collects a waveform block by block. Results do not depend on how the signal was cut into blocks.
///
/// The signal is cut wherever a point of any resolution ends; each piece is looked at once and counts
/// for all of them. State kept: the points.
#[derive(Clone, Debug)]
pub struct WaveformMeter {
    spec: StreamSpec,
    resolutions: Vec<Resolution>,
    collections: Vec<Collection>,
    /// One for each channel, then one for the mean.
    segments: Vec<Segment>,
    clippings: Vec<Clipping>,
    is_clipped: Vec<bool>,
    mix: Vec<f32>,
    position: u64,
    /// First frame of the piece that is going on.
    piece_start: u64,
    /// Frame behind it.
    piece_end: u64,
}

/// The points of one resolution: `[channel or mean][point]`, and those that are going on.
#[derive(Clone, Debug)]
struct Collection {
    grid: Grid,
    lanes: Vec<Lane>,
    current: Vec<Option<Point>>,
}

impl WaveformMeter {
    /// A meter for a stream whose samples are stored as `format` (which says what full scale is).
    ///
    /// `frame_count` is the exact number of frames that will come, if it is known: then points lie
    /// exactly where [`Resolution`] says.
    pub fn new(
        spec: &StreamSpec,
        format: PcmFormat,
        frame_count: Option<Frames>,
        resolutions: &[Resolution],
    ) -> Self {
        let lane_count = spec.channel_count() + 1;
        let collections = resolutions
            .iter()
            .map(|&resolution| Collection {
                grid: Grid::new(resolution, frame_count),
                lanes: vec![Lane::new(); lane_count],
                current: vec![None; lane_count],
            })
            .collect();
        let mut meter = Self {
            spec: spec.clone(),
            resolutions: resolutions.to_vec(),
            collections,
            segments: vec![Segment::EMPTY; lane_count],
            clippings: vec![Clipping::new(format.full_scale()); lane_count - 1],
            is_clipped: vec![false; lane_count],
            mix: vec![0.0; BLOCK_FRAMES],
            position: 0,
            piece_start: 0,
            piece_end: 0,
        };
        meter.piece_end = meter.next_end();
        meter
    }

    /// Takes further frames.
    ///
    /// # Panics
    /// When the block has another channel count than the stream: that is a bug of the caller.
    pub fn push(&mut self, block: &Block) {
        assert_eq!(block.channel_count(), self.spec.channel_count(), "a block of the stream");
        let mut start = 0;
        while start < block.frame_count() {
            let room = Frames((self.piece_end - self.position).min(self.mix.len() as u64));
            let count = room.as_usize().min(block.frame_count() - start);
            self.look(block, start, count);
            start += count;
            self.position += count as u64;
            if self.position == self.piece_end {
                self.end_piece();
            }
        }
    }

    /// Looks at frames of one piece.
    fn look(&mut self, block: &Block, start: usize, count: usize) {
        let channel_count = self.spec.channel_count();
        let mix = &mut self.mix[..count];
        for (channel, plane) in block.planes().enumerate() {
            let samples = &plane[start..start + count];
            self.segments[channel].push(samples);
            let is_clipped = self.clippings[channel].push(samples);
            self.is_clipped[channel] |= is_clipped;
            self.is_clipped[channel_count] |= is_clipped;
            if channel == 0 {
                mix.copy_from_slice(samples);
            } else {
                mix.iter_mut().zip(samples).for_each(|(sum, sample)| *sum += sample);
            }
        }
        if channel_count > 1 {
            #[expect(clippy::cast_possible_truncation, reason = "a count of channels fits f32")]
            let divisor = channel_count as f64 as f32;
            for sum in mix.iter_mut() {
                *sum /= divisor;
            }
        }
        if channel_count > 0 {
            self.segments[channel_count].push(mix);
        }
    }

    /// The nearest end of a point of any resolution.
    fn next_end(&self) -> u64 {
        let ends = self.collections.iter().map(Collection::next_end);
        ends.filter(|&end| end > self.position).min().unwrap_or(u64::MAX)
    }

    fn end_piece(&mut self) {
        let frame_count = self.position - self.piece_start;
        for lane in 0..self.segments.len() {
            let extent = self.segments[lane].take();
            let is_clipped = std::mem::take(&mut self.is_clipped[lane]);
            let point = piece(&extent, frame_count, is_clipped);
            for collection in &mut self.collections {
                match &mut collection.current[lane] {
                    Some(current) => current.merge(&point),
                    empty => *empty = Some(point),
                }
            }
        }
        for collection in &mut self.collections {
            if collection.next_end() == self.position {
                collection.end_point();
            }
        }
        self.piece_start = self.position;
        self.piece_end = self.next_end();
    }

    /// The waveform.
    pub fn finish(mut self) -> Waveform {
        if self.position > self.piece_start {
            self.end_piece();
        }
        let frame_count = self.position;
        let has_channels = self.spec.channel_count() > 0;
        let collections = self.collections.into_iter().zip(self.resolutions);
        let levels = collections
            .map(|(collection, resolution)| {
                let (mut channels, frames_per_point) = collection.finish(resolution, frame_count);
                let mix = channels.pop().filter(|_| has_channels).unwrap_or_default();
                Level { frames_per_point, mix, channels }
            })
            .collect();
        Waveform {
            sample_rate: self.spec.sample_rate,
            layout: self.spec.layout,
            frame_count: Frames(frame_count),
            levels,
        }
    }
}

fn piece(extent: &Extent, frame_count: u64, is_clipped: bool) -> Point {
    let Extent { min, max, square_sum } = *extent;
    Point { min, max, square_sum, frame_count, is_clipped }
}

impl Collection {
    /// Frame behind the point that is going on.
    fn next_end(&self) -> u64 {
        self.grid.end_of(self.lanes[0].len())
    }

    fn end_point(&mut self) {
        for (lane, current) in self.lanes.iter_mut().zip(&mut self.current) {
            lane.extend(current.take());
        }
        if let Grid::Doubling { frames_per_point, capacity } = &mut self.grid
            && self.lanes[0].len() == *capacity
        {
            *frames_per_point *= 2;
            self.lanes.iter_mut().for_each(halve);
        }
    }

    /// The lanes, and how many frames a point has if all have the same.
    fn finish(mut self, resolution: Resolution, frame_count: u64) -> (Vec<Lane>, Option<u64>) {
        self.lanes.iter_mut().zip(self.current).for_each(|(lane, current)| lane.extend(current));
        match self.grid {
            Grid::Even { .. } => (self.lanes, None),
            Grid::Uniform { frames_per_point } => (self.lanes, Some(frames_per_point)),
            Grid::Doubling { frames_per_point, .. } => {
                let fine_count = self.lanes[0].len();
                let grouping = grouping(resolution, fine_count, frames_per_point, frame_count);
                let lanes = self.lanes.iter().map(|lane| grouped(lane, &grouping.ends)).collect();
                (lanes, grouping.frames_per_point)
            }
        }
    }
}

/// Merges neighbors; the length is even.
fn halve(lane: &mut Lane) {
    for index in 0..lane.len() / 2 {
        let mut point = lane[2 * index];
        point.merge(&lane[2 * index + 1]);
        lane[index] = point;
    }
    lane.truncate(lane.len() / 2);
}

fn grouped(fine: &Lane, ends: &[usize]) -> Lane {
    let mut start = 0;
    ends.iter()
        .filter_map(|&end| {
            let group = fine.get(start..end)?;
            start = end;
            let (&first, rest) = group.split_first()?;
            Some(rest.iter().fold(first, |mut sum, point| {
                sum.merge(point);
                sum
            }))
        })
        .collect()
}
