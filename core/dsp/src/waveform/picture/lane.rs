//! One lane: the extremes of the samples, within them the RMS, red where it is clipped.

use super::scene::{Anchor, Area, Scene, Shape, Spot, Text, Weight};
use super::theme::Ink;
use crate::waveform::{Point, Waveform};
use wavemill_audio::{ChannelLayout, ChannelPosition as P};

/// Amplitudes with a line and a label, as far as there is room: -6 and -12 dBFS.
const MARKS: [(f64, &str, f64); 2] =
    [(0.501_187, "\u{2212}6", 50.0), (0.251_189, "\u{2212}12", 110.0)];

/// Thinnest a lane's shape is drawn.
const THICKNESS_MIN: f64 = 1.0;

/// Distance of samples from which each gets a dot.
const DOT_DISTANCE: f64 = 9.0;

const CLIP_HEIGHT: f64 = 4.0;
const LABEL_SIZE: f64 = 10.0;

/// A lane and its name.
pub(super) struct Lane<'a> {
    name: String,
    points: &'a [Point],
}

pub(super) fn lanes(waveform: &Waveform, is_split: bool) -> Vec<Lane<'_>> {
    let Some(level) = super::first_level(waveform) else { return Vec::new() };
    if !is_split || level.channels.len() < 2 {
        let name = if level.channels.len() < 2 { "" } else { "mix" };
        return vec![Lane { name: name.to_owned(), points: &level.mix }];
    }
    let names = channel_names(&waveform.layout);
    let channels = level.channels.iter().zip(names);
    channels.map(|(points, name)| Lane { name, points }).collect()
}

/// The usual short names of channels, or their numbers. Sources: ITU-R BS.775; SMPTE ST 428-12 for rear and height
/// channels.
pub fn channel_names(layout: &ChannelLayout) -> Vec<String> {
    let sides = |position| layout.index_of(position).is_some();
    // With side channels there, those at the back are rear ones; alone, they are the surrounds.
    let has_both = sides(P::SideLeft) && sides(P::BackLeft);
    let name = |position: P| match position {
        P::FrontLeft => "L",
        P::FrontRight => "R",
        P::FrontCenter => "C",
        P::LowFrequency => "LFE",
        P::BackLeft if has_both => "Lrs",
        P::BackRight if has_both => "Rrs",
        P::BackLeft | P::SideLeft => "Ls",
        P::BackRight | P::SideRight => "Rs",
        P::FrontLeftOfCenter => "Lc",
        P::FrontRightOfCenter => "Rc",
        P::BackCenter => "Cs",
        P::TopCenter => "Ts",
        P::TopFrontLeft => "Ltf",
        P::TopFrontCenter => "Ctf",
        P::TopFrontRight => "Rtf",
        P::TopBackLeft => "Ltr",
        P::TopBackCenter => "Ctr",
        P::TopBackRight => "Rtr",
        P::Unknown => "",
    };
    let numbered = |(index, &position): (usize, &P)| match name(position) {
        "" => (index + 1).to_string(),
        name => name.to_owned(),
    };
    layout.positions().iter().enumerate().map(numbered).collect()
}

/// Draws a lane; `has_scale` adds lines and labels, `is_first` the unit of the scale.
pub(super) fn draw(
    scene: &mut Scene,
    lane: &Lane<'_>,
    area: &Area,
    has_scale: bool,
    is_first: bool,
) {
    if has_scale {
        draw_scale(scene, area, is_first);
    }
    let zero = Area { y: area.middle().floor(), height: 1.0, ..*area };
    scene.rectangle(zero, Ink::Zero);
    let width = area.width / lane.points.len().max(1) as f64;
    if lane.points.iter().all(|point| point.frame_count == 1) {
        draw_samples(scene, lane.points, area, width);
    } else {
        let peaks = |point: &Point| (f64::from(point.min), f64::from(point.max));
        let rms = |point: &Point| {
            let (min, max) = peaks(point);
            ((-point.rms()).max(min), point.rms().min(max))
        };
        scene
            .shapes
            .push(Shape::Polygon { spots: outline(lane.points, area, peaks), ink: Ink::Peak });
        scene.shapes.push(Shape::Polygon { spots: outline(lane.points, area, rms), ink: Ink::Rms });
    }
    draw_clipping(scene, lane.points, area, width);
    if has_scale && !lane.name.is_empty() {
        draw_name(scene, lane, area);
    }
}

fn draw_scale(scene: &mut Scene, area: &Area, is_first: bool) {
    let label = |y: f64, text: &str| Text {
        at: Spot { x: area.x - 8.0, y: y + LABEL_SIZE * 0.36 },
        anchor: Anchor::End,
        weight: Weight::Regular,
        size: LABEL_SIZE,
        ink: Ink::Muted,
        content: text.to_owned(),
    };
    for (amplitude, text, height_min) in MARKS {
        for sign in [-1.0, 1.0] {
            let y = y_of(sign * amplitude, area);
            if area.height >= height_min {
                scene.rectangle(Area { y: y.floor(), height: 1.0, ..*area }, Ink::Grid);
                scene.text(label(y.floor() + 0.5, text));
            }
        }
    }
    if area.height >= 50.0 {
        scene.text(label(area.middle(), "\u{2212}\u{221e}"));
    }
    if is_first && area.height >= 80.0 {
        scene.text(label(area.y + 5.0, "dBFS"));
    }
}

fn draw_name(scene: &mut Scene, lane: &Lane<'_>, area: &Area) {
    let font = super::font::Font::new(Weight::Medium);
    let width = font.width(&lane.name, LABEL_SIZE) + 8.0;
    let plate = Area { x: area.x + 4.0, y: area.y + 4.0, width, height: 15.0 };
    if area.height < 2.0 * plate.height {
        return;
    }
    scene.shapes.push(Shape::Rectangle { area: plate, radius: 3.0, ink: Ink::Page });
    scene.text(Text {
        at: Spot { x: plate.x + plate.width / 2.0, y: plate.y + 11.0 },
        anchor: Anchor::Middle,
        weight: Weight::Medium,
        size: LABEL_SIZE,
        ink: Ink::Muted,
        content: lane.name.clone(),
    });
}

/// Full scale is the lane's edge; what is beyond stays there.
fn y_of(amplitude: f64, area: &Area) -> f64 {
    area.middle() - amplitude.clamp(-1.0, 1.0) * area.height / 2.0
}

/// A closed shape around the extremes that `range` gives, along the middles of points.
fn outline(points: &[Point], area: &Area, range: impl Fn(&Point) -> (f64, f64)) -> Vec<Spot> {
    let step = area.width / points.len().max(1) as f64;
    let edges: Vec<(f64, f64)> = points
        .iter()
        .map(|point| {
            let (low, high) = range(point);
            let (top, bottom) = (y_of(high, area), y_of(low, area));
            let lack = (THICKNESS_MIN - (bottom - top)).max(0.0) / 2.0;
            (top - lack, bottom + lack)
        })
        .collect();
    let x_of = |index: usize| area.x + (index as f64 + 0.5) * step;
    let (Some(first), Some(last)) = (edges.first(), edges.last()) else { return Vec::new() };
    let mut spots = vec![Spot { x: area.x, y: first.0 }];
    spots.extend(edges.iter().enumerate().map(|(index, edge)| Spot { x: x_of(index), y: edge.0 }));
    spots.push(Spot { x: area.right(), y: last.0 });
    spots.push(Spot { x: area.right(), y: last.1 });
    let back = edges.iter().enumerate().rev();
    spots.extend(back.map(|(index, edge)| Spot { x: x_of(index), y: edge.1 }));
    spots.push(Spot { x: area.x, y: first.1 });
    spots
}

/// The samples themselves, where there is room for each.
fn draw_samples(scene: &mut Scene, points: &[Point], area: &Area, distance: f64) {
    let spots: Vec<Spot> = points
        .iter()
        .enumerate()
        .map(|(index, point)| Spot {
            x: area.x + (index as f64 + 0.5) * distance,
            y: y_of(point.max.into(), area),
        })
        .collect();
    if distance >= DOT_DISTANCE {
        scene.shapes.push(Shape::Dots { spots: spots.clone(), radius: 2.5, ink: Ink::Rms });
    }
    scene.shapes.push(Shape::Line { spots, width: 1.5, ink: Ink::Rms });
}

/// Red at both edges of the lane over every stretch with clipped samples.
fn draw_clipping(scene: &mut Scene, points: &[Point], area: &Area, distance: f64) {
    let mut start = 0;
    while start < points.len() {
        if !points[start].is_clipped {
            start += 1;
            continue;
        }
        let length = points[start..].iter().take_while(|point| point.is_clipped).count();
        let x = area.x + start as f64 * distance;
        let width = (length as f64 * distance).max(1.5);
        for y in [area.y, area.bottom() - CLIP_HEIGHT] {
            scene.rectangle(Area { x, y, width, height: CLIP_HEIGHT }, Ink::Clip);
        }
        start += length;
    }
}
