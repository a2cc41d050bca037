//! Comparing outputs.

use super::judge::Stop;
use super::signal::Planes;

/// That two outputs are the same bits; `what` is said to differ from `from` where they are not.
pub(super) fn same_bits(
    what: &str,
    output: &Planes,
    from: &str,
    other: &Planes,
) -> Result<(), Stop> {
    let differs = |(channel, (a, b)): (usize, (&Vec<f32>, &Vec<f32>))| {
        let at = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits())?;
        Some((at, channel, a[at], b[at]))
    };
    let first =
        output.iter().zip(other).enumerate().filter_map(differs).min_by_key(|found| found.0);
    match first {
        None => Ok(()),
        Some((at, channel, a, b)) => Err(Stop::broke(format!(
            "{what} and {from} give different outputs, first at frame {at} of channel {channel}: \
            {a} and {b}"
        ))),
    }
}

/// The largest absolute sample of each frame's channels, from frame `start` on, and the last frame
/// above `threshold`.
pub(super) fn last_above(planes: &Planes, start: usize, threshold: f32) -> Option<usize> {
    planes.iter().filter_map(|plane| last_of_plane(plane, start, threshold)).max()
}

fn last_of_plane(plane: &[f32], start: usize, threshold: f32) -> Option<usize> {
    let late = plane.get(start..)?;
    late.iter().rposition(|sample| sample.abs() > threshold).map(|index| start + index)
}

/// The largest absolute sample from frame `start` on.
pub(super) fn peak_from(planes: &Planes, start: usize) -> f32 {
    let late = planes.iter().filter_map(|plane| plane.get(start..)).flatten();
    late.fold(0.0, |peak: f32, sample| peak.max(sample.abs()))
}
