//! How the signal looks.

use super::chart::{Chart, HEIGHT, Path, Tick, time_ticks};
use super::{Scope, Signal, number};
use std::fmt::Write as _;
use wavemill_core::waveform::{Lane, Point, Waveform};

/// Most channels that have a lane each; of more their mean is shown.
const LANES_MAX: usize = 2;

/// Height of a mark of clipping.
const CLIP_HEIGHT: f64 = HEIGHT / 12.0;

/// The lanes of a signal; `None` where it has none.
pub(super) fn section(signal: &Signal, scope: Scope) -> Option<String> {
    let waveform = signal.waveform.as_ref()?;
    let level = waveform.levels.first().filter(|level| !level.mix.is_empty())?;
    let is_split = !scope.is_album && (2..=LANES_MAX).contains(&level.channels.len());
    let lanes: Vec<(&str, &Lane)> = if is_split {
        ["L", "R"].into_iter().zip(&level.channels).collect()
    } else {
        vec![("", &level.mix)]
    };
    let last = lanes.len() - 1;
    let duration_s = duration_s(waveform);
    let mut out = String::new();
    for (index, (name, lane)) in lanes.into_iter().enumerate() {
        let points = thinned(lane, scope.points);
        let ticks = if index == last { time_ticks(duration_s) } else { Vec::new() };
        out.push_str(
            &Chart {
                label: &label(name, duration_s, &points),
                class: match (is_split, index == last) {
                    (false, _) => "lane whole",
                    (true, false) => "lane upper",
                    (true, true) => "lane",
                },
                width: points.len() as f64,
                shapes: &shapes(&points),
                y_ticks: &y_ticks(name),
                x_ticks: &ticks,
            }
            .markup(),
        );
    }
    Some(out)
}

pub(super) fn duration_s(waveform: &Waveform) -> f64 {
    waveform.frame_count.duration(waveform.sample_rate).0
}

fn y_ticks(name: &str) -> Vec<Tick> {
    let name = if name.is_empty() { "0" } else { name };
    vec![Tick { at: 0.5, label: name.to_owned() }]
}

fn label(name: &str, duration_s: f64, points: &[Point]) -> String {
    let channel = match name {
        "L" => "left channel",
        "R" => "right channel",
        _ => "all channels",
    };
    let peak = points.iter().fold(0.0f32, |peak, point| peak.max(point.max).max(-point.min));
    let clipped =
        if points.iter().any(|point| point.is_clipped) { ", clipped in places" } else { "" };
    format!(
        "Waveform, {channel}: {}, sample peak at {:.0}% of full scale{clipped}",
        number::duration(duration_s),
        f64::from(peak) * 100.0
    )
}

/// Neighbors merged until there are at most `count_max` points.
fn thinned(lane: &Lane, count_max: usize) -> Vec<Point> {
    let count = lane.len().min(count_max.max(1));
    let merge = |points: &[Point]| -> Option<Point> {
        let (&first, rest) = points.split_first()?;
        Some(rest.iter().fold(first, |sum, point| Point {
            min: sum.min.min(point.min),
            max: sum.max.max(point.max),
            square_sum: sum.square_sum + point.square_sum,
            frame_count: sum.frame_count + point.frame_count,
            is_clipped: sum.is_clipped || point.is_clipped,
        }))
    };
    (0..count)
        .filter_map(|index| {
            merge(lane.get(index * lane.len() / count..(index + 1) * lane.len() / count)?)
        })
        .collect()
}

fn shapes(points: &[Point]) -> String {
    let middle = HEIGHT / 2.0;
    // Full scale is a hair's breadth from the edge, where a line would be cut.
    let y = |value: f64| middle - value.clamp(-1.0, 1.0) * (middle - 2.0);
    let mut out = format!("<path class=\"l zero\" d=\"M0 {middle}h{}\"/>", points.len());
    let peaks = points.iter().map(|point| (f64::from(point.min), f64::from(point.max)));
    out.push_str(&band(&peaks.collect::<Vec<_>>(), y).filled("peak"));
    let rms = points.iter().map(|point| (-point.rms(), point.rms()));
    out.push_str(&band(&rms.collect::<Vec<_>>(), y).filled("rms"));
    let mut clipped = String::new();
    for (index, _) in points.iter().enumerate().filter(|(_, point)| point.is_clipped) {
        let _ = write!(clipped, "M{index}.5 0v{CLIP_HEIGHT:.0}");
    }
    if !clipped.is_empty() {
        let _ = write!(out, "<path class=\"l clip\" d=\"{clipped}\"/>");
    }
    out
}

/// The area between the lower and upper values: forth above, back below.
fn band(values: &[(f64, f64)], y: impl Fn(f64) -> f64) -> Path {
    let mut path = Path::default();
    for (index, (_, upper)) in values.iter().enumerate() {
        path.to(index as f64, y(*upper));
    }
    // The last point has a width too.
    if let Some((lower, upper)) = values.last() {
        path.to(values.len() as f64, y(*upper));
        path.to(values.len() as f64, y(*lower));
    }
    for (index, (lower, _)) in values.iter().enumerate().rev() {
        path.to(index as f64, y(*lower));
    }
    path
}
