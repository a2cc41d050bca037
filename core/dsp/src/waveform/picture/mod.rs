//! Waveforms as pictures: lanes of peaks and RMS with what was clipped, the curve of loudness, and
//! what one wants to know of a file above them.
//!
//! One description of shapes, two writers: SVG and PNG show the same.

mod axis;
mod curve;
mod font;
mod header;
mod lane;
mod png;
mod raster;
mod scene;
mod svg;
mod theme;

pub use lane::channel_names;
pub use theme::Theme;

use super::{Level, Waveform};
use crate::loudness::HistoryPoint;
use axis::Tick;
use scene::{Anchor, Area, Scene, Shape, Spot, Text, Weight};
use theme::Ink;
use wavemill_audio::units::{Dbtp, Lu, Lufs, Seconds};

/// Smallest and largest width, in pixels.
pub const WIDTH_MIN: u32 = 120;
/// See [`WIDTH_MIN`].
pub const WIDTH_MAX: u32 = 16_384;
/// Smallest and largest height, in pixels.
pub const HEIGHT_MIN: u32 = 32;
/// See [`HEIGHT_MIN`].
pub const HEIGHT_MAX: u32 = 8_192;

/// How a picture looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Pixels; within [`WIDTH_MIN`] and [`WIDTH_MAX`].
    pub width: u32,
    /// Pixels; within [`HEIGHT_MIN`] and [`HEIGHT_MAX`]. By default as many as the lanes need.
    pub height: Option<u32>,
    /// Colors.
    pub theme: Theme,
    /// A lane for each channel instead of one for their mean.
    pub is_split: bool,
    /// Nothing but the lanes: no title, scales, times and loudness.
    pub is_plain: bool,
}

/// What a picture shows.
#[derive(Clone, Debug)]
pub struct Picture<'a> {
    /// Name of the file.
    pub title: &'a str,
    /// What else is known of it, on one line.
    pub subtitle: &'a str,
    /// The waveform; its first level is drawn.
    pub waveform: &'a Waveform,
    /// Where it begins in the file.
    pub start: Seconds,
    /// Measured over what is shown.
    pub numbers: Numbers,
    /// Loudness over the time that is shown; times are from its beginning.
    pub curve: &'a [HistoryPoint],
}

/// Numbers in the header; those that do not exist are left out.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Numbers {
    /// Integrated loudness.
    pub integrated_lufs: Option<Lufs>,
    /// Loudness range.
    pub loudness_range_lu: Option<Lu>,
    /// True peak.
    pub true_peak_dbtp: Option<Dbtp>,
    /// Samples in runs at full scale.
    pub clipped_samples: u64,
}

/// Points that a picture of this width can show: one for each pixel of a lane, fewer in an SVG of many
/// lanes, whose size grows with the points of all.
pub fn point_count(settings: &Settings, channel_count: usize, is_svg: bool) -> usize {
    let lanes = if settings.is_split { channel_count.max(1) } else { 1 };
    let plot = whole(plot_span(settings).1);
    if is_svg { plot.min((SVG_POINTS_MAX / lanes).max(1)) } else { plot }
}

/// Points of all lanes of an SVG: each needs about 26 bytes, so this keeps it near 130 kB.
const SVG_POINTS_MAX: usize = 5_000;

const MARGIN: f64 = 20.0;
/// Left of the lanes, for the labels of scales.
const GUTTER: f64 = 40.0;
const HEADER_HEIGHT: f64 = 72.0;
const AXIS_HEIGHT: f64 = 26.0;
const LANE_GAP: f64 = 6.0;
/// Above the curve, for its legend.
const CURVE_GAP: f64 = 24.0;
const CURVE_HEIGHT: f64 = 96.0;
/// A lane lower than this says nothing.
const LANE_HEIGHT_MIN: f64 = 12.0;
/// Room for a label of the time axis.
const TICK_WIDTH: f64 = 90.0;
const LABEL_SIZE: f64 = 11.0;

/// Where everything stands.
#[derive(Clone, Debug)]
struct Layout {
    header: Option<Area>,
    lanes: Vec<Area>,
    curve: Option<Area>,
    /// Base line of the times, if they are shown.
    axis_y: Option<f64>,
}

impl Picture<'_> {
    /// An SVG document.
    pub fn to_svg(&self, settings: &Settings) -> String {
        let title = format!("{}: {}", self.title, self.subtitle);
        svg::write(&self.scene(settings), settings.theme, &title)
    }

    /// A PNG file, opaque, eight bits a color.
    pub fn to_png(&self, settings: &Settings) -> Vec<u8> {
        png::encode(&raster::draw(&self.scene(settings), settings.theme))
    }

    fn scene(&self, settings: &Settings) -> Scene {
        let lanes = lane::lanes(self.waveform, settings.is_split);
        let has_curve = curve::has_value(self.curve);
        let (height, layout) = layout(settings, lanes.len(), has_curve);
        let mut scene = Scene { width: settings.width, height, shapes: Vec::new() };
        let page =
            Area { x: 0.0, y: 0.0, width: f64::from(settings.width), height: f64::from(height) };
        scene.rectangle(page, Ink::Page);
        for area in layout.lanes.iter().chain(&layout.curve) {
            scene.shapes.push(Shape::Rectangle { area: *area, radius: 4.0, ink: Ink::Panel });
        }
        if let Some(y) = layout.axis_y {
            self.draw_times(&mut scene, &layout, y);
        }
        if let Some(area) = &layout.header {
            header::draw(&mut scene, area, self);
        }
        let has_scale = !settings.is_plain;
        for (index, (lane, area)) in lanes.iter().zip(&layout.lanes).enumerate() {
            lane::draw(&mut scene, lane, area, has_scale, index == 0);
        }
        if let Some(area) = &layout.curve {
            curve::draw(&mut scene, area, self.curve, self.duration_s(), &self.numbers);
        }
        scene
    }

    fn duration_s(&self) -> f64 {
        self.waveform.frame_count.duration(self.waveform.sample_rate).0
    }

    fn draw_times(&self, scene: &mut Scene, layout: &Layout, y: f64) {
        let Some(plot) = layout.lanes.first() else { return };
        let (start_s, span_s) = (self.start.0, self.duration_s());
        let ticks = axis::time_ticks(start_s, start_s + span_s, plot.width / TICK_WIDTH);
        for Tick { at, label } in ticks {
            let x = plot.x + (at - start_s) / span_s * plot.width;
            for area in layout.lanes.iter().chain(&layout.curve) {
                let line = Area { x: x.floor().min(plot.right() - 1.0), width: 1.0, ..*area };
                scene.rectangle(line, Ink::Grid);
            }
            // At the edges the label stays within the plot.
            let half = 20.0;
            let anchor = if x < plot.x + half {
                Anchor::Start
            } else if x > plot.right() - half {
                Anchor::End
            } else {
                Anchor::Middle
            };
            scene.text(Text {
                at: Spot { x, y },
                anchor,
                weight: Weight::Regular,
                size: LABEL_SIZE,
                ink: Ink::Muted,
                content: label,
            });
        }
    }
}

/// Left edge and width of the lanes.
fn plot_span(settings: &Settings) -> (f64, f64) {
    let width = f64::from(settings.width);
    if settings.is_plain { (0.0, width) } else { (MARGIN + GUTTER, width - 2.0 * MARGIN - GUTTER) }
}

/// The picture's height and where everything stands in it. What does not fit a given height is left
/// out: first the curve, then the header, then the times.
fn layout(settings: &Settings, lane_count: usize, has_curve: bool) -> (u32, Layout) {
    let (x, width) = plot_span(settings);
    let count = lane_count.max(1) as f64;
    let gaps = LANE_GAP * (count - 1.0);
    let usual = count * usual_lane_height(lane_count) + gaps;
    let is_plain = settings.is_plain;
    let mut parts = [
        (has_curve && !is_plain, CURVE_HEIGHT + CURVE_GAP),
        (!is_plain, HEADER_HEIGHT),
        (!is_plain, AXIS_HEIGHT),
    ];
    let margins = if is_plain { 0.0 } else { MARGIN };
    let taken = |parts: &[(bool, f64); 3]| {
        parts.iter().filter(|(is_shown, _)| *is_shown).map(|(_, height)| height).sum::<f64>()
    };
    let height = settings.height.map_or(usual + margins + taken(&parts), f64::from);
    for index in 0..parts.len() {
        // Lanes matter most: each keeps at least a third of its usual height.
        if height - margins - taken(&parts) - gaps < usual / 3.0 {
            parts[index].0 = false;
        }
    }
    let [(has_curve, _), (has_header, _), (has_axis, _)] = parts;
    let lanes_height = height - margins - taken(&parts);
    let lane_height = ((lanes_height - gaps) / count).floor().max(LANE_HEIGHT_MIN);
    let top = if has_header { HEADER_HEIGHT } else { margins / 2.0 };
    let lanes: Vec<Area> = (0..lane_count.max(1))
        .map(|index| Area {
            x,
            y: top + index as f64 * (lane_height + LANE_GAP),
            width,
            height: lane_height,
        })
        .collect();
    let bottom = lanes.last().map_or(top, Area::bottom);
    let curve = has_curve.then_some(Area { x, y: bottom + CURVE_GAP, width, height: CURVE_HEIGHT });
    let axis_y = has_axis.then_some(curve.map_or(bottom, |area| area.bottom()) + 18.0);
    let header = has_header.then_some(Area {
        x: MARGIN,
        y: 0.0,
        width: f64::from(settings.width) - 2.0 * MARGIN,
        height: HEADER_HEIGHT,
    });
    (whole_u32(height.ceil()), Layout { header, lanes, curve, axis_y })
}

fn usual_lane_height(lane_count: usize) -> f64 {
    match lane_count {
        0 | 1 => 200.0,
        2 => 130.0,
        3..=6 => 84.0,
        _ => 56.0,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates; pictures are small"
)]
fn whole(value: f64) -> usize {
    value.max(1.0) as usize
}

fn whole_u32(value: f64) -> u32 {
    u32::try_from(whole(value)).unwrap_or(u32::MAX)
}

fn first_level(waveform: &Waveform) -> Option<&Level> {
    waveform.levels.first()
}
