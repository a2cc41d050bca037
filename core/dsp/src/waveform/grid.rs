//! Where the points of a waveform begin and end.

use wavemill_audio::units::Frames;

/// Most points of one resolution: one for every 12 frames of a minute at 192 kHz, and 24 MB a channel.
pub const POINT_COUNT_MAX: usize = 1_000_000;

/// While the length is unknown, at least this many fine points are kept for each one asked for: a
/// point's end is off by at most half a fine one.
const FINE_PER_POINT: usize = 8;

/// Fewest frames of points of one length: `audiowaveform` refuses fewer.
const UNIFORM_FRAMES_MIN: u64 = 2;

/// How many points, of which lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Exactly this many points (fewer when there are fewer frames): point `k` of `n` begins at frame
    /// `k * frames / n`, rounded down, so that lengths differ by at most a frame. When the length is
    /// unknown beforehand, within a sixteenth of a point.
    Even(usize),
    /// At most this many points of one length in whole frames, at least two; the last may be shorter. When the
    /// length is unknown beforehand, at least half as many where there are so many frames.
    Uniform(usize),
}

impl Resolution {
    fn point_count(self) -> usize {
        let (Self::Even(count) | Self::Uniform(count)) = self;
        count.clamp(1, POINT_COUNT_MAX)
    }
}

/// The points of one resolution while the signal runs.
#[derive(Clone, Debug)]
pub(super) enum Grid {
    /// Even parts of a known length.
    Even { frame_count: u64, point_count: u64 },
    /// Parts of one length.
    Uniform { frames_per_point: u64 },
    /// Parts of one length that doubles when `capacity` points are there.
    Doubling { frames_per_point: u64, capacity: usize },
}

impl Grid {
    pub(super) fn new(resolution: Resolution, frame_count: Option<Frames>) -> Self {
        let point_count = resolution.point_count() as u64;
        match (resolution, frame_count) {
            (_, None) => Self::Doubling {
                frames_per_point: 1,
                capacity: 2 * FINE_PER_POINT * resolution.point_count(),
            },
            (Resolution::Even(_), Some(Frames(frame_count))) => {
                Self::Even { frame_count, point_count: point_count.min(frame_count).max(1) }
            }
            (Resolution::Uniform(_), Some(Frames(frame_count))) => Self::Uniform {
                frames_per_point: frame_count.div_ceil(point_count).max(UNIFORM_FRAMES_MIN),
            },
        }
    }

    /// Frame behind the point with this index.
    pub(super) fn end_of(&self, index: usize) -> u64 {
        let end = index as u64 + 1;
        match *self {
            Self::Even { frame_count, point_count } => even_start(end, frame_count, point_count),
            Self::Uniform { frames_per_point } | Self::Doubling { frames_per_point, .. } => {
                end * frames_per_point
            }
        }
    }
}

/// First frame of part `index` of `point_count` even parts.
#[expect(clippy::cast_possible_truncation, reason = "at most the frame count, which is a u64")]
pub(super) fn even_start(index: u64, frame_count: u64, point_count: u64) -> u64 {
    (u128::from(index) * u128::from(frame_count) / u128::from(point_count)) as u64
}

/// Points made of fine ones.
pub(super) struct Grouping {
    /// Their ends, as counts of fine points.
    pub(super) ends: Vec<usize>,
    /// Their length, if they have one.
    pub(super) frames_per_point: Option<u64>,
}

/// Groups `fine_count` points of `frames_per_fine` frames (the last maybe shorter) that cover
/// `frame_count` frames.
pub(super) fn grouping(
    resolution: Resolution,
    fine_count: usize,
    frames_per_fine: u64,
    frame_count: u64,
) -> Grouping {
    let point_count = resolution.point_count().min(fine_count);
    match resolution {
        Resolution::Even(_) => {
            let nearest = |end: usize| {
                let frame = even_start(end as u64, frame_count, point_count as u64);
                Frames((frame + frames_per_fine / 2) / frames_per_fine).as_usize()
            };
            // The last fine point may be too short to round up to its end.
            let ends = (1..point_count).map(nearest).chain((point_count > 0).then_some(fine_count));
            Grouping { ends: ends.collect(), frames_per_point: None }
        }
        Resolution::Uniform(_) => {
            let each_min = Frames(UNIFORM_FRAMES_MIN.div_ceil(frames_per_fine)).as_usize();
            let each = fine_count.div_ceil(point_count.max(1)).max(each_min);
            let ends = (1..=fine_count.div_ceil(each)).map(|end| (end * each).min(fine_count));
            let frames_per_point = Some(each as u64 * frames_per_fine);
            Grouping { ends: ends.collect(), frames_per_point }
        }
    }
}
